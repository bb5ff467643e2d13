/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* linelog.c - see linelog.h */
#include "linelog.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fbk_linelog_init(struct fbk_linelog *l, int fd)
{
	struct stat st;

	l->fd = fd;
	l->regular = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode);
	l->head = l->len = 0;
	l->lost = 0;
	l->error = 0;
	pthread_mutex_init(&l->lock, NULL);
}

/*
 * The descriptor is perhaps shared with others, who would be surprised if it did not block any more. So it is asked first;
 * it is only asked for what a pipe then has room for.
 */
static bool has_room(const struct fbk_linelog *l, int timeout_ms)
{
	struct pollfd p = { .fd = l->fd, .events = POLLOUT };

	return l->regular || (poll(&p, 1, timeout_ms) > 0 && p.revents);
}

static void lose(struct fbk_linelog *l, uint64_t lines)
{
	__atomic_store_n(&l->lost, l->lost + lines, __ATOMIC_RELAXED);
}

static uint64_t lines_in(const char *s, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += s[i] == '\n';
	return n;
}

/* With the lock held. Return: how many bytes need not be written any more: they are, or nobody takes them. */
static size_t put_now(struct fbk_linelog *l, const char *s, size_t len)
{
	ssize_t n = write(l->fd, s, len);

	if (n >= 0)
		return n;
	if (errno == EINTR || errno == EAGAIN)
		return 0;
	if (!l->error)
		l->error = errno;
	lose(l, lines_in(s, len));
	return len;
}

static void wait_in_line(struct fbk_linelog *l, const char *s, size_t len)
{
	uint32_t at = (l->head + l->len) % FBK_LINELOG_ROOM;
	size_t first = len < FBK_LINELOG_ROOM - at ? len : FBK_LINELOG_ROOM - at;

	memcpy(l->buf + at, s, first);
	memcpy(l->buf, s + first, len - first);
	l->len += len;
}

bool fbk_linelog_put(struct fbk_linelog *l, const char *line, size_t len)
{
	size_t done = 0;
	bool waits;

	if (l->fd < 0 || !len || len > FBK_LINELOG_LINE_MAX)
		return false;
	pthread_mutex_lock(&l->lock);
	if (!l->len && has_room(l, 0))
		done = put_now(l, line, len);
	/* The rest of a line that was begun always finds room: nothing else waits then. */
	if (done < len && len - done <= FBK_LINELOG_ROOM - l->len)
		wait_in_line(l, line + done, len - done);
	else if (done < len)
		lose(l, 1);
	waits = l->len;
	pthread_mutex_unlock(&l->lock);
	return waits;
}

bool fbk_linelog_waits(struct fbk_linelog *l)
{
	bool waits;

	if (l->fd < 0)
		return false;
	pthread_mutex_lock(&l->lock);
	waits = l->len;
	pthread_mutex_unlock(&l->lock);
	return waits;
}

/* One piece of at most what a pipe with room takes, up to the end of a line if there is one. Return: false: not now. */
static bool drain_some(struct fbk_linelog *l, int timeout_ms)
{
	char piece[FBK_LINELOG_LINE_MAX];
	size_t len, done;

	if (!l->len || !has_room(l, timeout_ms))
		return false;
	len = l->len < sizeof(piece) ? l->len : sizeof(piece);
	for (size_t i = 0; i < len; i++)
		piece[i] = l->buf[(l->head + i) % FBK_LINELOG_ROOM];
	for (size_t i = len; i > 0; i--) {
		if (piece[i - 1] == '\n') {
			len = i;
			break;
		}
	}
	done = put_now(l, piece, len);
	l->head = (l->head + done) % FBK_LINELOG_ROOM;
	l->len -= done;
	return done > 0;
}

void fbk_linelog_drain(struct fbk_linelog *l)
{
	if (l->fd < 0)
		return;
	pthread_mutex_lock(&l->lock);
	while (drain_some(l, 0))
		;
	pthread_mutex_unlock(&l->lock);
}

void fbk_linelog_close(struct fbk_linelog *l, int timeout_ms)
{
	if (l->fd < 0)
		return;
	pthread_mutex_lock(&l->lock);
	while (drain_some(l, timeout_ms))
		;
	for (uint32_t i = 0; i < l->len; i++)
		lose(l, l->buf[(l->head + i) % FBK_LINELOG_ROOM] == '\n');
	l->len = 0;
	pthread_mutex_unlock(&l->lock);
}

uint64_t fbk_linelog_lost(const struct fbk_linelog *l)
{
	return __atomic_load_n(&l->lost, __ATOMIC_RELAXED);
}
