/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * journal.c - see journal.h
 */
#include "journal.h"

#include "crc32c.h"
#include "cursor.h"
#include "ledger_road.h"

#include <errno.h>
#include <string.h>

#define CRC_AT (FBK_JOURNAL_SLOT_LEN - 4)
#define TAG 0x31524246 /* "FBR1" */

static const uint8_t magic[8] = { 'F', 'B', 'K', 'L', 'E', 'D', 'G', '\n' };

static int all_zeros(const uint8_t *p, size_t len)
{
	while (len--)
		if (*p++)
			return 0;
	return 1;
}

static void seal(uint8_t *buf)
{
	fbk_put_le32(buf + CRC_AT, fbk_crc32c(buf, CRC_AT));
}

static int sealed(const uint8_t *buf)
{
	return fbk_get_le32(buf + CRC_AT) == fbk_crc32c(buf, CRC_AT);
}

void fbk_journal_put_header(uint8_t *buf, const struct fbk_journal_header *h)
{
	memset(buf, 0, FBK_JOURNAL_SLOT_LEN);
	memcpy(buf, magic, sizeof(magic));
	fbk_put_le32(buf + 8, FBK_JOURNAL_VERSION);
	fbk_put_le32(buf + 12, FBK_JOURNAL_SLOT_LEN);
	memcpy(buf + 16, h->id, sizeof(h->id));
	fbk_put_le64(buf + 32, h->epoch);
	fbk_put_le64(buf + 40, h->first_seq);
	seal(buf);
}

void fbk_journal_put_record(uint8_t *buf, uint64_t epoch, uint64_t seq, const struct fbk_ledger_entry *e)
{
	memset(buf, 0, FBK_JOURNAL_SLOT_LEN);
	fbk_put_le32(buf, TAG);
	fbk_put_le32(buf + 4, e->state);
	fbk_put_le64(buf + 8, epoch);
	fbk_put_le64(buf + 16, seq);
	fbk_put_le64(buf + 24, e->gpa.addr);
	fbk_put_le64(buf + 32, e->first_ns);
	fbk_put_le64(buf + 40, e->last_ns);
	fbk_put_le32(buf + 48, e->count);
	fbk_put_le32(buf + 52, e->sources);
	fbk_put_le32(buf + 56, e->frame);
	seal(buf);
}

static enum fbk_journal_header_state take_header(struct fbk_journal *j, const uint8_t *buf, size_t len)
{
	if (memcmp(buf, magic, len < sizeof(magic) ? len : sizeof(magic)))
		return FBK_JOURNAL_HEADER_FOREIGN;
	if (len < FBK_JOURNAL_SLOT_LEN || !sealed(buf))
		return FBK_JOURNAL_HEADER_DAMAGED;
	j->version = fbk_get_le32(buf + 8);
	if (j->version > FBK_JOURNAL_VERSION)
		return FBK_JOURNAL_HEADER_NEWER;
	if (j->version < FBK_JOURNAL_OLDEST || fbk_get_le32(buf + 12) != FBK_JOURNAL_SLOT_LEN || !all_zeros(buf + 48, CRC_AT - 48))
		return FBK_JOURNAL_HEADER_DAMAGED;
	memcpy(j->header.id, buf + 16, sizeof(j->header.id));
	j->header.epoch = fbk_get_le64(buf + 32);
	j->header.first_seq = fbk_get_le64(buf + 40);
	j->based = 1;
	return FBK_JOURNAL_HEADER_WHOLE;
}

static int get_record(const uint8_t *buf, size_t len, uint32_t version, uint64_t *epoch, uint64_t *seq,
		      struct fbk_ledger_entry *e)
{
	if (len < FBK_JOURNAL_SLOT_LEN || fbk_get_le32(buf) != TAG || !sealed(buf))
		return 0;
	if (version == FBK_JOURNAL_OLDEST && !all_zeros(buf + 56, 4))
		return 0;
	*epoch = fbk_get_le64(buf + 8);
	*seq = fbk_get_le64(buf + 16);
	*e = (struct fbk_ledger_entry){
		.gpa = { fbk_get_le64(buf + 24) },
		.first_ns = fbk_get_le64(buf + 32),
		.last_ns = fbk_get_le64(buf + 40),
		.count = fbk_get_le32(buf + 48),
		.sources = fbk_get_le32(buf + 52),
		.state = (enum fbk_page_state)fbk_get_le32(buf + 4),
		.frame = (enum fbk_frame)fbk_get_le32(buf + 56),
	};
	/* A checksum that fits does not make sense of nonsense. */
	return fbk_ledger_entry_possible(e);
}

void fbk_journal_begin(struct fbk_journal *j)
{
	*j = (struct fbk_journal){ .damage_offset = FBK_JOURNAL_NONE };
}

static void damage(struct fbk_journal *j, uint64_t slot, uint64_t slots)
{
	if (j->damage_offset == FBK_JOURNAL_NONE)
		j->damage_offset = slot * FBK_JOURNAL_SLOT_LEN;
	j->damaged += slots;
}

enum fbk_journal_slot fbk_journal_next(struct fbk_journal *j, const uint8_t *buf, size_t len, struct fbk_ledger_entry *ret)
{
	uint64_t slot = j->slots++, epoch, seq;
	struct fbk_ledger_entry e;

	if (slot == 0) {
		j->used = 1;
		j->header_state = take_header(j, buf, len);
		if (j->header_state == FBK_JOURNAL_HEADER_WHOLE)
			return FBK_JOURNAL_HEADER;
		damage(j, 0, 1);
		return FBK_JOURNAL_DAMAGED;
	}
	if (all_zeros(buf, len)) {
		j->free_run++;
		return FBK_JOURNAL_FREE;
	}
	/* A hole before something that was written is none of ours. */
	if (j->free_run)
		damage(j, slot - j->free_run, j->free_run);
	j->free_run = 0;
	j->used = slot + 1;
	if (get_record(buf, len, j->version, &epoch, &seq, &e)) {
		if (!j->based) {
			j->header.epoch = epoch;
			j->header.first_seq = seq - (slot - 1);
			j->based = 1;
		}
		if (epoch == j->header.epoch && seq == j->header.first_seq + (slot - 1)) {
			j->records++;
			*ret = e;
			return FBK_JOURNAL_RECORD;
		}
	}
	damage(j, slot, 1);
	return FBK_JOURNAL_DAMAGED;
}

enum fbk_ledger_damage_kind fbk_journal_damage_kind(const struct fbk_journal *j, const uint8_t *buf, size_t len)
{
	struct fbk_ledger_entry e;
	uint64_t epoch, seq;

	if (j->slots == 1)
		return FBK_LEDGER_DAMAGE_HEADER;
	if (len < FBK_JOURNAL_SLOT_LEN)
		return FBK_LEDGER_DAMAGE_CUT;
	if (fbk_get_le32(buf) != TAG)
		return FBK_LEDGER_DAMAGE_FOREIGN;
	if (!sealed(buf))
		return FBK_LEDGER_DAMAGE_CHECKSUM;
	return get_record(buf, len, j->version, &epoch, &seq, &e) ? FBK_LEDGER_DAMAGE_MISPLACED : FBK_LEDGER_DAMAGE_NONSENSE;
}

int fbk_journal_verdict(const struct fbk_journal *j)
{
	switch (j->header_state) {
	case FBK_JOURNAL_HEADER_NONE:
	case FBK_JOURNAL_HEADER_WHOLE:
		return 0;
	case FBK_JOURNAL_HEADER_NEWER:
		return -EPROTONOSUPPORT;
	case FBK_JOURNAL_HEADER_DAMAGED:
		/* Alone it was never more than begun. With something behind it that is no record, it may be anybody's. */
		return j->records || j->used == 1 ? 0 : -EBADMSG;
	default:
		return j->records ? 0 : -EBADMSG;
	}
}

void fbk_journal_merge(struct fbk_ledger_entry *e, const struct fbk_ledger_entry *later)
{
	e->state = later->state;
	e->frame = later->frame;
	e->sources |= later->sources;
	if (later->count > e->count)
		e->count = later->count;
	if (later->first_ns < e->first_ns)
		e->first_ns = later->first_ns;
	if (later->last_ns > e->last_ns)
		e->last_ns = later->last_ns;
}
