/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * policy.h - what is to be done about one error. A decision is not an error: the policy always returns a verdict,
 * and the verdict always carries its reason.
 */
#ifndef FIREBREAK_POLICY_H
#define FIREBREAK_POLICY_H

#include <firebreak/sea.h>
#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum fbk_verdict_action {
	FBK_VERDICT_REPLAY, /* the same abort into the vCPU */
	FBK_VERDICT_REPORT, /* nothing to replay: asynchronous report only */
	FBK_VERDICT_SERROR, /* an SError into the vCPU: contained to the VM */
	FBK_VERDICT_STOP,   /* the monitor ends the VM with a diagnosis */
	FBK_VERDICT_PAUSE,  /* the monitor holds the VM for its operator; only when the policy names it */
};

enum fbk_reason {
	FBK_REASON_RECOVERABLE,	  /* SET says the guest can recover */
	FBK_REASON_ASYNC,	  /* nobody consumed it */
	FBK_REASON_UNCONTAINABLE, /* SET = UC, or the reserved value */
	FBK_REASON_STORM,	  /* the same abort again and again without progress */
	FBK_REASON_NO_INJECTION,  /* neither the kernel nor the library can inject an abort into this guest */
	FBK_REASON_POLICY,	  /* the operator's rule */
	FBK_REASON_NO_ADDRESS,	  /* neither GVA nor GPA: nobody could tell what was lost */
	FBK_REASON_HOST,	  /* an ioctl failed: the road could not be walked to its end */
	FBK_REASON_MALFORMED,	  /* the exit's syndrome is no external abort */
};

struct fbk_verdict {
	enum fbk_verdict_action action;
	enum fbk_reason reason;
	const char *text; /* the reason in words; static storage */
};

/*
 * The operator's choices. Where an action may be chosen it is one of REPLAY, SERROR, STOP, PAUSE.
 * Set it up with fbk_policy_default(), then change fields.
 */
struct fbk_policy {
	uint32_t size;				  /* sizeof(struct fbk_policy) */
	enum fbk_verdict_action recoverable;	  /* SET UER, UEO; default REPLAY */
	enum fbk_verdict_action uncontainable;	  /* SET UC; default SERROR */
	enum fbk_verdict_action no_address;	  /* neither GVA nor GPA; default SERROR */
	enum fbk_verdict_action storm;		  /* a storm's first end; default SERROR */
	enum fbk_verdict_action storm_again;	  /* the same storm goes on after that; default STOP */
	uint32_t storm_repeats;			  /* identical aborts in a row that make a storm; default 64; 0: never */
	uint32_t storm_gap_ms;			  /* two that lie further apart are not in a row; default 100 */
	uint32_t ack_wait_us;			  /* longest wait for the SEA source's acknowledgement; default 1000000 */
	uint32_t ack_poll_us;			  /* from the first look at it to the second, later ones are rarer; default 50 */
	uint32_t span_pages;			  /* most 4 KiB pages taken as lost with one larger host page; default 512 */
	uint32_t ledger_unsynced;		  /* 1: an error's record may reach the disk after the guest runs on; default 0 */
};

/* The one who remembers: a vCPU's latest abort and how often in a row it came. Zero-initialise; fields are private. */
struct fbk_history {
	struct fbk_abort abort;
	uint64_t pc;
	uint64_t last_ns;
	uint32_t repeats; /* identical aborts in a row, the latest included */
	uint32_t storms;  /* of those repeats, how often they filled a storm */
	uint32_t has_pc;
	uint32_t reserved;
};

/* What the policy looks at. */
struct fbk_policy_case {
	enum fbk_source source;
	const struct fbk_abort *abort;	   /* borrowed */
	const struct fbk_history *history; /* borrowed, this abort noted; NULL: none is kept */
};

/* The defaults named above, size included. Context: any. */
FBK_API void fbk_policy_default(struct fbk_policy *ret);

/**
 * fbk_policy_check - is this policy one the library can follow?
 *
 * Return:  0.
 * Errors:  -EINVAL null, size unknown, or an action that cannot be chosen there.
 */
FBK_API FBK_MUST_CHECK int fbk_policy_check(const struct fbk_policy *p);

/**
 * fbk_history_again - would this abort be a repeat of the latest one, as far as can be told without the PC?
 *
 * Lets the road read the PC only when it matters.
 *
 * Return:  1 yes, 0 no.
 * Context: the vCPU's thread; pure.
 */
FBK_API int fbk_history_again(const struct fbk_history *h, const struct fbk_policy *p, const struct fbk_abort *a,
			      uint64_t now_ns);

/**
 * fbk_history_note - count one abort
 * @pc:     guest PC; NULL when it was not read, which counts as equal
 * @now_ns: CLOCK_MONOTONIC, nanoseconds
 *
 * Context: the vCPU's thread; pure.
 */
FBK_API void fbk_history_note(struct fbk_history *h, const struct fbk_policy *p, const struct fbk_abort *a,
			      const uint64_t *pc, uint64_t now_ns);

/**
 * fbk_policy_decide - what is to be done
 * @p:   the policy (borrowed; fbk_policy_check() passed)
 * @c:   the case (borrowed)
 * @ret: the verdict
 *
 * In this order: not consumed; storm; uncontainable; no address; else recoverable. FBK_REASON_NO_INJECTION
 * is not given here: that a REPLAY cannot be carried out shows once the guest's state is known.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument or no such source.
 * Context: pure: same arguments, same verdict.
 * Spec:    [V7]
 */
FBK_API FBK_MUST_CHECK int fbk_policy_decide(const struct fbk_policy *p, const struct fbk_policy_case *c,
					     struct fbk_verdict *ret);

/* One stable word each, as in events; "invalid" outside the enumeration. */
FBK_API const char *fbk_verdict_name(enum fbk_verdict_action action);
FBK_API const char *fbk_reason_name(enum fbk_reason reason);

FBK_EXTERN_C_END

#endif
