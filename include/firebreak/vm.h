/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * vm.h - the road of one error: observe, decode, record, decide, notify, replay, tell.
 *
 * A monitor makes one fbk_vm per VM and one fbk_vcpu per vCPU, and calls one function per source. The library
 * installs no signal handler, starts no thread, prints nothing and never exits: the monitor hands it exit fields
 * and siginfo, and carries out the verdict.
 */
#ifndef FIREBREAK_VM_H
#define FIREBREAK_VM_H

#include <firebreak/event.h>
#include <firebreak/ghes.h>
#include <firebreak/gmem.h>
#include <firebreak/ledger.h>
#include <firebreak/policy.h>
#include <firebreak/types.h>

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_run;
struct fbk_vm;
struct fbk_vcpu;

/* What the library asks of the monitor. Called with no library lock held; must not call back into the library. */
struct fbk_vm_ops {
	/* One event per error, after everything was done for it. May be called from any vCPU thread at once. */
	void (*event)(void *opaque, const struct fbk_event *ev);
	/* Pulse the GED's interrupt for the asynchronous source. 0, or a negative errno (recorded in the event). */
	int (*raise_async)(void *opaque);
	/* Records wait for the guest's acknowledgement: call fbk_vm_pump() soon, from a thread that may take a lock. */
	void (*want_pump)(void *opaque);
};

struct fbk_vm_config {
	uint32_t size;			    /* sizeof(struct fbk_vm_config) */
	int vm_fd;			    /* KVM VM; borrowed, must outlive the fbk_vm */
	const struct fbk_gmem *gmem;	    /* borrowed, must outlive the fbk_vm */
	const struct fbk_ghes_layout *ghes; /* copied; NULL: a guest without ACPI, told nothing but the abort */
	const struct fbk_policy *policy;    /* copied; NULL: fbk_policy_default() */
	const struct fbk_vm_ops *ops;	    /* borrowed */
	void *opaque;			    /* handed to every op */
	uint32_t max_pages;		    /* ledger capacity in pages; 0: FBK_LEDGER_DEFAULT_PAGES */
};

/* Errors: -EINVAL; -ENOMEM; -EIO probing failed. */
FBK_API FBK_MUST_CHECK int fbk_vm_create(const struct fbk_vm_config *cfg, struct fbk_vm **ret);
FBK_API void fbk_vm_destroy(struct fbk_vm *vm); /* after its vCPUs; NULL allowed */

/* @run: the vCPU's mmapped kvm_run, borrowed. Errors: -EINVAL; -ENOMEM. */
FBK_API FBK_MUST_CHECK int fbk_vcpu_create(struct fbk_vm *vm, int vcpu_fd, struct kvm_run *run, uint32_t index,
					   struct fbk_vcpu **ret);
FBK_API void fbk_vcpu_destroy(struct fbk_vcpu *vcpu);

/**
 * fbk_vcpu_sea - KVM_RUN returned with KVM_EXIT_ARM_SEA: walk the road
 * @ret: what the monitor must do before, or instead of, running this vCPU again
 *
 * Verdict FBK_VERDICT_REPLAY and _SERROR are already carried out: run the vCPU. _STOP and _PAUSE are the monitor's.
 *
 * Return:  0.
 * Errors:  -EBADMSG the exit's syndrome is no external abort; -EIO an ioctl failed (errno tells): the abort was not
 *          replayed, the guest must not be run on. The event has been told in both cases.
 * Context: the thread that ran KVM_RUN, before that vCPU runs again [SPEC V1].
 */
FBK_API FBK_MUST_CHECK int fbk_vcpu_sea(struct fbk_vcpu *vcpu, struct fbk_verdict *ret);

/**
 * fbk_vcpu_sigbus - SIGBUS BUS_MCEERR_AR reached the vCPU thread out of KVM_RUN: same road, same outcome
 * @si: the signal's siginfo (copied by the monitor's handler)
 *
 * Errors: as fbk_vcpu_sea(); -EINVAL not BUS_MCEERR_AR; -ERANGE si_addr is not guest RAM.
 */
FBK_API FBK_MUST_CHECK int fbk_vcpu_sigbus(struct fbk_vcpu *vcpu, const siginfo_t *si, struct fbk_verdict *ret);

/**
 * fbk_vm_sigbus - the monitor learnt of poison in guest RAM outside of any vCPU
 * @si: BUS_MCEERR_AO, or BUS_MCEERR_AR of an I/O thread whose copy failed
 *
 * Record, and report through the asynchronous source; nothing is replayed.
 *
 * Errors: -EINVAL; -ERANGE not guest RAM. Context: not from a signal handler; any thread.
 */
FBK_API FBK_MUST_CHECK int fbk_vm_sigbus(struct fbk_vm *vm, const siginfo_t *si, struct fbk_verdict *ret);

/**
 * fbk_vm_pump - deliver queued records whose turn has come
 * @ret_wait_ns: how long until it is worth calling again; UINT64_MAX: nothing is queued
 *
 * Context: any thread.
 */
FBK_API FBK_MUST_CHECK int fbk_vm_pump(struct fbk_vm *vm, uint64_t *ret_wait_ns);

/* The guest was reset: error blocks are as at boot, queued records are forgotten, the ledger stays. */
FBK_API FBK_MUST_CHECK int fbk_vm_reset(struct fbk_vm *vm);

/* The VM's ledger, for reading. Borrowed. */
FBK_API const struct fbk_ledger *fbk_vm_ledger(const struct fbk_vm *vm);

FBK_EXTERN_C_END

#endif
