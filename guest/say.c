/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int say_fd = STDERR_FILENO;
static char say_prefix[64];

int fbk_say_open(const char *name)
{
	struct fbk_line l = { 0 };
	int fd = say_fd;

	/* "<0>": a level that the console shows whatever its threshold. */
	fbk_line_text(&l, "<0>");
	fbk_line_text(&l, name);
	fbk_line_text(&l, "[");
	fbk_line_dec(&l, NULL, getpid());
	fbk_line_text(&l, "]: ");
	memcpy(say_prefix, l.text, l.len < sizeof(say_prefix) ? l.len : sizeof(say_prefix) - 1);
	if (say_fd == STDERR_FILENO) {
		fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		say_fd = fd;
	}
	return 0;
}

void fbk_line_start(struct fbk_line *l)
{
	l->len = 0;
	fbk_line_text(l, say_prefix);
}

void fbk_line_text(struct fbk_line *l, const char *text)
{
	while (*text && l->len < sizeof(l->text) - 1)
		l->text[l->len++] = *text++;
}

static void line_key(struct fbk_line *l, const char *key)
{
	if (!key)
		return;
	fbk_line_text(l, " ");
	fbk_line_text(l, key);
	fbk_line_text(l, "=");
}

void fbk_line_hex(struct fbk_line *l, const char *key, uint64_t val)
{
	char digits[19];
	char *p = digits + sizeof(digits);

	*--p = '\0';
	do {
		*--p = "0123456789abcdef"[val & 15];
		val >>= 4;
	} while (val);
	*--p = 'x';
	*--p = '0';
	line_key(l, key);
	fbk_line_text(l, p);
}

void fbk_line_dec(struct fbk_line *l, const char *key, int64_t val)
{
	char digits[22];
	char *p = digits + sizeof(digits);
	uint64_t mag = val < 0 ? -(uint64_t)val : (uint64_t)val;

	*--p = '\0';
	do {
		*--p = (char)('0' + mag % 10);
		mag /= 10;
	} while (mag);
	if (val < 0)
		*--p = '-';
	line_key(l, key);
	fbk_line_text(l, p);
}

void fbk_line_say(struct fbk_line *l)
{
	int saved = errno;

	l->text[l->len++] = '\n';
	/* A record is written whole or not at all; there is nobody to tell of the latter. */
	if (write(say_fd, l->text, l->len) < 0)
		errno = saved;
	errno = saved;
}

void fbk_say(const char *text)
{
	struct fbk_line l;

	fbk_line_start(&l);
	fbk_line_text(&l, text);
	fbk_line_say(&l);
}

void fbk_die(const char *text)
{
	int err = errno;
	struct fbk_line l;

	fbk_line_start(&l);
	fbk_line_text(&l, "BROKEN ");
	fbk_line_text(&l, text);
	fbk_line_text(&l, ": ");
	fbk_line_text(&l, strerror(err));
	fbk_line_say(&l);
	_exit(70);
}
