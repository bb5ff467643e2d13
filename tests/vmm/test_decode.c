/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_decode.c - numbers and hexadecimal text; and every syndrome in words agrees with what the library makes of it.
 */
#include "test.h"

#include "decode.h"

#include <firebreak/sea.h>

#include <errno.h>
#include <string.h>

static void numbers(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t v;
	} rows[] = {
		{ "0", 0, 0 },
		{ "0x0", 0, 0 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "0xffffffffffffffff", 0, UINT64_MAX },
		{ "0XfF", 0, 255 },
		{ "007", 0, 7 },
		{ "00000000000000000000000000000001", 0, 1 },
		{ "18446744073709551616", -EINVAL, 0 },
		{ "0x10000000000000000", -EINVAL, 0 },
		{ "99999999999999999999999", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "0x", -EINVAL, 0 },
		{ "1f", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "0x0x1", -EINVAL, 0 },
	};
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		v = 42;
		assert_int_equal(fbk_number_parse(rows[i].text, &v), rows[i].r);
		assert_true(v == (rows[i].r ? 42 : rows[i].v));
	}
}

static void hex(void **state)
{
	static const struct {
		const char *text, *bytes;
		long n;
		size_t offset;
	} rows[] = {
		{ "", "", 0, 0 },
		{ "00ff", "\x00\xff", 2, 0 },
		{ " aB\t\r\n 1 0", "", -EBADMSG, 7 },
		{ "aB\n10\n", "\xab\x10", 2, 0 },
		{ "1", "", -EBADMSG, 0 },
		{ "112", "", -EBADMSG, 2 },
		{ "0x11", "0x11", 4, 0 },
		{ "CPER", "CPER", 4, 0 },
	};
	uint8_t buf[32];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t at = 0;

		memcpy(buf, rows[i].text, strlen(rows[i].text));
		assert_int_equal(fbk_hex_unwrap(buf, strlen(rows[i].text), &at), rows[i].n);
		assert_int_equal(at, rows[i].offset);
		if (rows[i].n > 0)
			assert_memory_equal(buf, rows[i].bytes, (size_t)rows[i].n);
	}
}

/* The whole of what an ESR's lower 32 bits can say of class and status, with every other bit set and clear. */
static void words_agree_with_the_library(void **state)
{
	static const uint64_t others[] = { 0, UINT64_C(0x3ffffc0) };

	for (uint64_t ec = 0; ec < 64; ec++) {
		for (uint64_t fsc = 0; fsc < 64; fsc++) {
			for (size_t o = 0; o < ARRAY_SIZE(others); o++) {
				uint64_t esr = ec << 26 | others[o] | fsc;
				struct fbk_sea_exit in = { .esr = esr };
				struct fbk_esr_words w;
				struct fbk_abort a;
				bool sea = fbk_sea_decode(&in, &a) == 0;

				fbk_esr_explain(esr, &w);
				assert_in_range(w.nr, 3, FBK_ESR_MAX_FIELDS);
				/* Beside them are the SError, and level -2 of a walk, which no kernel forwards [K3]. */
				if (ec != 0x2f && fsc != 0x12)
					assert_int_equal(w.external, sea);
				if (sea)
					assert_string_equal(w.summary, fbk_sea_status_text((uint32_t)fsc));
				assert_non_null(w.field[0].spec);
				for (unsigned int i = 0; i < w.nr; i++)
					assert_true(w.field[i].name && w.field[i].meaning && w.field[i].high >= w.field[i].low);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(hex),
		cmocka_unit_test(words_agree_with_the_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
