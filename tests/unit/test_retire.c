/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_retire.c - lost pages out of reach and good again, over fake page tables: what would the guest find, and where is the
 * frame, whichever call fails?
 */
#include "test.h"

#include "fake_guest.h"
#include "fake_kvm.h"
#include "fake_mem.h"

#include "host/retire.h"
#include "host/vm_state.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

struct world {
	struct fake_guest guest;
	struct fbk_retire *retire;
	struct fbk_vm *vm;
	struct fbk_vcpu *vcpu;
	struct kvm_run run;
	struct fbk_event ev;
	uint32_t nr_events, nr_pump;
	int deaf; /* the guest reads no record by itself */
};

static void on_event(void *opaque, const struct fbk_event *ev)
{
	struct world *w = opaque;

	w->ev = *ev;
	w->nr_events++;
}

static int on_raise(void *opaque)
{
	return 0;
}

static void on_pump(void *opaque)
{
	((struct world *)opaque)->nr_pump++;
}

static const struct fbk_vm_ops ops = { .event = on_event, .raise_async = on_raise, .want_pump = on_pump };

static void prepare(struct world *w, enum fbk_backing backing)
{
	fake_kvm_install();
	memset(w, 0, sizeof(*w));
	fake_guest_init(&w->guest);
	w->guest.gmem.region[0].backing = backing;
	fake_mem_install(w->guest.ram, FAKE_RAM_LEN, backing == FBK_BACKING_FILE);
	fake_kvm.pstate = 0; /* EL0 */
}

static int open_it(struct world *w, uint32_t flags, uint32_t max_pages)
{
	const struct fbk_retire_config cfg = { .size = sizeof(cfg), .flags = flags, .max_pages = max_pages };

	return fbk_retire_open(&cfg, &w->retire);
}

static void go(struct world *w, const struct fbk_ghes_layout *layout)
{
	const struct fbk_vm_config cfg = {
		.size = sizeof(cfg),
		.vm_fd = FAKE_VM_FD,
		.gmem = &w->guest.gmem,
		.ghes = layout,
		.ops = &ops,
		.opaque = w,
		.retire = w->retire,
	};

	assert_int_equal(fbk_vm_create(&cfg, &w->vm), 0);
	assert_int_equal(fbk_vcpu_create(w->vm, FAKE_VCPU_FD, &w->run, 0, &w->vcpu), 0);
	w->vm->listens = 1; /* the guest has acknowledged before, but where a test says that it has not */
}

static void start(struct world *w, enum fbk_backing backing)
{
	prepare(w, backing);
	assert_int_equal(open_it(w, 0, 0), 0);
	go(w, &w->guest.layout);
}

static void stop(struct world *w)
{
	fbk_vcpu_destroy(w->vcpu);
	fbk_vm_destroy(w->vm);
	fbk_retire_close(w->retire);
	fake_guest_exit(&w->guest);
	assert_int_equal(fake_kvm.nr_allocs, 0);
	assert_int_equal(fake_mem.nr_fds, 0);
	/* Else a frame would be good memory again. */
	assert_int_equal(fake_mem.nr_given_back, 0);
}

static void *at(struct world *w, uint32_t n)
{
	return w->guest.ram + n * FBK_PAGE_SIZE;
}

static struct fbk_gpa gpa(uint32_t n)
{
	return (struct fbk_gpa){ FAKE_RAM_GPA + n * FBK_PAGE_SIZE };
}

static struct fbk_ledger_entry entry(struct world *w, uint32_t n)
{
	struct fbk_ledger_entry e;

	assert_int_equal(fbk_ledger_lookup(fbk_vm_ledger(w->vm), gpa(n), &e), 0);
	return e;
}

static void sea(struct world *w, uint32_t n)
{
	struct fake_record rec;
	const uint64_t fields[4] = { 1, 0x92000010, 0x7000000, gpa(n).addr };
	struct fbk_verdict v;

	memset(&w->run, 0, sizeof(w->run));
	w->run.exit_reason = 41;
	memcpy(w->run.padding, fields, sizeof(fields));
	assert_int_equal(fbk_vcpu_sea(w->vcpu, &v), 0);
	if (!w->deaf)
		(void)fake_guest_read(&w->guest, FBK_GHES_SEA, 1, &rec);
}

static siginfo_t signal_at(void *p, int code)
{
	siginfo_t si = { .si_signo = SIGBUS, .si_code = code };

	si.si_addr = p;
	si.si_addr_lsb = 12;
	return si;
}

static void sigbus(struct world *w, uint32_t n)
{
	siginfo_t si = signal_at(at(w, n), BUS_MCEERR_AR);
	struct fbk_verdict v;

	assert_int_equal(fbk_vcpu_sigbus(w->vcpu, &si, &v), 0);
}

/* When it said so, or not before what is left to do of a retirement is due. */
static void pump(struct world *w, uint32_t times)
{
	uint64_t wait;

	while (times--) {
		fake_kvm.now_ns += FBK_RETIRE_TEND_NS;
		assert_int_equal(fbk_vm_pump(w->vm, &wait), 0);
	}
}

static void out_of_reach(void **state)
{
	struct world w;

	start(&w, FBK_BACKING_ANON);
	assert_int_equal(fbk_retire_can(w.retire), FBK_RETIRE_CAN_POISON | FBK_RETIRE_CAN_HAND_OVER | FBK_RETIRE_CAN_LOCK);
	sea(&w, 5);
	assert_int_equal(w.ev.retire, FBK_RETIRED_DONE);
	assert_int_equal(w.ev.retire_err, 0);
	assert_int_equal(w.ev.frame, FBK_FRAME_PINNED);
	assert_int_equal(entry(&w, 5).state, FBK_PAGE_ISOLATED);
	assert_int_equal(entry(&w, 5).frame, FBK_FRAME_PINNED);
	assert_int_equal(fake_mem_look(at(&w, 5)), FAKE_POISON);
	assert_int_equal(fake_mem_look(at(&w, 4)), FAKE_FRAME);
	assert_int_equal(fake_mem_look(at(&w, 6)), FAKE_FRAME);
	/* Met again: our own marker, whoever meets it. */
	sigbus(&w, 5);
	assert_int_equal(w.ev.retire, FBK_RETIRED_ALREADY);
	assert_int_equal(w.ev.frame, FBK_FRAME_PINNED);
	assert_int_equal(entry(&w, 5).frame, FBK_FRAME_PINNED);
	sea(&w, 5);
	assert_int_equal(w.ev.retire, FBK_RETIRED_ALREADY);
	/* The host's own. */
	sigbus(&w, 6);
	assert_int_equal(w.ev.retire, FBK_RETIRED_HOST);
	assert_int_equal(entry(&w, 6).state, FBK_PAGE_ISOLATED);
	assert_int_equal(entry(&w, 6).frame, FBK_FRAME_HOST);
	assert_int_equal(fake_mem_look(at(&w, 6)), FAKE_FRAME);
	stop(&w);
}

/* A vCPU waits for three calls; the others come when the guest has had time, or when nobody else would make them. */
static void settled_off_the_road(void **state)
{
	const struct fbk_vm_ops alone = { .event = on_event };
	struct world w;
	uint64_t wait;
	uint32_t calls, kept;
	void *grave;

	prepare(&w, FBK_BACKING_ANON);
	fake_mem.no_root = 1;
	assert_int_equal(open_it(&w, 0, 0), 0);
	go(&w, &w.guest.layout);
	calls = fake_mem.nr_calls;
	sea(&w, 5);
	assert_int_equal(fake_mem.nr_calls, calls + 3);
	assert_int_equal(w.nr_pump, 1);
	grave = fake_mem_whereabouts(at(&w, 5));
	fake_kvm.now_ns += FBK_RETIRE_TEND_NS - 1000;
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_true(wait <= FBK_RETIRE_TEND_NS);
	assert_int_equal(fake_mem.nr_calls, calls + 3);
	/* Met meanwhile. */
	assert_true(fake_mem_watched(at(&w, 5)));
	assert_int_equal(fake_mem_look(at(&w, 5)), FAKE_POISON);
	sigbus(&w, 5);
	assert_int_equal(w.ev.retire, FBK_RETIRED_ALREADY);
	/* Another one does not put it off. */
	sea(&w, 6);
	fake_kvm.now_ns += 1000;
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_false(fake_mem_watched(at(&w, 5)));
	assert_int_equal(fake_mem_look(at(&w, 5)), FAKE_POISON);
	assert_true(fake_mem_hidden(grave));
	assert_true(fake_mem_hidden(fake_mem_whereabouts(at(&w, 6))));
	assert_true(fbk_retire_can(w.retire) & FBK_RETIRE_CAN_LOCK);
	/* The kernel locks no more than it allows. */
	sea(&w, 7);
	grave = fake_mem_whereabouts(at(&w, 7));
	fake_mem.fail_at = fake_mem.nr_calls + 2;
	pump(&w, 1);
	assert_false(fbk_retire_can(w.retire) & FBK_RETIRE_CAN_LOCK);
	assert_false(fake_mem_watched(at(&w, 7)));
	/* Asked once for what comes together, and again for what comes after, also when somebody else has done it. */
	w.nr_pump = 0;
	fake_mem.fail_at = 0;
	sea(&w, 1);
	sea(&w, 2);
	assert_int_equal(w.nr_pump, 1);
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	pump(&w, 1);
	sea(&w, 1);
	assert_int_equal(w.nr_pump, 2);
	pump(&w, 1);
	sea(&w, 2);
	assert_int_equal(w.nr_pump, 3);
	pump(&w, 1);
	/* At the end, whoever has not pumped. */
	sea(&w, 4);
	grave = fake_mem_whereabouts(at(&w, 4));
	stop(&w);
	assert_true(fake_mem_hidden(grave));

	prepare(&w, FBK_BACKING_ANON);
	assert_int_equal(open_it(&w, FBK_RETIRE_ALWAYS, 0), 0);
	go(&w, NULL);
	w.vm->ops = &alone;
	w.deaf = 1;
	sea(&w, 5);
	assert_int_equal(w.ev.retire, FBK_RETIRED_DONE);
	assert_false(fake_mem_watched(at(&w, 5)));
	assert_true(fake_mem_hidden(fake_mem_whereabouts(at(&w, 5))));
	stop(&w);
}

static int nr_taken, take_err;
static const void *taken;

static int take(void *opaque, const void *page)
{
	assert_ptr_equal(opaque, &taken);
	nr_taken++;
	taken = page;
	return take_err;
}

/* By a call of the monitor's, which has given the privilege away. */
static void handed_over_by_another(void **state)
{
	struct fbk_retire_config cfg = { .size = sizeof(cfg), .flags = FBK_RETIRE_OFFLINE, .offline = take, .offline_opaque = &taken };
	struct world w;

	nr_taken = take_err = 0;
	prepare(&w, FBK_BACKING_ANON);
	cfg.offline = NULL;
	assert_int_equal(fbk_retire_open(&cfg, &w.retire), -EINVAL);
	cfg.offline = take;
	assert_int_equal(fbk_retire_open(&cfg, &w.retire), 0);
	assert_true(fbk_retire_can(w.retire) & FBK_RETIRE_CAN_HAND_OVER);
	go(&w, &w.guest.layout);
	sea(&w, 5);
	pump(&w, 1);
	assert_int_equal(nr_taken, 1);
	assert_ptr_equal(taken, fake_mem_whereabouts(at(&w, 5)));
	assert_int_equal(fake_mem.nr_offline, 0);
	assert_int_equal(entry(&w, 5).frame, FBK_FRAME_HOST);
	take_err = -EPERM;
	sea(&w, 6);
	pump(&w, 3);
	assert_int_equal(nr_taken, 2);
	assert_int_equal(entry(&w, 6).frame, FBK_FRAME_PINNED);
	assert_false(fbk_retire_can(w.retire) & FBK_RETIRE_CAN_HAND_OVER);
	stop(&w);
}

static void handed_over(void **state)
{
	struct world w;
	struct fbk_verdict v;
	siginfo_t si;
	void *grave;

	start(&w, FBK_BACKING_ANON);
	sea(&w, 5);
	assert_true(w.nr_pump > 0);
	grave = fake_mem_whereabouts(at(&w, 5));
	pump(&w, 1);
	assert_int_equal(fake_mem.nr_offline, 1);
	assert_int_equal(entry(&w, 5).frame, FBK_FRAME_HOST);
	assert_int_equal(entry(&w, 5).state, FBK_PAGE_ISOLATED);
	pump(&w, 3);
	assert_int_equal(fake_mem.nr_offline, 1);
	/* The kernel says so, at an address that is not guest RAM; of a file's page at one that is. */
	si = signal_at(grave, BUS_MCEERR_AO);
	w.nr_events = 0;
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(v.action, FBK_VERDICT_REPORT);
	si = signal_at(at(&w, 5), BUS_MCEERR_AO);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(w.nr_events, 0);
	/* The firmware told the kernel of a frame that we hold. */
	fake_mem.host_busy = 1;
	sea(&w, 6);
	pump(&w, 10);
	assert_int_equal(entry(&w, 6).frame, FBK_FRAME_PINNED);
	si = signal_at(fake_mem_whereabouts(at(&w, 6)), BUS_MCEERR_AO);
	assert_int_equal(fbk_vm_sigbus(w.vm, &si, &v), 0);
	assert_int_equal(entry(&w, 6).frame, FBK_FRAME_HOST);
	stop(&w);
}

static void not_permitted_is_not_asked_again(void **state)
{
	struct world w;
	uint32_t calls;

	start(&w, FBK_BACKING_ANON);
	fake_mem.not_permitted = 1;
	sea(&w, 5);
	pump(&w, 1);
	assert_int_equal(fbk_retire_can(w.retire), FBK_RETIRE_CAN_POISON | FBK_RETIRE_CAN_LOCK);
	calls = fake_mem.nr_calls;
	pump(&w, 5);
	assert_int_equal(fake_mem.nr_calls, calls);
	assert_int_equal(entry(&w, 5).frame, FBK_FRAME_PINNED);
	stop(&w);
}

static void left_on_purpose(void **state)
{
	static const struct {
		enum fbk_backing backing;
		uint64_t pstate;
		int acpi;
		uint32_t flags;
		enum fbk_retired want;
		int32_t err;
	} row[] = {
		{ FBK_BACKING_ANON, 0, 1, 0, FBK_RETIRED_DONE, 0 },
		{ FBK_BACKING_ANON, 0x3c5, 1, 0, FBK_RETIRED_LEFT, 0 }, /* the kernel goes on with the rest of its page */
		{ FBK_BACKING_ANON, 0x3c5, 1, FBK_RETIRE_ALWAYS, FBK_RETIRED_DONE, 0 },
		{ FBK_BACKING_ANON, 0, 0, 0, FBK_RETIRED_LEFT, 0 }, /* who is not told will use the page again */
		{ FBK_BACKING_ANON, 0, 0, FBK_RETIRE_ALWAYS, FBK_RETIRED_DONE, 0 },
		{ FBK_BACKING_HUGETLB, 0, 1, FBK_RETIRE_ALWAYS, FBK_RETIRED_LEFT, 0 },
		{ FBK_BACKING_UNKNOWN, 0, 1, 0, FBK_RETIRED_UNAVAILABLE, -EOPNOTSUPP },
		{ FBK_BACKING_FILE, 0, 1, 0, FBK_RETIRED_DONE, 0 },
	};
	struct world w;
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		prepare(&w, row[i].backing);
		assert_int_equal(open_it(&w, row[i].flags, 0), 0);
		go(&w, row[i].acpi ? &w.guest.layout : NULL);
		w.deaf = !row[i].acpi;
		fake_kvm.pstate = row[i].pstate;
		sea(&w, 5);
		assert_int_equal(w.ev.retire, row[i].want);
		assert_int_equal(w.ev.retire_err, row[i].err);
		assert_int_equal(fake_mem_look(at(&w, 5)), row[i].want == FBK_RETIRED_DONE ? FAKE_POISON : FAKE_FRAME);
		assert_int_equal(entry(&w, 5).state, row[i].want == FBK_RETIRED_DONE ? FBK_PAGE_ISOLATED : FBK_PAGE_POISONED);
		stop(&w);
	}
}

static void what_the_host_lacks(void **state)
{
	struct world w;

	prepare(&w, FBK_BACKING_ANON);
	fake_mem.no_poison = 1;
	fake_mem.no_root = 1;
	assert_int_equal(open_it(&w, 0, 0), 0);
	go(&w, &w.guest.layout);
	assert_int_equal(fbk_retire_can(w.retire), 0);
	sea(&w, 5);
	assert_int_equal(w.ev.retire, FBK_RETIRED_UNAVAILABLE);
	assert_int_equal(w.ev.retire_err, -EOPNOTSUPP);
	stop(&w);

	prepare(&w, FBK_BACKING_FILE);
	fake_mem.no_minor = 1;
	assert_int_equal(open_it(&w, 0, 1), 0);
	go(&w, &w.guest.layout);
	sea(&w, 5);
	assert_int_equal(w.ev.retire, FBK_RETIRED_DONE);
	/* The graveyard is full. */
	sea(&w, 6);
	assert_int_equal(w.ev.retire, FBK_RETIRED_UNAVAILABLE);
	assert_int_equal(w.ev.retire_err, -ENOSPC);
	assert_int_equal(fake_mem_look(at(&w, 6)), FAKE_FRAME);
	stop(&w);

	/* On a host with 64 KiB pages a marker would cost 15 good ones. */
	prepare(&w, FBK_BACKING_ANON);
	fake_mem.page_size = 65536;
	assert_int_equal(open_it(&w, 0, 0), 0);
	go(&w, &w.guest.layout);
	assert_int_equal(fbk_retire_can(w.retire), 0);
	stop(&w);
}

static void healed(void **state)
{
	struct world w;
	uint32_t kept = 99;

	start(&w, FBK_BACKING_ANON);
	fake_mem.no_root = 1;
	fake_mem.host_busy = 1;
	sea(&w, 5); /* retired */
	fake_kvm.pstate = 0x3c5;
	sea(&w, 6); /* left */
	sigbus(&w, 7);
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	assert_int_equal(kept, 0);
	for (uint32_t i = 5; i < 8; i++) {
		assert_int_equal(entry(&w, i).state, FBK_PAGE_HEALED);
		assert_int_equal(fake_mem_look(at(&w, i)), FAKE_ZEROS);
	}
	assert_int_equal(entry(&w, 5).frame, FBK_FRAME_PINNED);
	assert_int_equal(entry(&w, 6).frame, FBK_FRAME_PINNED);
	assert_int_equal(entry(&w, 7).frame, FBK_FRAME_HOST);
	assert_true(fake_mem_hidden(fake_mem_whereabouts(at(&w, 5))));
	assert_true(fake_mem_hidden(fake_mem_whereabouts(at(&w, 6))));
	/* The host took 7's itself, which is not this process's doing. */
	fake_mem.nr_given_back = 0;
	/* Lost again, on another frame. */
	fake_kvm.pstate = 0;
	sea(&w, 5);
	assert_int_equal(w.ev.retire, FBK_RETIRED_DONE);
	assert_int_equal(fake_mem_look(at(&w, 5)), FAKE_POISON);
	stop(&w);
}

static void a_file_s_pages_heal_where_that_is_allowed(void **state)
{
	struct world w;
	uint32_t kept = 99;

	start(&w, FBK_BACKING_FILE);
	sea(&w, 5);
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	assert_int_equal(kept, 1);
	assert_int_equal(entry(&w, 5).state, FBK_PAGE_ISOLATED);
	assert_int_equal(fake_mem_look(at(&w, 5)), FAKE_POISON);
	w.guest.gmem.region[0].flags = FBK_GMEM_REPLACE;
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	assert_int_equal(kept, 0);
	assert_int_equal(entry(&w, 5).state, FBK_PAGE_HEALED);
	assert_int_equal(fake_mem_look(at(&w, 5)), FAKE_ZEROS);
	stop(&w);

	start(&w, FBK_BACKING_HUGETLB);
	sea(&w, 5);
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	assert_int_equal(kept, 1);
	assert_int_equal(entry(&w, 5).state, FBK_PAGE_POISONED);
	stop(&w);
}

#define HUGE_SHIFT 16 /* 64 KiB, which is a huge page as well */
#define HUGE_PAGES (1u << HUGE_SHIFT >> 12)

/* The first page of a huge page of guest RAM, the @n-th whole one there. */
static uint32_t huge_page(struct world *w, uint32_t n)
{
	uint64_t skip = -(uintptr_t)w->guest.ram & ((1u << HUGE_SHIFT) - 1);

	return (uint32_t)(skip / FBK_PAGE_SIZE) + n * HUGE_PAGES;
}

static void host_loses(struct world *w, uint32_t first, uint32_t touched, short lsb)
{
	siginfo_t si = signal_at(at(w, touched), BUS_MCEERR_AR);
	struct fbk_verdict v;

	fake_mem_break(at(w, first), 1u << HUGE_SHIFT);
	si.si_addr_lsb = lsb;
	assert_int_equal(fbk_vcpu_sigbus(w->vcpu, &si, &v), 0);
}

static void look_all(struct world *w, uint32_t first, enum fake_sight want, enum fbk_page_state state)
{
	for (uint32_t i = first; i < first + HUGE_PAGES; i++) {
		assert_int_equal(fake_mem_look(at(w, i)), want);
		assert_int_equal(entry(w, i).state, state);
		assert_int_equal(entry(w, i).frame, FBK_FRAME_HOST);
	}
}

static void a_huge_page_that_the_host_lost(void **state)
{
	struct world w;
	uint32_t kept = 99, first;

	start(&w, FBK_BACKING_HUGETLB);
	first = huge_page(&w, 2);
	host_loses(&w, first, first + 5, HUGE_SHIFT);
	assert_int_equal(w.ev.pages, HUGE_PAGES);
	/* Not unless the monitor will do with anonymous memory there. */
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	assert_int_equal(kept, HUGE_PAGES);
	look_all(&w, first, FAKE_POISON, FBK_PAGE_ISOLATED);
	w.guest.gmem.region[0].flags = FBK_GMEM_REPLACE;
	/* Nor if there is no other. */
	fake_mem.no_huge = 1;
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	assert_int_equal(kept, HUGE_PAGES);
	look_all(&w, first, FAKE_POISON, FBK_PAGE_ISOLATED);
	fake_mem.no_huge = 0;
	fake_mem.false_huge = 1;
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	assert_int_equal(kept, HUGE_PAGES);
	look_all(&w, first, FAKE_POISON, FBK_PAGE_ISOLATED);
	fake_mem.false_huge = 0;
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	assert_int_equal(kept, 0);
	look_all(&w, first, FAKE_ZEROS, FBK_PAGE_HEALED);
	assert_int_equal(fake_mem_look(at(&w, first - 1)), FAKE_FRAME);
	assert_int_equal(fake_mem_look(at(&w, first + HUGE_PAGES)), FAKE_FRAME);
	/* And again. */
	host_loses(&w, first, first, HUGE_SHIFT);
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	assert_int_equal(kept, 0);
	look_all(&w, first, FAKE_ZEROS, FBK_PAGE_HEALED);
	stop(&w);
}

/* What the host does not know of would go back to its pool as good; and how large its pages are only it can say. */
static void a_huge_page_that_stays(void **state)
{
	struct world w;
	uint32_t kept = 99, first;

	/* lost to the guest alone, in a region whose pages' size is known */
	start(&w, FBK_BACKING_HUGETLB);
	w.guest.gmem.region[0].flags = FBK_GMEM_REPLACE;
	first = huge_page(&w, 2);
	host_loses(&w, first, first, HUGE_SHIFT);
	sea(&w, first + HUGE_PAGES);
	assert_int_equal(w.ev.retire, FBK_RETIRED_LEFT);
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	assert_int_equal(kept, 1);
	look_all(&w, first, FAKE_ZEROS, FBK_PAGE_HEALED);
	assert_int_equal(entry(&w, first + HUGE_PAGES).state, FBK_PAGE_POISONED);
	assert_int_equal(fake_mem_look(at(&w, first + HUGE_PAGES)), FAKE_FRAME);
	/* another page of its huge page was told by the host, as one of 4 KiB */
	sigbus(&w, first + HUGE_PAGES + 3);
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	assert_int_equal(kept, 2);
	assert_int_equal(fake_mem_look(at(&w, first + HUGE_PAGES)), FAKE_FRAME);
	stop(&w);

	/* the host told of 4 KiB only */
	start(&w, FBK_BACKING_HUGETLB);
	w.guest.gmem.region[0].flags = FBK_GMEM_REPLACE;
	first = huge_page(&w, 2);
	host_loses(&w, first, first + 1, 12);
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	assert_int_equal(kept, 1);
	assert_int_equal(fake_mem_look(at(&w, first + 1)), FAKE_POISON);
	stop(&w);

	/* part of the huge page is no guest RAM */
	start(&w, FBK_BACKING_HUGETLB);
	w.guest.gmem.region[0].flags = FBK_GMEM_REPLACE;
	first = huge_page(&w, 2);
	w.guest.gmem.region[0].len = (first + HUGE_PAGES - 1) * FBK_PAGE_SIZE;
	host_loses(&w, first, first + 1, HUGE_SHIFT);
	assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
	assert_int_equal(kept, HUGE_PAGES - 1);
	assert_int_equal(fake_mem_look(at(&w, first + 1)), FAKE_POISON);
	stop(&w);
}

static void each_call_for_a_huge_page_may_fail(void **state)
{
	struct world w;
	uint32_t n, first, kept = 0;
	int maps;

	for (n = 1; n < 10; n++) {
		start(&w, FBK_BACKING_HUGETLB);
		w.guest.gmem.region[0].flags = FBK_GMEM_REPLACE;
		first = huge_page(&w, 2);
		host_loses(&w, first, first, HUGE_SHIFT);
		maps = fake_mem.nr_maps;
		fake_mem.nr_calls = 0;
		fake_mem.fail_at = n;
		assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
		fake_mem.fail_at = 0;
		assert_int_equal(kept, n <= 3 ? HUGE_PAGES : 0);
		look_all(&w, first, n <= 3 ? FAKE_POISON : FAKE_ZEROS, n <= 3 ? FBK_PAGE_ISOLATED : FBK_PAGE_HEALED);
		assert_int_equal(fake_mem.nr_maps, maps);
		stop(&w);
	}
}

/* What is bad for the guest's own reasons is told once, isolated or not. */
static void told_although_isolated(void **state)
{
	struct fake_record rec;
	struct world w;

	start(&w, FBK_BACKING_ANON);
	w.deaf = 1;
	sea(&w, 5);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	assert_int_equal(rec.nr_pages, 1);
	assert_int_equal(rec.pages[0], gpa(5).addr);
	assert_int_equal(entry(&w, 5).state, FBK_PAGE_ISOLATED);
	sea(&w, 6);
	assert_int_equal(entry(&w, 5).state, FBK_PAGE_ISOLATED);
	stop(&w);
}

/* Nobody knows yet whether this guest listens. */
static void the_first_waits_for_the_guest(void **state)
{
	struct fake_record rec;
	struct world w;
	uint64_t wait;
	uint32_t i;

	start(&w, FBK_BACKING_ANON);
	w.vm->listens = 0;
	w.deaf = 1;
	sea(&w, 5);
	assert_int_equal(w.ev.retire, FBK_RETIRED_LATER);
	assert_int_equal(w.ev.retire_err, 0);
	assert_true(w.nr_pump > 0);
	assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_true(wait <= 10000000);
	assert_int_equal(fake_mem_look(at(&w, 5)), FAKE_FRAME);
	assert_int_equal(fake_guest_read(&w.guest, FBK_GHES_SEA, 1, &rec), 1);
	pump(&w, 1);
	assert_int_equal(fake_mem_look(at(&w, 5)), FAKE_POISON);
	assert_int_equal(entry(&w, 5).state, FBK_PAGE_ISOLATED);
	/* From now on there is no doubt. */
	w.deaf = 0;
	sea(&w, 6);
	assert_int_equal(w.ev.retire, FBK_RETIRED_DONE);
	stop(&w);

	/* It does not. The page is left alone, and nobody looks for ever. */
	start(&w, FBK_BACKING_ANON);
	fake_mem.no_root = 1;
	w.vm->listens = 0;
	w.deaf = 1;
	sea(&w, 5);
	for (i = 0; i < 200; i++)
		assert_int_equal(fbk_vm_pump(w.vm, &wait), 0);
	assert_true(wait == UINT64_MAX);
	assert_int_equal(fake_mem_look(at(&w, 5)), FAKE_FRAME);
	/* Its first record is taken back unread, and so it is with the next. */
	sea(&w, 6);
	assert_int_equal(w.ev.retire, FBK_RETIRED_LATER);
	assert_int_equal(w.vm->listens, 0);
	stop(&w);
}

static void a_retry_for_each_retirement(void **state)
{
	struct world w;

	start(&w, FBK_BACKING_ANON);
	assert_int_equal(fbk_vcpu_retry(w.vcpu), 0);
	sea(&w, 5);
	assert_int_equal(fbk_vcpu_retry(w.vcpu), 1);
	assert_int_equal(fbk_vcpu_retry(w.vcpu), 0);
	sea(&w, 6);
	sea(&w, 7);
	assert_int_equal(fbk_vcpu_retry(w.vcpu), 1);
	assert_int_equal(fbk_vcpu_retry(w.vcpu), 0);
	assert_int_equal(fbk_vcpu_retry(NULL), 0);
	stop(&w);
}

/*
 * Never zeros in place of what was lost, and the frame is somewhere. After a reset nobody asks for what was lost, but a page
 * that is not healed may show anything: it is not in the next guest's memory map.
 */
static void check(struct world *w, uint32_t n, int reset)
{
	struct fbk_ledger_entry e = entry(w, n);
	enum fake_sight sight = fake_mem_look(at(w, n));

	assert_int_equal(fake_mem.nr_given_back, 0);
	assert_non_null(fake_mem_whereabouts(at(w, n)));
	switch (e.state) {
	case FBK_PAGE_ISOLATED:
		assert_true(sight == FAKE_POISON || (reset && sight == FAKE_ZEROS));
		assert_int_not_equal(e.frame, FBK_FRAME_UNKNOWN);
		break;
	case FBK_PAGE_HEALED:
		assert_int_equal(sight, FAKE_ZEROS);
		assert_int_not_equal(e.frame, FBK_FRAME_UNKNOWN);
		break;
	default:
		/* As it was; or half-way, and said so. */
		if (e.frame == FBK_FRAME_UNKNOWN)
			assert_int_equal(sight, FAKE_FRAME);
		else if (!reset)
			assert_int_not_equal(sight, FAKE_ZEROS);
	}
}

static void a_life(struct world *w)
{
	uint32_t kept;
	int done;

	sea(w, 5);
	/* Told truly. */
	done = w->ev.retire == FBK_RETIRED_DONE;
	if (done)
		assert_int_equal(fake_mem_look(at(w, 5)), FAKE_POISON);
	assert_true(done ? !w->ev.retire_err : w->ev.retire_err < 0);
	check(w, 5, 0);
	if (fake_mem_look(at(w, 5)) == FAKE_POISON) {
		sigbus(w, 5);
		assert_int_equal(w->ev.retire, FBK_RETIRED_ALREADY);
		check(w, 5, 0);
	}
	fake_kvm.pstate = 0x3c5;
	sea(w, 6);
	check(w, 6, 0);
	pump(w, 4);
	if (done && (fbk_retire_can(w->retire) & FBK_RETIRE_CAN_LOCK))
		assert_true(fake_mem_hidden(fake_mem_whereabouts(at(w, 5))));
	check(w, 5, 0);
	assert_int_equal(fbk_vm_heal(w->vm, &kept), 0);
	assert_int_equal(kept, (entry(w, 5).state != FBK_PAGE_HEALED) + (entry(w, 6).state != FBK_PAGE_HEALED));
	check(w, 5, 1);
	check(w, 6, 1);
	pump(w, 4);
}

/* Return: whether there was an Nth call. */
static int with_failure(enum fbk_backing backing, uint32_t n, int on, int err)
{
	struct world w;

	prepare(&w, backing);
	w.guest.gmem.region[0].flags = backing == FBK_BACKING_FILE ? FBK_GMEM_REPLACE : 0;
	fake_mem.fail_at = n;
	fake_mem.fail_on = on;
	fake_mem.fail_errno = err;
	if (open_it(&w, 0, 0)) {
		assert_int_equal(fake_kvm.nr_allocs, 0);
		fake_guest_exit(&w.guest);
		return 1;
	}
	go(&w, &w.guest.layout);
	a_life(&w);
	stop(&w);
	return fake_mem.nr_calls >= n;
}

static void every_call_may_fail(void **state)
{
	static const enum fbk_backing backing[] = { FBK_BACKING_ANON, FBK_BACKING_FILE };
	static const int err[] = { ENOMEM, EINVAL, EAGAIN, EPERM };
	uint32_t n, kind, on, e;

	for (kind = 0; kind < 2; kind++)
		for (e = 0; e < 4; e++)
			for (on = 0; on < 2; on++)
				for (n = 1; with_failure(backing[kind], n, (int)on, err[e]); n++)
					assert_true(n < 200);
}

/* A kernel that refuses everything from some call on, and at the reset nothing: no page is left watched. */
static void what_failed_heals_whole(void **state)
{
	struct world w;
	uint32_t n, kept;
	int failed;

	for (n = 1, failed = 1; failed; n++) {
		prepare(&w, FBK_BACKING_ANON);
		assert_int_equal(open_it(&w, 0, 0), 0);
		go(&w, &w.guest.layout);
		fake_mem.fail_at = fake_mem.nr_calls + n;
		fake_mem.fail_on = 1;
		fake_mem.fail_errno = ENOMEM;
		sea(&w, 5);
		pump(&w, 1);
		failed = fake_mem.nr_calls >= fake_mem.fail_at;
		fake_mem.fail_at = 0;
		assert_int_equal(fbk_vm_heal(w.vm, &kept), 0);
		assert_int_equal(kept, 0);
		check(&w, 5, 1);
		stop(&w);
	}
	assert_true(n > 5);
}

static void no_memory_to_prepare(void **state)
{
	struct world w;
	uint32_t n;
	int err;

	for (n = 1;; n++) {
		prepare(&w, FBK_BACKING_ANON);
		fake_kvm.fail_at = n;
		fake_kvm.fail_errno = ENOMEM;
		err = open_it(&w, 0, 0);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_null(w.retire);
		assert_int_equal(fake_kvm.nr_allocs + fake_mem.nr_fds + fake_mem.nr_maps, 0);
		fake_guest_exit(&w.guest);
	}
	assert_int_equal(n, 3); /* itself, and what it keeps of each frame */
	fbk_retire_close(w.retire);
	fake_guest_exit(&w.guest);
}

static void callers_bugs(void **state)
{
	struct fbk_retire_config cfg = { .size = sizeof(cfg) };
	struct world w;
	uint32_t kept;

	prepare(&w, FBK_BACKING_ANON);
	assert_int_equal(fbk_retire_open(NULL, &w.retire), -EINVAL);
	assert_int_equal(fbk_retire_open(&cfg, NULL), -EINVAL);
	cfg.size--;
	assert_int_equal(fbk_retire_open(&cfg, &w.retire), -EINVAL);
	cfg.size++;
	cfg.flags = 1u << 31;
	assert_int_equal(fbk_retire_open(&cfg, &w.retire), -EINVAL);
	cfg.flags = 0;
	cfg.max_pages = UINT32_MAX;
	assert_int_equal(fbk_retire_open(&cfg, &w.retire), -EINVAL);
	assert_int_equal(fbk_retire_can(NULL), 0);
	fbk_retire_close(NULL);
	go(&w, &w.guest.layout);
	assert_int_equal(fbk_vm_heal(NULL, &kept), -EINVAL);
	assert_int_equal(fbk_vm_heal(w.vm, NULL), -EINVAL);
	assert_int_equal(fbk_vm_heal(w.vm, &kept), -EOPNOTSUPP);
	/* Without an fbk_retire nothing is done, and nothing is said of frames. */
	sea(&w, 5);
	sigbus(&w, 6);
	assert_int_equal(w.ev.retire, FBK_RETIRED_NONE);
	assert_int_equal(entry(&w, 6).state, FBK_PAGE_POISONED);
	assert_string_equal(fbk_retired_name(FBK_RETIRED_DONE), "done");
	assert_string_equal(fbk_retired_name((enum fbk_retired)99), "invalid");
	assert_string_equal(fbk_frame_name(FBK_FRAME_PINNED), "pinned");
	assert_string_equal(fbk_frame_name((enum fbk_frame)99), "invalid");
	stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(out_of_reach),
		cmocka_unit_test(settled_off_the_road),
		cmocka_unit_test(handed_over), cmocka_unit_test(handed_over_by_another),
		cmocka_unit_test(not_permitted_is_not_asked_again),
		cmocka_unit_test(left_on_purpose),
		cmocka_unit_test(what_the_host_lacks),
		cmocka_unit_test(healed),
		cmocka_unit_test(a_file_s_pages_heal_where_that_is_allowed),
		cmocka_unit_test(a_huge_page_that_the_host_lost),
		cmocka_unit_test(a_huge_page_that_stays),
		cmocka_unit_test(each_call_for_a_huge_page_may_fail),
		cmocka_unit_test(told_although_isolated),
		cmocka_unit_test(the_first_waits_for_the_guest),
		cmocka_unit_test(a_retry_for_each_retirement),
		cmocka_unit_test(every_call_may_fail),
		cmocka_unit_test(what_failed_heals_whole),
		cmocka_unit_test(no_memory_to_prepare),
		cmocka_unit_test(callers_bugs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
