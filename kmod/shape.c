// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: The firebreak authors
/*
 * From a shape and the access that met it to the fault registers that a core
 * would have reported. Field names are those of the Arm ARM, "ESR_EL2, ISS
 * encoding for an exception from a Data Abort" and "... an Instruction Abort".
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <asm/esr.h>
#include <asm/kvm_arm.h>

#include "internal.h"

#define SEA_FSC_EXTERNAL 0x10
#define SEA_FSC_EXTERNAL_WALK 0x14 /* + level; 0x13 is level -1 */
#define SEA_FSC_PARITY 0x18
#define SEA_FSC_PARITY_WALK 0x1c /* + level; 0x1b is level -1 */

#define SEA_FLAGS                                                                         \
	(SEA_INJECT_EA | SEA_INJECT_FNV | SEA_INJECT_NO_IPA | SEA_INJECT_FIRMWARE |       \
	 SEA_INJECT_WALK)

/*
 * Loads and stores in one: LDADD and its like, SWP, CAS, CASP. [ARM-ARM "Loads and
 * Stores"]. LDAPR and the 64-byte accesses share the space but do one thing only.
 */
bool sea_insn_is_atomic(u32 insn)
{
	bool ldop = (insn & 0x3b200c00) == 0x38200000;
	bool only_load_or_store = insn & BIT(15) && insn & GENMASK(14, 12);

	return (ldop && !only_load_or_store) || (insn & 0x3fa07c00) == 0x08a07c00 ||
	       (insn & 0xbfa07c00) == 0x08207c00;
}

/* -EDOM: no such shape. -EINVAL: a shape that contradicts itself. */
int sea_shape_check(const struct sea_inject_arm *req)
{
	if (req->kind > SEA_INJECT_KIND_PARITY || req->flags & ~SEA_FLAGS ||
	    req->set > SEA_INJECT_SET_UEO)
		return -EDOM;
	if (req->flags & SEA_INJECT_WALK) {
		if (req->level < -1 || req->level > 3)
			return -EDOM;
	} else if (req->level) {
		return -EINVAL;
	}
	/* FnV is defined for FSC 0x10 alone. */
	if (req->flags & SEA_INJECT_FNV &&
	    (req->kind == SEA_INJECT_KIND_PARITY || req->flags & SEA_INJECT_WALK))
		return -EINVAL;
	/* A claimed access is retried by the guest: without a limit, for ever. */
	if (req->flags & SEA_INJECT_FIRMWARE && !req->hits)
		return -EINVAL;
	return 0;
}

/*
 * @walk_level: level of the stage-1 walk that made the access, or SEA_NO_WALK.
 *
 * What is kept of the stage-2 fault is what an external abort has too: the
 * class, CM and WnR. ISV, S1PTW and all that goes with them belong to stage 2.
 */
void sea_shape_apply(const struct sea_shape *shape, int walk_level,
		     struct kvm_vcpu_fault_info *fault)
{
	u64 esr = fault->esr_el2 & (ESR_ELx_EC_MASK | ESR_ELx_CM | ESR_ELx_WNR);
	bool parity = shape->kind == SEA_INJECT_KIND_PARITY;
	bool no_ipa = shape->flags & SEA_INJECT_NO_IPA;

	if (shape->flags & SEA_INJECT_WALK)
		walk_level = shape->level;

	esr |= ESR_ELx_IL;
	esr |= (u64)shape->set << ESR_ELx_SET_SHIFT;
	if (shape->flags & SEA_INJECT_EA)
		esr |= ESR_ELx_EA;

	if (walk_level != SEA_NO_WALK) {
		/* A core does not tell where a table is: HPFAR_EL2 is not valid. */
		esr |= (parity ? SEA_FSC_PARITY_WALK : SEA_FSC_EXTERNAL_WALK) + walk_level;
		no_ipa = true;
	} else {
		esr |= parity ? SEA_FSC_PARITY : SEA_FSC_EXTERNAL;
		if (shape->flags & SEA_INJECT_FNV) {
			esr |= ESR_ELx_FnV;
			/* UNKNOWN to the reader: do not give the truth away. */
			fault->far_el2 = 0;
			no_ipa = true;
		}
	}

	fault->esr_el2 = esr;
	/* This also clears the bit by which newer kernels mark a valid HPFAR_EL2. */
	if (no_ipa)
		fault->hpfar_el2 = 0;
}

/* The name that the log and the state show; the tool reads the part before ','. */
size_t sea_shape_name(const struct sea_shape *shape, int walk_level, char *buf, size_t len)
{
	static const char *const set[] = { "", ",set=1", ",set=uc", ",set=ueo" };
	char walk[16] = "";

	if (shape->flags & SEA_INJECT_WALK)
		walk_level = shape->level;
	if (walk_level != SEA_NO_WALK)
		scnprintf(walk, sizeof(walk), "-walk:%d", walk_level);

	return scnprintf(buf, len, "%s%s%s%s%s%s%s",
			 shape->kind == SEA_INJECT_KIND_PARITY ? "parity" : "sea", walk,
			 shape->flags & SEA_INJECT_EA ? ",ea" : "",
			 shape->flags & SEA_INJECT_FNV ? ",fnv" : "",
			 shape->flags & SEA_INJECT_NO_IPA ? ",no-ipa" : "", set[shape->set],
			 shape->flags & SEA_INJECT_FIRMWARE ? ",firmware" : "");
}
