/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_queue.c - the set of page ranges against a plain list of pages.
 */
#include "test.h"

#include "core/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define P(n) ((uint64_t)(n) * FBK_PAGE_SIZE)

static void order_and_merging(void **state)
{
	struct fbk_range ring[4];
	struct fbk_gpa out[16];
	struct fbk_queue q;

	fbk_queue_init(&q, ring, 4);
	assert_int_equal(fbk_queue_push(&q, P(10), 1), 1);
	assert_int_equal(fbk_queue_push(&q, P(20) + 5, 1), 1);
	assert_int_equal(fbk_queue_push(&q, P(10), 1), 0);  /* known */
	assert_int_equal(fbk_queue_push(&q, P(11), 1), 1);  /* touches the first */
	assert_int_equal(q.nr, 2);
	assert_int_equal(fbk_queue_push(&q, P(9), 13), 10); /* covers both: 9 to 21 */
	assert_int_equal(q.nr, 1);
	assert_int_equal(fbk_queue_peek(&q, out, 16), 13);
	assert_int_equal(out[0].addr, P(9));
	assert_int_equal(out[12].addr, P(21));
	fbk_queue_drop(&q, 5);
	assert_int_equal(fbk_queue_peek(&q, out, 16), 8);
	assert_int_equal(out[0].addr, P(14));
	fbk_queue_drop(&q, 100);
	assert_int_equal(q.nr, 0);
	assert_int_equal(fbk_queue_peek(&q, out, 16), 0);
}

static void full_is_enospc_but_merging_goes_on(void **state)
{
	struct fbk_range ring[3];
	struct fbk_queue q;

	fbk_queue_init(&q, ring, 3);
	assert_int_equal(fbk_queue_push(&q, P(0), 1), 1);
	assert_int_equal(fbk_queue_push(&q, P(10), 1), 1);
	assert_int_equal(fbk_queue_push(&q, P(20), 1), 1);
	assert_int_equal(fbk_queue_push(&q, P(30), 1), -ENOSPC);
	assert_false(fbk_queue_has(&q, P(30)));
	assert_int_equal(fbk_queue_push(&q, P(21), 1), 1);
	assert_true(fbk_queue_has(&q, P(21)));
	/* No room to split a range: the page stays. */
	assert_int_equal(fbk_queue_push(&q, P(22), 1), 1);
	assert_int_equal(fbk_queue_remove(&q, P(21)), 0);
	assert_true(fbk_queue_has(&q, P(21)));
	assert_int_equal(fbk_queue_remove(&q, P(0)), 1);
	assert_int_equal(fbk_queue_remove(&q, P(21)), 1);
	assert_false(fbk_queue_has(&q, P(21)));
	assert_true(fbk_queue_has(&q, P(20)));
	assert_true(fbk_queue_has(&q, P(22)));
	assert_int_equal(fbk_queue_remove(&q, P(99)), 0);
}

/* The turn goes round: who comes late with a low address does not keep the others waiting. */
static void whose_turn(void **state)
{
	struct fbk_range range[3];
	struct fbk_gpa out[8];
	struct fbk_queue q;

	fbk_queue_init(&q, range, 3);
	assert_int_equal(fbk_queue_push(&q, P(10), 4), 4);
	assert_int_equal(fbk_queue_push(&q, P(50), 1), 1);
	fbk_queue_drop(&q, 1);
	assert_int_equal(fbk_queue_push(&q, P(10), 1), 1);
	assert_int_equal(fbk_queue_peek(&q, out, 8), 5);
	assert_int_equal(out[0].addr, P(11));
	assert_int_equal(out[3].addr, P(50));
	assert_int_equal(out[4].addr, P(10));
	fbk_queue_drop(&q, 2); /* out of the middle */
	assert_int_equal(q.nr, 3);
	assert_true(fbk_queue_has(&q, P(10)) && fbk_queue_has(&q, P(13)) && !fbk_queue_has(&q, P(12)));
	/* No room for what would be left on both sides: the range is begun from its start. */
	assert_int_equal(fbk_queue_push(&q, P(12), 1), 1);
	assert_int_equal(fbk_queue_push(&q, P(11), 1), 1);
	assert_int_equal(fbk_queue_push(&q, P(20), 1), 1);
	q.turn = 12;
	assert_int_equal(fbk_queue_peek(&q, out, 8), 6);
	assert_int_equal(out[0].addr, P(10));
	fbk_queue_drop(&q, 6);
	assert_int_equal(q.nr, 0);
	/* The last page that there is. */
	assert_int_equal(fbk_queue_push(&q, UINT64_MAX, 1), 1);
	assert_int_equal(fbk_queue_push(&q, UINT64_MAX, 1), 0);
	assert_int_equal(fbk_queue_push(&q, P(0), 1), 1);
	assert_true(fbk_queue_has(&q, UINT64_MAX));
	assert_int_equal(fbk_queue_remove(&q, UINT64_MAX), 1);
	assert_int_equal(fbk_queue_remove(&q, UINT64_MAX), 0);
}

/* Membership after any mixture of operations is that of a set. */
static void against_a_set(void **state)
{
	enum { PAGES = 64, CAP = 40 };
	struct fbk_range ring[CAP];
	struct fbk_gpa out[PAGES];
	struct fbk_queue q;
	char set[PAGES] = { 0 };
	uint32_t round, i, n, size = 0, k;

	srand(7);
	fbk_queue_init(&q, ring, CAP);
	for (round = 0; round < 200000; round++) {
		uint32_t page = (uint32_t)rand() % PAGES, len = 1 + (uint32_t)rand() % 4;
		int grown, want = 0;

		if (page + len > PAGES)
			len = PAGES - page;
		switch (rand() % 4) {
		case 0:
		case 1:
			for (i = page; i < page + len; i++)
				want += !set[i];
			grown = fbk_queue_push(&q, P(page), len);
			assert_int_equal(grown, want); /* 40 ranges always hold 64 pages */
			memset(set + page, 1, len);
			size += (uint32_t)want;
			break;
		case 2:
			assert_int_equal(fbk_queue_remove(&q, P(page)), set[page]);
			size -= (uint32_t)set[page];
			set[page] = 0;
			break;
		case 3:
			n = fbk_queue_peek(&q, out, 1 + (uint32_t)rand() % 3);
			for (k = 0; k < n; k++) {
				assert_int_equal(set[out[k].addr / FBK_PAGE_SIZE], 1);
				set[out[k].addr / FBK_PAGE_SIZE] = 0;
			}
			fbk_queue_drop(&q, n);
			size -= n;
			break;
		}
		assert_int_equal(fbk_queue_peek(&q, out, PAGES), size);
		assert_int_equal(fbk_queue_has(&q, P(page)), set[page]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_merging),
		cmocka_unit_test(full_is_enospc_but_merging_goes_on),
		cmocka_unit_test(whose_turn),
		cmocka_unit_test(against_a_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
