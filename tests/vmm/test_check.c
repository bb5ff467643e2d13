/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_check.c - what `firebreak check` says of each kind of host kernel. What it says of the ways of replay is held against
 * what the library does by tests/contract, on real kernels.
 */
#include "test.h"

#include "check-kvm.h"

#include <firebreak/kvm.h>

#include <stdio.h>
#include <string.h>

#define SEA FBK_KVM_SEA_TO_USER
#define DABT FBK_KVM_INJECT_EXT_DABT
#define IABT FBK_KVM_INJECT_EXT_IABT
#define RAS FBK_KVM_INJECT_SERROR_ESR
#define ESR FBK_KVM_INJECT_EXT_ABT_ESR

static void kernels(void **state)
{
	static const struct {
		const char *kernel;
		uint32_t kvm;
		const char *states; /* of the lines in turn */
		const char *after_sea, *after_sigbus;
	} rows[] = {
		{ "6.12", DABT | RAS, "yes no yes no no no yes ", "there is no such exit: the monitor learns of errors by SIGBUS alone",
		  "helper, for instruction fetches helper-corrected; registers where it did nothing" },
		{ "7.x", SEA | DABT | RAS, "yes yes yes no no yes yes ",
		  "helper where it says everything, else helper-corrected; registers where it did nothing",
		  "helper, for instruction fetches helper-corrected; registers where it did nothing" },
		{ "6.12 or 7.x, patched", SEA | DABT | IABT | RAS | ESR, "yes yes yes yes yes yes yes ",
		  "kernel-syndrome; helper for a 32-bit guest kernel",
		  "helper, for instruction fetches helper-corrected; registers where it did nothing" },
		{ "patched, without RAS", SEA | DABT | IABT | ESR, "no yes yes yes yes yes yes ",
		  "kernel-syndrome; helper for a 32-bit guest kernel",
		  "helper, for instruction fetches helper-corrected; registers where it did nothing" },
		{ "instruction aborts, no syndromes", SEA | DABT | IABT | RAS, "yes yes yes yes no yes yes ",
		  "helper where it says everything, else helper-corrected; registers where it did nothing",
		  "helper, for instruction fetches helper-corrected; registers where it did nothing" },
		{ "syndromes, no instruction aborts", SEA | DABT | RAS | ESR, "yes yes yes no yes yes yes ",
		  "kernel-syndrome; for instruction aborts helper-corrected, registers where it did nothing",
		  "helper, for instruction fetches helper-corrected; registers where it did nothing" },
		{ "before 5.5", 0, "no no no no no no yes ", "there is no such exit: the monitor learns of errors by SIGBUS alone",
		  "registers" },
		{ "no helper", SEA, "no yes no no no yes yes ", "registers", "registers" },
	};
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_check_line lines[FBK_CHECK_KVM_LINES];
		char states[64] = "";

		fbk_check_kvm(rows[i].kvm, lines);
		for (k = 0; k < FBK_CHECK_KVM_LINES; k++) {
			assert_true(strlen(lines[k].what) <= 30 && *lines[k].follows);
			strcat(strcat(states, lines[k].state), " ");
		}
		if (strcmp(states, rows[i].states))
			fail_msg("%s: %s", rows[i].kernel, states);
		assert_string_equal(lines[5].what, "replay after an SEA exit");
		assert_string_equal(lines[5].follows, rows[i].after_sea);
		assert_string_equal(lines[6].what, "replay after SIGBUS");
		assert_string_equal(lines[6].follows, rows[i].after_sigbus);
		assert_int_equal(fbk_check_contains(rows[i].kvm), !!(rows[i].kvm & SEA));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
