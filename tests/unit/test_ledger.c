/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_ledger.c - the set of poisoned pages against a plain array, at its limits, and read beside a writer.
 */
#include "test.h"

#include "core/ledger_road.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)

struct fixture {
	struct fbk_ledger l;
	void *storage;
};

static struct fixture make(uint32_t max_pages)
{
	struct fixture f;
	size_t len = fbk_ledger_storage_len(max_pages);

	f.storage = calloc(1, len);
	assert_non_null(f.storage);
	assert_int_equal(fbk_ledger_init(&f.l, f.storage, len, max_pages), 0);
	return f;
}

static struct fbk_gpa page(uint64_t n)
{
	return (struct fbk_gpa){ n * FBK_PAGE_SIZE };
}

static void a_page_s_life(void **state)
{
	struct fixture f = make(4);
	struct fbk_ledger_entry e;
	struct fbk_gpa byte = { 0x40010018 };

	assert_int_equal(fbk_ledger_lookup(&f.l, byte, &e), -ENOENT);
	assert_int_equal(fbk_ledger_record(&f.l, byte, FBK_SOURCE_SEA, 1000 * MS + 5, &e), 1);
	assert_int_equal(e.gpa.addr, 0x40010000);
	assert_int_equal(e.count, 1);
	assert_int_equal(e.state, FBK_PAGE_POISONED);
	assert_int_equal(fbk_ledger_record(&f.l, page(0x40010), FBK_SOURCE_SIGBUS_AO, 1007 * MS + 9, &e), 0);
	assert_int_equal(e.count, 1); /* the same error, by another road */
	assert_int_equal(e.sources, 1u << FBK_SOURCE_SEA | 1u << FBK_SOURCE_SIGBUS_AO);
	assert_int_equal(e.first_ns, 1000 * MS + 5);
	assert_int_equal(e.last_ns, 1007 * MS + 5);
	assert_int_equal(fbk_ledger_set_state(&f.l, byte, FBK_PAGE_REPORTED), 0);
	/* A clock set back neither shortens the history nor wraps. */
	assert_int_equal(fbk_ledger_record(&f.l, byte, FBK_SOURCE_SEA, 1, &e), 0);
	assert_int_equal(e.last_ns, 1007 * MS + 5);
	assert_int_equal(e.state, FBK_PAGE_REPORTED);
	assert_int_equal(e.count, 2);
	/* What fails after it was healed is another error, whoever reports it. */
	assert_int_equal(fbk_ledger_set_state(&f.l, byte, FBK_PAGE_HEALED), 0);
	assert_int_equal(fbk_ledger_record(&f.l, byte, FBK_SOURCE_MEMORY_FAULT, 1008 * MS, &e), 0);
	assert_int_equal(e.state, FBK_PAGE_POISONED);
	assert_int_equal(e.count, 3);
	assert_int_equal(fbk_ledger_record(&f.l, byte, FBK_SOURCE_SIGBUS_IO, 1009 * MS, &e), 0);
	assert_int_equal(e.count, 3);
	assert_int_equal(e.sources, 1u << FBK_SOURCE_SEA | 1u << FBK_SOURCE_SIGBUS_AO | 1u << FBK_SOURCE_SIGBUS_IO |
					    1u << FBK_SOURCE_MEMORY_FAULT);
	assert_int_equal(fbk_ledger_pages(&f.l), 1);
	free(f.storage);
}

static void page_zero_and_the_last_page(void **state)
{
	struct fixture f = make(2);
	struct fbk_ledger_entry e;
	struct fbk_gpa last = { UINT64_MAX };

	assert_int_equal(fbk_ledger_record(&f.l, page(0), FBK_SOURCE_SEA, 0, NULL), 1);
	assert_int_equal(fbk_ledger_record(&f.l, last, FBK_SOURCE_SEA, UINT64_MAX, NULL), 1);
	assert_int_equal(fbk_ledger_lookup(&f.l, page(0), &e), 0);
	assert_int_equal(e.gpa.addr, 0);
	assert_int_equal(fbk_ledger_lookup(&f.l, last, &e), 0);
	assert_int_equal(e.gpa.addr, FBK_PAGE_MASK);
	assert_int_equal(e.first_ns, UINT64_MAX);
	free(f.storage);
}

static void full_means_enospc_and_nothing_else(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 3, 4, 7, 100, 4096 };
	size_t k;
	uint32_t i;

	for (k = 0; k < ARRAY_SIZE(sizes); k++) {
		struct fixture f = make(sizes[k]);
		struct fbk_ledger_entry e;

		for (i = 0; i < sizes[k]; i++)
			assert_int_equal(fbk_ledger_record(&f.l, page(i * 3), FBK_SOURCE_SEA, i, NULL), 1);
		assert_int_equal(fbk_ledger_record(&f.l, page(1), FBK_SOURCE_SEA, 9, NULL), -ENOSPC);
		assert_int_equal(fbk_ledger_lookup(&f.l, page(1), NULL), -ENOENT);
		assert_int_equal(fbk_ledger_pages(&f.l), sizes[k]);
		/* Known pages still count. */
		assert_int_equal(fbk_ledger_record(&f.l, page(0), FBK_SOURCE_SEA, 9, &e), 0);
		assert_int_equal(e.count, 2);
		free(f.storage);
	}
}

static void against_a_plain_array(void **state)
{
	enum { PAGES = 3000, ROUNDS = 200000 };
	struct fixture f = make(PAGES);
	uint32_t *count = calloc(PAGES, sizeof(*count));
	struct fbk_ledger_entry e;
	uint32_t i, cursor = 0, seen = 0, distinct = 0;

	assert_non_null(count);
	srand(1);
	for (i = 0; i < ROUNDS; i++) {
		uint32_t n = (uint32_t)rand() % PAGES;

		assert_int_equal(fbk_ledger_record(&f.l, page(n * 512), FBK_SOURCE_SEA, i * MS, &e), count[n] == 0);
		distinct += count[n] == 0;
		assert_int_equal(e.count, ++count[n]);
	}
	assert_int_equal(fbk_ledger_pages(&f.l), distinct);
	while (fbk_ledger_next(&f.l, &cursor, &e) == 0) {
		assert_int_equal(e.count, count[e.gpa.addr / FBK_PAGE_SIZE / 512]);
		seen++;
	}
	assert_int_equal(seen, distinct);
	free(count);
	free(f.storage);
}

static void counts_stop_at_their_end(void **state)
{
	struct fixture f = make(1);
	struct fbk_ledger_entry e = { 0 };
	uint32_t i;

	for (i = 0; i < FBK_LEDGER_MAX_COUNT + 2; i++)
		assert_true(fbk_ledger_record(&f.l, page(7), FBK_SOURCE_SEA, UINT64_C(40000000) * i, &e) >= 0);
	assert_int_equal(e.count, FBK_LEDGER_MAX_COUNT);
	assert_int_equal(e.last_ns, UINT64_C(40000000) * (FBK_LEDGER_MAX_COUNT + 1));
	free(f.storage);
}

static void thirty_two_bytes_a_page(void **state)
{
	assert_true(fbk_ledger_storage_len(1000000) <= 32 * 1000000 + 24);
	assert_int_equal(fbk_ledger_storage_len(0), 0);
	assert_int_equal(fbk_ledger_storage_len(FBK_LEDGER_MAX_PAGES + 1), 0);
	assert_true(fbk_ledger_storage_len(FBK_LEDGER_MAX_PAGES) > FBK_LEDGER_MAX_PAGES);
}

static void put_as_it_stands_elsewhere(void **state)
{
	static const struct fbk_ledger_entry good = {
		.gpa = { 0x40010000 }, .first_ns = 1000 * MS, .last_ns = 1007 * MS, .count = 3,
		.sources = 1u << FBK_SOURCE_SEA, .state = FBK_PAGE_ISOLATED,
	};
	struct fixture f = make(1);
	struct fbk_ledger_entry e = good, got;
	int row;

	assert_int_equal(fbk_ledger_put(&f.l, &good), 1);
	assert_int_equal(fbk_ledger_lookup(&f.l, good.gpa, &got), 0);
	assert_int_equal(got.first_ns, good.first_ns);
	assert_int_equal(got.last_ns, good.last_ns);
	assert_int_equal(got.count, 3);
	assert_int_equal(got.sources, good.sources);
	assert_int_equal(got.state, FBK_PAGE_ISOLATED);
	e.state = FBK_PAGE_HEALED;
	e.count = 2;
	assert_int_equal(fbk_ledger_put(&f.l, &e), 0);
	assert_int_equal(fbk_ledger_lookup(&f.l, good.gpa, &got), 0);
	assert_int_equal(got.count, 2);
	assert_int_equal(got.state, FBK_PAGE_HEALED);
	e.gpa.addr += FBK_PAGE_SIZE;
	assert_int_equal(fbk_ledger_put(&f.l, &e), -ENOSPC);
	assert_int_equal(fbk_ledger_pages(&f.l), 1);
	for (row = 0; row < 7; row++) {
		e = good;
		e.gpa.addr += row == 0;
		e.count = row == 1 ? 0 : row == 2 ? FBK_LEDGER_MAX_COUNT + 1 : 1;
		e.sources = row == 3 ? 0 : row == 4 ? 0x100 : 1;
		e.state = row == 5 ? (enum fbk_page_state)0 : FBK_PAGE_HEALED;
		e.last_ns = row == 6 ? e.first_ns - 1 : e.first_ns;
		assert_int_equal(fbk_ledger_put(&f.l, &e), -EINVAL);
	}
	assert_int_equal(fbk_ledger_put(&f.l, NULL), -EINVAL);
	assert_int_equal(fbk_ledger_put(NULL, &good), -EINVAL);
	free(f.storage);
}

static void callers_bugs(void **state)
{
	uint64_t storage[12] = { 0 };
	struct fbk_ledger l;
	struct fixture f = make(1);
	struct fbk_ledger_entry e;
	uint32_t cursor = 0;

	assert_int_equal(fbk_ledger_init(&l, NULL, sizeof(storage), 1), -EINVAL);
	assert_int_equal(fbk_ledger_init(&l, storage, sizeof(storage), 0), -EINVAL);
	assert_int_equal(fbk_ledger_init(&l, (char *)storage + 1, sizeof(storage) - 1, 1), -EINVAL);
	assert_int_equal(fbk_ledger_init(&l, storage, fbk_ledger_storage_len(3) - 1, 3), -ENOSPC);
	assert_int_equal(fbk_ledger_record(NULL, page(1), FBK_SOURCE_SEA, 0, NULL), -EINVAL);
	assert_int_equal(fbk_ledger_record(&f.l, page(1), FBK_NR_SOURCES, 0, NULL), -EINVAL);
	assert_int_equal(fbk_ledger_set_state(&f.l, page(1), FBK_PAGE_HEALED), -ENOENT);
	assert_int_equal(fbk_ledger_set_state(&f.l, page(1), (enum fbk_page_state)0), -EINVAL);
	assert_int_equal(fbk_ledger_lookup(NULL, page(1), &e), -EINVAL);
	assert_int_equal(fbk_ledger_next(&f.l, NULL, &e), -EINVAL);
	assert_int_equal(fbk_ledger_next(&f.l, &cursor, &e), -ENOENT);
	assert_int_equal(fbk_ledger_pages(NULL), 0);
	free(f.storage);
}

/* Readers never see a page that is not there, nor an entry without its contents. */
struct race {
	struct fixture f;
	int done;
};

static void *reader(void *arg)
{
	struct race *r = arg;
	struct fbk_ledger_entry e;
	uintptr_t bad = 0;
	uint32_t n = 0;

	while (!__atomic_load_n(&r->done, __ATOMIC_ACQUIRE)) {
		int err = fbk_ledger_lookup(&r->f.l, page(n), &e);

		if (err == 0 && (e.gpa.addr != page(n).addr || e.first_ns != 1000 + n || e.count == 0 || e.state == 0))
			bad++;
		if (err && err != -ENOENT)
			bad++;
		if (fbk_ledger_lookup(&r->f.l, page(1000000 + n), &e) != -ENOENT)
			bad++;
		n = (n + 1) % 20000;
	}
	return (void *)bad;
}

static void readers_need_no_lock(void **state)
{
	struct race r = { .f = make(20000) };
	pthread_t t;
	void *bad;
	uint32_t n;

	assert_int_equal(pthread_create(&t, NULL, reader, &r), 0);
	for (n = 0; n < 20000; n++)
		assert_int_equal(fbk_ledger_record(&r.f.l, page(n), FBK_SOURCE_SEA, 1000 + n, NULL), 1);
	__atomic_store_n(&r.done, 1, __ATOMIC_RELEASE);
	pthread_join(t, &bad);
	assert_null(bad);
	free(r.f.storage);
}

/* The road's own two calls say what the public ones say. */
/* Where a page's frame is does not get lost between its other fields, and a new frame is not the old one. */
static void a_frame_s_life(void **state)
{
	static uint64_t storage[64];
	struct fbk_gpa gpa = { 0x40010000 };
	struct fbk_ledger_entry e;
	struct fbk_ledger l;

	memset(storage, 0, sizeof(storage));
	assert_int_equal(fbk_ledger_init(&l, storage, sizeof(storage), 4), 0);
	assert_int_equal(fbk_ledger_set_frame(&l, gpa, FBK_FRAME_HOST), -ENOENT);
	assert_int_equal(fbk_ledger_set_frame(NULL, gpa, FBK_FRAME_HOST), -EINVAL);
	assert_int_equal(fbk_ledger_record(&l, gpa, FBK_SOURCE_SEA, 5, &e), 1);
	assert_int_equal(e.frame, FBK_FRAME_UNKNOWN);
	assert_int_equal(fbk_ledger_untold(&l, gpa.addr), 1);
	assert_int_equal(fbk_ledger_set_frame(&l, gpa, (enum fbk_frame)3), -EINVAL);
	assert_int_equal(fbk_ledger_set_frame(&l, gpa, FBK_FRAME_PINNED), 0);
	assert_int_equal(fbk_ledger_set_state(&l, gpa, FBK_PAGE_ISOLATED), 0);
	/* Isolated is not yet told, and told not less isolated. */
	assert_int_equal(fbk_ledger_untold(&l, gpa.addr), 1);
	fbk_ledger_reported(&l, gpa);
	assert_int_equal(fbk_ledger_untold(&l, gpa.addr), 0);
	assert_int_equal(fbk_ledger_record(&l, gpa, FBK_SOURCE_SEA, 5 + UINT64_C(7200000000000), &e), 0);
	assert_int_equal(e.frame, FBK_FRAME_PINNED);
	assert_int_equal(e.state, FBK_PAGE_ISOLATED);
	assert_int_equal(e.count, 2);
	assert_int_equal(e.last_ns, 5 + UINT64_C(7200000000000));
	assert_int_equal(fbk_ledger_set_frame(&l, gpa, FBK_FRAME_HOST), 0);
	assert_int_equal(fbk_ledger_lookup(&l, gpa, &e), 0);
	assert_int_equal(e.count, 2);
	assert_int_equal(e.last_ns, 5 + UINT64_C(7200000000000));
	assert_int_equal(fbk_ledger_untold(&l, gpa.addr), 0);
	assert_int_equal(fbk_ledger_set_state(&l, gpa, FBK_PAGE_HEALED), 0);
	assert_int_equal(fbk_ledger_record(&l, gpa, FBK_SOURCE_SEA, 9, &e), 0);
	assert_int_equal(e.state, FBK_PAGE_POISONED);
	assert_int_equal(e.frame, FBK_FRAME_UNKNOWN);
	assert_int_equal(fbk_ledger_untold(&l, gpa.addr), 1);
	e.frame = (enum fbk_frame)3;
	assert_int_equal(fbk_ledger_put(&l, &e), -EINVAL);
}

static void the_road_s_calls(void **state)
{
	uint64_t storage[64];
	uint64_t *slot, *other;
	struct fbk_ledger_entry e;
	struct fbk_ledger l;

	memset(storage, 0, sizeof(storage));
	assert_int_equal(fbk_ledger_init(&l, storage, sizeof(storage), 2), 0);
	assert_int_equal(fbk_ledger_count(&l, 0x1000, FBK_SOURCE_SEA, 5, &slot), FBK_LEDGER_NEW | 1);
	assert_int_equal(fbk_ledger_count(&l, 0x1000, FBK_SOURCE_SIGBUS_AO, 3000005, &other), 1);
	assert_ptr_equal(slot, other);
	assert_int_equal(fbk_ledger_record(&l, (struct fbk_gpa){ 0x1fff }, FBK_SOURCE_SEA, 3000006, &e), 0);
	assert_int_equal(e.count, 2);
	assert_int_equal(e.sources, 1u << FBK_SOURCE_SEA | 1u << FBK_SOURCE_SIGBUS_AO);
	assert_int_equal(e.first_ns, 5);
	assert_int_equal(e.last_ns, 3000005);
	assert_int_equal(fbk_ledger_count(&l, 0x2000, FBK_SOURCE_SEA, 6, &other), FBK_LEDGER_NEW | 1);
	assert_int_equal(fbk_ledger_count(&l, 0x3000, FBK_SOURCE_SEA, 7, &other), 0);
	assert_int_equal(fbk_ledger_pages(&l), 2);

	assert_int_equal(fbk_ledger_slot_untold(slot), 1);
	fbk_ledger_reported(&l, (struct fbk_gpa){ 0x1234 });
	assert_int_equal(fbk_ledger_slot_untold(slot), 0);
	fbk_ledger_reported(&l, (struct fbk_gpa){ 0x3000 }); /* not in it, and stays out */
	assert_int_equal(fbk_ledger_lookup(&l, (struct fbk_gpa){ 0x1000 }, &e), 0);
	assert_int_equal(e.state, FBK_PAGE_REPORTED);
	assert_int_equal(e.count, 2);
	assert_int_equal(fbk_ledger_lookup(&l, (struct fbk_gpa){ 0x3000 }, NULL), -ENOENT);
	assert_int_equal(fbk_ledger_set_state(&l, (struct fbk_gpa){ 0x1000 }, FBK_PAGE_ISOLATED), 0);
	fbk_ledger_reported(&l, (struct fbk_gpa){ 0x1000 });
	assert_int_equal(fbk_ledger_lookup(&l, (struct fbk_gpa){ 0x1000 }, &e), 0);
	assert_int_equal(e.state, FBK_PAGE_ISOLATED);
	/* By its slot: a page that the caller calls poisoned once more was acknowledged all the same. */
	assert_int_equal(fbk_ledger_set_state(&l, (struct fbk_gpa){ 0x1000 }, FBK_PAGE_POISONED), 0);
	fbk_ledger_slot_reported(&l, slot);
	assert_int_equal(fbk_ledger_lookup(&l, (struct fbk_gpa){ 0x1000 }, &e), 0);
	assert_int_equal(e.state, FBK_PAGE_REPORTED);
	assert_int_equal(fbk_ledger_set_state(&l, (struct fbk_gpa){ 0x1000 }, FBK_PAGE_HEALED), 0);
	fbk_ledger_slot_reported(&l, slot);
	assert_int_equal(fbk_ledger_lookup(&l, (struct fbk_gpa){ 0x1000 }, &e), 0);
	assert_int_equal(e.state, FBK_PAGE_HEALED);
}

/* Every way in which a page becomes healed, or ceases to be. */
static void healed_pages_are_not_lost(void **state)
{
	struct fixture f = make(8);
	struct fbk_ledger_entry e;
	uint64_t *slot;
	uint32_t i;

	assert_int_equal(fbk_ledger_lost(NULL), 0);
	assert_int_equal(fbk_ledger_lost(&f.l), 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(fbk_ledger_record(&f.l, page(i), FBK_SOURCE_SEA, i, &e), 1);
	assert_int_equal(fbk_ledger_record(&f.l, page(0), FBK_SOURCE_SEA, i, &e), 0);
	assert_int_equal(fbk_ledger_lost(&f.l), 4);
	assert_int_equal(fbk_ledger_set_state(&f.l, page(1), FBK_PAGE_HEALED), 0);
	assert_int_equal(fbk_ledger_set_state(&f.l, page(1), FBK_PAGE_HEALED), 0);
	assert_int_equal(fbk_ledger_set_state(&f.l, page(9), FBK_PAGE_HEALED), -ENOENT);
	assert_int_equal(fbk_ledger_lost(&f.l), 3);
	assert_int_equal(fbk_ledger_set_state(&f.l, page(2), FBK_PAGE_ISOLATED), 0);
	fbk_ledger_reported(&f.l, page(3));
	assert_int_equal(fbk_ledger_lost(&f.l), 3);
	/* It fails again. */
	assert_int_equal(fbk_ledger_count(&f.l, page(1).addr, FBK_SOURCE_SEA, 9, &slot), 2);
	assert_int_equal(fbk_ledger_lost(&f.l), 4);
	/* As another ledger has it. */
	e = (struct fbk_ledger_entry){ .gpa = page(7), .count = 1, .sources = 1, .state = FBK_PAGE_HEALED };
	assert_int_equal(fbk_ledger_put(&f.l, &e), 1);
	assert_int_equal(fbk_ledger_lost(&f.l), 4);
	e.gpa = page(3);
	assert_int_equal(fbk_ledger_put(&f.l, &e), 0);
	assert_int_equal(fbk_ledger_lost(&f.l), 3);
	e.state = FBK_PAGE_REPORTED;
	assert_int_equal(fbk_ledger_put(&f.l, &e), 0);
	assert_int_equal(fbk_ledger_lost(&f.l), 4);
	assert_int_equal(fbk_ledger_pages(&f.l), 5);
	free(f.storage);
}

/* Who has been told of what, through the lives of the page and of the guest. */
/* Whatever happens to pages, in whatever order: each state has as many as a walk finds. */
static void counted_as_they_change(void **state)
{
	enum { PAGES = 100, NAMES = 130, ROUNDS = 200000 };
	struct fixture f = make(PAGES);
	uint64_t got;
	uint32_t i, cursor;
	int changed, full = 0;

	srand(4);
	for (i = 0; i < ROUNDS; i++) {
		struct fbk_gpa gpa = page((uint32_t)rand() % NAMES * 512);
		enum fbk_page_state to = (enum fbk_page_state)(FBK_PAGE_POISONED + rand() % 4);
		struct fbk_ledger_entry e = { .gpa = gpa, .first_ns = 1, .last_ns = 1, .count = 1, .sources = 1, .state = to };
		uint32_t nr[FBK_PAGE_HEALED + 1] = { 0 }, s;

		switch (rand() % 100) {
		case 0 ... 29:
			full += fbk_ledger_record(&f.l, gpa, (enum fbk_source)(rand() % FBK_NR_SOURCES), i, NULL) == -ENOSPC;
			break;
		case 30 ... 54:
			(void)!fbk_ledger_set_state(&f.l, gpa, to);
			break;
		case 55 ... 69:
			fbk_ledger_reported(&f.l, gpa);
			break;
		case 70 ... 79:
			(void)!fbk_ledger_set_frame(&f.l, gpa, (enum fbk_frame)(rand() % 3));
			break;
		case 80 ... 97:
			full += fbk_ledger_put(&f.l, &e) == -ENOSPC;
			break;
		case 98:
			for (cursor = 0; fbk_ledger_next_forget(&f.l, &cursor, &got, &changed) == 0;)
				;
			break;
		default:
			/* From nothing again, so that pages go on to be new. */
			if (rand() % 4)
				break;
			free(f.storage);
			f = make(PAGES);
		}
		for (cursor = 0; fbk_ledger_next(&f.l, &cursor, &e) == 0;)
			nr[e.state]++;
		for (s = FBK_PAGE_POISONED; s <= FBK_PAGE_HEALED; s++) {
			assert_int_equal(fbk_ledger_in_state(&f.l, (enum fbk_page_state)s), nr[s]);
			nr[0] += nr[s];
		}
		assert_int_equal(fbk_ledger_pages(&f.l), nr[0]);
		assert_int_equal(fbk_ledger_lost(&f.l), nr[0] - nr[FBK_PAGE_HEALED]);
	}
	assert_true(full > 100);
	free(f.storage);
}

static void told_and_untold(void **state)
{
	struct fixture f = make(100);
	struct fbk_ledger_entry e;
	uint32_t cursor = 0, n, nr = 0, rounds;
	uint64_t got;
	int changed, r;

	assert_int_equal(fbk_ledger_untold(&f.l, 0x5000), 1); /* not in it */
	for (n = 0; n < 100; n++)
		assert_int_equal(fbk_ledger_record(&f.l, page(n), FBK_SOURCE_SEA, 1, NULL), 1);
	for (n = 0; n < 50; n++)
		fbk_ledger_reported(&f.l, page(n));
	for (n = 40; n < 60; n++)
		assert_int_equal(fbk_ledger_set_state(&f.l, page(n), FBK_PAGE_ISOLATED), 0);
	assert_int_equal(fbk_ledger_untold(&f.l, page(0).addr), 0);
	assert_int_equal(fbk_ledger_untold(&f.l, page(45).addr), 0); /* told, then isolated */
	assert_int_equal(fbk_ledger_untold(&f.l, page(55).addr), 1); /* isolated, not told */
	fbk_ledger_reported(&f.l, page(55));
	assert_int_equal(fbk_ledger_untold(&f.l, page(55).addr), 0);
	assert_int_equal(fbk_ledger_lookup(&f.l, page(55), &e), 0);
	assert_int_equal(e.state, FBK_PAGE_ISOLATED);
	assert_int_equal(fbk_ledger_set_state(&f.l, page(99), FBK_PAGE_HEALED), 0);
	assert_int_equal(fbk_ledger_untold(&f.l, page(99).addr), 0); /* good */
	fbk_ledger_reported(&f.l, page(99));			     /* too late */
	assert_int_equal(fbk_ledger_record(&f.l, page(99), FBK_SOURCE_SEA, 2, NULL), 0);
	assert_int_equal(fbk_ledger_untold(&f.l, page(99).addr), 1); /* bad again */
	assert_int_equal(fbk_ledger_set_state(&f.l, page(99), FBK_PAGE_HEALED), 0);

	/* Seven slots at a time: all of them come, once. */
	for (rounds = 0; (r = fbk_ledger_next_untold(&f.l, &cursor, 7, &got)) >= 0; rounds++) {
		assert_in_range(rounds, 0, 200);
		if (!r)
			continue;
		assert_int_equal(fbk_ledger_untold(&f.l, got), 1);
		nr++;
	}
	assert_int_equal(r, -ENOENT);
	assert_int_equal(nr, 48); /* 50 to 98 without 55 */

	/* A new guest. */
	for (cursor = nr = 0; fbk_ledger_next_forget(&f.l, &cursor, &got, &changed) == 0; nr++) {
		assert_int_equal(changed, got < page(40).addr);
		assert_int_equal(fbk_ledger_untold(&f.l, got), 1);
	}
	assert_int_equal(nr, 99);
	assert_int_equal(fbk_ledger_lookup(&f.l, page(3), &e), 0);
	assert_int_equal(e.state, FBK_PAGE_POISONED);
	assert_int_equal(fbk_ledger_lookup(&f.l, page(45), &e), 0);
	assert_int_equal(e.state, FBK_PAGE_ISOLATED);
	assert_int_equal(fbk_ledger_untold(&f.l, page(99).addr), 0);
	free(f.storage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_s_life),
		cmocka_unit_test(page_zero_and_the_last_page),
		cmocka_unit_test(full_means_enospc_and_nothing_else),
		cmocka_unit_test(healed_pages_are_not_lost),
		cmocka_unit_test(against_a_plain_array),
		cmocka_unit_test(counts_stop_at_their_end),
		cmocka_unit_test(thirty_two_bytes_a_page),
		cmocka_unit_test(put_as_it_stands_elsewhere),
		cmocka_unit_test(callers_bugs),
		cmocka_unit_test(readers_need_no_lock),
		cmocka_unit_test(a_frame_s_life),
		cmocka_unit_test(the_road_s_calls),
		cmocka_unit_test(told_and_untold),
		cmocka_unit_test(counted_as_they_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
