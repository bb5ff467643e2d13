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
};

enum fbk_reason {
	FBK_REASON_RECOVERABLE,	   /* SET says the guest can recover */
	FBK_REASON_ASYNC,	   /* nobody consumed it */
	FBK_REASON_UNCONTAINABLE,  /* SET = UC */
	FBK_REASON_STORM,	   /* the same abort again and again without progress */
	FBK_REASON_NO_INJECTION,   /* the kernel cannot inject an abort */
	FBK_REASON_POLICY,	   /* the operator's rule */
};

struct fbk_verdict {
	enum fbk_verdict_action action;
	enum fbk_reason reason;
	const char *text; /* the reason in words; static storage */
};

FBK_EXTERN_C_END

#endif
