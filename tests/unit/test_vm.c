/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_vm.c - the whole road over a fake kernel and a guest that reads its error blocks as Linux does, or does not.
 */
#include "test.h"

#include "fake_disk.h"
#include "fake_guest.h"
#include "fake_kvm.h"

#include <firebreak/cper.h>
#include <firebreak/vm.h>

#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EL0 0x0
#define EL1 0x3c5
#define NR_VCPUS 2

struct world {
	struct fake_guest guest;
	struct fbk_vm *vm;
	struct fbk_vcpu *vcpu[NR_VCPUS];
	struct kvm_run run[NR_VCPUS];
	struct fbk_policy policy;
	uint32_t nr_events, nr_raised, nr_pump;
	int raise_fails;
	struct fbk_event ev; /* the latest */
	uint32_t nr_acks;
	struct fbk_event_ack ack; /* likewise */
};

/* For tests/formats: what was told, as lines. */
static void keep_line(const char *line, int len)
{
	const char *path = getenv("FIREBREAK_TEST_EVENTS");
	FILE *f;

	assert_true(len > 0);
	if (!path)
		return;
	f = fopen(path, "a");
	assert_non_null(f);
	fputs(line, f);
	fclose(f);
}

static void keep_event(const struct fbk_event *ev)
{
	char line[FBK_EVENT_JSON_MAX];
	int len = fbk_event_json(ev, line, sizeof(line));

	keep_line(line, len);
}

static void keep_ack(const struct fbk_event_ack *ack)
{
	char line[FBK_EVENT_JSON_MAX];
	int len = fbk_event_ack_json(ack, line, sizeof(line));

	keep_line(line, len);
}

static void on_event(void *opaque, const struct fbk_event *ev)
{
	struct world *w = opaque;

	assert_int_equal(ev->size, sizeof(*ev));
	w->ev = *ev;
	if (w->nr_events++ < 200)
		keep_event(ev);
}

static void on_ack(void *opaque, const struct fbk_event_ack *ack)
{
	struct world *w = opaque;

	assert_int_equal(ack->size, sizeof(*ack));
	w->ack = *ack;
	if (w->nr_acks++ < 200)
		keep_ack(ack);
}

static int on_raise(void *opaque)
{
	struct world *w = opaque;

	w->nr_raised++;
	return w->raise_fails;
}

static void on_pump(void *opaque)
{
	((struct world *)opaque)->nr_pump++;
}

static const struct fbk_vm_ops ops = { .event = on_event, .raise_async = on_raise, .want_pump = on_pump, .acknowledged = on_ack };

static struct fbk_vm_config config(struct world *w)
{
	return (struct fbk_vm_config){
		.size = sizeof(struct fbk_vm_config),
		.vm_fd = FAKE_VM_FD,
		.gmem = &w->guest.gmem,
		.ghes = &w->guest.layout,
		.policy = &w->policy,
		.ops = &ops,
		.opaque = w,
	};
}

static void start_with(struct world *w, const struct fbk_vm_config *cfg)
{
	uint32_t i;

	assert_int_equal(fbk_vm_create(cfg, &w->vm), 0);
	for (i = 0; i < NR_VCPUS; i++)
		assert_int_equal(fbk_vcpu_create(w->vm, FAKE_VCPU_FD + (int)i, &w->run[i], i, &w->vcpu[i]), 0);
}

static void prepare(struct world *w)
{
	fake_kvm_install();
	memset(w, 0, sizeof(*w));
	fake_guest_init(&w->guest);
	fbk_policy_default(&w->policy);
	w->policy.ack_wait_us = 20000;
}

static void start(struct world *w)
{
	struct fbk_vm_config cfg;

	prepare(w);
	cfg = config(w);
	start_with(w, &cfg);
}

/* Long enough for the guest to have worked through what it was told, in the library's opinion. */
#define PACE_NS 100000000

static void leave(struct world *w)
{
	uint32_t i;

	for (i = 0; i < NR_VCPUS; i++)
		fbk_vcpu_destroy(w->vcpu[i]);
	fbk_vm_destroy(w->vm);
}

static void stop(struct world *w)
{
	leave(w);
	fake_guest_exit(&w->guest);
	assert_int_equal(fake_kvm.nr_allocs, 0);
}

static void exits_with(struct world *w, uint32_t vcpu, uint64_t flags, uint64_t esr, uint64_t gva, uint64_t gpa)
{
	const uint64_t fields[4] = { flags, esr, gva, gpa };

	memset(&w->run[vcpu], 0, sizeof(w->run[vcpu]));
	w->run[vcpu].exit_reason = 41;
	memcpy(w->run[vcpu].padding, fields, sizeof(fields));
}

static uint64_t page(uint32_t n)
{
	return FAKE_RAM_GPA + n * FBK_PAGE_SIZE;
}

static int sea(struct world *w, uint32_t vcpu, uint32_t n, struct fbk_verdict *v)
{
	exits_with(w, vcpu, 1, 0x92000010, 0x7000000 + n * FBK_PAGE_SIZE, page(n));
	return fbk_vcpu_sea(w->vcpu[vcpu], v);
}

static siginfo_t bus(struct world *w, int code, uint32_t n, short lsb)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	si.si_signo = SIGBUS;
	si.si_code = code;
	si.si_addr = w->guest.ram + n * FBK_PAGE_SIZE;
	si.si_addr_lsb = lsb;
	return si;
}

static struct fbk_ledger_entry ledger(struct world *w, uint32_t n)
{
	struct fbk_ledger_entry e = { 0 };

	assert_int_equal(fbk_ledger_lookup(fbk_vm_ledger(w->vm), (struct fbk_gpa){ page(n) }, &e), 0);
	return e;
}

/*
 * Lets time pass and the guest read its asynchronous source until nothing waits.
 * Return: how many records there were; seen() is called with each page.
 */
static uint32_t drain(struct world *w, void (*seen)(void *opaque, uint64_t page), void *opaque)
{
	struct fake_record rec;
	uint32_t records = 0, i, rounds;
	uint64_t wait;

	for (rounds = 0; rounds < 100000; rounds++) {
		if (fake_guest_read(&w->guest, FBK_GHES_ASYNC, 1, &rec)) {
			records++;
			assert_true(rec.nr_pages <= 8); /* never more than Linux can queue */
			for (i = 0; seen && i < rec.nr_pages; i++)
				seen(opaque, rec.pages[i]);
		}
		assert_int_equal(fbk_vm_pump(w->vm, &wait), 0);
		if (wait == UINT64_MAX)
			return records;
		assert_in_range(wait, 1, 1000000000);
		fake_kvm.now_ns += wait;
	}
	fail_msg("it never ends");
	return 0;
}

/* A set of pages, each of which may be told once. */
struct told {
	uint64_t base;
	uint32_t n;
	unsigned char page[200001];
};

static void tell_once(void *opaque, uint64_t gpa)
{
	struct told *t = opaque;
	uint64_t k = (gpa - t->base) / FBK_PAGE_SIZE;

	assert_true(k < sizeof(t->page));
	assert_int_equal(t->page[k], 0);
	t->page[k] = 1;
	t->n++;
}

/* One error in user mode: the record is there before the abort, and it costs two ioctls. */
static void contained(void **state)
{
	struct fake_record rec;
	struct fbk_verdict v;
	struct world w;
	uint32_t before;

	start(&w);
	fake_kvm.pstate = EL0;
	before = fake_kvm.nr_ioctls;
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(fake_kvm.nr_ioctls - before, 2);
	assert_int_equal(fake_kvm.nr_get_reg, 1);
	assert_int_equal(fake_kvm.nr_dabt, 1);
	assert_int_equal(fake_kvm.nr_sleeps, 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(w.nr_events, 1);
	assert_int_equal(w.nr_raised, 0);
	assert_int_equal(w.ev.seq, 1);
	assert_int_equal(w.ev.el, 0);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	assert_int_equal(w.ev.notify_err, 0);
	assert_int_equal(w.ev.record, 1);
	assert_int_equal(w.ev.replay, FBK_REPLAY_HELPER);
	assert_int_equal(w.ev.ledger, 1);
	assert_int_equal(w.ev.count, 1);
	assert_true(w.ev.duration_ns > 0);
	assert_int_equal(ledger(&w, 5).state, FBK_PAGE_POISONED);

	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(rec.nr_pages, 1);
	assert_int_equal(rec.pages[0], page(5));
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_ASYNC, 1, &rec), 0);

	/* The next one finds the acknowledgement and books it. */
	assert_int_equal(sea(&w, 0, 6, &v), 0);
	assert_int_equal(ledger(&w, 5).state, FBK_PAGE_REPORTED);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	stop(&w);
}

/* Kernel mode: the handler will not read the SEA source, so nothing may lie in it. */
static void kernel_mode_is_told_asynchronously(void **state)
{
	struct fake_record rec;
	struct fbk_verdict v;
	struct world w;

	start(&w);
	fake_kvm.pstate = EL1;
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(fake_kvm.nr_dabt, 1);
	assert_int_equal(w.ev.el, 1);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_ASYNC);
	assert_int_equal(w.nr_raised, 1);
	assert_int_equal(w.nr_pump, 1);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_ASYNC, 1, &rec), 1);
	assert_int_equal(rec.pages[0], page(5));

	/* And the next user-mode error is handled as if nothing had been. */
	fake_kvm.pstate = EL0;
	assert_int_equal(sea(&w, 0, 6, &v), 0);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(rec.pages[0], page(6));
	stop(&w);
}

static void records_are_never_alike(void **state)
{
	struct fake_record a, b;
	struct fbk_verdict v;
	struct world w;

	start(&w);
	fake_kvm.tick_ns = 0; /* the clock stands still */
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &a), 1);
	assert_int_equal(sea(&w, 1, 5, &v), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &b), 1);
	assert_int_equal(a.len, b.len);
	assert_memory_not_equal(a.raw, b.raw, a.len);
	assert_int_equal(ledger(&w, 5).count, 2);
	stop(&w);
}

static void guest_acknowledges(void *opaque)
{
	struct world *w = opaque;
	struct fake_record rec;

	if (fake_kvm.nr_sleeps == 3)
		assert_int_equal(fake_guest_read(&w->guest, FBK_GHES_SEA, 1, &rec), 1);
}

/* Two vCPUs at once: the second waits for the first one's acknowledgement, and both are told. */
static void two_at_once(void **state)
{
	struct fake_record rec;
	struct fbk_verdict v;
	struct world w;

	start(&w);
	fake_kvm.on_sleep = guest_acknowledges;
	fake_kvm.opaque = &w;
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(sea(&w, 1, 6, &v), 0);
	assert_int_equal(fake_kvm.nr_sleeps, 3);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	assert_int_equal(w.ev.notify_err, 0);
	assert_in_range(w.ev.ack_wait_ns, 350000, 400000);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(rec.pages[0], page(6));
	assert_int_equal(ledger(&w, 5).state, FBK_PAGE_REPORTED);
	stop(&w);
}

static void standstill(void *opaque)
{
	/* Nobody has run, the guest no more than we. */
	if (fake_kvm.nr_sleeps == 1)
		fake_kvm.now_ns += UINT64_C(10000000000);
	guest_acknowledges(opaque);
}

/* The machine stands still while a vCPU waits for the guest: that is not the guest's doing, and its time to answer is not up. */
static void a_standstill_is_not_the_guests(void **state)
{
	struct fake_record rec;
	struct fbk_verdict v;
	struct world w;

	start(&w);
	fake_kvm.on_sleep = standstill;
	fake_kvm.opaque = &w;
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(sea(&w, 1, 6, &v), 0);
	assert_int_equal(fake_kvm.nr_sleeps, 3);
	assert_int_equal(w.ev.notify_err, 0);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	/* The event has the time by the clock all the same. */
	assert_true(w.ev.ack_wait_ns > UINT64_C(10000000000));
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(rec.pages[0], page(6));
	assert_int_equal(ledger(&w, 5).state, FBK_PAGE_REPORTED);
	stop(&w);
}

static void slow_sleep(void *opaque)
{
	fake_kvm.now_ns += UINT64_C(1000000000);
}

/* A machine on which each sleep takes a second, and a guest that does not answer: four looks, and no more. */
static void a_slow_machine_waits_no_longer(void **state)
{
	struct fbk_verdict v;
	struct world w;

	start(&w);
	fake_kvm.on_sleep = slow_sleep;
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(sea(&w, 1, 6, &v), 0);
	assert_int_equal(fake_kvm.nr_sleeps, 4);
	assert_int_equal(w.ev.notify_err, -EBUSY);
	stop(&w);
}

/* A guest that never reads its SEA source: one bounded wait, then no more; nothing stale is left; all is told later. */
static void nobody_acknowledges(void **state)
{
	struct fake_record rec;
	struct fbk_verdict v;
	struct told told = { .base = FAKE_RAM_GPA };
	struct world w;
	uint32_t sleeps;

	start(&w);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(sea(&w, 1, 8, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(fake_kvm.nr_dabt, 2);
	assert_int_equal(w.ev.notify_err, -EBUSY);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	assert_in_range(w.ev.ack_wait_ns, 20000000, 21000000);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 0, &rec), 1);
	assert_int_equal(rec.pages[0], page(8)); /* the other was withdrawn */

	sleeps = fake_kvm.nr_sleeps;
	assert_int_equal(sea(&w, 0, 11, &v), 0);
	assert_int_equal(fake_kvm.nr_sleeps, sleeps); /* not waited for again */
	assert_int_equal(w.ev.notify_err, -EBUSY);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);

	/* All three pages reach the asynchronous source, the withdrawn one too. */
	assert_int_equal(drain(&w, tell_once, &told), 2);
	assert_int_equal(told.n, 3);
	assert_true(told.page[5] && told.page[8] && told.page[11]);

	/* The guest comes to its senses: the record it finds is that of the abort it takes. */
	assert_int_equal(sea(&w, 0, 12, &v), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(rec.pages[0], page(12));
	(void)drain(&w, tell_once, &told);
	assert_int_equal(told.page[12], 1); /* by both: nobody could know */
	assert_int_equal(sea(&w, 0, 14, &v), 0);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	assert_int_equal(w.ev.notify_err, 0);
	assert_int_equal(fake_kvm.nr_sleeps, sleeps);
	/* And waited for. */
	assert_int_equal(sea(&w, 1, 13, &v), 0);
	assert_true(fake_kvm.nr_sleeps > sleeps);
	stop(&w);
}

/* The same vCPU comes again with its own record unread: nobody is going to read it, so nobody is waited for. */
static void own_record_unread(void **state)
{
	struct told told = { .base = FAKE_RAM_GPA };
	struct fbk_verdict v;
	struct world w;

	start(&w);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(sea(&w, 0, 6, &v), 0);
	assert_int_equal(fake_kvm.nr_sleeps, 0);
	assert_int_equal(w.ev.notify_err, -EBUSY);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	/* Both pages go the other way, too. */
	assert_int_equal(drain(&w, tell_once, &told), 1);
	assert_true(told.n == 2 && told.page[5] && told.page[6]);
	stop(&w);
}

/* A record that lies there for longer than anybody would wait is taken back when there is time for it. */
static void the_last_record_unread(void **state)
{
	struct told told = { .base = FAKE_RAM_GPA };
	struct fake_record rec;
	struct fbk_verdict v;
	struct world w;
	uint64_t wait;

	start(&w);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_int_equal(wait, 1000000); /* its acknowledgement is to be told */
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 0, &rec), 1);
	/* Not at once: a guest that was not run meanwhile has had no time to read it. */
	fake_kvm.now_ns += 21000000;
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 0, &rec), 1);
	assert_true(drain(&w, tell_once, &told) == 1 && told.page[5]);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 0, &rec), 0);
	stop(&w);
}

/* The wait ends even when the clock does not move. */
static void a_clock_that_stands_still(void **state)
{
	struct fbk_verdict v;
	struct world w;
	uint64_t now;

	start(&w);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	fake_kvm.tick_ns = 0;
	now = fake_kvm.now_ns;
	assert_int_equal(sea(&w, 1, 6, &v), 0);
	assert_in_range(fake_kvm.nr_sleeps, 1, 200);
	assert_true(fake_kvm.now_ns >= now);
	assert_int_equal(w.ev.notify_err, -EBUSY);
	stop(&w);
}

/* A thousand pages before the first acknowledgement: each told exactly once. */
static void a_thousand_before_the_first_acknowledgement(void **state)
{
	enum { N = 1000 };
	struct told told = { .base = FAKE_RAM_GPA };
	struct world w;
	struct fbk_verdict v;
	uint32_t i, records;
	siginfo_t si;

	start(&w);
	for (i = 0; i < N; i++) {
		si = bus(&w, BUS_MCEERR_AO, i == 512 ? 1001 : i, 12); /* page 512 holds the error blocks */
		assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
		assert_int_equal(v.action, FBK_VERDICT_REPORT);
		assert_int_equal(w.ev.notify, i == 0 ? FBK_NOTIFY_ASYNC : FBK_NOTIFY_QUEUED);
	}
	assert_int_equal(fake_kvm.nr_dabt, 0);
	records = drain(&w, tell_once, &told);
	assert_int_equal(told.n, N);
	assert_in_range(records, N / FBK_CPER_MAX_PAGES, N / 4);
	for (i = 0; i < N; i++)
		assert_int_equal(ledger(&w, i == 512 ? 1001 : i).state, FBK_PAGE_REPORTED);
	stop(&w);
}

/* Linux queues 16 pages when it reads a record, and isolates them afterwards: from then on it has its time, however late it read. */
static void records_keep_a_distance(void **state)
{
	struct fake_record rec;
	struct fbk_verdict v;
	uint64_t wait;
	struct world w;
	siginfo_t si;
	uint32_t i;

	start(&w);
	for (i = 0; i < 30; i++) {
		si = bus(&w, BUS_MCEERR_AO, i, 12);
		assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	}
	for (i = 0; i < 4; i++) {
		fake_kvm.now_ns += 3 * PACE_NS;
		assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_ASYNC, 1, &rec), 1);
		assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
		assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_ASYNC, 1, &rec), 0);
		assert_in_range(wait, PACE_NS / 2, PACE_NS);
		fake_kvm.now_ns += wait;
		assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	}
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_ASYNC, 1, &rec), 1);
	stop(&w);
}

/*
 * Pages that do not touch: the queue holds 4096 ranges, and what does not fit is told from the ledger. Whatever their number,
 * each is told exactly once.
 */
static void page_storm(uint32_t n)
{
	struct fbk_gmem_region r = { .len = 2 * n * FBK_PAGE_SIZE, .gpa = { UINT64_C(0x100000000) } };
	struct told *told = calloc(1, sizeof(*told));
	struct fbk_vm_config cfg;
	struct fbk_verdict v;
	struct world w;
	uint32_t i, overflows = 0;
	uint64_t wait;

	assert_non_null(told);
	told->base = r.gpa.addr;
	prepare(&w);
	r.hva.addr = (uintptr_t)mmap(NULL, r.len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_int_equal(fbk_gmem_add(&w.guest.gmem, &r), 0);
	cfg = config(&w);
	start_with(&w, &cfg);
	for (i = 0; i < n; i++) {
		/* Up and down: neither order is anybody's favourite. */
		uint32_t k = i & 1 ? n - 1 - i / 2 : i / 2;
		siginfo_t si = bus(&w, BUS_MCEERR_AO, 0, 12);

		si.si_addr = (char *)(uintptr_t)r.hva.addr + 2 * (uint64_t)k * FBK_PAGE_SIZE;
		assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
		assert_int_equal(v.action, FBK_VERDICT_REPORT);
		assert_true(w.ev.notify_err == 0 || w.ev.notify_err == -ENOSPC);
		overflows += w.ev.notify_err == -ENOSPC;
	}
	assert_int_equal(overflows, n > 4097 ? n - 1 - 4096 : 0);
	assert_true(drain(&w, tell_once, told) > n / FBK_CPER_MAX_PAGES);
	assert_int_equal(told->n, n);
	/* The next guest learns of them all again. */
	assert_int_equal(fbk_vm_reset(w.vm), 0);
	memset(told->page, 0, sizeof(told->page));
	told->n = 0;
	(void)drain(&w, tell_once, told);
	assert_int_equal(told->n, n);
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_int_equal(wait, UINT64_MAX);
	munmap((void *)(uintptr_t)r.hva.addr, r.len);
	stop(&w);
	free(told);
}

static void as_much_as_the_queue_holds(void **state)
{
	page_storm(4097);
}

static void more_than_the_queue_holds(void **state)
{
	page_storm(5000);
}

static void a_hundred_thousand_pages(void **state)
{
	page_storm(100000);
}

/* A page that cannot be remembered could not be kept from use: the VM ends there, and says why. Known pages go on. */
static void a_full_ledger(void **state)
{
	struct fbk_vm_config cfg;
	struct fake_record rec;
	struct fbk_verdict v;
	struct world w;
	uint64_t wait;
	siginfo_t si;

	prepare(&w);
	cfg = config(&w);
	cfg.max_pages = 1;
	start_with(&w, &cfg);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(sea(&w, 0, 6, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_STOP);
	assert_int_equal(v.reason, FBK_REASON_LEDGER_FULL);
	assert_int_equal(w.ev.ledger, -ENOSPC);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_NONE);
	assert_int_equal(fake_kvm.nr_dabt, 1);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 0);

	si = bus(&w, BUS_MCEERR_AO, 7, 12);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_STOP);
	assert_int_equal(v.reason, FBK_REASON_LEDGER_FULL);
	si = bus(&w, BUS_MCEERR_AO, 5, 13); /* one of two has room */
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(v.reason, FBK_REASON_LEDGER_FULL);

	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_int_equal(wait, UINT64_MAX);
	stop(&w);

	/* Who wants to look at it first is not overruled. */
	prepare(&w);
	cfg = config(&w);
	cfg.max_pages = 1;
	w.policy.no_address = w.policy.uc = FBK_VERDICT_PAUSE;
	start_with(&w, &cfg);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	exits_with(&w, 0, 1, 0x92001010, 0x1000, page(6));
	assert_int_equal(fbk_vcpu_sea(w.vcpu[0], &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_PAUSE);
	stop(&w);
}

/* Without a number the ledger has room for every page of the guest. */
static void room_for_every_page(void **state)
{
	struct fbk_verdict v;
	struct world w;
	siginfo_t si;

	start(&w);
	si = bus(&w, BUS_MCEERR_AO, 0, 12);
	for (uint32_t i = 0; i < FAKE_RAM_LEN / FBK_PAGE_SIZE; i++) {
		si.si_addr = w.guest.ram + i * FBK_PAGE_SIZE;
		assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
		assert_int_equal(v.action, FBK_VERDICT_REPORT);
	}
	assert_int_equal(fbk_ledger_pages(fbk_vm_ledger(w.vm)), FAKE_RAM_LEN / FBK_PAGE_SIZE);
	stop(&w);
}

static void addresses_missing(void **state)
{
	static const struct {
		uint64_t flags, esr;
		enum fbk_verdict_action action;
		enum fbk_notify notify;
		uint32_t dabt, serror;
	} rows[] = {
		{ 1, 0x92000410, FBK_VERDICT_REPLAY, FBK_NOTIFY_SEA, 1, 0 },  /* no GVA */
		{ 0, 0x92000010, FBK_VERDICT_REPLAY, FBK_NOTIFY_NONE, 1, 0 }, /* no GPA */
		{ 0, 0x92000016, FBK_VERDICT_REPLAY, FBK_NOTIFY_NONE, 1, 0 }, /* on a walk */
		{ 0, 0x92000410, FBK_VERDICT_SERROR, FBK_NOTIFY_NONE, 0, 1 }, /* neither */
		{ 1, 0x92001010, FBK_VERDICT_SERROR, FBK_NOTIFY_ASYNC, 0, 1 }, /* uncontainable */
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_verdict v;
		struct world w;

		start(&w);
		exits_with(&w, 0, rows[i].flags, rows[i].esr, 0x1000, page(5));
		assert_int_equal(fbk_vcpu_sea(w.vcpu[0], &v), 0);
		assert_int_equal(v.action, rows[i].action);
		assert_int_equal(w.ev.notify, rows[i].notify);
		assert_int_equal(fake_kvm.nr_dabt, rows[i].dabt);
		assert_int_equal(fake_kvm.nr_serror, rows[i].serror);
		assert_int_equal(fbk_ledger_pages(fbk_vm_ledger(w.vm)), rows[i].flags & 1);
		assert_int_equal(w.ev.ledger, rows[i].flags & 1 ? 1 : -ENODATA);
		stop(&w);
	}
}

/* A storm: SError, then stop; the PC is read only from half a storm on. */
static void storm(void **state)
{
	struct fake_record rec;
	struct fbk_verdict v;
	struct world w;
	uint32_t i;

	prepare(&w);
	w.policy.storm_repeats = 4;
	{
		struct fbk_vm_config cfg = config(&w);

		start_with(&w, &cfg);
	}
	for (i = 1; i <= 9; i++) {
		uint32_t gets = fake_kvm.nr_get_reg;

		assert_int_equal(sea(&w, 0, 5, &v), 0);
		(void)fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec);
		assert_int_equal(w.ev.repeats, i);
		assert_int_equal(v.action, i == 4 ? FBK_VERDICT_SERROR : i >= 8 ? FBK_VERDICT_STOP : FBK_VERDICT_REPLAY);
		assert_int_equal(fake_kvm.nr_get_reg - gets, (i > 1) + 1); /* and PSTATE */
	}
	assert_int_equal(fake_kvm.nr_serror, 1);
	assert_int_equal(fake_kvm.nr_dabt, 6);
	/* Progress: another PC. */
	fake_kvm.pc += 4;
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(w.ev.repeats, 1);
	stop(&w);
}

static void start_by_policy(struct world *w, uint32_t max_pages)
{
	struct fbk_vm_config cfg = config(w);

	cfg.max_pages = max_pages;
	start_with(w, &cfg);
}

/* The third page is one too many, whoever tells of it; one that is lost already is not counted again. */
static void a_budget_of_two_pages(void **state)
{
	struct fbk_verdict v;
	struct world w;
	siginfo_t si;

	prepare(&w);
	w.policy.budget_pages = 2;
	start_by_policy(&w, 0);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(sea(&w, 1, 5, &v), 0);
	assert_int_equal(v.reason, FBK_REASON_RECOVERABLE);
	assert_int_equal(sea(&w, 0, 6, &v), 0);
	assert_int_equal(v.reason, FBK_REASON_RECOVERABLE);
	assert_int_equal(fake_kvm.nr_dabt, 3);
	si = bus(&w, BUS_MCEERR_AO, 7, 12);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_STOP);
	assert_int_equal(v.reason, FBK_REASON_BUDGET);
	assert_int_equal(w.ev.verdict.reason, FBK_REASON_BUDGET);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_NONE);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(v.reason, FBK_REASON_BUDGET);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_NONE);
	assert_int_equal(fake_kvm.nr_dabt, 3);
	stop(&w);

	/* A larger host page is all of its pages. */
	prepare(&w);
	w.policy.budget_pages = 15;
	start_by_policy(&w, 0);
	si = bus(&w, BUS_MCEERR_AR, 34, 16);
	assert_int_equal(fbk_vcpu_sigbus(w.vcpu[0], &si, &v), 0);
	assert_int_equal(v.reason, FBK_REASON_BUDGET);
	stop(&w);
}

/* What no longer fits into the ledger cannot be counted: the limit holds all the same. */
static void a_budget_beyond_the_ledger(void **state)
{
	struct fbk_verdict v;
	struct world w;

	prepare(&w);
	w.policy.budget_pages = 100;
	start_by_policy(&w, 2);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(sea(&w, 0, 6, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(sea(&w, 0, 7, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_STOP);
	assert_int_equal(v.reason, FBK_REASON_BUDGET);
	assert_int_equal(w.ev.ledger, -ENOSPC);
	stop(&w);
}

/* All vCPUs and all sources together, in the same window. */
static void a_rate_of_three(void **state)
{
	struct fbk_verdict v;
	struct world w;
	siginfo_t si;

	prepare(&w);
	w.policy.rate_errors = 3;
	w.policy.rate_ms = 1000;
	w.policy.rate = FBK_VERDICT_PAUSE;
	start_by_policy(&w, 0);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(sea(&w, 1, 6, &v), 0);
	si = bus(&w, BUS_MCEERR_AO, 7, 12);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(v.reason, FBK_REASON_ASYNC);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_PAUSE);
	assert_int_equal(v.reason, FBK_REASON_RATE);
	fake_kvm.now_ns += UINT64_C(2000000000);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	stop(&w);
}

/* PSTATE is a system call: it is asked for when a rule depends on it, and only then. */
static void user_and_kernel(void **state)
{
	static const struct {
		enum fbk_verdict_action user, kernel;
		uint64_t pstate;
		uint32_t gets;
		enum fbk_verdict_action action;
	} rows[] = {
		{ FBK_VERDICT_REPLAY, FBK_VERDICT_REPLAY, EL1, 0, FBK_VERDICT_REPLAY },
		{ FBK_VERDICT_STOP, FBK_VERDICT_STOP, EL1, 0, FBK_VERDICT_STOP },
		{ FBK_VERDICT_REPLAY, FBK_VERDICT_STOP, EL0, 1, FBK_VERDICT_REPLAY },
		{ FBK_VERDICT_REPLAY, FBK_VERDICT_STOP, EL1, 1, FBK_VERDICT_STOP },
		{ FBK_VERDICT_SERROR, FBK_VERDICT_REPLAY, EL0, 1, FBK_VERDICT_SERROR },
		{ FBK_VERDICT_SERROR, FBK_VERDICT_REPLAY, EL1, 1, FBK_VERDICT_REPLAY },
	};
	struct fbk_verdict v;
	struct world w;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_vm_config cfg;

		prepare(&w);
		w.policy.user = rows[i].user;
		w.policy.kernel = rows[i].kernel;
		cfg = config(&w);
		cfg.ghes = NULL;
		start_with(&w, &cfg);
		fake_kvm.pstate = rows[i].pstate;
		assert_int_equal(sea(&w, 0, 5, &v), 0);
		assert_int_equal(v.action, rows[i].action);
		assert_int_equal(fake_kvm.nr_get_reg, rows[i].gets);
		assert_int_equal(w.ev.el, rows[i].gets ? rows[i].pstate == EL1 : -1);
		stop(&w);
	}
}

static void sigbus_has_the_same_outcome(void **state)
{
	struct told told = { .base = FAKE_RAM_GPA };
	struct fake_record rec;
	struct fbk_verdict v;
	struct world w;
	siginfo_t si;

	start(&w);
	si = bus(&w, BUS_MCEERR_AR, 5, 12);
	assert_int_equal(fbk_vcpu_sigbus(w.vcpu[1], &si, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(fake_kvm.nr_dabt, 1);
	assert_int_equal(w.ev.source, FBK_SOURCE_SIGBUS_AR);
	assert_int_equal(w.ev.vcpu, 1);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	assert_int_equal(w.ev.hva.addr, (uintptr_t)si.si_addr);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(rec.pages[0], page(5));

	/* A larger host page: the touched page by the SEA source, the others by the asynchronous one. */
	si = bus(&w, BUS_MCEERR_AR, 34, 16);
	si.si_addr = (void *)((uintptr_t)si.si_addr & ~UINT64_C(0xffff));
	assert_int_equal(fbk_vcpu_sigbus(w.vcpu[0], &si, &v), 0);
	assert_int_equal(w.ev.pages, 16);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(rec.nr_pages, 1);
	assert_int_equal(rec.pages[0], w.ev.abort.gpa.addr);
	assert_true(drain(&w, tell_once, &told) > 0);
	assert_int_equal(told.n, 15);
	assert_int_equal(told.page[(w.ev.abort.gpa.addr - FAKE_RAM_GPA) / FBK_PAGE_SIZE], 0);
	assert_int_equal(fbk_ledger_pages(fbk_vm_ledger(w.vm)), 17);

	si.si_code = BUS_MCEERR_AO;
	assert_int_equal(fbk_vcpu_sigbus(w.vcpu[0], &si, &v), -EINVAL);
	si.si_code = BUS_MCEERR_AR;
	si.si_addr = NULL;
	assert_int_equal(fbk_vcpu_sigbus(w.vcpu[0], &si, &v), -ERANGE);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), -ERANGE);
	si.si_code = BUS_ADRERR;
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), -EINVAL);
	stop(&w);
}

/* The class and the address that SIGBUS does not tell are in the event all the same. */
static void sigbus_learns_the_rest(void **state)
{
	struct fbk_verdict v;
	struct world w;
	siginfo_t si;

	start(&w);
	si = bus(&w, BUS_MCEERR_AR, 5, 12);
	fake_kvm.hfar = 0x7000123;
	assert_int_equal(fbk_vcpu_sigbus(w.vcpu[0], &si, &v), 0);
	assert_int_equal(w.ev.replay, FBK_REPLAY_HELPER);
	assert_int_equal(w.ev.abort.kind, FBK_ABORT_DATA);
	assert_int_equal(w.ev.abort.flags, FBK_SEA_HAS_GPA | FBK_SEA_HAS_GVA);
	assert_int_equal(w.ev.abort.gva.addr, 0x7000123);
	fake_kvm.hfar = fake_kvm.pc;
	assert_int_equal(fbk_vcpu_sigbus(w.vcpu[0], &si, &v), 0);
	assert_int_equal(w.ev.replay, FBK_REPLAY_CORRECTED);
	assert_int_equal(w.ev.abort.kind, FBK_ABORT_INSTRUCTION);
	assert_int_equal(fake_kvm.esr_el1, 0x82000010);
	/* A repeat is one although the second event knows no more than the first did when it came. */
	assert_int_equal(w.ev.repeats, 2);
	stop(&w);
}

/* A kernel without the helper costs the guest nothing, except where nobody can do its work. */
static void without_the_helper(void **state)
{
	struct fbk_vm_config cfg;
	struct fbk_verdict v;
	struct world w;

	prepare(&w);
	fake_kvm.dabt = 0;
	cfg = config(&w);
	start_with(&w, &cfg);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(w.ev.replay, FBK_REPLAY_REGISTERS);
	assert_int_equal(fake_kvm.nr_dabt, 0);
	assert_int_equal(fake_kvm.pc, fake_kvm.vbar_el1 + 0x400);

	fake_kvm.pstate = 0x13;
	assert_int_equal(sea(&w, 0, 6, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_SERROR);
	assert_int_equal(v.reason, FBK_REASON_NO_INJECTION);
	assert_int_equal(w.ev.replay, FBK_REPLAY_SERROR);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_ASYNC);
	assert_int_equal(fake_kvm.nr_serror, 1);
	stop(&w);
}

/*
 * The road without a record has not read PSTATE when the kernel refuses the syndrome: what follows must not take that for
 * user mode.
 */
static void the_syndrome_is_refused(void **state)
{
	struct fbk_vm_config cfg;
	struct fbk_verdict v;
	struct world w;

	prepare(&w);
	fake_kvm.iabt = fake_kvm.abt_esr = 1;
	cfg = config(&w);
	cfg.ghes = NULL;
	start_with(&w, &cfg);
	fake_kvm.ras = 0; /* the exit does not tell SET then */
	fake_kvm.pstate = EL1;
	exits_with(&w, 0, 1, 0x92001810, 0x1000, page(5));
	assert_int_equal(fbk_vcpu_sea(w.vcpu[0], &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(w.ev.replay, FBK_REPLAY_CORRECTED);
	assert_int_equal(w.ev.replay_err, 0);
	assert_int_equal(fake_kvm.nr_refused, 1);
	assert_int_equal(fake_kvm.nr_dabt, 1);
	assert_int_equal(fake_kvm.esr_el1, 0x96001810);

	/* A 32-bit kernel in the guest. */
	fake_kvm.el1_32bit = 1;
	fake_kvm.pstate = 0x13;
	exits_with(&w, 0, 1, 0x92000050, 0x1000, page(6));
	assert_int_equal(fbk_vcpu_sea(w.vcpu[0], &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(w.ev.replay, FBK_REPLAY_HELPER);
	assert_int_equal(fake_kvm.nr_refused, 2);
	assert_int_equal(fake_kvm.nr_dabt, 2);
	stop(&w);
}

/* Learnt twice while the report waits: counted once, told once. */
static void one_error_by_two_roads(void **state)
{
	struct fake_record rec;
	struct fbk_verdict v;
	uint64_t wait;
	struct world w;
	siginfo_t si;

	start(&w);
	si = bus(&w, BUS_MCEERR_AO, 3, 12);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0); /* in the block */
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0); /* told already */
	assert_int_equal(w.ev.notify, FBK_NOTIFY_ASYNC);
	assert_int_equal(w.ev.record, 1);
	si = bus(&w, BUS_MCEERR_AO, 9, 12);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0); /* queued */
	si.si_code = BUS_MCEERR_AR;
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0); /* queued already */
	assert_int_equal(w.ev.source, FBK_SOURCE_SIGBUS_IO);
	assert_int_equal(sea(&w, 0, 9, &v), 0); /* and now consumed: the SEA source takes it out of the queue */
	assert_int_equal(ledger(&w, 9).count, 1); /* one error, by three roads */
	assert_int_equal(ledger(&w, 3).count, 2);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_ASYNC, 1, &rec), 1);
	assert_int_equal(rec.nr_pages, 1);
	assert_int_equal(rec.pages[0], page(3));
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_int_equal(wait, UINT64_MAX);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_ASYNC, 1, &rec), 0);
	stop(&w);
}

/* An interrupt that nobody heard is raised again, at growing intervals, until the guest acknowledges. */
static void the_interrupt_is_raised_again(void **state)
{
	struct fake_record rec;
	struct fbk_verdict v;
	uint64_t wait, total = 0;
	struct world w;
	siginfo_t si;
	uint32_t i;

	start(&w);
	si = bus(&w, BUS_MCEERR_AO, 3, 12);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(w.nr_raised, 1);
	/* Often at first, while a guest may be booting; */
	for (i = 0; i < 7; i++) {
		assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
		fake_kvm.now_ns += wait;
	}
	assert_in_range(w.nr_raised, 5, 8);
	assert_in_range(wait, 10000000, 200000000);
	/* then rarely. */
	for (i = 0; i < 30; i++) {
		assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
		assert_true(wait >= 1000000 && wait <= 1000000000);
		fake_kvm.now_ns += wait;
		total += wait;
	}
	assert_in_range(w.nr_raised, 15, 38);
	assert_true(total > UINT64_C(5000000000));
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_ASYNC, 1, &rec), 1);
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_int_equal(wait, UINT64_MAX);
	stop(&w);
}

static void a_failing_interrupt_is_told(void **state)
{
	struct fbk_verdict v;
	struct world w;
	siginfo_t si;

	start(&w);
	w.raise_fails = -EBADF;
	si = bus(&w, BUS_MCEERR_AO, 3, 12);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(w.ev.notify_err, -EBADF);
	stop(&w);
}

/* Whatever the guest writes over its pointers, acknowledgements and blocks, only its own reports suffer. */
static void a_hostile_guest(void **state)
{
	struct fbk_verdict v;
	struct world w;
	uint64_t wait;
	uint32_t i, k;
	siginfo_t si;

	start(&w);
	srand(3);
	for (i = 0; i < 3000; i++) {
		for (k = 0; k < 8; k++)
			w.guest.ram[FAKE_GHES_GPA - FAKE_RAM_GPA + (uint32_t)rand() % (k & 1 ? 32 : 3 * 4096)] =
				(unsigned char)rand();
		fake_kvm.pstate = rand() & 1 ? EL0 : EL1;
		fake_kvm.pc += 4;
		assert_int_equal(sea(&w, (uint32_t)rand() % NR_VCPUS, (uint32_t)rand() % 500, &v), 0);
		assert_int_equal(v.action, FBK_VERDICT_REPLAY);
		si = bus(&w, BUS_MCEERR_AO, (uint32_t)rand() % 500, 12);
		assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
		assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	}
	assert_int_equal(fake_kvm.nr_dabt, 3000);
	stop(&w);
}

/* Each register costs a system call: none is read unless something depends on it. */
static void registers_are_read_when_they_matter(void **state)
{
	static const struct {
		int acpi, iabt, abt_esr;
		uint64_t flags, esr;
		uint32_t gets, sets;
	} rows[] = {
		{ 0, 0, 0, 1, 0x92000010, 0, 0 }, /* nobody to notify, nothing to correct */
		{ 1, 0, 0, 1, 0x92000010, 1, 0 }, /* which source is to tell? */
		{ 1, 0, 0, 0, 0x92000010, 0, 0 }, /* no page to tell of */
		{ 0, 0, 0, 1, 0x92000050, 1, 1 }, /* WnR: a correction, of which class? */
		{ 0, 0, 0, 0, 0x92000016, 2, 2 }, /* and whether the helper did anything */
		{ 0, 0, 0, 1, 0x82000010, 1, 1 }, /* comes out as a data abort */
		{ 0, 1, 0, 1, 0x82000010, 0, 0 },
		{ 1, 0, 0, 1, 0x92000050, 1, 1 }, /* once for both */
		/* A kernel that takes the syndrome does it all by itself. */
		{ 0, 1, 1, 1, 0x92000050, 0, 0 },
		{ 0, 1, 1, 0, 0x92000016, 0, 0 },
		{ 0, 1, 1, 1, 0x8200061f, 0, 0 },
		{ 0, 0, 1, 1, 0x82000010, 1, 1 }, /* unless it knows data aborts alone */
		{ 1, 1, 1, 1, 0x92000050, 1, 0 }, /* which source is to tell? */
	};
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_vm_config cfg;
		struct fake_record rec;
		struct fbk_verdict v;
		struct world w;

		prepare(&w);
		fake_kvm.iabt = rows[i].iabt;
		fake_kvm.abt_esr = rows[i].abt_esr;
		cfg = config(&w);
		if (!rows[i].acpi)
			cfg.ghes = NULL;
		start_with(&w, &cfg);
		/* Repeats are nothing else, long before they are a storm. */
		for (k = 0; k < 20; k++) {
			uint32_t before = fake_kvm.nr_ioctls, gets = fake_kvm.nr_get_reg, sets = fake_kvm.nr_set_reg;

			exits_with(&w, 0, rows[i].flags, rows[i].esr, 0x1000, page(5));
			assert_int_equal(fbk_vcpu_sea(w.vcpu[0], &v), 0);
			assert_int_equal(v.action, FBK_VERDICT_REPLAY);
			assert_int_equal(fake_kvm.nr_get_reg - gets, rows[i].gets);
			assert_int_equal(fake_kvm.nr_set_reg - sets, rows[i].sets);
			assert_int_equal(fake_kvm.nr_ioctls - before, 1 + rows[i].gets + rows[i].sets);
			assert_int_equal(w.ev.el, rows[i].gets ? 0 : -1);
			assert_int_equal(w.ev.replay == FBK_REPLAY_SYNDROME, rows[i].abt_esr && !rows[i].sets);
			assert_int_equal(w.ev.repeats, k + 1);
			(void)fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec);
		}
		stop(&w);
	}
}

/* One exit of any syndrome, on a vCPU. Return: what it took, and what was told of it, but for what is this VM's alone. */
static uint32_t exit_on(struct world *w, const uint64_t fields[4], int *ret_err, struct fbk_event *ret)
{
	uint32_t before = fake_kvm.nr_ioctls;
	struct fbk_verdict v;

	fake_kvm.pstate = EL0;
	exits_with(w, 0, fields[0], fields[1], fields[2], fields[3]);
	*ret_err = fbk_vcpu_sea(w->vcpu[0], &v);
	memset(ret, 0, sizeof(*ret));
	ret->decode = w->ev.decode;
	ret->raw_flags = w->ev.raw_flags;
	ret->raw_esr = w->ev.raw_esr;
	ret->abort = w->ev.abort;
	ret->el = w->ev.el;
	ret->pages = w->ev.pages;
	ret->verdict = w->ev.verdict;
	ret->replay = w->ev.replay;
	ret->notify = w->ev.notify;
	return fake_kvm.nr_ioctls - before;
}

/* A vCPU that has seen errors of all kinds answers each as one that sees its first. */
static void what_came_before_changes_nothing(void **state)
{
	static const uint64_t classes[] = { 0x20, 0x21, 0x24, 0x25, 0x24, 0x16 };
	static const uint64_t codes[] = { 0x10, 0x10, 0x13, 0x14, 0x17, 0x18, 0x1b, 0x1f, 0x07, 0x11 };
	uint32_t random = 1, i, k, malformed = 0, ways = 0;
	struct fbk_event seasoned, fresh;
	struct fbk_vm_config cfg;
	struct world old, new;

	for (k = 0; k < 8; k++) {
		prepare(&old);
		fake_kvm.iabt = k & 1;
		fake_kvm.abt_esr = !!(k & 2);
		fake_kvm.commits = 1;
		old.policy.storm_repeats = 0;
		if (k & 4)
			old.policy.ueo = FBK_VERDICT_SERROR;
		new = old;
		fake_guest_init(&new.guest);
		cfg = config(&old);
		cfg.ghes = NULL;
		start_with(&old, &cfg);
		for (i = 0; i < 100; i++) {
			uint64_t fields[4];
			int err[2];
			uint32_t took[2];

			random = random * 1664525 + 1013904223;
			fields[0] = random >> 30; /* GPA_VALID, GVA_VALID */
			fields[1] = classes[(random >> 8) % ARRAY_SIZE(classes)] << 26 | 1u << 25 | codes[(random >> 12) % ARRAY_SIZE(codes)];
			if (random & 0x10000) /* SET, FnV, EA, CM, WnR */
				fields[1] |= (random >> 17 & 0x7f) << 6;
			fields[2] = 0x7000000 + random % 4096;
			fields[3] = page(random >> 20 & 63);
			took[0] = exit_on(&old, fields, &err[0], &seasoned);
			cfg = config(&new);
			cfg.ghes = NULL;
			start_with(&new, &cfg);
			took[1] = exit_on(&new, fields, &err[1], &fresh);
			leave(&new);
			assert_int_equal(err[0], err[1]);
			assert_int_equal(took[0], took[1]);
			assert_memory_equal(&seasoned, &fresh, sizeof(fresh));
			malformed += err[0] == -EBADMSG;
			ways |= 1u << fresh.replay;
		}
		fake_guest_exit(&new.guest);
		stop(&old);
	}
	assert_true(malformed > 0);
	assert_int_equal(ways, 1u << FBK_REPLAY_NONE | 1u << FBK_REPLAY_HELPER | 1u << FBK_REPLAY_CORRECTED | 1u << FBK_REPLAY_SERROR |
				       1u << FBK_REPLAY_SYNDROME);
}

/* Without a limit for storms the PC is never asked for. */
static void no_storms_no_pc(void **state)
{
	struct fbk_vm_config cfg;
	struct fbk_verdict v;
	struct world w;
	uint32_t i;

	prepare(&w);
	w.policy.storm_repeats = 0;
	cfg = config(&w);
	cfg.ghes = NULL;
	start_with(&w, &cfg);
	for (i = 0; i < 200; i++) {
		assert_int_equal(sea(&w, 0, 5, &v), 0);
		assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	}
	assert_int_equal(fake_kvm.nr_get_reg, 0);
	assert_int_equal(fake_kvm.nr_dabt, 200);
	stop(&w);
}

static void without_acpi(void **state)
{
	struct fbk_vm_config cfg;
	struct fbk_verdict v;
	uint64_t wait;
	struct world w;
	siginfo_t si;

	prepare(&w);
	cfg = config(&w);
	cfg.ghes = NULL;
	start_with(&w, &cfg);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(fake_kvm.nr_dabt, 1);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_NONE);
	si = bus(&w, BUS_MCEERR_AO, 3, 12);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(w.nr_raised + w.nr_pump, 0);
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_int_equal(wait, UINT64_MAX);
	assert_int_equal(fbk_vm_reset(w.vm), 0);
	assert_int_equal(fbk_ledger_pages(fbk_vm_ledger(w.vm)), 2);
	stop(&w);
}

static void reset(void **state)
{
	struct told *told = calloc(1, sizeof(*told));
	struct fake_record rec;
	struct fbk_verdict v;
	uint64_t wait;
	struct world w;
	siginfo_t si;
	uint32_t i;

	assert_non_null(told);
	told->base = FAKE_RAM_GPA;
	start(&w);
	assert_int_equal(fbk_vm_reset(w.vm), 0);
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_int_equal(wait, UINT64_MAX); /* nothing was bad yet */

	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	for (i = 20; i < 30; i++) {
		si = bus(&w, BUS_MCEERR_AO, i, 12);
		assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	}
	assert_int_equal(ledger(&w, 5).state, FBK_PAGE_REPORTED);
	memset(fake_guest_at(&w.guest, (struct fbk_gpa){ FAKE_GHES_GPA }), 0xff, FBK_GHES_AREA_LEN);
	w.nr_pump = 0;
	assert_int_equal(fbk_vm_reset(w.vm), 0);
	assert_int_equal(w.nr_pump, 1);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 0, &rec), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_ASYNC, 0, &rec), 0);
	assert_int_equal(fbk_ledger_pages(fbk_vm_ledger(w.vm)), 11);
	assert_int_equal(ledger(&w, 5).state, FBK_PAGE_POISONED);

	/* All of them are still bad, and nobody told this guest, but that its memory ends in front of three. */
	assert_int_equal(fbk_vm_left_out(w.vm, (struct fbk_gpa){ page(27) }, page(35) - page(27)), 0);
	assert_int_equal(fbk_vm_left_out(w.vm, (struct fbk_gpa){ page(21) }, 0), 0);
	assert_int_equal(ledger(&w, 28).state, FBK_PAGE_POISONED);
	assert_int_equal(fbk_ledger_pages(fbk_vm_ledger(w.vm)), 11);
	(void)drain(&w, tell_once, told);
	assert_int_equal(told->n, 8);
	/* The guest after that is given them. */
	assert_int_equal(fbk_vm_reset(w.vm), 0);
	memset(told->page, 0, sizeof(told->page));
	told->n = 0;
	(void)drain(&w, tell_once, told);
	assert_int_equal(told->n, 11);
	assert_int_equal(ledger(&w, 5).state, FBK_PAGE_REPORTED);
	si = bus(&w, BUS_MCEERR_AO, 25, 12);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_KNOWN);
	assert_int_equal(sea(&w, 0, 6, &v), 0);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	stop(&w);
	free(told);
}

/* KVM_RUN failed with EHWPOISON, with an address and without. */
static void memory_fault(void **state)
{
	struct told *told = calloc(1, sizeof(*told));
	uint64_t fields[3] = { 8, page(34) + 0x18, 0x10000 };
	struct fake_record rec;
	struct fbk_verdict v = { .text = "untouched" };
	struct world w;

	assert_non_null(told);
	told->base = FAKE_RAM_GPA;
	start(&w);
	w.run[0].exit_reason = 39;
	memcpy(w.run[0].padding, fields, sizeof(fields));
	/* No memory error, whatever the exit says. */
	assert_int_equal(fbk_vcpu_memory_fault(w.vcpu[0], EFAULT, &v), -EINVAL);
	assert_int_equal(fbk_vcpu_memory_fault(w.vcpu[0], 0, &v), -EINVAL);
	assert_int_equal(fbk_vcpu_memory_fault(w.vcpu[0], -EHWPOISON, &v), -EINVAL);
	assert_int_equal(fbk_vcpu_memory_fault(NULL, EHWPOISON, &v), -EINVAL);
	assert_int_equal(fbk_vcpu_memory_fault(w.vcpu[0], EHWPOISON, NULL), -EINVAL);
	assert_int_equal(w.nr_events + fbk_ledger_pages(fbk_vm_ledger(w.vm)), 0);
	assert_string_equal(v.text, "untouched");

	fake_kvm.hfar = 0x7000018;
	assert_int_equal(fbk_vcpu_memory_fault(w.vcpu[0], EHWPOISON, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(fake_kvm.nr_dabt, 1);
	assert_int_equal(w.ev.source, FBK_SOURCE_MEMORY_FAULT);
	assert_int_equal(w.ev.raw_flags, 8);
	assert_int_equal(w.ev.hva.addr, (uintptr_t)w.guest.ram + 34 * FBK_PAGE_SIZE + 0x18);
	assert_int_equal(w.ev.abort.gva.addr, 0x7000018);
	assert_int_equal(w.ev.pages, 17); /* unaligned, so that it touches 17 */
	assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(rec.nr_pages, 1);
	assert_int_equal(rec.pages[0], page(34));
	(void)drain(&w, tell_once, told);
	assert_int_equal(told->n, 16);
	assert_int_equal(ledger(&w, 34).sources, 1u << FBK_SOURCE_MEMORY_FAULT);

	/* No address: the policy's rule for that, whatever an earlier exit has left in kvm_run. */
	w.run[0].exit_reason = 6;
	assert_int_equal(fbk_vcpu_memory_fault(w.vcpu[0], EHWPOISON, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_SERROR);
	assert_int_equal(v.reason, FBK_REASON_NO_ADDRESS);
	assert_int_equal(fake_kvm.nr_serror, 1);
	assert_int_equal(w.ev.ledger, -ENODATA);
	assert_int_equal(w.ev.notify, FBK_NOTIFY_NONE);
	stop(&w);

	prepare(&w);
	w.policy.no_address = FBK_VERDICT_REPLAY;
	{
		struct fbk_vm_config cfg = config(&w);

		start_with(&w, &cfg);
	}
	fake_kvm.hfar = fake_kvm.pc;
	assert_int_equal(fbk_vcpu_memory_fault(w.vcpu[1], EHWPOISON, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(w.ev.abort.kind, FBK_ABORT_INSTRUCTION); /* as much as the helper tells */
	assert_int_equal(w.ev.abort.flags, FBK_SEA_HAS_GVA);
	assert_int_equal(w.ev.abort.gva.addr, fake_kvm.hfar);
	stop(&w);
	free(told);
}

/* The record says which vCPU it was, if that is wanted; the abort is the same, and asking costs two registers once. */
static void the_processor_s_section(void **state)
{
	struct fbk_vm_config cfg;
	struct fake_record rec;
	struct fbk_verdict v;
	struct world w;
	uint32_t gets;
	siginfo_t si;

	prepare(&w);
	cfg = config(&w);
	cfg.cper = FBK_VM_CPER_PROCESSOR;
	start_with(&w, &cfg);
	assert_int_equal(sea(&w, 1, 5, &v), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(rec.nr_processors, 1);
	assert_int_equal(rec.nr_pages, 1);
	assert_int_equal(rec.pages[0], page(5));
	assert_memory_equal(rec.processor + 16, "\x01\0\0\x80\0\0\0\0\xc1\xd0\x3f\x41\0\0\0\0", 16);
	assert_memory_equal(rec.processor + 56, "\0\x50\0\x07\0\0\0\0", 8);
	gets = fake_kvm.nr_get_reg;
	si = bus(&w, BUS_MCEERR_AR, 6, 12);
	assert_int_equal(fbk_vcpu_sigbus(w.vcpu[1], &si, &v), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(rec.nr_processors, 1);
	assert_int_equal(rec.pages[0], page(6));
	assert_in_range(fake_kvm.nr_get_reg - gets, 1, 4); /* none of them for the identity */
	/* Nobody consumed it: no processor to speak of. */
	si = bus(&w, BUS_MCEERR_AO, 7, 12);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_ASYNC, 1, &rec), 1);
	assert_int_equal(rec.nr_processors, 0);
	stop(&w);

	/* A kernel that does not say which costs the record that, and nothing else. */
	prepare(&w);
	start_with(&w, &cfg);
	fake_kvm.nr_calls = 0;
	fake_kvm.fail_at = 4;
	fake_kvm.fail_errno = ENOENT;
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_memory_equal(rec.processor, "\x04\0\0\0", 4);
	stop(&w);
	cfg.cper = 2;
	prepare(&w);
	assert_int_equal(fbk_vm_create(&cfg, &w.vm), -EINVAL);
	fake_guest_exit(&w.guest);
}

/* One error as two sources see it, in each order and at each stage of the telling: recorded once, told once. */
enum road { NO_ROAD, AO, IO, AR0, AR1, SEA0, SEA1, FAULT0 };

static void by(struct world *w, enum road road, uint32_t n)
{
	uint64_t fields[3] = { 0, page(n), 4096 };
	struct fbk_verdict v;
	siginfo_t si;

	switch (road) {
	case NO_ROAD:
		return;
	case AO:
	case IO:
		si = bus(w, road == AO ? BUS_MCEERR_AO : BUS_MCEERR_AR, n, 12);
		assert_int_equal(fbk_vm_sigbus(w->vm, &si, &v), 0);
		assert_int_equal(v.action, FBK_VERDICT_REPORT);
		return;
	case AR0:
	case AR1:
		si = bus(w, BUS_MCEERR_AR, n, 12);
		assert_int_equal(fbk_vcpu_sigbus(w->vcpu[road == AR1], &si, &v), 0);
		break;
	case SEA0:
	case SEA1:
		assert_int_equal(sea(w, road == SEA1, n, &v), 0);
		break;
	case FAULT0:
		memset(&w->run[0], 0, sizeof(w->run[0]));
		w->run[0].exit_reason = 39;
		memcpy(w->run[0].padding, fields, sizeof(fields));
		assert_int_equal(fbk_vcpu_memory_fault(w->vcpu[0], EHWPOISON, &v), 0);
		break;
	}
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
}

static void two_roads(void **state)
{
	static const struct {
		enum road first, second;
		enum { UNREAD, QUEUED, READ } stage; /* of the first one's report when the second comes */
		int el1;			     /* it comes in kernel mode */
		enum fbk_notify notify;		     /* of the second */
		uint32_t count, sea, async;	     /* in the end; records that name the page, by source */
	} rows[] = {
		{ AO, SEA0, QUEUED, 0, FBK_NOTIFY_SEA, 1, 1, 0 }, /* the handler needs it, the queue not any more */
		{ AO, AR1, QUEUED, 0, FBK_NOTIFY_SEA, 1, 1, 0 },
		{ IO, FAULT0, QUEUED, 0, FBK_NOTIFY_SEA, 1, 1, 0 },
		{ AO, SEA0, UNREAD, 0, FBK_NOTIFY_SEA, 1, 1, 1 },  /* so it does, and the other cannot be taken back */
		{ AO, SEA0, READ, 0, FBK_NOTIFY_SEA, 1, 1, 1 },	    /* known, but its handler asks for it */
		{ AO, SEA0, READ, 1, FBK_NOTIFY_KNOWN, 1, 0, 1 },   /* nobody will ask */
		{ AO, SEA0, QUEUED, 1, FBK_NOTIFY_QUEUED, 1, 0, 1 },
		{ AO, SEA0, UNREAD, 1, FBK_NOTIFY_ASYNC, 1, 0, 1 },
		{ SEA0, AO, UNREAD, 0, FBK_NOTIFY_SEA, 1, 1, 0 },
		{ SEA0, AO, READ, 0, FBK_NOTIFY_KNOWN, 1, 1, 0 },
		{ AR0, AO, READ, 0, FBK_NOTIFY_KNOWN, 1, 1, 0 },
		{ AR0, AO, UNREAD, 0, FBK_NOTIFY_SEA, 1, 1, 0 },
		{ FAULT0, AO, READ, 0, FBK_NOTIFY_KNOWN, 1, 1, 0 },
		{ SEA0, IO, READ, 0, FBK_NOTIFY_KNOWN, 1, 1, 0 },
		{ IO, AO, READ, 0, FBK_NOTIFY_KNOWN, 1, 0, 1 },
		{ IO, AO, QUEUED, 0, FBK_NOTIFY_QUEUED, 1, 0, 1 },
		{ AO, AO, READ, 0, FBK_NOTIFY_KNOWN, 2, 0, 1 },	  /* one source, two reports */
		{ SEA0, SEA1, READ, 0, FBK_NOTIFY_SEA, 2, 2, 0 },  /* two vCPUs, two handlers */
		{ SEA0, AR0, READ, 0, FBK_NOTIFY_SEA, 1, 2, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t told[FBK_GHES_NR_SOURCES] = { 0 }, s, k;
		struct fake_record rec;
		uint64_t wait = 0;
		struct world w;

		start(&w);
		if (rows[i].stage == QUEUED)
			by(&w, AO, 100);
		by(&w, rows[i].first, 5);
		if (rows[i].stage == QUEUED)
			assert_int_equal(w.ev.notify, FBK_NOTIFY_QUEUED);
		if (rows[i].stage == READ)
			for (s = 0; s < FBK_GHES_NR_SOURCES; s++)
				told[s] += (uint32_t)fake_guest_read(&w.guest, (enum fbk_ghes_source)s, 1, &rec);
		fake_kvm.pstate = rows[i].el1 ? EL1 : EL0;
		by(&w, rows[i].second, 5);
		if (w.ev.notify != rows[i].notify)
			fail_msg("row %zu: %s", i, fbk_notify_name(w.ev.notify));
		while (wait != UINT64_MAX) {
			for (s = 0; s < FBK_GHES_NR_SOURCES; s++)
				if (fake_guest_read(&w.guest, (enum fbk_ghes_source)s, 1, &rec))
					for (k = 0; k < rec.nr_pages; k++)
						told[s] += rec.pages[k] == page(5);
			assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
			fake_kvm.now_ns += wait == UINT64_MAX ? 0 : wait;
		}
		if (told[FBK_GHES_SEA] != rows[i].sea || told[FBK_GHES_ASYNC] != rows[i].async)
			fail_msg("row %zu: told %u and %u times", i, told[FBK_GHES_SEA], told[FBK_GHES_ASYNC]);
		assert_int_equal(ledger(&w, 5).count, rows[i].count);
		assert_int_equal(ledger(&w, 5).state, FBK_PAGE_REPORTED);
		assert_int_equal(fbk_ledger_pages(fbk_vm_ledger(w.vm)), 1 + (rows[i].stage == QUEUED));
		stop(&w);
	}
}

/* What a larger page takes with it is told but once, too. */
static void spans_that_overlap(void **state)
{
	struct told *told = calloc(1, sizeof(*told));
	struct fake_record rec;
	struct fbk_verdict v;
	struct world w;
	siginfo_t si;
	uint32_t first;

	assert_non_null(told);
	told->base = FAKE_RAM_GPA;
	start(&w);
	assert_int_equal(sea(&w, 0, 16, &v), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(sea(&w, 0, 17, &v), 0); /* unread */
	si = bus(&w, BUS_MCEERR_AO, 18, 16);
	si.si_addr = (void *)((uintptr_t)si.si_addr & ~UINT64_C(0xffff));
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(w.ev.pages, 16);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	(void)drain(&w, tell_once, told);
	first = (uint32_t)(((uintptr_t)si.si_addr - (uintptr_t)w.guest.ram) / FBK_PAGE_SIZE);
	assert_int_equal(told->n, 16 - (first <= 16 && 16 < first + 16) - (first <= 17 && 17 < first + 16));
	assert_int_equal(told->page[16] + told->page[17], 0);
	si.si_code = BUS_MCEERR_AR;
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0); /* all of it again */
	memset(told->page, 0, sizeof(told->page));
	told->n = 0;
	(void)drain(&w, tell_once, told);
	assert_int_equal(told->n, 0);
	stop(&w);
	free(told);
}

static void not_an_external_abort(void **state)
{
	struct fbk_verdict v = { 0 };
	struct world w;

	start(&w);
	exits_with(&w, 0, 1, 0x92000007, 0x1000, page(5));
	assert_int_equal(fbk_vcpu_sea(w.vcpu[0], &v), -EBADMSG);
	assert_int_equal(w.nr_events, 1);
	assert_int_equal(w.ev.decode, -EBADMSG);
	assert_int_equal(w.ev.raw_esr, 0x92000007);
	assert_int_equal(w.ev.seq, 1);
	assert_int_equal(fake_kvm.nr_dabt + fake_kvm.nr_serror, 0);
	w.run[0].exit_reason = 6;
	assert_int_equal(fbk_vcpu_sea(w.vcpu[0], &v), -EINVAL);
	assert_int_equal(w.nr_events, 1);
	assert_null(v.text);
	stop(&w);
}

/* Every call the road makes fails once: an answer out of the documented set, an event each time, and no abort half told. */
static void every_call_of_the_road_may_fail(void **state)
{
	static const struct {
		uint64_t esr;
		int says, takes; /* of an abort's syndrome: the kernel has the capability; it does what it says */
	} rows[] = {
		{ 0x92000010, 0, 0 }, { 0x92000050, 0, 0 }, { 0x92001010, 0, 0 },
		{ 0x92000050, 1, 1 }, { 0x92000010, 1, 0 }, { 0x92000050, 1, 0 },
	};
	/* The first error of all; the same again; the first that has to wait for the guest, in vain. */
	enum { FIRST, AGAIN, WAITS, NR_TURNS };
	uint32_t n, k, turn, slept = 0;

	for (k = 0; k < ARRAY_SIZE(rows); k++) {
		for (turn = 0; turn < NR_TURNS; turn++) {
			for (n = 1;; n++) {
				struct fbk_verdict v = { .text = "untouched" };
				struct fake_record rec;
				struct fbk_vm_config cfg;
				struct world w;
				int err;

				prepare(&w);
				fake_kvm.abt_esr = rows[k].says;
				cfg = config(&w);
				start_with(&w, &cfg);
				fake_kvm.abt_esr = rows[k].takes;
				if (turn == WAITS) {
					exits_with(&w, 1, 1, 0x92000010, 0x2000, page(6));
					assert_int_equal(fbk_vcpu_sea(w.vcpu[1], &v), 0);
					v.text = "untouched";
				}
				if (turn == AGAIN) {
					exits_with(&w, 0, 1, rows[k].esr, 0x1000, page(5));
					assert_int_equal(fbk_vcpu_sea(w.vcpu[0], &v), 0);
					(void)fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec);
					v.text = "untouched";
				}
				exits_with(&w, 0, 1, rows[k].esr, 0x1000, page(5));
				fake_kvm.nr_calls = 0;
				fake_kvm.fail_at = n;
				fake_kvm.fail_errno = EPERM;
				err = fbk_vcpu_sea(w.vcpu[0], &v);
				assert_int_equal(w.nr_events, 1 + (turn != FIRST));
				if (err) {
					assert_int_equal(err, -EIO);
					assert_int_equal(errno, EPERM);
					assert_int_equal(w.ev.replay_err, -EIO);
					assert_int_equal(w.ev.sys_errno, EPERM);
					assert_int_equal(w.ev.replay, FBK_REPLAY_NONE);
					assert_string_equal(v.text, "untouched");
					assert_int_equal(ledger(&w, 5).count, 1 + (turn == AGAIN));
				}
				slept += fake_kvm.nr_sleeps;
				if (fake_kvm.nr_calls < n) {
					stop(&w);
					break;
				}
				stop(&w);
			}
			assert_true(n > 3 && n < 1000);
		}
	}
	assert_true(slept > 0);
}

/* The kernel refuses a register while the disk refuses everything: the errno that is told is the kernel's. */
static void the_kernel_s_errno_and_the_disk_s(void **state)
{
	uint32_t n, failures = 0;

	for (n = 1;; n++) {
		struct fbk_ledger_file *file;
		struct fbk_vm_config cfg;
		struct fbk_verdict v;
		struct world w;
		int err;

		fake_disk_install();
		prepare(&w);
		assert_int_equal(fbk_ledger_file_open("ledger", FBK_LEDGER_FILE_OWN, NULL, NULL, &file), 0);
		cfg = config(&w);
		cfg.ledger_file = file;
		start_with(&w, &cfg);
		fake_disk_calm();
		fake_disk.fail_at = 1;
		fake_disk.fail_until = UINT32_MAX;
		fake_disk.fail_errno = ENOSPC;
		exits_with(&w, 0, 1, 0x92000050, 0x1000, page(5));
		fake_kvm.nr_calls = 0;
		fake_kvm.fail_at = n;
		fake_kvm.fail_errno = EPERM;
		err = fbk_vcpu_sea(w.vcpu[0], &v);
		assert_int_equal(w.ev.ledger_file, -ENOSPC);
		assert_true(err == 0 || err == -EIO);
		if (err) {
			assert_int_equal(errno, EPERM);
			assert_int_equal(w.ev.sys_errno, EPERM);
			failures++;
		}
		leave(&w);
		fbk_ledger_file_close(file);
		fake_guest_exit(&w.guest);
		assert_int_equal(fake_kvm.nr_allocs, 0);
		if (fake_kvm.nr_calls < n)
			break;
	}
	assert_int_equal(failures, 3); /* PSTATE, the helper, the correction */
}

static void every_call_of_creation_may_fail(void **state)
{
	uint32_t n;

	for (n = 1;; n++) {
		struct fbk_vm_config cfg;
		struct fbk_vm *vm = NULL;
		struct world w;
		int err;

		prepare(&w);
		cfg = config(&w);
		fake_kvm.fail_at = n;
		fake_kvm.fail_errno = EBADF;
		err = fbk_vm_create(&cfg, &vm);
		if (!err) {
			struct fbk_vcpu *vcpu = NULL;

			assert_true(fake_kvm.nr_calls < n);
			fake_kvm.fail_at = fake_kvm.nr_calls + 1;
			assert_int_equal(fbk_vcpu_create(vm, FAKE_VCPU_FD, &w.run[0], 0, &vcpu), -ENOMEM);
			assert_null(vcpu);
			fbk_vm_destroy(vm);
		} else {
			assert_true(err == -ENOMEM || err == -EIO);
			assert_null(vm);
		}
		assert_int_equal(fake_kvm.nr_allocs, 0);
		fake_guest_exit(&w.guest);
		if (!err)
			break;
	}
	assert_int_equal(n, 3 + 6 + 1);
}

static void callers_bugs(void **state)
{
	struct fbk_vm_ops no_raise = ops, no_event = ops;
	struct fbk_ghes_layout outside;
	struct fbk_vm_config cfg;
	struct fbk_vm *vm;
	struct fbk_vcpu *vcpu;
	struct fbk_verdict v;
	struct world w;
	uint64_t wait;
	siginfo_t si;

	start(&w);
	si = bus(&w, BUS_MCEERR_AO, 3, 12);
	cfg = config(&w);
	cfg.size--;
	assert_int_equal(fbk_vm_create(&cfg, &vm), -EINVAL);
	cfg = config(&w);
	cfg.gmem = NULL;
	assert_int_equal(fbk_vm_create(&cfg, &vm), -EINVAL);
	cfg = config(&w);
	cfg.ops = NULL;
	assert_int_equal(fbk_vm_create(&cfg, &vm), -EINVAL);
	cfg = config(&w);
	no_raise.raise_async = NULL;
	cfg.ops = &no_raise;
	assert_int_equal(fbk_vm_create(&cfg, &vm), -EINVAL);
	cfg = config(&w);
	assert_int_equal(fbk_ghes_layout_init(&outside, (struct fbk_gpa){ 0x10000 }), 0);
	cfg.ghes = &outside;
	assert_int_equal(fbk_vm_create(&cfg, &vm), -EINVAL);
	cfg = config(&w);
	cfg.max_pages = UINT32_MAX;
	assert_int_equal(fbk_vm_create(&cfg, &vm), -EINVAL);
	w.policy.size = 1;
	cfg = config(&w);
	assert_int_equal(fbk_vm_create(&cfg, &vm), -EINVAL);
	assert_int_equal(fbk_vm_create(NULL, &vm), -EINVAL);
	assert_int_equal(fbk_vcpu_create(NULL, 0, &w.run[0], 0, &vcpu), -EINVAL);
	assert_int_equal(fbk_vcpu_create(w.vm, 0, NULL, 0, &vcpu), -EINVAL);
	assert_int_equal(fbk_vcpu_sea(NULL, &v), -EINVAL);
	assert_int_equal(fbk_vcpu_sigbus(NULL, &si, &v), -EINVAL);
	assert_int_equal(fbk_vm_sigbus(NULL, &si, &v), -EINVAL);
	assert_int_equal(fbk_vm_sigbus(w.vm, NULL, &v), -EINVAL);
	assert_int_equal(fbk_vm_pump(NULL, &wait), -EINVAL);
	assert_int_equal(fbk_vm_reset(NULL), -EINVAL);
	assert_int_equal(fbk_vm_left_out(NULL, (struct fbk_gpa){ page(0) }, 4096), -EINVAL);
	assert_int_equal(fbk_vm_left_out(w.vm, (struct fbk_gpa){ page(0) + 1 }, 4096), -EINVAL);
	assert_int_equal(fbk_vm_left_out(w.vm, (struct fbk_gpa){ page(0) }, 4095), -EINVAL);
	assert_int_equal(fbk_vm_left_out(w.vm, (struct fbk_gpa){ UINT64_MAX - 4095 }, 8192), -EINVAL);
	assert_null(fbk_vm_ledger(NULL));
	assert_int_equal(fbk_vm_kvm(NULL), 0);
	fbk_vm_destroy(NULL);
	fbk_vcpu_destroy(NULL);

	/* The default policy, and nobody who listens to events. */
	cfg = config(&w);
	no_event.event = NULL;
	cfg.ops = &no_event;
	cfg.policy = NULL;
	assert_int_equal(fbk_vm_create(&cfg, &vm), 0);
	assert_int_equal(fbk_vm_sigbus(vm, &si, &v), 0);
	fbk_vm_destroy(vm);
	stop(&w);
}

/* Four threads at once, under the sanitizers: no page lost, no sequence number given twice. */
struct crowd {
	struct world *w;
	uint32_t index;
};

static uint64_t seen[4 * 400 + 1];

static void on_crowd_event(void *opaque, const struct fbk_event *ev)
{
	assert_true(ev->seq < ARRAY_SIZE(seen));
	__atomic_fetch_add(&seen[ev->seq], 1, __ATOMIC_RELAXED);
}

static int crowd_raise(void *opaque)
{
	return 0;
}

static void crowd_pump(void *opaque)
{
}

static void *crowd_thread(void *arg)
{
	struct crowd *c = arg;
	struct fbk_verdict v;
	uintptr_t bad = 0;
	uint64_t wait;
	uint32_t i;

	for (i = 0; i < 400; i++) {
		siginfo_t si = bus(c->w, BUS_MCEERR_AO, c->index * 100 + i % 100, 12);

		if (fbk_vm_sigbus(c->w->vm, &si, &v))
			bad++;
		if (fbk_vm_pump(c->w->vm, &wait))
			bad++;
	}
	return (void *)bad;
}

static void many_threads(void **state)
{
	static const struct fbk_vm_ops crowd_ops = { .event = on_crowd_event, .raise_async = crowd_raise, .want_pump = crowd_pump };
	struct crowd c[4];
	struct fbk_vm_config cfg;
	pthread_t t[4];
	struct world w;
	void *bad;
	size_t i;

	prepare(&w);
	cfg = config(&w);
	cfg.ops = &crowd_ops;
	start_with(&w, &cfg);
	memset(seen, 0, sizeof(seen));
	for (i = 0; i < 4; i++) {
		c[i] = (struct crowd){ &w, (uint32_t)i };
		assert_int_equal(pthread_create(&t[i], NULL, crowd_thread, &c[i]), 0);
	}
	for (i = 0; i < 4; i++) {
		pthread_join(t[i], &bad);
		assert_null(bad);
	}
	for (i = 1; i < ARRAY_SIZE(seen); i++)
		assert_int_equal(seen[i], 1);
	assert_int_equal(fbk_ledger_pages(fbk_vm_ledger(w.vm)), 400);
	assert_int_equal(ledger(&w, 250).count, 4);
	stop(&w);
}

/* A guest processor that looks all the time: what it sees is a whole record or none, and its own page is in it. */
struct onlooker {
	struct world *w;
	int done;
	uint32_t nr_records;
};

static void *look_on(void *arg)
{
	struct onlooker *o = arg;
	struct fbk_ghes_layout *l = &o->w->guest.layout;
	unsigned char *block = o->w->guest.ram + (l->source[FBK_GHES_SEA].block.addr - FAKE_RAM_GPA);
	uint64_t *ack = (uint64_t *)(o->w->guest.ram + (l->source[FBK_GHES_SEA].ack.addr - FAKE_RAM_GPA));
	uint64_t last = 0, pa;
	uintptr_t bad = 0;
	uint32_t len;

	while (!__atomic_load_n(&o->done, __ATOMIC_ACQUIRE)) {
		if (__atomic_load_n((uint32_t *)block, __ATOMIC_ACQUIRE) == 0) {
			sched_yield();
			continue;
		}
		memcpy(&len, block + 12, sizeof(len));
		memcpy(&pa, block + 20 + 72 + 16, sizeof(pa));
		/* The pages come one after another; an older one's rest would show. */
		if (len != 152 || pa == last || __atomic_load_n(ack, __ATOMIC_ACQUIRE) != 0)
			bad++;
		last = pa;
		o->nr_records++;
		memset(block + 4, 0xdd, 168);
		__atomic_store_n((uint32_t *)block, 0, __ATOMIC_RELEASE);
		__atomic_store_n(ack, 1, __ATOMIC_RELEASE);
	}
	return (void *)bad;
}

static void yield_cpu(void *opaque)
{
	sched_yield();
}

static void a_record_is_never_seen_half_written(void **state)
{
	struct fbk_vm_config cfg;
	struct onlooker o;
	struct fbk_verdict v;
	struct world w;
	pthread_t t;
	uint32_t i;
	void *bad;

	prepare(&w);
	w.policy.ack_wait_us = UINT32_MAX;
	cfg = config(&w);
	start_with(&w, &cfg);
	fake_kvm.on_sleep = yield_cpu;
	o = (struct onlooker){ .w = &w };
	assert_int_equal(pthread_create(&t, NULL, look_on, &o), 0);
	for (i = 0; i < 1000; i++) {
		/* Two vCPUs in turn: a vCPU's own record is not waited for. */
		assert_int_equal(sea(&w, i & 1, i % 400, &v), 0);
		assert_int_equal(w.ev.notify, FBK_NOTIFY_SEA);
	}
	while (__atomic_load_n(fake_guest_at(&w.guest, w.guest.layout.source[FBK_GHES_SEA].ack), __ATOMIC_ACQUIRE) == 0)
		sched_yield();
	__atomic_store_n(&o.done, 1, __ATOMIC_RELEASE);
	pthread_join(t, &bad);
	assert_null(bad);
	assert_int_equal(o.nr_records, 1000);
	stop(&w);
}

/* On the disk when the event is told, and before the injection is asked for; a disk that fails stops nobody. */
static struct fbk_metrics metrics(struct world *w)
{
	struct fbk_metrics m = { .size = sizeof(m) };

	assert_int_equal(fbk_vm_metrics(w->vm, &m), 0);
	return m;
}

static uint64_t sum(const uint64_t *v, size_t nr)
{
	uint64_t s = 0;

	while (nr--)
		s += *v++;
	return s;
}

static void the_ledger_s_file(void **state)
{
	struct fbk_ledger_file_info info = { .size = sizeof(info) };
	char folder[] = "/tmp/firebreak-vm-XXXXXX", path[64];
	struct fbk_ledger_file *file, *reader;
	struct fbk_ledger_entry e;
	struct fbk_metrics m;
	struct fbk_vm_config cfg;
	struct fbk_vm *second;
	struct fbk_verdict v;
	struct world w;
	uint32_t pages;
	siginfo_t si;

	prepare(&w);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/ledger", folder);
	assert_int_equal(fbk_ledger_file_open(path, FBK_LEDGER_FILE_OWN, NULL, NULL, &file), 0);
	cfg = config(&w);
	cfg.ledger_file = file;
	start_with(&w, &cfg);
	assert_int_equal(sea(&w, 0, 3, &v), 0);
	assert_int_equal(w.ev.ledger_file, 1);
	assert_int_equal(fbk_ledger_file_open(path, FBK_LEDGER_FILE_READ, NULL, &info, &reader), 0);
	assert_int_equal(info.pages, 1);
	fbk_ledger_file_close(reader);
	/* A larger host page: all of it, in one call. */
	si = bus(&w, BUS_MCEERR_AO, 8, 14);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(w.ev.ledger_file, 1);
	assert_int_equal(fbk_ledger_file_open(path, FBK_LEDGER_FILE_READ, NULL, &info, &reader), 0);
	assert_int_equal(info.pages, 1 + w.ev.pages);
	fbk_ledger_file_close(reader);
	assert_true(w.ev.step_ns[FBK_STEP_RECORD] > 0);
	m = metrics(&w);
	assert_int_equal(m.has_file, 1);
	assert_int_equal(m.file_bytes, 64 * (1 + info.records));
	assert_int_equal(sum(m.sync.bucket, FBK_METRICS_BUCKETS), 2);
	assert_int_equal(m.file_failures, 0);
	/* Deleted under us: the guest goes on, the event says so, and it comes back. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sea(&w, 1, 5, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	assert_int_equal(w.ev.ledger, 1);
	assert_int_equal(w.ev.ledger_file, -ENOENT);
	m = metrics(&w);
	assert_int_equal(m.file_failures, 1);
	assert_int_equal(sum(m.sync.bucket, FBK_METRICS_BUCKETS), 2);
	assert_int_equal(fbk_ledger_file_compact(file), 0);
	/* Nothing to record, nothing to write. */
	exits_with(&w, 0, 0, 0x92000410, 0, 0);
	assert_int_equal(fbk_vcpu_sea(w.vcpu[0], &v), 0);
	assert_int_equal(w.ev.ledger_file, 0);
	pages = fbk_ledger_pages(fbk_vm_ledger(w.vm));
	leave(&w);
	fbk_ledger_file_close(file);

	/* The next monitor knows them all, in a ledger that has room for more. */
	assert_int_equal(fbk_ledger_file_open(path, FBK_LEDGER_FILE_OWN, NULL, &info, &file), 0);
	assert_int_equal(info.pages, pages);
	cfg.ledger_file = file;
	cfg.max_pages = 1;
	start_with(&w, &cfg);
	assert_int_equal(fbk_ledger_pages(fbk_vm_ledger(w.vm)), pages);
	assert_int_equal(fbk_ledger_lookup(fbk_vm_ledger(w.vm), (struct fbk_gpa){ page(5) }, &e), 0);
	assert_int_equal(sea(&w, 0, 20, &v), 0);
	assert_int_equal(w.ev.ledger, 1);
	/* One file, one VM. */
	assert_int_equal(fbk_vm_create(&cfg, &second), -EINVAL);
	leave(&w);
	fbk_ledger_file_close(file);
	fake_guest_exit(&w.guest);
	assert_int_equal(fake_kvm.nr_allocs, 0);
	unlink(path);
	rmdir(folder);
}

static uint64_t steps(const struct fbk_event *ev)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < FBK_NR_STEPS; i++)
		sum += ev->step_ns[i];
	return sum;
}

/* Where the time went: together the steps are all of it, and what was not done took none. */
static void time_by_step(void **state)
{
	struct fbk_verdict v;
	struct world w;
	siginfo_t si;

	start(&w);
	/* A look at the clock between two steps that are taken; each look is a tick. */
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(w.ev.duration_ns, 3 * fake_kvm.tick_ns);
	assert_int_equal(steps(&w.ev), w.ev.duration_ns);
	assert_int_equal(w.ev.step_ns[FBK_STEP_INSPECT], fake_kvm.tick_ns);
	assert_int_equal(w.ev.step_ns[FBK_STEP_NOTIFY], fake_kvm.tick_ns);
	assert_int_equal(w.ev.step_ns[FBK_STEP_REPLAY], fake_kvm.tick_ns);
	assert_int_equal(w.ev.step_ns[FBK_STEP_RECORD], 0);
	assert_int_equal(w.ev.step_ns[FBK_STEP_RETIRE], 0);
	/* The wait for the guest, who does not acknowledge, is the notification's. */
	assert_int_equal(sea(&w, 1, 6, &v), 0);
	assert_true(w.ev.ack_wait_ns >= 20000000);
	assert_true(w.ev.step_ns[FBK_STEP_NOTIFY] >= w.ev.ack_wait_ns);
	assert_int_equal(steps(&w.ev), w.ev.duration_ns);
	/* Nothing is replayed for what nobody touched. */
	si = bus(&w, BUS_MCEERR_AO, 9, 12);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(w.ev.step_ns[FBK_STEP_REPLAY], 0);
	assert_true(w.ev.step_ns[FBK_STEP_NOTIFY] > 0);
	assert_int_equal(steps(&w.ev), w.ev.duration_ns);
	/* Nobody to tell: no step of its own. */
	exits_with(&w, 0, 0, 0x92000410, 0, 0);
	assert_int_equal(fbk_vcpu_sea(w.vcpu[0], &v), 0);
	assert_int_equal(w.ev.step_ns[FBK_STEP_NOTIFY], 0);
	assert_int_equal(steps(&w.ev), w.ev.duration_ns);
	stop(&w);
}

/* What the guest acknowledges is told once: by the next error, or by the pump when somebody asks it. */
static void acknowledgements_are_told(void **state)
{
	struct fake_record rec;
	struct fbk_vm_config cfg;
	struct fbk_verdict v;
	struct world w;
	uint64_t wait, before;
	int i;

	prepare(&w);
	cfg = config(&w);
	for (i = 0; i < FBK_VM_ID_LEN; i++)
		cfg.id[i] = (uint8_t)(i + 1);
	start_with(&w, &cfg);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_memory_equal(w.ev.vm, cfg.id, sizeof(cfg.id));
	assert_int_equal(w.ev.acknowledged, 0);
	assert_int_equal(w.nr_acks, 0);
	/* Not yet: looked for again, at intervals that double. */
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_int_equal(wait, 1000000);
	fake_kvm.now_ns += 10000000;
	before = fake_kvm.now_ns;
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_in_range(wait, 10000000, 11000000);
	assert_int_equal(w.nr_acks, 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_int_equal(wait, UINT64_MAX);
	assert_int_equal(w.nr_acks, 1);
	assert_int_equal(w.ack.method, FBK_NOTIFY_SEA);
	assert_int_equal(w.ack.record, 1);
	assert_int_equal(w.ack.seq, 1);
	assert_int_equal(w.ack.nr_pages, 1);
	assert_int_equal(w.ack.pages[0].addr, page(5));
	assert_memory_equal(w.ack.vm, cfg.id, sizeof(cfg.id));
	assert_true(w.ack.mono_ns > before);
	assert_in_range(w.ack.waited_ns, 10000000, 11000000);
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_int_equal(w.nr_acks, 1);
	/* An error on a page that the guest knows of; a new one; and the one before seen on the way. */
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(w.ev.acknowledged, 1);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(sea(&w, 1, 6, &v), 0);
	assert_int_equal(w.ev.acknowledged, 0);
	assert_int_equal(w.nr_acks, 2);
	assert_int_equal(w.ack.record, 2);
	assert_int_equal(w.ack.seq, 2);
	/* Asynchronously: for all that waited. */
	fake_kvm.pstate = EL1;
	assert_int_equal(sea(&w, 0, 7, &v), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_ASYNC, 1, &rec), 1);
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_int_equal(w.nr_acks, 3);
	assert_int_equal(w.ack.method, FBK_NOTIFY_ASYNC);
	assert_int_equal(w.ack.seq, 0);
	assert_int_equal(w.ack.pages[0].addr, page(7));
	/* No page, nothing to acknowledge. */
	exits_with(&w, 0, 0, 0x92000410, 0, 0);
	assert_int_equal(fbk_vcpu_sea(w.vcpu[0], &v), 0);
	assert_int_equal(w.ev.acknowledged, -1);
	stop(&w);
}

/* Whoever does not want to know is not made to look for it. */
static void nobody_asks_for_acknowledgements(void **state)
{
	static const struct fbk_vm_ops deaf = { .event = on_event, .raise_async = on_raise, .want_pump = on_pump };
	struct fake_record rec;
	struct fbk_vm_config cfg;
	struct fbk_verdict v;
	struct world w;
	uint64_t wait;

	prepare(&w);
	cfg = config(&w);
	cfg.ops = &deaf;
	start_with(&w, &cfg);
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_int_equal(wait, UINT64_MAX);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(sea(&w, 0, 6, &v), 0);
	assert_int_equal(ledger(&w, 5).state, FBK_PAGE_REPORTED);
	stop(&w);
}

static void what_is_counted(void **state)
{
	struct fake_record rec;
	struct fbk_metrics m = { 0 };
	struct fbk_verdict v;
	struct world w;
	siginfo_t si;

	start(&w);
	assert_int_equal(fbk_vm_metrics(w.vm, &m), -EINVAL);
	assert_int_equal(fbk_vm_metrics(w.vm, NULL), -EINVAL);
	assert_int_equal(fbk_vm_metrics(NULL, &m), -EINVAL);
	m = metrics(&w);
	assert_int_equal(sum(m.source, FBK_NR_SOURCES), 0);
	assert_int_equal(m.capacity_pages, FAKE_RAM_LEN / FBK_PAGE_SIZE);

	/* Two that are acknowledged, one of which is on a known page; a kernel's; the host's; one that is malformed. */
	assert_int_equal(sea(&w, 0, 5, &v), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(sea(&w, 1, 5, &v), 0);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	fake_kvm.pstate = EL1;
	assert_int_equal(sea(&w, 0, 6, &v), 0);
	si = bus(&w, BUS_MCEERR_AO, 8, 14);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	exits_with(&w, 0, 1, 0x12345678, 0, page(9));
	assert_int_equal(fbk_vcpu_sea(w.vcpu[0], &v), -EBADMSG);
	/* One that nobody reads, and another vCPU's that takes its place. */
	fake_kvm.pstate = EL0;
	assert_int_equal(sea(&w, 0, 20, &v), 0);
	assert_int_equal(sea(&w, 1, 21, &v), 0);
	assert_int_equal(w.ev.notify_err, -EBUSY);

	m = metrics(&w);
	assert_int_equal(m.source[FBK_SOURCE_SEA], 6);
	assert_int_equal(m.source[FBK_SOURCE_SIGBUS_AO], 1);
	assert_int_equal(sum(m.source, FBK_NR_SOURCES), w.nr_events);
	assert_int_equal(m.malformed, 1);
	assert_int_equal(m.kind[FBK_ABORT_DATA], 5);
	assert_int_equal(m.kind[FBK_ABORT_UNKNOWN], 1);
	assert_int_equal(m.severity[FBK_SEVERITY_UER], 6);
	assert_int_equal(m.verdict[FBK_VERDICT_REPLAY][FBK_REASON_RECOVERABLE], 5);
	assert_int_equal(m.verdict[FBK_VERDICT_REPORT][FBK_REASON_ASYNC], 1);
	assert_int_equal(m.verdict[FBK_VERDICT_STOP][FBK_REASON_MALFORMED], 1);
	assert_int_equal(m.notify[FBK_NOTIFY_SEA], 4);
	assert_int_equal(m.replay[FBK_REPLAY_HELPER], 5);
	assert_int_equal(m.replay[FBK_REPLAY_NONE], 2);
	assert_int_equal(sum(m.duration.bucket, FBK_METRICS_BUCKETS), 7);
	assert_int_equal(m.written[FBK_GHES_SEA], 4);
	assert_int_equal(m.acknowledged[FBK_GHES_SEA], 2);
	assert_int_equal(m.withdrawn[FBK_GHES_SEA], 1);
	assert_int_equal(m.written[FBK_GHES_ASYNC], 1);
	assert_int_equal(m.acknowledged[FBK_GHES_ASYNC], 0);
	/* 8 to 11 of the host's page, and the two of the end. */
	assert_int_equal(m.queue_pages, 4 + 2);
	assert_int_equal(m.queue_overflow, 0);
	assert_int_equal(m.pages[FBK_PAGE_POISONED], 1 + 4 + 2);
	assert_int_equal(m.pages[FBK_PAGE_REPORTED], 1);
	assert_int_equal(m.acks_untold, 0);
	assert_int_equal(w.nr_acks, 2);
	assert_int_equal(m.has_file, 0);

	/* A vCPU that goes leaves what it has counted. */
	fbk_vcpu_destroy(w.vcpu[1]);
	w.vcpu[1] = NULL;
	assert_int_equal(metrics(&w).source[FBK_SOURCE_SEA], 6);
	stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ledger_s_file),
		cmocka_unit_test(time_by_step),
		cmocka_unit_test(acknowledgements_are_told),
		cmocka_unit_test(nobody_asks_for_acknowledgements),
		cmocka_unit_test(what_is_counted),
		cmocka_unit_test(contained),
		cmocka_unit_test(kernel_mode_is_told_asynchronously),
		cmocka_unit_test(records_are_never_alike),
		cmocka_unit_test(two_at_once),
		cmocka_unit_test(a_standstill_is_not_the_guests),
		cmocka_unit_test(a_slow_machine_waits_no_longer),
		cmocka_unit_test(nobody_acknowledges),
		cmocka_unit_test(own_record_unread),
		cmocka_unit_test(the_last_record_unread),
		cmocka_unit_test(a_clock_that_stands_still),
		cmocka_unit_test(a_thousand_before_the_first_acknowledgement),
		cmocka_unit_test(records_keep_a_distance),
		cmocka_unit_test(as_much_as_the_queue_holds),
		cmocka_unit_test(more_than_the_queue_holds),
		cmocka_unit_test(a_hundred_thousand_pages),
		cmocka_unit_test(room_for_every_page),
		cmocka_unit_test(a_full_ledger),
		cmocka_unit_test(addresses_missing),
		cmocka_unit_test(storm),
		cmocka_unit_test(a_budget_of_two_pages),
		cmocka_unit_test(a_budget_beyond_the_ledger),
		cmocka_unit_test(a_rate_of_three),
		cmocka_unit_test(user_and_kernel),
		cmocka_unit_test(sigbus_has_the_same_outcome),
		cmocka_unit_test(sigbus_learns_the_rest),
		cmocka_unit_test(without_the_helper),
		cmocka_unit_test(the_syndrome_is_refused),
		cmocka_unit_test(one_error_by_two_roads),
		cmocka_unit_test(the_processor_s_section),
		cmocka_unit_test(two_roads),
		cmocka_unit_test(spans_that_overlap),
		cmocka_unit_test(memory_fault),
		cmocka_unit_test(the_interrupt_is_raised_again),
		cmocka_unit_test(a_failing_interrupt_is_told),
		cmocka_unit_test(a_hostile_guest),
		cmocka_unit_test(registers_are_read_when_they_matter),
		cmocka_unit_test(what_came_before_changes_nothing),
		cmocka_unit_test(no_storms_no_pc),
		cmocka_unit_test(without_acpi),
		cmocka_unit_test(reset),
		cmocka_unit_test(not_an_external_abort),
		cmocka_unit_test(every_call_of_the_road_may_fail),
		cmocka_unit_test(the_kernel_s_errno_and_the_disk_s),
		cmocka_unit_test(every_call_of_creation_may_fail),
		cmocka_unit_test(callers_bugs),
		cmocka_unit_test(many_threads),
		cmocka_unit_test(a_record_is_never_seen_half_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
