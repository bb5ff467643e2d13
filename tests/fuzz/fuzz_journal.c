/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_journal.c - any bytes as a ledger's file: whatever is believed of them can be written, and is then believed again.
 *
 * A fuzzer does not find checksums. So the first byte says which slots get a right one before they are read.
 */
#include "fuzz.h"

#include "core/crc32c.h"
#include "core/journal.h"


#define SLOT FBK_JOURNAL_SLOT_LEN
#define MAX_SLOTS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t file[MAX_SLOTS * SLOT], again[SLOT];
	struct fbk_ledger_entry e, e2;
	struct fbk_journal j, j2;
	uint64_t records = 0, damaged = 0;
	uint8_t mend;
	size_t at;

	if (!len)
		return 0;
	mend = data[0];
	len = len - 1 < sizeof(file) ? len - 1 : sizeof(file);
	memcpy(file, data + 1, len);
	for (at = 0; at + SLOT <= len; at += SLOT) {
		uint32_t crc = fbk_crc32c(file + at, SLOT - 4);

		if (mend >> at / SLOT & 1)
			memcpy(file + at + SLOT - 4, &crc, 4);
	}

	fbk_journal_begin(&j);
	for (at = 0; at < len; at += SLOT) {
		switch (fbk_journal_next(&j, file + at, len - at < SLOT ? len - at : SLOT, &e)) {
		case FBK_JOURNAL_HEADER:
			CHECK(at == 0 && j.version >= FBK_JOURNAL_OLDEST && j.version <= FBK_JOURNAL_VERSION);
			fbk_journal_put_header(again, &j.header);
			/* But for the version of an older one. */
			CHECK(!memcmp(again, file, 8) && !memcmp(again + 12, file + 12, SLOT - 16));
			CHECK(j.version != FBK_JOURNAL_VERSION || !memcmp(again, file, SLOT));
			break;
		case FBK_JOURNAL_RECORD:
			CHECK(at > 0 && len - at >= SLOT);
			records++;
			/* It is what we would have written there, byte for byte. */
			fbk_journal_put_record(again, j.header.epoch, j.header.first_seq + at / SLOT - 1, &e);
			CHECK(!memcmp(again, file + at, SLOT));
			CHECK(e.count && e.count <= FBK_LEDGER_MAX_COUNT && e.last_ns >= e.first_ns);
			CHECK((e.gpa.addr & ~FBK_PAGE_MASK) == 0);
			/* A merge of two whole entries is one that can be written and read. */
			e2 = e;
			e2.count = 1;
			fbk_journal_merge(&e2, &e);
			CHECK(e2.count == e.count && e2.state == e.state);
			break;
		case FBK_JOURNAL_DAMAGED:
			damaged++;
			CHECK(j.damage_offset <= at && j.damage_offset % SLOT == 0);
			break;
		case FBK_JOURNAL_FREE:
			CHECK(at > 0);
			break;
		}
	}
	CHECK(j.records == records && j.damaged >= damaged && j.slots == (len + SLOT - 1) / SLOT && j.used <= j.slots);
	CHECK((j.damaged == 0) == (j.damage_offset == FBK_JOURNAL_NONE));
	if (fbk_journal_verdict(&j))
		CHECK(j.header_state != FBK_JOURNAL_HEADER_WHOLE && j.header_state != FBK_JOURNAL_HEADER_NONE);

	/* Read again, it is the same. */
	fbk_journal_begin(&j2);
	for (at = 0; at < len; at += SLOT)
		(void)fbk_journal_next(&j2, file + at, len - at < SLOT ? len - at : SLOT, &e);
	CHECK(!memcmp(&j, &j2, sizeof(j)));
	return 0;
}
