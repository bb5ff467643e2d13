/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * sys.h - the system calls the library makes, in one table, so that a test can put a fake kernel behind them and fail
 * the Nth call.
 */
#ifndef FBK_HOST_SYS_H
#define FBK_HOST_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct fbk_sys {
	/* -1 and errno on failure, as ioctl(2) */
	int (*ioctl)(int fd, unsigned long request, void *arg);
	int (*clock_gettime)(clockid_t clock, struct timespec *ret);
	int (*nanosleep)(const struct timespec *ts, struct timespec *rem);
	long (*futex)(uint32_t *word, int op, uint32_t value);
	void *(*calloc)(size_t nr, size_t len);
	void (*free)(void *p);
	/* Zeroed memory that costs nothing where it is not touched, in small pages; NULL on failure */
	void *(*map)(size_t len);
	void (*unmap)(void *p, size_t len);
};

extern const struct fbk_sys *fbk_sys __attribute__((visibility("hidden")));

/* Those about files, in a table of their own: who fakes a kernel for vCPUs need not fake a disk. sys_file.c */
struct fbk_sys_file {
	int (*openat)(int dirfd, const char *path, int flags, mode_t mode);
	int (*close)(int fd);
	int (*fstat)(int fd, struct stat *ret);
	int (*fstatat)(int dirfd, const char *path, struct stat *ret, int flags);
	int (*flock)(int fd, int op);
	int (*fallocate)(int fd, off_t from, off_t len);
	ssize_t (*pread)(int fd, void *buf, size_t len, off_t at);
	ssize_t (*pwrite)(int fd, const void *buf, size_t len, off_t at);
	int (*fdatasync)(int fd);
	int (*fsync)(int fd);
	int (*renameat)(int from_dirfd, const char *from, int to_dirfd, const char *to);
	int (*unlinkat)(int dirfd, const char *path, int flags);
};

extern const struct fbk_sys_file *fbk_sys_file;

/* Those about the process's own memory. sys_mem.c */
struct fbk_sys_mem {
	long (*page_size)(void);
	int (*userfaultfd)(int flags);
	int (*open)(const char *path, int flags);
	int (*close)(int fd);
	int (*ioctl)(int fd, unsigned long request, void *arg);
	ssize_t (*pread)(int fd, void *buf, size_t len, off_t at);
	ssize_t (*write)(int fd, const void *buf, size_t len);
	void *(*mmap)(void *at, size_t len, int prot, int flags);
	int (*munmap)(void *at, size_t len);
	void *(*mremap)(void *from, size_t len, int flags, void *to);
	int (*mprotect)(void *at, size_t len, int prot);
	int (*madvise)(void *at, size_t len, int advice);
	int (*mlock)(void *at, size_t len);
};

extern const struct fbk_sys_mem *fbk_sys_mem;

#endif
