/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* A program that is prepared: its handler puts a new page in the lost one's place, and it goes on. */
#include "harness.h"

FBK_SCENARIO("02-handler-remaps", "newest", 1, "guest: victim's siginfo, data and exit status 0, /proc/kpageflags");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	struct fbk_victim v;

	fbk_victim_start(&v, g, "remap");
	fbk_inject(g, v.gpa, "");
	fbk_victim_go(&v);
	fbk_victim_told(&v);
	fbk_victim_lives(&v);
	FBK_CHECK(fbk_guest_isolated(g, v.gpa));
}
