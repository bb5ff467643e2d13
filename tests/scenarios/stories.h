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

/* What a disk's story is made of: one operation of guest/disk.c on it, which succeeds. */
void fbk_disk_succeeds(struct fbk_guest *g, const char *device, const char *words);
/* The sectors of an image from @first up to @behind are of this byte, and their neighbours are not. */
void fbk_expect_sectors(const char *path, unsigned int first, unsigned int behind, int byte);
/* The guest's init, asked by this command, shows just that. */
void fbk_expect_shown(struct fbk_guest *g, const char *command, const char *shows);

/* Two vCPUs meet errors at the same moment. */
void fbk_story_two_at_once(const struct fbk_guest_spec *spec);

#endif
