/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_loop.c - the event loop: who is called, when, and who no more.
 */
#include "test.h"

#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MS 1000000ull

static struct fbk_loop loop;

/* A pipe that is watched, and what its handler does. */
struct end {
	int fd[2];
	struct fbk_loop_watch watch;
	struct end *removes, *adds; /* in its handler */
	int calls;
	short revents;
	int order;
};

static int order;

static void ready(void *opaque, short revents)
{
	struct end *e = opaque;

	e->calls++;
	e->revents = revents;
	e->order = ++order;
	if (e->removes)
		fbk_loop_unwatch(&loop, &e->removes->watch);
	if (e->adds)
		assert_int_equal(fbk_loop_watch(&loop, &e->adds->watch), 0);
	e->removes = e->adds = NULL;
}

static void end_open(struct end *e)
{
	memset(e, 0, sizeof(*e));
	assert_int_equal(pipe(e->fd), 0);
	e->watch = (struct fbk_loop_watch){ e->fd[0], POLLIN, ready, e };
	assert_int_equal(write(e->fd[1], "x", 1), 1);
}

static void end_close(struct end *e)
{
	close(e->fd[0]);
	close(e->fd[1]);
}

static int setup(void **state)
{
	order = 0;
	assert_int_equal(fbk_loop_init(&loop), 0);
	return 0;
}

static int teardown(void **state)
{
	close(loop.wake_fd);
	return 0;
}

/* A turn that has nothing to wait for must not wait. */
static void turn(void)
{
	assert_int_equal(fbk_loop_turn(&loop, fbk_loop_now() + 50 * MS), 0);
}

static void who_is_ready_is_called_in_order(void **state)
{
	struct end a, b, c;

	end_open(&a);
	end_open(&b);
	end_open(&c);
	assert_int_equal(read(b.fd[0], &(char){ 0 }, 1), 1);
	assert_int_equal(fbk_loop_watch(&loop, &a.watch), 0);
	assert_int_equal(fbk_loop_watch(&loop, &b.watch), 0);
	assert_int_equal(fbk_loop_watch(&loop, &c.watch), 0);
	turn();
	assert_int_equal(a.order, 1);
	assert_int_equal(b.calls, 0);
	assert_int_equal(c.order, 2);
	assert_int_equal(a.revents, POLLIN);
	turn();
	assert_int_equal(a.calls, 2); /* still readable */
	end_close(&a);
	end_close(&b);
	end_close(&c);
}

static void what_is_not_wanted_is_not_looked_at(void **state)
{
	uint64_t before = fbk_loop_now();
	struct end a;

	end_open(&a);
	close(a.fd[1]); /* POLLHUP, which poll() tells unasked */
	a.watch.events = 0;
	assert_int_equal(fbk_loop_watch(&loop, &a.watch), 0);
	turn();
	assert_int_equal(a.calls, 0);
	assert_true(fbk_loop_now() - before >= 50 * MS);
	a.watch.events = POLLIN;
	turn();
	assert_int_equal(a.calls, 1);
	assert_true(a.revents & POLLHUP);
	close(a.fd[0]);
}

static void a_handler_removes_and_adds(void **state)
{
	struct end a, b, c;

	end_open(&a);
	end_open(&b);
	end_open(&c);
	a.removes = &b;
	a.adds = &c;
	assert_int_equal(fbk_loop_watch(&loop, &a.watch), 0);
	assert_int_equal(fbk_loop_watch(&loop, &b.watch), 0);
	turn();
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 0); /* ready, but removed before its turn */
	assert_int_equal(c.calls, 0); /* its own descriptor has not been asked yet */
	a.removes = &a;		      /* itself */
	turn();
	assert_int_equal(a.calls, 2);
	assert_int_equal(b.calls, 0);
	assert_int_equal(c.calls, 1);
	turn();
	assert_int_equal(a.calls, 2);
	assert_int_equal(c.calls, 2);
	end_close(&a);
	end_close(&b);
	end_close(&c);
}

static void there_is_an_end_to_the_room(void **state)
{
	static struct fbk_loop_watch w[FBK_LOOP_WATCHES + 1];
	static struct fbk_loop_timer t[FBK_LOOP_TIMERS + 1];

	for (unsigned int i = 0; i <= FBK_LOOP_WATCHES; i++) {
		w[i].fd = -1;
		assert_int_equal(fbk_loop_watch(&loop, &w[i]), i < FBK_LOOP_WATCHES ? 0 : -ENOSPC);
	}
	for (unsigned int i = 0; i <= FBK_LOOP_TIMERS; i++) {
		t[i].at_ns = FBK_LOOP_NEVER;
		assert_int_equal(fbk_loop_timer(&loop, &t[i]), i < FBK_LOOP_TIMERS ? 0 : -ENOSPC);
	}
	/* Room that was given back is there again, from the next turn on. */
	fbk_loop_unwatch(&loop, &w[3]);
	turn();
	assert_int_equal(fbk_loop_watch(&loop, &w[FBK_LOOP_WATCHES]), 0);
	assert_int_equal(fbk_loop_watch(&loop, &w[3]), -ENOSPC);
}

static void expired(void *opaque)
{
	++*(int *)opaque;
}

static void a_timer_expires_once_and_not_before(void **state)
{
	int early = 0, late = 0;
	struct fbk_loop_timer soon = { fbk_loop_now() + 20 * MS, expired, &early };
	struct fbk_loop_timer later = { fbk_loop_now() + 3600000 * MS, expired, &late };
	struct fbk_loop_timer mute = { fbk_loop_now() + 1, NULL, NULL };
	uint64_t before = fbk_loop_now();

	assert_int_equal(fbk_loop_timer(&loop, &soon), 0);
	assert_int_equal(fbk_loop_timer(&loop, &later), 0);
	assert_int_equal(fbk_loop_timer(&loop, &mute), 0);
	assert_int_equal(fbk_loop_turn(&loop, FBK_LOOP_NEVER), 0);
	assert_true(mute.at_ns == FBK_LOOP_NEVER);
	while (!early)
		assert_int_equal(fbk_loop_turn(&loop, FBK_LOOP_NEVER), 0);
	assert_true(fbk_loop_now() - before >= 19 * MS);
	assert_int_equal(early, 1);
	assert_int_equal(late, 0);
	assert_true(soon.at_ns == FBK_LOOP_NEVER);
	turn();
	assert_int_equal(early, 1);
}

/* A time that lies behind us is due at once, and without any other limit. */
static void what_is_overdue_does_not_wait(void **state)
{
	int calls = 0;
	struct fbk_loop_timer t = { 1, expired, &calls };

	assert_int_equal(fbk_loop_timer(&loop, &t), 0);
	assert_int_equal(fbk_loop_turn(&loop, FBK_LOOP_NEVER), 0);
	assert_int_equal(calls, 1);
}

static void *waker(void *arg)
{
	fbk_loop_wake(&loop);
	return NULL;
}

static void another_thread_wakes(void **state)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, waker, NULL), 0);
	assert_int_equal(fbk_loop_turn(&loop, FBK_LOOP_NEVER), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	/* Woken before it waits, and more than once: one turn. */
	fbk_loop_wake(&loop);
	fbk_loop_wake(&loop);
	assert_int_equal(fbk_loop_turn(&loop, FBK_LOOP_NEVER), 0);
	{
		uint64_t before = fbk_loop_now();

		turn();
		assert_true(fbk_loop_now() - before >= 50 * MS);
	}
}

static void on_alarm(int sig)
{
}

static void sets_timer(void *opaque, short revents)
{
	struct fbk_loop_timer *t = opaque;

	t->at_ns = 0;
}

static void counts(void *opaque)
{
	++*(int *)opaque;
}

/* What a handler leaves for the end of the turn is done there, also where nothing was due when it began. */
static void a_handler_sets_a_timer(void **state)
{
	int expired = 0;
	struct fbk_loop_timer t = { FBK_LOOP_NEVER, counts, &expired };
	struct end a;

	end_open(&a);
	a.watch.ready = sets_timer;
	a.watch.opaque = &t;
	assert_int_equal(fbk_loop_watch(&loop, &a.watch), 0);
	assert_int_equal(fbk_loop_timer(&loop, &t), 0);
	assert_int_equal(fbk_loop_turn(&loop, FBK_LOOP_NEVER), 0);
	assert_int_equal(expired, 1);
	assert_true(t.at_ns == FBK_LOOP_NEVER);
	end_close(&a);
}

/* A signal ends the turn and no more. */
static void a_signal_is_no_error(void **state)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct end a;

	end_open(&a);
	assert_int_equal(read(a.fd[0], &(char){ 0 }, 1), 1);
	assert_int_equal(fbk_loop_watch(&loop, &a.watch), 0);
	sigaction(SIGALRM, &sa, NULL);
	ualarm(20000, 0);
	assert_int_equal(fbk_loop_turn(&loop, FBK_LOOP_NEVER), 0);
	assert_int_equal(a.calls, 0);
	end_close(&a);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CASE(who_is_ready_is_called_in_order), CASE(what_is_not_wanted_is_not_looked_at),
		CASE(a_handler_removes_and_adds),      CASE(there_is_an_end_to_the_room),
		CASE(a_timer_expires_once_and_not_before), CASE(what_is_overdue_does_not_wait),
		CASE(another_thread_wakes),	       CASE(a_signal_is_no_error),
		CASE(a_handler_sets_a_timer),
	};

	return cmocka_run_group_tests_name("vmm-loop", tests, NULL, NULL);
}
