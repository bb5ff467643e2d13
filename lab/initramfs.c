// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs.h"
#include "options.h"
#include "say.h"
#include "status.h"

#define BUF_LEN 65536

struct fbk_lab_cpio {
	int fd;
	unsigned int ino;
	size_t used; /* of buf */
	unsigned long long len; /* of the archive so far */
	struct fbk_lab_words dirs; /* already there */
	unsigned char buf[BUF_LEN];
};

static void put_flush(struct fbk_lab_cpio *cpio)
{
	size_t done = 0;

	while (done < cpio->used) {
		ssize_t n = write(cpio->fd, cpio->buf + done, cpio->used - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			fbk_lab_die(FBK_LAB_E_SYSTEM, "no memory for the lab's files: %s",
				    strerror(errno));
		done += n;
	}
	cpio->used = 0;
}

static void put(struct fbk_lab_cpio *cpio, const void *data, size_t len)
{
	const unsigned char *p = data;

	cpio->len += len;
	while (len) {
		size_t n = BUF_LEN - cpio->used;

		if (n > len)
			n = len;
		memcpy(cpio->buf + cpio->used, p, n);
		cpio->used += n;
		p += n;
		len -= n;
		if (cpio->used == BUF_LEN)
			put_flush(cpio);
	}
}

static void put_align(struct fbk_lab_cpio *cpio)
{
	put(cpio, "\0\0\0", -cpio->len & 3);
}

/* times are all zero: the same contents give the same archive */
static void put_head(struct fbk_lab_cpio *cpio, const char *path, mode_t mode,
		     unsigned long long size, unsigned int maj, unsigned int min)
{
	char head[111];
	size_t len;

	while (*path == '/')
		path++;
	len = strlen(path) + 1;
	if (size > UINT_MAX)
		fbk_lab_die(FBK_LAB_E_FILE, "'%s' is too big for the lab's initial file system",
			    path);
	cpio->ino++;
	snprintf(head, sizeof(head), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		 cpio->ino, (unsigned int)mode, 0, 0, 1, 0, (unsigned int)size, 0, 0, maj, min,
		 (unsigned int)len, 0);
	put(cpio, head, 110);
	put(cpio, path, len);
	put_align(cpio);
}

struct fbk_lab_cpio *fbk_lab_cpio_new(void)
{
	struct fbk_lab_cpio *cpio = calloc(1, sizeof(*cpio));

	if (!cpio)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "out of memory");
	cpio->fd = memfd_create("lab-initramfs", MFD_CLOEXEC);
	if (cpio->fd < 0)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "no anonymous file for the lab's files: %s",
			    strerror(errno));
	return cpio;
}

static void parents(struct fbk_lab_cpio *cpio, const char *path)
{
	char *slash, *copy = fbk_lab_fmt("%s", path);

	slash = strrchr(copy, '/');
	if (slash && slash != copy) {
		*slash = '\0';
		fbk_lab_cpio_dir(cpio, copy);
	}
	free(copy);
}

void fbk_lab_cpio_dir(struct fbk_lab_cpio *cpio, const char *path)
{
	while (*path == '/')
		path++;
	if (!*path)
		return;
	for (unsigned int i = 0; i < cpio->dirs.n; i++)
		if (!strcmp(cpio->dirs.v[i], path))
			return;
	parents(cpio, path);
	fbk_lab_words_add(&cpio->dirs, fbk_lab_fmt("%s", path));
	put_head(cpio, path, S_IFDIR | 0755, 0, 0, 0);
}

void fbk_lab_cpio_data(struct fbk_lab_cpio *cpio, const char *path, mode_t mode,
		       const void *data, size_t len)
{
	parents(cpio, path);
	put_head(cpio, path, S_IFREG | mode, len, 0, 0);
	put(cpio, data, len);
	put_align(cpio);
}

static void add_link(struct fbk_lab_cpio *cpio, const char *path, const char *target)
{
	parents(cpio, path);
	put_head(cpio, path, S_IFLNK | 0777, strlen(target), 0, 0);
	put(cpio, target, strlen(target));
	put_align(cpio);
}

void fbk_lab_cpio_node(struct fbk_lab_cpio *cpio, const char *path, unsigned int maj,
		       unsigned int min)
{
	parents(cpio, path);
	put_head(cpio, path, S_IFCHR | 0600, 0, maj, min);
}

static void __attribute__((noreturn)) unreadable(const char *from, int err)
{
	fbk_lab_die(FBK_LAB_E_FILE, "cannot read '%s': %s", from, strerror(err));
}

static void add_file(struct fbk_lab_cpio *cpio, const char *from, const char *path, mode_t extra)
{
	unsigned char *buf;
	unsigned long long left;
	struct stat st;
	int fd;

	fd = open(from, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		unreadable(from, errno);
	buf = malloc(BUF_LEN);
	if (!buf)
		unreadable(from, ENOMEM);
	parents(cpio, path);
	put_head(cpio, path, S_IFREG | (st.st_mode & 07777) | extra, st.st_size, 0, 0);
	for (left = st.st_size; left;) {
		ssize_t n = read(fd, buf, left < BUF_LEN ? left : BUF_LEN);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			unreadable(from, errno);
		if (n == 0)
			fbk_lab_die(FBK_LAB_E_FILE, "'%s' shrank while it was read", from);
		put(cpio, buf, n);
		left -= n;
	}
	put_align(cpio);
	free(buf);
	close(fd);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_dir(struct fbk_lab_cpio *cpio, const char *from, const char *path);

static void add_any(struct fbk_lab_cpio *cpio, const char *from, const char *path, int follow)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if ((follow ? stat(from, &st) : lstat(from, &st)) < 0)
		unreadable(from, errno);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		add_file(cpio, from, path, 0);
		break;
	case S_IFDIR:
		add_dir(cpio, from, path);
		break;
	case S_IFLNK:
		n = readlink(from, target, sizeof(target) - 1);
		if (n < 0)
			unreadable(from, errno);
		target[n] = '\0';
		add_link(cpio, path, target);
		break;
	default:
		if (follow)
			fbk_lab_die(FBK_LAB_E_FILE, "'%s' is neither a file nor a folder", from);
		break; /* a socket or the like in a tree: nothing to copy */
	}
}

static void add_dir(struct fbk_lab_cpio *cpio, const char *from, const char *path)
{
	struct dirent **list;
	int n;

	n = scandir(from, &list, NULL, by_name);
	if (n < 0)
		unreadable(from, errno);
	fbk_lab_cpio_dir(cpio, path);
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;

		if (strcmp(name, ".") && strcmp(name, "..")) {
			char *f = fbk_lab_fmt("%s/%s", from, name);
			char *p = fbk_lab_fmt("%s/%s", path, name);

			add_any(cpio, f, p, 0);
			free(f);
			free(p);
		}
		free(list[i]);
	}
	free(list);
}

void fbk_lab_cpio_tree(struct fbk_lab_cpio *cpio, const char *from, const char *path)
{
	add_any(cpio, from, path, 1);
}

void fbk_lab_cpio_program(struct fbk_lab_cpio *cpio, const char *from, const char *path)
{
	add_file(cpio, from, path, 0755);
}

int fbk_lab_cpio_finish(struct fbk_lab_cpio *cpio)
{
	int fd = cpio->fd;

	put_head(cpio, "TRAILER!!!", 0, 0, 0, 0);
	put(cpio, (unsigned char[512]){ 0 }, -cpio->len & 511);
	put_flush(cpio);
	for (unsigned int i = 0; i < cpio->dirs.n; i++)
		free(cpio->dirs.v[i]);
	free(cpio->dirs.v);
	free(cpio);
	return fd;
}
