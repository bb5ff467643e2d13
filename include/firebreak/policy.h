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

/* In the order of their gravity: of several rules that apply, the gravest decides. */
enum fbk_verdict_action {
	FBK_VERDICT_REPLAY, /* the same abort into the vCPU */
	FBK_VERDICT_REPORT, /* nothing to replay: asynchronous report only */
	FBK_VERDICT_SERROR, /* an SError into the vCPU: contained to the VM */
	FBK_VERDICT_PAUSE,  /* the monitor holds the VM for its operator; only when the policy names it */
	FBK_VERDICT_STOP,   /* the monitor ends the VM with a diagnosis */
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
	FBK_REASON_RATE,	  /* more errors in this VM, in a short time, than the policy allows */
	FBK_REASON_BUDGET,	  /* more pages of this VM are lost than the policy allows */
	FBK_REASON_LEDGER_FULL,	  /* the ledger has no room for the page */
};

struct fbk_verdict {
	enum fbk_verdict_action action;
	enum fbk_reason reason;
	const char *text; /* the reason in words; static storage */
};

#define FBK_RATE_MAX 1024 /* most errors that a rate can allow */

/*
 * The operator's choices: an action for each condition, and what makes the condition.
 *
 * An action for an error that a vCPU consumed is one of REPLAY, SERROR, PAUSE, STOP: with a report alone the vCPU would
 * stand at the same access as before, a storm of our own making. For an error that nobody consumed it is one of REPORT,
 * PAUSE, STOP: there is no vCPU to inject into. Set it up with fbk_policy_default(), then change fields. The fields'
 * names are the keys of the text: docs/formats/policy.md.
 */
struct fbk_policy {
	uint32_t size; /* sizeof(struct fbk_policy) */

	/* Of every consumed error: how severe it is; ... */
	enum fbk_verdict_action uer; /* SET UER, recoverable, also where no SET was stated; default REPLAY */
	enum fbk_verdict_action ueo; /* SET UEO, restartable; default REPLAY */
	enum fbk_verdict_action uc;  /* SET UC, uncontainable, and the reserved value; default SERROR */
	/* ... what is not known of where it is (one of these, or none); ... */
	enum fbk_verdict_action no_gva;	    /* the GVA alone is missing; default REPLAY */
	enum fbk_verdict_action no_gpa;	    /* the GPA alone is missing; default REPLAY */
	enum fbk_verdict_action no_address; /* neither is known; default SERROR */
	/* ... and who consumed it. */
	enum fbk_verdict_action user;	/* EL0; default REPLAY */
	enum fbk_verdict_action kernel; /* EL1; default REPLAY */

	/* By enum fbk_source. SIGBUS_AO and SIGBUS_IO, which nobody consumed: default REPORT. The others: default REPLAY. */
	enum fbk_verdict_action source[FBK_NR_SOURCES];

	enum fbk_verdict_action storm;	     /* a storm's first end; default SERROR */
	enum fbk_verdict_action storm_again; /* the same storm goes on after that; default STOP */
	uint32_t storm_repeats;		     /* identical aborts in a row that make a storm; default 64; 0: never */
	uint32_t storm_gap_ms;		     /* two that lie further apart are not in a row; default 100 */

	/* These two count every error of the VM. REPLAY and SERROR say nothing of one that nobody consumed. */
	enum fbk_verdict_action rate;	/* more than rate_errors within rate_ms, whatever the address; default STOP */
	uint32_t rate_errors;		/* at most FBK_RATE_MAX; default 0: no limit */
	uint32_t rate_ms;		/* default 1000; not 0 */
	enum fbk_verdict_action budget; /* more than budget_pages are lost; default STOP */
	uint32_t budget_pages;		/* 4 KiB pages, as the ledger knows them, without healed ones; default 0: no limit */

	uint32_t ack_wait_us;	  /* longest wait for the SEA source's acknowledgement; default 1000000 */
	uint32_t ack_poll_us;	  /* from the first look at it to the second, later ones are rarer; default 50 */
	uint32_t span_pages;	  /* most 4 KiB pages taken as lost with one larger host page; default 512; not 0 */
	uint32_t ledger_unsynced; /* 1: an error's record may reach the disk after the guest runs on; default 0 */
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

/* When a VM's latest errors came. Zero-initialise; fields are private. Only what the policy's rate needs is touched. */
struct fbk_rate {
	uint64_t last_ns;
	uint32_t next;	/* the oldest of them, where the next one goes */
	uint32_t count; /* how many are there */
	uint64_t at_ns[FBK_RATE_MAX];
};

/* What the policy looks at. */
struct fbk_policy_case {
	enum fbk_source source;
	int32_t el;			   /* the guest's exception level, 0 or 1; -1 not known: the graver rule of both applies */
	const struct fbk_abort *abort;	   /* borrowed */
	const struct fbk_history *history; /* borrowed, this abort noted; NULL: none is kept */
	uint32_t over_rate;		   /* what fbk_rate_note() returned for this error */
	uint32_t lost_pages;		   /* what fbk_ledger_lost() returned, this error recorded */
};

/* The defaults named above, size included. Context: any. */
FBK_API void fbk_policy_default(struct fbk_policy *ret);

/**
 * fbk_policy_check - is this policy one the library can follow?
 *
 * Return:  0.
 * Errors:  -EINVAL null, size unknown, an action that cannot be chosen there, or a number outside its range.
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
 * fbk_rate_note - count one error of the VM
 * @now_ns: CLOCK_MONOTONIC, nanoseconds; a clock that goes back stands still here
 *
 * Return:  1 with this one there are more than the policy's rate_errors of which the first and the last lie no more than
 *          rate_ms apart; 0 there are not, or there is no limit.
 * Context: one caller at a time, always with the same policy; constant time; pure.
 */
FBK_API int fbk_rate_note(struct fbk_rate *r, const struct fbk_policy *p, uint64_t now_ns);

/**
 * fbk_policy_decide - what is to be done
 * @p:   the policy (borrowed; fbk_policy_check() passed)
 * @c:   the case (borrowed)
 * @ret: the verdict
 *
 * Every rule that applies names an action, and the gravest wins. Of rules with the same action the reason is that of the
 * first in this order: storm, budget, rate, uncontainable, no address, and of the others, whose reason is the operator's
 * will alone: severity, source, exception level, one address missing. FBK_REASON_NO_INJECTION is not given here: that
 * a REPLAY cannot be carried out shows once the guest's state is known.
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

#define FBK_POLICY_TEXT_MAX 8192 /* bytes that always hold fbk_policy_format()'s text, NUL included */
#define FBK_POLICY_FILE_MAX 65536 /* longest text that fbk_policy_parse() reads */
#define FBK_POLICY_LINE_MAX 255	  /* longest line of one, without its end */

/* What is wrong with a policy's text, and where. */
struct fbk_policy_error {
	uint32_t line;	 /* from 1 */
	uint32_t column; /* from 1, in bytes */
	char text[192];	 /* one sentence without a full stop; printable ASCII */
};

/**
 * fbk_policy_parse - read a policy's text
 * @text: lines of `key = value`; need not end in NUL (borrowed)
 * @ret:  the defaults with what the text says; fbk_policy_check() passes
 * @ret_error: the first error, written with -EBADMSG only; or NULL
 *
 * Strict: what is not understood is refused, never passed over. docs/formats/policy.md.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -EBADMSG malformed.
 * Context: any; pure.
 */
FBK_API FBK_MUST_CHECK int fbk_policy_parse(const char *text, size_t len, struct fbk_policy *ret,
					    struct fbk_policy_error *ret_error);

/**
 * fbk_policy_format - the text that says a policy whole, every key with its meaning
 *
 * Parsed again it is the same policy. Where a value is not the default the default stands beside it.
 *
 * Return:  length without the NUL.
 * Errors:  -EINVAL null, or a policy that fbk_policy_check() refuses; -ENOSPC buf too small (FBK_POLICY_TEXT_MAX always
 *          suffices).
 * Context: any; pure.
 */
FBK_API FBK_MUST_CHECK int fbk_policy_format(const struct fbk_policy *p, char *buf, size_t len);

FBK_EXTERN_C_END

#endif
