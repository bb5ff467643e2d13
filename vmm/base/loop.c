/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* loop.c - see loop.h */
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

uint64_t fbk_loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int fbk_loop_init(struct fbk_loop *l)
{
	*l = (struct fbk_loop){ .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	return l->wake_fd < 0 ? -errno : 0;
}

int fbk_loop_watch(struct fbk_loop *l, struct fbk_loop_watch *w)
{
	/* Not into a hole: what is ready in this turn would be taken for the new one's. fbk_loop_turn() closes them. */
	if (l->nr_watches == FBK_LOOP_WATCHES)
		return -ENOSPC;
	l->watch[l->nr_watches++] = w;
	return 0;
}

void fbk_loop_unwatch(struct fbk_loop *l, const struct fbk_loop_watch *w)
{
	for (unsigned int i = 0; i < l->nr_watches; i++)
		if (l->watch[i] == w)
			l->watch[i] = NULL;
}

int fbk_loop_timer(struct fbk_loop *l, struct fbk_loop_timer *t)
{
	if (l->nr_timers == FBK_LOOP_TIMERS)
		return -ENOSPC;
	l->timer[l->nr_timers++] = t;
	return 0;
}

void fbk_loop_wake(struct fbk_loop *l)
{
	const uint64_t one = 1;
	int saved = errno;

	/* A full counter wakes as well as any. */
	if (write(l->wake_fd, &one, sizeof(one)) < 0)
		errno = saved;
}

static void close_holes(struct fbk_loop *l)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < l->nr_watches; i++)
		if (l->watch[i])
			l->watch[nr++] = l->watch[i];
	l->nr_watches = nr;
}

int fbk_loop_turn(struct fbk_loop *l, uint64_t until_ns)
{
	struct pollfd fds[1 + FBK_LOOP_WATCHES];
	unsigned int nr;
	struct timespec ts;
	uint64_t now = 0, count;
	int r;

	close_holes(l);
	nr = l->nr_watches;
	fds[nr] = (struct pollfd){ .fd = l->wake_fd, .events = POLLIN };
	for (unsigned int i = 0; i < nr; i++)
		fds[i] = (struct pollfd){ .fd = l->watch[i]->events ? l->watch[i]->fd : -1, .events = l->watch[i]->events };
	for (unsigned int i = 0; i < l->nr_timers; i++)
		if (l->timer[i]->at_ns < until_ns)
			until_ns = l->timer[i]->at_ns;
	if (until_ns != FBK_LOOP_NEVER) {
		now = fbk_loop_now();
		ts.tv_sec = until_ns > now ? (until_ns - now) / NS_PER_S : 0;
		ts.tv_nsec = until_ns > now ? (until_ns - now) % NS_PER_S : 0;
	}
	r = ppoll(fds, nr + 1, until_ns == FBK_LOOP_NEVER ? NULL : &ts, NULL);
	if (r < 0 && errno != EINTR)
		return -errno;
	/* After an interrupted wait no @revents was written; timers are looked at all the same. */
	if (r > 0) {
		/* Before the handlers: who wakes us from now on is seen in the next turn. */
		if (fds[nr].revents && read(l->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
			return -errno;
		for (unsigned int i = 0; i < nr; i++)
			if (fds[i].revents && l->watch[i] && l->watch[i]->ready)
				l->watch[i]->ready(l->watch[i]->opaque, fds[i].revents);
	}
	/* One that a handler has set for now, too. */
	now = 0;
	for (unsigned int i = 0; i < l->nr_timers; i++) {
		struct fbk_loop_timer *t = l->timer[i];

		if (t->at_ns == FBK_LOOP_NEVER)
			continue;
		now = now ? now : fbk_loop_now();
		if (t->at_ns > now)
			continue;
		t->at_ns = FBK_LOOP_NEVER;
		if (t->expired)
			t->expired(t->opaque);
	}
	return 0;
}
