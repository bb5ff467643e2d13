/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * calendar.c - nanoseconds since 1970 as a civil date and time, UTC.
 */
#include "calendar.h"

#define DAYS_OF_400_YEARS 146097

/* Days from 1 January 1970 to 1 January of that year. */
static uint32_t days_before_year(uint32_t year)
{
	uint32_t y = year - 1;

	/* 477 leap days lie before 1970. */
	return 365 * (year - 1970) + y / 4 - y / 100 + y / 400 - 477;
}

static uint32_t leap(uint32_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1 January to the first of the month, month 0 to 12. */
static uint32_t days_before_month(uint32_t month, uint32_t year)
{
	static const uint16_t days[13] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };

	return days[month] + (month > 1 ? leap(year) : 0);
}

void fbk_calendar_from_ns(uint64_t time_ns, struct fbk_calendar *ret)
{
	uint64_t seconds = time_ns / 1000000000;
	uint32_t days = (uint32_t)(seconds / 86400);
	uint32_t rest = (uint32_t)(seconds % 86400);
	/* The mean length of a year is off by less than a year over all of 64 bits' 584 years; likewise months of 31 days. */
	uint32_t year = 1970 + (uint32_t)((uint64_t)days * 400 / DAYS_OF_400_YEARS);
	uint32_t month;

	if (days_before_year(year + 1) <= days)
		year++;
	else if (days_before_year(year) > days)
		year--;
	days -= days_before_year(year);
	month = days / 31;
	if (days_before_month(month + 1, year) <= days)
		month++;

	ret->year = year;
	ret->month = month + 1;
	ret->day = days - days_before_month(month, year) + 1;
	ret->hour = rest / 3600;
	ret->minute = rest / 60 % 60;
	ret->second = rest % 60;
	ret->ns = (uint32_t)(time_ns % 1000000000);
}
