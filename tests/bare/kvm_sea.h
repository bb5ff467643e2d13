/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The part of the KVM interface that Debian 12's kernel headers do not have
 * yet: Linux 6.19, mainline's layout ([KVM-API] "KVM_EXIT_ARM_SEA"). Kept apart
 * from the library's own definitions on purpose: these tests judge the kernel
 * and the module, and must not inherit a mistake of ours.
 */
#ifndef TEST_KVM_SEA_H
#define TEST_KVM_SEA_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#define TEST_CAP_ARM_SEA_TO_USER 245
#define TEST_EXIT_ARM_SEA 41
#define TEST_SEA_GPA_VALID (1ULL << 0)
#define TEST_SEA_GVA_VALID (1ULL << 1) /* not mainline's: kernel/linux-* */
#define TEST_ESR_FNV (1ULL << 10)

struct test_kvm_sea {
	uint64_t flags;
	uint64_t esr;
	uint64_t gva;
	uint64_t gpa;
};

/* In struct kvm_run the reason's own part begins where .mmio does. */
static inline const struct test_kvm_sea *test_run_sea(const struct kvm_run *run)
{
	return (const void *)((const char *)run + offsetof(struct kvm_run, mmio));
}

/*
 * Are the flags these of mainline's? A patched kernel says besides that the virtual
 * address is valid: then always where it is, else nowhere.
 */
static inline int test_sea_flags_are(const struct test_kvm_sea *sea, uint64_t want)
{
	static uint64_t gva_flag; /* what this kernel says of a valid address, once known */
	static int known;
	uint64_t gva = sea->flags & TEST_SEA_GVA_VALID;

	if (sea->esr & TEST_ESR_FNV)
		return sea->flags == want;
	if (!known)
		gva_flag = gva;
	known = 1;
	return gva == gva_flag && (sea->flags & ~TEST_SEA_GVA_VALID) == want;
}

#endif
