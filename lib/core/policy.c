/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * policy.c - a verdict, with its reason, for one error. Why these defaults: docs/decisions/0002-policy-defaults.md.
 */
#include "policy_key.h"
#include "policy_road.h"

#include <errno.h>

void fbk_policy_default(struct fbk_policy *ret)
{
	/* What is not named is 0: replay, and no limit. */
	*ret = (struct fbk_policy){
		.size = sizeof(*ret),
		.uc = FBK_VERDICT_SERROR,
		.no_address = FBK_VERDICT_SERROR,
		.source[FBK_SOURCE_SIGBUS_AO] = FBK_VERDICT_REPORT,
		.source[FBK_SOURCE_SIGBUS_IO] = FBK_VERDICT_REPORT,
		.storm = FBK_VERDICT_SERROR,
		.storm_again = FBK_VERDICT_STOP,
		.storm_repeats = 64,
		.storm_gap_ms = 100,
		.rate = FBK_VERDICT_STOP,
		.rate_ms = 1000,
		.budget = FBK_VERDICT_STOP,
		.ack_wait_us = 1000000,
		.ack_poll_us = 50,
		.span_pages = 512,
	};
}

int fbk_policy_check(const struct fbk_policy *p)
{
	struct fbk_policy_key k;
	uint32_t i;

	if (!p || p->size != sizeof(*p))
		return -EINVAL;
	for (i = 0; i < FBK_POLICY_NR_KEYS; i++) {
		fbk_policy_key_at(i, &k);
		if (!fbk_policy_key_allows(&k, fbk_policy_key_get(p, &k)))
			return -EINVAL;
	}
	return 0;
}

int fbk_history_again(const struct fbk_history *h, const struct fbk_policy *p, const struct fbk_abort *a, uint64_t now_ns)
{
	return fbk_history_is_again(h, fbk_policy_storm_gap_ns(p), a, now_ns);
}

void fbk_history_note(struct fbk_history *h, const struct fbk_policy *p, const struct fbk_abort *a, const uint64_t *pc,
		      uint64_t now_ns)
{
	fbk_history_add(h, p, a, fbk_history_again(h, p, a, now_ns), pc, now_ns);
}

int fbk_rate_note(struct fbk_rate *r, const struct fbk_policy *p, uint64_t now_ns)
{
	uint64_t oldest_ns;

	if (!p->rate_errors)
		return 0;
	if (now_ns > r->last_ns)
		r->last_ns = now_ns;
	/* With rate_errors of them remembered the oldest is the one that decides: no need to look at the others. */
	oldest_ns = r->at_ns[r->next];
	r->at_ns[r->next] = r->last_ns;
	if (++r->next == p->rate_errors)
		r->next = 0;
	if (r->count < p->rate_errors) {
		r->count++;
		return 0;
	}
	return r->last_ns - oldest_ns <= (uint64_t)p->rate_ms * 1000000;
}

/* Rules are asked from the least to the most telling reason: a later one takes over with the same action, too. */
static void rule(struct fbk_verdict *v, enum fbk_verdict_action action, enum fbk_reason reason, const char *text)
{
	if (action >= v->action)
		*v = (struct fbk_verdict){ .action = action, .reason = reason, .text = text };
}

/* A rule whose reason is the operator's will alone says nothing where it changes nothing. */
static void will(struct fbk_verdict *v, enum fbk_verdict_action action, const char *text)
{
	if (action > v->action)
		rule(v, action, FBK_REASON_POLICY, text);
}

static const char over_rate[] = "more memory errors in a short time than the policy allows this virtual machine";
static const char over_budget[] = "more pages are lost than the policy allows this virtual machine";

static int is_over_budget(const struct fbk_policy *p, const struct fbk_policy_case *c)
{
	return p->budget_pages && c->lost_pages > p->budget_pages;
}

const struct fbk_verdict fbk_verdict_recoverable = { FBK_VERDICT_REPLAY, FBK_REASON_RECOVERABLE,
						     "recoverable: the guest gets the abort that the hardware raised" };

static struct fbk_verdict severity(const struct fbk_policy *p, const struct fbk_abort *a)
{
	struct fbk_verdict v = fbk_verdict_recoverable;

	if (a->severity == FBK_SEVERITY_UEO)
		will(&v, p->ueo, "the operator's rule for restartable errors");
	else if (a->severity == FBK_SEVERITY_UER)
		will(&v, p->uer, "the operator's rule for recoverable errors");
	return v;
}

static void exception_level(struct fbk_verdict *v, const struct fbk_policy *p, int32_t el)
{
	if (el != 1)
		will(v, p->user, "the operator's rule for errors that user mode consumes");
	if (el != 0)
		will(v, p->kernel, "the operator's rule for errors that the guest's kernel consumes");
}

static struct fbk_verdict consumed(const struct fbk_policy *p, const struct fbk_policy_case *c)
{
	const struct fbk_history *h = c->history;
	const struct fbk_abort *a = c->abort;
	struct fbk_verdict v = severity(p, a);
	uint32_t known = a->flags & (FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA);

	will(&v, p->source[c->source], "the operator's rule for the source that told of the error");
	exception_level(&v, p, c->el);
	if (known == FBK_SEA_HAS_GPA)
		will(&v, p->no_gva, "the operator's rule for errors without a virtual address");
	else if (known == FBK_SEA_HAS_GVA)
		will(&v, p->no_gpa, "the operator's rule for errors without a physical address");
	else if (!known)
		rule(&v, p->no_address, FBK_REASON_NO_ADDRESS, "neither address is known: nobody can tell what was lost");
	if (a->severity == FBK_SEVERITY_UC)
		rule(&v, p->uc, FBK_REASON_UNCONTAINABLE, "the hardware calls the error uncontainable");
	else if (a->severity == FBK_SEVERITY_RESERVED)
		rule(&v, p->uc, FBK_REASON_UNCONTAINABLE, "the hardware gave a reserved severity, taken as uncontainable");
	if (c->over_rate)
		rule(&v, p->rate, FBK_REASON_RATE, over_rate);
	if (is_over_budget(p, c))
		rule(&v, p->budget, FBK_REASON_BUDGET, over_budget);
	if (h && h->storms > 1)
		rule(&v, p->storm_again, FBK_REASON_STORM, "the same abort goes on without progress after its first escalation");
	else if (h && h->storms == 1 && h->repeats == p->storm_repeats)
		rule(&v, p->storm, FBK_REASON_STORM, "the same abort at the same place, again and again, without progress");
	return v;
}

static struct fbk_verdict unconsumed(const struct fbk_policy *p, const struct fbk_policy_case *c)
{
	struct fbk_verdict v = { FBK_VERDICT_REPORT, FBK_REASON_ASYNC, "no vCPU consumed it: there is nothing to replay" };

	will(&v, p->source[c->source], "the operator's rule for the source that told of the error");
	/* A replay or an SError has no vCPU to go to: it waits for an error that is consumed. */
	if (c->over_rate && p->rate > FBK_VERDICT_SERROR)
		rule(&v, p->rate, FBK_REASON_RATE, over_rate);
	if (is_over_budget(p, c) && p->budget > FBK_VERDICT_SERROR)
		rule(&v, p->budget, FBK_REASON_BUDGET, over_budget);
	return v;
}

int fbk_policy_decide(const struct fbk_policy *p, const struct fbk_policy_case *c, struct fbk_verdict *ret)
{
	if (!p || !c || !c->abort || !ret || (uint32_t)c->source >= FBK_NR_SOURCES)
		return -EINVAL;
	*ret = fbk_source_is_async(c->source) ? unconsumed(p, c) : consumed(p, c);
	return 0;
}

const char *fbk_verdict_name(enum fbk_verdict_action action)
{
	switch (action) {
	case FBK_VERDICT_REPLAY:
		return "replay";
	case FBK_VERDICT_REPORT:
		return "report";
	case FBK_VERDICT_SERROR:
		return "serror";
	case FBK_VERDICT_PAUSE:
		return "pause";
	case FBK_VERDICT_STOP:
		return "stop";
	}
	return "invalid";
}

const char *fbk_reason_name(enum fbk_reason reason)
{
	switch (reason) {
	case FBK_REASON_RECOVERABLE:
		return "recoverable";
	case FBK_REASON_ASYNC:
		return "async";
	case FBK_REASON_UNCONTAINABLE:
		return "uncontainable";
	case FBK_REASON_STORM:
		return "storm";
	case FBK_REASON_NO_INJECTION:
		return "no-injection";
	case FBK_REASON_POLICY:
		return "policy";
	case FBK_REASON_NO_ADDRESS:
		return "no-address";
	case FBK_REASON_HOST:
		return "host";
	case FBK_REASON_MALFORMED:
		return "malformed";
	case FBK_REASON_RATE:
		return "rate";
	case FBK_REASON_BUDGET:
		return "budget";
	case FBK_REASON_LEDGER_FULL:
		return "ledger-full";
	}
	return "invalid";
}
