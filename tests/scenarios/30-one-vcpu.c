/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* One vCPU: the one that has to handle the report is the one that was hurt. */
#include "harness.h"
#include "stories.h"

FBK_SCENARIO("30-one-vcpu", "one", 8, FBK_STORY_ORACLE);

static void run(void)
{
	fbk_story(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 1 });
}
