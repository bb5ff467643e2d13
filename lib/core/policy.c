/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * policy.c - a verdict, with its reason, for one error.
 *
 * Why these defaults: an error that the architecture calls recoverable is the guest's to handle, so it is replayed. An
 * uncontainable one, or one without any address, may have spread in ways nobody can name, but not beyond this VM as
 * far as the host was told; an SError lets the guest end itself with its own crash dump, where stopping the VM from
 * outside would lose that. Only a guest that goes on all the same is stopped.
 */
#include <firebreak/policy.h>

#include <errno.h>
#include <string.h>

void fbk_policy_default(struct fbk_policy *ret)
{
	*ret = (struct fbk_policy){
		.size = sizeof(*ret),
		.recoverable = FBK_VERDICT_REPLAY,
		.uncontainable = FBK_VERDICT_SERROR,
		.no_address = FBK_VERDICT_SERROR,
		.storm = FBK_VERDICT_SERROR,
		.storm_again = FBK_VERDICT_STOP,
		.storm_repeats = 64,
		.storm_gap_ms = 100,
		.ack_wait_us = 1000000,
		.ack_poll_us = 50,
		.span_pages = 512,
	};
}

static int may_choose(enum fbk_verdict_action a)
{
	return a == FBK_VERDICT_REPLAY || a == FBK_VERDICT_SERROR || a == FBK_VERDICT_STOP || a == FBK_VERDICT_PAUSE;
}

int fbk_policy_check(const struct fbk_policy *p)
{
	if (!p || p->size != sizeof(*p))
		return -EINVAL;
	if (!may_choose(p->recoverable) || !may_choose(p->uncontainable) || !may_choose(p->no_address) ||
	    !may_choose(p->storm) || !may_choose(p->storm_again))
		return -EINVAL;
	if (p->span_pages == 0 || p->ledger_unsynced > 1)
		return -EINVAL;
	return 0;
}

static int again(const struct fbk_history *h, const struct fbk_policy *p, const struct fbk_abort *a, uint64_t now_ns)
{
	const struct fbk_abort *b = &h->abort;

	/* All else follows from these. */
	uint64_t differs = (a->flags ^ b->flags) | (a->esr ^ b->esr) | (a->gva.addr ^ b->gva.addr) |
			   (a->gpa.addr ^ b->gpa.addr);

	return h->repeats && !differs && now_ns - h->last_ns <= (uint64_t)p->storm_gap_ms * 1000000;
}

int fbk_history_again(const struct fbk_history *h, const struct fbk_policy *p, const struct fbk_abort *a, uint64_t now_ns)
{
	return again(h, p, a, now_ns);
}

void fbk_history_note(struct fbk_history *h, const struct fbk_policy *p, const struct fbk_abort *a, const uint64_t *pc,
		      uint64_t now_ns)
{
	if (!again(h, p, a, now_ns) || (pc && h->has_pc && *pc != h->pc))
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

static struct fbk_verdict verdict(enum fbk_verdict_action action, enum fbk_reason reason, const char *text)
{
	return (struct fbk_verdict){ .action = action, .reason = reason, .text = text };
}

static struct fbk_verdict consumed(const struct fbk_policy *p, const struct fbk_abort *a, const struct fbk_history *h)
{
	if (h && h->storms > 1)
		return verdict(p->storm_again, FBK_REASON_STORM,
			       "the same abort goes on without progress after its first escalation");
	if (h && h->storms == 1 && h->repeats == p->storm_repeats)
		return verdict(p->storm, FBK_REASON_STORM, "the same abort at the same place, again and again, without progress");
	if (a->severity == FBK_SEVERITY_UC)
		return verdict(p->uncontainable, FBK_REASON_UNCONTAINABLE, "the hardware calls the error uncontainable");
	if (a->severity == FBK_SEVERITY_RESERVED)
		return verdict(p->uncontainable, FBK_REASON_UNCONTAINABLE,
			       "the hardware gave a reserved severity, taken as uncontainable");
	if (!(a->flags & (FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA)))
		return verdict(p->no_address, FBK_REASON_NO_ADDRESS, "neither address is known: nobody can tell what was lost");
	if (p->recoverable != FBK_VERDICT_REPLAY)
		return verdict(p->recoverable, FBK_REASON_POLICY, "the operator's rule for recoverable errors");
	return verdict(FBK_VERDICT_REPLAY, FBK_REASON_RECOVERABLE, "recoverable: the guest gets the abort that the hardware raised");
}

int fbk_policy_decide(const struct fbk_policy *p, const struct fbk_policy_case *c, struct fbk_verdict *ret)
{
	if (!p || !c || !c->abort || !ret || (uint32_t)c->source >= FBK_NR_SOURCES)
		return -EINVAL;

	switch (c->source) {
	case FBK_SOURCE_SIGBUS_AO:
	case FBK_SOURCE_SIGBUS_IO:
		*ret = verdict(FBK_VERDICT_REPORT, FBK_REASON_ASYNC, "no vCPU consumed it: the guest is told where it is");
		return 0;
	default:
		break;
	}

	*ret = consumed(p, c->abort, c->history);
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
	case FBK_VERDICT_STOP:
		return "stop";
	case FBK_VERDICT_PAUSE:
		return "pause";
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
	}
	return "invalid";
}
