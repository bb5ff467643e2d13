/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_kvm.c - what is probed is what is asked, and refusals are told apart.
 */
#include "test.h"

#include "fake_kvm.h"

#include <firebreak/kvm.h>

#include <errno.h>

static void probe(void **state)
{
	uint32_t i, bits;

	for (i = 0; i < 32; i++) {
		fake_kvm_install();
		fake_kvm.sea = !!(i & 1);
		fake_kvm.dabt = !!(i & 2);
		fake_kvm.iabt = !!(i & 4);
		fake_kvm.ras = !!(i & 8);
		fake_kvm.abt_esr = !!(i & 16);
		assert_int_equal(fbk_kvm_probe(FAKE_VM_FD, &bits), 0);
		assert_int_equal(bits, i);
	}
	assert_int_equal(fbk_kvm_probe(FAKE_VM_FD, NULL), -EINVAL);
}

static void probe_fails_at_any_call(void **state)
{
	uint32_t n, bits = 0xdead;

	for (n = 1;; n++) {
		int err;

		fake_kvm_install();
		fake_kvm.fail_at = n;
		fake_kvm.fail_errno = EBADF;
		err = fbk_kvm_probe(FAKE_VM_FD, &bits);
		if (!err)
			break;
		assert_int_equal(err, -EIO);
		assert_int_equal(errno, EBADF);
		assert_int_equal(bits, 0xdead);
	}
	assert_int_equal(n, 6);
}

static void enable(void **state)
{
	fake_kvm_install();
	assert_int_equal(fbk_kvm_enable_sea(FAKE_VM_FD), 0);
	assert_int_equal(fake_kvm.enabled_cap, 245);

	fake_kvm_install();
	fake_kvm.sea = 0;
	assert_int_equal(fbk_kvm_enable_sea(FAKE_VM_FD), -EOPNOTSUPP);
	assert_int_equal(fake_kvm.enabled_cap, 0);

	fake_kvm_install();
	fake_kvm.fail_at = 1;
	fake_kvm.fail_errno = EBADF;
	assert_int_equal(fbk_kvm_enable_sea(FAKE_VM_FD), -EIO);
	fake_kvm_install();
	fake_kvm.fail_at = 2;
	fake_kvm.fail_errno = EINVAL;
	assert_int_equal(fbk_kvm_enable_sea(FAKE_VM_FD), -EIO);
	assert_int_equal(errno, EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe),
		cmocka_unit_test(probe_fails_at_any_call),
		cmocka_unit_test(enable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
