/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * journal.h - the ledger as bytes: a header, then one record for each change of a page. docs/formats/ledger.md.
 *
 * Pure: the bytes come from and go to somebody else. A file is read slot by slot, so that damage costs the slots that it
 * touched and no others.
 */
#ifndef FBK_CORE_JOURNAL_H
#define FBK_CORE_JOURNAL_H

#include <firebreak/ledger.h>
#include <firebreak/ledger_file.h>

#define FBK_JOURNAL_SLOT_LEN 64 /* of the header and of each record: none lies across a disk's sectors */
#define FBK_JOURNAL_ID_LEN 16
#define FBK_JOURNAL_VERSION 2 /* what is written */
#define FBK_JOURNAL_OLDEST 1  /* what is read: the same without the frame */
#define FBK_JOURNAL_NONE UINT64_MAX

struct fbk_journal_header {
	uint8_t id[FBK_JOURNAL_ID_LEN]; /* whose ledger; zeros: not said */
	uint64_t epoch;			/* one value a file; in each of its records, too */
	uint64_t first_seq;		/* of the record behind the header; the n-th behind that has n more */
};

/* @buf: FBK_JOURNAL_SLOT_LEN bytes, all of them written. */
void fbk_journal_put_header(uint8_t *buf, const struct fbk_journal_header *h);
void fbk_journal_put_record(uint8_t *buf, uint64_t epoch, uint64_t seq, const struct fbk_ledger_entry *e);

/* What a slot is. */
enum fbk_journal_slot {
	FBK_JOURNAL_HEADER,  /* ours, and whole */
	FBK_JOURNAL_RECORD,  /* likewise; *ret is what it says */
	FBK_JOURNAL_FREE,    /* zeros: not written yet, unless something follows */
	FBK_JOURNAL_DAMAGED, /* anything else */
};

/* One reading of one file, from its first byte to its last. */
struct fbk_journal {
	struct fbk_journal_header header;
	uint32_t header_state;	/* enum fbk_journal_header_state */
	uint32_t version;	/* of a header that is whole */
	uint64_t slots;		/* read so far, the header's included */
	uint64_t used;		/* of these, up to the last one that is not free */
	uint64_t records;	/* whole ones */
	uint64_t damaged;	/* slots */
	uint64_t damage_offset; /* of the first; FBK_JOURNAL_NONE */
	uint64_t free_run;	/* free slots since the last one that was not */
	uint64_t based;		/* header.epoch and first_seq are known */
};

enum fbk_journal_header_state {
	FBK_JOURNAL_HEADER_NONE,    /* nothing was read */
	FBK_JOURNAL_HEADER_WHOLE,
	FBK_JOURNAL_HEADER_DAMAGED, /* begins like one of ours */
	FBK_JOURNAL_HEADER_NEWER,   /* whole, and of a version that is not known here */
	FBK_JOURNAL_HEADER_FOREIGN, /* does not begin like one of ours */
};

void fbk_journal_begin(struct fbk_journal *j);

/*
 * The next slot. @len: FBK_JOURNAL_SLOT_LEN, or less at the end of the file. @ret: only with FBK_JOURNAL_RECORD.
 *
 * A damaged header does not lose the records: the first whole one then says what the others must agree with.
 */
enum fbk_journal_slot fbk_journal_next(struct fbk_journal *j, const uint8_t *buf, size_t len, struct fbk_ledger_entry *ret);

/* Why the slot that was read last is FBK_JOURNAL_DAMAGED. @buf, @len: the same again. */
enum fbk_ledger_damage_kind fbk_journal_damage_kind(const struct fbk_journal *j, const uint8_t *buf, size_t len);

/*
 * Whether the file that was read may be taken for a ledger of ours.
 *
 * Return:  0; what is damaged is in j->damaged.
 * Errors:  -EPROTONOSUPPORT a newer version; -EBADMSG no ledger: neither its header nor any record says so.
 */
int fbk_journal_verdict(const struct fbk_journal *j);

/* What a later record says of the same page: counts and times never go back, state and frame are the later ones. */
void fbk_journal_merge(struct fbk_ledger_entry *e, const struct fbk_ledger_entry *later);

#endif
