/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_entry.c - the syndrome the guest reads, by interrupted state.
 */
#include "test.h"

#include "core/entry.h"

#include <errno.h>

static void levels(void **state)
{
	static const struct {
		uint64_t pstate;
		uint32_t el;
		int aarch32;
	} rows[] = {
		{ 0x0, 0, 0 },		   /* EL0t */
		{ 0x60000000, 0, 0 },	   /* with flags */
		{ 0x4, 1, 0 },		   /* EL1t */
		{ 0x3c5, 1, 0 },	   /* EL1h */
		{ 0x10, 0, 1 },		   /* AArch32 user */
		{ 0x600f0030, 0, 1 },	   /* the same in Thumb state */
		{ 0x13, 1, 1 },		   /* AArch32 supervisor */
		{ 0x1f, 1, 1 },		   /* AArch32 system */
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(fbk_entry_el(rows[i].pstate), rows[i].el);
		assert_int_equal(fbk_entry_is_aarch32(rows[i].pstate), rows[i].aarch32);
	}
}

static void syndromes(void **state)
{
	static const struct {
		uint64_t esr, pstate, want;
	} rows[] = {
		{ 0x92000010, 0x3c5, 0x96000010 }, /* load, kernel */
		{ 0x92000010, 0x0, 0x92000010 },   /* load, user */
		{ 0x92000210, 0x3c5, 0x96000210 }, /* EA kept */
		{ 0x92000050, 0x0, 0x92000050 },   /* WnR kept */
		{ 0x82000010, 0x3c5, 0x86000010 }, /* instruction stays instruction */
		{ 0x82000010, 0x0, 0x82000010 },
		{ 0x92000016, 0x0, 0x92000016 },   /* walk level kept */
		{ 0x92000156, 0x5, 0x96000156 },   /* CM kept */
		{ 0x92001810, 0x0, 0x92001810 },   /* SET kept */
		{ 0x92000410, 0x0, 0x92000410 },   /* FnV kept */
		{ 0x90000010, 0x0, 0x92000010 },   /* IL is always 1 */
		{ 0x82000150, 0x0, 0x82000010 },   /* CM and WnR mean nothing for instructions */
		{ 0x93c08090, 0x0, 0x92000010 },   /* ISV, SRT and S1PTW never reach EL1 */
		{ 0x92000010, 0x10, 0x92000010 },  /* AArch32 user under AArch64 EL1 */
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_sea_exit in = { .esr = rows[i].esr };
		struct fbk_abort a;
		uint64_t got;

		assert_int_equal(fbk_sea_decode(&in, &a), 0);
		assert_int_equal(fbk_entry_esr(&a, rows[i].pstate, &got), 0);
		assert_int_equal(got, rows[i].want);
	}
}

static void no_syndrome_no_answer(void **state)
{
	struct fbk_abort a;
	uint64_t got = 7;

	assert_int_equal(fbk_sea_poison((struct fbk_gpa){ 0x1000 }, &a), 0);
	assert_int_equal(fbk_entry_esr(&a, 0, &got), -ENODATA);
	assert_int_equal(got, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),
		cmocka_unit_test(syndromes),
		cmocka_unit_test(no_syndrome_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
