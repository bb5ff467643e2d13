/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * sys.c - the real system calls.
 */
#include "sys.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int real_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

static long real_futex(uint32_t *word, int op, uint32_t value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void *real_map(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* What lies scattered in it would else cost a huge page each. A kernel without those has nothing to advise. */
	(void)madvise(p, len, MADV_NOHUGEPAGE);
	return p;
}

static void real_unmap(void *p, size_t len)
{
	(void)munmap(p, len);
}

static const struct fbk_sys real = {
	.ioctl = real_ioctl,
	.clock_gettime = clock_gettime,
	.nanosleep = nanosleep,
	.futex = real_futex,
	.calloc = calloc,
	.free = free,
	.map = real_map,
	.unmap = real_unmap,
};

const struct fbk_sys *fbk_sys = &real;
