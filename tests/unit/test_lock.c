/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_lock.c - one at a time, whatever futex(2) does; nobody is left asleep; and a lock that nobody else wants asks nothing
 * of the kernel.
 */
#include "test.h"

#include "host/lock.h"
#include "host/sys.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#define NR_THREADS 4
#define ROUNDS 4000 /* of each */

static const struct fbk_sys *real;
static struct fbk_sys sys;
static struct fbk_lock lock;
static uint64_t inside; /* not atomic: the lock is all that protects it */
static uint32_t nr_waits, nr_wakes, bad_errno;

static void note(int op)
{
	__atomic_add_fetch(op == FUTEX_WAKE_PRIVATE ? &nr_wakes : &nr_waits, 1, __ATOMIC_RELAXED);
}

static long honest(uint32_t *word, int op, uint32_t value)
{
	note(op);
	return real->futex(word, op, value);
}

/* As a sandbox that does not know the call: whoever waits has to ask again and again. */
static long refused(uint32_t *word, int op, uint32_t value)
{
	note(op);
	sched_yield();
	errno = EPERM;
	return -1;
}

static void install(long (*futex)(uint32_t *word, int op, uint32_t value))
{
	sys = *real;
	sys.futex = futex;
	fbk_sys = &sys;
	nr_waits = nr_wakes = 0;
	memset(&lock, 0, sizeof(lock));
}

static void *work(void *arg)
{
	uint32_t i;

	for (i = 0; i < ROUNDS; i++) {
		uint64_t was;

		errno = 4711;
		fbk_lock_take(&lock);
		was = inside;
		if (i % 128 == 0)
			sched_yield(); /* so that the others come meanwhile */
		inside = was + 1;
		fbk_lock_release(&lock);
		if (errno != 4711)
			__atomic_add_fetch(&bad_errno, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void all_at_once(void)
{
	pthread_t thread[NR_THREADS];
	uint32_t i;

	inside = bad_errno = 0;
	/* Taken until somebody has met it: else they might come one after the other, and nothing were shown. */
	fbk_lock_take(&lock);
	for (i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, work, NULL), 0);
	while (!__atomic_load_n(&nr_waits, __ATOMIC_RELAXED))
		sched_yield();
	fbk_lock_release(&lock);
	for (i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(inside, NR_THREADS * ROUNDS);
	assert_int_equal(bad_errno, 0);
	assert_int_equal(lock.word, 0);
	assert_true(nr_waits > 0 && nr_wakes > 0);
}

static void one_at_a_time(void **state)
{
	install(honest);
	all_at_once();
}

static void without_the_call(void **state)
{
	install(refused);
	all_at_once();
}

static void alone(void **state)
{
	install(honest);
	fbk_lock_take(&lock);
	assert_int_not_equal(lock.word, 0);
	fbk_lock_release(&lock);
	assert_int_equal(lock.word, 0);
	assert_int_equal(nr_waits + nr_wakes, 0);
}

static void *take_once(void *arg)
{
	fbk_lock_take(&lock);
	fbk_lock_release(&lock);
	return NULL;
}

/* Somebody who came while it was taken sleeps, and is woken. */
static void asleep(void **state)
{
	pthread_t thread;

	install(honest);
	fbk_lock_take(&lock);
	assert_int_equal(pthread_create(&thread, NULL, take_once, NULL), 0);
	while (!__atomic_load_n(&nr_waits, __ATOMIC_RELAXED))
		sched_yield();
	assert_int_equal(__atomic_load_n(&lock.word, __ATOMIC_RELAXED), 2);
	fbk_lock_release(&lock);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(nr_wakes > 0);
	assert_int_equal(lock.word, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone),
		cmocka_unit_test(asleep),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(without_the_call),
	};

	real = fbk_sys;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
