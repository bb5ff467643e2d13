/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * clock.h - nanoseconds of clocks that cannot fail.
 */
#ifndef FBK_HOST_CLOCK_H
#define FBK_HOST_CLOCK_H

#include "sys.h"

#include <stdint.h>

static inline uint64_t fbk_clock_ns(clockid_t clock)
{
	struct timespec ts = { 0 };

	/* Fails only for clocks that do not exist; 0 is then as good an answer as any. */
	(void)fbk_sys->clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/*
 * Nanoseconds since some moment, to tell how long something took. Cheaper than a clock where there is one such.
 *
 * @mono_ns: what CLOCK_MONOTONIC said a moment ago, 0: ask it
 */
static inline uint64_t fbk_stopwatch_ns(uint64_t mono_ns)
{
	if (fbk_sys->stopwatch_ns)
		return fbk_sys->stopwatch_ns();
	return mono_ns ? mono_ns : fbk_clock_ns(CLOCK_MONOTONIC);
}

#endif
