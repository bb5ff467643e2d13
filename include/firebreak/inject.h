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
	FBK_REPLAY_CORRECTED = 2, /* the same, then ESR_EL1 as the hardware would have told it */
	FBK_REPLAY_SERROR = 3,	  /* a pending SError; cannot be taken back */
};

/**
 * fbk_inject_pstate - the interrupted guest's PSTATE
 *
 * Errors:  -EINVAL; -EIO the ioctl failed (errno tells).
 * Context: the vCPU's thread, outside KVM_RUN.
 */
FBK_API FBK_MUST_CHECK int fbk_inject_pstate(int vcpu_fd, uint64_t *ret);

/* The exception level that a PSTATE says: 0 or 1. AArch32 counts: user mode is 0. */
FBK_API uint32_t fbk_inject_el(uint64_t pstate);

/**
 * fbk_inject_abort - replay an external abort at the access that made the vCPU exit
 * @kvm:    FBK_KVM_* bits of kvm.h
 * @a:      the abort (borrowed)
 * @pstate: the guest's, from fbk_inject_pstate()
 * @ret:    how it was done
 *
 * Return:  0.
 * Errors:  -EINVAL; -EOPNOTSUPP the kernel cannot inject an abort; -EIO an ioctl failed (errno tells): the vCPU may hold
 *          half of the injection and must not be run.
 * Context: the vCPU's thread, after KVM_RUN returned and before it is called again.
 * Spec:    [K5, V2, V3]
 */
FBK_API FBK_MUST_CHECK int fbk_inject_abort(int vcpu_fd, uint32_t kvm, const struct fbk_abort *a, uint64_t pstate,
					    enum fbk_replay_method *ret);

/**
 * fbk_inject_serror - make an SError pending
 * @kvm: FBK_KVM_* bits; with FBK_KVM_INJECT_SERROR_ESR the guest is told "uncontainable"
 *
 * Errors:  -EIO the ioctl failed (errno tells).
 * Context: as fbk_inject_abort(). It cannot be cancelled.
 * Spec:    [K6]
 */
FBK_API FBK_MUST_CHECK int fbk_inject_serror(int vcpu_fd, uint32_t kvm, enum fbk_replay_method *ret);

/* One stable word, as in events; "invalid" outside the enumeration. */
FBK_API const char *fbk_replay_name(enum fbk_replay_method method);

FBK_EXTERN_C_END

#endif
