/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_inject.c - which ioctls an abort costs, and what the guest's syndrome reads afterwards.
 */
#include "test.h"

#include "fake_kvm.h"

#include <firebreak/inject.h>
#include <firebreak/kvm.h>

#include <errno.h>

#define DABT FBK_KVM_INJECT_EXT_DABT
#define IABT FBK_KVM_INJECT_EXT_IABT

static struct fbk_abort abort_of(uint64_t esr)
{
	struct fbk_sea_exit in = { .flags = 1, .esr = esr };
	struct fbk_abort a;

	assert_int_equal(fbk_sea_decode(&in, &a), 0);
	return a;
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
	} rows[] = {
		{ 0x92000010, DABT, 0x3c5, 1, 0, FBK_REPLAY_HELPER, 0x96000010 },
		{ 0x92000010, DABT, 0x0, 1, 0, FBK_REPLAY_HELPER, 0x92000010 },
		{ 0x92000050, DABT, 0x0, 1, 0, FBK_REPLAY_CORRECTED, 0x92000050 },
		{ 0x92000210, DABT, 0x0, 1, 0, FBK_REPLAY_CORRECTED, 0x92000210 },
		{ 0x92000410, DABT, 0x0, 1, 0, FBK_REPLAY_CORRECTED, 0x92000410 },
		{ 0x92001810, DABT, 0x0, 1, 0, FBK_REPLAY_CORRECTED, 0x92001810 },
		{ 0x92000016, DABT, 0x3c5, 1, 0, FBK_REPLAY_CORRECTED, 0x96000016 },
		/* 6.12 takes IL from the last trap */
		{ 0x90000010, DABT, 0x0, 1, 0, FBK_REPLAY_CORRECTED, 0x92000010 },
		{ 0x82000010, DABT, 0x0, 1, 0, FBK_REPLAY_CORRECTED, 0x82000010 },
		{ 0x82000010, DABT, 0x3c5, 1, 0, FBK_REPLAY_CORRECTED, 0x86000010 },
		{ 0x82000010, DABT | IABT, 0x0, 0, 1, FBK_REPLAY_HELPER, 0x82000010 },
		{ 0x82000010, IABT, 0x0, 0, 1, FBK_REPLAY_HELPER, 0x82000010 },
		{ 0x82000016, DABT | IABT, 0x3c5, 0, 1, FBK_REPLAY_CORRECTED, 0x86000016 },
		{ 0x92000010, DABT | IABT, 0x0, 1, 0, FBK_REPLAY_HELPER, 0x92000010 },
		/* AArch32 user mode under an AArch64 kernel */
		{ 0x92000050, DABT, 0x10, 1, 0, FBK_REPLAY_CORRECTED, 0x92000050 },
		/* a 32-bit kernel keeps its syndrome elsewhere */
		{ 0x92000050, DABT, 0x13, 1, 0, FBK_REPLAY_HELPER, 0x96000010 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_abort a = abort_of(rows[i].esr);
		enum fbk_replay_method method = FBK_REPLAY_NONE;

		fake_kvm_install();
		fake_kvm.iabt = !!(rows[i].kvm & IABT);
		fake_kvm.pstate = rows[i].pstate;
		assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, rows[i].kvm, &a, rows[i].pstate, &method), 0);
		assert_int_equal(method, rows[i].method);
		assert_int_equal(fake_kvm.nr_dabt, rows[i].dabt);
		assert_int_equal(fake_kvm.nr_iabt, rows[i].iabt);
		assert_int_equal(fake_kvm.nr_serror, 0);
		if (rows[i].pstate != 0x10)
			assert_int_equal(fake_kvm.esr_el1, rows[i].guest_esr);
		/* Nothing but what it takes. */
		assert_int_equal(fake_kvm.nr_ioctls, method == FBK_REPLAY_CORRECTED ? 2 : 1);
	}
}

static void unknown_class_goes_by_the_helper(void **state)
{
	enum fbk_replay_method method;
	struct fbk_abort a;

	fake_kvm_install();
	assert_int_equal(fbk_sea_poison((struct fbk_gpa){ 0x1000 }, &a), 0);
	assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, DABT, &a, 0, &method), 0);
	assert_int_equal(method, FBK_REPLAY_HELPER);
	assert_int_equal(fake_kvm.nr_dabt, 1);
	assert_int_equal(fake_kvm.nr_ioctls, 1);
}

static void a_kernel_that_cannot(void **state)
{
	struct fbk_abort data = abort_of(0x92000010), instruction = abort_of(0x82000010);
	enum fbk_replay_method method = FBK_REPLAY_NONE;

	fake_kvm_install();
	assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, 0, &data, 0, &method), -EOPNOTSUPP);
	assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, IABT, &data, 0, &method), -EOPNOTSUPP);
	assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, 0, &instruction, 0, &method), -EOPNOTSUPP);
	assert_int_equal(fake_kvm.nr_ioctls, 0);
	assert_int_equal(method, FBK_REPLAY_NONE);
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

static void every_call_may_fail(void **state)
{
	struct fbk_abort a = abort_of(0x92000050);
	enum fbk_replay_method method = FBK_REPLAY_NONE;
	uint64_t pstate = 7;
	uint32_t n;

	for (n = 1; n <= 2; n++) {
		fake_kvm_install();
		fake_kvm.fail_at = n;
		fake_kvm.fail_errno = EPERM;
		assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, DABT, &a, 0, &method), -EIO);
		assert_int_equal(errno, EPERM);
		assert_int_equal(method, FBK_REPLAY_NONE);
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
	assert_int_equal(fbk_inject_abort(FAKE_VCPU_FD, DABT, NULL, 0, &method), -EINVAL);
	assert_int_equal(fbk_inject_serror(FAKE_VCPU_FD, 0, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aborts),
		cmocka_unit_test(unknown_class_goes_by_the_helper),
		cmocka_unit_test(a_kernel_that_cannot),
		cmocka_unit_test(serrors),
		cmocka_unit_test(every_call_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
