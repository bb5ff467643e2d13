/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * entry.h - what the guest's registers say after it took the abort.
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

/* The part of the syndrome below IL that the guest is to see. */
static inline uint64_t fbk_entry_iss(const struct fbk_abort *a)
{
	uint64_t keep = FBK_ESR_SET_MASK | FBK_ESR_FNV | FBK_ESR_EA | 0x3f;

	if (a->kind != FBK_ABORT_INSTRUCTION)
		keep |= FBK_ESR_CM | FBK_ESR_WNR;
	return a->esr & keep;
}

/*
 * ESR_EL1 as the hardware would show it to AArch64 EL1, had the abort been taken there.
 *
 * Errors: -ENODATA the abort came without a syndrome.
 */
int fbk_entry_esr(const struct fbk_abort *a, uint64_t pstate, uint64_t *ret);

/*
 * Whether KVM's own injection says it all: the class as injected, IL, code 0x10 and nothing else (its IL is the last
 * trap's on 6.12, else 1). Then nothing of the guest's state matters to the syndrome.
 *
 * @kvm: FBK_KVM_* bits
 */
static inline int fbk_entry_helper_suffices(const struct fbk_abort *a, uint32_t kvm)
{
	if (!(a->flags & FBK_SEA_HAS_ESR))
		return 1;
	if (a->kind == FBK_ABORT_INSTRUCTION && !(kvm & FBK_KVM_INJECT_EXT_IABT))
		return 0;
	return (a->esr & FBK_ESR_IL) && fbk_entry_iss(a) == FBK_FSC_SEA;
}

#endif
