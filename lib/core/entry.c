/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * entry.c - what the guest's registers say after it took the abort.
 *
 * The rules are those of [ARM-ARM "AArch64.TakeException", "AArch64.ReportException", "AArch64.Abort"] for
 * target EL1, each cited where it stands. PSTATE is what KVM keeps it as: SPSR_ELx's layout.
 */
#include "entry.h"

#include <errno.h>

/* [ARM-ARM "SPSR_EL1"], from AArch64; NZCV, DIT, PAN and M[4] lie in the same places from AArch32. */
#define PSTATE_NZCV (UINT64_C(0xf) << 28)
#define PSTATE_TCO (UINT64_C(1) << 25)
#define PSTATE_DIT (UINT64_C(1) << 24)
#define PSTATE_PAN (UINT64_C(1) << 22)
#define PSTATE_ALLINT (UINT64_C(1) << 13)
#define PSTATE_SSBS (UINT64_C(1) << 12)
#define PSTATE_DAIF (UINT64_C(0xf) << 6)
#define PSTATE_EXLOCK (UINT64_C(1) << 34)

#define PSTATE_SP UINT64_C(1)
#define PSTATE_EL1H 0x5
#define PSTATE_T32 (UINT64_C(1) << 5)

/* [ARM-ARM "SCTLR_EL1"] */
#define SCTLR_SPAN (UINT64_C(1) << 23)
#define SCTLR_DSSBS (UINT64_C(1) << 44)
#define SCTLR_SPINTMASK (UINT64_C(1) << 62)
/* [ARM-ARM "SCTLR2_EL1"] */
#define SCTLR2_EASE (UINT64_C(1) << 5)
/* [ARM-ARM "GCSCR_EL1"] */
#define GCSCR_EXLOCKEN (UINT64_C(1) << 6)

/* [ARM-ARM "ID_AA64PFR1_EL1"] */
#define PFR1_HAS(pfr1, shift) (((pfr1) >> (shift) & 0xf) != 0)
#define PFR1_MTE 8
#define PFR1_NMI 36
#define PFR1_GCS 44
#define PFR1_DF2 56

/* [ARM-ARM "Exception vectors"]: offsets by where the exception came from, and of the SErrors among them. */
#define VECTOR_EL1T 0x000
#define VECTOR_EL1H 0x200
#define VECTOR_EL0_64 0x400
#define VECTOR_EL0_32 0x600
#define VECTOR_SERROR 0x180
#define VBAR_RES0 UINT64_C(0x7ff)

/*
 * An instruction abort's FAR is the PC of the instruction, or of the second half of a T32 one that crosses a page. A data
 * access at those addresses cannot be what failed: its instruction came from there, so its page was present.
 */
int fbk_entry_is_fetch(uint64_t far, uint64_t pc, uint64_t pstate)
{
	return far == pc || (fbk_entry_is_aarch32(pstate) && (pstate & PSTATE_T32) && far == pc + 2);
}

static uint64_t class_of(enum fbk_abort_kind kind, uint64_t pstate)
{
	uint64_t ec = kind == FBK_ABORT_INSTRUCTION ? FBK_EC_IABT_LOW : FBK_EC_DABT_LOW;

	/* "Without a change of Exception level" is the class's number plus one. */
	return (ec + fbk_entry_el(pstate)) << FBK_ESR_EC_SHIFT;
}

uint64_t fbk_entry_esr(const struct fbk_abort *a, uint64_t pstate)
{
	/* IL is 1 for every instruction abort, and for data aborts without ISV: ours never have it. */
	uint64_t esr = class_of(a->kind, pstate) | FBK_ESR_IL;

	if (a->flags & FBK_SEA_HAS_ESR)
		return esr | fbk_entry_iss(a);
	if (a->flags & FBK_SEA_ON_WALK)
		return esr | (uint64_t)(FBK_FSC_SEA_WALK_0 + a->walk_level);
	/* FnV is defined for this code alone [ARM-ARM "ESR_EL1, ISS for Data Abort", FnV]. */
	return esr | FBK_FSC_SEA | (a->flags & FBK_SEA_HAS_GVA ? 0 : FBK_ESR_FNV);
}

uint32_t fbk_entry_needs(uint64_t id_aa64pfr1)
{
	return (PFR1_HAS(id_aa64pfr1, PFR1_DF2) ? FBK_ENTRY_NEEDS_SCTLR2 : 0) |
	       (PFR1_HAS(id_aa64pfr1, PFR1_GCS) ? FBK_ENTRY_NEEDS_GCSCR : 0);
}

/* [ARM-ARM "AArch64.TakeException"]: the vector's offset, from the state that is left. */
static uint64_t vector(const struct fbk_entry_from *from)
{
	uint64_t offset;

	/* From a lower level: by its width; from EL1 itself: by the stack pointer in use. */
	if (fbk_entry_is_aarch32(from->pstate))
		offset = VECTOR_EL0_32;
	else if (fbk_entry_el(from->pstate) == 0)
		offset = VECTOR_EL0_64;
	else
		offset = from->pstate & PSTATE_SP ? VECTOR_EL1H : VECTOR_EL1T;

	/* [ARM-ARM "AArch64.Abort", FEAT_DoubleFault2]: SCTLR2_EL1.EASE sends external aborts to the SError vector. */
	if (PFR1_HAS(from->id_aa64pfr1, PFR1_DF2) && (from->sctlr2 & SCTLR2_EASE))
		offset += VECTOR_SERROR;
	return offset;
}

/* [ARM-ARM "AArch64.TakeException"]: PSTATE for the handler. */
static uint64_t pstate_after(const struct fbk_entry_from *from)
{
	/*
	 * EL is the target's, nRW 0, SP 1, and D, A, I, F are 1. The flags and DIT are not touched, nor is PAN by itself.
	 * SS, IL, UAO (FEAT_UAO) and BTYPE (FEAT_BTI) become 0; from AArch32 Q, GE, IT, T and E have no place there.
	 */
	uint64_t to = (from->pstate & (PSTATE_NZCV | PSTATE_DIT | PSTATE_PAN)) | PSTATE_DAIF | PSTATE_EL1H;

	/* FEAT_PAN: PAN becomes 1 when SCTLR_EL1.SPAN is 0; SPAN is RES1 without FEAT_PAN. */
	if (!(from->sctlr & SCTLR_SPAN))
		to |= PSTATE_PAN;
	/* FEAT_SSBS: SSBS becomes SCTLR_EL1.DSSBS, which is RES0 without it. */
	if (from->sctlr & SCTLR_DSSBS)
		to |= PSTATE_SSBS;
	/* FEAT_MTE: TCO becomes 1. Whether a guest has MTE is a matter of its VM. */
	if (PFR1_HAS(from->id_aa64pfr1, PFR1_MTE))
		to |= PSTATE_TCO;
	/* FEAT_NMI: ALLINT becomes the inverse of SCTLR_EL1.SPINTMASK, whatever SCTLR_EL1.NMI says. */
	if (PFR1_HAS(from->id_aa64pfr1, PFR1_NMI) && !(from->sctlr & SCTLR_SPINTMASK))
		to |= PSTATE_ALLINT;
	/* FEAT_GCS: PSTATE.EXLOCK is GCSCR_EL1.EXLOCKEN for an exception that stays at its level, else 0. */
	if (PFR1_HAS(from->id_aa64pfr1, PFR1_GCS) && fbk_entry_el(from->pstate) && (from->gcscr & GCSCR_EXLOCKEN))
		to |= PSTATE_EXLOCK;
	return to;
}

int fbk_entry_take(const struct fbk_entry_from *from, const struct fbk_abort *a, struct fbk_entry_to *ret)
{
	if (!fbk_entry_possible(from->pstate))
		return -EOPNOTSUPP;
	*ret = (struct fbk_entry_to){
		/* VBAR_EL1<63:11> with the offset for its low bits */
		.pc = (from->vbar & ~VBAR_RES0) | vector(from),
		.pstate = pstate_after(from),
		/* The preferred return of an abort is the instruction itself; SPSR_EL1 is the state that was left, all of it. */
		.elr = from->pc,
		.spsr = from->pstate,
		/* [ARM-ARM "AArch64.ReportException"] */
		.esr = fbk_entry_esr(a, from->pstate),
		/*
		 * The address, or UNKNOWN when there is none: what was there before is an UNKNOWN that tells the guest
		 * nothing new.
		 */
		.far = a->flags & FBK_SEA_HAS_GVA ? a->gva.addr : from->far,
	};
	return 0;
}
