/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fake_kvm.h - one VM with one register file behind the library's table of system calls. The Nth call can be made to
 * fail; everything it was asked is kept.
 */
#ifndef FBK_TESTS_FAKE_KVM_H
#define FBK_TESTS_FAKE_KVM_H

#include <stdint.h>

#define FAKE_VM_FD 100
#define FAKE_VCPU_FD 200 /* and up */

struct fake_kvm {
	/* what it offers */
	int sea, dabt, iabt, ras, abt_esr;

	/* what the vCPU is like */
	uint64_t pstate, pc, esr_el1;
	uint64_t far_el1, elr_el1, spsr_el1, vbar_el1, sctlr_el1, sctlr2_el1, gcscr_el1, id_aa64pfr1;
	uint64_t midr, mpidr;

	/* what its helper does: FAR_EL2 and status code of the last trap; the whole entry at once (7.x), or not even that */
	uint64_t hfar;
	uint32_t fsc;
	int commits, idle, el1_32bit;

	/* what was asked of it */
	uint32_t enabled_cap;
	uint32_t nr_dabt, nr_iabt, nr_serror; /* that it accepted */
	uint32_t nr_refused;		      /* KVM_SET_VCPU_EVENTS with -EINVAL: nothing has changed */
	int abt_has_esr;		      /* the last abort came with a syndrome */
	int serror_has_esr;
	uint64_t serror_esr;
	uint32_t nr_ioctls, nr_get_reg, nr_set_reg;

	/* time */
	uint64_t now_ns;	/* both clocks */
	uint64_t tick_ns;	/* passes with each look at a clock */
	uint32_t nr_sleeps;
	void (*on_sleep)(void *opaque);
	void *opaque;

	/* the Nth of all calls fails, N from 1; 0: none does */
	uint32_t nr_calls, fail_at;
	int fail_errno;

	int32_t nr_allocs; /* live ones */
};

extern struct fake_kvm fake_kvm;

/* A kernel like 7.x with everything that mainline has, at EL0, installed behind the library. */
void fake_kvm_install(void);

#endif
