/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * inject.h - the same abort into the vCPU. fbk_vcpu_sea() does this by itself; here it is for monitors that walk
 * their own road.
 */
#ifndef FIREBREAK_INJECT_H
#define FIREBREAK_INJECT_H

#include <firebreak/sea.h>
#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum fbk_replay_method {
	FBK_REPLAY_NONE = 0,
	FBK_REPLAY_HELPER = 1,	  /* KVM_SET_VCPU_EVENTS, which says everything in this case */
	FBK_REPLAY_CORRECTED = 2, /* the same, then ESR_EL1 (and FAR_EL1) as the hardware would have told it */
	FBK_REPLAY_SERROR = 3,	  /* a pending SError; cannot be taken back */
	FBK_REPLAY_REGISTERS = 4, /* the whole exception entry, by KVM_SET_ONE_REG */
	FBK_REPLAY_SYNDROME = 5,  /* KVM_SET_VCPU_EVENTS with the syndrome: whatever the hardware said */
};

struct kvm_run;

/**
 * fbk_inject_pstate - the interrupted guest's PSTATE
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -EIO the ioctl failed (errno tells).
 * Context: the vCPU's thread, outside KVM_RUN.
 */
FBK_API FBK_MUST_CHECK int fbk_inject_pstate(int vcpu_fd, uint64_t *ret);

/* The exception level that a PSTATE says: 0 or 1. AArch32 counts: user mode is 0. */
FBK_API uint32_t fbk_inject_el(uint64_t pstate);

/**
 * fbk_inject_abort - replay an external abort at the access that made the vCPU exit
 * @run:    the vCPU's, mapped (borrowed); an MMIO access that waits for its completion is dropped
 * @kvm:    FBK_KVM_* bits of kvm.h
 * @a:      the abort (borrowed). One without a syndrome is completed by what the kernel told on the way: kind, gva, walk level
 * @pstate: the guest's, from fbk_inject_pstate(); read again where the kernel refuses a syndrome
 * @ret:    how it was done
 *
 * With the syndrome, where the kernel takes one. Else, and where it refuses this one, by its helper, corrected where that
 * would lose something; by registers where the kernel has no helper, or it injected nothing. The guest is one without an
 * EL2 of its own.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -EOPNOTSUPP the kernel has no helper and the guest's EL1 is AArch32 (no state changed);
 *          -EIO an ioctl failed (errno tells): the vCPU may hold half of the injection and must not be run.
 * Context: the vCPU's thread, after KVM_RUN returned and before it is called again; at most once per exit.
 * Spec:    [K5, K7, V2, V3], [ARM-ARM "AArch64.TakeException"]
 */
FBK_API FBK_MUST_CHECK int fbk_inject_abort(int vcpu_fd, struct kvm_run *run, uint32_t kvm, struct fbk_abort *a,
					    uint64_t pstate, enum fbk_replay_method *ret);

/**
 * fbk_inject_serror - make an SError pending
 * @kvm: FBK_KVM_* bits; with FBK_KVM_INJECT_SERROR_ESR the guest is told "uncontainable"
 * @ret: how it was done
 *
 * Return:  0.
 * Errors:  -EIO the ioctl failed (errno tells).
 * Context: as fbk_inject_abort(). It cannot be cancelled.
 * Spec:    [K6]
 */
FBK_API FBK_MUST_CHECK int fbk_inject_serror(int vcpu_fd, uint32_t kvm, enum fbk_replay_method *ret);

/* One stable word, as in events; "invalid" outside the enumeration. */
FBK_API const char *fbk_replay_name(enum fbk_replay_method method);

FBK_EXTERN_C_END

#endif
