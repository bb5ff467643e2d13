/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The guest's console is virtio's: what it says and hears, much of it at once, beside a client of the API, with the driver taken
 * off and put back, after a reset, and in each way to boot. A panic is seen, also one from before there is a driver.
 */
#include "internal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

FBK_SCENARIO("68-virtio-console", "virtio-console", 50,
	     "guest: its /sys/class/tty/console/active, what it says and obeys, victims' siginfo; exit statuses 0 and 10");

#define API "/tmp/firebreak-virtio-console.api"
#define EXIT_PANIC 10

static void is_console(struct fbk_guest *g)
{
	const char *line;

	fbk_guest_send(g, "show /sys/class/tty/console/active");
	line = fbk_guest_expect(g, 60, "show /sys/class/tty/console/active");
	/* And no other one: all would be said twice. */
	FBK_CHECK(strstr(line, "active hvc0") && !strstr(line, "ttyAMA"));
}

static void loses(struct fbk_guest *g)
{
	struct fbk_victim v;

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);
}

/* The state of every task, and then the answer to each of many orders. */
static void says_much(struct fbk_guest *g)
{
	fbk_guest_forget(g);
	fbk_guest_send(g, "write /proc/sysrq-trigger t");
	for (int i = 0; i < 100; i++)
		fbk_guest_send(g, "echo number-%d", i);
	fbk_guest_sync(g);
	FBK_CHECK(fbk_guest_count(g, "task:") > 20);
	for (int i = 0; i < 100; i++)
		FBK_CHECK_EQ(fbk_guest_count(g, "init[1]: echo number-%d\r", i), 1);
	/* As a program does, and not the kernel. */
	fbk_guest_send(g, "write /dev/hvc0 said-by-init,");
	fbk_guest_sync(g);
	FBK_CHECK(fbk_guest_said(g, "said-by-init,"));
}

static void everything(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2, .console = "virtio", .api = API });

	is_console(g);
	says_much(g);
	fbk_guest_attach(g, API);
	loses(g);
	/* The rng is virtio0, the disk virtio1. */
	for (int round = 0; round < 3; round++) {
		fbk_guest_forget(g);
		fbk_guest_send(g, "rebind virtio_console virtio2");
		fbk_guest_expect(g, 60, "init[1]: rebound virtio2");
		is_console(g);
		says_much(g);
	}
	fbk_guest_forget(g);
	fbk_guest_send(g, "reboot");
	fbk_guest_expect(g, 180, "init[1]: ready");
	is_console(g);
	fbk_guest_attach(g, API);
	loses(g);
	fbk_guest_send(g, "panic");
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), EXIT_PANIC);
}

/* Its driver is a module. */
static void an_older_kernel(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "6.1", .console = "virtio" });
	char *argv[] = { fbk_path_files("firebreak"), "run", "--kernel", fbk_path_files("kernels/6.1/Image"), "--console", "virtio",
			 "--append", "quiet panic=-1", NULL };
	static char text[65536];

	is_console(g);
	loses(g);
	kill(fbk_guest_pid(g), SIGTERM);
	fbk_guest_expect(g, 60, "init[1]: power button");
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), 0);

	/* Without anything that it could start. */
	FBK_CHECK_EQ(fbk_run(argv, text, sizeof(text)), EXIT_PANIC);
	FBK_CHECK(strstr(text, "Kernel panic - not syncing"));
}

static void by_device_tree(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "6.12", .cpus = 2, .console = "virtio", .firmware = "dt" });

	is_console(g);
	says_much(g);
	fbk_guest_poweroff(g);
}

static void run(void)
{
	everything();
	an_older_kernel();
	by_device_tree();
}
