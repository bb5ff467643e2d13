/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_entry.c - what the guest's registers say at its vector, rule by rule.
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

		assert_int_equal(fbk_sea_decode(&in, &a), 0);
		assert_int_equal(fbk_entry_esr(&a, rows[i].pstate), rows[i].want);
	}
}

/* SIGBUS brings no syndrome: what is known, and FnV for what is not. */
static void no_syndrome(void **state)
{
	static const struct {
		enum fbk_abort_kind kind;
		uint32_t flags;
		int32_t walk_level;
		uint64_t pstate, want;
	} rows[] = {
		{ FBK_ABORT_UNKNOWN, 0, 0, 0x0, 0x92000410 },
		{ FBK_ABORT_UNKNOWN, 0, 0, 0x3c5, 0x96000410 },
		{ FBK_ABORT_UNKNOWN, FBK_SEA_HAS_GVA, 0, 0x0, 0x92000010 },
		{ FBK_ABORT_DATA, FBK_SEA_HAS_GVA, 0, 0x3c5, 0x96000010 },
		{ FBK_ABORT_INSTRUCTION, FBK_SEA_HAS_GVA, 0, 0x0, 0x82000010 },
		{ FBK_ABORT_INSTRUCTION, FBK_SEA_HAS_GVA, 0, 0x3c5, 0x86000010 },
		{ FBK_ABORT_DATA, FBK_SEA_HAS_GVA | FBK_SEA_ON_WALK, 2, 0x3c5, 0x96000016 },
		{ FBK_ABORT_DATA, FBK_SEA_HAS_GVA | FBK_SEA_ON_WALK, -1, 0x3c5, 0x96000013 },
		{ FBK_ABORT_INSTRUCTION, FBK_SEA_HAS_GVA | FBK_SEA_ON_WALK, 3, 0x0, 0x82000017 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_abort a = { .kind = rows[i].kind, .flags = rows[i].flags, .walk_level = rows[i].walk_level };

		assert_int_equal(fbk_entry_esr(&a, rows[i].pstate), rows[i].want);
	}
}

static void fetches(void **state)
{
	static const struct {
		uint64_t far, pc, pstate;
		int fetch;
	} rows[] = {
		{ 0x401000, 0x401000, 0x0, 1 },
		{ 0x401000, 0x401004, 0x0, 0 },
		{ 0x401002, 0x401000, 0x0, 0 },	 /* A64: no such fetch */
		{ 0x401002, 0x401000, 0x10, 0 }, /* A32: neither */
		{ 0x401000, 0x400ffe, 0x30, 1 }, /* T32: second half on the next page */
		{ 0x400ffe, 0x400ffe, 0x30, 1 },
		{ 0x401002, 0x400ffe, 0x30, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(fbk_entry_is_fetch(rows[i].far, rows[i].pc, rows[i].pstate), rows[i].fetch);
}

#define VBAR UINT64_C(0xffff800080010000)
#define NZCV 0xf0000000
#define TCO 0x2000000
#define DIT 0x1000000
#define UAO 0x800000
#define PAN 0x400000
#define SS 0x200000
#define IL 0x100000
#define ALLINT 0x2000
#define SSBS 0x1000
#define BTYPE 0xc00
#define SPAN 0x800000
#define DSSBS (UINT64_C(1) << 44)
#define SPINTMASK (UINT64_C(1) << 62)
#define EASE 0x20
#define EXLOCKEN 0x40
#define EXLOCK (UINT64_C(1) << 34)
#define MTE (UINT64_C(2) << 8)
#define NMI (UINT64_C(1) << 36)
#define GCS (UINT64_C(1) << 44)
#define DF2 (UINT64_C(1) << 56)

/* One rule a row: each bit of PSTATE in, and out of the registers that decide about it. */
static void entries(void **state)
{
	static const struct {
		const char *rule;
		uint64_t pstate, sctlr, pfr1, sctlr2, gcscr;
		uint64_t offset, pstate_after;
	} rows[] = {
		{ "EL1h", 0x5, SPAN, 0, 0, 0, 0x200, 0x3c5 },
		{ "EL1t", 0x4, SPAN, 0, 0, 0, 0x000, 0x3c5 },
		{ "EL0", 0x0, SPAN, 0, 0, 0, 0x400, 0x3c5 },
		{ "AArch32 EL0", 0x10, SPAN, 0, 0, 0, 0x600, 0x3c5 },
		{ "AArch32 EL0, T32, GE, IT, Q, E", 0x0e0ffe30, SPAN, 0, 0, 0, 0x600, 0x3c5 },
		{ "masks are set, not kept", 0x3c5, SPAN, 0, 0, 0, 0x200, 0x3c5 },
		{ "N", 0x80000005, SPAN, 0, 0, 0, 0x200, 0x800003c5 },
		{ "Z", 0x40000005, SPAN, 0, 0, 0, 0x200, 0x400003c5 },
		{ "C", 0x20000000, SPAN, 0, 0, 0, 0x400, 0x200003c5 },
		{ "V", 0x10000000, SPAN, 0, 0, 0, 0x400, 0x100003c5 },
		{ "NZCV of AArch32", NZCV | 0x10, SPAN, 0, 0, 0, 0x600, NZCV | 0x3c5 },
		{ "DIT stays", DIT | 0x5, SPAN, 0, 0, 0, 0x200, DIT | 0x3c5 },
		{ "DIT of AArch32", DIT | 0x10, SPAN, 0, 0, 0, 0x600, DIT | 0x3c5 },
		{ "PAN stays", PAN | 0x5, SPAN, 0, 0, 0, 0x200, PAN | 0x3c5 },
		{ "PAN by SPAN = 0", 0x5, 0, 0, 0, 0, 0x200, PAN | 0x3c5 },
		{ "PAN by SPAN = 0, from EL0", 0x0, 0, 0, 0, 0, 0x400, PAN | 0x3c5 },
		{ "UAO goes", UAO | 0x5, SPAN, 0, 0, 0, 0x200, 0x3c5 },
		{ "SS goes", SS | 0x0, SPAN, 0, 0, 0, 0x400, 0x3c5 },
		{ "IL goes", IL | 0x5, SPAN, 0, 0, 0, 0x200, 0x3c5 },
		{ "BTYPE goes", BTYPE | 0x0, SPAN, 0, 0, 0, 0x400, 0x3c5 },
		{ "SSBS goes", SSBS | 0x5, SPAN, 0, 0, 0, 0x200, 0x3c5 },
		{ "SSBS by DSSBS", 0x5, SPAN | DSSBS, 0, 0, 0, 0x200, SSBS | 0x3c5 },
		{ "SSBS of AArch32 is UAO's bit, and goes", UAO | 0x10, SPAN, 0, 0, 0, 0x600, 0x3c5 },
		{ "TCO goes without MTE", TCO | 0x5, SPAN, 0, 0, 0, 0x200, 0x3c5 },
		{ "TCO by MTE", 0x0, SPAN, MTE, 0, 0, 0x400, TCO | 0x3c5 },
		{ "ALLINT goes without NMI", ALLINT | 0x5, SPAN, 0, 0, 0, 0x200, 0x3c5 },
		{ "ALLINT by NMI", 0x5, SPAN, NMI, 0, 0, 0x200, ALLINT | 0x3c5 },
		{ "ALLINT by NMI, SPINTMASK", ALLINT | 0x5, SPAN | SPINTMASK, NMI, 0, 0, 0x200, 0x3c5 },
		{ "EASE, EL1h", 0x5, SPAN, DF2, EASE, 0, 0x380, 0x3c5 },
		{ "EASE, EL1t", 0x4, SPAN, DF2, EASE, 0, 0x180, 0x3c5 },
		{ "EASE, EL0", 0x0, SPAN, DF2, EASE, 0, 0x580, 0x3c5 },
		{ "EASE, AArch32 EL0", 0x10, SPAN, DF2, EASE, 0, 0x780, 0x3c5 },
		{ "EASE is 0", 0x5, SPAN, DF2, 0, 0, 0x200, 0x3c5 },
		{ "EASE without FEAT_DoubleFault2", 0x5, SPAN, 0, EASE, 0, 0x200, 0x3c5 },
		{ "EXLOCK at the same level", 0x5, SPAN, GCS, 0, EXLOCKEN, 0x200, EXLOCK | 0x3c5 },
		{ "EXLOCK from EL0", 0x0, SPAN, GCS, 0, EXLOCKEN, 0x400, 0x3c5 },
		{ "EXLOCK not enabled", EXLOCK | 0x5, SPAN, GCS, 0, 0, 0x200, 0x3c5 },
		{ "EXLOCK without GCS", EXLOCK | 0x5, SPAN, 0, 0, EXLOCKEN, 0x200, 0x3c5 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		/* The low bits of VBAR_EL1 are RES0 and no part of the vector. */
		const struct fbk_entry_from from = {
			.pc = 0x401234, .pstate = rows[i].pstate, .far = 7, .vbar = VBAR | 0x7ff, .sctlr = rows[i].sctlr,
			.id_aa64pfr1 = rows[i].pfr1, .sctlr2 = rows[i].sctlr2, .gcscr = rows[i].gcscr,
		};
		struct fbk_sea_exit in = { .esr = 0x92000050, .gva = 0x7000018 };
		struct fbk_entry_to to;
		struct fbk_abort a;

		assert_int_equal(fbk_sea_decode(&in, &a), 0);
		assert_int_equal(fbk_entry_take(&from, &a, &to), 0);
		if (to.pc != VBAR + rows[i].offset || to.pstate != rows[i].pstate_after)
			fail_msg("%s: pc 0x%llx pstate 0x%llx", rows[i].rule, (unsigned long long)to.pc,
				 (unsigned long long)to.pstate);
		assert_int_equal(to.elr, 0x401234);
		assert_int_equal(to.spsr, rows[i].pstate);
		assert_int_equal(to.esr, rows[i].pstate & 0xc ? 0x96000050 : 0x92000050);
		assert_int_equal(to.far, 0x7000018);

		/* FnV: nothing is told that was not known. */
		in.esr |= 0x400;
		assert_int_equal(fbk_sea_decode(&in, &a), 0);
		assert_int_equal(fbk_entry_take(&from, &a, &to), 0);
		assert_int_equal(to.far, 7);
		assert_int_equal(to.esr & 0x400, 0x400);
	}
	assert_int_equal(fbk_entry_needs(0), 0);
	assert_int_equal(fbk_entry_needs(MTE | NMI), 0);
	assert_int_equal(fbk_entry_needs(DF2), FBK_ENTRY_NEEDS_SCTLR2);
	assert_int_equal(fbk_entry_needs(GCS | DF2), FBK_ENTRY_NEEDS_SCTLR2 | FBK_ENTRY_NEEDS_GCSCR);
}

static void not_from_there(void **state)
{
	static const uint64_t pstates[] = { 0x13, 0x17, 0x1b, 0x1f, 0x11, 0x12, 0x1a, 0x8, 0x9, 0xd };
	static const uint64_t possible[] = { 0x0, 0x4, 0x5, 0x10, 0x30, 0x600003c5 };
	const struct fbk_abort a = { .flags = FBK_SEA_HAS_ESR, .esr = 0x92000010 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pstates); i++) {
		const struct fbk_entry_from from = { .pstate = pstates[i] };
		struct fbk_entry_to to = { .pc = 7 };

		assert_int_equal(fbk_entry_possible(pstates[i]), 0);
		assert_int_equal(fbk_entry_take(&from, &a, &to), -EOPNOTSUPP);
		assert_int_equal(to.pc, 7);
	}
	for (i = 0; i < ARRAY_SIZE(possible); i++)
		assert_int_equal(fbk_entry_possible(possible[i]), 1);
}

#define DABT FBK_KVM_INJECT_EXT_DABT
#define IABT FBK_KVM_INJECT_EXT_IABT
#define ESR FBK_KVM_INJECT_EXT_ABT_ESR

/* Where the helper is said to suffice, the hardware's syndrome is the one it gives, at either level. */
static void what_the_helper_says(void **state)
{
	static const struct {
		uint64_t esr;
		uint32_t kvm;
		int suffices;
	} rows[] = {
		{ 0x92000010, DABT, 1 },
		{ 0x92000010, IABT, 0 },			/* no helper for it */
		{ 0x92000010, 0, 0 },
		{ 0x93c08090, DABT, 1 },				/* what never reaches EL1 is not missed there */
		{ 0x92000050, DABT, 0 },				/* WnR */
		{ 0x92000110, DABT, 0 },				/* CM */
		{ 0x92000210, DABT, 0 },				/* EA */
		{ 0x92000410, DABT, 0 },				/* FnV */
		{ 0x92001810, DABT, 0 },				/* SET */
		{ 0x92000016, DABT, 0 },				/* a walk */
		{ 0x90000010, DABT, 0 },				/* IL of a 16-bit trap */
		{ 0x82000010, DABT, 0 },				/* comes out as a data abort */
		{ 0x82000010, IABT, 1 },
		{ 0x82000150, IABT, 1 },	/* no CM and WnR in instruction aborts */
		{ 0x82000210, IABT, 0 },
	};
	struct fbk_abort a;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_sea_exit in = { .esr = rows[i].esr };
		uint64_t class;

		assert_int_equal(fbk_sea_decode(&in, &a), 0);
		assert_int_equal(fbk_entry_helper_suffices(&a, rows[i].kvm), rows[i].suffices);
		if (!rows[i].suffices)
			continue;
		class = a.kind == FBK_ABORT_INSTRUCTION ? 0x80000000 : 0x90000000;
		assert_int_equal(fbk_entry_esr(&a, 0x0), class | 0x2000010);
		assert_int_equal(fbk_entry_esr(&a, 0x5), class | 0x6000010);
	}
	assert_int_equal(fbk_sea_poison((struct fbk_gpa){ 0x1000 }, &a), 0);
	assert_int_equal(fbk_entry_helper_suffices(&a, DABT | IABT), 0);
}

/* Where the kernel is given the syndrome, nothing else of the guest is asked; without one it cannot be. */
static void who_takes_the_syndrome(void **state)
{
	static const struct {
		uint64_t esr; /* 0: SIGBUS */
		uint32_t kvm;
		int takes, suffices;
	} rows[] = {
		{ 0x92000010, DABT, 0, 1 },
		{ 0x92000010, DABT | ESR, 1, 1 },
		{ 0x92001f50, DABT, 0, 0 },
		{ 0x92001f50, DABT | ESR, 1, 1 },
		{ 0x90000016, DABT | IABT | ESR, 1, 1 },
		{ 0x92000050, ESR, 0, 0 }, /* what would be done if it refused? */
		{ 0x92000050, IABT | ESR, 0, 0 },
		{ 0x82000410, DABT | ESR, 0, 0 }, /* it would come out as a data abort */
		{ 0x82000410, IABT | ESR, 0, 0 },
		{ 0x82000410, DABT | IABT, 0, 0 },
		{ 0x82000410, DABT | IABT | ESR, 1, 1 },
		{ 0, DABT | IABT | ESR, 0, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_sea_exit in = { .esr = rows[i].esr };
		struct fbk_abort a;

		if (rows[i].esr)
			assert_int_equal(fbk_sea_decode(&in, &a), 0);
		else
			assert_int_equal(fbk_sea_poison((struct fbk_gpa){ 0x1000 }, &a), 0);
		assert_int_equal(fbk_entry_takes_syndrome(&a, rows[i].kvm), rows[i].takes);
		assert_int_equal(fbk_entry_kernel_suffices(&a, rows[i].kvm), rows[i].suffices);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),
		cmocka_unit_test(syndromes),
		cmocka_unit_test(no_syndrome),
		cmocka_unit_test(fetches),
		cmocka_unit_test(entries),
		cmocka_unit_test(not_from_there),
		cmocka_unit_test(what_the_helper_says),
		cmocka_unit_test(who_takes_the_syndrome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
