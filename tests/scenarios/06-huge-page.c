/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* One page of a transparent huge page: the guest splits it and loses 4 kB, not 2 MB. */
#include "harness.h"

FBK_SCENARIO("06-huge-page", "newest", 1, "guest: victim's siginfo and exit, HardwareCorrupted grows by 4 kB");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	struct fbk_victim v;

	fbk_victim_start(&v, g, "thp");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
	FBK_CHECK(!fbk_guest_isolated(g, v.gpa + 4096));
}
