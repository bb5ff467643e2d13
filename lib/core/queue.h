/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * queue.h - pages the guest has still to be told of: a bounded set of page ranges, whose turn goes round by address.
 */
#ifndef FBK_CORE_QUEUE_H
#define FBK_CORE_QUEUE_H

#include <firebreak/types.h>

struct fbk_range {
	uint64_t page; /* GPA of the first, page-aligned */
	uint64_t nr_pages;
};

struct fbk_queue {
	struct fbk_range *range; /* caller's storage; ascending, none touches another */
	uint32_t cap;
	uint32_t nr;
	uint64_t turn; /* page number from which the next one is taken */
};

void fbk_queue_init(struct fbk_queue *q, struct fbk_range *range, uint32_t cap);

/*
 * Pages that are queued already are not queued twice; touching ranges become one.
 *
 * Return: how many pages the queue grew by. Errors: -ENOSPC no room for another range (nothing was queued).
 */
int fbk_queue_push(struct fbk_queue *q, uint64_t page, uint32_t nr_pages);

/* Copies up to max pages whose turn is next. Return: how many. */
uint32_t fbk_queue_peek(const struct fbk_queue *q, struct fbk_gpa *pages, uint32_t max);

/* Drops nr pages: those that fbk_queue_peek() shows first. */
void fbk_queue_drop(struct fbk_queue *q, uint32_t nr);

/* Takes one page out, if there is room for what is left. Return: 1 it was there and is not any more, else 0. */
int fbk_queue_remove(struct fbk_queue *q, uint64_t page);

/* How many pages wait. */
uint64_t fbk_queue_pages(const struct fbk_queue *q);

int fbk_queue_has(const struct fbk_queue *q, uint64_t page);

#endif
