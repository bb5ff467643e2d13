/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * uring.h - file operations carried out by io_uring, answered in the turns of a loop.
 */
#ifndef FBK_VMM_URING_H
#define FBK_VMM_URING_H

#include "aio.h"
#include "loop.h"

#include <liburing.h>

struct fbk_uring {
	struct fbk_aio aio; /* first */
	struct io_uring ring;
	struct fbk_loop_watch answered;
	struct fbk_loop_timer retry;
};

/*
 * Before other threads; the ring is @loop's thread's from then on. @entries: the most that are under way at once, which is the
 * caller's to keep to.
 * Errors: negative errno of io_uring_setup(): -ENOSYS, -EPERM (sysctl kernel.io_uring_disabled, seccomp), ...; -ENOSPC of the
 * loop, which is of no use then.
 */
int fbk_uring_open(struct fbk_uring *u, unsigned int entries, struct fbk_loop *loop);
void fbk_uring_close(struct fbk_uring *u); /* nothing is under way, and the loop turns no more */

#endif
