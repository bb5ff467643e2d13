/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * event.h - one structured event per error, and its JSON line.
 */
#ifndef FIREBREAK_EVENT_H
#define FIREBREAK_EVENT_H

#include <firebreak/inject.h>
#include <firebreak/ledger.h>
#include <firebreak/policy.h>
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
};

/* Everything that was learnt and done about one error. Plain; valid during the call that hands it over. */
struct fbk_event {
	uint32_t size;	  /* sizeof(struct fbk_event) */
	int32_t vcpu;	  /* index; -1: no vCPU was concerned */
	uint64_t seq;	  /* 1, 2, ... per VM, in the order in which the errors were learnt */
	uint64_t time_ns; /* CLOCK_REALTIME at which the library was told */
	uint64_t mono_ns; /* CLOCK_MONOTONIC of the same moment */

	enum fbk_source source;
	int32_t decode;	 /* 0; -EBADMSG: abort is empty and raw_* says why */
	uint64_t raw_flags; /* the exit's flags; 0 for other sources */
	uint64_t raw_esr;   /* the exit's esr; 0 for other sources */
	struct fbk_abort abort;
	int32_t el;	    /* guest exception level that was interrupted; -1: not looked at */
	uint32_t pages;	    /* 4 KiB guest pages taken as lost; 0 without a GPA */
	struct fbk_hva hva; /* where the monitor maps it; 0: not known */

	int32_t ledger; /* 1 new page, 0 known, -ENODATA no GPA, -ENOSPC the ledger is full */
	uint32_t count; /* errors on this page so far, this one included; 0 when ledger is negative */
	int32_t ledger_file; /* 1 in the ledger's file, synced if the policy says so; 0 nothing to write, or no file; or why
				not: what fbk_ledger_file_append() returned, written later */

	struct fbk_verdict verdict;

	enum fbk_notify notify;
	int32_t notify_err;   /* 0, or why not: -EBUSY the SEA source was not acknowledged in time (the asynchronous one
				 took over), -ENOSPC the queue is full (told later, from the ledger), -EHWPOISON the error
				 block itself is poisoned, or what raise_async returned */
	uint64_t ack_wait_ns; /* time spent waiting for the SEA source */
	uint64_t record;      /* serial number in the record's FRU text; 0: no record was written for it yet */

	enum fbk_replay_method replay;
	int32_t replay_err; /* 0, -EIO */
	int32_t sys_errno;  /* raw errno behind -EIO; else 0 */
	uint32_t repeats;   /* identical aborts in a row on this vCPU, this one included; 0: no vCPU */

	uint64_t duration_ns; /* from mono_ns until everything was done */
};

#define FBK_EVENT_JSON_MAX 1536 /* bytes that always hold one JSON line, newline and NUL included */

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

/* One stable word, as in events; "invalid" outside the enumeration. */
FBK_API const char *fbk_notify_name(enum fbk_notify notify);

FBK_EXTERN_C_END

#endif
