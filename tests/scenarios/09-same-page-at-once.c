/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* Two vCPUs touch the same bad page at the same moment: it is lost once, and both threads go on. */
#include "harness.h"

FBK_SCENARIO("09-same-page-at-once", "newest", 1, "guest: the program's data and exit status, HardwareCorrupted");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	long before = fbk_guest_meminfo(g, "HardwareCorrupted");
	struct fbk_victim v;

	fbk_victim_start(&v, g, "race");
	fbk_inject(g, v.gpa, "");
	fbk_victim_go(&v);
	fbk_victim_told(&v);
	fbk_victim_lives(&v);
	FBK_CHECK(fbk_guest_isolated(g, v.gpa));
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), before + 4);
}
