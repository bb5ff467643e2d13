/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_inject.c - by which way an abort goes, which ioctls it costs, and what the guest's registers read afterwards.
 */
#include "test.h"

#include "fake_kvm.h"

#include <firebreak/inject.h>
#include <firebreak/kvm.h>

#include <errno.h>
#include <linux/kvm.h>

#define DABT FBK_KVM_INJECT_EXT_DABT
#define IABT FBK_KVM_INJECT_EXT_IABT
#define ESR FBK_KVM_INJECT_EXT_ABT_ESR

static struct kvm_run run;

static struct fbk_abort abort_of(uint64_t esr)
{
	struct fbk_sea_exit in = { .flags = 1, .esr = esr, .gva = 0x7000018 };
	struct fbk_abort a;

	assert_int_equal(fbk_sea_decode(&in, &a), 0);
	return a;
}

static void levels(void **state)
{
	assert_int_equal(fbk_inject_el(0x0), 0);
	assert_int_equal(fbk_inject_el(0x3c5), 1);
	assert_int_equal(fbk_inject_el(0x10), 0); /* AArch32 user mode */
	assert_int_equal(fbk_inject_el(0x13), 1); /* and supervisor */
}

static void aborts(void **state)
{
	static const struct {
		uint64_t esr;
		uint32_t kvm;
		uint64_t pstate;
		uint32_t dabt, iabt;
		enum fbk_replay_method method;
		uint64_t guest_esr;
		uint32_t more; /* ioctls */
	} rows[] = {
		{ 0x92000010, DABT, 0x3c5, 1, 0, FBK_REPLAY_HELPER, 0x96000010, 0 },
		{ 0x92000010, DABT, 0x0, 1, 0, FBK_REPLAY_HELPER, 0x92000010, 0 },
		{ 0x92000050, DABT, 0x0, 1, 0, FBK_REPLAY_CORRECTED, 0x92000050, 0 },
		{ 0x92000210, DABT, 0x0, 1, 0, FBK_REPLAY_CORRECTED, 0x92000210, 0 },
		{ 0x92000410, DABT, 0x0, 1, 0, FBK_REPLAY_CORRECTED, 0x92000410, 2 },
		{ 0x92001810, DABT, 0x0, 1, 0, FBK_REPLAY_CORRECTED, 0x92001810, 0 },
		{ 0x92000016, DABT, 0x3c5, 1, 0, FBK_REPLAY_CORRECTED, 0x96000016, 2 },
		/* 6.12 takes IL from the last trap */
		{ 0x90000010, DABT, 0x0, 1, 0, FBK_REPLAY_CORRECTED, 0x92000010, 0 },
		{ 0x82000010, DABT, 0x0, 1, 0, FBK_REPLAY_CORRECTED, 0x82000010, 0 },
		{ 0x82000010, DABT, 0x3c5, 1, 0, FBK_REPLAY_CORRECTED, 0x86000010, 0 },
		{ 0x82000010, DABT | IABT, 0x0, 0, 1, FBK_REPLAY_HELPER, 0x82000010, 0 },
		{ 0x82000010, IABT, 0x0, 0, 1, FBK_REPLAY_HELPER, 0x82000010, 0 },
		{ 0x82000016, DABT | IABT, 0x3c5, 0, 1, FBK_REPLAY_CORRECTED, 0x86000016, 2 },
		{ 0x92000010, DABT | IABT, 0x0, 1, 0, FBK_REPLAY_HELPER, 0x92000010, 0 },
		/* AArch32 user mode under an AArch64 kernel */
		{ 0x92000050, DABT, 0x10, 1, 0, FBK_REPLAY_CORRECTED, 0x92000050, 2 },
		/* a 32-bit kernel keeps its syndrome elsewhere */
		{ 0x92000050, DABT, 0x13, 1, 0, FBK_REPLAY_HELPER, 0x96000010, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_abort a = abort_of(rows[i].esr);
		enum fbk_replay_method method = FBK_REPLAY_NONE;

		fake_kvm_install();
		fake_kvm.iabt = !!(rows[i].kvm & IABT);
		fake_kvm.pstate = rows[i].pstate;
		assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, &run, rows[i].kvm, &a, rows[i].pstate, &method), 0);
		assert_int_equal(method, rows[i].method);
		assert_int_equal(fake_kvm.nr_dabt, rows[i].dabt);
		assert_int_equal(fake_kvm.nr_iabt, rows[i].iabt);
		assert_int_equal(fake_kvm.nr_serror, 0);
		assert_int_equal(fake_kvm.esr_el1, rows[i].guest_esr);
		/* Nothing but what it takes; a look at what the helper did costs two more, keeping FAR_EL1 as well. */
		assert_int_equal(fake_kvm.nr_ioctls, (method == FBK_REPLAY_CORRECTED ? 2 : 1) + rows[i].more);
	}
}

/*
 * A kernel that takes the syndrome: one call, whatever the abort and whatever the helper would have done. PSTATE is not
 * looked at: it may be anything.
 */
static void with_the_syndrome(void **state)
{
	static const struct {
		uint64_t esr;
		uint32_t kvm;
		uint64_t pstate;
		uint64_t guest_esr;
	} rows[] = {
		{ 0x92000010, DABT | ESR, 0x0, 0x92000010 },
		{ 0x92000010, DABT | ESR, 0x3c5, 0x96000010 },
		{ 0x92000050, DABT | ESR, 0x10, 0x92000050 },
		{ 0x92000150, DABT | IABT | ESR, 0x3c5, 0x96000150 },
		{ 0x92001a10, DABT | IABT | ESR, 0x0, 0x92001a10 },
		{ 0x92000410, DABT | IABT | ESR, 0x0, 0x92000410 },
		{ 0x92000013, DABT | IABT | ESR, 0x0, 0x92000013 },
		{ 0x9200001f, DABT | IABT | ESR, 0x3c5, 0x9600001f },
		{ 0x93c08010, DABT | IABT | ESR, 0x0, 0x92000010 }, /* ISV is not for EL1 */
		{ 0x82000010, DABT | IABT | ESR, 0x0, 0x82000010 },
		{ 0x82001e10, DABT | IABT | ESR, 0x3c5, 0x86001e10 },
		{ 0x82000157, DABT | IABT | ESR, 0x0, 0x82000017 }, /* no CM and WnR in these */
	};
	size_t i;
	int commits;

	for (i = 0; i < ARRAY_SIZE(rows) * 2; i++) {
		struct fbk_abort a = abort_of(rows[i / 2].esr), before = a;
		enum fbk_replay_method method = FBK_REPLAY_NONE;
		int iabt = a.kind == FBK_ABORT_INSTRUCTION;

		commits = i % 2;
		fake_kvm_install();
		fake_kvm.iabt = fake_kvm.abt_esr = 1;
		fake_kvm.commits = commits;
		fake_kvm.idle = 1;
		fake_kvm.hfar = 0x7000018;
		fake_kvm.far_el1 = 0x1234;
		fake_kvm.pstate = rows[i / 2].pstate;
		run.exit_reason = KVM_EXIT_MMIO;
		assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, &run, rows[i / 2].kvm, &a, 0xdead, &method), 0);
		assert_int_equal(method, FBK_REPLAY_SYNDROME);
		assert_int_equal(fake_kvm.nr_dabt, !iabt);
		assert_int_equal(fake_kvm.nr_iabt, iabt);
		assert_int_equal(fake_kvm.nr_serror + fake_kvm.nr_refused, 0);
		assert_int_equal(fake_kvm.abt_has_esr, 1);
		assert_int_equal(fake_kvm.esr_el1, rows[i / 2].guest_esr);
		assert_int_equal(fake_kvm.far_el1, rows[i / 2].guest_esr & 0x400 ? 0x1234 : 0x7000018);
		assert_int_equal(fake_kvm.nr_ioctls, 1);
		assert_int_equal(run.exit_reason, 0);
		assert_memory_equal(&a, &before, sizeof(a));
	}
}

/*
 * The kernel refuses the syndrome, having changed nothing: one abort all the same, by the way that it would have gone
 * without, from the state that the guest is in rather than the one that was handed in.
 */
static void the_syndrome_is_refused(void **state)
{
	static const struct {
		const char *why;
		uint64_t esr;
		int ras, abt_esr, el1_32bit, idle;
		uint64_t pstate;
		enum fbk_replay_method method;
		uint64_t guest_esr;
	} rows[] = {
		{ "32-bit kernel", 0x92000050, 1, 1, 1, 0, 0x13, FBK_REPLAY_HELPER, 0x210 },
		{ "32-bit kernel, plain", 0x92000010, 1, 1, 1, 0, 0x13, FBK_REPLAY_HELPER, 0x210 },
		{ "32-bit kernel, user mode", 0x92000050, 1, 1, 1, 0, 0x10, FBK_REPLAY_HELPER, 0x210 },
		{ "32-bit kernel, user mode, fetch", 0x82000410, 1, 1, 1, 0, 0x10, FBK_REPLAY_HELPER, 0x210 },
		{ "SET without RAS", 0x92001810, 0, 1, 0, 0, 0, FBK_REPLAY_CORRECTED, 0x92001810 },
		{ "SET without RAS, EL1", 0x92001810, 0, 1, 0, 0, 0x3c5, FBK_REPLAY_CORRECTED, 0x96001810 },
		{ "SET without RAS, fetch", 0x82001810, 0, 1, 0, 0, 0x3c5, FBK_REPLAY_CORRECTED, 0x86001810 },
		{ "SET without RAS, walk, helper idle", 0x92001816, 0, 1, 0, 1, 0x3c5, FBK_REPLAY_REGISTERS, 0x96001816 },
		{ "a kernel that knows no syndrome", 0x92000410, 1, 0, 0, 0, 0, FBK_REPLAY_CORRECTED, 0x92000410 },
		{ "the same, plain", 0x92000010, 1, 0, 0, 0, 0x3c5, FBK_REPLAY_HELPER, 0x96000010 },
		{ "the same, plain fetch", 0x82000010, 1, 0, 0, 0, 0x3c5, FBK_REPLAY_HELPER, 0x86000010 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_abort a = abort_of(rows[i].esr), before = a;
		enum fbk_replay_method method = FBK_REPLAY_NONE;
		int err;

		fake_kvm_install();
		fake_kvm.iabt = 1;
		fake_kvm.ras = rows[i].ras;
		fake_kvm.abt_esr = rows[i].abt_esr;
		fake_kvm.el1_32bit = rows[i].el1_32bit;
		fake_kvm.idle = rows[i].idle;
		fake_kvm.pstate = rows[i].pstate;
		fake_kvm.far_el1 = 0x1234;
		fake_kvm.hfar = 0x7000018;
		run.exit_reason = 41;
		/* As if nobody had read PSTATE. */
		err = fbk_inject_abort(FAKE_VCPU_FD, &run, DABT | IABT | ESR, &a, 0, &method);
		if (err || method != rows[i].method)
			fail_msg("%s: error %d, %s", rows[i].why, err, fbk_replay_name(method));
		assert_int_equal(fake_kvm.nr_refused, 1);
		assert_int_equal(fake_kvm.nr_dabt + fake_kvm.nr_iabt, 1);
		assert_int_equal(fake_kvm.abt_has_esr, 0);
		assert_int_equal(fake_kvm.esr_el1, rows[i].guest_esr);
		if (!rows[i].el1_32bit)
			assert_int_equal(fake_kvm.far_el1, rows[i].guest_esr & 0x400 ? 0x1234 : 0x7000018);
		assert_int_equal(run.exit_reason, 41);
		assert_memory_equal(&a, &before, sizeof(a));
	}
}

/* SIGBUS: the helper tells the rest of the story. */
static void what_sigbus_leaves_open(void **state)
{
	static const struct {
		uint64_t pc, pstate, far;
		uint32_t fsc;
		int commits;
		enum fbk_abort_kind kind;
		uint32_t walk;
		int32_t walk_level;
		enum fbk_replay_method method;
		uint64_t guest_esr;
	} rows[] = {
		{ 0x401000, 0x0, 0x7000018, 0x10, 0, FBK_ABORT_DATA, 0, 0, FBK_REPLAY_HELPER, 0x92000010 },
		{ 0x401000, 0x0, 0x7000018, 0x10, 1, FBK_ABORT_DATA, 0, 0, FBK_REPLAY_HELPER, 0x92000010 },
		{ 0x401000, 0x3c5, 0x7000018, 0x10, 1, FBK_ABORT_DATA, 0, 0, FBK_REPLAY_HELPER, 0x96000010 },
		{ 0x401000, 0x0, 0x401000, 0x10, 0, FBK_ABORT_INSTRUCTION, 0, 0, FBK_REPLAY_CORRECTED, 0x82000010 },
		{ 0x401000, 0x3c5, 0x401000, 0x10, 1, FBK_ABORT_INSTRUCTION, 0, 0, FBK_REPLAY_CORRECTED, 0x86000010 },
		{ 0x400ffe, 0x30, 0x401000, 0x10, 0, FBK_ABORT_INSTRUCTION, 0, 0, FBK_REPLAY_CORRECTED, 0x82000010 },
		/* a table's page is lost: 7.x finds the level */
		{ 0x401000, 0x0, 0x7000018, 0x16, 1, FBK_ABORT_DATA, FBK_SEA_ON_WALK, 2, FBK_REPLAY_HELPER, 0x92000016 },
		{ 0x401000, 0x0, 0x401000, 0x13, 1, FBK_ABORT_INSTRUCTION, FBK_SEA_ON_WALK, -1, FBK_REPLAY_CORRECTED,
		  0x82000013 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		enum fbk_replay_method method;
		struct fbk_abort a;

		fake_kvm_install();
		fake_kvm.pc = rows[i].pc;
		fake_kvm.pstate = rows[i].pstate;
		fake_kvm.hfar = rows[i].far;
		fake_kvm.fsc = rows[i].fsc;
		fake_kvm.commits = rows[i].commits;
		fake_kvm.esr_el1 = 0x56000000;
		assert_int_equal(fbk_sea_poison((struct fbk_gpa){ 0x1000 }, &a), 0);
		/* A kernel that takes a syndrome is not given one that nobody knows. */
		fake_kvm.iabt = fake_kvm.abt_esr = 1;
		assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, &run, DABT | IABT | ESR, &a, rows[i].pstate, &method), 0);
		assert_int_equal(fake_kvm.abt_has_esr + (int)fake_kvm.nr_refused, 0);
		assert_int_equal(method, rows[i].method);
		assert_int_equal(fake_kvm.nr_dabt, 1);
		assert_int_equal(fake_kvm.nr_iabt, 0);
		assert_int_equal(fake_kvm.esr_el1, rows[i].guest_esr);
		assert_int_equal(fake_kvm.far_el1, rows[i].far);
		assert_int_equal(a.kind, rows[i].kind);
		assert_int_equal(a.flags, FBK_SEA_HAS_GPA | FBK_SEA_HAS_GVA | rows[i].walk);
		assert_int_equal(a.gva.addr, rows[i].far);
		assert_int_equal(a.walk_level, rows[i].walk_level);
	}
}

/* No address: the helper's FAR_EL1 would be somebody else's. */
static void far_stays_when_there_is_none(void **state)
{
	static const uint32_t kvm[] = { DABT, 0, DABT | ESR };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kvm); i++) {
		struct fbk_abort a = abort_of(0x92000410);
		enum fbk_replay_method method;

		fake_kvm_install();
		fake_kvm.abt_esr = 1;
		fake_kvm.hfar = 0xffff80008bad0000;
		fake_kvm.far_el1 = 0x1234;
		assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, &run, kvm[i], &a, 0, &method), 0);
		assert_int_equal(fake_kvm.far_el1, 0x1234);
		assert_int_equal(fake_kvm.esr_el1, 0x92000410);
	}
}

static void expect_entry(uint64_t pc, uint64_t pstate, uint64_t esr, uint64_t far)
{
	assert_int_equal(fake_kvm.pc, 0xffff800080010000 + (pstate & 0x10 ? 0x600 : pstate & 0xf ? 0x200 : 0x400));
	assert_int_equal(fake_kvm.pstate, (pstate & 0xf1400000) | 0x3c5);
	assert_int_equal(fake_kvm.elr_el1, pc);
	assert_int_equal(fake_kvm.spsr_el1, pstate);
	assert_int_equal(fake_kvm.esr_el1, esr);
	assert_int_equal(fake_kvm.far_el1, far);
}

static void by_registers(void **state)
{
	static const struct {
		const char *why;
		uint64_t esr; /* 0: SIGBUS */
		uint32_t kvm;
		uint64_t pstate;
		int idle;
		uint64_t guest_esr, guest_far;
	} rows[] = {
		{ "no helper", 0x92000050, 0, 0x60000000, 0, 0x92000050, 0x7000018 },
		{ "no helper, EL1", 0x92000210, 0, 0x800003c5, 0, 0x96000210, 0x7000018 },
		{ "no helper, AArch32", 0x92000010, 0, 0x10, 0, 0x92000010, 0x7000018 },
		{ "no helper for data", 0x92000010, IABT, 0, 0, 0x92000010, 0x7000018 },
		{ "no helper, instruction", 0x82000010, 0, 0, 0, 0x82000010, 0x7000018 },
		{ "no helper, SIGBUS", 0, 0, 0, 0, 0x92000410, 0x1234 },
		{ "helper idle, walk", 0x92000016, DABT, 0x3c5, 1, 0x96000016, 0x7000018 },
		{ "helper idle, instruction on a walk", 0x82000017, DABT, 0, 1, 0x82000017, 0x7000018 },
		{ "helper idle, SIGBUS", 0, DABT, 0x3c5, 1, 0x96000410, 0x1234 },
		{ "helper idle, AArch32", 0x92000050, DABT, 0x10, 1, 0x92000050, 0x7000018 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		enum fbk_replay_method method = FBK_REPLAY_NONE;
		struct fbk_abort a;
		int err;

		fake_kvm_install();
		fake_kvm.sctlr_el1 |= 1 << 23;
		fake_kvm.idle = rows[i].idle;
		fake_kvm.pstate = rows[i].pstate;
		fake_kvm.esr_el1 = 0x56000000;
		fake_kvm.far_el1 = 0x1234;
		if (rows[i].esr)
			a = abort_of(rows[i].esr);
		else
			assert_int_equal(fbk_sea_poison((struct fbk_gpa){ 0x1000 }, &a), 0);
		err = fbk_inject_abort(FAKE_VCPU_FD, &run, rows[i].kvm, &a, rows[i].pstate, &method);
		if (err || method != FBK_REPLAY_REGISTERS)
			fail_msg("%s: error %d, %s", rows[i].why, err, fbk_replay_name(method));
		expect_entry(0x400000, rows[i].pstate, rows[i].guest_esr, rows[i].guest_far);
		assert_int_equal(fake_kvm.nr_set_reg, rows[i].idle ? 7 : 6);
	}
}

/* What the guest's ID register announces is looked up, what it does not is not. */
static void by_registers_with_features(void **state)
{
	struct fbk_abort a = abort_of(0x92000010);
	enum fbk_replay_method method;

	fake_kvm_install();
	fake_kvm.pstate = 0x3c5;
	fake_kvm.id_aa64pfr1 = UINT64_C(1) << 56 | UINT64_C(1) << 44;
	fake_kvm.sctlr2_el1 = 0x20;
	fake_kvm.gcscr_el1 = 0x40;
	assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, &run, 0, &a, 0x3c5, &method), 0);
	assert_int_equal(fake_kvm.pc, 0xffff800080010380);
	assert_int_equal(fake_kvm.pstate, 0x4000003c5);
	assert_int_equal(fake_kvm.nr_get_reg, 7);
}

/* An AArch64 KVM may run a 32-bit kernel: its syndrome registers are not ESR_EL1. */
static void a_32_bit_kernel(void **state)
{
	struct fbk_abort a = abort_of(0x92000050), bus;
	enum fbk_replay_method method = FBK_REPLAY_NONE;

	fake_kvm_install();
	fake_kvm.el1_32bit = 1;
	fake_kvm.pstate = 0x10;
	assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, &run, DABT, &a, 0x10, &method), 0);
	assert_int_equal(method, FBK_REPLAY_HELPER);
	assert_int_equal(fake_kvm.esr_el1, 0x210);

	fake_kvm_install();
	fake_kvm.el1_32bit = 1;
	fake_kvm.pstate = 0x13;
	assert_int_equal(fbk_sea_poison((struct fbk_gpa){ 0x1000 }, &bus), 0);
	assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, &run, DABT, &bus, 0x13, &method), 0);
	assert_int_equal(fake_kvm.nr_ioctls, 1);
	assert_int_equal(bus.kind, FBK_ABORT_UNKNOWN);

	fake_kvm_install();
	fake_kvm.pstate = 0x13;
	method = FBK_REPLAY_NONE;
	assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, &run, 0, &a, 0x13, &method), -EOPNOTSUPP);
	assert_int_equal(fake_kvm.nr_ioctls, 0);
	assert_int_equal(method, FBK_REPLAY_NONE);
}

/* The interrupted access must not be completed after the injection. */
static void a_pending_mmio_is_dropped(void **state)
{
	static const uint32_t kvm[] = { DABT, 0 };
	enum fbk_replay_method method;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kvm); i++) {
		struct fbk_abort a;

		fake_kvm_install();
		assert_int_equal(fbk_sea_poison((struct fbk_gpa){ 0x1000 }, &a), 0);
		run.exit_reason = KVM_EXIT_MMIO;
		assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, &run, kvm[i], &a, 0, &method), 0);
		assert_int_equal(run.exit_reason, 0);
		run.exit_reason = 41;
		assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, &run, kvm[i], &a, 0, &method), 0);
		assert_int_equal(run.exit_reason, 41);
	}
}

static void serrors(void **state)
{
	enum fbk_replay_method method;

	fake_kvm_install();
	assert_int_equal(fbk_inject_serror(FAKE_VCPU_FD, FBK_KVM_INJECT_SERROR_ESR, &method), 0);
	assert_int_equal(method, FBK_REPLAY_SERROR);
	assert_int_equal(fake_kvm.nr_serror, 1);
	assert_int_equal(fake_kvm.serror_has_esr, 1);
	assert_int_equal(fake_kvm.serror_esr, 0x11);
	fake_kvm_install();
	assert_int_equal(fbk_inject_serror(FAKE_VCPU_FD, 0, &method), 0);
	assert_int_equal(fake_kvm.serror_has_esr, 0);
	assert_int_equal(fake_kvm.nr_dabt + fake_kvm.nr_iabt, 0);
}

/* On every road; outputs are untouched, and the last call is the one after which it works. */
static void every_call_may_fail(void **state)
{
	static const struct {
		uint64_t esr; /* 0: SIGBUS */
		uint32_t kvm;
		uint64_t pstate, pfr1;
		int idle, refuses;
		uint32_t calls;
	} rows[] = {
		{ 0x92000010, DABT, 0, 0, 0, 0, 1 },
		{ 0x92000050, DABT, 0, 0, 0, 0, 2 },
		{ 0x92000410, DABT, 0, 0, 0, 0, 4 },
		{ 0x92000016, DABT, 0, 0, 0, 0, 4 },
		{ 0, DABT, 0, 0, 0, 0, 5 },
		{ 0x92000010, 0, 0, 0, 0, 0, 11 },
		{ 0x92000010, 0, 0, UINT64_C(1) << 56 | UINT64_C(1) << 44, 0, 0, 13 },
		{ 0x92000016, DABT, 0, 0, 1, 0, 14 },
		{ 0, DABT, 0x3c5, 0, 1, 0, 15 },
		{ 0x92001f50, DABT | ESR, 0, 0, 0, 0, 1 },
		{ 0x92000016, DABT | ESR, 0, 0, 1, 0, 1 },
		/* A refusal costs itself and PSTATE. */
		{ 0x92000010, DABT | ESR, 0, 0, 0, 1, 3 },
		{ 0x92000410, DABT | ESR, 0, 0, 0, 1, 6 },
		{ 0x92000016, DABT | ESR, 0x3c5, 0, 1, 1, 16 },
	};
	struct fbk_abort a = abort_of(0x92000010), before;
	enum fbk_replay_method method = FBK_REPLAY_NONE;
	uint64_t pstate = 7;
	uint32_t n;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (n = 1; n <= rows[i].calls + 1; n++) {
			int err;

			fake_kvm_install();
			fake_kvm.pstate = rows[i].pstate;
			fake_kvm.id_aa64pfr1 = rows[i].pfr1;
			fake_kvm.idle = rows[i].idle;
			fake_kvm.abt_esr = !rows[i].refuses;
			fake_kvm.fail_at = n;
			fake_kvm.fail_errno = EPERM;
			method = FBK_REPLAY_NONE;
			run.exit_reason = KVM_EXIT_MMIO;
			if (rows[i].esr)
				a = abort_of(rows[i].esr);
			else
				assert_int_equal(fbk_sea_poison((struct fbk_gpa){ 0x1000 }, &a), 0);
			before = a;
			err = fbk_inject_abort(FAKE_VCPU_FD, &run, rows[i].kvm, &a, rows[i].pstate, &method);
			if (n > rows[i].calls) {
				assert_int_equal(err, 0);
				assert_int_equal(fake_kvm.nr_calls, rows[i].calls);
				continue;
			}
			assert_int_equal(err, -EIO);
			assert_int_equal(errno, EPERM);
			assert_int_equal(fake_kvm.nr_calls, n);
			assert_int_equal(method, FBK_REPLAY_NONE);
			assert_int_equal(run.exit_reason, KVM_EXIT_MMIO);
			assert_memory_equal(&a, &before, sizeof(a));
		}
	}
	fake_kvm_install();
	fake_kvm.fail_at = 1;
	fake_kvm.fail_errno = EPERM;
	assert_int_equal(fbk_inject_pstate(FAKE_VCPU_FD, &pstate), -EIO);
	assert_int_equal(pstate, 7);
	assert_int_equal(fbk_inject_pstate(FAKE_VCPU_FD, NULL), -EINVAL);
	fake_kvm_install();
	fake_kvm.fail_at = 1;
	assert_int_equal(fbk_inject_serror(FAKE_VCPU_FD, 0, &method), -EIO);
	assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, NULL, DABT, &a, 0, &method), -EINVAL);
	assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, &run, DABT, NULL, 0, &method), -EINVAL);
	assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, &run, DABT, &a, 0, NULL), -EINVAL);
	assert_int_equal(fbk_inject_serror(FAKE_VCPU_FD, 0, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),
		cmocka_unit_test(aborts),
		cmocka_unit_test(with_the_syndrome),
		cmocka_unit_test(the_syndrome_is_refused),
		cmocka_unit_test(what_sigbus_leaves_open),
		cmocka_unit_test(far_stays_when_there_is_none),
		cmocka_unit_test(by_registers),
		cmocka_unit_test(by_registers_with_features),
		cmocka_unit_test(a_32_bit_kernel),
		cmocka_unit_test(a_pending_mmio_is_dropped),
		cmocka_unit_test(serrors),
		cmocka_unit_test(every_call_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
