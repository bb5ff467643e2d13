/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_cursor.c - fields land little-endian, and nothing is written beyond the end.
 */
#include "test.h"

#include "core/cursor.h"

#include <errno.h>
#include <string.h>

static void fields_are_little_endian(void **state)
{
	static const uint8_t want[] = { 0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f, 0x0e, 0x0d, 0x0c, 0x0b,
					0x0a, 0x09, 0x08, 'a',  'b',  0,    0 };
	uint8_t buf[sizeof(want)];
	struct fbk_cursor c;

	memset(buf, 0xff, sizeof(buf));
	fbk_cursor_init(&c, buf, sizeof(buf));
	fbk_cursor_u8(&c, 0x01);
	fbk_cursor_le16(&c, 0x0203);
	fbk_cursor_le32(&c, 0x04050607);
	fbk_cursor_le64(&c, 0x08090a0b0c0d0e0f);
	fbk_cursor_bytes(&c, "ab", 2);
	fbk_cursor_zeros(&c, 2);
	assert_int_equal(fbk_cursor_end(&c), sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

static void every_length_stops_in_time(void **state)
{
	uint8_t buf[32];
	struct fbk_cursor c;
	size_t len, i;

	for (len = 0; len < 19; len++) {
		memset(buf, 0xee, sizeof(buf));
		fbk_cursor_init(&c, buf, len);
		fbk_cursor_u8(&c, 1);
		fbk_cursor_le16(&c, 1);
		fbk_cursor_le32(&c, 1);
		fbk_cursor_le64(&c, 1);
		fbk_cursor_bytes(&c, "ab", 2);
		fbk_cursor_zeros(&c, 2);
		assert_int_equal(fbk_cursor_end(&c), -ENOSPC);
		for (i = len; i < sizeof(buf); i++)
			assert_int_equal(buf[i], 0xee);
	}
}

static void after_a_failure_nothing_is_written(void **state)
{
	uint8_t buf[4] = { 9, 9, 9, 9 };
	struct fbk_cursor c;

	fbk_cursor_init(&c, buf, sizeof(buf));
	fbk_cursor_le64(&c, 1);
	fbk_cursor_u8(&c, 1);
	assert_int_equal(fbk_cursor_end(&c), -ENOSPC);
	assert_int_equal(buf[0], 9);
}

static void patches_only_what_was_written(void **state)
{
	uint8_t buf[8] = { 0 };
	struct fbk_cursor c;

	fbk_cursor_init(&c, buf, sizeof(buf));
	fbk_cursor_le32(&c, 0);
	fbk_cursor_patch_u8(&c, 4, 0xaa);
	fbk_cursor_patch_le32(&c, 1, 0xaaaaaaaa);
	assert_int_equal(buf[4], 0);
	assert_int_equal(buf[1], 0);
	fbk_cursor_patch_u8(&c, 3, 0xbb);
	assert_int_equal(buf[3], 0xbb);
	fbk_cursor_patch_le32(&c, 0, 0x11223344);
	assert_int_equal(buf[0], 0x44);
	assert_int_equal(buf[3], 0x11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_little_endian),
		cmocka_unit_test(every_length_stops_in_time),
		cmocka_unit_test(after_a_failure_nothing_is_written),
		cmocka_unit_test(patches_only_what_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
