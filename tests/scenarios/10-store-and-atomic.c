/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The page is lost to a store, and to an atomic instruction, as it is to a load. */
#include "harness.h"

FBK_SCENARIO("10-store-and-atomic", "newest", 2, "guest: victims' siginfo and exit, /proc/kpageflags, HardwareCorrupted");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	struct fbk_victim v;

	fbk_victim_start(&v, g, "write");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
	fbk_victim_start(&v, g, "atomic");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
}
