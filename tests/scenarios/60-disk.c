/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* A guest writes, flushes, discards and zeroes: what it was promised is in the host's files. */
#include "stories.h"

FBK_SCENARIO("60-disk", "disks", 10, FBK_STORY_DISK_ORACLE);

static void run(void)
{
	fbk_story_disk(fbk_guest_boot(&(struct fbk_guest_spec)FBK_STORY_DISK_SPEC), true);
}
