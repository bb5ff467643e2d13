/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * kvm_uapi.h - the part of KVM's arm64 interface that Debian 12's headers lack or that other architectures' headers
 * spell differently. Layouts are mainline's [KVM-API]; what is ours alone says so.
 *
 * Builds on any architecture: unit tests run the library against a fake kernel on the build machine.
 */
#ifndef FBK_HOST_KVM_UAPI_H
#define FBK_HOST_KVM_UAPI_H

#include <firebreak/kvm.h>

#include <linux/ioctl.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

/* [KVM-API "KVM_CHECK_EXTENSION"] */
#define FBK_CAP_ARM_INJECT_SERROR_ESR 158
#define FBK_CAP_ARM_INJECT_EXT_DABT 178
#define FBK_CAP_ARM_SEA_TO_USER 245

#ifdef KVM_CAP_ARM_INJECT_SERROR_ESR
_Static_assert(FBK_CAP_ARM_INJECT_SERROR_ESR == KVM_CAP_ARM_INJECT_SERROR_ESR, "capability number");
#endif
#ifdef KVM_CAP_ARM_INJECT_EXT_DABT
_Static_assert(FBK_CAP_ARM_INJECT_EXT_DABT == KVM_CAP_ARM_INJECT_EXT_DABT, "capability number");
#endif
#ifdef KVM_CAP_ARM_SEA_TO_USER
_Static_assert(FBK_CAP_ARM_SEA_TO_USER == KVM_CAP_ARM_SEA_TO_USER, "capability number");
#endif
#ifdef KVM_EXIT_ARM_SEA
_Static_assert(FBK_KVM_EXIT_ARM_SEA == KVM_EXIT_ARM_SEA, "exit number");
#endif

#ifdef KVM_EXIT_MEMORY_FAULT
_Static_assert(FBK_KVM_EXIT_MEMORY_FAULT == KVM_EXIT_MEMORY_FAULT, "exit number");
#endif

/* [KVM-API "KVM_EXIT_MEMORY_FAULT"], at the exit union's start */
struct fbk_kvm_memory_fault {
	uint64_t flags;
	uint64_t gpa;
	uint64_t size; /* bytes */
};

/* [KVM-API "KVM_SET_VCPU_EVENTS"], arm64 */
struct fbk_kvm_vcpu_events {
	uint8_t serror_pending;
	uint8_t serror_has_esr;
	uint8_t ext_dabt_pending;
	uint8_t ext_iabt_pending; /* ours: the first pad byte of mainline, with FBK_KVM_CAP_ARM_INJECT_EXT_IABT */
	uint8_t ext_abt_has_esr;  /* ours: the second, with FBK_KVM_CAP_ARM_INJECT_EXT_ABT_ESR */
	uint8_t pad[3];
	uint64_t serror_esr;
	uint64_t ext_abt_esr; /* ours, likewise: the first reserved words */
	uint32_t reserved[10];
};

_Static_assert(sizeof(struct fbk_kvm_vcpu_events) == 64, "size is part of the ioctl number");
_Static_assert(offsetof(struct fbk_kvm_vcpu_events, serror_esr) == 8, "mainline layout");
_Static_assert(offsetof(struct fbk_kvm_vcpu_events, ext_abt_has_esr) == 4, "our series' layout");
_Static_assert(offsetof(struct fbk_kvm_vcpu_events, ext_abt_esr) == 16, "our series' layout");

#define FBK_KVM_SET_VCPU_EVENTS _IOW(KVMIO, 0xa0, struct fbk_kvm_vcpu_events)

_Static_assert(FBK_KVM_SET_VCPU_EVENTS == 0x4040aea0, "arm64's ioctl number");
_Static_assert(KVM_GET_ONE_REG == 0x4010aeab, "one_reg layout");
_Static_assert(KVM_SET_ONE_REG == 0x4010aeac, "one_reg layout");
_Static_assert(KVM_ENABLE_CAP == 0x4068aea3, "enable_cap layout");

/* [KVM-API "KVM_SET_ONE_REG"], arm64: U64 core registers by word offset in struct kvm_regs, and system registers */
#define FBK_REG_CORE_U64(offset) (UINT64_C(0x6030000000100000) | (offset) / 4)
#define FBK_REG_PC FBK_REG_CORE_U64(256)
#define FBK_REG_PSTATE FBK_REG_CORE_U64(264)
#define FBK_REG_ELR_EL1 FBK_REG_CORE_U64(280)
#define FBK_REG_SPSR_EL1 FBK_REG_CORE_U64(288)

#define FBK_REG_SYS(op0, op1, crn, crm, op2) \
	(UINT64_C(0x6030000000130000) | (op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
#define FBK_REG_MIDR_EL1 FBK_REG_SYS(3, 0, 0, 0, 0)
#define FBK_REG_MPIDR_EL1 FBK_REG_SYS(3, 0, 0, 0, 5)
#define FBK_REG_ID_AA64PFR1_EL1 FBK_REG_SYS(3, 0, 0, 4, 1)
#define FBK_REG_SCTLR_EL1 FBK_REG_SYS(3, 0, 1, 0, 0)
#define FBK_REG_SCTLR2_EL1 FBK_REG_SYS(3, 0, 1, 0, 3)
#define FBK_REG_GCSCR_EL1 FBK_REG_SYS(3, 0, 2, 5, 0)
#define FBK_REG_ESR_EL1 FBK_REG_SYS(3, 0, 5, 2, 0)
#define FBK_REG_FAR_EL1 FBK_REG_SYS(3, 0, 6, 0, 0)
#define FBK_REG_VBAR_EL1 FBK_REG_SYS(3, 0, 12, 0, 0)

/* kvm_run's exit union; its members differ by architecture and headers, its place does not. */
#define FBK_KVM_RUN_EXIT_OFFSET 32
_Static_assert(offsetof(struct kvm_run, padding) == FBK_KVM_RUN_EXIT_OFFSET, "kvm_run layout");

#endif
