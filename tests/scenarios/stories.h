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

/* Two vCPUs meet errors at the same moment. */
void fbk_story_two_at_once(const struct fbk_guest_spec *spec);

#endif
