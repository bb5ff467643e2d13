/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* listen.c - see listen.h. [unix(7)] */
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16

static int bind_private(int fd, const struct sockaddr_un *at)
{
	mode_t saved = umask(0177);
	int r = bind(fd, (const struct sockaddr *)at, sizeof(*at)) ? -errno : 0;

	umask(saved);
	return r;
}

/* What lies at the path: can it go? Return: 0: it is gone. */
static int remove_stale(const struct sockaddr_un *at)
{
	struct stat st;
	int fd, r;

	if (lstat(at->sun_path, &st))
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *)at, sizeof(*at)) ? -errno : 0;
	close(fd);
	/* A full queue is somebody's, too. */
	if (r != -ECONNREFUSED)
		return !r || r == -EAGAIN ? -EADDRINUSE : r;
	return unlink(at->sun_path) ? -errno : 0;
}

int fbk_listen_open(struct fbk_listen *l, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct stat st;
	int r;

	l->fd = -1;
	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	strcpy(at.sun_path, path);
	r = fbk_place_open(&l->at, path);
	if (r < 0)
		return r;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0) {
		r = -errno;
		fbk_place_close(&l->at);
		return r;
	}
	r = bind_private(l->fd, &at);
	if (r == -EADDRINUSE) {
		r = remove_stale(&at);
		if (!r)
			r = bind_private(l->fd, &at);
	}
	if (!r && (listen(l->fd, BACKLOG) || lstat(path, &st)))
		r = -errno;
	if (r) {
		close(l->fd);
		l->fd = -1;
		fbk_place_close(&l->at);
		return r;
	}
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

void fbk_listen_close(struct fbk_listen *l)
{
	struct stat st;

	if (l->fd < 0)
		return;
	if (!fstatat(l->at.dirfd, l->at.name, &st, AT_SYMLINK_NOFOLLOW) && st.st_dev == l->dev && st.st_ino == l->ino)
		unlinkat(l->at.dirfd, l->at.name, 0);
	fbk_place_close(&l->at);
	close(l->fd);
	l->fd = -1;
}
