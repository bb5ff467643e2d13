/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ledger_road.h - what the library asks of the ledger beside the public calls, most of it while a vCPU waits: no more than
 * it needs.
 */
#ifndef FBK_CORE_LEDGER_ROAD_H
#define FBK_CORE_LEDGER_ROAD_H

#include "ledger_slot.h"

#define FBK_LEDGER_NEW (UINT32_C(1) << 31)

/* fbk_ledger_count() of a page that is new, healed, or not known from this source. */
uint32_t fbk_ledger_count_otherwise(struct fbk_ledger *l, uint64_t *slot, uint64_t page, enum fbk_source source, uint64_t now_ns);

/*
 * fbk_ledger_record() for callers that only count.
 *
 * @page: page-aligned
 * @ret_slot: where the ledger has the page, for good; of no use to others, and none where 0 is returned
 * Return: errors on the page so far; with FBK_LEDGER_NEW the page is new. 0: it would be new and the ledger is full.
 */
static inline uint32_t fbk_ledger_count(struct fbk_ledger *l, uint64_t page, enum fbk_source source, uint64_t now_ns,
					uint64_t **ret_slot)
{
	uint64_t *s = fbk_slot_find(l, page);

	*ret_slot = s;
	if ((s[0] >> source & 1) && fbk_slot_state(s[0]) != FBK_PAGE_HEALED)
		return fbk_slot_again(s, now_ns);
	return fbk_ledger_count_otherwise(l, s, page, source, now_ns);
}

/* Whether a ledger could hold it: what a file or a caller says of a page need not make sense. */
int fbk_ledger_entry_possible(const struct fbk_ledger_entry *e);

/*
 * The guest acknowledged a record of the page: in this life of the guest and of the page it need not be told again. Poisoned
 * becomes reported, isolated stays what it is; a page that is healed, or not in the ledger (it may have been full), is none
 * of this.
 */
void fbk_ledger_reported(struct fbk_ledger *l, struct fbk_gpa gpa);

/* fbk_ledger_slot_reported(), where there may be something to change. */
void fbk_ledger_slot_acknowledge(struct fbk_ledger *l, uint64_t *slot);

/* The same of a page whose slot is known. */
static inline void fbk_ledger_slot_reported(struct fbk_ledger *l, uint64_t *slot)
{
	if (!(*slot & FBK_SLOT_TOLD) || fbk_slot_state(*slot) == FBK_PAGE_POISONED)
		fbk_ledger_slot_acknowledge(l, slot);
}

/* In this life of the guest and of the page it need not be told, though nobody acknowledged anything. With the writer's lock. */
void fbk_ledger_tell_not(struct fbk_ledger *l, uint64_t page);

/*
 * Whether this guest has still to be told of the page: it is bad and no record of it was acknowledged. A page that is not
 * in the ledger counts. Any thread; lock-free; those below with the writer's lock.
 */
int fbk_ledger_untold(const struct fbk_ledger *l, uint64_t page);

/* The same of a page whose slot is known. */
int fbk_ledger_slot_untold(const uint64_t *slot);

/*
 * The next page of which that is true, looking at a bounded number of slots from *cursor on, which is 0 at first.
 *
 * Return: 1 there is one; 0 not in these slots, go on.
 * Errors: -ENOENT no more.
 */
int fbk_ledger_next_untold(const struct fbk_ledger *l, uint32_t *cursor, uint32_t max_slots, uint64_t *ret_page);

/*
 * A new guest knows of nothing: the next page that is bad is to be told again, and no longer reported but poisoned.
 *
 * Return: 0; *ret_changed: its state did change.
 * Errors: -ENOENT no more.
 */
int fbk_ledger_next_forget(struct fbk_ledger *l, uint32_t *cursor, uint64_t *ret_page, int *ret_changed);

/* How many pages are in a state. Any thread; lock-free: beside a writer the one page that changes may be in two, or in none. */
uint32_t fbk_ledger_in_state(const struct fbk_ledger *l, enum fbk_page_state state);

#endif
