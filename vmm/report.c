/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* report.c - see report.h */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_int raw_terminal;

void fbk_say_raw(int raw)
{
	atomic_store(&raw_terminal, raw);
}

static void say(const char *format, va_list ap)
{
	static const char prefix[] = "firebreak: ";
	char line[640];
	int saved = errno, len;

	memcpy(line, prefix, sizeof(prefix));
	len = sizeof(prefix) - 1;
	len += vsnprintf(line + len, sizeof(line) - len - 2, format, ap);
	if (len > (int)sizeof(line) - 3)
		len = sizeof(line) - 3;
	if (atomic_load(&raw_terminal) && isatty(STDERR_FILENO))
		line[len++] = '\r';
	line[len++] = '\n';
	/* Nothing can be done for a standard error that takes no more. */
	if (write(STDERR_FILENO, line, len) < 0)
		errno = saved;
	errno = saved;
}

void fbk_say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(format, ap);
	va_end(ap);
}

void fbk_say_limited(unsigned long long *last_ns, const char *format, ...)
{
	struct timespec ts;
	unsigned long long now;
	va_list ap;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = ts.tv_sec * 1000000000ull + ts.tv_nsec + 1;
	if (*last_ns && now - *last_ns < 1000000000ull)
		return;
	*last_ns = now;
	va_start(ap, format);
	say(format, ap);
	va_end(ap);
}
