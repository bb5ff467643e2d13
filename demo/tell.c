/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
#include "tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct fbk_tell_style fbk_tell_style;

static const char *paint(const char *code)
{
	return fbk_tell_style.colour ? code : "";
}

const char *fbk_bold(void)
{
	return paint("\033[1m");
}

const char *fbk_red(void)
{
	return paint("\033[31m");
}

const char *fbk_green(void)
{
	return paint("\033[32m");
}

const char *fbk_plain(void)
{
	return paint("\033[0m");
}

const char *fbk_margin(void)
{
	return fbk_tell_style.comment ? "# " : "";
}

void fbk_tell(const char *who, const char *fmt, ...)
{
	va_list ap;

	printf("%s  %s%-14s%s ", fbk_margin(), paint("\033[2m"), who, fbk_plain());
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

void fbk_tell_note(const char *text)
{
	fbk_tell("", "%s", text);
}

const char *fbk_words(const char *line)
{
	const char *p = strstr(line, "] ");

	return p ? p + 2 : line;
}
