/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The guest goes to sleep with all of its devices, is woken by a key, and they work; so they do when a driver was taken off and put back.
 * The disk and the card have stories of their own for the latter.
 */
#include "internal.h"
#include "net.h"

#include <string.h>

FBK_SCENARIO("73-devices-anew", "devices", 40,
	     "guest: its kernel says that it slept, reads /dev/hwrng, its disk, busybox udhcpc and nc; exit status 0");

#define API "/tmp/firebreak-devices.api"
#define KEY "/sys/class/tty/ttyAMA0/power/wakeup"

static void work(struct fbk_guest *g)
{
	const char *line;

	fbk_guest_forget(g);
	fbk_guest_send(g, "random");
	line = fbk_guest_expect(g, 60, "init[1]: random");
	FBK_CHECK_EQ(fbk_field(line, "bytes"), 64);
	FBK_CHECK_EQ(fbk_field(line, "same"), 0);
	fbk_disk(g, "/dev/vdb write 256 8 17");
	line = fbk_disk(g, "/dev/vdb read 256 8");
	FBK_CHECK_EQ(fbk_field(line, "returned"), 4096);
	FBK_CHECK_EQ(fbk_field(line, "first"), 17);
	FBK_CHECK_EQ(fbk_field(line, "same"), 1);
	fbk_net_order(g, "up", "up address=10.0.2.15");
	fbk_net_both_ways(g, "10.0.2.2");
}

/* A driver that lets its device sleep resets it. */
static bool all_sleep(void *arg)
{
	char text[16384];

	return !fbk_ctl(API, text, sizeof(text), "devices", NULL) && !strstr(text, "\"running\"") && strstr(text, "\"none\"");
}

/* One that comes before interrupts are put to sleep is input like any other, and wakes nobody. */
static bool a_key_wakes(void *g)
{
	static uint64_t next;

	if (fbk_now_ms() >= next) {
		next = fbk_now_ms() + 5000;
		fbk_guest_send(g, "echo awake");
	}
	return fbk_guest_said(g, "PM: suspend exit");
}

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(
		&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2, .api = API, .net = "user", .disks = { "" } });

	work(g);
	fbk_guest_send(g, "write " KEY " enabled");
	for (int round = 0; round < 2; round++) {
		fbk_guest_forget(g);
		fbk_guest_send(g, "write /sys/power/state freeze");
		fbk_wait_until(60, "the guest's devices sleep", all_sleep, NULL);
		fbk_wait_until(90, "the guest is awake", a_key_wakes, g);
		fbk_guest_expect(g, 60, "init[1]: echo awake");
		FBK_CHECK(!fbk_guest_said(g, "REFUSED"));
		work(g);
	}
	fbk_guest_forget(g);
	fbk_guest_send(g, "rebind virtio_rng virtio0");
	fbk_guest_expect(g, 60, "init[1]: rebound virtio0");
	work(g);
	fbk_guest_poweroff(g);
}
