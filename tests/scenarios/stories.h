/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * stories.h - what is told of more than one kind of guest.
 */
#ifndef FBK_SCENARIO_STORIES_H
#define FBK_SCENARIO_STORIES_H

#include "harness.h"

#define FBK_STORY_ORACLE \
	"guest: victims' siginfo, data and exit, bystander's sum, HardwareCorrupted, /proc/kpageflags, disk reads"

/* One process loses a page, another replaces one, a third reads one again, a fourth is told of nothing. */
void fbk_story(const struct fbk_guest_spec *spec);

#define FBK_STORY_DISK_ORACLE \
	"host: the image files' bytes and blocks, the monitor's descriptors; guest: /sys/block, its ioctls' results"

#define FBK_STORY_DISK_SPEC { .kernel = "newest", .cpus = 2, .disks = { ",queues=2", ",ro,queues=1" } }

/* What such a guest does to its disks, of which one may only be read. Ends it. @uring: are they carried out by io_uring? */
void fbk_story_disk(struct fbk_guest *g, bool uring);

/* Two vCPUs meet errors at the same moment. */
void fbk_story_two_at_once(const struct fbk_guest_spec *spec);

#endif
