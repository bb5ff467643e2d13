/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * decode-event.c - a file of events, line by line, in words. The file may still be written, or be no file of events at all:
 * what is wrong with a line is told with its number, and the next one is read.
 */
#include "decode.h"
#include "exit.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct lines {
	const char *path;
	uint64_t nr;
	int status;
	size_t len;
	bool too_long; /* what has been read of the line is no use */
	char line[FBK_EVENT_LINE_MAX];
};

static void complain(struct lines *l, const char *why)
{
	fbk_say("decode event %.200s:%llu: %s", strcmp(l->path, "-") ? l->path : "standard input", (unsigned long long)l->nr, why);
	if (l->status == FBK_EXIT_OFF)
		l->status = FBK_EXIT_LACKING;
}

static void end_of_line(struct lines *l)
{
	char why[200];
	int r;

	l->nr++;
	if (l->too_long) {
		snprintf(why, sizeof(why), "longer than %u bytes: no event", FBK_EVENT_LINE_MAX);
		complain(l, why);
	} else {
		r = fbk_event_explain(l->line, l->len, stdout, why, sizeof(why));
		/* One who watches sees it now, and in the order of what is told on standard error. */
		fflush(stdout);
		if (r == -ENOMEM) {
			complain(l, "no memory");
			l->status = FBK_EXIT_HOST;
		} else if (r) {
			complain(l, why);
		}
	}
	l->len = 0;
	l->too_long = false;
}

static void take(struct lines *l, const char *p, size_t n)
{
	for (; n; p++, n--) {
		if (*p == '\n')
			end_of_line(l);
		else if (l->len == sizeof(l->line))
			l->too_long = true;
		else
			l->line[l->len++] = *p;
	}
}

int fbk_decode_event(const char *path)
{
	static struct lines l;
	char buf[4096];
	ssize_t n = 0;
	int fd;

	l = (struct lines){ .path = path };
	fd = fbk_decode_open("event", path);
	if (fd < 0)
		return FBK_EXIT_INPUT;
	/* Nobody reads on: there is nothing left to say. */
	while (!ferror(stdout) && ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0)
			take(&l, buf, (size_t)n);
	if (!ferror(stdout) && n < 0)
		l.status = fbk_decode_refuse("event", path, strerror(errno));
	else if (l.len)
		end_of_line(&l);
	if (fd != STDIN_FILENO)
		close(fd);
	return l.status;
}
