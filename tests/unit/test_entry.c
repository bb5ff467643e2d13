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

/* Where the helper is said to suffice, the hardware's syndrome is the one it gives, at either level. */
static void what_the_helper_says(void **state)
{
	static const struct {
		uint64_t esr;
		uint32_t kvm;
		int suffices;
	} rows[] = {
		{ 0x92000010, 0, 1 },
		{ 0x93c08090, 0, 1 },				/* what never reaches EL1 is not missed there */
		{ 0x92000050, 0, 0 },				/* WnR */
		{ 0x92000110, 0, 0 },				/* CM */
		{ 0x92000210, 0, 0 },				/* EA */
		{ 0x92000410, 0, 0 },				/* FnV */
		{ 0x92001810, 0, 0 },				/* SET */
		{ 0x92000016, 0, 0 },				/* a walk */
		{ 0x90000010, 0, 0 },				/* IL of a 16-bit trap */
		{ 0x82000010, 0, 0 },				/* comes out as a data abort */
		{ 0x82000010, FBK_KVM_INJECT_EXT_IABT, 1 },
		{ 0x82000150, FBK_KVM_INJECT_EXT_IABT, 1 },	/* no CM and WnR in instruction aborts */
		{ 0x82000210, FBK_KVM_INJECT_EXT_IABT, 0 },
	};
	struct fbk_abort a;
	uint64_t el0, el1;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_sea_exit in = { .esr = rows[i].esr };
		uint64_t class;

		assert_int_equal(fbk_sea_decode(&in, &a), 0);
		assert_int_equal(fbk_entry_helper_suffices(&a, rows[i].kvm), rows[i].suffices);
		if (!rows[i].suffices)
			continue;
		class = a.kind == FBK_ABORT_INSTRUCTION ? 0x80000000 : 0x90000000;
		assert_int_equal(fbk_entry_esr(&a, 0x0, &el0), 0);
		assert_int_equal(fbk_entry_esr(&a, 0x5, &el1), 0);
		assert_int_equal(el0, class | 0x2000010);
		assert_int_equal(el1, class | 0x6000010);
	}
	assert_int_equal(fbk_sea_poison((struct fbk_gpa){ 0x1000 }, &a), 0);
	assert_int_equal(fbk_entry_helper_suffices(&a, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),
		cmocka_unit_test(syndromes),
		cmocka_unit_test(no_syndrome_no_answer),
		cmocka_unit_test(what_the_helper_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
