/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * sys.c - the real system calls.
 */
#include "sys.h"

#include <stdlib.h>
#include <sys/ioctl.h>

static int real_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

static const struct fbk_sys real = {
	.ioctl = real_ioctl,
	.clock_gettime = clock_gettime,
	.nanosleep = nanosleep,
	.calloc = calloc,
	.free = free,
};

const struct fbk_sys *fbk_sys = &real;
