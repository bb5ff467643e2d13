/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* A page of a file that the disk does not have yet: its owner is told. */
#include "harness.h"

FBK_SCENARIO("04-dirty-page-cache", "newest", 1, "guest: victim's siginfo and exit, /proc/kpageflags, HardwareCorrupted");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	struct fbk_victim v;

	fbk_victim_start(&v, g, "dirty 20");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
}
