/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* report.c - see report.h */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void fbk_say(const char *format, ...)
{
	static const char prefix[] = "firebreak: ";
	char line[640];
	int saved = errno, len = sizeof(prefix) - 1;
	va_list ap;

	memcpy(line, prefix, sizeof(prefix));
	va_start(ap, format);
	len += vsnprintf(line + len, sizeof(line) - len - 1, format, ap);
	va_end(ap);
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2; /* cut short */
	line[len++] = '\n';
	/* Nothing can be done for a standard error that takes no more. */
	if (write(STDERR_FILENO, line, len) < 0)
		errno = saved;
	errno = saved;
}
