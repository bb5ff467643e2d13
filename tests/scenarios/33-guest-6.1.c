/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* A guest with Debian 12's kernel. */
#include "harness.h"
#include "stories.h"

FBK_SCENARIO("33-guest-6.1", "6.1", 9, FBK_STORY_ORACLE);

static void run(void)
{
	struct fbk_guest_spec spec = { .kernel = "6.1", .cpus = 2 };

	fbk_story(&spec);
	fbk_story_two_at_once(&spec);
}
