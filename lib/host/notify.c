/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * notify.c - how the guest learns where the error is.
 *
 * Each source has one block and one acknowledgement word. A record is written only when the word says so: acknowledgement
 * cleared, record, block status last. Host-side copies of all addresses are used, and what the guest writes can make a
 * record late or lost for itself, never more.
 *
 * The SEA source is for the abort about to be replayed: if it cannot be had in time its unread record is taken back,
 * since it would mislead whoever takes the next abort, and that one's own takes its place: a guest whose driver comes
 * back finds what it needs, though it never acknowledges what it could not read. Nothing is dropped for that: pages go
 * to the asynchronous source's queue, and what the queue cannot hold is found again in the ledger.
 */
#include "notify.h"

#include "../core/ledger_road.h"
#include "clock.h"

#include <firebreak/cper.h>

#include <errno.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define BACKOFF_MIN_NS (1 * MS)
#define BACKOFF_MAX_NS (1000 * MS)

/*
 * Linux acknowledges an asynchronous record before it has isolated the pages: it queues them, 16 for each CPU, and
 * drops what does not fit. So they come eight at a time, and 100 ms after the ones before were acknowledged, which may itself have
 * taken any time: pages are only then queued. A guest that is up to 200 ms behind loses none.
 */
#define ASYNC_PAGES 8
#define ASYNC_PACE_NS (100 * MS)
#define ACK_POLL_MAX_US 1000

#define REFILL_SLOTS 8192 /* of the ledger, looked at in one go: tens of microseconds */

static void source_broken(struct fbk_vm *vm, enum fbk_ghes_source s)
{
	fbk_handshake_break(&vm->source[s]);
}

/* To be told when the lock is free. */
static __attribute__((noinline)) void book_event(struct fbk_vm *vm, enum fbk_ghes_source s)
{
	const struct fbk_handshake *h = &vm->source[s];
	struct fbk_event_ack *ack;
	uint32_t i;

	if (vm->nr_acks == FBK_ACKS) {
		vm->acks_untold++;
		return;
	}
	ack = &vm->acks[vm->nr_acks];
	ack->method = s == FBK_GHES_SEA ? FBK_NOTIFY_SEA : FBK_NOTIFY_ASYNC;
	ack->seq = vm->told[s].seq;
	ack->record = h->serial;
	ack->waited_ns = vm->told[s].wrote_ns; /* until the clock is read */
	ack->nr_pages = h->nr_pages;
	for (i = 0; i < h->nr_pages; i++)
		ack->pages[i] = h->pages[i];
	__atomic_store_n(&vm->nr_acks, vm->nr_acks + 1, __ATOMIC_RELAXED);
}

/* The record in flight there was acknowledged. */
static inline void book_ack(struct fbk_vm *vm, enum fbk_ghes_source s)
{
	vm->told[s].acknowledged++;
	if (vm->acks)
		book_event(vm, s);
}

/* What was acknowledged is known to the guest. */
static inline void book_pages(struct fbk_vm *vm, enum fbk_ghes_source s)
{
	const struct fbk_handshake *h = &vm->source[s];
	uint32_t i;

	if (vm->told[s].slot)
		fbk_ledger_slot_reported(&vm->ledger, vm->told[s].slot);
	else
		for (i = 0; i < h->nr_pages; i++)
			fbk_ledger_reported(&vm->ledger, h->pages[i]);
	if (vm->ledger_file)
		for (i = 0; i < h->nr_pages; i++)
			fbk_ledger_file_note(vm->ledger_file, h->pages[i]);
}

/* Looks at the acknowledgement and books what it says. */
static inline enum fbk_turn look(struct fbk_vm *vm, enum fbk_ghes_source s)
{
	struct fbk_handshake *h = &vm->source[s];
	enum fbk_turn turn;
	uint32_t acked;

	if (!h->broken && fbk_block_ack(&vm->block[s], &vm->ack[s]))
		source_broken(vm, s);
	turn = fbk_handshake_look(h, vm->ack[s], &acked);
	if (acked) {
		book_ack(vm, s);
		__atomic_store_n(&vm->listens, 1, __ATOMIC_RELAXED);
		book_pages(vm, s);
	}
	return turn;
}

/* Errors: -EHWPOISON the block or its acknowledgement is poisoned, the source is broken. */
static inline int write_record(struct fbk_vm *vm, enum fbk_ghes_source s, const uint8_t *record, size_t len,
			const struct fbk_gpa *pages, uint32_t nr, int32_t owner)
{
	int err = fbk_block_write(&vm->block[s], record, len);

	if (err) {
		source_broken(vm, s);
		return err;
	}
	vm->serial++;
	vm->told[s].written++;
	fbk_handshake_wrote(&vm->source[s], vm->serial, pages, nr, owner);
	return 0;
}

/* The record that also says which processor took the abort. */
static __attribute__((noinline)) int write_sea_and_processor(struct fbk_vcpu *vcpu, struct fbk_gpa page, const struct fbk_event *ev)
{
	struct fbk_vm *vm = vcpu->vm;
	struct fbk_cper_processor p = vcpu->identity;
	struct fbk_cper in = {
		.pages = &page,
		.nr_pages = 1,
		.time_ns = ev->time_ns,
		.processor = &p,
		.serial = vm->serial + 1,
	};
	int len;

	p.kind = ev->abort.kind;
	if (ev->abort.flags & FBK_SEA_HAS_GVA) {
		p.flags |= FBK_CPER_HAS_GVA;
		p.gva = ev->abort.gva;
	}
	len = fbk_cper_encode(&in, vm->record, sizeof(vm->record));
	if (len < 0)
		return -ENOTRECOVERABLE;
	return write_record(vm, FBK_GHES_SEA, vm->record, (size_t)len, &page, 1, vcpu->index);
}

/* A vCPU waits for this one. */
static inline int write_sea(struct fbk_vcpu *vcpu, struct fbk_gpa page, const struct fbk_event *ev)
{
	struct fbk_vm *vm = vcpu->vm;
	struct fbk_cper_page *r = &vm->page_record;

	if (vm->tell_processor)
		return write_sea_and_processor(vcpu, page, ev);
	fbk_cper_page_set(r, page, ev->time_ns, vm->serial + 1);
	return write_record(vm, FBK_GHES_SEA, r->bytes, sizeof(r->bytes), &page, 1, vcpu->index);
}

static int write_async(struct fbk_vm *vm, const struct fbk_gpa *pages, uint32_t nr, uint64_t now_ns)
{
	struct fbk_cper in = {
		.pages = pages,
		.nr_pages = nr,
		.time_ns = now_ns,
		.serial = vm->serial + 1,
	};
	int len = fbk_cper_encode(&in, vm->record, sizeof(vm->record));

	if (len < 0)
		return -ENOTRECOVERABLE;
	return write_record(vm, FBK_GHES_ASYNC, vm->record, (size_t)len, pages, nr, -1);
}

static void rescan(struct fbk_vm *vm)
{
	vm->rescan = 1;
	vm->rescan_cursor = 0;
}

/* A record that names the page lies in a block, and it can be expected to be read. */
static int in_flight(const struct fbk_vm *vm, uint64_t page)
{
	const struct fbk_handshake *sea = &vm->source[FBK_GHES_SEA];

	return (!sea->unresponsive && fbk_handshake_has(sea, page)) || fbk_handshake_has(&vm->source[FBK_GHES_ASYNC], page);
}

/* Queues a page. Errors: -ENOSPC, then the ledger has it for later. */
static int enqueue(struct fbk_vm *vm, uint64_t page)
{
	int grown = fbk_queue_push(&vm->queue, page, 1);

	if (grown < 0)
		rescan(vm);
	return grown < 0 ? grown : 0;
}

/* Queues those pages that the guest has still to be told of. Errors: -ENOSPC, as above. */
static int enqueue_span(struct fbk_vm *vm, const struct fbk_span *span, uint64_t except)
{
	const struct fbk_span *s;
	int err = 0;
	uint32_t i;

	for (s = span; s; s = s->next) {
		for (i = 0; i < s->nr_pages; i++) {
			uint64_t page = s->page + i * FBK_PAGE_SIZE;

			if (page != except && !in_flight(vm, page) && fbk_ledger_untold(&vm->ledger, page) && enqueue(vm, page))
				err = -ENOSPC;
		}
	}
	return err;
}

/* Goes on to fill the drained queue from the ledger. It is not looked through in one go: somebody may want the lock. */
static void refill(struct fbk_vm *vm)
{
	uint32_t start = vm->rescan_cursor;

	while (vm->rescan && vm->queue.nr < vm->queue.cap && vm->rescan_cursor - start < REFILL_SLOTS) {
		uint32_t left = REFILL_SLOTS - (vm->rescan_cursor - start);
		uint64_t page;
		int r = fbk_ledger_next_untold(&vm->ledger, &vm->rescan_cursor, left, &page);

		if (r < 0)
			vm->rescan = 0;
		if (r > 0 && !in_flight(vm, page))
			(void)fbk_queue_push(&vm->queue, page, 1);
	}
}

/* How long the next asynchronous record has to wait for the guest to have worked through the ones before. */
static uint64_t paced_ns(const struct fbk_vm *vm, uint64_t mono_ns)
{
	return vm->pace_ns > mono_ns ? vm->pace_ns - mono_ns : 0;
}

/* How many of these pages, from the first on, the guest has still to be told of, or else need not be told of. */
static uint32_t run_of(const struct fbk_vm *vm, const struct fbk_gpa *pages, uint32_t nr, int untold)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		if ((!in_flight(vm, pages[i].addr) && fbk_ledger_untold(&vm->ledger, pages[i].addr)) != untold)
			break;
	return i;
}

/* The next pages to tell, in front of the queue; those that need not be told any more leave it. Return: how many. */
static uint32_t next_pages(struct fbk_vm *vm, struct fbk_gpa *pages)
{
	uint32_t rounds, nr, settled;

	for (rounds = 0; rounds < 64; rounds++) {
		nr = fbk_queue_peek(&vm->queue, pages, ASYNC_PAGES);
		settled = run_of(vm, pages, nr, 0);
		if (!settled)
			return run_of(vm, pages, nr, 1);
		fbk_queue_drop(&vm->queue, settled);
	}
	return 0;
}

/* Writes the next asynchronous record if its turn has come. */
static int deliver(struct fbk_vm *vm, struct fbk_after *after, uint64_t now_ns, uint64_t mono_ns)
{
	struct fbk_gpa pages[ASYNC_PAGES];
	enum fbk_turn turn = look(vm, FBK_GHES_ASYNC);
	uint32_t nr;
	int err;

	if (turn == FBK_TURN_BROKEN)
		return -EHWPOISON;
	if (turn == FBK_TURN_OURS && vm->pacing) {
		vm->pacing = 0;
		vm->pace_ns = mono_ns + ASYNC_PACE_NS;
	}
	if (vm->queue.nr == 0)
		refill(vm);
	if (turn == FBK_TURN_GUEST || vm->queue.nr == 0 || paced_ns(vm, mono_ns))
		return 0;
	nr = next_pages(vm, pages);
	if (!nr)
		return 0;
	err = write_async(vm, pages, nr, now_ns);
	if (err)
		return err;
	fbk_queue_drop(&vm->queue, nr);
	vm->told[FBK_GHES_ASYNC].wrote_ns = mono_ns;
	vm->pacing = 1;
	after->raise = 1;
	vm->raised_ns = mono_ns;
	vm->backoff_ns = BACKOFF_MIN_NS;
	return 0;
}

/* When it is worth looking for the SEA record's acknowledgement again. An age that doubles is looked at seldom. */
static uint64_t sea_wait_ns(const struct fbk_vm *vm, uint64_t mono_ns)
{
	uint64_t age = mono_ns - vm->told[FBK_GHES_SEA].wrote_ns;

	/* A guest that has not read it for so long reads it no more; should it all the same, the next error shows it. */
	if (!vm->acks || !vm->source[FBK_GHES_SEA].in_flight || age > 3 * BACKOFF_MAX_NS)
		return UINT64_MAX;
	return age > BACKOFF_MIN_NS ? age : BACKOFF_MIN_NS;
}

/*
 * Whether the SEA source's record has been there for longer than anybody would wait. A record that is found too old is
 * given as long again: perhaps nothing has run meanwhile, neither the guest nor we, and its abort is only about to be taken.
 */
static int is_stale(struct fbk_vm *vm, uint64_t mono_ns)
{
	struct fbk_told *t = &vm->told[FBK_GHES_SEA];
	uint64_t budget_ns = (uint64_t)vm->policy.ack_wait_us * 1000;
	uint64_t serial = vm->source[FBK_GHES_SEA].serial;

	if (mono_ns - t->wrote_ns <= budget_ns)
		return 0;
	if (t->old_serial != serial) {
		t->old_serial = serial;
		t->old_ns = mono_ns;
		return 0;
	}
	return mono_ns - t->old_ns > budget_ns;
}

static int waiting(const struct fbk_vm *vm)
{
	return vm->queue.nr || vm->rescan || vm->source[FBK_GHES_ASYNC].in_flight;
}

int fbk_notify_finish(struct fbk_vm *vm, const struct fbk_after *after)
{
	int err = 0;

	if (after->raise)
		err = vm->ops->raise_async(vm->opaque);
	if (after->pump)
		vm->ops->want_pump(vm->opaque);
	return err;
}

/* The guest has read of the page, or a record that names it lies in a block. */
static int told_already(struct fbk_vm *vm, uint64_t page, struct fbk_event *ev)
{
	uint32_t s;

	for (s = 0; s < FBK_GHES_NR_SOURCES; s++) {
		(void)look(vm, (enum fbk_ghes_source)s);
		if (!vm->source[s].unresponsive && fbk_handshake_has(&vm->source[s], page)) {
			ev->notify = s == FBK_GHES_SEA ? FBK_NOTIFY_SEA : FBK_NOTIFY_ASYNC;
			ev->record = vm->source[s].serial;
			return 1;
		}
	}
	if (fbk_ledger_untold(&vm->ledger, page))
		return 0;
	ev->notify = FBK_NOTIFY_KNOWN;
	return 1;
}

static void tell_rest(struct fbk_vm *vm, const struct fbk_span *span, uint64_t except, struct fbk_event *ev, struct fbk_after *after)
{
	int full = enqueue_span(vm, span, except);
	int err = deliver(vm, after, ev->time_ns, ev->mono_ns);

	if (!ev->notify_err)
		ev->notify_err = full ? full : err;
	if (waiting(vm))
		after->pump = 1;
}

void fbk_notify_async(struct fbk_vm *vm, const struct fbk_span *span, struct fbk_event *ev, struct fbk_after *after)
{
	uint64_t page = ev->abort.gpa.addr & FBK_PAGE_MASK;
	int told = told_already(vm, page, ev);

	/* Once is enough. */
	if (told && span->nr_pages == 1 && !span->next)
		return;
	tell_rest(vm, span, UINT64_MAX, ev, after);
	if (told)
		return;
	ev->notify = FBK_NOTIFY_QUEUED;
	if (fbk_handshake_has(&vm->source[FBK_GHES_ASYNC], page)) {
		ev->notify = FBK_NOTIFY_ASYNC;
		ev->record = vm->source[FBK_GHES_ASYNC].serial;
	}
}

void fbk_notify_rest(struct fbk_vm *vm, const struct fbk_span *span, struct fbk_event *ev, struct fbk_after *after)
{
	tell_rest(vm, span, ev->abort.gpa.addr & FBK_PAGE_MASK, ev, after);
}

/* Takes the unread record of the SEA source back and queues its pages. */
static void withdraw(struct fbk_vm *vm)
{
	struct fbk_handshake *h = &vm->source[FBK_GHES_SEA];
	uint32_t nr, i;

	nr = fbk_handshake_give_up(h);
	vm->told[FBK_GHES_SEA].withdrawn += nr != 0;
	__atomic_store_n(&vm->listens, 0, __ATOMIC_RELAXED);
	if (nr && fbk_block_clear(&vm->block[FBK_GHES_SEA]))
		source_broken(vm, FBK_GHES_SEA);
	for (i = 0; i < nr; i++)
		(void)enqueue(vm, h->pages[i].addr);
}

static void sleep_us(uint32_t us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000 };

	(void)fbk_sys->nanosleep(&ts, NULL);
}

/*
 * What one sleep counts for: a quarter of the budget at most. If it took longer, the whole machine has perhaps stood still,
 * and the guest with it: it is given up only when it was looked at several times in between.
 */
static uint64_t share(uint64_t took_ns, uint64_t budget_ns)
{
	return took_ns < budget_ns / 4 ? took_ns : budget_ns / 4;
}

/*
 * Waits until the SEA source is ours. Called and left with the lock held, which is free during each sleep.
 *
 * The vCPU whose own record lies there unread has shown that it will not read it: its handler came and went.
 */
static enum fbk_turn wait_turn(struct fbk_vm *vm, int32_t vcpu, struct fbk_event *ev)
{
	struct fbk_handshake *h = &vm->source[FBK_GHES_SEA];
	uint64_t budget_ns = (uint64_t)vm->policy.ack_wait_us * 1000;
	uint64_t start_ns = 0, last_ns = 0, now_ns, waited_ns = 0, slept_us = 0;
	uint32_t us = vm->policy.ack_poll_us ? vm->policy.ack_poll_us : 1;
	enum fbk_turn turn = FBK_TURN_GUEST;

	while (turn == FBK_TURN_GUEST && !h->unresponsive && !(h->in_flight && h->owner == vcpu)) {
		/* The clock bounds the wait; so does the time slept, should the clock stand still. */
		if (waited_ns >= budget_ns || slept_us * 1000 >= budget_ns)
			break;
		if (us > vm->policy.ack_wait_us - slept_us)
			us = (uint32_t)(vm->policy.ack_wait_us - slept_us);
		if (!start_ns)
			start_ns = last_ns = fbk_clock_ns(CLOCK_MONOTONIC);
		fbk_lock_release(&vm->lock);
		sleep_us(us);
		fbk_lock_take(&vm->lock);
		slept_us += us;
		/* The longer it lasts the less another millisecond matters. */
		if (us < ACK_POLL_MAX_US)
			us *= 2;
		now_ns = fbk_clock_ns(CLOCK_MONOTONIC);
		waited_ns += share(now_ns - last_ns, budget_ns);
		last_ns = now_ns;
		ev->ack_wait_ns = now_ns - start_ns;
		turn = look(vm, FBK_GHES_SEA);
	}
	return turn;
}

/* The SEA source is not ours at once. Return: whose it is in the end. */
static __attribute__((noinline)) enum fbk_turn take_turn(struct fbk_vcpu *vcpu, struct fbk_event *ev)
{
	enum fbk_turn turn = wait_turn(vcpu->vm, vcpu->index, ev);

	if (turn == FBK_TURN_GUEST) {
		ev->notify_err = -EBUSY;
		withdraw(vcpu->vm);
	}
	return turn;
}

/* The SEA source cannot tell, or not alone. */
static __attribute__((noinline)) void tell_otherwise(struct fbk_vm *vm, struct fbk_event *ev, int err, struct fbk_after *after)
{
	struct fbk_span span = { .page = ev->abort.gpa.addr & FBK_PAGE_MASK, .nr_pages = 1 };

	if (err) {
		ev->notify_err = -EHWPOISON;
		fbk_notify_async(vm, &span, ev, after);
	} else {
		tell_rest(vm, &span, UINT64_MAX, ev, after);
	}
}

void fbk_notify_sea(struct fbk_vcpu *vcpu, struct fbk_event *ev, uint64_t *slot, struct fbk_after *after)
{
	struct fbk_vm *vm = vcpu->vm;
	struct fbk_handshake *h = &vm->source[FBK_GHES_SEA];
	struct fbk_told *told = &vm->told[FBK_GHES_SEA];
	struct fbk_gpa page = { ev->abort.gpa.addr & FBK_PAGE_MASK };
	enum fbk_turn turn = look(vm, FBK_GHES_SEA);

	if (turn == FBK_TURN_GUEST)
		turn = take_turn(vcpu, ev);
	if (h->broken || write_sea(vcpu, page, ev)) {
		tell_otherwise(vm, ev, -EHWPOISON, after);
		return;
	}
	told->slot = slot;
	told->seq = ev->seq;
	told->wrote_ns = ev->mono_ns + ev->ack_wait_ns;
	if (turn == FBK_TURN_GUEST) {
		/* Whoever did not read the last one may not read this one either. */
		tell_otherwise(vm, ev, 0, after);
	} else if (vm->queue.nr) {
		/* One error, told once. */
		(void)fbk_queue_remove(&vm->queue, page.addr);
	}
	ev->notify = FBK_NOTIFY_SEA;
	ev->record = h->serial;
}

void fbk_notify_tell_acks(struct fbk_vm *vm)
{
	struct fbk_event_ack ack;
	uint64_t now_ns, mono_ns;

	now_ns = fbk_clock_ns(CLOCK_REALTIME);
	mono_ns = fbk_clock_ns(CLOCK_MONOTONIC);
	for (;;) {
		fbk_lock_take(&vm->lock);
		if (!vm->nr_acks) {
			fbk_lock_release(&vm->lock);
			return;
		}
		ack = vm->acks[0];
		__atomic_store_n(&vm->nr_acks, vm->nr_acks - 1, __ATOMIC_RELAXED);
		memmove(&vm->acks[0], &vm->acks[1], vm->nr_acks * sizeof(ack));
		fbk_lock_release(&vm->lock);
		ack.size = sizeof(ack);
		memcpy(ack.vm, vm->id, sizeof(ack.vm));
		ack.time_ns = now_ns;
		ack.mono_ns = mono_ns;
		ack.waited_ns = mono_ns > ack.waited_ns ? mono_ns - ack.waited_ns : 0;
		vm->ops->acknowledged(vm->opaque, &ack);
	}
}

int fbk_notify_pump(struct fbk_vm *vm, uint64_t *ret_wait_ns)
{
	struct fbk_after after = { 0 };
	uint64_t wait = UINT64_MAX;
	uint64_t now_ns, mono_ns, passed;
	int err = 0;

	if (!vm->has_ghes) {
		*ret_wait_ns = wait;
		return 0;
	}
	now_ns = fbk_clock_ns(CLOCK_REALTIME);
	mono_ns = fbk_clock_ns(CLOCK_MONOTONIC);
	fbk_lock_take(&vm->lock);
	if (look(vm, FBK_GHES_SEA) == FBK_TURN_GUEST && is_stale(vm, mono_ns))
		withdraw(vm); /* its abort came and went */
	err = deliver(vm, &after, now_ns, mono_ns);
	if (!err && waiting(vm)) {
		passed = mono_ns - vm->raised_ns;
		if (!after.raise && vm->source[FBK_GHES_ASYNC].in_flight && passed >= vm->backoff_ns) {
			/* Perhaps nobody listened yet: a guest that boots has no driver for it. */
			after.raise = 1;
			vm->raised_ns = mono_ns;
			vm->backoff_ns = vm->backoff_ns * 2 < BACKOFF_MAX_NS ? vm->backoff_ns * 2 : BACKOFF_MAX_NS;
			passed = 0;
		} else if (after.raise) {
			passed = 0;
		}
		wait = vm->backoff_ns > passed ? vm->backoff_ns - passed : BACKOFF_MIN_NS;
		if (!vm->source[FBK_GHES_ASYNC].in_flight)
			wait = paced_ns(vm, mono_ns);
		if (wait < BACKOFF_MIN_NS)
			wait = BACKOFF_MIN_NS;
	}
	if (wait > sea_wait_ns(vm, mono_ns))
		wait = sea_wait_ns(vm, mono_ns);
	fbk_lock_release(&vm->lock);

	(void)fbk_notify_finish(vm, &after);
	if (fbk_notify_has_acks(vm))
		fbk_notify_tell_acks(vm);
	if (err)
		return err;
	*ret_wait_ns = wait;
	return 0;
}

/* What the guest before had acknowledged is to be told anew; with the lock held. */
static void forget_told(struct fbk_vm *vm)
{
	struct fbk_gpa page;
	uint32_t cursor = 0;
	int changed;

	vm->rescan = 0;
	while (fbk_ledger_next_forget(&vm->ledger, &cursor, &page.addr, &changed) == 0) {
		rescan(vm);
		if (changed)
			fbk_ledger_file_note(vm->ledger_file, page);
	}
}

int fbk_notify_reset(struct fbk_vm *vm)
{
	struct fbk_after after = { 0 };
	uint32_t s;
	int err = 0;

	if (!vm->has_ghes)
		return 0;
	fbk_lock_take(&vm->lock);
	fbk_queue_init(&vm->queue, vm->queue_ranges, FBK_QUEUE_RANGES);
	forget_told(vm);
	after.pump = vm->rescan;
	vm->pace_ns = 0;
	vm->pacing = 0;
	__atomic_store_n(&vm->listens, 0, __ATOMIC_RELAXED);
	for (s = 0; s < FBK_GHES_NR_SOURCES; s++) {
		fbk_handshake_init(&vm->source[s]);
		if (fbk_block_reset(&vm->block[s])) {
			source_broken(vm, (enum fbk_ghes_source)s);
			err = -EHWPOISON;
		}
	}
	fbk_lock_release(&vm->lock);
	(void)fbk_notify_finish(vm, &after);
	return err;
}
