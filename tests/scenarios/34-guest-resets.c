/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The guest resets itself; the monitor lives on, and errors before and after are handled alike. */
#include "harness.h"

FBK_SCENARIO("34-guest-resets", "reset", 12,
	     "guest: boots twice under one process of the host, victims' siginfo, HardwareCorrupted; exit status 0");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	struct fbk_victim v;
	uint64_t lost;
	int round;

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
	lost = v.gpa;
	for (round = 0; round < 2; round++) {
		fbk_guest_forget(g);
		fbk_guest_send(g, "reboot");
		fbk_guest_expect(g, 180, "init[1]: ready");
		FBK_CHECK(fbk_guest_alive(g));
		/* The lost page is still armed: the guest must have come up without touching it. */
		FBK_CHECK(!fbk_guest_said(g, "Internal error"));
		fbk_victim_start(&v, g, "anon");
		FBK_CHECK(v.gpa != lost);
		fbk_inject(g, v.gpa, "");
		fbk_victim_loses(&v);
	}
	fbk_guest_poweroff(g);
}
