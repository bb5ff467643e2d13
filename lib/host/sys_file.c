/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * sys_file.c - the real system calls about files.
 */
#include "sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static int real_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	return openat(dirfd, path, flags, mode);
}

/* Space that is there already cannot run out; where a file system cannot promise it, nothing is lost but that. */
static int real_fallocate(int fd, off_t from, off_t len)
{
	return fallocate(fd, 0, from, len);
}

static const struct fbk_sys_file real = {
	.openat = real_openat,
	.close = close,
	.fstat = fstat,
	.fstatat = fstatat,
	.flock = flock,
	.fallocate = real_fallocate,
	.pread = pread,
	.pwrite = pwrite,
	.fdatasync = fdatasync,
	.fsync = fsync,
	.renameat = renameat,
	.unlinkat = unlinkat,
};

const struct fbk_sys_file *fbk_sys_file = &real;
