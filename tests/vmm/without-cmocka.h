/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * without-cmocka.h - as much of cmocka as a test uses that also runs where there is none: in the lab. The first failure is the end.
 */
#ifndef FBK_TESTS_WITHOUT_CMOCKA_H
#define FBK_TESTS_WITHOUT_CMOCKA_H

#include <stdio.h>
#include <stdlib.h>

struct CMUnitTest {
	const char *name;
	void (*fn)(void **state);
};

#define cmocka_unit_test(f) { #f, f }
#define fail_msg(...)                          \
	do {                                   \
		printf("# " __VA_ARGS__);      \
		printf("\n");                  \
		exit(1);                       \
	} while (0)
#define assert_true(c)                                                            \
	do {                                                                      \
		if (!(c))                                                         \
			fail_msg("%s:%d: not so: %s", __FILE__, __LINE__, #c);    \
	} while (0)
#define assert_int_equal(a, b) assert_true((a) == (b))
#define assert_null(p) assert_true(!(p))
#define cmocka_run_group_tests(tests, setup, teardown) run_tests(tests, sizeof(tests) / sizeof((tests)[0]))

static int run_tests(const struct CMUnitTest *test, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		test[i].fn(NULL);
		printf("ok %zu - %s\n", i + 1, test[i].name);
	}
	printf("1..%zu\n", nr);
	return 0;
}

#endif
