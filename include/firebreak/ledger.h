/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ledger.h - the set of poisoned guest pages: source, count, first and last time, state.
 *
 * Pages are only ever added; a healed page keeps its entry with the state saying so. One writer at a time (the
 * caller's lock); readers need no lock and may be signal handlers. 32 bytes a page.
 */
#ifndef FIREBREAK_LEDGER_H
#define FIREBREAK_LEDGER_H

#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FBK_LEDGER_MAX_PAGES (1u << 28)	      /* 1 TiB of bad memory */
#define FBK_LEDGER_MAX_COUNT ((1u << 24) - 1) /* counts stop here */

enum fbk_page_state {
	FBK_PAGE_POISONED = 1, /* known; the guest, since it was last reset, has not acknowledged a record of it */
	FBK_PAGE_REPORTED = 2, /* the guest has acknowledged a record of it */
	FBK_PAGE_ISOLATED = 3, /* out of the guest's and the monitor's reach */
	FBK_PAGE_HEALED = 4,   /* a good page stands in its place */
};

/* Where the bad frame is that stood under the page. Of a healed page: the one that was bad. */
enum fbk_frame {
	FBK_FRAME_UNKNOWN = 0, /* not said: under the page still, or of an earlier monitor */
	FBK_FRAME_PINNED = 1,  /* this process holds it, where nobody reads it: not good memory for as long as it lives */
	FBK_FRAME_HOST = 2,    /* the host's kernel has taken it out of use */
};

/* One page, as handed out. */
struct fbk_ledger_entry {
	struct fbk_gpa gpa;	  /* page-aligned */
	uint64_t first_ns;	  /* CLOCK_REALTIME of the first error, nanoseconds */
	uint64_t last_ns;	  /* of the latest, rounded down to whole milliseconds after the first */
	uint32_t count;		  /* errors on this page, see fbk_ledger_record(); stops at FBK_LEDGER_MAX_COUNT */
	uint32_t sources;	  /* bit (1u << enum fbk_source) for each source that named it */
	enum fbk_page_state state;
	enum fbk_frame frame;
};

/* Storage is the caller's. The fields are the library's. */
struct fbk_ledger {
	uint64_t *slots;
	uint32_t nr_slots;
	uint32_t max_pages;
	uint32_t nr_state[FBK_PAGE_HEALED + 1]; /* pages in each state; [0]: room for so many more */
};

/**
 * fbk_ledger_storage_len - bytes of storage for a ledger of so many pages
 *
 * Return:  the length; 0 when max_pages is 0 or more than FBK_LEDGER_MAX_PAGES.
 */
FBK_API size_t fbk_ledger_storage_len(uint32_t max_pages);

/**
 * fbk_ledger_init - an empty ledger in the caller's storage
 * @l:       the ledger
 * @storage: zero-filled, 8-byte aligned (borrowed until the ledger is no longer used; never touched here)
 * @len:     at least fbk_ledger_storage_len(max_pages)
 *
 * Return:  0.
 * Errors:  -EINVAL null, misaligned, or max_pages out of range; -ENOSPC len is too small.
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_init(struct fbk_ledger *l, void *storage, size_t len, uint32_t max_pages);

/**
 * fbk_ledger_record - note one report of an error on the page that holds gpa
 * @now_ns: CLOCK_REALTIME, nanoseconds
 * @ret:    the page's entry after this report; may be NULL
 *
 * One error may be reported by several sources. So it is the first report that counts, and each later one by a source that
 * had named the page before; a source that names it for the first time is noted, with the time, and the count stays.
 *
 * A healed page that fails again is poisoned again, on a frame that nothing is known of, and that counts whoever reports it.
 *
 * Return:  1 the page is new, 0 it was known.
 * Errors:  -EINVAL; -ENOSPC a new page, and max_pages are there already.
 * Context: one writer at a time; async-signal-safe; does not allocate.
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_record(struct fbk_ledger *l, struct fbk_gpa gpa, enum fbk_source source,
					     uint64_t now_ns, struct fbk_ledger_entry *ret);

/**
 * fbk_ledger_set_state - the page's life goes on
 *
 * Return:  0.
 * Errors:  -EINVAL no such state; -ENOENT no such page.
 * Context: one writer at a time; async-signal-safe.
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_set_state(struct fbk_ledger *l, struct fbk_gpa gpa, enum fbk_page_state state);

/**
 * fbk_ledger_set_frame - where the page's bad frame is now
 *
 * Return:  0.
 * Errors:  -EINVAL no such place; -ENOENT no such page.
 * Context: one writer at a time; async-signal-safe.
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_set_frame(struct fbk_ledger *l, struct fbk_gpa gpa, enum fbk_frame frame);

/**
 * fbk_ledger_put - enter a page as it stands in another ledger, or in a file
 * @e: gpa page-aligned, count not 0, at least one source (copied)
 *
 * What is known of the page already is overwritten. last_ns is kept to the millisecond after first_ns.
 *
 * Return:  1 the page is new, 0 it was known.
 * Errors:  -EINVAL null, or no entry that a ledger could hold; -ENOSPC a new page, and max_pages are there already.
 * Context: one writer at a time; async-signal-safe; does not allocate.
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_put(struct fbk_ledger *l, const struct fbk_ledger_entry *e);

/**
 * fbk_ledger_lookup - is the page that holds gpa known?
 * @ret: its entry; may be NULL
 *
 * Beside a writer each field is whole and either before or after the change.
 *
 * Return:  0.
 * Errors:  -EINVAL; -ENOENT no error was ever recorded there.
 * Context: any thread at any time; lock-free; async-signal-safe.
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_lookup(const struct fbk_ledger *l, struct fbk_gpa gpa,
					     struct fbk_ledger_entry *ret);

/**
 * fbk_ledger_next - walk all pages, in no particular order
 * @cursor: 0 before the first call; advanced on success
 *
 * Return:  0.
 * Errors:  -EINVAL; -ENOENT no more.
 * Context: as fbk_ledger_lookup().
 */
FBK_API FBK_MUST_CHECK int fbk_ledger_next(const struct fbk_ledger *l, uint32_t *cursor, struct fbk_ledger_entry *ret);

/* How many pages are in the ledger. Context: as fbk_ledger_lookup(). */
FBK_API uint32_t fbk_ledger_pages(const struct fbk_ledger *l);

/* How many of them are lost: all but the healed ones. Context: as fbk_ledger_lookup(). */
FBK_API uint32_t fbk_ledger_lost(const struct fbk_ledger *l);

/* One stable word, as in events; "invalid" outside the enumeration. */
FBK_API const char *fbk_page_state_name(enum fbk_page_state state);
FBK_API const char *fbk_frame_name(enum fbk_frame frame);

FBK_EXTERN_C_END

#endif
