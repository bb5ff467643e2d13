/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_journal.c - the ledger's bytes: as documented, and nothing else is taken for them.
 */
#include "test.h"

#include "core/crc32c.h"
#include "core/journal.h"

#include <errno.h>
#include <string.h>

static const struct fbk_journal_header header = {
	.id = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 }, .epoch = 0x1122334455667788, .first_seq = 5
};

static const struct fbk_ledger_entry entry = {
	.gpa = { 0x40010000 }, .first_ns = 0x0102030405060708, .last_ns = 0x0102030405060809, .count = 3,
	.sources = 0x5, .state = FBK_PAGE_REPORTED, .frame = FBK_FRAME_PINNED,
};

static void the_checksum_is_castagnoli_s(void **state)
{
	static const uint8_t zeros[32];

	/* RFC 3720, B.4 */
	assert_int_equal(fbk_crc32c(zeros, sizeof(zeros)), 0x8a9136aa);
	assert_int_equal(fbk_crc32c("123456789", 9), 0xe3069283);
	assert_int_equal(fbk_crc32c("", 0), 0);
}

static void bytes_as_documented(void **state)
{
	/* docs/formats/ledger.md, field by field. */
	static const uint8_t head[60] = { 'F', 'B', 'K', 'L', 'E', 'D', 'G', '\n', 2, 0, 0, 0, 64, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
					  9, 10, 11, 12, 13, 14, 15, 16, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 5 };
	static const uint8_t rec[60] = { 'F', 'B', 'R', '1', 2, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
					 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x40, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1,
					 9, 8, 6, 5, 4, 3, 2, 1, 3, 0, 0, 0, 5, 0, 0, 0, 1 };
	uint8_t buf[FBK_JOURNAL_SLOT_LEN];
	uint32_t crc;

	memset(buf, 0xaa, sizeof(buf));
	fbk_journal_put_header(buf, &header);
	assert_memory_equal(buf, head, sizeof(head));
	crc = fbk_crc32c(head, sizeof(head));
	assert_int_equal(buf[60] | buf[61] << 8 | buf[62] << 16 | (uint32_t)buf[63] << 24, crc);
	memset(buf, 0xaa, sizeof(buf));
	fbk_journal_put_record(buf, header.epoch, 9, &entry);
	assert_memory_equal(buf, rec, sizeof(rec));
	crc = fbk_crc32c(rec, sizeof(rec));
	assert_int_equal(buf[60] | buf[61] << 8 | buf[62] << 16 | (uint32_t)buf[63] << 24, crc);
}

#define RECORDS 3

/* A header and three records, the second of them about another page. */
static void sample(uint8_t (*slot)[FBK_JOURNAL_SLOT_LEN])
{
	struct fbk_ledger_entry e = entry;
	int i;

	fbk_journal_put_header(slot[0], &header);
	for (i = 0; i < RECORDS; i++) {
		e.gpa.addr = entry.gpa.addr + (i == 1) * FBK_PAGE_SIZE;
		fbk_journal_put_record(slot[1 + i], header.epoch, header.first_seq + (uint64_t)i, &e);
	}
}

static struct fbk_journal read_slots(uint8_t (*slot)[FBK_JOURNAL_SLOT_LEN], int nr, uint32_t *ret_good)
{
	struct fbk_ledger_entry e;
	struct fbk_journal j;
	int i;

	*ret_good = 0;
	fbk_journal_begin(&j);
	for (i = 0; i < nr; i++) {
		if (fbk_journal_next(&j, slot[i], FBK_JOURNAL_SLOT_LEN, &e) != FBK_JOURNAL_RECORD)
			continue;
		*ret_good |= 1u << i;
		assert_int_equal(e.gpa.addr, entry.gpa.addr + (i == 2) * FBK_PAGE_SIZE);
		assert_int_equal(e.count, 3);
		assert_int_equal(e.state, FBK_PAGE_REPORTED);
		assert_int_equal(e.frame, *(const uint32_t *)(slot[i] + 56));
		assert_int_equal(e.first_ns, entry.first_ns);
		assert_int_equal(e.last_ns, entry.last_ns);
	}
	return j;
}

static void what_was_written_is_read(void **state)
{
	uint8_t slot[2 + RECORDS][FBK_JOURNAL_SLOT_LEN] = { 0 };
	struct fbk_journal j;
	uint32_t good;

	sample(slot);
	j = read_slots(slot, 2 + RECORDS, &good);
	assert_int_equal(good, 0xe);
	assert_int_equal(fbk_journal_verdict(&j), 0);
	assert_int_equal(j.records, RECORDS);
	assert_int_equal(j.used, 1 + RECORDS);
	assert_int_equal(j.damaged, 0);
	assert_true(j.damage_offset == FBK_JOURNAL_NONE);
	assert_memory_equal(j.header.id, header.id, sizeof(header.id));
}

static void mend(uint8_t *slot)
{
	uint32_t crc = fbk_crc32c(slot, FBK_JOURNAL_SLOT_LEN - 4);

	memcpy(slot + FBK_JOURNAL_SLOT_LEN - 4, &crc, 4);
}

/* Version 1 had zeros where the frame is. */
static void an_older_file_is_read(void **state)
{
	uint8_t slot[1 + RECORDS][FBK_JOURNAL_SLOT_LEN] __attribute__((aligned(8)));
	struct fbk_journal j;
	uint32_t good, i;

	sample(slot);
	slot[0][8] = 1;
	mend(slot[0]);
	for (i = 1; i <= RECORDS; i++) {
		slot[i][56] = 0;
		mend(slot[i]);
	}
	j = read_slots(slot, 1 + RECORDS, &good);
	assert_int_equal(good, 0xe);
	assert_int_equal(j.version, 1);
	assert_int_equal(fbk_journal_verdict(&j), 0);
	/* Whoever wrote something there was not version 1. */
	slot[2][56] = FBK_FRAME_HOST;
	mend(slot[2]);
	j = read_slots(slot, 1 + RECORDS, &good);
	assert_int_equal(good, 0xa);
	/* There are three places for a frame. */
	sample(slot);
	slot[2][56] = FBK_FRAME_HOST + 1;
	mend(slot[2]);
	j = read_slots(slot, 1 + RECORDS, &good);
	assert_int_equal(good, 0xa);
	assert_int_equal(j.damaged, 1);
}

/* Each bit of the file, flipped: exactly the slot it is in is lost, and its offset told. */
static void one_flipped_bit_costs_one_slot(void **state)
{
	uint8_t slot[1 + RECORDS][FBK_JOURNAL_SLOT_LEN];
	uint32_t bit, good, s;
	struct fbk_journal j;

	for (bit = 0; bit < sizeof(slot) * 8; bit++) {
		sample(slot);
		s = bit / 8 / FBK_JOURNAL_SLOT_LEN;
		((uint8_t *)slot)[bit / 8] ^= 1u << bit % 8;
		j = read_slots(slot, 1 + RECORDS, &good);
		assert_int_equal(good, 0xe & ~(1u << s));
		assert_int_equal(fbk_journal_verdict(&j), 0);
		assert_int_equal(j.damaged, 1);
		assert_int_equal(j.damage_offset, s * FBK_JOURNAL_SLOT_LEN);
	}
}

static void not_ours(void **state)
{
	static uint8_t slot[1 + RECORDS][FBK_JOURNAL_SLOT_LEN];
	struct fbk_journal j;
	uint32_t good, crc;

	/* Anything at all. */
	memset(slot, 'x', sizeof(slot));
	j = read_slots(slot, 1 + RECORDS, &good);
	assert_int_equal(fbk_journal_verdict(&j), -EBADMSG);
	/* Zeros are no ledger, either. */
	memset(slot, 0, sizeof(slot));
	j = read_slots(slot, 1 + RECORDS, &good);
	assert_int_equal(fbk_journal_verdict(&j), -EBADMSG);
	/* Of a version to come: whole, and refused by its number. */
	sample(slot);
	slot[0][8] = 3;
	crc = fbk_crc32c(slot[0], 60);
	memcpy(slot[0] + 60, &crc, 4);
	memset(slot[1], 'n', FBK_JOURNAL_SLOT_LEN);
	j = read_slots(slot, 2, &good);
	assert_int_equal(j.version, 3);
	assert_int_equal(fbk_journal_verdict(&j), -EPROTONOSUPPORT);
	/* The same with its header damaged: it may be anybody's, so it is not ours to mend. */
	slot[0][20] ^= 1;
	j = read_slots(slot, 2, &good);
	assert_int_equal(fbk_journal_verdict(&j), -EBADMSG);
	/* Records in the wrong place, or of another file, are not believed. */
	sample(slot);
	memcpy(slot[2], slot[1], FBK_JOURNAL_SLOT_LEN);
	fbk_journal_put_record(slot[3], header.epoch + 1, header.first_seq + 2, &entry);
	j = read_slots(slot, 1 + RECORDS, &good);
	assert_int_equal(good, 0x2);
	assert_int_equal(j.damaged, 2);
}

static void nonsense_with_a_good_checksum(void **state)
{
	static const struct fbk_ledger_entry rows[] = {
		{ .gpa = { 0x1001 }, .count = 1, .sources = 1, .state = FBK_PAGE_POISONED },
		{ .gpa = { 0x1000 }, .count = 0, .sources = 1, .state = FBK_PAGE_POISONED },
		{ .gpa = { 0x1000 }, .count = FBK_LEDGER_MAX_COUNT + 1, .sources = 1, .state = FBK_PAGE_POISONED },
		{ .gpa = { 0x1000 }, .count = 1, .sources = 0, .state = FBK_PAGE_POISONED },
		{ .gpa = { 0x1000 }, .count = 1, .sources = 0x100, .state = FBK_PAGE_POISONED },
		{ .gpa = { 0x1000 }, .count = 1, .sources = 1, .state = (enum fbk_page_state)0 },
		{ .gpa = { 0x1000 }, .count = 1, .sources = 1, .state = (enum fbk_page_state)5 },
		{ .gpa = { 0x1000 }, .count = 1, .sources = 1, .state = FBK_PAGE_HEALED, .first_ns = 2, .last_ns = 1 },
	};
	uint8_t head[FBK_JOURNAL_SLOT_LEN], rec[FBK_JOURNAL_SLOT_LEN];
	struct fbk_ledger_entry e;
	struct fbk_journal j;
	size_t i;

	fbk_journal_put_header(head, &header);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		fbk_journal_put_record(rec, header.epoch, header.first_seq, &rows[i]);
		fbk_journal_begin(&j);
		assert_int_equal(fbk_journal_next(&j, head, sizeof(head), &e), FBK_JOURNAL_HEADER);
		assert_int_equal(fbk_journal_next(&j, rec, sizeof(rec), &e), FBK_JOURNAL_DAMAGED);
	}
}

static void holes(void **state)
{
	uint8_t slot[2 + RECORDS][FBK_JOURNAL_SLOT_LEN] = { 0 };
	struct fbk_journal j;
	uint32_t good;

	/* Free space behind the last record is not damage; before one it is. */
	sample(slot);
	memset(slot[2], 0, FBK_JOURNAL_SLOT_LEN);
	j = read_slots(slot, 2 + RECORDS, &good);
	assert_int_equal(good, 0xa);
	assert_int_equal(j.damaged, 1);
	assert_int_equal(j.damage_offset, 2 * FBK_JOURNAL_SLOT_LEN);
	assert_int_equal(j.used, 1 + RECORDS);
}

static void a_merge_never_forgets(void **state)
{
	struct fbk_ledger_entry e = { .count = 5, .sources = 1, .first_ns = 10, .last_ns = 20, .state = FBK_PAGE_POISONED };
	const struct fbk_ledger_entry later = { .count = 4, .sources = 2, .first_ns = 11, .last_ns = 19, .state = FBK_PAGE_HEALED };

	fbk_journal_merge(&e, &later);
	assert_int_equal(e.count, 5);
	assert_int_equal(e.sources, 3);
	assert_int_equal(e.first_ns, 10);
	assert_int_equal(e.last_ns, 20);
	assert_int_equal(e.state, FBK_PAGE_HEALED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_checksum_is_castagnoli_s),
		cmocka_unit_test(bytes_as_documented),
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(an_older_file_is_read),
		cmocka_unit_test(one_flipped_bit_costs_one_slot),
		cmocka_unit_test(not_ours),
		cmocka_unit_test(nonsense_with_a_good_checksum),
		cmocka_unit_test(holes),
		cmocka_unit_test(a_merge_never_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
