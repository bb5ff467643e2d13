/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * inject.c - the same abort into the vCPU.
 *
 * The kernel's helper comes first. It knows the class (data) and the address but not the rest of the syndrome; when that
 * would lose something, ESR_EL1 is put right afterwards, while the vCPU still stands at its vector. Where the helper
 * itself cannot be relied on, the whole exception entry by registers belongs here as a third way.
 */
#include <firebreak/inject.h>

#include "../core/entry.h"
#include "../core/esr.h"
#include "kvm_uapi.h"
#include "one_reg.h"
#include "sys.h"

#include <errno.h>

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

static int set_events(int vcpu_fd, struct fbk_kvm_vcpu_events *ev)
{
	return fbk_sys->ioctl(vcpu_fd, FBK_KVM_SET_VCPU_EVENTS, ev) < 0 ? -EIO : 0;
}

/* Whether ESR_EL1 has to be corrected after the helper, and to what. */
static int correction(const struct fbk_abort *a, uint32_t kvm, uint64_t pstate, uint64_t *ret)
{
	if (fbk_entry_helper_suffices(a, kvm))
		return 0;
	/* A 32-bit EL1 keeps its syndrome in IFSR and DFSR: there the helper's word stands. */
	if (fbk_entry_is_aarch32(pstate) && fbk_entry_el(pstate))
		return 0;
	return fbk_entry_esr(a, pstate, ret) == 0;
}

int fbk_inject_abort(int vcpu_fd, uint32_t kvm, const struct fbk_abort *a, uint64_t pstate, enum fbk_replay_method *ret)
{
	/* Zeros elsewhere change nothing: a pending SError is not cancelled by serror_pending = 0 [K6]. */
	struct fbk_kvm_vcpu_events ev = { 0 };
	int as_instruction;
	uint64_t esr;
	int err;

	if (!a || !ret)
		return -EINVAL;

	as_instruction = a->kind == FBK_ABORT_INSTRUCTION && (kvm & FBK_KVM_INJECT_EXT_IABT);
	if (!as_instruction && !(kvm & FBK_KVM_INJECT_EXT_DABT))
		return -EOPNOTSUPP;
	if (as_instruction)
		ev.ext_iabt_pending = 1;
	else
		ev.ext_dabt_pending = 1;

	err = set_events(vcpu_fd, &ev);
	if (err)
		return err;
	if (!correction(a, kvm, pstate, &esr)) {
		*ret = FBK_REPLAY_HELPER;
		return 0;
	}
	err = fbk_one_reg_set(vcpu_fd, FBK_REG_ESR_EL1, esr);
	if (err)
		return err;
	*ret = FBK_REPLAY_CORRECTED;
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
