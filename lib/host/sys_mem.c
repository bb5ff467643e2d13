/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * sys_mem.c - the real system calls about the process's own memory.
 */
#include "sys.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static long real_page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static int real_userfaultfd(int flags)
{
	return (int)syscall(SYS_userfaultfd, flags);
}

static int real_open(const char *path, int flags)
{
	return open(path, flags);
}

static int real_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

static void *real_mmap(void *at, size_t len, int prot, int flags)
{
	return mmap(at, len, prot, flags, -1, 0);
}

static void *real_mremap(void *from, size_t len, int flags, void *to)
{
	return mremap(from, len, len, flags, to);
}

/* The C library's takes a pointer to const. */
static int real_mlock(void *at, size_t len)
{
	return mlock(at, len);
}

static const struct fbk_sys_mem real = {
	.page_size = real_page_size,
	.userfaultfd = real_userfaultfd,
	.open = real_open,
	.close = close,
	.ioctl = real_ioctl,
	.pread = pread,
	.write = write,
	.mmap = real_mmap,
	.munmap = munmap,
	.mremap = real_mremap,
	.mprotect = mprotect,
	.madvise = madvise,
	.mlock = real_mlock,
};

const struct fbk_sys_mem *fbk_sys_mem = &real;
