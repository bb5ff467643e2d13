/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * inject.c - the same abort into the vCPU.
 *
 * A kernel that takes the syndrome is given it. Else the kernel's helper comes first. It knows the class (data) and the
 * address but not the rest of the syndrome; when that would lose something, ESR_EL1 and FAR_EL1 are put right afterwards,
 * before the guest runs. Where there is no helper, or it injected nothing, the whole exception entry is done here, register
 * by register.
 */
#include "inject_road.h"

#include "../core/esr.h"
#include "one_reg.h"
#include "sys.h"

#include <errno.h>
#include <linux/kvm.h>

/* "Uncontainable" and "SError interrupt" [ARM-ARM "ESR_ELx, ISS for SError"]: the guest must not take it lightly. */
#define SERROR_ISS_UNCONTAINABLE 0x11

int fbk_inject_pstate(int vcpu_fd, uint64_t *ret)
{
	return ret ? fbk_one_reg_get(vcpu_fd, FBK_REG_PSTATE, ret) : -EINVAL;
}

uint32_t fbk_inject_el(uint64_t pstate)
{
	return fbk_entry_el(pstate);
}

static int set_events(int vcpu_fd, const struct fbk_kvm_vcpu_events *ev)
{
	/* The kernel only reads it. */
	return fbk_sys->ioctl(vcpu_fd, FBK_KVM_SET_VCPU_EVENTS, (void *)(uintptr_t)ev) < 0 ? -EIO : 0;
}

/* The whole entry. The PC comes last: until then the vCPU stands where it was. */
static int by_registers(int vcpu_fd, const struct fbk_abort *a, uint64_t pstate)
{
	struct fbk_entry_from from = { .pstate = pstate };
	struct fbk_entry_to to;
	const struct {
		uint64_t id, *ret;
	} gets[] = {
		{ FBK_REG_PC, &from.pc },	    { FBK_REG_FAR_EL1, &from.far },
		{ FBK_REG_VBAR_EL1, &from.vbar },   { FBK_REG_SCTLR_EL1, &from.sctlr },
		{ FBK_REG_ID_AA64PFR1_EL1, &from.id_aa64pfr1 },
	};
	const struct {
		uint64_t id;
		const uint64_t *value;
	} sets[] = {
		{ FBK_REG_ESR_EL1, &to.esr },	{ FBK_REG_FAR_EL1, &to.far },	{ FBK_REG_ELR_EL1, &to.elr },
		{ FBK_REG_SPSR_EL1, &to.spsr }, { FBK_REG_PSTATE, &to.pstate }, { FBK_REG_PC, &to.pc },
	};
	uint32_t needs;
	size_t i;
	int err = 0;

	if (!fbk_entry_possible(pstate))
		return -EOPNOTSUPP;
	for (i = 0; !err && i < sizeof(gets) / sizeof(gets[0]); i++)
		err = fbk_one_reg_get(vcpu_fd, gets[i].id, gets[i].ret);
	needs = fbk_entry_needs(from.id_aa64pfr1);
	if (!err && (needs & FBK_ENTRY_NEEDS_SCTLR2))
		err = fbk_one_reg_get(vcpu_fd, FBK_REG_SCTLR2_EL1, &from.sctlr2);
	if (!err && (needs & FBK_ENTRY_NEEDS_GCSCR))
		err = fbk_one_reg_get(vcpu_fd, FBK_REG_GCSCR_EL1, &from.gcscr);
	if (!err)
		err = fbk_entry_take(&from, a, &to);
	for (i = 0; !err && i < sizeof(sets) / sizeof(sets[0]); i++)
		err = fbk_one_reg_set(vcpu_fd, sets[i].id, *sets[i].value);
	return err;
}

/*
 * Whether what the helper left has to be looked at. It returns 0 and injects nothing when the vCPU's last trap was a
 * stage-2 fault on a stage-1 walk and that walk leads elsewhere by now (7.x); an abort that names its cause, off the walk,
 * was no such trap. For AArch32 user mode it tells whether EL1 is AArch64; for SIGBUS, the rest of the story.
 */
static int must_look(const struct fbk_abort *a, uint64_t pstate)
{
	return !(a->flags & FBK_SEA_HAS_ESR) || (a->flags & FBK_SEA_ON_WALK) || fbk_entry_is_aarch32(pstate);
}

static int is_abort_class(uint64_t esr)
{
	switch (FBK_ESR_EC(esr)) {
	case FBK_EC_IABT_LOW:
	case FBK_EC_IABT_CUR:
	case FBK_EC_DABT_LOW:
	case FBK_EC_DABT_CUR:
		return 1;
	default:
		return 0;
	}
}

/* What the helper's registers tell of an abort that came without a syndrome. */
static void learn(struct fbk_abort *a, uint64_t esr, uint64_t far, uint64_t pc, uint64_t pstate)
{
	uint32_t fsc = FBK_ESR_FSC(esr);

	if (a->kind == FBK_ABORT_UNKNOWN)
		a->kind = fbk_entry_is_fetch(far, pc, pstate) ? FBK_ABORT_INSTRUCTION : FBK_ABORT_DATA;
	if (!(a->flags & FBK_SEA_HAS_GVA)) {
		a->flags |= FBK_SEA_HAS_GVA;
		a->gva.addr = far;
	}
	if (fsc >= FBK_FSC_SEA_WALK_0 - 1 && fsc <= FBK_FSC_SEA_WALK_0 + 3) {
		a->flags |= FBK_SEA_ON_WALK;
		a->walk_level = (int32_t)fsc - FBK_FSC_SEA_WALK_0;
	}
}

/*
 * The helper, and what it loses put right afterwards.
 *
 * Errors: -EIO; -EAGAIN the helper injected nothing.
 */
static int correct(int vcpu_fd, struct fbk_abort *a, struct fbk_kvm_vcpu_events *ev, uint64_t pstate,
		   enum fbk_replay_method *ret)
{
	int look = must_look(a, pstate), has_esr = !!(a->flags & FBK_SEA_HAS_ESR);
	int no_far = has_esr && !(a->flags & FBK_SEA_HAS_GVA);
	uint64_t pc = 0, far = 0, esr = 0, want;
	int err = 0;

	/*
	 * ESR_EL1 = 0 is no abort's syndrome: what stands there afterwards is the helper's, or nothing was injected. Holds
	 * where the helper moves the PC at once (7.x) and where it waits for KVM_RUN (6.12).
	 */
	if (look)
		err = fbk_one_reg_set(vcpu_fd, FBK_REG_ESR_EL1, 0);
	if (!err && !has_esr)
		err = fbk_one_reg_get(vcpu_fd, FBK_REG_PC, &pc);
	if (!err && no_far)
		err = fbk_one_reg_get(vcpu_fd, FBK_REG_FAR_EL1, &far);
	if (!err)
		err = set_events(vcpu_fd, ev);
	if (err)
		return err;

	if (look) {
		err = fbk_one_reg_get(vcpu_fd, FBK_REG_ESR_EL1, &esr);
		if (err)
			return err;
		if (!esr)
			return -EAGAIN;
		/* A 32-bit EL1 keeps its syndrome in IFSR and DFSR: there the helper's word stands. */
		if (!is_abort_class(esr))
			return 0;
	}
	if (!has_esr) {
		err = fbk_one_reg_get(vcpu_fd, FBK_REG_FAR_EL1, &far);
		if (err)
			return err;
		learn(a, esr, far, pc, pstate);
	}
	want = fbk_entry_esr(a, pstate);
	if (want != esr) {
		err = fbk_one_reg_set(vcpu_fd, FBK_REG_ESR_EL1, want);
		if (err)
			return err;
		*ret = FBK_REPLAY_CORRECTED;
	}
	/* The helper copied FAR_EL2, which holds no address of this abort, and on a VHE host may hold one of the host's. */
	if (no_far)
		err = fbk_one_reg_set(vcpu_fd, FBK_REG_FAR_EL1, far);
	return err;
}

/*
 * With the syndrome. FAR is the kernel's affair: the address of the vCPU's last fault, which is this abort's, or with FnV
 * what it was.
 *
 * Errors: -EIO; -EAGAIN the kernel refuses this syndrome, and nothing has changed.
 */
static int with_syndrome(int vcpu_fd, const struct fbk_abort *a, struct fbk_kvm_vcpu_events ev)
{
	int err;

	ev.ext_abt_has_esr = 1;
	ev.ext_abt_esr = fbk_entry_iss(a);
	err = set_events(vcpu_fd, &ev);
	return err && errno == EINVAL ? -EAGAIN : err;
}

/*
 * What the helper alone cannot do, or would lose. Apart from the common case: a vCPU waits, and this takes room on the
 * stack that it need not clear and guard then.
 */
static __attribute__((noinline)) int by_other_ways(int vcpu_fd, uint32_t kvm, struct fbk_kvm_vcpu_events *ev, struct fbk_abort *a,
						   uint64_t pstate, enum fbk_replay_method *ret)
{
	struct fbk_abort learnt = *a;
	int err = -EAGAIN;

	if (ev->ext_iabt_pending || (kvm & FBK_KVM_INJECT_EXT_DABT))
		err = correct(vcpu_fd, &learnt, ev, pstate, ret);
	if (err == -EAGAIN) {
		*ret = FBK_REPLAY_REGISTERS;
		err = by_registers(vcpu_fd, &learnt, pstate);
	}
	if (!err)
		*a = learnt;
	return err;
}

void fbk_inject_prepare(enum fbk_abort_kind kind, struct fbk_kvm_vcpu_events *ret)
{
	*ret = (struct fbk_kvm_vcpu_events){ .ext_dabt_pending = kind != FBK_ABORT_INSTRUCTION,
					     .ext_iabt_pending = kind == FBK_ABORT_INSTRUCTION };
}

int fbk_inject_by_helper(int vcpu_fd, const struct fbk_kvm_vcpu_events *prepared)
{
	return set_events(vcpu_fd, prepared);
}

int fbk_inject_abort(int vcpu_fd, struct kvm_run *run, uint32_t kvm, struct fbk_abort *a, uint64_t pstate,
		     enum fbk_replay_method *ret)
{
	/* Zeros elsewhere change nothing: a pending SError is not cancelled by serror_pending = 0 [K6]. */
	struct fbk_kvm_vcpu_events ev = { 0 };
	enum fbk_replay_method method = FBK_REPLAY_SYNDROME;
	int err = -EAGAIN;

	if (!run || !a || !ret)
		return -EINVAL;
	if (a->kind == FBK_ABORT_INSTRUCTION && (kvm & FBK_KVM_INJECT_EXT_IABT))
		ev.ext_iabt_pending = 1;
	else
		ev.ext_dabt_pending = 1;

	if (fbk_entry_takes_syndrome(a, kvm)) {
		err = with_syndrome(vcpu_fd, a, ev);
		/* Who relied on the kernel has not read PSTATE. */
		if (err == -EAGAIN && fbk_one_reg_get(vcpu_fd, FBK_REG_PSTATE, &pstate))
			err = -EIO;
	}
	if (err == -EAGAIN) {
		method = FBK_REPLAY_HELPER;
		/* A 32-bit EL1, or an EL2, has its syndrome elsewhere: the helper's word stands. */
		if (fbk_entry_helper_suffices(a, kvm) || ((kvm & FBK_KVM_INJECT_EXT_DABT) && !fbk_entry_possible(pstate)))
			err = set_events(vcpu_fd, &ev);
		else
			err = by_other_ways(vcpu_fd, kvm, &ev, a, pstate, &method);
	}
	if (err)
		return err;

	/*
	 * The access is done with: KVM_RUN must not complete it. It would move the PC past the vector's first instruction and
	 * write the loaded register; 6.12 even with its own injection, when a run with immediate_exit comes between.
	 */
	if (run->exit_reason == KVM_EXIT_MMIO)
		run->exit_reason = KVM_EXIT_UNKNOWN;
	*ret = method;
	return 0;
}

int fbk_inject_serror(int vcpu_fd, uint32_t kvm, enum fbk_replay_method *ret)
{
	struct fbk_kvm_vcpu_events ev = { .serror_pending = 1 };
	int err;

	if (!ret)
		return -EINVAL;
	if (kvm & FBK_KVM_INJECT_SERROR_ESR) {
		ev.serror_has_esr = 1;
		ev.serror_esr = SERROR_ISS_UNCONTAINABLE;
	}
	err = set_events(vcpu_fd, &ev);
	if (err)
		return err;
	*ret = FBK_REPLAY_SERROR;
	return 0;
}
