/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * sys.h - the system calls the library makes, in one table, so that a test can put a fake kernel behind them and fail
 * the Nth call.
 */
#ifndef FBK_HOST_SYS_H
#define FBK_HOST_SYS_H

#include <stddef.h>
#include <time.h>

struct fbk_sys {
	/* -1 and errno on failure, as ioctl(2) */
	int (*ioctl)(int fd, unsigned long request, void *arg);
	int (*clock_gettime)(clockid_t clock, struct timespec *ret);
	int (*nanosleep)(const struct timespec *ts, struct timespec *rem);
	void *(*calloc)(size_t nr, size_t len);
	void (*free)(void *p);
};

extern const struct fbk_sys *fbk_sys __attribute__((visibility("hidden")));

#endif
