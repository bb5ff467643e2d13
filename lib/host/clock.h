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
	struct timespec ts;

	/* Fails only for clocks that do not exist; 0 is then as good an answer as any. */
	if (fbk_sys->clock_gettime(clock, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/*
 * Ticks since some moment, to tell how long something took: of the virtual counter, by which the kernel's clocks go as well
 * [ARM-ARM "CNTVCT_EL0"], at a small part of their cost; where there is none, nanoseconds.
 *
 * @mono_ns: what CLOCK_MONOTONIC said a moment ago, 0: ask it
 */
static inline uint64_t fbk_ticks(uint64_t mono_ns)
{
#ifdef __aarch64__
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#else
	return mono_ns ? mono_ns : fbk_clock_ns(CLOCK_MONOTONIC);
#endif
}

/* Nanoseconds a tick, in 2^-32: it does not change, and a division costs more than all the rest. */
static inline uint64_t fbk_tick_length(void)
{
	uint64_t hz = 1000000000;

#ifdef __aarch64__
	__asm__("mrs %0, cntfrq_el0" : "=r"(hz));
#endif
	return hz ? (UINT64_C(1000000000) << 32) / hz : 0;
}

/* Too few by less than two in four seconds. */
static inline uint64_t fbk_ticks_ns(uint64_t ticks, uint64_t tick_length)
{
	return (uint64_t)((unsigned __int128)ticks * tick_length >> 32);
}

#endif
