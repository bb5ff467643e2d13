/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * road.c - the road of one error: observe, decode, record, decide, notify, retire, replay, tell.
 *
 * A vCPU stands still meanwhile, so that what costs is not done twice nor in vain: one look into the lock, registers only
 * where something depends on them.
 */
#include <firebreak/vm.h>

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
#include "road.h"
#include "vm_state.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Which step the time goes into, and since when. The clock is read between steps that are taken, and once. */
struct stopwatch {
	enum fbk_step step;
	uint64_t since; /* ticks */
	uint64_t tick_length;
};

static inline void begin(const struct fbk_vm *vm, struct fbk_event *ev, int32_t vcpu, struct stopwatch *watch)
{
	/* In two parts: zeros for the whole of it would be a call. */
	memset(ev, 0, offsetof(struct fbk_event, replay));
	memset((char *)ev + offsetof(struct fbk_event, replay), 0, sizeof(*ev) - offsetof(struct fbk_event, replay));
	ev->size = sizeof(*ev);
	ev->vcpu = vcpu;
	ev->el = -1;
	ev->ledger = -ENODATA;
	ev->acknowledged = -1;
	ev->time_ns = fbk_clock_ns(CLOCK_REALTIME);
	ev->mono_ns = fbk_clock_ns(CLOCK_MONOTONIC);
	memcpy(ev->vm, vm->id, sizeof(ev->vm));
	*watch = (struct stopwatch){ FBK_STEP_INSPECT, fbk_ticks(ev->mono_ns), vm->tick_length };
}

/* The time until now goes to the step that ends here. */
static inline void enter(struct fbk_event *ev, struct stopwatch *watch, enum fbk_step step)
{
	uint64_t now = fbk_ticks(0), ns = fbk_ticks_ns(now - watch->since, watch->tick_length);

	ev->step_ns[watch->step] += ns;
	ev->duration_ns += ns;
	watch->step = step;
	watch->since = now;
}

/* The pages of the span beside the touched one. */
static void record_rest(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_span *span, uint64_t touched)
{
	const struct fbk_span *s;
	const uint64_t *slot;
	uint32_t i;

	for (s = span; s; s = s->next) {
		if (s != span)
			ev->pages += s->nr_pages;
		for (i = 0; i < s->nr_pages; i++) {
			uint64_t page = s->page + i * FBK_PAGE_SIZE;

			if (page != touched && !fbk_ledger_count(&vm->ledger, page, ev->source, ev->time_ns, &slot)) {
				ev->ledger = -ENOSPC;
				ev->count = 0;
			}
		}
	}
}

static int is_single(const struct fbk_span *span)
{
	return span->nr_pages == 1 && !span->next;
}

/*
 * Every page of the span goes into the ledger; what the ledger says of the touched one goes into the event. Called with
 * the lock held. Return: where the ledger has the touched one; NULL: nowhere.
 */
static inline const uint64_t *record(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_span *span)
{
	uint64_t touched = ev->abort.gpa.addr & FBK_PAGE_MASK;
	const uint64_t *slot;
	uint32_t count;

	ev->seq = ++vm->seq;
	ev->pages = span->nr_pages;
	if (!span->nr_pages)
		return NULL;
	/* The touched page first: should the ledger fill up, it is the one that must be in it. */
	count = fbk_ledger_count(&vm->ledger, touched, ev->source, ev->time_ns, &slot);
	ev->count = count & ~FBK_LEDGER_NEW;
	ev->ledger = count ? !!(count & FBK_LEDGER_NEW) : -ENOSPC;
	if (!is_single(span))
		record_rest(vm, ev, span, touched);
	return slot;
}

/* Before anything more is told to the guest, and before it runs on [V5]; without the lock, since a disk takes its time. */
static void keep(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_span *span, struct stopwatch *watch)
{
	const struct fbk_span *s;
	int err = 0;

	if (!vm->ledger_file || !span->nr_pages)
		return;
	enter(ev, watch, FBK_STEP_RECORD);
	for (s = span; s; s = s->next) {
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
static __attribute__((noinline)) int decide_by_rules(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_history *history)
{
	struct fbk_policy_case c = {
		.source = ev->source,
		.el = ev->el,
		.abort = &ev->abort,
		.history = history,
	};
	int err;

	if (vm->policy.rate_errors)
		c.over_rate = (uint32_t)fbk_rate_note(&vm->rate, &vm->policy, ev->mono_ns);
	if (vm->policy.budget_pages)
		c.lost_pages = lost_pages(vm, ev);
	err = fbk_policy_decide(&vm->policy, &c, &ev->verdict);
	/* A page that is not remembered is handed out again, and nobody is told of it: no policy can want that [V5]. */
	if (!err && ev->ledger == -ENOSPC && ev->verdict.action != FBK_VERDICT_PAUSE && ev->verdict.action != FBK_VERDICT_STOP)
		ev->verdict = (struct fbk_verdict){ FBK_VERDICT_STOP, FBK_REASON_LEDGER_FULL,
						    "the ledger is full: this page could not be kept from use" };
	return err;
}

/* The same, at a glance where there is but one answer. A page is known to be in the ledger then. */
static inline int decide(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_history *history, const struct fbk_pattern *pattern)
{
	if (!(pattern->answers & FBK_PATTERN_PLAIN) || history->storms || !ev->count)
		return decide_by_rules(vm, ev, history);
	ev->verdict = fbk_verdict_recoverable;
	return 0;
}

/*
 * A register costs a system call, as much as all the rest of the road. The PC tells repeats at one place from repeats at
 * several, which matters only once there are enough of them to be half a storm.
 */
static inline int needs_pc(const struct fbk_vcpu *vcpu)
{
	const struct fbk_policy *p = &vcpu->vm->policy;

	return p->storm_repeats && vcpu->history.repeats + 1 >= p->storm_repeats / 2;
}

static inline int remember(struct fbk_vcpu *vcpu, struct fbk_event *ev)
{
	const struct fbk_policy *p = &vcpu->vm->policy;
	int again = fbk_history_is_again(&vcpu->history, p, &ev->abort, ev->mono_ns);
	const uint64_t *seen = NULL;
	uint64_t pc;
	int err;

	if (again && needs_pc(vcpu)) {
		err = fbk_one_reg_get(vcpu->fd, FBK_REG_PC, &pc);
		if (err)
			return err;
		seen = &pc;
	}
	fbk_history_add(&vcpu->history, p, &ev->abort, again, seen, ev->mono_ns);
	ev->repeats = vcpu->history.repeats;
	return 0;
}

/*
 * PSTATE says which source is to tell of the page, what the kernel's helper left out of a syndrome, and who consumed the
 * error, if the policy makes a difference of that.
 */
static int needs_pstate(const struct fbk_vm *vm, const struct fbk_abort *a, int has_pages)
{
	return (vm->has_ghes && has_pages) || vm->policy.user != vm->policy.kernel || !fbk_entry_kernel_suffices(a, vm->kvm);
}

/* @has_pages: whether it is known of any page that it is lost */
static void learn(const struct fbk_vm *vm, const struct fbk_event *ev, int has_pages, struct fbk_pattern *ret)
{
	const struct fbk_abort *a = &ev->abort;

	*ret = (struct fbk_pattern){ .raw_flags = ev->raw_flags, .raw_esr = ev->raw_esr, .abort = *a };
	ret->abort.gva.addr = ret->abort.gpa.addr = 0;
	ret->learnt = fbk_counts_learnt(ev);
	if (fbk_policy_is_plain(&vm->policy, ev->source, a))
		ret->answers |= FBK_PATTERN_PLAIN;
	if (fbk_inject_is_plain(a, vm->kvm))
		ret->answers |= FBK_PATTERN_HELPER;
	if (needs_pstate(vm, a, has_pages))
		ret->answers |= FBK_PATTERN_PSTATE;
}

/* Which of the guest's processors it is, asked once. What the kernel does not say is left out. */
static void identify(struct fbk_vcpu *vcpu)
{
	if (fbk_one_reg_get(vcpu->fd, FBK_REG_MPIDR_EL1, &vcpu->identity.mpidr) == 0)
		vcpu->identity.flags = FBK_CPER_HAS_MPIDR;
	if (fbk_one_reg_get(vcpu->fd, FBK_REG_MIDR_EL1, &vcpu->identity.midr))
		vcpu->identity.midr = 0;
	vcpu->identified = 1;
}

/* What has to be asked of the vCPU. Errors: -EIO. */
static inline int inspect(struct fbk_vcpu *vcpu, struct fbk_event *ev, const struct fbk_pattern *pattern, uint64_t *ret_pstate)
{
	int err = remember(vcpu, ev);

	if (err || !(pattern->answers & FBK_PATTERN_PSTATE))
		return err;
	err = fbk_one_reg_get(vcpu->fd, FBK_REG_PSTATE, ret_pstate);
	if (!err)
		ev->el = (int32_t)fbk_entry_el(*ret_pstate);
	if (!err && vcpu->vm->tell_processor && !vcpu->identified)
		identify(vcpu);
	return err;
}

/* Without the kernel's helper it takes an AArch64 EL1; PSTATE was then read. */
static int can_replay(const struct fbk_vm *vm, uint64_t pstate)
{
	return (vm->kvm & FBK_KVM_INJECT_EXT_DABT) || fbk_entry_possible(pstate);
}

/*
 * Linux asks the SEA source for aborts from user mode only; a record left there for a kernel-mode one would never be read
 * and would mislead the next. So it is EL0 that decides which source speaks. Called with the lock held.
 */
static void notify(struct fbk_vcpu *vcpu, struct fbk_event *ev, const struct fbk_span *span, struct fbk_after *after,
		   struct stopwatch *watch)
{
	struct fbk_vm *vm = vcpu->vm;

	if (!vm->has_ghes || !span->nr_pages || ev->verdict.action == FBK_VERDICT_STOP)
		return;
	enter(ev, watch, FBK_STEP_NOTIFY);
	if (ev->verdict.action != FBK_VERDICT_REPLAY || ev->el != 0) {
		fbk_notify_async(vm, span, ev, after);
		return;
	}
	fbk_notify_sea(vcpu, ev->abort.gpa, ev, after);
	if (!is_single(span))
		fbk_notify_rest(vm, span, ev, after);
}

/* What notify left to be done without the lock. */
static void finish(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_after *after, struct stopwatch *watch)
{
	int err;

	if (!after->raise && !after->pump)
		return;
	if (watch->step != FBK_STEP_NOTIFY)
		enter(ev, watch, FBK_STEP_NOTIFY);
	err = fbk_notify_finish(vm, after);
	if (err && !ev->notify_err)
		ev->notify_err = err;
}

/* Without the lock, as other vCPUs may wait for it meanwhile. */
static void retire(struct fbk_vm *vm, struct fbk_event *ev, const struct fbk_span *span, struct stopwatch *watch)
{
	if (!vm->retire || !span->nr_pages)
		return;
	enter(ev, watch, FBK_STEP_RETIRE);
	fbk_retire_step(vm, ev, span);
}

static inline int replay(struct fbk_vcpu *vcpu, struct fbk_event *ev, const struct fbk_pattern *pattern, uint64_t pstate,
			 struct stopwatch *watch)
{
	uint32_t kvm = vcpu->vm->kvm;
	int err;

	switch (ev->verdict.action) {
	case FBK_VERDICT_REPLAY:
		enter(ev, watch, FBK_STEP_REPLAY);
		if (pattern->answers & FBK_PATTERN_HELPER) {
			err = fbk_inject_by_helper(vcpu->fd, ev->abort.kind);
			if (!err)
				ev->replay = FBK_REPLAY_HELPER;
			return err;
		}
		return fbk_inject_abort(vcpu->fd, vcpu->run, kvm, &ev->abort, pstate, &ev->replay);
	case FBK_VERDICT_SERROR:
		enter(ev, watch, FBK_STEP_REPLAY);
		return fbk_inject_serror(vcpu->fd, kvm, &ev->replay);
	default:
		return 0;
	}
}

/* Does the guest know of the page? It has still to read what it is being told of a new one. */
static inline int32_t acknowledged(const struct fbk_vm *vm, const struct fbk_event *ev, const uint64_t *slot)
{
	if (ev->ledger != 0)
		return ev->ledger < 0 ? -1 : 0;
	return vm->has_ghes && !fbk_ledger_slot_untold(slot);
}

/* @counts: whose the error is; this thread is their only writer now. @learnt: fbk_counts_learnt(). @slot: what record() returned. */
static inline void count(const struct fbk_vm *vm, struct fbk_counts *counts, struct fbk_event *ev, uint32_t learnt,
			 const uint64_t *slot, struct stopwatch *watch)
{
	enter(ev, watch, watch->step);
	ev->acknowledged = acknowledged(vm, ev, slot);
	fbk_counts_event(counts, ev, learnt, ev->ledger_file == 1 && !vm->policy.ledger_unsynced);
}

static void tell(struct fbk_vm *vm, const struct fbk_event *ev)
{
	if (vm->ops->event)
		vm->ops->event(vm->opaque, ev);
	if (fbk_notify_has_acks(vm))
		fbk_notify_tell_acks(vm);
}

/* From inspection to tell, for an abort that a vCPU took. It is recorded whatever the kernel refuses. */
static int walk(struct fbk_vcpu *vcpu, struct fbk_event *ev, const struct fbk_pattern *pattern, const struct fbk_span *span,
		struct stopwatch *watch, struct fbk_verdict *ret)
{
	struct fbk_vm *vm = vcpu->vm;
	struct fbk_after after = { 0 };
	const uint64_t *slot;
	uint64_t pstate = 0;
	int err, saved = 0;

	err = inspect(vcpu, ev, pattern, &pstate);
	if (err)
		saved = errno; /* what follows has errors of its own */
	fbk_lock_take(&vm->lock);
	slot = record(vm, ev, span);
	if (!err)
		err = decide(vm, ev, &vcpu->history, pattern);
	if (!err && ev->verdict.action == FBK_VERDICT_REPLAY && !can_replay(vm, pstate))
		ev->verdict = (struct fbk_verdict){ FBK_VERDICT_SERROR, FBK_REASON_NO_INJECTION,
						    "the host kernel cannot inject an abort into a 32-bit guest" };
	if (!err)
		notify(vcpu, ev, span, &after, watch);
	fbk_lock_release(&vm->lock);
	if (!err)
		retire(vm, ev, span, watch);
	keep(vm, ev, span, watch);
	finish(vm, ev, &after, watch);
	if (!err) {
		err = replay(vcpu, ev, pattern, pstate, watch);
		if (err)
			saved = errno;
	}
	if (err)
		goto failed;
	count(vm, &vcpu->counts, ev, pattern->learnt, slot, watch);
	tell(vm, ev);
	*ret = ev->verdict;
	return 0;

failed:
	ev->replay_err = err;
	ev->sys_errno = err == -EIO ? saved : 0;
	if (!ev->verdict.text)
		ev->verdict = (struct fbk_verdict){ FBK_VERDICT_STOP, FBK_REASON_HOST, "the kernel refused a register or an injection" };
	count(vm, &vcpu->counts, ev, pattern->learnt, slot, watch);
	tell(vm, ev);
	errno = saved;
	return err;
}

/* Learns it first, if the exit is like none that is known. Errors: fbk_observe_sea()'s. */
static inline int observe_sea(struct fbk_vcpu *vcpu, struct fbk_event *ev)
{
	int err;

	if (fbk_observe_known(vcpu->run, &vcpu->pattern, ev))
		return 0;
	err = fbk_observe_sea(vcpu->run, ev);
	if (!err)
		learn(vcpu->vm, ev, ev->abort.flags & FBK_SEA_HAS_GPA, &vcpu->pattern);
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
	struct fbk_event ev = { .source = FBK_SOURCE_SEA, .raw_flags = exit.flags, .raw_esr = exit.esr };

	if (!fbk_sea_decode(&exit, &ev.abort))
		learn(vcpu->vm, &ev, 1, &vcpu->pattern);
}

int fbk_vcpu_sea(struct fbk_vcpu *vcpu, struct fbk_verdict *ret)
{
	struct fbk_span span = { 0 };
	struct stopwatch watch;
	struct fbk_event ev;
	int err;

	if (!vcpu || !ret)
		return -EINVAL;
	begin(vcpu->vm, &ev, vcpu->index, &watch);
	err = observe_sea(vcpu, &ev);
	if (err == -EBADMSG) {
		fbk_lock_take(&vcpu->vm->lock);
		(void)record(vcpu->vm, &ev, &span);
		fbk_lock_release(&vcpu->vm->lock);
		ev.verdict = (struct fbk_verdict){ FBK_VERDICT_STOP, FBK_REASON_MALFORMED, "the exit's syndrome is no external abort" };
		count(vcpu->vm, &vcpu->counts, &ev, fbk_counts_learnt(&ev), NULL, &watch);
		tell(vcpu->vm, &ev);
	}
	if (err)
		return err;
	if (ev.abort.flags & FBK_SEA_HAS_GPA)
		span = (struct fbk_span){ .page = ev.abort.gpa.addr & FBK_PAGE_MASK, .nr_pages = 1 };
	return walk(vcpu, &ev, &vcpu->pattern, &span, &watch, ret);
}

int fbk_vcpu_sigbus(struct fbk_vcpu *vcpu, const siginfo_t *si, struct fbk_verdict *ret)
{
	struct fbk_span span[FBK_GMEM_MAX_REGIONS];
	struct fbk_pattern pattern;
	struct stopwatch watch;
	struct fbk_event ev;
	int err;

	if (!vcpu || !si || !ret || si->si_code != BUS_MCEERR_AR)
		return -EINVAL;
	begin(vcpu->vm, &ev, vcpu->index, &watch);
	ev.source = FBK_SOURCE_SIGBUS_AR;
	err = fbk_observe_sigbus(vcpu->vm->gmem, si, vcpu->vm->policy.span_pages, &ev, span);
	if (err)
		return err;
	learn(vcpu->vm, &ev, span->nr_pages != 0, &pattern);
	return walk(vcpu, &ev, &pattern, span, &watch, ret);
}

int fbk_vcpu_memory_fault(struct fbk_vcpu *vcpu, int err, struct fbk_verdict *ret)
{
	struct fbk_span span[FBK_GMEM_MAX_REGIONS];
	struct fbk_pattern pattern;
	struct stopwatch watch;
	struct fbk_event ev;

	if (!vcpu || !ret || err != EHWPOISON)
		return -EINVAL;
	begin(vcpu->vm, &ev, vcpu->index, &watch);
	fbk_observe_memory_fault(vcpu->vm->gmem, vcpu->run, vcpu->vm->policy.span_pages, &ev, span);
	learn(vcpu->vm, &ev, span->nr_pages != 0, &pattern);
	return walk(vcpu, &ev, &pattern, span, &watch, ret);
}

int fbk_vm_sigbus(struct fbk_vm *vm, const siginfo_t *si, struct fbk_verdict *ret)
{
	struct fbk_after after = { 0 };
	struct fbk_span span[FBK_GMEM_MAX_REGIONS];
	const uint64_t *slot;
	struct stopwatch watch;
	struct fbk_event ev;
	int err;

	if (!vm || !si || !ret)
		return -EINVAL;
	if (fbk_retire_sigbus(vm, si)) {
		*ret = (struct fbk_verdict){ FBK_VERDICT_REPORT, FBK_REASON_ASYNC, "the host has taken a frame that was retired" };
		return 0;
	}
	begin(vm, &ev, -1, &watch);
	ev.source = si->si_code == BUS_MCEERR_AR ? FBK_SOURCE_SIGBUS_IO : FBK_SOURCE_SIGBUS_AO;
	err = fbk_observe_sigbus(vm->gmem, si, vm->policy.span_pages, &ev, span);
	if (err)
		return err;
	fbk_lock_take(&vm->lock);
	slot = record(vm, &ev, span);
	err = decide_by_rules(vm, &ev, NULL);
	if (!err && vm->has_ghes && ev.verdict.action != FBK_VERDICT_STOP) {
		enter(&ev, &watch, FBK_STEP_NOTIFY);
		fbk_notify_async(vm, span, &ev, &after);
	}
	fbk_lock_release(&vm->lock);
	if (!err)
		retire(vm, &ev, span, &watch);
	keep(vm, &ev, span, &watch);
	if (err)
		return err;
	finish(vm, &ev, &after, &watch);
	fbk_lock_take(&vm->lock);
	count(vm, &vm->counts, &ev, fbk_counts_learnt(&ev), slot, &watch);
	fbk_lock_release(&vm->lock);
	tell(vm, &ev);
	*ret = ev.verdict;
	return 0;
}
