/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * entry.h - what the guest's registers say after it took the abort.
 *
 * Pure: from registers to registers. EL1 is taken to be AArch64 and the guest to have no EL2; fbk_entry_possible() says
 * where a PSTATE already denies that.
 */
#ifndef FBK_CORE_ENTRY_H
#define FBK_CORE_ENTRY_H

#include <firebreak/kvm.h>
#include <firebreak/sea.h>

#include "esr.h"

/*
 * [ARM-ARM "SPSR_EL1", M]: bit 4 is AArch32. Below it user mode is 0 in both, and no privileged mode is: AArch64 has the
 * level in bits 3:2, AArch32's modes start above User.
 */
#define FBK_PSTATE_NRW (UINT64_C(1) << 4)
#define FBK_PSTATE_MODE UINT64_C(0xf)
#define FBK_PSTATE_EL(pstate) ((pstate) >> 2 & 3)

/* The interrupted vCPU. What its ID register does not announce may be 0 and is not looked at. */
struct fbk_entry_from {
	uint64_t pc, pstate;
	uint64_t far, vbar, sctlr; /* of EL1 */
	uint64_t id_aa64pfr1;	   /* as the guest reads it */
	uint64_t sctlr2;	   /* SCTLR2_EL1; FBK_ENTRY_NEEDS_SCTLR2 */
	uint64_t gcscr;		   /* GCSCR_EL1; FBK_ENTRY_NEEDS_GCSCR */
};

/* The same vCPU at its vector; no other register changes. */
struct fbk_entry_to {
	uint64_t pc, pstate;
	uint64_t elr, spsr, esr, far; /* of EL1 */
};

#define FBK_ENTRY_NEEDS_SCTLR2 (1u << 0)
#define FBK_ENTRY_NEEDS_GCSCR (1u << 1)

/* Whether the interrupted state was AArch32. */
static inline int fbk_entry_is_aarch32(uint64_t pstate)
{
	return !!(pstate & FBK_PSTATE_NRW);
}

/* The exception level that a PSTATE says: 0 or 1; AArch32 counts, its user mode is 0. */
static inline uint32_t fbk_entry_el(uint64_t pstate)
{
	return pstate & FBK_PSTATE_MODE ? 1 : 0;
}

/* Whether an abort of this state can be taken to AArch64 EL1: not from AArch32 EL1, nor from EL2. */
static inline int fbk_entry_possible(uint64_t pstate)
{
	return fbk_entry_is_aarch32(pstate) ? fbk_entry_el(pstate) == 0 : FBK_PSTATE_EL(pstate) < 2;
}

/* The part of the syndrome below IL that the guest is to see. */
static inline uint64_t fbk_entry_iss(const struct fbk_abort *a)
{
	uint64_t keep = FBK_ESR_SET_MASK | FBK_ESR_FNV | FBK_ESR_EA | 0x3f;

	if (a->kind != FBK_ABORT_INSTRUCTION)
		keep |= FBK_ESR_CM | FBK_ESR_WNR;
	return a->esr & keep;
}

/*
 * Whether an abort at address far was the fetch of the instruction at pc, rather than that instruction's data access.
 * For a missing page only: see the definition.
 */
int fbk_entry_is_fetch(uint64_t far, uint64_t pc, uint64_t pstate);

/*
 * ESR_EL1 as the hardware would show it to AArch64 EL1, had the abort been taken there. For an abort without a syndrome:
 * class (data, if unknown), walk level, and FnV unless the GVA is known.
 */
uint64_t fbk_entry_esr(const struct fbk_abort *a, uint64_t pstate);

/*
 * Whether KVM's own injection says it all: the class as injected, IL, code 0x10 and nothing else (its IL is the last
 * trap's on 6.12, else 1). Then nothing of the guest's state matters to the syndrome, nor can the helper have been idle.
 *
 * @kvm: FBK_KVM_* bits
 */
static inline int fbk_entry_helper_suffices(const struct fbk_abort *a, uint32_t kvm)
{
	uint32_t needed = a->kind == FBK_ABORT_INSTRUCTION ? FBK_KVM_INJECT_EXT_IABT : FBK_KVM_INJECT_EXT_DABT;

	return (kvm & needed) && (a->flags & FBK_SEA_HAS_ESR) && (a->esr & FBK_ESR_IL) && fbk_entry_iss(a) == FBK_FSC_SEA;
}

/*
 * Whether the kernel is to be given the syndrome with the abort. An abort that has one came by an SEA exit: the vCPU's last
 * fault, whose address the kernel reports, is this one. The kernel may still refuse (-EINVAL: EL1 is AArch32, or bits that
 * it does not know), having changed nothing; what is done then needs KVM's own injection of data aborts.
 *
 * @kvm: FBK_KVM_* bits
 */
static inline int fbk_entry_takes_syndrome(const struct fbk_abort *a, uint32_t kvm)
{
	uint32_t needed = FBK_KVM_INJECT_EXT_ABT_ESR | FBK_KVM_INJECT_EXT_DABT;

	if (a->kind == FBK_ABORT_INSTRUCTION)
		needed |= FBK_KVM_INJECT_EXT_IABT;
	return (kvm & needed) == needed && (a->flags & FBK_SEA_HAS_ESR);
}

/* Whether the kernel does it all by itself, so that the replay asks nothing of the guest's state. */
static inline int fbk_entry_kernel_suffices(const struct fbk_abort *a, uint32_t kvm)
{
	return fbk_entry_takes_syndrome(a, kvm) || fbk_entry_helper_suffices(a, kvm);
}

/* Which further registers fbk_entry_take() looks at: FBK_ENTRY_NEEDS_*. */
uint32_t fbk_entry_needs(uint64_t id_aa64pfr1);

/*
 * The whole exception entry.
 *
 * Errors: -EOPNOTSUPP fbk_entry_possible() says no.
 */
int fbk_entry_take(const struct fbk_entry_from *from, const struct fbk_abort *a, struct fbk_entry_to *ret);

#endif
