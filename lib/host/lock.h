/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * lock.h - a lock that costs a vCPU no more than two atomic operations where nobody else wants it.
 *
 * One word: 0 free, 1 taken, 2 taken and somebody may wait, by futex(2). Not fair, not recursive, without priority
 * inheritance; in a child made by fork() it stays as it was. Zero-initialise; there is nothing to destroy.
 */
#ifndef FBK_HOST_LOCK_H
#define FBK_HOST_LOCK_H

#include <stdint.h>

struct fbk_lock {
	uint32_t word;
};

/* The ways that are not short: leave errno alone. */
void fbk_lock_wait(struct fbk_lock *l);
void fbk_lock_wake(struct fbk_lock *l);

static inline void fbk_lock_take(struct fbk_lock *l)
{
	uint32_t free = 0;

	if (!__atomic_compare_exchange_n(&l->word, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		fbk_lock_wait(l);
}

static inline void fbk_lock_release(struct fbk_lock *l)
{
	if (__atomic_exchange_n(&l->word, 0, __ATOMIC_RELEASE) == 2)
		fbk_lock_wake(l);
}

#endif
