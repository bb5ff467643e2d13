/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * frames.h - bad frames handed over to the host's kernel by a process of its own, the only one that keeps the privilege for it.
 *
 * Asked for a page of the monitor's memory, it looks up the frame itself: no frame that is not the monitor's can be taken by it.
 */
#ifndef FBK_VMM_FRAMES_H
#define FBK_VMM_FRAMES_H

#include <stdbool.h>

#define FBK_FRAMES_MAX 8192 /* frames that it takes at most: the monitor's graveyard has room for 4096 */

struct fbk_frames {
	int fd; /* of the socket to it; -1: there is none */
};

/*
 * Starts it, early, since it is made of what the monitor is now. It ends when the monitor does.
 * Errors: -EPERM, -ENOENT the host, or the monitor's user, cannot hand frames over; else a negative errno.
 */
int fbk_frames_start(struct fbk_frames *f);

/* For fbk_retire_config.offline, with the struct as @opaque. Errors: negative errno; -EPERM never again. */
int fbk_frames_take(void *opaque, const void *page);

#endif
