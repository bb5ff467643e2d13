/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* quiet.c - see quiet.h. [Linux "Documentation/filesystems/proc.rst", /proc/stat] */
#include "quiet.h"

#include <stdio.h>
#include <time.h>

#define WHILE_MS 200
#define BUSY_MS 20
#define WHILES 150
#define TICK_MS 10 /* of /proc/stat */

/* What all processors have been idle for so far, or -1. */
static long idle_ms(void)
{
	FILE *f = fopen("/proc/stat", "re");
	long idle = -1;

	if (!f)
		return -1;
	if (fscanf(f, "cpu %*d %*d %*d %ld", &idle) != 1)
		idle = -1;
	fclose(f);
	return idle < 0 ? -1 : idle * TICK_MS;
}

bool quiet_wait(void)
{
	const struct timespec ts = { .tv_nsec = WHILE_MS * 1000000 };

	for (int i = 0; i < WHILES; i++) {
		long before = idle_ms();

		if (before < 0 || nanosleep(&ts, NULL))
			return false;
		if (idle_ms() - before >= WHILE_MS - BUSY_MS)
			return true;
	}
	return false;
}
