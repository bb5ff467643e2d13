/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fake_disk.c - see fake_disk.h
 */
#include "test.h"

#include "fake_disk.h"

#include "host/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#define FIRST_FD 1000

struct fake_disk fake_disk;

static void power_cut(void)
{
	longjmp(fake_disk.cut, 1);
}

/* Before each call. Return: 1 it fails, errno is set. */
static int begin(void)
{
	struct fake_disk *d = &fake_disk;

	d->nr_calls++;
	if (d->nr_calls == d->cut_at && !d->cut_late)
		power_cut();
	if (d->fail_at && d->nr_calls >= d->fail_at && d->nr_calls <= (d->fail_until ? d->fail_until : d->fail_at)) {
		errno = d->fail_errno;
		return 1;
	}
	return 0;
}

static void end(void)
{
	struct fake_disk *d = &fake_disk;

	if (d->on_call) {
		void (*f)(void *) = d->on_call;

		d->on_call = NULL; /* its own calls do not call it */
		f(d->opaque);
		d->on_call = f;
	}
	if (d->nr_calls == d->cut_at && d->cut_late)
		power_cut();
}

static struct fake_name *find(const char *name)
{
	int i;

	for (i = 0; i < FAKE_FILES; i++)
		if (!strcmp(fake_disk.name[i].name, name))
			return &fake_disk.name[i];
	return NULL;
}

static struct fake_file *of_fd(int fd)
{
	int n = fd - FIRST_FD;

	assert_true(n >= 0 && n < FAKE_FDS && fake_disk.fd[n].open);
	return fake_disk.fd[n].file < 0 ? NULL : &fake_disk.file[fake_disk.fd[n].file];
}

static struct fake_name *make(const char *name)
{
	struct fake_name *n = find("");
	int i;

	assert_non_null(n);
	for (i = 0; i < FAKE_FILES && fake_disk.file[i].used; i++)
		;
	assert_true(i < FAKE_FILES && *name && strlen(name) < sizeof(n->name));
	memset(&fake_disk.file[i], 0, sizeof(fake_disk.file[i]));
	fake_disk.file[i].used = fake_disk.file[i].links = 1;
	strcpy(n->name, name);
	n->file = i;
	return n;
}

static int new_fd(int file)
{
	int i;

	for (i = 0; i < FAKE_FDS; i++) {
		if (fake_disk.fd[i].open)
			continue;
		fake_disk.fd[i].open = 1;
		fake_disk.fd[i].file = file;
		fake_disk.fd[i].locked = 0;
		return FIRST_FD + i;
	}
	fail_msg("descriptors leak");
	return -1;
}

static int fake_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	struct fake_name *n;
	int fd = -1;

	if (begin())
		return -1;
	if (flags & O_DIRECTORY) {
		fd = new_fd(-1);
	} else {
		n = find(path);
		if (!n && !(flags & O_CREAT))
			errno = ENOENT;
		else if (n && (flags & O_EXCL))
			errno = EEXIST;
		else
			fd = new_fd((n ? n : make(path))->file);
	}
	end();
	return fd;
}

static int fake_close(int fd)
{
	/* Closing cannot fail in a way that matters, and counts for nothing. */
	of_fd(fd);
	fake_disk.fd[fd - FIRST_FD].open = 0;
	return 0;
}

static int fake_fstat(int fd, struct stat *ret)
{
	struct fake_file *f;

	if (begin())
		return -1;
	f = of_fd(fd);
	memset(ret, 0, sizeof(*ret));
	ret->st_mode = S_IFREG | 0600;
	ret->st_ino = (ino_t)(f - fake_disk.file) + 1;
	ret->st_nlink = (nlink_t)f->links;
	ret->st_size = (off_t)f->len;
	end();
	return 0;
}

static int fake_fstatat(int dirfd, const char *path, struct stat *ret, int flags)
{
	struct fake_name *n;

	if (begin())
		return -1;
	of_fd(dirfd);
	n = find(path);
	if (!n) {
		errno = ENOENT;
		return -1;
	}
	memset(ret, 0, sizeof(*ret));
	ret->st_ino = (ino_t)n->file + 1;
	end();
	return 0;
}

static int fake_flock(int fd, int op)
{
	int i;

	if (begin())
		return -1;
	of_fd(fd);
	assert_int_equal(op, LOCK_EX | LOCK_NB);
	for (i = 0; i < FAKE_FDS; i++) {
		if (fake_disk.fd[i].open && fake_disk.fd[i].locked && i != fd - FIRST_FD &&
		    fake_disk.fd[i].file == fake_disk.fd[fd - FIRST_FD].file) {
			errno = EWOULDBLOCK;
			return -1;
		}
	}
	fake_disk.fd[fd - FIRST_FD].locked = 1;
	end();
	return 0;
}

static int fake_fallocate(int fd, off_t from, off_t len)
{
	struct fake_file *f;

	if (begin())
		return -1;
	f = of_fd(fd);
	assert_true(from == 0 && len <= FAKE_FILE_LEN);
	if ((size_t)len > f->len)
		f->len = (size_t)len;
	end();
	return 0;
}

static ssize_t fake_pread(int fd, void *buf, size_t len, off_t at)
{
	struct fake_file *f;

	if (begin())
		return -1;
	f = of_fd(fd);
	len = (size_t)at >= f->len ? 0 : len < f->len - (size_t)at ? len : f->len - (size_t)at;
	memcpy(buf, f->data + at, len);
	end();
	return (ssize_t)len;
}

static ssize_t fake_pwrite(int fd, const void *buf, size_t len, off_t at)
{
	struct fake_file *f;

	if (begin())
		return -1;
	f = of_fd(fd);
	assert_true((size_t)at + len <= FAKE_FILE_LEN);
	if (fake_disk.nr_calls == fake_disk.half_at || fake_disk.nr_calls == fake_disk.cut_at)
		len = (len + 1) / 2;
	memcpy(f->data + at, buf, len);
	if ((size_t)at + len > f->len)
		f->len = (size_t)at + len;
	end();
	return (ssize_t)len;
}

static void keep_file(struct fake_file *f)
{
	memcpy(f->kept, f->data, sizeof(f->kept));
	f->kept_len = f->len;
}

static int fake_fsync(int fd)
{
	struct fake_file *f;

	if (begin())
		return -1;
	f = of_fd(fd);
	if (f)
		keep_file(f);
	else
		memcpy(fake_disk.kept_name, fake_disk.name, sizeof(fake_disk.name));
	end();
	return 0;
}

static void drop_name(struct fake_name *n)
{
	fake_disk.file[n->file].links--;
	memset(n, 0, sizeof(*n));
}

static int fake_renameat(int from_dirfd, const char *from, int to_dirfd, const char *to)
{
	struct fake_name *n, *old;

	if (begin())
		return -1;
	n = find(from);
	assert_non_null(n);
	old = find(to);
	if (old)
		drop_name(old);
	strcpy(n->name, to);
	end();
	return 0;
}

static int fake_unlinkat(int dirfd, const char *path, int flags)
{
	struct fake_name *n;

	if (begin())
		return -1;
	n = find(path);
	if (!n) {
		errno = ENOENT;
		return -1;
	}
	drop_name(n);
	end();
	return 0;
}

static const struct fbk_sys_file fake = {
	.openat = fake_openat,
	.close = fake_close,
	.fstat = fake_fstat,
	.fstatat = fake_fstatat,
	.flock = fake_flock,
	.fallocate = fake_fallocate,
	.pread = fake_pread,
	.pwrite = fake_pwrite,
	.fdatasync = fake_fsync,
	.fsync = fake_fsync,
	.renameat = fake_renameat,
	.unlinkat = fake_unlinkat,
};

/* What a power cut leaves allocated belongs to nobody: it is kept here until the reboot. */
#define BLOCKS 64
static void *block[BLOCKS];

static void *fake_calloc(size_t nr, size_t len)
{
	void **b;

	if (begin())
		return NULL;
	for (b = block; b < block + BLOCKS && *b; b++)
		;
	assert_true(b < block + BLOCKS);
	*b = calloc(nr, len);
	assert_non_null(*b);
	fake_disk.nr_allocs++;
	return *b;
}

static void fake_free(void *p)
{
	void **b;

	if (!p)
		return;
	for (b = block; b < block + BLOCKS && *b != p; b++)
		;
	assert_true(b < block + BLOCKS);
	*b = NULL;
	free(p);
	fake_disk.nr_allocs--;
}

static int fake_clock(clockid_t clock, struct timespec *ret)
{
	*ret = (struct timespec){ .tv_sec = 1800000000 };
	return 0;
}

static const struct fbk_sys fake_memory = {
	.clock_gettime = fake_clock,
	.calloc = fake_calloc,
	.free = fake_free,
};

static void free_all(void)
{
	void **b;

	for (b = block; b < block + BLOCKS; b++)
		if (*b)
			fake_free(*b);
}

void fake_disk_calm(void)
{
	fake_disk.nr_calls = fake_disk.fail_at = fake_disk.fail_until = fake_disk.half_at = fake_disk.cut_at = 0;
	fake_disk.cut_late = 0;
	fake_disk.on_call = NULL;
}

void fake_disk_install(void)
{
	free_all();
	memset(&fake_disk, 0, sizeof(fake_disk));
	fbk_sys_file = &fake;
	fbk_sys = &fake_memory;
}

void fake_disk_killed(void)
{
	fake_disk_calm();
	free_all();
	memset(fake_disk.fd, 0, sizeof(fake_disk.fd));
}

void fake_disk_reboot(int unsynced)
{
	int i;

	fake_disk_killed();
	for (i = 0; i < FAKE_FILES; i++) {
		if (unsynced) {
			keep_file(&fake_disk.file[i]);
		} else {
			memcpy(fake_disk.file[i].data, fake_disk.file[i].kept, FAKE_FILE_LEN);
			fake_disk.file[i].len = fake_disk.file[i].kept_len;
		}
		fake_disk.file[i].links = 0;
	}
	if (unsynced)
		memcpy(fake_disk.kept_name, fake_disk.name, sizeof(fake_disk.name));
	else
		memcpy(fake_disk.name, fake_disk.kept_name, sizeof(fake_disk.name));
	for (i = 0; i < FAKE_FILES; i++)
		if (*fake_disk.name[i].name)
			fake_disk.file[fake_disk.name[i].file].links++;
	for (i = 0; i < FAKE_FILES; i++)
		fake_disk.file[i].used = fake_disk.file[i].links > 0;
}

struct fake_file *fake_disk_file(const char *name)
{
	struct fake_name *n = find(name);

	return n ? &fake_disk.file[n->file] : NULL;
}

struct fake_file *fake_disk_make(const char *name)
{
	struct fake_name *n = find(name);

	return &fake_disk.file[(n ? n : make(name))->file];
}

void fake_disk_sync(void)
{
	int i;

	for (i = 0; i < FAKE_FILES; i++)
		keep_file(&fake_disk.file[i]);
	memcpy(fake_disk.kept_name, fake_disk.name, sizeof(fake_disk.name));
}
