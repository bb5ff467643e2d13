/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * event.h - one structured event per error, one per acknowledgement, and their JSON lines.
 */
#ifndef FIREBREAK_EVENT_H
#define FIREBREAK_EVENT_H

#include <firebreak/cper.h>
#include <firebreak/inject.h>
#include <firebreak/ledger.h>
#include <firebreak/policy.h>
#include <firebreak/retire.h>
#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How the guest's ACPI was told. */
enum fbk_notify {
	FBK_NOTIFY_NONE = 0,   /* no GPA, no ACPI, or the VM is at its end */
	FBK_NOTIFY_SEA = 1,    /* record in the SEA source's block, read by the abort's handler */
	FBK_NOTIFY_ASYNC = 2,  /* record in the asynchronous source's block, interrupt raised */
	FBK_NOTIFY_QUEUED = 3, /* waits for the guest to acknowledge an earlier asynchronous record */
	FBK_NOTIFY_KNOWN = 4,  /* not told again: this guest has acknowledged a record of the page */
};

#define FBK_VM_ID_LEN 16

/* What the time of one error went into. Each starts where the one before it ended: together they are the duration. */
enum fbk_step {
	FBK_STEP_INSPECT = 0, /* observe, decode, the vCPU's registers, the ledger in memory, the verdict */
	FBK_STEP_NOTIFY = 1,  /* the guest's record, the wait for an acknowledgement included */
	FBK_STEP_RECORD = 2,  /* the ledger's file, synced if the policy says so */
	FBK_STEP_RETIRE = 3,  /* the page out of reach */
	FBK_STEP_REPLAY = 4,  /* the abort, or the SError, into the vCPU */
	FBK_NR_STEPS
};

/* Everything that was learnt and done about one error. Plain; valid during the call that hands it over. */
struct fbk_event {
	uint32_t size;	  /* sizeof(struct fbk_event) */
	int32_t vcpu;	  /* index; -1: no vCPU was concerned */
	uint8_t vm[FBK_VM_ID_LEN]; /* whose, as fbk_vm_config said; zeros: not said */
	uint64_t seq;	  /* 1, 2, ... per VM, in the order in which the errors were learnt */
	uint64_t time_ns; /* CLOCK_REALTIME at which the library was told */
	uint64_t mono_ns; /* CLOCK_MONOTONIC of the same moment */

	enum fbk_source source;
	int32_t decode;	 /* 0; -EBADMSG: abort is empty and raw_* says why */
	uint64_t raw_flags; /* the flags of the exit, SEA or memory fault; 0 for other sources */
	uint64_t raw_esr;   /* the exit's esr; 0 for other sources */
	struct fbk_abort abort;
	int32_t el;	    /* guest exception level that was interrupted; -1: not looked at */
	uint32_t pages;	    /* 4 KiB guest pages taken as lost; 0 without a GPA */
	struct fbk_hva hva; /* where the monitor maps it; 0: not known */

	int32_t ledger; /* 1 new page, 0 known, -ENODATA no GPA, -ENOSPC the ledger is full */
	uint32_t count; /* errors on this page so far, as fbk_ledger_record() counts them; 0 when ledger is negative */
	int32_t ledger_file; /* 1 in the ledger's file, synced if the policy says so; 0 nothing to write, or no file; or why
				not: what fbk_ledger_file_append() returned, written later */

	struct fbk_verdict verdict;

	enum fbk_notify notify;
	int32_t notify_err;   /* 0, or why not: -EBUSY the SEA source's earlier record was not acknowledged in time (it was
				 withdrawn; the asynchronous one tells of its page, and of this one), -ENOSPC the queue is
				 full (told later, from the ledger), -EHWPOISON the error block itself is poisoned, or what
				 raise_async returned */
	uint64_t ack_wait_ns; /* time spent waiting for the SEA source */
	uint64_t record;      /* serial number in the record's FRU text; 0: no record was written for it yet */

	int32_t acknowledged; /* when this was told the guest had acknowledged a record of the page (of this error or of an
				 earlier one): 1 yes, 0 no, -1 the page is not in the ledger */

	enum fbk_retired retire;
	int32_t retire_err;   /* 0, or why not: -EOPNOTSUPP nothing to do it with, -ENOSPC no more room in the graveyard or the
				 ledger, else the kernel's */
	enum fbk_frame frame; /* where the page's frame is; with FAILED and PINNED the guest cannot use the page at all */

	enum fbk_replay_method replay;
	int32_t replay_err; /* 0, -EIO */
	int32_t sys_errno;  /* raw errno behind -EIO; else 0 */
	uint32_t repeats;   /* identical aborts in a row on this vCPU, this one included; 0: no vCPU */

	uint64_t step_ns[FBK_NR_STEPS]; /* by enum fbk_step; 0: there was nothing to do there */
	uint64_t duration_ns; /* from mono_ns until everything was done; the sum of step_ns */
};

/* The guest acknowledged a record. An SEA's is acknowledged after its event was told: this is the other half. */
struct fbk_event_ack {
	uint32_t size;		/* sizeof(struct fbk_event_ack) */
	enum fbk_notify method; /* whose block it lay in: FBK_NOTIFY_SEA or FBK_NOTIFY_ASYNC */
	uint8_t vm[FBK_VM_ID_LEN];
	uint64_t seq;	    /* of the error that the record was written for; 0: an asynchronous one, for all that waited */
	uint64_t record;    /* its serial number, as in events */
	uint64_t time_ns;   /* CLOCK_REALTIME at which the acknowledgement was seen */
	uint64_t mono_ns;   /* CLOCK_MONOTONIC of the same moment */
	uint64_t waited_ns; /* since the record was written */
	uint32_t nr_pages;
	uint32_t reserved;
	struct fbk_gpa pages[FBK_CPER_MAX_PAGES]; /* that the record names */
};

#define FBK_EVENT_JSON_MAX 2048 /* bytes that always hold one JSON line of either kind, newline and NUL included */

/**
 * fbk_event_json - format an event as one JSON object and a newline
 *
 * Keys and words are stable: docs/formats/events.md.
 *
 * Return:  length without the NUL.
 * Errors:  -EINVAL null argument; -ENOSPC buf too small (FBK_EVENT_JSON_MAX always suffices).
 * Context: async-signal-safe; does not allocate; pure.
 */
FBK_API FBK_MUST_CHECK int fbk_event_json(const struct fbk_event *ev, char *buf, size_t len);

/**
 * fbk_event_ack_json - format an acknowledgement likewise
 *
 * Return:  length without the NUL.
 * Errors:  -EINVAL null argument, or nr_pages beyond FBK_CPER_MAX_PAGES; -ENOSPC buf too small.
 * Context: async-signal-safe; does not allocate; pure.
 */
FBK_API FBK_MUST_CHECK int fbk_event_ack_json(const struct fbk_event_ack *ack, char *buf, size_t len);

/* One stable word each, as in events; "invalid" outside the enumeration. */
FBK_API const char *fbk_notify_name(enum fbk_notify notify);
FBK_API const char *fbk_step_name(enum fbk_step step);

FBK_EXTERN_C_END

#endif
