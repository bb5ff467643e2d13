/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * loop.h - what one thread waits for: descriptors, points in time, and being woken by another thread.
 *
 * Watches and timers belong to their owners, usually as a member of what they serve; the loop keeps pointers and allocates
 * nothing. All of it is called on the loop's own thread, or before that runs; only fbk_loop_wake() is for others.
 */
#ifndef FBK_VMM_LOOP_H
#define FBK_VMM_LOOP_H

#include <stdatomic.h>
#include <stdint.h>

#define FBK_LOOP_WATCHES 256
#define FBK_LOOP_TIMERS 16
#define FBK_LOOP_NEVER UINT64_MAX

struct fbk_loop_watch {
	int fd;	      /* -1: none now */
	short events; /* poll()'s, as wanted at the next turn; 0: not looked at, an error on it neither */
	void (*ready)(void *opaque, short revents); /* NULL: all that is wanted is that the turn ends */
	void *opaque;
};

struct fbk_loop_timer {
	uint64_t at_ns;		       /* monotonic clock; FBK_LOOP_NEVER: idle, and set to that when it is due */
	void (*expired)(void *opaque); /* NULL: likewise */
	void *opaque;
};

struct fbk_loop {
	int wake_fd;
	unsigned int nr_watches, nr_timers;
	struct fbk_loop_watch *watch[FBK_LOOP_WATCHES];
	struct fbk_loop_timer *timer[FBK_LOOP_TIMERS];
};

uint64_t fbk_loop_now(void); /* ns, monotonic clock */

/* Errors: negative errno of eventfd(). */
int fbk_loop_init(struct fbk_loop *l);

/*
 * Also from within a handler: one that was added is first looked at in the next turn, one that was removed is not called any
 * more in this. Errors: -ENOSPC.
 */
int fbk_loop_watch(struct fbk_loop *l, struct fbk_loop_watch *w);
void fbk_loop_unwatch(struct fbk_loop *l, const struct fbk_loop_watch *w); /* its owner closes the descriptor behind this */
int fbk_loop_timer(struct fbk_loop *l, struct fbk_loop_timer *t);

/* Lets the turn that waits, or else the next, return. Any thread; async-signal-safe; keeps errno. */
void fbk_loop_wake(struct fbk_loop *l);

/*
 * One turn: wait until something is ready, due, or fbk_loop_wake() is called, and call the handlers in the order in which
 * they were added, the timers' last: a timer that a handler sets to a time gone by is due in the same turn. @until_ns: return by
 * then at the latest. Errors: negative errno of ppoll().
 */
int fbk_loop_turn(struct fbk_loop *l, uint64_t until_ns);

#endif
