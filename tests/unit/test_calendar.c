/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_calendar.c - civil time, judged by the C library's gmtime_r().
 */
#include "test.h"

#include "core/calendar.h"

#include <time.h>

static void check(uint64_t seconds)
{
	struct fbk_calendar got;
	time_t t = (time_t)seconds;
	struct tm want;

	assert_non_null(gmtime_r(&t, &want));
	fbk_calendar_from_ns(seconds * 1000000000 + 123456789, &got);
	assert_int_equal(got.year, want.tm_year + 1900);
	assert_int_equal(got.month, want.tm_mon + 1);
	assert_int_equal(got.day, want.tm_mday);
	assert_int_equal(got.hour, want.tm_hour);
	assert_int_equal(got.minute, want.tm_min);
	assert_int_equal(got.second, want.tm_sec);
	assert_int_equal(got.ns, 123456789);
}

static void agrees_with_the_c_library(void **state)
{
	uint64_t day, max = UINT64_MAX / 1000000000 - 1;

	/* Every day's first and last second until 64 bits of nanoseconds end. */
	for (day = 0; (day + 1) * 86400 - 1 <= max; day += 1) {
		check(day * 86400);
		check(day * 86400 + 86399);
	}
	check(max);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_c_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
