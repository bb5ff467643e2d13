/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * metrics.h - what a VM's error handling has counted, and the same as Prometheus text. docs/formats/metrics.md.
 */
#ifndef FIREBREAK_METRICS_H
#define FIREBREAK_METRICS_H

#include <firebreak/event.h>
#include <firebreak/ghes.h>
#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Room in the arrays below, for words that are yet to come; the words themselves end with the first "invalid". */
#define FBK_METRICS_CLASSES 4
#define FBK_METRICS_SEVERITIES 4
#define FBK_METRICS_VERDICTS 8
#define FBK_METRICS_REASONS 32
#define FBK_METRICS_METHODS 8
#define FBK_METRICS_STATES 8
#define FBK_METRICS_BUCKETS 20

/* Times, by length: bucket[i] holds those up to fbk_metrics_bound_ns(i) and beyond the bound before it. */
struct fbk_metrics_times {
	uint64_t bucket[FBK_METRICS_BUCKETS];
	uint64_t sum_ns;
};

/* Counters only grow during a VM's life; those marked "now" are what is at this moment. */
struct fbk_metrics {
	uint32_t size; /* sizeof(struct fbk_metrics), set by the caller */
	uint32_t reserved;
	uint8_t vm[FBK_VM_ID_LEN]; /* as in events */

	/* Errors, each once in each of these; a malformed one has neither class nor severity. */
	uint64_t source[FBK_NR_SOURCES];
	uint64_t kind[FBK_METRICS_CLASSES];	   /* by enum fbk_abort_kind */
	uint64_t severity[FBK_METRICS_SEVERITIES]; /* by enum fbk_severity */
	uint64_t malformed;
	uint64_t verdict[FBK_METRICS_VERDICTS][FBK_METRICS_REASONS];
	uint64_t notify[FBK_METRICS_METHODS]; /* by enum fbk_notify */
	uint64_t replay[FBK_METRICS_METHODS]; /* by enum fbk_replay_method */
	struct fbk_metrics_times duration;    /* from when the library was told until everything was done */

	/* Records in the guest's error blocks. */
	uint64_t written[FBK_GHES_NR_SOURCES];
	uint64_t acknowledged[FBK_GHES_NR_SOURCES];
	uint64_t withdrawn[FBK_GHES_NR_SOURCES]; /* unread: the guest did not acknowledge in time */
	uint64_t acks_untold;			 /* acknowledgements counted, but for which there was no room to tell them */
	uint64_t queue_pages;			 /* now: wait for their record, besides those in overflow */
	uint64_t queue_overflow;		 /* now: 1: more wait than the queue holds; they are found in the ledger */

	/* The ledger. */
	uint64_t pages[FBK_METRICS_STATES]; /* now: by enum fbk_page_state */
	uint64_t capacity_pages;	    /* now */

	/* Its file; zeros without one. */
	uint64_t has_file;
	uint64_t file_bytes;		/* now: in use */
	uint64_t file_failures;		/* errors whose record could not be written at once */
	struct fbk_metrics_times sync;	/* the ledger's record of one error to the disk, where the policy waits for it */
};

/* Upper bound of a bucket, included in it; UINT64_MAX for the last one and beyond. */
FBK_API uint64_t fbk_metrics_bound_ns(uint32_t bucket);

#define FBK_METRICS_TEXT_MAX 65536 /* bytes that hold any snapshot's text with the VM's id for a label, NUL included */

/**
 * fbk_metrics_text - a snapshot in the Prometheus text exposition format 0.0.4
 * @m:  from fbk_vm_metrics() (borrowed)
 * @vm: value of the label "vm", UTF-8, escaped here; NULL: the snapshot's id as a UUID, "" when it is zeros
 *
 * Verdicts that were never given are left out; everything else is there from the start, with zeros.
 *
 * Return:  length without the NUL.
 * Errors:  -EINVAL null argument or size unknown; -ENOSPC buf too small (FBK_METRICS_TEXT_MAX suffices with @vm NULL).
 * Context: pure; async-signal-safe; does not allocate.
 * Spec:    [PROM-TEXT]
 */
FBK_API FBK_MUST_CHECK int fbk_metrics_text(const struct fbk_metrics *m, const char *vm, char *buf, size_t len);

FBK_EXTERN_C_END

#endif
