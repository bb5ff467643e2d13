/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ledger.c - the set of poisoned guest pages, in the caller's storage.
 *
 * Open addressing with linear probing over slots (ledger_slot.h), filled to three quarters at most: 32 bytes a page.
 */
#include "ledger_road.h"

#include <errno.h>

#define FRAME_MASK 3

_Static_assert(FBK_NR_SOURCES <= FBK_SLOT_SOURCE_BITS, "one bit a source");
_Static_assert(FBK_PAGE_HEALED <= FBK_SLOT_STATES, "a state fits");
_Static_assert((FBK_SLOT_STATES << FBK_SLOT_SOURCE_BITS) < FBK_SLOT_TOLD && FBK_SLOT_TOLD < FBK_PAGE_SIZE, "all of it fits below the page address");
_Static_assert(!(FBK_LEDGER_NEW & FBK_LEDGER_MAX_COUNT), "a flag beside the count");
_Static_assert(FBK_LEDGER_MAX_COUNT == (1u << FBK_SLOT_COUNT_BITS) - 1, "count field");

static uint32_t slots_for(uint32_t max_pages)
{
	/* One more than the quarter: at least one slot stays empty and ends every probe. */
	return max_pages + max_pages / 3 + 1;
}

size_t fbk_ledger_storage_len(uint32_t max_pages)
{
	if (max_pages == 0 || max_pages > FBK_LEDGER_MAX_PAGES)
		return 0;
	return (size_t)slots_for(max_pages) * FBK_SLOT_WORDS * sizeof(uint64_t);
}

int fbk_ledger_init(struct fbk_ledger *l, void *storage, size_t len, uint32_t max_pages)
{
	size_t need = fbk_ledger_storage_len(max_pages);

	if (!l || !storage || need == 0 || (uintptr_t)storage % sizeof(uint64_t))
		return -EINVAL;
	if (len < need)
		return -ENOSPC;
	*l = (struct fbk_ledger){
		.slots = storage,
		.nr_slots = slots_for(max_pages),
		.max_pages = max_pages,
		.nr_state = { max_pages },
	};
	return 0;
}

static enum fbk_frame frame_of(uint64_t last)
{
	return (enum fbk_frame)((last >> FBK_SLOT_COUNT_BITS) & FRAME_MASK);
}

static void unpack(const uint64_t *s, uint64_t key, struct fbk_ledger_entry *ret)
{
	uint64_t last = __atomic_load_n(&s[2], __ATOMIC_RELAXED);
	uint64_t first = __atomic_load_n(&s[1], __ATOMIC_RELAXED);

	ret->gpa.addr = key & FBK_PAGE_MASK;
	ret->first_ns = first;
	ret->last_ns = first + (last >> FBK_SLOT_MS_SHIFT) * 1000000;
	ret->count = (uint32_t)last & FBK_LEDGER_MAX_COUNT;
	ret->sources = (uint32_t)key & FBK_SLOT_SOURCES;
	ret->state = (enum fbk_page_state)fbk_slot_state(key);
	ret->frame = frame_of(last);
}

static uint64_t pack_key(uint64_t page, enum fbk_page_state state, uint64_t sources)
{
	return page | (uint64_t)state << FBK_SLOT_SOURCE_BITS | (state == FBK_PAGE_REPORTED ? FBK_SLOT_TOLD : 0) | sources;
}

static uint64_t pack_last(uint64_t ms, enum fbk_frame frame, uint32_t count)
{
	return ms << FBK_SLOT_MS_SHIFT | (uint64_t)frame << FBK_SLOT_COUNT_BITS | count;
}

/* The one way in which a slot's first word changes, an empty one's too: so that pages are counted by state. */
static void store_key(struct fbk_ledger *l, uint64_t *s, uint64_t key)
{
	uint32_t *from = &l->nr_state[fbk_slot_state(s[0])], *to = &l->nr_state[fbk_slot_state(key)];

	__atomic_store_n(&s[0], key, __ATOMIC_RELEASE);
	if (from == to)
		return;
	__atomic_store_n(to, *to + 1, __ATOMIC_RELAXED);
	__atomic_store_n(from, *from - 1, __ATOMIC_RELAXED);
}

static uint32_t add(struct fbk_ledger *l, uint64_t *s, uint64_t page, enum fbk_source source, uint64_t now_ns)
{
	if (!l->nr_state[0])
		return 0;
	__atomic_store_n(&s[1], now_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&s[2], 1, __ATOMIC_RELAXED);
	store_key(l, s, pack_key(page, FBK_PAGE_POISONED, 1u << source));
	return FBK_LEDGER_NEW | 1;
}

static int healed(uint64_t key)
{
	return fbk_slot_state(key) == FBK_PAGE_HEALED;
}

/* The page was good meanwhile: another frame is bad now. */
static void relapse(struct fbk_ledger *l, uint64_t *s, uint64_t source)
{
	uint64_t last = s[2];

	__atomic_store_n(&s[2], pack_last(last >> FBK_SLOT_MS_SHIFT, FBK_FRAME_UNKNOWN, (uint32_t)last & FBK_LEDGER_MAX_COUNT), __ATOMIC_RELAXED);
	store_key(l, s, pack_key(s[0] & FBK_PAGE_MASK, FBK_PAGE_POISONED, s[0] & FBK_SLOT_SOURCES) | source);
}

/* One more report of a page that is there. Return: how many those are. */
static uint32_t again(struct fbk_ledger *l, uint64_t *s, uint64_t source, uint64_t now_ns)
{
	if (healed(s[0]))
		relapse(l, s, source);
	if (s[0] & source)
		return fbk_slot_again(s, now_ns);
	/* A source that has not named this page yet tells of the error that is known already. */
	store_key(l, s, s[0] | source);
	return fbk_slot_latest(s, s[2], now_ns);
}

uint32_t fbk_ledger_count_otherwise(struct fbk_ledger *l, uint64_t *slot, uint64_t page, enum fbk_source source, uint64_t now_ns)
{
	return slot[0] ? again(l, slot, UINT64_C(1) << source, now_ns) : add(l, slot, page, source, now_ns);
}

int fbk_ledger_record(struct fbk_ledger *l, struct fbk_gpa gpa, enum fbk_source source, uint64_t now_ns,
		      struct fbk_ledger_entry *ret)
{
	uint32_t count;
	uint64_t *s;

	if (!l || (uint32_t)source >= FBK_NR_SOURCES)
		return -EINVAL;
	count = fbk_ledger_count(l, gpa.addr & FBK_PAGE_MASK, source, now_ns, &s);
	if (!count)
		return -ENOSPC;
	if (ret)
		unpack(s, s[0], ret);
	return !!(count & FBK_LEDGER_NEW);
}

int fbk_ledger_set_state(struct fbk_ledger *l, struct fbk_gpa gpa, enum fbk_page_state state)
{
	uint64_t page = gpa.addr & FBK_PAGE_MASK;
	uint64_t *s;

	if (!l || state < FBK_PAGE_POISONED || state > FBK_PAGE_HEALED)
		return -EINVAL;
	s = fbk_slot_find(l, page);
	if (s[0] == 0)
		return -ENOENT;
	store_key(l, s, pack_key(page, state, s[0] & (state == FBK_PAGE_HEALED ? FBK_SLOT_SOURCES : FBK_SLOT_SOURCES | FBK_SLOT_TOLD)));
	return 0;
}

int fbk_ledger_set_frame(struct fbk_ledger *l, struct fbk_gpa gpa, enum fbk_frame frame)
{
	uint64_t *s;

	if (!l || (uint32_t)frame > FBK_FRAME_HOST)
		return -EINVAL;
	s = fbk_slot_find(l, gpa.addr & FBK_PAGE_MASK);
	if (s[0] == 0)
		return -ENOENT;
	__atomic_store_n(&s[2], pack_last(s[2] >> FBK_SLOT_MS_SHIFT, frame, (uint32_t)s[2] & FBK_LEDGER_MAX_COUNT), __ATOMIC_RELAXED);
	return 0;
}

void fbk_ledger_slot_acknowledge(struct fbk_ledger *l, uint64_t *slot)
{
	uint32_t state = fbk_slot_state(*slot);

	if (*slot == 0 || state == FBK_PAGE_HEALED)
		return;
	if (state == FBK_PAGE_POISONED)
		state = FBK_PAGE_REPORTED;
	store_key(l, slot, pack_key(*slot & FBK_PAGE_MASK, (enum fbk_page_state)state, *slot & FBK_SLOT_SOURCES) | FBK_SLOT_TOLD);
}

void fbk_ledger_reported(struct fbk_ledger *l, struct fbk_gpa gpa)
{
	fbk_ledger_slot_reported(l, fbk_slot_find(l, gpa.addr & FBK_PAGE_MASK));
}

void fbk_ledger_tell_not(struct fbk_ledger *l, uint64_t page)
{
	uint64_t *s = fbk_slot_find(l, page);

	if (s[0] && fbk_slot_state(s[0]) != FBK_PAGE_HEALED)
		store_key(l, s, s[0] | FBK_SLOT_TOLD);
}

int fbk_ledger_slot_untold(const uint64_t *slot)
{
	uint64_t key = __atomic_load_n(slot, __ATOMIC_ACQUIRE);

	return !(key & FBK_SLOT_TOLD) && fbk_slot_state(key) != FBK_PAGE_HEALED;
}

int fbk_ledger_untold(const struct fbk_ledger *l, uint64_t page)
{
	return fbk_ledger_slot_untold(fbk_slot_find(l, page));
}

int fbk_ledger_next_untold(const struct fbk_ledger *l, uint32_t *cursor, uint32_t max_slots, uint64_t *ret_page)
{
	uint32_t end = l->nr_slots - *cursor > max_slots ? *cursor + max_slots : l->nr_slots, i;

	for (i = *cursor; i < end; i++) {
		uint64_t key = fbk_slot_at(l, i)[0];

		if (key && !(key & FBK_SLOT_TOLD) && fbk_slot_state(key) != FBK_PAGE_HEALED) {
			*cursor = i + 1;
			*ret_page = key & FBK_PAGE_MASK;
			return 1;
		}
	}
	*cursor = end;
	return end < l->nr_slots ? 0 : -ENOENT;
}

int fbk_ledger_next_forget(struct fbk_ledger *l, uint32_t *cursor, uint64_t *ret_page, int *ret_changed)
{
	while (*cursor < l->nr_slots) {
		uint64_t *s = fbk_slot_at(l, (*cursor)++);
		enum fbk_page_state state = (enum fbk_page_state)fbk_slot_state(s[0]);

		if (s[0] == 0 || state == FBK_PAGE_HEALED)
			continue;
		*ret_page = s[0] & FBK_PAGE_MASK;
		*ret_changed = state == FBK_PAGE_REPORTED;
		store_key(l, s, pack_key(*ret_page, *ret_changed ? FBK_PAGE_POISONED : state, s[0] & FBK_SLOT_SOURCES));
		return 0;
	}
	return -ENOENT;
}

int fbk_ledger_entry_possible(const struct fbk_ledger_entry *e)
{
	return !(e->gpa.addr & ~FBK_PAGE_MASK) && e->state >= FBK_PAGE_POISONED && e->state <= FBK_PAGE_HEALED && e->count &&
	       e->count <= FBK_LEDGER_MAX_COUNT && e->sources && !(e->sources & ~FBK_SLOT_SOURCES) && e->last_ns >= e->first_ns &&
	       (uint32_t)e->frame <= FBK_FRAME_HOST;
}

int fbk_ledger_put(struct fbk_ledger *l, const struct fbk_ledger_entry *e)
{
	uint64_t *s, ms;
	int added;

	if (!l || !e || !fbk_ledger_entry_possible(e))
		return -EINVAL;
	s = fbk_slot_find(l, e->gpa.addr);
	added = s[0] == 0;
	if (added && !l->nr_state[0])
		return -ENOSPC;
	ms = (e->last_ns - e->first_ns) / 1000000;
	if (ms > FBK_SLOT_MS_MAX)
		ms = FBK_SLOT_MS_MAX;
	__atomic_store_n(&s[1], e->first_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&s[2], pack_last(ms, e->frame, e->count), __ATOMIC_RELAXED);
	store_key(l, s, pack_key(e->gpa.addr, e->state, e->sources));
	return added;
}

int fbk_ledger_lookup(const struct fbk_ledger *l, struct fbk_gpa gpa, struct fbk_ledger_entry *ret)
{
	const uint64_t *s;
	uint64_t key;

	if (!l)
		return -EINVAL;
	s = fbk_slot_find(l, gpa.addr & FBK_PAGE_MASK);
	key = __atomic_load_n(&s[0], __ATOMIC_ACQUIRE);
	/* An empty slot that another page took meanwhile: ours was not there when we looked. */
	if (key == 0 || (key & FBK_PAGE_MASK) != (gpa.addr & FBK_PAGE_MASK))
		return -ENOENT;
	if (ret)
		unpack(s, key, ret);
	return 0;
}

int fbk_ledger_next(const struct fbk_ledger *l, uint32_t *cursor, struct fbk_ledger_entry *ret)
{
	uint32_t i;

	if (!l || !cursor || !ret)
		return -EINVAL;
	for (i = *cursor; i < l->nr_slots; i++) {
		const uint64_t *s = fbk_slot_at(l, i);
		uint64_t key = __atomic_load_n(&s[0], __ATOMIC_ACQUIRE);

		if (key) {
			unpack(s, key, ret);
			*cursor = i + 1;
			return 0;
		}
	}
	return -ENOENT;
}

uint32_t fbk_ledger_in_state(const struct fbk_ledger *l, enum fbk_page_state state)
{
	return __atomic_load_n(&l->nr_state[state], __ATOMIC_RELAXED);
}

uint32_t fbk_ledger_pages(const struct fbk_ledger *l)
{
	return l ? l->max_pages - __atomic_load_n(&l->nr_state[0], __ATOMIC_RELAXED) : 0;
}

uint32_t fbk_ledger_lost(const struct fbk_ledger *l)
{
	/* Beside a writer the two may be of different moments, but never a negative number of pages. */
	uint32_t nr = l ? fbk_ledger_in_state(l, FBK_PAGE_HEALED) : 0, all = fbk_ledger_pages(l);

	return all > nr ? all - nr : 0;
}

const char *fbk_page_state_name(enum fbk_page_state state)
{
	switch (state) {
	case FBK_PAGE_POISONED:
		return "poisoned";
	case FBK_PAGE_REPORTED:
		return "reported";
	case FBK_PAGE_ISOLATED:
		return "isolated";
	case FBK_PAGE_HEALED:
		return "healed";
	}
	return "invalid";
}

const char *fbk_frame_name(enum fbk_frame frame)
{
	switch (frame) {
	case FBK_FRAME_UNKNOWN:
		return "unknown";
	case FBK_FRAME_PINNED:
		return "pinned";
	case FBK_FRAME_HOST:
		return "host";
	}
	return "invalid";
}
