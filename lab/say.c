// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "say.h"
#include "status.h"

static void say_va(const char *fmt, va_list ap)
{
	fputs("lab: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void fbk_lab_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_va(fmt, ap);
	va_end(ap);
}

void fbk_lab_die(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_va(fmt, ap);
	va_end(ap);
	exit(status);
}

char *fbk_lab_fmt(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "out of memory");
	va_end(ap);
	return s;
}
