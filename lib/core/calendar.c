/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * calendar.c - nanoseconds since 1970 as a civil date and time, UTC.
 */
#include "calendar.h"

static int leap(uint32_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

void fbk_calendar_from_ns(uint64_t time_ns, struct fbk_calendar *ret)
{
	static const uint8_t month_days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint64_t seconds = time_ns / 1000000000;
	uint32_t days = (uint32_t)(seconds / 86400);
	uint32_t rest = (uint32_t)(seconds % 86400);
	uint32_t year, month, len;

	/* Year by year: a few hundred steps at most, 64 bits of nanoseconds end in 2554. */
	for (year = 1970; days >= (len = leap(year) ? 366 : 365); year++)
		days -= len;
	for (month = 0;; month++) {
		len = month_days[month] + (month == 1 && leap(year));
		if (days < len)
			break;
		days -= len;
	}

	ret->year = year;
	ret->month = month + 1;
	ret->day = days + 1;
	ret->hour = rest / 3600;
	ret->minute = rest / 60 % 60;
	ret->second = rest % 60;
	ret->ns = (uint32_t)(time_ns % 1000000000);
}
