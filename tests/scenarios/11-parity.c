/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The host says that it was a parity or ECC error, and that a slave reported it: the same end. */
#include "harness.h"

FBK_SCENARIO("11-parity", "newest", 2, "guest: victims' siginfo and exit, /proc/kpageflags, HardwareCorrupted");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	struct fbk_victim v;

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--shape parity");
	fbk_victim_loses(&v);
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--ea");
	fbk_victim_loses(&v);
}
