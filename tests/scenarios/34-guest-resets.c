/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The guest resets itself; the monitor lives on, lost pages are good memory again, and errors before and after are handled
 * alike.
 */
#include "harness.h"

FBK_SCENARIO("34-guest-resets", "reset", 12,
	     "guest: boots twice under one process of the host with all of its memory, victims' siginfo, HardwareCorrupted; exit status 0");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	long memory = fbk_guest_meminfo(g, "MemTotal");
	struct fbk_victim v;
	int round;

	fbk_victim_start(&v, g, "anon");
	/* Once, as the page is to be used again. */
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_loses(&v);
	for (round = 0; round < 2; round++) {
		fbk_guest_forget(g);
		fbk_guest_send(g, "reboot");
		fbk_guest_expect(g, 180, "init[1]: ready");
		FBK_CHECK(fbk_guest_alive(g));
		FBK_CHECK(!fbk_guest_said(g, "Internal error"));
		/* A page kept back would be 64 kB less; which tables lie where may differ. */
		FBK_CHECK(fbk_guest_meminfo(g, "MemTotal") > memory - 32);
		FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), 0);
		fbk_victim_start(&v, g, "anon");
		fbk_inject(g, v.gpa, "--hits 1");
		fbk_victim_loses(&v);
	}
	fbk_guest_poweroff(g);
}
