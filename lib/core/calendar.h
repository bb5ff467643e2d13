/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * calendar.h - nanoseconds since 1970 as a civil date and time, UTC.
 */
#ifndef FBK_CORE_CALENDAR_H
#define FBK_CORE_CALENDAR_H

#include <stdint.h>

struct fbk_calendar {
	uint32_t year; /* 1970 to 2554 */
	uint32_t month;
	uint32_t day;
	uint32_t hour;
	uint32_t minute;
	uint32_t second;
	uint32_t ns;
};

void fbk_calendar_from_ns(uint64_t time_ns, struct fbk_calendar *ret);

#endif
