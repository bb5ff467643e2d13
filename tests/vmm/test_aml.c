/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_aml.c - encodings against bytes that follow from the specification, and misuse.
 */
#include "test.h"

#include "aml.h"

static uint8_t buf[256];
static struct fbk_aml a;

static void begin(void)
{
	fbk_aml_init(&a, buf, sizeof(buf));
}

#define EXPECT(...)                                                                  \
	do {                                                                         \
		static const uint8_t want[] = { __VA_ARGS__ };                       \
		assert_int_equal(fbk_aml_done(&a), sizeof(want));                    \
		assert_memory_equal(buf, want, sizeof(want));                        \
	} while (0)

static void integers_take_their_shortest_form(void **state)
{
	begin();
	fbk_aml_name_integer(&a, "AAAA", 0);
	fbk_aml_name_integer(&a, "BBBB", 1);
	fbk_aml_name_integer(&a, "CCCC", 0xff);
	fbk_aml_name_integer(&a, "DDDD", 0x100);
	fbk_aml_name_integer(&a, "EEEE", 0x12345678);
	fbk_aml_name_integer(&a, "FFFF", 0x100000000);
	EXPECT(8, 'A', 'A', 'A', 'A', 0, 8, 'B', 'B', 'B', 'B', 1, 8, 'C', 'C', 'C', 'C', 0x0a, 0xff, 8, 'D', 'D', 'D', 'D',
	       0x0b, 0x00, 0x01, 8, 'E', 'E', 'E', 'E', 0x0c, 0x78, 0x56, 0x34, 0x12, 8, 'F', 'F', 'F', 'F', 0x0e, 0, 0, 0,
	       0, 1, 0, 0, 0);
}

static void short_names_are_padded(void **state)
{
	begin();
	fbk_aml_scope(&a, "\\_SB");
	fbk_aml_close(&a);
	EXPECT(0x10, 0x88, 0, 0, '\\', '_', 'S', 'B', '_');
}

static void eisa_identifiers(void **state)
{
	begin();
	fbk_aml_name_eisaid(&a, "_HID", "PNP0C33");
	EXPECT(8, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0c, 0x33);
	begin();
	fbk_aml_name_eisaid(&a, "_HID", "PNP0C3");
	assert_int_equal(fbk_aml_done(&a), -EINVAL);
}

/* The package length counts itself: three bytes and what follows. */
static void package_length_of_a_long_term(void **state)
{
	begin();
	fbk_aml_device(&a, "DEV0");
	for (int i = 0; i < 20; i++)
		fbk_aml_name_integer(&a, "NAME", 0);
	fbk_aml_close(&a);
	assert_int_equal(fbk_aml_done(&a), 2 + 3 + 4 + 120);
	assert_int_equal(buf[2], 0x80 | (127 & 0xf));
	assert_int_equal(buf[3], 127 >> 4);
	assert_int_equal(buf[4], 0);
}

static void resources_end_with_their_tag(void **state)
{
	begin();
	fbk_aml_crs_open(&a);
	fbk_aml_crs_interrupt(&a, 0x22, 1);
	fbk_aml_crs_close(&a);
	EXPECT(8, '_', 'C', 'R', 'S', 0x11, 0x81, 0x01, 0, 0x0b, 11, 0, 0x89, 6, 0, 3, 1, 0x22, 0, 0, 0, 0x79, 0);
}

static void misuse_sticks(void **state)
{
	begin();
	fbk_aml_close(&a);
	fbk_aml_name_integer(&a, "AAAA", 0);
	assert_int_equal(fbk_aml_done(&a), -EINVAL);

	begin();
	fbk_aml_scope(&a, "_SB");
	assert_int_equal(fbk_aml_done(&a), -EINVAL);

	begin();
	fbk_aml_name_integer(&a, "TOOLONG", 0);
	assert_int_equal(fbk_aml_done(&a), -EINVAL);

	begin();
	for (int i = 0; i <= FBK_AML_DEPTH; i++)
		fbk_aml_scope(&a, "_SB");
	assert_int_equal(fbk_aml_done(&a), -EINVAL);
}

static void no_room(void **state)
{
	for (size_t cap = 0; cap < 30; cap++) {
		uint8_t guard[32];

		memset(guard, 0xa5, sizeof(guard));
		fbk_aml_init(&a, guard, cap);
		fbk_aml_device(&a, "DEV0");
		fbk_aml_crs_open(&a);
		fbk_aml_crs_interrupt(&a, 1, 0);
		fbk_aml_crs_close(&a);
		fbk_aml_close(&a);
		assert_int_equal(fbk_aml_done(&a), -ENOSPC);
		assert_int_equal(guard[cap], 0xa5);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_take_their_shortest_form),
		cmocka_unit_test(short_names_are_padded),
		cmocka_unit_test(eisa_identifiers),
		cmocka_unit_test(package_length_of_a_long_term),
		cmocka_unit_test(resources_end_with_their_tag),
		cmocka_unit_test(misuse_sticks),
		cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests_name("vmm-aml", tests, NULL, NULL);
}
