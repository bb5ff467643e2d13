/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * road.c - the road of one error: observe, decode, record, decide, notify, retire, replay, tell.
 *
 * A vCPU stands still meanwhile, so that what costs is not done twice nor in vain: one look into the lock, registers only
 * where something depends on them, and what follows from the kind of error alone is known beforehand (pattern.h).
 */
#include "road.h"

#include "../core/entry.h"
#include "../core/ledger_road.h"
#include "../core/policy_road.h"
#include "clock.h"
#include "inject_road.h"
#include "kvm_uapi.h"
#include "notify.h"
#include "observe.h"
#include "one_reg.h"
#include "retire.h"
#include "vm_state.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* What most errors do not need stands apart, where the registers and the stack that it takes cost them nothing. */
#define OFF_THE_ROAD __attribute__((noinline, cold))
#define ON_THE_ROAD inline __attribute__((always_inline))

/* When the library was told. */
struct moment {
	uint64_t time_ns, mono_ns, ticks;
};

/* Which step the time goes into, and since when. The clock is read between steps that are taken, and once. */
struct stopwatch {
	enum fbk_step step;
	uint64_t since; /* ticks */
};

static ON_THE_ROAD struct moment this_moment(void)
{
	struct moment m;

	m.time_ns = fbk_clock_ns(CLOCK_REALTIME);
	m.mono_ns = fbk_clock_ns(CLOCK_MONOTONIC);
	m.ticks = fbk_ticks(m.mono_ns);
	return m;
}

static ON_THE_ROAD void stamp(struct fbk_event *ev, const struct moment *m)
{
	ev->time_ns = m->time_ns;
	ev->mono_ns = m->mono_ns;
}

/* An event of which nothing is known yet. */
static OFF_THE_ROAD void blank(const struct fbk_vm *vm, int32_t vcpu, struct fbk_event *ev)
{
	memset(ev, 0, sizeof(*ev));
	ev->size = sizeof(*ev);
	ev->vcpu = vcpu;
	ev->el = -1;
	ev->ledger = -ENODATA;
	ev->acknowledged = -1;
	memcpy(ev->vm, vm->id, sizeof(ev->vm));
}

/* The time until now goes to the step that ends here. */
static ON_THE_ROAD void enter(const struct fbk_vm *vm, struct fbk_event *ev, struct stopwatch *watch, enum fbk_step step)
{
	uint64_t now = fbk_ticks(0), ns = fbk_ticks_ns(now - watch->since, vm->tick_length);

	ev->step_ns[watch->step] += ns;
	ev->duration_ns += ns;
	watch->step = step;
	watch->since = now;
}

static int is_single(const struct fbk_span *span)
{
	return span->nr_pages == 1 && !span->next;
}

/*
 * PSTATE says which source is to tell of the page, what the kernel's helper left out of a syndrome, and who consumed the
 * error, if the policy makes a difference of that.
 */
static int needs_pstate(const struct fbk_vm *vm, const struct fbk_abort *a, int has_pages)
{
	return (vm->has_ghes && has_pages) || vm->policy.user != vm->policy.kernel || !fbk_entry_kernel_suffices(a, vm->kvm);
}

/* From an event in which is what was observed; the rest of what can be known beforehand is filled in. */
static OFF_THE_ROAD void learn(const struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_span *span, struct fbk_pattern *ret)
{
	const struct fbk_abort *a = &ev->abort;

	ret->answers = vm->acks ? FBK_PATTERN_ACKS : 0;
	if (fbk_policy_is_plain(&vm->policy, ev->source, a)) {
		ret->answers |= FBK_PATTERN_PLAIN;
		ev->verdict = fbk_verdict_recoverable;
	}
	if (fbk_inject_is_plain(a, vm->kvm))
		ret->answers |= FBK_PATTERN_HELPER;
	if (needs_pstate(vm, a, span->nr_pages != 0))
		ret->answers |= FBK_PATTERN_PSTATE;
	if (span->nr_pages) {
		ret->answers |= FBK_PATTERN_PAGES | (is_single(span) ? 0 : FBK_PATTERN_MORE) | (vm->has_ghes ? FBK_PATTERN_NOTIFY : 0) |
				(vm->retire ? FBK_PATTERN_RETIRE : 0) | (vm->ledger_file ? FBK_PATTERN_FILE : 0);
		ev->pages = span->nr_pages;
		ev->acknowledged = 0;
	}
	fbk_inject_prepare(a->kind, &ret->inject);
	ret->learnt = fbk_counts_learnt(ev);
	ret->ev = *ev;
	ret->ev.abort.gva.addr = ret->ev.abort.gpa.addr = 0;
}

static struct fbk_span page_of(const struct fbk_event *ev)
{
	return (struct fbk_span){ .page = ev->abort.gpa.addr & FBK_PAGE_MASK, .nr_pages = ev->abort.flags & FBK_SEA_HAS_GPA ? 1 : 0 };
}

/* The pages that are lost, where a step wants them one by one. NULL stands for the touched one alone. */
static const struct fbk_span *span_of(const struct fbk_event *ev, const struct fbk_span *span, struct fbk_span *own)
{
	if (span)
		return span;
	*own = page_of(ev);
	return own;
}

static OFF_THE_ROAD void not_recorded(struct fbk_event *ev)
{
	ev->ledger = -ENOSPC;
	ev->count = 0;
	ev->acknowledged = -1;
}

/* The pages of the span beside the touched one. */
static OFF_THE_ROAD void record_rest(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_span *span, uint64_t touched)
{
	const struct fbk_span *s;
	uint64_t *slot;
	uint32_t i;

	for (s = span; s; s = s->next) {
		if (s != span)
			ev->pages += s->nr_pages;
		for (i = 0; i < s->nr_pages; i++) {
			uint64_t page = s->page + i * FBK_PAGE_SIZE;

			if (page != touched && !fbk_ledger_count(&vm->ledger, page, ev->source, ev->time_ns, &slot))
				not_recorded(ev);
		}
	}
}

/*
 * Every page of the span goes into the ledger; what the ledger says of the touched one goes into the event. Called with
 * the lock held. Return: where the ledger has the touched one; NULL: nowhere.
 */
static ON_THE_ROAD uint64_t *record(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_span *span, uint32_t answers)
{
	uint64_t touched = ev->abort.gpa.addr & FBK_PAGE_MASK;
	uint64_t *slot;
	uint32_t count;

	ev->seq = ++vm->seq;
	if (!(answers & FBK_PATTERN_PAGES))
		return NULL;
	/* The touched page first: should the ledger fill up, it is the one that must be in it. */
	count = fbk_ledger_count(&vm->ledger, touched, ev->source, ev->time_ns, &slot);
	ev->count = count & ~FBK_LEDGER_NEW;
	ev->ledger = count / FBK_LEDGER_NEW;
	if (!count)
		not_recorded(ev);
	if (answers & FBK_PATTERN_MORE)
		record_rest(vm, ev, span, touched);
	return slot;
}

/* Before anything more is told to the guest, and before it runs on [V5]; without the lock, since a disk takes its time. */
static OFF_THE_ROAD void keep(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_span *span)
{
	const struct fbk_span *s;
	struct fbk_span own;
	int err = 0;

	for (s = span_of(ev, span, &own); s; s = s->next) {
		int sync = !vm->policy.ledger_unsynced && !s->next;
		int r = fbk_ledger_file_append(vm->ledger_file, (struct fbk_gpa){ s->page }, s->nr_pages, sync);

		if (r && !err)
			err = r;
	}
	ev->ledger_file = err ? err : ev->ledger >= 0;
}

/* A ledger that is full counts no further, and whoever set a limit wants it to hold. */
static uint32_t lost_pages(const struct fbk_vm *vm, const struct fbk_event *ev)
{
	return ev->ledger == -ENOSPC ? UINT32_MAX : fbk_ledger_lost(&vm->ledger);
}

/* Called with the lock held. */
static OFF_THE_ROAD void decide_by_rules(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_history *history)
{
	struct fbk_policy_case c = {
		.source = ev->source,
		.el = ev->el,
		.abort = &ev->abort,
		.history = history,
	};

	if (vm->policy.rate_errors)
		c.over_rate = (uint32_t)fbk_rate_note(&vm->rate, &vm->policy, ev->mono_ns);
	if (vm->policy.budget_pages)
		c.lost_pages = lost_pages(vm, ev);
	if (fbk_policy_decide(&vm->policy, &c, &ev->verdict))
		ev->verdict = (struct fbk_verdict){ FBK_VERDICT_STOP, FBK_REASON_HOST, "the library asked its policy of no error" };
	/* A page that is not remembered is handed out again, and nobody is told of it: no policy can want that [V5]. */
	if (ev->ledger == -ENOSPC && ev->verdict.action != FBK_VERDICT_PAUSE && ev->verdict.action != FBK_VERDICT_STOP)
		ev->verdict = (struct fbk_verdict){ FBK_VERDICT_STOP, FBK_REASON_LEDGER_FULL,
						    "the ledger is full: this page could not be kept from use" };
}

/* Without the kernel's helper it takes an AArch64 EL1; PSTATE was then read. */
static int can_replay(const struct fbk_vm *vm, uint64_t pstate)
{
	return (vm->kvm & FBK_KVM_INJECT_EXT_DABT) || fbk_entry_possible(pstate);
}

/* Called with the lock held. Where there is one answer as long as all goes well, it stands in the event already. */
static ON_THE_ROAD void decide(struct fbk_vcpu *vcpu, struct fbk_event *ev, uint32_t answers)
{
	struct fbk_vm *vm = vcpu->vm;

	/* A plain error has a page, and a page without a count is not in the ledger. */
	if (!(answers & FBK_PATTERN_PLAIN) || vcpu->history.storms || !ev->count)
		decide_by_rules(vm, ev, &vcpu->history);
	if (!(answers & FBK_PATTERN_HELPER) && ev->verdict.action == FBK_VERDICT_REPLAY && !can_replay(vm, vcpu->pstate))
		ev->verdict = (struct fbk_verdict){ FBK_VERDICT_SERROR, FBK_REASON_NO_INJECTION,
						    "the host kernel cannot inject an abort into a 32-bit guest" };
}

/*
 * A register costs a system call, as much as all the rest of the road. The PC tells repeats at one place from repeats at
 * several, which matters only once there are enough of them to be half a storm.
 */
static ON_THE_ROAD int needs_pc(const struct fbk_vcpu *vcpu)
{
	const struct fbk_policy *p = &vcpu->vm->policy;

	return p->storm_repeats && vcpu->history.repeats + 1 >= p->storm_repeats / 2;
}

static OFF_THE_ROAD int remember_with_pc(struct fbk_vcpu *vcpu, struct fbk_event *ev)
{
	uint64_t pc;
	int err = fbk_one_reg_get(vcpu->fd, FBK_REG_PC, &pc);

	if (!err)
		fbk_history_add(&vcpu->history, &vcpu->vm->policy, &ev->abort, 1, &pc, ev->mono_ns);
	return err;
}

static ON_THE_ROAD int remember(struct fbk_vcpu *vcpu, struct fbk_event *ev)
{
	const struct fbk_policy *p = &vcpu->vm->policy;
	int again = fbk_history_is_again(&vcpu->history, vcpu->vm->storm_gap_ns, &ev->abort, ev->mono_ns);
	int err = 0;

	if (again && needs_pc(vcpu))
		err = remember_with_pc(vcpu, ev);
	else
		fbk_history_add(&vcpu->history, p, &ev->abort, again, NULL, ev->mono_ns);
	if (!err)
		ev->repeats = vcpu->history.repeats;
	return err;
}

/* Which of the guest's processors it is, asked once. What the kernel does not say is left out. */
static OFF_THE_ROAD void identify(struct fbk_vcpu *vcpu)
{
	if (fbk_one_reg_get(vcpu->fd, FBK_REG_MPIDR_EL1, &vcpu->identity.mpidr) == 0)
		vcpu->identity.flags = FBK_CPER_HAS_MPIDR;
	if (fbk_one_reg_get(vcpu->fd, FBK_REG_MIDR_EL1, &vcpu->identity.midr))
		vcpu->identity.midr = 0;
	vcpu->identified = 1;
}

/* What has to be asked of the vCPU. Errors: -EIO. */
static ON_THE_ROAD int inspect(struct fbk_vcpu *vcpu, struct fbk_event *ev, uint32_t answers)
{
	int err = remember(vcpu, ev);

	vcpu->pstate = 0;
	if (err || !(answers & FBK_PATTERN_PSTATE))
		return err;
	err = fbk_one_reg_ask(vcpu->fd, &vcpu->ask_pstate);
	if (!err)
		ev->el = (int32_t)fbk_entry_el(vcpu->pstate);
	if (!err && vcpu->vm->tell_processor && !vcpu->identified)
		identify(vcpu);
	return err;
}

/* By the asynchronous source, in part or altogether. */
static OFF_THE_ROAD void notify_async(struct fbk_vcpu *vcpu, struct fbk_event *ev, const struct fbk_span *span, uint64_t *slot,
				      struct fbk_after *after)
{
	struct fbk_span own;

	if (ev->verdict.action != FBK_VERDICT_REPLAY || ev->el != 0) {
		fbk_notify_async(vcpu->vm, span_of(ev, span, &own), ev, after);
		return;
	}
	fbk_notify_sea(vcpu, ev, slot, after);
	fbk_notify_rest(vcpu->vm, span_of(ev, span, &own), ev, after);
}

static OFF_THE_ROAD void retire(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_span *span)
{
	struct fbk_span own;

	fbk_retire_step(vm, ev, span_of(ev, span, &own));
}

/* What notify left to be done without the lock. */
static OFF_THE_ROAD void finish(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_after *after)
{
	int err = fbk_notify_finish(vm, after);

	if (err && !ev->notify_err)
		ev->notify_err = err;
}

/*
 * The page is told of, out of reach, and on the disk. Called with the lock held, and gives it back. @slot: what record() returned.
 *
 * Linux asks the SEA source for aborts from user mode only; a record left there for a kernel-mode one would never be read
 * and would mislead the next. So it is EL0 that decides which source speaks.
 */
static struct stopwatch contain(struct fbk_vcpu *vcpu, struct fbk_event *ev, uint32_t answers, const struct fbk_span *span,
				uint64_t *slot, struct stopwatch watch)
{
	struct fbk_vm *vm = vcpu->vm;
	struct fbk_after after = { 0 };

	if ((answers & FBK_PATTERN_NOTIFY) && ev->verdict.action != FBK_VERDICT_STOP) {
		enter(vm, ev, &watch, FBK_STEP_NOTIFY);
		if (ev->verdict.action != FBK_VERDICT_REPLAY || ev->el != 0 || (answers & FBK_PATTERN_MORE))
			notify_async(vcpu, ev, span, slot, &after);
		else
			fbk_notify_sea(vcpu, ev, slot, &after);
	}
	fbk_lock_release(&vm->lock);

	/* Without the lock, as other vCPUs may wait for it meanwhile. */
	if (answers & FBK_PATTERN_RETIRE) {
		enter(vm, ev, &watch, FBK_STEP_RETIRE);
		retire(vm, ev, span);
	}
	if (answers & FBK_PATTERN_FILE) {
		enter(vm, ev, &watch, FBK_STEP_RECORD);
		keep(vm, ev, span);
	}
	if (after.raise | after.pump) {
		if (watch.step != FBK_STEP_NOTIFY)
			enter(vm, ev, &watch, FBK_STEP_NOTIFY);
		finish(vm, ev, &after);
	}
	return watch;
}

static OFF_THE_ROAD int replay_otherwise(struct fbk_vcpu *vcpu, struct fbk_event *ev)
{
	uint32_t kvm = vcpu->vm->kvm;

	if (ev->verdict.action == FBK_VERDICT_REPLAY)
		return fbk_inject_abort(vcpu->fd, vcpu->run, kvm, &ev->abort, vcpu->pstate, &ev->replay);
	return fbk_inject_serror(vcpu->fd, kvm, &ev->replay);
}

static ON_THE_ROAD int replay(struct fbk_vcpu *vcpu, struct fbk_event *ev, const struct fbk_pattern *pattern, uint32_t answers,
			      enum fbk_verdict_action action)
{
	int err;

	if (action != FBK_VERDICT_REPLAY || !(answers & FBK_PATTERN_HELPER))
		return replay_otherwise(vcpu, ev);
	err = fbk_inject_by_helper(vcpu->fd, &pattern->inject);
	if (!err)
		ev->replay = FBK_REPLAY_HELPER;
	return err;
}

/*
 * Closes the event, and counts it.
 *
 * @counts: whose the error is; this thread is their only writer now
 * @slot: what record() returned
 */
static ON_THE_ROAD void count(const struct fbk_vm *vm, struct fbk_counts *counts, struct fbk_event *ev,
			      const struct fbk_pattern *pattern, uint64_t *slot, struct stopwatch *watch)
{
	const uint32_t answers = pattern->answers;

	enter(vm, ev, watch, watch->step);
	/* Does the guest know of the page? It has still to read what it is being told of a new one. */
	if ((answers & FBK_PATTERN_NOTIFY) && !ev->ledger)
		ev->acknowledged = !fbk_ledger_slot_untold(slot);
	fbk_counts_event(counts, ev, pattern->learnt);
	if (answers & FBK_PATTERN_FILE)
		fbk_counts_file(counts, ev, !vm->policy.ledger_unsynced);
}

static ON_THE_ROAD void tell(struct fbk_vm *vm, const struct fbk_event *ev, uint32_t answers)
{
	if (vm->ops->event)
		vm->ops->event(vm->opaque, ev);
	if ((answers & FBK_PATTERN_ACKS) && fbk_notify_has_acks(vm))
		fbk_notify_tell_acks(vm);
}

/* The kernel refused a register or an injection: so it is told. Return: err, errno being that of the refusal. */
static OFF_THE_ROAD int refused(struct fbk_vcpu *vcpu, struct fbk_event *ev, const struct fbk_pattern *pattern, uint64_t *slot,
				struct stopwatch watch, int err, int saved)
{
	ev->replay_err = err;
	ev->sys_errno = err == -EIO ? saved : 0;
	if (!ev->verdict.text)
		ev->verdict = (struct fbk_verdict){ FBK_VERDICT_STOP, FBK_REASON_HOST, "the kernel refused a register or an injection" };
	count(vcpu->vm, &vcpu->counts, ev, pattern, slot, &watch);
	tell(vcpu->vm, ev, pattern->answers);
	errno = saved;
	return err;
}

/* Refused before anything was done. The error is recorded all the same. */
static OFF_THE_ROAD int not_inspected(struct fbk_vcpu *vcpu, struct fbk_event *ev, const struct fbk_pattern *pattern,
				      const struct fbk_span *span, struct stopwatch watch, int err)
{
	struct fbk_vm *vm = vcpu->vm;
	uint64_t *slot;
	int saved = errno; /* what follows has errors of its own */

	ev->verdict = (struct fbk_verdict){ 0 };
	fbk_lock_take(&vm->lock);
	slot = record(vm, ev, span, pattern->answers);
	fbk_lock_release(&vm->lock);
	if (pattern->answers & FBK_PATTERN_FILE) {
		enter(vm, ev, &watch, FBK_STEP_RECORD);
		keep(vm, ev, span);
	}
	return refused(vcpu, ev, pattern, slot, watch, err, saved);
}

/*
 * From inspection to tell, for an abort that a vCPU took. It is recorded whatever the kernel refuses.
 *
 * @pattern: the event's
 * @span: NULL: the touched page, if one is known
 */
static ON_THE_ROAD int walk(struct fbk_vcpu *vcpu, struct fbk_event *ev, const struct fbk_pattern *pattern,
			    const struct fbk_span *span, uint64_t since, struct fbk_verdict *ret)
{
	const uint32_t answers = pattern->answers;
	struct stopwatch watch = { FBK_STEP_INSPECT, since };
	struct fbk_vm *vm = vcpu->vm;
	enum fbk_verdict_action action;
	uint64_t *slot;
	int err;

	err = inspect(vcpu, ev, answers);
	if (err)
		return not_inspected(vcpu, ev, pattern, span, watch, err);

	fbk_lock_take(&vm->lock);
	slot = record(vm, ev, span, answers);
	decide(vcpu, ev, answers);
	action = ev->verdict.action;
	if (answers & (FBK_PATTERN_NOTIFY | FBK_PATTERN_RETIRE | FBK_PATTERN_FILE))
		watch = contain(vcpu, ev, answers, span, slot, watch);
	else
		fbk_lock_release(&vm->lock);

	if (action == FBK_VERDICT_REPLAY || action == FBK_VERDICT_SERROR) {
		enter(vm, ev, &watch, FBK_STEP_REPLAY);
		err = replay(vcpu, ev, pattern, answers, action);
		if (err)
			return refused(vcpu, ev, pattern, slot, watch, err, errno);
	}
	count(vm, &vcpu->counts, ev, pattern, slot, &watch);
	tell(vm, ev, answers);
	*ret = ev->verdict;
	return 0;
}

/* The exit is like none before: learns it. Errors: as fbk_observe_sea(); what is no external abort has been told of. */
static OFF_THE_ROAD int observe_new(struct fbk_vcpu *vcpu, struct moment told)
{
	struct stopwatch watch = { FBK_STEP_INSPECT, told.ticks };
	struct fbk_vm *vm = vcpu->vm;
	struct fbk_pattern pattern;
	struct fbk_span span;
	struct fbk_event ev;
	int err;

	blank(vm, vcpu->index, &ev);
	stamp(&ev, &told);
	err = fbk_observe_sea(vcpu->run, &ev);
	span = page_of(&ev);
	if (!err)
		learn(vm, &ev, &span, &vcpu->pattern);
	if (err == -EBADMSG) {
		learn(vm, &ev, &span, &pattern);
		fbk_lock_take(&vm->lock);
		(void)record(vm, &ev, &span, pattern.answers);
		fbk_lock_release(&vm->lock);
		ev.verdict = (struct fbk_verdict){ FBK_VERDICT_STOP, FBK_REASON_MALFORMED, "the exit's syndrome is no external abort" };
		count(vm, &vcpu->counts, &ev, &pattern, NULL, &watch);
		tell(vm, &ev, pattern.answers);
	}
	return err;
}

/* A load of the guest's met the bad page, and no more is said of it: what most of them are. */
void fbk_road_expect(struct fbk_vcpu *vcpu)
{
	const struct fbk_sea_exit exit = {
		.abi = FBK_ABI_MAINLINE,
		.flags = FBK_KVM_SEA_FLAG_GPA_VALID,
		.esr = (uint64_t)FBK_EC_DABT_LOW << FBK_ESR_EC_SHIFT | FBK_ESR_IL | FBK_FSC_SEA,
	};
	struct fbk_span span;
	struct fbk_event ev;

	blank(vcpu->vm, vcpu->index, &ev);
	ev.source = FBK_SOURCE_SEA;
	ev.raw_flags = exit.flags;
	ev.raw_esr = exit.esr;
	ev.decode = fbk_sea_decode(&exit, &ev.abort);
	span = page_of(&ev);
	learn(vcpu->vm, &ev, &span, &vcpu->pattern);
}

int fbk_vcpu_sea(struct fbk_vcpu *vcpu, struct fbk_verdict *ret)
{
	struct moment told;
	struct fbk_event ev;
	int err;

	if (!vcpu || !ret)
		return -EINVAL;
	told = this_moment();
	while (!fbk_observe_known(vcpu->run, &vcpu->pattern, &ev)) {
		err = observe_new(vcpu, told);
		if (err)
			return err;
	}
	stamp(&ev, &told);
	return walk(vcpu, &ev, &vcpu->pattern, NULL, told.ticks, ret);
}

/* By another way than an SEA exit. */
static OFF_THE_ROAD int walk_other(struct fbk_vcpu *vcpu, struct fbk_event *ev, const struct fbk_span *span, const struct moment *told,
				   struct fbk_verdict *ret)
{
	struct fbk_pattern pattern;

	learn(vcpu->vm, ev, span, &pattern);
	stamp(ev, told);
	return walk(vcpu, ev, &pattern, span, told->ticks, ret);
}

int fbk_vcpu_sigbus(struct fbk_vcpu *vcpu, const siginfo_t *si, struct fbk_verdict *ret)
{
	struct fbk_span span[FBK_GMEM_MAX_REGIONS];
	struct moment told;
	struct fbk_event ev;
	int err;

	if (!vcpu || !si || !ret || si->si_code != BUS_MCEERR_AR)
		return -EINVAL;
	told = this_moment();
	blank(vcpu->vm, vcpu->index, &ev);
	ev.source = FBK_SOURCE_SIGBUS_AR;
	err = fbk_observe_sigbus(vcpu->vm->gmem, si, vcpu->vm->policy.span_pages, &ev, span);
	if (err)
		return err;
	return walk_other(vcpu, &ev, span, &told, ret);
}

int fbk_vcpu_memory_fault(struct fbk_vcpu *vcpu, int err, struct fbk_verdict *ret)
{
	struct fbk_span span[FBK_GMEM_MAX_REGIONS];
	struct moment told;
	struct fbk_event ev;

	if (!vcpu || !ret || err != EHWPOISON)
		return -EINVAL;
	told = this_moment();
	blank(vcpu->vm, vcpu->index, &ev);
	fbk_observe_memory_fault(vcpu->vm->gmem, vcpu->run, vcpu->vm->policy.span_pages, &ev, span);
	return walk_other(vcpu, &ev, span, &told, ret);
}

int fbk_vm_sigbus(struct fbk_vm *vm, const siginfo_t *si, struct fbk_verdict *ret)
{
	struct stopwatch watch = { .step = FBK_STEP_INSPECT };
	struct fbk_span span[FBK_GMEM_MAX_REGIONS];
	struct fbk_after after = { 0 };
	struct fbk_pattern pattern;
	uint64_t *slot;
	struct moment told;
	struct fbk_event ev;
	int err;

	if (!vm || !si || !ret)
		return -EINVAL;
	if (fbk_retire_sigbus(vm, si)) {
		*ret = (struct fbk_verdict){ FBK_VERDICT_REPORT, FBK_REASON_ASYNC, "the host has taken a frame that was retired" };
		return 0;
	}
	told = this_moment();
	watch.since = told.ticks;
	blank(vm, -1, &ev);
	ev.source = si->si_code == BUS_MCEERR_AR ? FBK_SOURCE_SIGBUS_IO : FBK_SOURCE_SIGBUS_AO;
	err = fbk_observe_sigbus(vm->gmem, si, vm->policy.span_pages, &ev, span);
	if (err)
		return err;
	learn(vm, &ev, span, &pattern);
	stamp(&ev, &told);
	fbk_lock_take(&vm->lock);
	slot = record(vm, &ev, span, pattern.answers);
	decide_by_rules(vm, &ev, NULL);
	if ((pattern.answers & FBK_PATTERN_NOTIFY) && ev.verdict.action != FBK_VERDICT_STOP) {
		enter(vm, &ev, &watch, FBK_STEP_NOTIFY);
		fbk_notify_async(vm, span, &ev, &after);
	}
	fbk_lock_release(&vm->lock);
	if (pattern.answers & FBK_PATTERN_RETIRE) {
		enter(vm, &ev, &watch, FBK_STEP_RETIRE);
		fbk_retire_step(vm, &ev, span);
	}
	if (pattern.answers & FBK_PATTERN_FILE) {
		enter(vm, &ev, &watch, FBK_STEP_RECORD);
		keep(vm, &ev, span);
	}
	if (after.raise | after.pump) {
		if (watch.step != FBK_STEP_NOTIFY)
			enter(vm, &ev, &watch, FBK_STEP_NOTIFY);
		finish(vm, &ev, &after);
	}
	fbk_lock_take(&vm->lock);
	count(vm, &vm->counts, &ev, &pattern, slot, &watch);
	fbk_lock_release(&vm->lock);
	tell(vm, &ev, pattern.answers);
	*ret = ev.verdict;
	return 0;
}
