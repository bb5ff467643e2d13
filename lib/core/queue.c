/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * queue.c - pages the guest has still to be told of: a bounded ring of page ranges, oldest first.
 */
#include "queue.h"

#include <errno.h>

void fbk_queue_init(struct fbk_queue *q, struct fbk_range *ring, uint32_t cap)
{
	*q = (struct fbk_queue){ .ring = ring, .cap = cap };
}

static struct fbk_range *at(const struct fbk_queue *q, uint32_t i)
{
	uint64_t n = (uint64_t)q->head + i;

	return &q->ring[n < q->cap ? n : n - q->cap];
}

static uint64_t end_of(const struct fbk_range *r)
{
	return r->page + r->nr_pages * FBK_PAGE_SIZE;
}

static void delete(struct fbk_queue *q, uint32_t i)
{
	for (; i + 1 < q->nr; i++)
		*at(q, i) = *at(q, i + 1);
	q->nr--;
}

int fbk_queue_push(struct fbk_queue *q, uint64_t page, uint32_t nr_pages)
{
	struct fbk_range u = { .page = page & FBK_PAGE_MASK, .nr_pages = nr_pages };
	uint32_t place = UINT32_MAX;
	uint64_t known = 0;
	uint32_t i = 0;

	while (i < q->nr) {
		const struct fbk_range *r = at(q, i);
		uint64_t start, end;

		if (i == place || r->page > end_of(&u) || u.page > end_of(r)) {
			i++;
			continue;
		}
		known += r->nr_pages;
		start = r->page < u.page ? r->page : u.page;
		end = end_of(r) > end_of(&u) ? end_of(r) : end_of(&u);
		u.page = start;
		u.nr_pages = (end - start) / FBK_PAGE_SIZE;
		/* The union keeps the older place; having grown it may touch what was passed already. */
		if (place == UINT32_MAX) {
			place = i;
		} else {
			uint32_t gone = i > place ? i : place;

			place = i < place ? i : place;
			delete(q, gone);
		}
		i = 0;
	}

	if (place == UINT32_MAX) {
		if (q->nr == q->cap)
			return -ENOSPC;
		place = q->nr++;
	}
	*at(q, place) = u;
	return (int)(u.nr_pages - known);
}

uint32_t fbk_queue_peek(const struct fbk_queue *q, struct fbk_gpa *pages, uint32_t max)
{
	uint32_t n = 0, i;

	for (i = 0; i < q->nr && n < max; i++) {
		const struct fbk_range *r = at(q, i);
		uint64_t k;

		for (k = 0; k < r->nr_pages && n < max; k++)
			pages[n++].addr = r->page + k * FBK_PAGE_SIZE;
	}
	return n;
}

void fbk_queue_drop(struct fbk_queue *q, uint32_t nr)
{
	while (nr && q->nr) {
		struct fbk_range *r = at(q, 0);

		if (r->nr_pages > nr) {
			r->page += nr * FBK_PAGE_SIZE;
			r->nr_pages -= nr;
			return;
		}
		nr -= (uint32_t)r->nr_pages;
		q->head = q->head + 1 < q->cap ? q->head + 1 : 0;
		q->nr--;
	}
}

static uint32_t find(const struct fbk_queue *q, uint64_t page)
{
	uint32_t i;

	for (i = 0; i < q->nr; i++) {
		const struct fbk_range *r = at(q, i);

		if (page >= r->page && page < end_of(r))
			break;
	}
	return i;
}

uint64_t fbk_queue_pages(const struct fbk_queue *q)
{
	uint64_t pages = 0;
	uint32_t i;

	for (i = 0; i < q->nr; i++)
		pages += at(q, i)->nr_pages;
	return pages;
}

int fbk_queue_has(const struct fbk_queue *q, uint64_t page)
{
	return find(q, page & FBK_PAGE_MASK) < q->nr;
}

int fbk_queue_remove(struct fbk_queue *q, uint64_t page)
{
	struct fbk_range *r, tail;
	uint32_t i;

	page &= FBK_PAGE_MASK;
	i = find(q, page);
	if (i == q->nr)
		return 0;
	r = at(q, i);

	tail.page = page + FBK_PAGE_SIZE;
	tail.nr_pages = (end_of(r) - tail.page) / FBK_PAGE_SIZE;
	if (r->page == page) {
		*r = tail;
	} else if (tail.nr_pages == 0) {
		r->nr_pages--;
	} else {
		if (q->nr == q->cap)
			return 0;
		r->nr_pages = (page - r->page) / FBK_PAGE_SIZE;
		*at(q, q->nr++) = tail;
	}
	if (at(q, i)->nr_pages == 0)
		delete(q, i);
	return 1;
}
