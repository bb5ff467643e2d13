/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_ghes.c - the area of the error blocks and the table that announces them. The table's bytes: tests/golden/lib.
 */
#include "test.h"

#include <firebreak/ghes.h>

#include <errno.h>
#include <string.h>

static void layout(void **state)
{
	struct fbk_ghes_layout l;
	uint32_t s;

	assert_int_equal(fbk_ghes_layout_init(&l, (struct fbk_gpa){ 0x7fff0000 }), 0);
	for (s = 0; s < FBK_GHES_NR_SOURCES; s++) {
		assert_int_equal(l.source[s].pointer.addr % 8, 0);
		assert_int_equal(l.source[s].ack.addr % 8, 0);
		assert_int_equal(l.source[s].block.addr % FBK_GHES_BLOCK_LEN, 0);
		assert_true(l.source[s].block.addr + FBK_GHES_BLOCK_LEN <= UINT64_C(0x7fff0000) + FBK_GHES_AREA_LEN);
	}
	assert_int_not_equal(l.source[0].block.addr, l.source[1].block.addr);
	assert_int_not_equal(l.source[0].ack.addr, l.source[1].ack.addr);
	assert_int_equal(fbk_ghes_layout_init(&l, (struct fbk_gpa){ 0x7fff1000 }), -EINVAL);
	assert_int_equal(fbk_ghes_layout_init(&l, (struct fbk_gpa){ 0xffffffffffff0000 }), -EINVAL);
	assert_int_equal(fbk_ghes_layout_init(NULL, (struct fbk_gpa){ 0 }), -EINVAL);
}

static void area(void **state)
{
	static unsigned char buf[FBK_GHES_AREA_LEN + 1];
	struct fbk_ghes_layout l;
	uint64_t v;
	uint32_t s;

	assert_int_equal(fbk_ghes_layout_init(&l, (struct fbk_gpa){ 0x10000 }), 0);
	memset(buf, 0xee, sizeof(buf));
	assert_int_equal(fbk_ghes_area_build(&l, buf, sizeof(buf) - 2), -ENOSPC);
	assert_int_equal(buf[0], 0xee);
	assert_int_equal(fbk_ghes_area_build(&l, buf, sizeof(buf)), 0);
	assert_int_equal(buf[FBK_GHES_AREA_LEN], 0xee);
	for (s = 0; s < FBK_GHES_NR_SOURCES; s++) {
		memcpy(&v, buf + l.source[s].pointer.addr - 0x10000, 8);
		assert_int_equal(v, l.source[s].block.addr);
		memcpy(&v, buf + l.source[s].ack.addr - 0x10000, 8);
		assert_int_equal(v, 1);
		memcpy(&v, buf + l.source[s].block.addr - 0x10000, 8);
		assert_int_equal(v, 0);
	}
	l.source[1].ack.addr += 8;
	assert_int_equal(fbk_ghes_area_build(&l, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(fbk_ghes_area_build(NULL, buf, sizeof(buf)), -EINVAL);
}

static void hest_bounds(void **state)
{
	struct fbk_ghes_layout l;
	unsigned char buf[512], sum = 0;
	int len, i;

	assert_int_equal(fbk_ghes_layout_init(&l, (struct fbk_gpa){ 0x10000 }), 0);
	memset(buf, 0xee, sizeof(buf));
	len = fbk_hest_build(&l, "FBREAK", "FBRKHEST", buf, sizeof(buf));
	assert_int_equal(len, 36 + 4 + 2 * 92);
	assert_int_equal(buf[len], 0xee);
	for (i = 0; i < len; i++)
		sum = (unsigned char)(sum + buf[i]);
	assert_int_equal(sum, 0);
	for (i = 0; i < len; i++)
		assert_int_equal(fbk_hest_build(&l, "FBREAK", "FBRKHEST", buf, (size_t)i), -ENOSPC);
	assert_int_equal(fbk_hest_build(NULL, "FBREAK", "FBRKHEST", buf, sizeof(buf)), -EINVAL);
	assert_int_equal(fbk_hest_build(&l, NULL, "FBRKHEST", buf, sizeof(buf)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),
		cmocka_unit_test(area),
		cmocka_unit_test(hest_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
