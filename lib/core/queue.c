/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * queue.c - pages the guest has still to be told of: a bounded set of page ranges, by address.
 *
 * No two ranges touch, so that a page is found by halving. What comes in or goes moves the ranges behind it, 16 bytes each.
 */
#include "queue.h"

#include <errno.h>
#include <string.h>

void fbk_queue_init(struct fbk_queue *q, struct fbk_range *range, uint32_t cap)
{
	*q = (struct fbk_queue){ .range = range, .cap = cap };
}

/* In page numbers, so that the last page of all has an end, too. */
static uint64_t start_of(const struct fbk_range *r)
{
	return r->page >> FBK_PAGE_SHIFT;
}

static uint64_t end_of(const struct fbk_range *r)
{
	return start_of(r) + r->nr_pages;
}

static struct fbk_range between(uint64_t start, uint64_t end)
{
	return (struct fbk_range){ .page = start << FBK_PAGE_SHIFT, .nr_pages = end - start };
}

/* The first range that ends at page number n or behind it; q->nr: none does. */
static uint32_t first_to(const struct fbk_queue *q, uint64_t n)
{
	uint32_t low = 0, high = q->nr;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (end_of(&q->range[mid]) < n)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Puts nr ranges in the place of old ones; what they are is the caller's. Room was made sure of. */
static void replace(struct fbk_queue *q, uint32_t at, uint32_t old, uint32_t nr)
{
	if (old != nr)
		memmove(&q->range[at + nr], &q->range[at + old], (q->nr - at - old) * sizeof(*q->range));
	q->nr = q->nr - old + nr;
}

int fbk_queue_push(struct fbk_queue *q, uint64_t page, uint32_t nr_pages)
{
	uint64_t start = page >> FBK_PAGE_SHIFT, end = start + nr_pages, known = 0;
	uint32_t at = first_to(q, start), nr;

	for (nr = 0; at + nr < q->nr && start_of(&q->range[at + nr]) <= end; nr++)
		known += q->range[at + nr].nr_pages;
	if (nr == 0 && q->nr == q->cap)
		return -ENOSPC;
	if (nr && start_of(&q->range[at]) < start)
		start = start_of(&q->range[at]);
	if (nr && end_of(&q->range[at + nr - 1]) > end)
		end = end_of(&q->range[at + nr - 1]);
	replace(q, at, nr, 1);
	q->range[at] = between(start, end);
	return (int)(end - start - known);
}

/*
 * Where the turn is: a page number, and the range that holds it. The turn goes through the addresses round and round, so
 * that none is passed over for long. Only with no room for another range is one not begun in its middle.
 */
static uint64_t turn(const struct fbk_queue *q, uint32_t *ret_i)
{
	uint64_t n = q->turn;
	uint32_t i = first_to(q, n + 1);

	if (i == q->nr)
		i = n = 0;
	*ret_i = i;
	return start_of(&q->range[i]) > n || q->nr == q->cap ? start_of(&q->range[i]) : n;
}

uint32_t fbk_queue_peek(const struct fbk_queue *q, struct fbk_gpa *pages, uint32_t max)
{
	uint32_t n = 0, i, k;
	uint64_t start, from;

	if (q->nr == 0)
		return 0;
	start = turn(q, &i);
	for (k = i, from = start; k < q->nr && n < max; k++)
		for (from = k == i ? start : start_of(&q->range[k]); from < end_of(&q->range[k]) && n < max; from++)
			pages[n++].addr = from << FBK_PAGE_SHIFT;
	for (k = 0; k <= i && n < max; k++)
		for (from = start_of(&q->range[k]); from < end_of(&q->range[k]) && from < start && n < max; from++)
			pages[n++].addr = from << FBK_PAGE_SHIFT;
	return n;
}

/* Takes pages out of one range, if there is room for what is left. Return: 1 done, else 0. */
static int cut(struct fbk_queue *q, uint32_t i, uint64_t start, uint64_t end)
{
	struct fbk_range before = between(start_of(&q->range[i]), start), behind = between(end, end_of(&q->range[i]));
	uint32_t nr = (before.nr_pages != 0) + (behind.nr_pages != 0);

	if (nr == 2 && q->nr == q->cap)
		return 0;
	replace(q, i, 1, nr);
	if (before.nr_pages)
		q->range[i++] = before;
	if (behind.nr_pages)
		q->range[i] = behind;
	return 1;
}

void fbk_queue_drop(struct fbk_queue *q, uint32_t nr)
{
	while (nr && q->nr) {
		uint32_t i;
		uint64_t start = turn(q, &i), end = end_of(&q->range[i]);

		if (end - start > nr)
			end = start + nr;
		nr -= (uint32_t)(end - start);
		(void)cut(q, i, start, end);
		q->turn = end;
	}
}

/* The range that holds page number n; q->nr: none does. */
static uint32_t find(const struct fbk_queue *q, uint64_t n)
{
	uint32_t i = first_to(q, n + 1);

	return i < q->nr && start_of(&q->range[i]) <= n ? i : q->nr;
}

uint64_t fbk_queue_pages(const struct fbk_queue *q)
{
	uint64_t pages = 0;
	uint32_t i;

	for (i = 0; i < q->nr; i++)
		pages += q->range[i].nr_pages;
	return pages;
}

int fbk_queue_has(const struct fbk_queue *q, uint64_t page)
{
	return find(q, page >> FBK_PAGE_SHIFT) < q->nr;
}

int fbk_queue_remove(struct fbk_queue *q, uint64_t page)
{
	uint64_t n = page >> FBK_PAGE_SHIFT;
	uint32_t i = find(q, n);

	return i < q->nr && cut(q, i, n, n + 1);
}
