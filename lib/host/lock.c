/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * lock.c - when two threads meet at a lock.
 */
#include "lock.h"

#include "sys.h"

#include <errno.h>
#include <linux/futex.h>

void fbk_lock_wait(struct fbk_lock *l)
{
	int saved = errno;

	/*
	 * Whoever has waited leaves a 2, since others may wait still. The call returns at once when the word is no 2 any more,
	 * and may return for no reason, or fail: then this is a loop that asks again.
	 */
	while (__atomic_exchange_n(&l->word, 2, __ATOMIC_ACQUIRE))
		(void)fbk_sys->futex(&l->word, FUTEX_WAIT_PRIVATE, 2);
	errno = saved;
}

void fbk_lock_wake(struct fbk_lock *l)
{
	int saved = errno;

	(void)fbk_sys->futex(&l->word, FUTEX_WAKE_PRIVATE, 1);
	errno = saved;
}
