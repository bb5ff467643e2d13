/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* Four vCPUs. */
#include "harness.h"
#include "stories.h"

FBK_SCENARIO("31-four-vcpus", "four", 9, FBK_STORY_ORACLE);

static void run(void)
{
	struct fbk_guest_spec spec = { .kernel = "newest", .cpus = 4 };

	fbk_story(&spec);
	fbk_story_two_at_once(&spec);
}
