/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * count.h - this thread's instructions in user space, as the processor counts them. QEMU's does so under -icount only.
 */
#ifndef FBK_BENCH_COUNT_H
#define FBK_BENCH_COUNT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

struct count {
	int fd;
	uint64_t own; /* what asking costs */
};

static inline uint64_t count_now(const struct count *c)
{
	uint64_t v = 0;

	if (read(c->fd, &v, sizeof(v)) != sizeof(v)) {
		perror("bench: reading the instruction counter");
		exit(1);
	}
	return v;
}

/* Instructions since count_now() gave @began, without what the two calls cost. */
static inline uint64_t count_since(const struct count *c, uint64_t began)
{
	uint64_t took = count_now(c) - began;

	return took > c->own ? took - c->own : 0;
}

static inline void count_open(struct count *c)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_HARDWARE,
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.exclude_guest = 1,
	};
	uint64_t least = UINT64_MAX, began, took;

	c->own = 0;
	c->fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (c->fd < 0) {
		perror("bench: perf_event_open");
		exit(1);
	}
	for (int i = 0; i < 64; i++) {
		began = count_now(c);
		took = count_since(c, began);
		if (took < least)
			least = took;
	}
	c->own = least;
}

#endif
