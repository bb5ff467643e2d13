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

#endif
