/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
#include "harness.h"

FBK_SCENARIO("00-boots", "newest", 6, "the guest's programs: init answers, and the monitor ends with status 0");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	int pid = fbk_bystander_start(g);

	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), 0);
	FBK_CHECK(fbk_bystander_end(g, pid) > 0);
}
