/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * vm_state.h - what one VM's and one vCPU's error handling remember.
 */
#ifndef FBK_HOST_VM_STATE_H
#define FBK_HOST_VM_STATE_H

#include "../core/counts.h"
#include "../core/cper_page.h"
#include "../core/handshake.h"
#include "../core/queue.h"
#include "block.h"
#include "lock.h"
#include "pattern.h"

#include <firebreak/vm.h>

#include <linux/kvm.h>

/* Page ranges that can wait for the guest. What comes beyond stays in the ledger and is told from there. */
#define FBK_QUEUE_RANGES 4096

/* Acknowledgements that were seen and not told yet: whoever saw them tells them once it has left the lock. */
#define FBK_ACKS 16

/* What happened at one source's block. */
struct fbk_told {
	uint64_t *slot;	   /* where the ledger has the record's one page; NULL: several, or it is to be looked for */
	uint64_t seq;	   /* of the error that the record in it was written for; 0: several */
	uint64_t wrote_ns; /* CLOCK_MONOTONIC */
	uint64_t written, acknowledged, withdrawn;
	uint64_t old_ns;     /* CLOCK_MONOTONIC when record old_serial was first found to lie there for too long */
	uint64_t old_serial;
};

struct fbk_vm {
	int vm_fd;
	uint32_t kvm;
	uint64_t tick_length; /* see clock.h */
	uint64_t storm_gap_ns; /* the policy's */
	const struct fbk_gmem *gmem;
	int has_ghes;
	int tell_processor;
	struct fbk_block block[FBK_GHES_NR_SOURCES];
	struct fbk_policy policy;
	const struct fbk_vm_ops *ops;
	void *opaque;
	struct fbk_ledger_file *ledger_file;
	uint8_t id[FBK_VM_ID_LEN];
	struct fbk_retire *retire; /* NULL: none; its lock is taken before ours */

	struct fbk_lock lock; /* all below; never held during an op, a sleep or an ioctl */
	struct fbk_vcpu *vcpus;   /* all there are */
	uint64_t seq;
	uint64_t serial;
	struct fbk_ledger ledger;
	void *ledger_storage;
	size_t ledger_len;
	struct fbk_handshake source[FBK_GHES_NR_SOURCES];
	uint64_t ack[FBK_GHES_NR_SOURCES]; /* the acknowledgement word when it was last looked at */
	struct fbk_queue queue;
	struct fbk_range *queue_ranges;
	int listens; /* the guest has acknowledged a record, and left none unread since; also read without the lock */
	int rescan; /* pages in the ledger, from rescan_cursor on, are still to be queued */
	uint32_t rescan_cursor;
	struct fbk_told told[FBK_GHES_NR_SOURCES];
	struct fbk_event_ack *acks; /* FBK_ACKS; NULL: nobody wants to be told */
	uint32_t nr_acks;	    /* atomic as well */
	uint64_t acks_untold;
	uint64_t raised_ns;  /* when the asynchronous source's interrupt was raised last */
	uint64_t backoff_ns; /* until it is raised again */
	uint64_t pace_ns;    /* CLOCK_MONOTONIC until which the guest has work from the last asynchronous record */
	int pacing;	     /* it was not seen to be acknowledged yet */
	struct fbk_cper_page page_record;	    /* the SEA source's */
	uint8_t record[FBK_GHES_BLOCK_LEN]; /* the asynchronous one's */
	struct fbk_rate rate;
	struct fbk_counts counts; /* of errors that no vCPU took, and of vCPUs that are gone */
};

struct fbk_vcpu {
	struct fbk_vm *vm;
	int fd;
	int32_t index;
	struct kvm_run *run;
	struct kvm_one_reg ask_pstate; /* into the next */
	uint64_t pstate;	       /* its own thread's: when its latest abort was inspected; 0: not asked then */
	struct fbk_pattern pattern; /* its own thread's: of its latest SEA exit, or of the one that is most likely */
	struct fbk_history history; /* its own thread's */
	struct fbk_counts counts;   /* written by its own thread */
	int identified;
	struct fbk_cper_processor identity; /* what is the same in each record */
	struct fbk_vcpu *next;	    /* with the VM's lock */
	uint64_t retire_seen;	    /* its own thread's: retirements begun when this vCPU last ran into one */
};

#endif
