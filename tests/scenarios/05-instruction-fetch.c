/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The page holds code: the abort is one of an instruction fetch. */
#include "harness.h"

FBK_SCENARIO("05-instruction-fetch", "newest", 1, "guest: victim's siginfo and exit, /proc/kpageflags, HardwareCorrupted");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	struct fbk_victim v;

	fbk_victim_start(&v, g, "fetch");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
}
