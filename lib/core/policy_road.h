/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * policy_road.h - what the library asks of the policy beside the public calls, while a vCPU waits: no more than it needs.
 */
#ifndef FBK_CORE_POLICY_ROAD_H
#define FBK_CORE_POLICY_ROAD_H

#include <firebreak/policy.h>

/* What nearly every error comes to. */
extern const struct fbk_verdict fbk_verdict_recoverable;

/*
 * Whether fbk_policy_decide() says fbk_verdict_recoverable of every error that comes by this source and is like this one,
 * wherever it lies, whoever consumed it, and however many there were, unless they are a storm.
 */
static inline int fbk_policy_is_plain(const struct fbk_policy *p, enum fbk_source source, const struct fbk_abort *a)
{
	_Static_assert(FBK_VERDICT_REPLAY == 0, "so that all of them can be looked at in one");
	return source != FBK_SOURCE_SIGBUS_AO && source != FBK_SOURCE_SIGBUS_IO &&
	       !(p->uer | p->ueo | p->user | p->kernel | p->source[source] | p->rate_errors | p->budget_pages) &&
	       (a->severity == FBK_SEVERITY_UER || a->severity == FBK_SEVERITY_UEO) &&
	       !(~a->flags & (FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA));
}

/* fbk_history_again(), the gap in nanoseconds */
static inline int fbk_history_is_again(const struct fbk_history *h, uint64_t storm_gap_ns, const struct fbk_abort *a, uint64_t now_ns)
{
	const struct fbk_abort *b = &h->abort;

	/* All else follows from these. */
	uint64_t differs = (a->flags ^ b->flags) | (a->esr ^ b->esr) | (a->gva.addr ^ b->gva.addr) | (a->gpa.addr ^ b->gpa.addr);

	return !differs && h->repeats && now_ns - h->last_ns <= storm_gap_ns;
}

static inline uint64_t fbk_policy_storm_gap_ns(const struct fbk_policy *p)
{
	return (uint64_t)p->storm_gap_ms * 1000000;
}

/* fbk_history_note(), once that is known */
static inline void fbk_history_add(struct fbk_history *h, const struct fbk_policy *p, const struct fbk_abort *a, int is_again,
				   const uint64_t *pc, uint64_t now_ns)
{
	if (!is_again || (pc && h->has_pc && *pc != h->pc))
		*h = (struct fbk_history){ .abort = *a };
	if (pc) {
		h->has_pc = 1;
		h->pc = *pc;
	}
	h->last_ns = now_ns;
	if (h->repeats < UINT32_MAX)
		h->repeats++;
	h->storms = p->storm_repeats ? h->repeats / p->storm_repeats : 0;
}

#endif
