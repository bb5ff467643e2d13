/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A monitor in a PID namespace of its own, root's as a part of --sandbox=on, a user's by --pids=own: every promise is kept as before, a
 * service manager's signal to both processes counts once, and neither outlives the other.
 */
#include "harness.h"
#include "sandbox.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FBK_SCENARIO("84-pid-namespace", "sandbox", 25,
	     "host: /proc/PID/status, /proc/PID/ns, HardwareCorrupted, the processes that are left; guest: victim's siginfo, its kernel hears the power "
	     "button once; exit statuses 0 and 137");

#define API "/tmp/firebreak-pids.api"
#define NOBODY 65534
#define USER 1000

static bool is_first(pid_t pid)
{
	unsigned int outer = 0, inner = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	FBK_CHECK(f);
	while (!inner && fgets(line, sizeof(line), f))
		if (sscanf(line, "NSpid: %u %u", &outer, &inner) != 2)
			inner = 0;
	fclose(f);
	return outer == (unsigned int)pid && inner == 1;
}

static bool gone(void *pid)
{
	return kill(*(pid_t *)pid, 0) != 0;
}

static void roots(void)
{
	const struct fbk_guest_spec spec = { .kernel = "newest", .cpus = 2, .api = API, .sandbox = "on" };
	struct fbk_guest *g = fbk_guest_boot(&spec);
	long host_kb = fbk_host_meminfo("HardwareCorrupted");
	pid_t monitor = fbk_guest_pid(g);
	char text[1024], number[32];
	struct fbk_victim v;

	FBK_CHECK(monitor != fbk_guest_keeper(g) && is_first(monitor) && fbk_sandbox_apart(g, "pid"));
	fbk_sandbox_threads(g, NOBODY, 5);
	FBK_CHECK_EQ(fbk_ctl(API, text, sizeof(text), "status", NULL), 0);
	snprintf(number, sizeof(number), "\"pid\":%d,", monitor);
	FBK_CHECK(strstr(text, number));

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);
	fbk_host_expect_corrupted(host_kb + 4);

	kill(monitor, SIGTERM);
	kill(fbk_guest_keeper(g), SIGTERM);
	fbk_guest_expect(g, 60, "init[1]: power button");
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), 0);
	FBK_CHECK(gone(&monitor));
}

static void users(void)
{
	const struct fbk_guest_spec spec = { .kernel = "newest", .pids = "own", .as = USER };
	struct fbk_guest *g;
	pid_t monitor;

	FBK_CHECK(!chown("/dev/kvm", 0, USER) && !chmod("/dev/kvm", 0660));
	g = fbk_guest_boot(&spec);
	monitor = fbk_guest_pid(g);
	FBK_CHECK(is_first(monitor) && fbk_sandbox_apart(g, "pid") && fbk_sandbox_apart(g, "user"));
	fbk_sandbox_threads(g, USER, 3);
	kill(fbk_guest_keeper(g), SIGKILL);
	FBK_CHECK_EQ(fbk_guest_wait(g, 20), 128 + SIGKILL);
	fbk_wait_until(20, "the monitor has ended with its keeper", gone, &monitor);
}

static void run(void)
{
	roots();
	users();
}
