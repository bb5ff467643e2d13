/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * entry.c - what the guest's registers say after it took the abort.
 */
#include "entry.h"
#include "esr.h"

#include <errno.h>

/* [ARM-ARM "SPSR_EL1", M]: bit 4 is AArch32; AArch64 has the level in bits 3:2. */
#define PSTATE_NRW (UINT64_C(1) << 4)
#define PSTATE_MODE32_USR 0x10

uint32_t fbk_entry_el(uint64_t pstate)
{
	if (pstate & PSTATE_NRW)
		return (pstate & 0x1f) == PSTATE_MODE32_USR ? 0 : 1;
	return (pstate & 0xc) ? 1 : 0;
}

int fbk_entry_is_aarch32(uint64_t pstate)
{
	return !!(pstate & PSTATE_NRW);
}

int fbk_entry_esr(const struct fbk_abort *a, uint64_t pstate, uint64_t *ret)
{
	/* IL is 1 for every instruction abort, and for data aborts without ISV: ours never have it. */
	uint64_t keep = FBK_ESR_SET_MASK | FBK_ESR_FNV | FBK_ESR_EA | 0x3f;
	uint64_t same = fbk_entry_el(pstate) ? 1 : 0;
	uint64_t ec;

	if (!(a->flags & FBK_SEA_HAS_ESR))
		return -ENODATA;
	if (a->kind == FBK_ABORT_INSTRUCTION) {
		ec = FBK_EC_IABT_LOW + same;
	} else {
		ec = FBK_EC_DABT_LOW + same;
		keep |= FBK_ESR_CM | FBK_ESR_WNR;
	}
	*ret = ec << 26 | FBK_ESR_IL | (a->esr & keep);
	return 0;
}
