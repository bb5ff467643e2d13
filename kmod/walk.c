// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: The firebreak authors
/*
 * The guest's stage-1 tables: at which level does the walk of an address read a
 * given page (stage 2 says only that some walk did), and which instruction is the
 * vCPU at? The tables are in guest
 * memory, which the guest may be changing: every value read is used once, and
 * whatever does not add up is just "not found".
 *
 * [ARM-ARM "The AArch64 Virtual Memory System Architecture"]: VMSAv8-64 with
 * 4, 16 and 64 KiB granules, with and without 52-bit output addresses.
 */
#include <linux/bitfield.h>
#include <linux/kvm_host.h>
#include <linux/uaccess.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_host.h>
#include <asm/kvm_hyp.h>

#include "internal.h"

#define SEA_SCTLR_M BIT_ULL(0)
#define SEA_SCTLR_EE BIT_ULL(25)
#define SEA_TCR_T0SZ GENMASK_ULL(5, 0)
#define SEA_TCR_TG0 GENMASK_ULL(15, 14)
#define SEA_TCR_T1SZ GENMASK_ULL(21, 16)
#define SEA_TCR_TG1 GENMASK_ULL(31, 30)
#define SEA_TCR_IPS GENMASK_ULL(34, 32)
#define SEA_TCR_DS BIT_ULL(59)
#define SEA_IPS_52 6

struct sea_regime {
	u64 table; /* address of the table of the first level */
	unsigned int shift; /* log2 of the granule */
	unsigned int va_bits;
	bool pa52;
	bool big_endian;
};

/*
 * The registers are in the CPU while the vCPU is loaded on a VHE host, else in
 * the vCPU's context. Preemption in between only moves them along with us.
 */
#define sea_guest_reg(vcpu, on_cpu, name)                                   \
	((on_cpu) ? read_sysreg_el1(SYS_##name) :                           \
		    ctxt_sys_reg(&(vcpu)->arch.ctxt, name##_EL1))

static bool sea_regime_get(struct kvm_vcpu *vcpu, u64 va, struct sea_regime *ret)
{
	bool on_cpu = has_vhe() && vcpu_get_flag(vcpu, SYSREGS_ON_CPU);
	u64 tcr = sea_guest_reg(vcpu, on_cpu, TCR);
	bool upper = va & BIT_ULL(55);
	unsigned int entries_shift;
	u64 ttbr;

	if (vcpu_el1_is_32bit(vcpu))
		return false;

	if (upper) {
		ttbr = sea_guest_reg(vcpu, on_cpu, TTBR1);
		ret->va_bits = 64 - FIELD_GET(SEA_TCR_T1SZ, tcr);
		switch (FIELD_GET(SEA_TCR_TG1, tcr)) {
		case 1:
			ret->shift = 14;
			break;
		case 2:
			ret->shift = 12;
			break;
		case 3:
			ret->shift = 16;
			break;
		default:
			return false;
		}
	} else {
		ttbr = sea_guest_reg(vcpu, on_cpu, TTBR0);
		ret->va_bits = 64 - FIELD_GET(SEA_TCR_T0SZ, tcr);
		switch (FIELD_GET(SEA_TCR_TG0, tcr)) {
		case 0:
			ret->shift = 12;
			break;
		case 1:
			ret->shift = 16;
			break;
		case 2:
			ret->shift = 14;
			break;
		default:
			return false;
		}
	}
	if (ret->va_bits > 52 || ret->va_bits <= ret->shift)
		return false;

	ret->big_endian = sea_guest_reg(vcpu, on_cpu, SCTLR) & SEA_SCTLR_EE;
	ret->pa52 = tcr & SEA_TCR_DS ||
		    (ret->shift == 16 && FIELD_GET(SEA_TCR_IPS, tcr) == SEA_IPS_52);

	/* The first table may be shorter than a page, and aligned to its own size. */
	entries_shift = (ret->va_bits - ret->shift - 1) % (ret->shift - 3) + 1;
	ret->table = ttbr & GENMASK_ULL(47, max(entries_shift + 3, ret->pa52 ? 6U : 0U));
	if (ret->pa52)
		ret->table |= (ttbr & GENMASK_ULL(5, 2)) << 46;
	return true;
}

static u64 sea_next_table(const struct sea_regime *regime, u64 desc)
{
	u64 table = desc & GENMASK_ULL(47, regime->shift);

	if (!regime->pa52)
		return table;
	if (regime->shift == 16)
		return table | (desc & GENMASK_ULL(15, 12)) << 36;
	return (desc & GENMASK_ULL(49, regime->shift)) | (desc & GENMASK_ULL(9, 8)) << 42;
}

/* Guest memory that does not cross a page, by the VMM's own mapping of it. */
static bool sea_read(struct kvm_vcpu *vcpu, u64 ipa, void *buf, size_t len)
{
	struct kvm_memory_slot *slot;
	bool ok = false;
	int idx;

	if (current->mm != vcpu->kvm->mm)
		return false;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	slot = __gfn_to_memslot(kvm_memslots(vcpu->kvm), ipa >> PAGE_SHIFT);
	if (slot && !(slot->flags & KVM_MEMSLOT_INVALID)) {
		unsigned long hva = __gfn_to_hva_memslot(slot, ipa >> PAGE_SHIFT);

		ok = !copy_from_user(buf, (void __user *)(hva + offset_in_page(ipa)), len);
	}
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return ok;
}

/* The output address of a block or page that maps va's low bits. */
static u64 sea_leaf(const struct sea_regime *regime, u64 desc, u64 va, unsigned int low)
{
	u64 base = sea_next_table(regime, desc) & GENMASK_ULL(51, low);

	return base | (va & GENMASK_ULL(low - 1, 0));
}

/*
 * Walks @va. If the walk reads page @stop, returns the level, -1 to 3; else
 * SEA_NO_WALK, with the address in *ret_ipa if there is one. May sleep.
 */
static int sea_walk(struct kvm_vcpu *vcpu, u64 va, gfn_t stop, u64 *ret_ipa)
{
	struct sea_regime regime;
	unsigned int stride, bits;
	int level;
	u64 table;

	if (!sea_regime_get(vcpu, va, &regime))
		return SEA_NO_WALK;

	stride = regime.shift - 3;
	bits = regime.va_bits;
	table = regime.table;
	for (level = 4 - (int)DIV_ROUND_UP(bits - regime.shift, stride); level <= 3; level++) {
		unsigned int low = regime.shift + stride * (3 - level);
		u64 index = (va & GENMASK_ULL(bits - 1, 0)) >> low;
		u64 desc;

		if ((table + index * 8) >> PAGE_SHIFT == stop)
			return level;
		if (!sea_read(vcpu, table + index * 8, &desc, sizeof(desc)))
			return SEA_NO_WALK;
		desc = regime.big_endian ? be64_to_cpu((__force __be64)desc) :
					   le64_to_cpu((__force __le64)desc);
		/* Bit 0: valid. Bit 1: a table, or at level 3 a page; else a block. */
		if (!(desc & 1))
			return SEA_NO_WALK;
		if (level == 3 || !(desc & 2)) {
			if (level < 3 || desc & 2)
				*ret_ipa = sea_leaf(&regime, desc, va, low);
			return SEA_NO_WALK;
		}
		table = sea_next_table(&regime, desc);
		bits = low;
	}
	return SEA_NO_WALK;
}

/* At which level does the walk of @va read @table_gfn? SEA_NO_WALK: at none. May sleep. */
int sea_walk_level(struct kvm_vcpu *vcpu, u64 va, gfn_t table_gfn)
{
	u64 ipa;

	return sea_walk(vcpu, va, table_gfn, &ipa);
}

/* The instruction that the vCPU is at; false if it cannot be read. May sleep. */
bool sea_walk_insn(struct kvm_vcpu *vcpu, u32 *ret)
{
	bool on_cpu = has_vhe() && vcpu_get_flag(vcpu, SYSREGS_ON_CPU);
	u64 pc = *vcpu_pc(vcpu), ipa = INVALID_GPA;
	__le32 insn;

	if (vcpu_mode_is_32bit(vcpu))
		return false;
	if (!(sea_guest_reg(vcpu, on_cpu, SCTLR) & SEA_SCTLR_M))
		ipa = pc;
	else
		sea_walk(vcpu, pc, INVALID_GPA, &ipa);
	if (ipa == INVALID_GPA || !sea_read(vcpu, ipa, &insn, sizeof(insn)))
		return false;
	*ret = le32_to_cpu(insn);
	return true;
}
