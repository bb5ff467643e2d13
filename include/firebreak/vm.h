/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * vm.h - the road of one error: observe, decode, record, decide, notify, retire, replay, tell.
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
#include <firebreak/ledger_file.h>
#include <firebreak/metrics.h>
#include <firebreak/policy.h>
#include <firebreak/retire.h>
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
	/* One event per error, after everything was done for it. May be called from any vCPU thread at once. Or NULL. */
	void (*event)(void *opaque, const struct fbk_event *ev);
	/* Pulse the GED's interrupt for the asynchronous source. 0, or a negative errno (recorded in the event). Needed with ghes. */
	int (*raise_async)(void *opaque);
	/* Records wait for the guest's acknowledgement, or retired frames for what is left to be done about them: call
	   fbk_vm_pump() soon, from a thread that may take a lock. Needed with ghes; without it, with retire alone, a vCPU waits
	   for that. */
	void (*want_pump)(void *opaque);
	/*
	 * The guest was seen to acknowledge a record: at a later error, or by fbk_vm_pump(), which also looks for it when it is
	 * called after an event. Called as event() is. Or NULL.
	 */
	void (*acknowledged)(void *opaque, const struct fbk_event_ack *ack);
};

/* An ARM processor error section: which vCPU took the abort, doing what. See fbk_cper_encode(). */
#define FBK_VM_CPER_PROCESSOR (1u << 0)

#define FBK_VM_DEFAULT_PAGES (1u << 20) /* 4 GiB of bad memory; 32 MiB of address space, of which only what is used is taken */

struct fbk_vm_config {
	uint32_t size;			    /* sizeof(struct fbk_vm_config) */
	int vm_fd;			    /* KVM VM; borrowed, must outlive the fbk_vm */
	const struct fbk_gmem *gmem;	    /* borrowed, must outlive the fbk_vm; complete, it does not change any more */
	const struct fbk_ghes_layout *ghes; /* copied; NULL: a guest without ACPI, told nothing but the abort */
	const struct fbk_policy *policy;    /* copied; NULL: fbk_policy_default() */
	const struct fbk_vm_ops *ops;	    /* borrowed */
	void *opaque;			    /* handed to every op */
	uint32_t max_pages;		    /* ledger capacity in pages; 0: all of guest RAM, at most FBK_VM_DEFAULT_PAGES;
					       those of ledger_file come on top */
	uint32_t cper;			    /* FBK_VM_CPER_*: what the SEA source's records say beside the page */
	struct fbk_ledger_file *ledger_file; /* borrowed: loaded here, and after fbk_vm_destroy() only closed; NULL: none */
	uint8_t id[FBK_VM_ID_LEN]; /* the VM's, as a UUID for example: in each of its events (copied); zeros: not said */
	struct fbk_retire *retire; /* borrowed, must outlive the fbk_vm, and is this VM's alone; NULL: lost pages stay in reach */
};

/**
 * fbk_vm_create - one VM's error handling
 * @cfg: borrowed during the call; what it points to as said there
 * @ret: the new object, freed with fbk_vm_destroy()
 *
 * Return:  0.
 * Errors:  -EINVAL null argument, size unknown, no such FBK_VM_CPER_*, a policy that fbk_policy_check() refuses, a layout
 *          outside guest RAM, an op is missing, more pages than a ledger can hold, or ledger_file was loaded before;
 *          -ENOMEM; -EIO probing the VM failed (errno tells).
 * Context: any thread. All memory that an error will need is taken here.
 */
FBK_API FBK_MUST_CHECK int fbk_vm_create(const struct fbk_vm_config *cfg, struct fbk_vm **ret);
FBK_API void fbk_vm_destroy(struct fbk_vm *vm); /* after its vCPUs; NULL allowed */

/**
 * fbk_vcpu_create - one vCPU's
 * @vm:      borrowed, must outlive the vCPU
 * @vcpu_fd: KVM vCPU; borrowed, must outlive the fbk_vcpu
 * @run:     the vCPU's mmapped kvm_run, borrowed likewise
 * @index:   its name in events
 * @ret:     the new object, freed with fbk_vcpu_destroy()
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -ENOMEM.
 */
FBK_API FBK_MUST_CHECK int fbk_vcpu_create(struct fbk_vm *vm, int vcpu_fd, struct kvm_run *run, uint32_t index,
					   struct fbk_vcpu **ret);
FBK_API void fbk_vcpu_destroy(struct fbk_vcpu *vcpu); /* NULL allowed */

/**
 * fbk_vcpu_sea - KVM_RUN returned with KVM_EXIT_ARM_SEA: walk the road
 * @ret: what the monitor must do before, or instead of, running this vCPU again
 *
 * Verdict FBK_VERDICT_REPLAY and _SERROR are already carried out: run the vCPU. _STOP and _PAUSE are the monitor's; with
 * them nothing was injected, and the vCPU, run again, takes the same exit.
 *
 * A guest that does not acknowledge is no error here: the abort is replayed all the same and the event says what could not
 * be done. The call takes at most the policy's ack_wait_us longer than its ioctls. A full ledger is no error either, but
 * the end of this VM, FBK_VERDICT_STOP: a page that is not remembered would come back as if it were good.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument, or kvm_run holds another exit; -EBADMSG the exit's syndrome is no external abort;
 *          -EIO an ioctl failed (errno tells). With the latter two the abort was not replayed, the guest must not be run
 *          on, and the event has been told.
 * Context: the thread that ran KVM_RUN, before that vCPU runs again [V1].
 */
FBK_API FBK_MUST_CHECK int fbk_vcpu_sea(struct fbk_vcpu *vcpu, struct fbk_verdict *ret);

/**
 * fbk_vcpu_sigbus - SIGBUS BUS_MCEERR_AR reached the vCPU thread out of KVM_RUN: same road, same outcome
 * @si: the signal's siginfo (copied by the monitor's handler)
 *
 * The page that si_addr names goes by the same notification as an SEA's. With si_addr_lsb above 12 the rest of that
 * host page (as far as it is guest RAM, and at most the policy's span_pages) is reported through the asynchronous source.
 *
 * Return:  0.
 * Errors:  as fbk_vcpu_sea(), without -EBADMSG; -EINVAL not BUS_MCEERR_AR; -ERANGE si_addr is not guest RAM.
 * Context: as fbk_vcpu_sea(); not from the signal handler.
 */
FBK_API FBK_MUST_CHECK int fbk_vcpu_sigbus(struct fbk_vcpu *vcpu, const siginfo_t *si, struct fbk_verdict *ret);

/**
 * fbk_vcpu_memory_fault - KVM_RUN failed with EHWPOISON: same road, same outcome
 * @err: the errno of KVM_RUN
 *
 * KVM tells so of memory that is not mapped into this process. With KVM_EXIT_MEMORY_FAULT in kvm_run the page is known,
 * as far as it is guest RAM the rest of its size, too; a page outside the view is believed. Without it the error has no
 * address, and the policy's no_address decides.
 *
 * Return:  0.
 * Errors:  as fbk_vcpu_sea(), without -EBADMSG; -EINVAL err is not EHWPOISON: no memory error, whatever the exit.
 * Context: as fbk_vcpu_sea().
 */
FBK_API FBK_MUST_CHECK int fbk_vcpu_memory_fault(struct fbk_vcpu *vcpu, int err, struct fbk_verdict *ret);

/**
 * fbk_vm_sigbus - the monitor learnt of poison in guest RAM outside of any vCPU
 * @si: BUS_MCEERR_AO, or BUS_MCEERR_AR of an I/O thread whose copy failed
 *
 * Record, and report through the asynchronous source; nothing is replayed. A page whose report still waits for the
 * guest, or was acknowledged by it, is recorded and not reported twice. Verdicts FBK_VERDICT_STOP, with which nothing is
 * reported, and _PAUSE are the monitor's. A frame that was retired, and that the kernel now tells of, is no error: the
 * ledger learns that the host has it, the verdict is FBK_VERDICT_REPORT, and there is no event.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument or no memory error; -ERANGE not guest RAM.
 * Context: not from a signal handler; any thread.
 */
FBK_API FBK_MUST_CHECK int fbk_vm_sigbus(struct fbk_vm *vm, const siginfo_t *si, struct fbk_verdict *ret);

/**
 * fbk_vm_pump - deliver queued records whose turn has come, lock retired frames and hand them over to the kernel
 * @ret_wait_ns: how long until it is worth calling again; UINT64_MAX: nothing waits
 *
 * Call it when want_pump asks, and once when a guest starts with a ledger file; then again whenever the returned time has
 * passed. It never blocks on the guest: it looks for the acknowledgement, and writes the next record (up to 8 pages) when it
 * is there. Since a guest acknowledges before it has isolated anything, records also keep a distance in time. While the
 * acknowledgement is missing the interrupt is raised again now and then, at growing intervals up to one second. For a
 * record in the SEA source's block nothing need be done: its acknowledgement only is looked for, so that it is told, for
 * about two seconds and ever less often.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -EHWPOISON the asynchronous source's block is itself poisoned: what is queued stays
 *          in the ledger and is not told.
 * Context: any thread.
 */
FBK_API FBK_MUST_CHECK int fbk_vm_pump(struct fbk_vm *vm, uint64_t *ret_wait_ns);

/**
 * fbk_vcpu_retry - KVM_RUN failed with EFAULT: run it again?
 *
 * A vCPU that touches a page in the moment in which it is retired gets EFAULT. This waits until that is over. It is asked
 * for each EFAULT anew, and says so at most once for each page that was retired: a fault that comes of something else
 * is the monitor's after that.
 *
 * Return:  1 run the vCPU again, 0 the fault has another cause, or null.
 * Context: the thread that ran KVM_RUN.
 */
FBK_API FBK_MUST_CHECK int fbk_vcpu_retry(struct fbk_vcpu *vcpu);

/**
 * fbk_vm_heal - the guest was reset: good memory for every page that was lost
 * @ret_kept: how many pages stay bad, whose state says so: not for the next guest's memory map
 *
 * A healed page reads as zeros; its bad frame stays where it is, which the ledger goes on to tell. A huge page of hugetlb
 * memory that the host itself found bad (FBK_FRAME_HOST) is healed as a whole, by another one of its size, if the region says
 * FBK_GMEM_REPLACE and the pool has one: all of it reads as zeros then. Not healed are other pages of hugetlb memory, those of
 * files without FBK_GMEM_REPLACE, and those of regions without a backing. State and frame are in the ledger's file, on the
 * disk, on return.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -EOPNOTSUPP the VM has no fbk_retire; -ENOSPC, -ENOENT, -EIO, -EBUSY,
 *          -EEXIST, -EACCES the ledger's file could not be written: the pages are healed (and *ret_kept is written), the
 *          file learns it later.
 * Context: while no vCPU runs and no device reads or writes, before the guest's memory is loaded.
 */
FBK_API FBK_MUST_CHECK int fbk_vm_heal(struct fbk_vm *vm, uint32_t *ret_kept);

/**
 * fbk_vm_reset - the guest was reset: error blocks are as at boot, queued records are forgotten, the ledger stays
 *
 * The new guest knows of no bad page: those that are not healed go from reported back to poisoned, and are told anew
 * by fbk_vm_pump(), which is asked for.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -EHWPOISON an error block is poisoned: that source is not used any more.
 * Context: while no vCPU runs, after the monitor has loaded the guest's memory anew.
 */
FBK_API FBK_MUST_CHECK int fbk_vm_reset(struct fbk_vm *vm);

/**
 * fbk_vm_left_out - the guest that starts now is not given this memory
 * @gpa, @len: bytes, multiples of FBK_PAGE_SIZE: what its memory map calls unusable, or does not mention
 *
 * Bad pages in it are not told to this guest, which has no use for them, by fbk_vm_pump(): with huge pages they can be many
 * thousands. Their state does not change.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument, not page-aligned, or beyond the last address.
 * Context: after fbk_vm_reset(), while no vCPU runs, on the thread that pumps: what was delivered before is told.
 */
FBK_API FBK_MUST_CHECK int fbk_vm_left_out(struct fbk_vm *vm, struct fbk_gpa gpa, uint64_t len);

/* The VM's ledger, for reading. Borrowed. */
FBK_API const struct fbk_ledger *fbk_vm_ledger(const struct fbk_vm *vm);

/* What the VM's kernel offers, FBK_KVM_* bits, as probed at creation. */
FBK_API uint32_t fbk_vm_kvm(const struct fbk_vm *vm);

/**
 * fbk_vm_metrics - what was counted so far, and what is now
 * @ret: size set by the caller; filled
 *
 * Counters of one error may be a moment apart.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument or size unknown.
 * Context: any thread; not from a signal handler; does not allocate.
 */
FBK_API FBK_MUST_CHECK int fbk_vm_metrics(struct fbk_vm *vm, struct fbk_metrics *ret);

FBK_EXTERN_C_END

#endif
