/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_notify.c - two vCPUs in one guest that does with its error blocks what it likes: reads them, or not, acknowledges
 * at once, never, always, now and then, scribbles over all of it. When an honest guest takes over, it learns of every page.
 *
 * The seed is fixed; what two threads make of it is not.
 */
#include "test.h"

#include "fake_guest.h"

#include "host/kvm_uapi.h"
#include "host/sys.h"

#include <firebreak/vm.h>

#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STEPS 50000 /* of each thread */
#define NR_THREADS 2
#define NR_PAGES 400 /* the error blocks lie beyond */
#define WAIT_US 5000

struct cpu {
	struct fbk_vcpu *vcpu;
	struct kvm_run run;
	uint32_t random;
	uint64_t latest[2]; /* the page of its latest abort in user mode, and of the one before */
	int el1;
	uint64_t slept_ns; /* since its latest event */
	uint32_t misled, failed, waited, replays, judged;
};

static struct fake_guest guest;
static struct fbk_vm *vm;
static struct cpu cpus[NR_THREADS];
static __thread struct cpu *self;
static uint64_t now_ns;
static pthread_mutex_t judge_lock = PTHREAD_MUTEX_INITIALIZER;

static uint32_t roll(struct cpu *c, uint32_t n)
{
	c->random = c->random * 1664525 + 1013904223;
	return (c->random >> 8) % n;
}

/* --- what the guest sees and does, one byte at a time: the library may be writing ----------------------------------- */

static unsigned char get(const unsigned char *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void put(unsigned char *p, uint32_t v)
{
	__atomic_store_n(p, (unsigned char)v, __ATOMIC_RELEASE);
}

static uint64_t le(const unsigned char *p, uint32_t len)
{
	uint64_t v = 0;

	while (len--)
		v = v << 8 | get(p + len);
	return v;
}

static unsigned char *block_of(enum fbk_ghes_source s)
{
	return fake_guest_at(&guest, guest.layout.source[s].block);
}

static void empty(enum fbk_ghes_source s)
{
	__atomic_store_n((uint32_t *)block_of(s), 0, __ATOMIC_RELEASE);
}

static void acknowledge(enum fbk_ghes_source s, uint32_t v)
{
	put(fake_guest_at(&guest, guest.layout.source[s].ack), v);
}

static void behave(struct cpu *c)
{
	enum fbk_ghes_source s = (enum fbk_ghes_source)roll(c, 2);
	unsigned char *area = fake_guest_at(&guest, (struct fbk_gpa){ FAKE_GHES_GPA });
	uint32_t i, from;

	switch (roll(c, 8)) {
	case 0: /* reads it */
		empty(s);
		acknowledge(s, 1);
		break;
	case 1: /* says so */
		acknowledge(s, 1);
		break;
	case 2: /* takes it back */
		acknowledge(s, 0);
		break;
	case 3:
		acknowledge(s, roll(c, 256));
		break;
	case 4: /* reads it and does not say so */
		empty(s);
		break;
	case 5: /* moves its pointer */
		for (i = 0; i < 8; i++)
			put(fake_guest_at(&guest, guest.layout.source[s].pointer) + i, roll(c, 256));
		break;
	case 6: /* scribbles, seldom over all of it: that takes long */
		from = roll(c, 16) ? roll(c, 3 * 4096) : 0;
		for (i = from; i < (from ? from + 64 : 3 * 4096); i++)
			put(area + i, roll(c, 256));
		break;
	default:
		break;
	}
}

/* --- the kernel ----------------------------------------------------------------------------------------------------- */

/*
 * The moment before a vCPU goes on at its handler, in user mode: whatever record of ours lies there is about the abort that
 * it takes, or the one that the other vCPU takes. Guests that scribble on a record may mislead themselves.
 */
static void judge(struct cpu *c)
{
	static const unsigned char fru[] = "firebreak ";
	unsigned char *block = block_of(FBK_GHES_SEA), b[172];
	uint64_t page;
	uint32_t i, known = 0;

	c->replays++;
	if (c->el1)
		return;
	for (i = 0; i < sizeof(b); i++)
		b[i] = get(block + i);
	/* The other vCPU's may be coming at this moment, half of it. */
	for (i = 0; i < sizeof(b); i++)
		if (get(block + i) != b[i])
			return;
	page = le(b + 20 + 72 + 16, 8);
	if (le(b, 4) != 0x11 || le(b + 12, 4) != 152 || memcmp(b + 20 + 44, fru, sizeof(fru) - 1))
		return;
	if (page % FBK_PAGE_SIZE || page < FAKE_RAM_GPA || page >= FAKE_RAM_GPA + FAKE_RAM_LEN)
		return;
	c->judged++;
	for (i = 0; i < NR_THREADS; i++)
		known |= __atomic_load_n(&cpus[i].latest[0], __ATOMIC_ACQUIRE) == page ||
			 (&cpus[i] != c && __atomic_load_n(&cpus[i].latest[1], __ATOMIC_ACQUIRE) == page);
	c->misled += !known;
}

static int chaos_ioctl(int fd, unsigned long request, void *arg)
{
	struct kvm_one_reg *r = arg;
	uint64_t v;

	switch (request) {
	case KVM_CHECK_EXTENSION:
		return (uintptr_t)arg != FBK_KVM_CAP_ARM_INJECT_EXT_IABT;
	case KVM_GET_ONE_REG:
		v = r->id == FBK_REG_PSTATE && self->el1 ? 0x3c5 : 0;
		memcpy((void *)(uintptr_t)r->addr, &v, sizeof(v));
		return 0;
	case FBK_KVM_SET_VCPU_EVENTS:
		pthread_mutex_lock(&judge_lock);
		judge(self);
		pthread_mutex_unlock(&judge_lock);
		return 0;
	}
	return 0;
}

static int chaos_clock(clockid_t clock, struct timespec *ret)
{
	uint64_t ns = __atomic_add_fetch(&now_ns, 100, __ATOMIC_RELAXED);

	ret->tv_sec = (time_t)(ns / 1000000000);
	ret->tv_nsec = (long)(ns % 1000000000);
	return 0;
}

static int chaos_sleep(const struct timespec *ts, struct timespec *rem)
{
	__atomic_add_fetch(&now_ns, (uint64_t)ts->tv_sec * 1000000000 + (uint64_t)ts->tv_nsec, __ATOMIC_RELAXED);
	self->slept_ns += (uint64_t)ts->tv_nsec;
	behave(self);
	return 0;
}

/* Waits, or does not. */
static long chaos_futex(uint32_t *word, int op, uint32_t value)
{
	return op == FUTEX_WAIT_PRIVATE && self && roll(self, 2) ? -1 : syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void *chaos_map(size_t len)
{
	return calloc(1, len);
}

static void chaos_unmap(void *p, size_t len)
{
	free(p);
}

static const struct fbk_sys chaos = {
	.ioctl = chaos_ioctl,
	.clock_gettime = chaos_clock,
	.nanosleep = chaos_sleep,
	.futex = chaos_futex,
	.calloc = calloc,
	.free = free,
	.map = chaos_map,
	.unmap = chaos_unmap,
};

/* --- the story ------------------------------------------------------------------------------------------------------ */

static void on_event(void *opaque, const struct fbk_event *ev)
{
	if (self->slept_ns > WAIT_US * UINT64_C(1000))
		self->failed++;
	self->waited += self->slept_ns != 0;
	self->slept_ns = 0;
}

static int on_raise(void *opaque)
{
	return 0;
}

static void on_pump(void *opaque)
{
}

static void takes(struct cpu *c, uint64_t page)
{
	if (c->el1)
		return;
	__atomic_store_n(&c->latest[1], c->latest[0], __ATOMIC_RELEASE);
	__atomic_store_n(&c->latest[0], page, __ATOMIC_RELEASE);
}

static void *be_a_vcpu(void *arg)
{
	struct cpu *c = arg;
	struct fbk_verdict v;
	uint64_t wait;
	uint32_t i;

	self = c;
	for (i = 0; i < STEPS; i++) {
		uint64_t page = FAKE_RAM_GPA + roll(c, NR_PAGES) * FBK_PAGE_SIZE;
		const uint64_t fields[4] = { 1, 0x92000010, 0x1000 + i, page };
		siginfo_t si;

		memset(&si, 0, sizeof(si));
		si.si_signo = SIGBUS;
		si.si_addr_lsb = FBK_PAGE_SHIFT;
		si.si_addr = fake_guest_at(&guest, (struct fbk_gpa){ page });
		behave(c);
		switch (roll(c, 8)) {
		case 0:
			c->failed += fbk_vm_pump(vm, &wait) != 0;
			break;
		case 1:
			si.si_code = BUS_MCEERR_AO;
			c->failed += fbk_vm_sigbus(vm, &si, &v) != 0;
			break;
		case 2:
			si.si_code = BUS_MCEERR_AR;
			c->el1 = (int)roll(c, 2);
			takes(c, page);
			c->failed += fbk_vcpu_sigbus(c->vcpu, &si, &v) != 0 || v.action != FBK_VERDICT_REPLAY;
			break;
		default:
			c->el1 = !roll(c, 4);
			takes(c, page);
			c->run.exit_reason = FBK_KVM_EXIT_ARM_SEA;
			memcpy(c->run.padding, fields, sizeof(fields));
			c->failed += fbk_vcpu_sea(c->vcpu, &v) != 0 || v.action != FBK_VERDICT_REPLAY;
		}
	}
	self = NULL;
	return NULL;
}

/* Reads what there is as it should be read, until nothing is to come. */
static void be_honest(uint32_t *told)
{
	struct fake_record rec;
	uint64_t wait = 0;
	uint32_t s, i;

	/* It finds its error blocks as the last records left them, or its predecessor did: that one cannot be helped. */
	for (s = 0; s < FBK_GHES_NR_SOURCES; s++) {
		empty((enum fbk_ghes_source)s);
		acknowledge((enum fbk_ghes_source)s, 1);
		for (i = 0; i < 8; i++)
			put(fake_guest_at(&guest, guest.layout.source[s].pointer) + i,
			    (uint32_t)(guest.layout.source[s].block.addr >> 8 * i));
	}
	while (wait != UINT64_MAX) {
		assert_int_equal(fbk_vm_pump(vm, &wait), 0);
		for (s = 0; s < FBK_GHES_NR_SOURCES; s++)
			if (fake_guest_read(&guest, (enum fbk_ghes_source)s, 1, &rec))
				for (i = 0; i < rec.nr_pages; i++)
					told[(rec.pages[i] - FAKE_RAM_GPA) / FBK_PAGE_SIZE]++;
		now_ns += wait == UINT64_MAX ? 0 : wait;
	}
}

static uint32_t pages_in(enum fbk_page_state state, char *which)
{
	struct fbk_ledger_entry e;
	uint32_t cursor = 0, n = 0;

	while (fbk_ledger_next(fbk_vm_ledger(vm), &cursor, &e) == 0) {
		if (e.state != state)
			continue;
		if (which)
			which[(e.gpa.addr - FAKE_RAM_GPA) / FBK_PAGE_SIZE] = 1;
		n++;
	}
	return n;
}

static void two_vcpus_and_a_guest_of_any_kind(void **state)
{
	static const struct fbk_vm_ops ops = { .event = on_event, .raise_async = on_raise, .want_pump = on_pump };
	uint32_t told[FAKE_RAM_LEN / FBK_PAGE_SIZE] = { 0 }, i, round, waits = 0;
	char untold[FAKE_RAM_LEN / FBK_PAGE_SIZE] = { 0 };
	struct fbk_policy policy;
	struct fbk_vm_config cfg;
	pthread_t t[NR_THREADS];

	fbk_sys = &chaos;
	now_ns = UINT64_C(1700000000000000000);
	fake_guest_init(&guest);
	fbk_policy_default(&policy);
	policy.ack_wait_us = WAIT_US;
	policy.storm_repeats = 0;
	cfg = (struct fbk_vm_config){ .size = sizeof(cfg), .gmem = &guest.gmem, .ghes = &guest.layout, .policy = &policy,
				      .ops = &ops };
	assert_int_equal(fbk_vm_create(&cfg, &vm), 0);
	for (i = 0; i < NR_THREADS; i++) {
		cpus[i].random = 7 + i;
		assert_int_equal(fbk_vcpu_create(vm, (int)i, &cpus[i].run, i, &cpus[i].vcpu), 0);
	}
	for (i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, be_a_vcpu, &cpus[i]), 0);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(t[i], NULL);
	for (i = 0; i < NR_THREADS; i++) {
		assert_int_equal(cpus[i].failed, 0);
		assert_int_equal(cpus[i].misled, 0);
		assert_true(cpus[i].replays > STEPS / 2 && cpus[i].judged > STEPS / 10);
		waits += cpus[i].waited;
	}
	assert_true(waits > 0);

	/* Honest from here on. What was acknowledged counts as told, whoever lied; of the rest each page comes. */
	be_honest(told);
	assert_int_equal(pages_in(FBK_PAGE_POISONED, NULL), 0);
	assert_int_equal(pages_in(FBK_PAGE_REPORTED, NULL), NR_PAGES);

	/* After a reset every page does, once. */
	for (round = 0; round < 2; round++) {
		assert_int_equal(fbk_vm_reset(vm), 0);
		assert_int_equal(pages_in(FBK_PAGE_POISONED, untold), NR_PAGES);
		memset(told, 0, sizeof(told));
		be_honest(told);
		for (i = 0; i < ARRAY_SIZE(told); i++)
			assert_int_equal(told[i], untold[i]);
	}
	for (i = 0; i < NR_THREADS; i++)
		fbk_vcpu_destroy(cpus[i].vcpu);
	fbk_vm_destroy(vm);
	fake_guest_exit(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_vcpus_and_a_guest_of_any_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
