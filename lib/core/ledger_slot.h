/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ledger_slot.h - the ledger's slots, and what the road does with one while a vCPU waits.
 *
 * Three words each. Slots are never emptied, so that a reader needs no lock: a probe that meets an empty slot has seen all
 * there was.
 *
 *   word 0  page address | told << 11 | state << SOURCE_BITS | sources     (0: empty; state is never 0)
 *   word 1  first_ns
 *   word 2  milliseconds from first to last << MS_SHIFT | frame << COUNT_BITS | count
 *
 * "told" is the guest's acknowledgement, which has to be known of an isolated page, too.
 *
 * Each word changes in one atomic store; word 0 of a new page is stored last and releases the others.
 */
#ifndef FBK_CORE_LEDGER_SLOT_H
#define FBK_CORE_LEDGER_SLOT_H

#include <firebreak/ledger.h>

#define FBK_SLOT_WORDS 3
#define FBK_SLOT_SOURCE_BITS 8
#define FBK_SLOT_SOURCES ((1u << FBK_SLOT_SOURCE_BITS) - 1)
#define FBK_SLOT_STATES 0x7
#define FBK_SLOT_TOLD (UINT64_C(1) << 11)
#define FBK_SLOT_COUNT_BITS 24
#define FBK_SLOT_MS_SHIFT (FBK_SLOT_COUNT_BITS + 2)
#define FBK_SLOT_MS_MAX ((UINT64_C(1) << (64 - FBK_SLOT_MS_SHIFT)) - 1) /* eight years */

static inline uint64_t *fbk_slot_at(const struct fbk_ledger *l, uint32_t i)
{
	return l->slots + (size_t)i * FBK_SLOT_WORDS;
}

/* The slot that holds the page, or the empty one where it would go. */
static inline uint64_t *fbk_slot_find(const struct fbk_ledger *l, uint64_t page)
{
	uint32_t hash = (uint32_t)(((page >> FBK_PAGE_SHIFT) * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
	uint32_t i = (uint32_t)(((uint64_t)hash * l->nr_slots) >> 32);

	for (;;) {
		uint64_t *s = fbk_slot_at(l, i);
		uint64_t key = __atomic_load_n(&s[0], __ATOMIC_ACQUIRE);

		if (key == 0 || (key & FBK_PAGE_MASK) == page)
			return s;
		if (++i == l->nr_slots)
			i = 0;
	}
}

static inline uint32_t fbk_slot_state(uint64_t key)
{
	return (uint32_t)(key >> FBK_SLOT_SOURCE_BITS) & FBK_SLOT_STATES;
}

/* Word 2 with this count becomes @last, of now. Return: the count. */
static inline uint32_t fbk_slot_latest(uint64_t *s, uint64_t last, uint64_t now_ns)
{
	/* A clock that was set back does not shorten the page's history. */
	uint64_t ms = now_ns > s[1] ? (now_ns - s[1]) / 1000000 : 0;

	if (ms > FBK_SLOT_MS_MAX)
		ms = FBK_SLOT_MS_MAX;
	if (ms > last >> FBK_SLOT_MS_SHIFT)
		last = ms << FBK_SLOT_MS_SHIFT | (last & ((UINT64_C(1) << FBK_SLOT_MS_SHIFT) - 1));
	__atomic_store_n(&s[2], last, __ATOMIC_RELAXED);
	return (uint32_t)last & FBK_LEDGER_MAX_COUNT;
}

/* One more report of a page by a source that has named it before. Return: how many those are. */
static inline uint32_t fbk_slot_again(uint64_t *s, uint64_t now_ns)
{
	uint64_t last = s[2];

	if ((last & FBK_LEDGER_MAX_COUNT) < FBK_LEDGER_MAX_COUNT)
		last++;
	return fbk_slot_latest(s, last, now_ns);
}

#endif
