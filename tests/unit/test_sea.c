/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_sea.c - every class and code, every flag of both layouts, what is no external abort.
 */
#include "test.h"

#include <firebreak/sea.h>

#include <errno.h>
#include <string.h>

#define EC(ec) ((uint64_t)(ec) << 26)
#define IL (UINT64_C(1) << 25)
#define GVA 0xffff800012345678
#define GPA 0x40010000

static const struct {
	uint32_t fsc;
	uint32_t flags;
	int level;
} codes[] = {
	{ 0x10, FBK_SEA_HAS_SET, 0 },
	{ 0x13, FBK_SEA_ON_WALK, -1 },
	{ 0x14, FBK_SEA_ON_WALK, 0 },
	{ 0x15, FBK_SEA_ON_WALK, 1 },
	{ 0x16, FBK_SEA_ON_WALK, 2 },
	{ 0x17, FBK_SEA_ON_WALK, 3 },
	{ 0x18, FBK_SEA_PARITY, 0 },
	{ 0x1b, FBK_SEA_PARITY | FBK_SEA_ON_WALK, -1 },
	{ 0x1c, FBK_SEA_PARITY | FBK_SEA_ON_WALK, 0 },
	{ 0x1d, FBK_SEA_PARITY | FBK_SEA_ON_WALK, 1 },
	{ 0x1e, FBK_SEA_PARITY | FBK_SEA_ON_WALK, 2 },
	{ 0x1f, FBK_SEA_PARITY | FBK_SEA_ON_WALK, 3 },
};

static const struct {
	uint32_t ec;
	enum fbk_abort_kind kind;
	uint32_t flags;
} classes[] = {
	{ 0x20, FBK_ABORT_INSTRUCTION, 0 },
	{ 0x21, FBK_ABORT_INSTRUCTION, FBK_SEA_SAME_EL },
	{ 0x24, FBK_ABORT_DATA, 0 },
	{ 0x25, FBK_ABORT_DATA, FBK_SEA_SAME_EL },
};

static struct fbk_sea_exit mainline(uint64_t flags, uint64_t esr)
{
	return (struct fbk_sea_exit){ .abi = FBK_ABI_MAINLINE, .flags = flags, .esr = esr, .gva = GVA, .gpa = GPA };
}

/* All 64 classes times all 64 codes: exactly the listed ones are external aborts. */
static void every_class_and_code(void **state)
{
	uint32_t ec, fsc;
	size_t i, k;

	for (ec = 0; ec < 64; ec++) {
		for (fsc = 0; fsc < 64; fsc++) {
			struct fbk_sea_exit in = mainline(1, EC(ec) | IL | fsc);
			struct fbk_abort a;
			int known = 0, err;

			memset(&a, 0x5a, sizeof(a));
			err = fbk_sea_decode(&in, &a);
			for (i = 0; i < ARRAY_SIZE(classes); i++) {
				for (k = 0; k < ARRAY_SIZE(codes); k++) {
					if (classes[i].ec != ec || codes[k].fsc != fsc)
						continue;
					known = 1;
					assert_int_equal(err, 0);
					assert_int_equal(a.kind, classes[i].kind);
					assert_int_equal(a.flags, FBK_SEA_HAS_ESR | FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA |
									  classes[i].flags | codes[k].flags);
					assert_int_equal(a.walk_level, codes[k].level);
					assert_int_equal(a.esr, in.esr);
					assert_int_equal(a.gva.addr, GVA);
					assert_int_equal(a.gpa.addr, GPA);
				}
			}
			if (!known) {
				struct fbk_abort untouched;

				memset(&untouched, 0x5a, sizeof(untouched));
				assert_int_equal(err, -EBADMSG);
				assert_memory_equal(&a, &untouched, sizeof(a));
			}
		}
	}
}

/* The exits that were seen on real kernels, row by row. */
static void seen_exits(void **state)
{
	static const struct {
		uint64_t flags, esr;
		enum fbk_abort_kind kind;
		uint32_t want;
		int level;
	} rows[] = {
		{ 1, 0x92000010, FBK_ABORT_DATA, FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA | FBK_SEA_HAS_SET, 0 },
		{ 1, 0x92000210, FBK_ABORT_DATA, FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA | FBK_SEA_HAS_SET | FBK_SEA_EA, 0 },
		{ 1, 0x92000050, FBK_ABORT_DATA, FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA | FBK_SEA_HAS_SET | FBK_SEA_WRITE, 0 },
		{ 1, 0x82000010, FBK_ABORT_INSTRUCTION, FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA | FBK_SEA_HAS_SET, 0 },
		{ 0, 0x92000016, FBK_ABORT_DATA, FBK_SEA_HAS_GVA | FBK_SEA_ON_WALK, 2 },
		{ 0, 0x82000016, FBK_ABORT_INSTRUCTION, FBK_SEA_HAS_GVA | FBK_SEA_ON_WALK, 2 },
		{ 0, 0x92000156, FBK_ABORT_DATA, FBK_SEA_HAS_GVA | FBK_SEA_ON_WALK | FBK_SEA_CM | FBK_SEA_WRITE, 2 },
		{ 0, 0x92000410, FBK_ABORT_DATA, FBK_SEA_HAS_SET, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_sea_exit in = mainline(rows[i].flags, rows[i].esr);
		struct fbk_abort a;

		assert_int_equal(fbk_sea_decode(&in, &a), 0);
		assert_int_equal(a.kind, rows[i].kind);
		assert_int_equal(a.flags, rows[i].want | FBK_SEA_HAS_ESR);
		assert_int_equal(a.walk_level, rows[i].level);
		assert_int_equal(a.gva.addr, rows[i].want & FBK_SEA_HAS_GVA ? GVA : 0);
		assert_int_equal(a.gpa.addr, rows[i].want & FBK_SEA_HAS_GPA ? GPA : 0);
	}
}

static void address_validity(void **state)
{
	static const struct {
		enum fbk_abi abi;
		uint64_t flags, esr;
		uint32_t want;
	} rows[] = {
		/* mainline: FnV alone decides on the GVA, flag bit 0 on the GPA; our bit 1 repeats FnV */
		{ FBK_ABI_MAINLINE, 0, 0x92000010, FBK_SEA_HAS_GVA },
		{ FBK_ABI_MAINLINE, 1, 0x92000010, FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA },
		{ FBK_ABI_MAINLINE, 3, 0x92000010, FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA },
		{ FBK_ABI_MAINLINE, 0, 0x92000410, 0 },
		{ FBK_ABI_MAINLINE, 1, 0x92000410, FBK_SEA_HAS_GPA },
		{ FBK_ABI_MAINLINE, 2, 0x92000410, 0 },
		{ FBK_ABI_MAINLINE, ~UINT64_C(3), 0x92000410, 0 },
		/* as first proposed: bit 0 is the GVA, bit 1 the GPA */
		{ FBK_ABI_PROPOSED, 0, 0x92000010, 0 },
		{ FBK_ABI_PROPOSED, 1, 0x92000010, FBK_SEA_HAS_GVA },
		{ FBK_ABI_PROPOSED, 2, 0x92000010, FBK_SEA_HAS_GPA },
		{ FBK_ABI_PROPOSED, 3, 0x92000010, FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA },
		{ FBK_ABI_PROPOSED, 3, 0x92000410, FBK_SEA_HAS_GPA },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_sea_exit in = mainline(rows[i].flags, rows[i].esr);
		struct fbk_abort a;

		in.abi = rows[i].abi;
		assert_int_equal(fbk_sea_decode(&in, &a), 0);
		assert_int_equal(a.flags & (FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA), rows[i].want);
	}
}

static void severity_is_stated_by_code_0x10_only(void **state)
{
	uint32_t set;
	size_t k;

	for (set = 0; set < 4; set++) {
		for (k = 0; k < ARRAY_SIZE(codes); k++) {
			struct fbk_sea_exit in = mainline(1, EC(0x24) | IL | set << 11 | codes[k].fsc);
			struct fbk_abort a;

			assert_int_equal(fbk_sea_decode(&in, &a), 0);
			assert_int_equal(a.severity, codes[k].fsc == 0x10 ? set : FBK_SEVERITY_UER);
			assert_int_equal(!!(a.flags & FBK_SEA_HAS_SET), codes[k].fsc == 0x10);
		}
	}
}

static void instruction_aborts_have_no_cm_nor_wnr(void **state)
{
	struct fbk_sea_exit in = mainline(1, 0x82000150);
	struct fbk_abort a;

	assert_int_equal(fbk_sea_decode(&in, &a), 0);
	assert_false(a.flags & (FBK_SEA_CM | FBK_SEA_WRITE));
}

static void both_layouts_are_read(void **state)
{
	unsigned char raw[FBK_SEA_EXIT_LEN + 1];
	const uint64_t words[4] = { 1, 2, 3, 4 };
	struct fbk_sea_exit x;

	memcpy(raw + 1, words, sizeof(words)); /* misaligned on purpose */
	assert_int_equal(fbk_sea_exit_read(FBK_ABI_MAINLINE, raw + 1, &x), 0);
	assert_int_equal(x.flags, 1);
	assert_int_equal(x.esr, 2);
	assert_int_equal(x.gva, 3);
	assert_int_equal(x.gpa, 4);
	assert_int_equal(fbk_sea_exit_read(FBK_ABI_PROPOSED, raw + 1, &x), 0);
	assert_int_equal(x.esr, 1);
	assert_int_equal(x.flags, 2);
	assert_int_equal(x.abi, FBK_ABI_PROPOSED);
	assert_int_equal(fbk_sea_exit_read((enum fbk_abi)7, raw + 1, &x), -EINVAL);
	assert_int_equal(x.abi, FBK_ABI_PROPOSED);
}

static void callers_bugs(void **state)
{
	struct fbk_sea_exit in = mainline(1, 0x92000010);
	struct fbk_abort a;

	assert_int_equal(fbk_sea_decode(NULL, &a), -EINVAL);
	assert_int_equal(fbk_sea_decode(&in, NULL), -EINVAL);
	in.abi = (enum fbk_abi)2;
	assert_int_equal(fbk_sea_decode(&in, &a), -EINVAL);
	assert_int_equal(fbk_sea_exit_read(FBK_ABI_MAINLINE, NULL, &in), -EINVAL);
	assert_int_equal(fbk_sea_poison((struct fbk_gpa){ 0 }, NULL), -EINVAL);
}

static void words(void **state)
{
	assert_string_equal(fbk_sea_status_text(0x10), "synchronous external abort, not on a table walk");
	assert_string_equal(fbk_sea_status_text(0x13), "synchronous external abort on a table walk, level -1");
	assert_string_equal(fbk_sea_status_text(0x1f), "synchronous parity or ECC error on a table walk, level 3");
	assert_string_equal(fbk_sea_status_text(0x11), "not an external abort");
	assert_string_equal(fbk_sea_status_text(0x20), "not an external abort");
	assert_string_equal(fbk_sea_status_text(UINT32_MAX), "not an external abort");
	assert_string_equal(fbk_sea_kind_name(FBK_ABORT_INSTRUCTION), "instruction");
	assert_string_equal(fbk_sea_kind_name((enum fbk_abort_kind)99), "invalid");
	assert_string_equal(fbk_severity_name(FBK_SEVERITY_UC), "uncontainable");
	assert_string_equal(fbk_source_name(FBK_SOURCE_SIGBUS_AO), "sigbus-ao");
	assert_string_equal(fbk_source_name(FBK_NR_SOURCES), "invalid");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_class_and_code),
		cmocka_unit_test(seen_exits),
		cmocka_unit_test(address_validity),
		cmocka_unit_test(severity_is_stated_by_code_0x10_only),
		cmocka_unit_test(instruction_aborts_have_no_cm_nor_wnr),
		cmocka_unit_test(both_layouts_are_read),
		cmocka_unit_test(callers_bugs),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
