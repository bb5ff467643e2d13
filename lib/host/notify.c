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
 * since it would mislead whoever takes the next abort. Nothing is dropped for that: pages go to the asynchronous
 * source's queue, and what the queue cannot hold is found again in the ledger, by its state.
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
 * drops what does not fit. So they come eight at a time, two such records at once at most, and then one in 100 ms.
 */
#define ASYNC_PAGES 8
#define ASYNC_PACE_NS (100 * MS)
#define ACK_POLL_MAX_US 1000

static void source_broken(struct fbk_vm *vm, enum fbk_ghes_source s)
{
	fbk_handshake_break(&vm->source[s]);
}

/* The record in flight there was acknowledged: it is counted now, and told when the lock is free. */
static void book_ack(struct fbk_vm *vm, enum fbk_ghes_source s)
{
	const struct fbk_handshake *h = &vm->source[s];
	struct fbk_event_ack *ack;
	uint32_t i;

	vm->told[s].acknowledged++;
	if (!vm->acks)
		return;
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

/* Looks at the acknowledgement and books what it says. */
static inline enum fbk_turn look(struct fbk_vm *vm, enum fbk_ghes_source s)
{
	struct fbk_handshake *h = &vm->source[s];
	enum fbk_turn turn;
	uint32_t acked, i;

	if (!h->broken && fbk_block_ack(&vm->block[s], &vm->ack[s]))
		source_broken(vm, s);
	turn = fbk_handshake_look(h, vm->ack[s], &acked);
	if (acked)
		book_ack(vm, s);
	for (i = 0; i < acked; i++) {
		fbk_ledger_reported(&vm->ledger, h->pages[i]);
		fbk_ledger_file_note(vm->ledger_file, h->pages[i]);
	}
	return turn;
}

/* Errors: -EHWPOISON the block or its acknowledgement is poisoned, the source is broken. */
static int write_record(struct fbk_vm *vm, enum fbk_ghes_source s, const uint8_t *record, size_t len,
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

/* A vCPU waits for this one. */
static int write_sea(struct fbk_vm *vm, struct fbk_gpa page, int32_t vcpu, uint64_t now_ns)
{
	struct fbk_cper_page *r = &vm->page_record;

	fbk_cper_page_set(r, page, now_ns, vm->serial + 1);
	return write_record(vm, FBK_GHES_SEA, r->bytes, sizeof(r->bytes), &page, 1, vcpu);
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

/* Queues pages. Errors: -ENOSPC, then the ledger has them for later. */
static int enqueue(struct fbk_vm *vm, uint64_t page, uint32_t nr_pages)
{
	int grown = fbk_queue_push(&vm->queue, page, nr_pages);

	if (grown < 0) {
		vm->rescan = 1;
		vm->rescan_cursor = 0;
		return grown;
	}
	return 0;
}

/* Fills the drained queue from the ledger with what the guest has not acknowledged. */
static void refill(struct fbk_vm *vm)
{
	struct fbk_ledger_entry e;

	while (vm->rescan && vm->queue.nr < vm->queue.cap) {
		if (fbk_ledger_next(&vm->ledger, &vm->rescan_cursor, &e)) {
			vm->rescan = 0;
			return;
		}
		if (e.state == FBK_PAGE_POISONED && !fbk_handshake_has(&vm->source[FBK_GHES_SEA], e.gpa.addr) &&
		    !fbk_handshake_has(&vm->source[FBK_GHES_ASYNC], e.gpa.addr))
			(void)fbk_queue_push(&vm->queue, e.gpa.addr, 1);
	}
}

/* How long the next asynchronous record has to wait for the guest to have worked through the ones before. */
static uint64_t paced_ns(const struct fbk_vm *vm, uint64_t mono_ns)
{
	return vm->pace_ns > mono_ns + ASYNC_PACE_NS ? vm->pace_ns - mono_ns - ASYNC_PACE_NS : 0;
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
	if (vm->queue.nr == 0)
		refill(vm);
	if (turn == FBK_TURN_GUEST || vm->queue.nr == 0 || paced_ns(vm, mono_ns))
		return 0;
	nr = fbk_queue_peek(&vm->queue, pages, ASYNC_PAGES);
	err = write_async(vm, pages, nr, now_ns);
	if (err)
		return err;
	fbk_queue_drop(&vm->queue, nr);
	vm->told[FBK_GHES_ASYNC].wrote_ns = mono_ns;
	vm->pace_ns = (vm->pace_ns > mono_ns ? vm->pace_ns : mono_ns) + ASYNC_PACE_NS;
	after->raise = 1;
	vm->raised_ns = mono_ns;
	vm->backoff_ns = BACKOFF_MIN_NS;
	return 0;
}

/* When it is worth looking for the SEA record's acknowledgement again. An age that doubles is looked at seldom. */
static uint64_t sea_wait_ns(const struct fbk_vm *vm, uint64_t mono_ns)
{
	uint64_t age = mono_ns - vm->told[FBK_GHES_SEA].wrote_ns;

	if (!vm->acks || !vm->source[FBK_GHES_SEA].in_flight)
		return UINT64_MAX;
	return age > BACKOFF_MIN_NS ? age : BACKOFF_MIN_NS;
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

/* A record that names the page lies in a block, unread. */
static int told_already(struct fbk_vm *vm, uint64_t page, struct fbk_event *ev)
{
	uint32_t s;

	for (s = 0; s < FBK_GHES_NR_SOURCES; s++) {
		(void)look(vm, (enum fbk_ghes_source)s);
		if (fbk_handshake_has(&vm->source[s], page)) {
			ev->notify = s == FBK_GHES_SEA ? FBK_NOTIFY_SEA : FBK_NOTIFY_ASYNC;
			ev->record = vm->source[s].serial;
			return 1;
		}
	}
	return 0;
}

void fbk_notify_async(struct fbk_vm *vm, const struct fbk_span *span, struct fbk_event *ev, struct fbk_after *after)
{
	uint64_t page = ev->abort.gpa.addr & FBK_PAGE_MASK;
	int err;

	/* Once is enough. */
	if (span->nr_pages == 1 && told_already(vm, page, ev))
		return;
	ev->notify = FBK_NOTIFY_QUEUED;
	err = enqueue(vm, span->page, span->nr_pages);
	if (!err)
		err = deliver(vm, after, ev->time_ns, ev->mono_ns);
	if (!err && fbk_handshake_has(&vm->source[FBK_GHES_ASYNC], page)) {
		ev->notify = FBK_NOTIFY_ASYNC;
		ev->record = vm->source[FBK_GHES_ASYNC].serial;
	}
	if (err && !ev->notify_err)
		ev->notify_err = err;
	if (waiting(vm))
		after->pump = 1;
}

/* Takes the unread record of the SEA source back and queues its pages. */
static void withdraw(struct fbk_vm *vm)
{
	struct fbk_handshake *h = &vm->source[FBK_GHES_SEA];
	uint32_t nr, i;

	nr = fbk_handshake_give_up(h);
	vm->told[FBK_GHES_SEA].withdrawn += nr != 0;
	if (nr && fbk_block_clear(&vm->block[FBK_GHES_SEA]))
		source_broken(vm, FBK_GHES_SEA);
	for (i = 0; i < nr; i++)
		(void)enqueue(vm, h->pages[i].addr, 1);
}

static void sleep_us(uint32_t us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000 };

	(void)fbk_sys->nanosleep(&ts, NULL);
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
	uint64_t start_ns = 0, slept_us = 0;
	uint32_t us = vm->policy.ack_poll_us ? vm->policy.ack_poll_us : 1;
	enum fbk_turn turn = FBK_TURN_GUEST;

	while (turn == FBK_TURN_GUEST && !h->unresponsive && !(h->in_flight && h->owner == vcpu)) {
		/* The clock bounds the wait; so does the time slept, should the clock stand still. */
		if (ev->ack_wait_ns >= budget_ns || slept_us * 1000 >= budget_ns)
			break;
		if (!start_ns)
			start_ns = fbk_clock_ns(CLOCK_MONOTONIC);
		pthread_mutex_unlock(&vm->lock);
		sleep_us(us);
		pthread_mutex_lock(&vm->lock);
		slept_us += us;
		/* The longer it lasts the less another millisecond matters. */
		if (us < ACK_POLL_MAX_US)
			us *= 2;
		ev->ack_wait_ns = fbk_clock_ns(CLOCK_MONOTONIC) - start_ns;
		turn = look(vm, FBK_GHES_SEA);
	}
	return turn;
}

void fbk_notify_sea(struct fbk_vm *vm, int32_t vcpu, struct fbk_gpa gpa, struct fbk_event *ev, struct fbk_after *after)
{
	struct fbk_gpa page = { gpa.addr & FBK_PAGE_MASK };
	struct fbk_span span = { .page = page.addr, .nr_pages = 1 };
	enum fbk_turn turn = look(vm, FBK_GHES_SEA);

	if (turn == FBK_TURN_GUEST)
		turn = wait_turn(vm, vcpu, ev);
	if (turn == FBK_TURN_OURS) {
		ev->notify_err = write_sea(vm, page, vcpu, ev->time_ns);
		if (!ev->notify_err) {
			ev->notify = FBK_NOTIFY_SEA;
			ev->record = vm->source[FBK_GHES_SEA].serial;
			vm->told[FBK_GHES_SEA].seq = ev->seq;
			vm->told[FBK_GHES_SEA].wrote_ns = ev->mono_ns + ev->ack_wait_ns;
			/* One error, told once. */
			if (vm->queue.nr)
				(void)fbk_queue_remove(&vm->queue, page.addr);
			return;
		}
	} else if (turn == FBK_TURN_GUEST) {
		ev->notify_err = -EBUSY;
		withdraw(vm);
	} else {
		ev->notify_err = -EHWPOISON;
	}
	fbk_notify_async(vm, &span, ev, after);
}

void fbk_notify_tell_acks(struct fbk_vm *vm)
{
	struct fbk_event_ack ack;
	uint64_t now_ns, mono_ns;

	now_ns = fbk_clock_ns(CLOCK_REALTIME);
	mono_ns = fbk_clock_ns(CLOCK_MONOTONIC);
	for (;;) {
		pthread_mutex_lock(&vm->lock);
		if (!vm->nr_acks) {
			pthread_mutex_unlock(&vm->lock);
			return;
		}
		ack = vm->acks[0];
		__atomic_store_n(&vm->nr_acks, vm->nr_acks - 1, __ATOMIC_RELAXED);
		memmove(&vm->acks[0], &vm->acks[1], vm->nr_acks * sizeof(ack));
		pthread_mutex_unlock(&vm->lock);
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
	pthread_mutex_lock(&vm->lock);
	(void)look(vm, FBK_GHES_SEA);
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
	pthread_mutex_unlock(&vm->lock);

	(void)fbk_notify_finish(vm, &after);
	if (fbk_notify_has_acks(vm))
		fbk_notify_tell_acks(vm);
	if (err)
		return err;
	*ret_wait_ns = wait;
	return 0;
}

int fbk_notify_reset(struct fbk_vm *vm)
{
	uint32_t s;
	int err = 0;

	if (!vm->has_ghes)
		return 0;
	pthread_mutex_lock(&vm->lock);
	fbk_queue_init(&vm->queue, vm->queue_ring, FBK_QUEUE_RANGES);
	vm->rescan = 0;
	vm->pace_ns = 0;
	for (s = 0; s < FBK_GHES_NR_SOURCES; s++) {
		fbk_handshake_init(&vm->source[s]);
		if (fbk_block_reset(&vm->block[s])) {
			source_broken(vm, (enum fbk_ghes_source)s);
			err = -EHWPOISON;
		}
	}
	pthread_mutex_unlock(&vm->lock);
	return err;
}
