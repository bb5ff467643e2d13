/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * kvm.h - what this host's KVM offers, and switching it on. Capabilities are probed, versions never compared.
 */
#ifndef FIREBREAK_KVM_H
#define FIREBREAK_KVM_H

#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* KVM_EXIT_ARM_SEA: mainline's number [KVM-API "KVM_EXIT_ARM_SEA"]; for monitors built against older headers. */
#define FBK_KVM_EXIT_ARM_SEA 41

/* KVM_EXIT_MEMORY_FAULT [KVM-API "KVM_EXIT_MEMORY_FAULT"], Linux 6.8; likewise. */
#define FBK_KVM_EXIT_MEMORY_FAULT 39

/* KVM_CAP_ARM_INJECT_EXT_IABT: no mainline kernel has it; the number is our series' own, far from mainline's. */
#define FBK_KVM_CAP_ARM_INJECT_EXT_IABT 0x46420001

/* KVM_CAP_ARM_INJECT_EXT_ABT_ESR: likewise; kernels without it refuse an abort's syndrome. */
#define FBK_KVM_CAP_ARM_INJECT_EXT_ABT_ESR 0x46420002

/* What fbk_kvm_probe() finds. */
#define FBK_KVM_SEA_TO_USER (1u << 0)	  /* KVM_CAP_ARM_SEA_TO_USER: guest SEAs can leave the kernel */
#define FBK_KVM_INJECT_EXT_DABT (1u << 1) /* KVM_CAP_ARM_INJECT_EXT_DABT */
#define FBK_KVM_INJECT_EXT_IABT (1u << 2) /* FBK_KVM_CAP_ARM_INJECT_EXT_IABT */
#define FBK_KVM_INJECT_SERROR_ESR (1u << 3) /* KVM_CAP_ARM_INJECT_SERROR_ESR: vCPUs have RAS, SET is told */
#define FBK_KVM_INJECT_EXT_ABT_ESR (1u << 4) /* FBK_KVM_CAP_ARM_INJECT_EXT_ABT_ESR */

/**
 * fbk_kvm_probe - ask a VM what error handling its kernel offers
 * @vm_fd: a KVM VM (borrowed)
 * @ret:   FBK_KVM_* bits
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -EIO the ioctl failed (errno tells).
 * Context: any thread.
 */
FBK_API FBK_MUST_CHECK int fbk_kvm_probe(int vm_fd, uint32_t *ret);

/**
 * fbk_kvm_enable_sea - have guest SEAs leave the kernel as KVM_EXIT_ARM_SEA
 * @vm_fd: a KVM VM (borrowed)
 *
 * Return:  0.
 * Errors:  -EOPNOTSUPP the kernel lacks it; -EIO the kernel refused (errno tells).
 * Context: at VM creation, before the first vCPU runs.
 * Spec:    [K1]
 */
FBK_API FBK_MUST_CHECK int fbk_kvm_enable_sea(int vm_fd);

FBK_EXTERN_C_END

#endif
