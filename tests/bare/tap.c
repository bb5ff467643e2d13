// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * See tap.h.
 */
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>

static unsigned int tests_run, tests_failed;

bool ok(bool pass, const char *name, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %u - %s\n", pass ? "" : "not ", ++tests_run, name);
	if (!pass) {
		tests_failed++;
		printf("# ");
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
		printf("\n");
	}
	fflush(stdout);
	return pass;
}

void skip(const char *name, const char *why)
{
	printf("ok %u - %s # SKIP %s\n", ++tests_run, name, why);
}

int tap_end(void)
{
	printf("1..%u\n", tests_run);
	return tests_failed ? 1 : 0;
}
