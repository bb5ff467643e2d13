/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_cper_parse.c - whole records are read field by field; each malformed one has its one flaw at its one offset, and
 * leaves nothing behind. Another reader of the same records: tests/golden/decode.
 */
#include "test.h"

#include "core/cper_guid.h"
#include "core/cursor.h"
#include "json.h"

#include <firebreak/cper.h>
#include <firebreak/cper_parse.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 4096

/* --- records ------------------------------------------------------------------------------------------------------ */

static void le(uint8_t *at, uint64_t v, uint32_t width)
{
	for (; width--; v >>= 8)
		*at++ = (uint8_t)v;
}

/* A memory error section of version 1, all fields valid, each with a value of its own. */
static void put_memory(uint8_t *p, uint32_t len)
{
	static const uint8_t at[] = { 8, 16, 24, 32, 34, 36, 38, 40, 42, 44, 46, 48, 56, 64, 72, 74, 76, 78 };
	uint8_t whole[80] = { 0 };
	uint32_t i;

	le(whole, len == 80 ? 0x3fffff : 0x3fff | 1 << 14, 8);
	for (i = 0; i < sizeof(at); i++)
		whole[at[i]] = (uint8_t)(0x10 + i);
	whole[39] = 0x99; /* the bank's group */
	whole[72] = 3;
	whole[73] = 0xa2; /* row bit 17, chip 5 */
	memcpy(p, whole, len);
}

/* A block with one entry. Return: its length. */
static uint32_t block(uint8_t *p, uint32_t revision, const uint8_t *type, uint32_t section_len)
{
	uint32_t head = revision >= 0x300 ? 72 : 64;

	memset(p, 0, ROOM);
	le(p, 0x11, 4);
	le(p + 12, head + section_len, 4);
	memcpy(p + 20, type, 16);
	le(p + 20 + 20, revision, 2);
	p[20 + 22] = 7;
	p[20 + 23] = 0x40;
	le(p + 20 + 24, section_len, 4);
	memset(p + 20 + 28, 0xab, 16);
	memcpy(p + 20 + 44, "twenty characters..!", 20);
	if (head == 72)
		memcpy(p + 20 + 64, "\x15\x52\x10\x01\x22\x11\x26\x20", 8);
	return 20 + head + section_len;
}

static uint32_t memory_block(uint8_t *p)
{
	uint32_t len = block(p, 0x300, fbk_cper_guid_memory, 80);

	put_memory(p + 92, 80);
	return len;
}

#define ARM_INFOS 2
#define ARM_SECTION (40 + 2 * 32 + 8 + 256 + 8 + 10 + 3)

/* Two errors, two contexts, three bytes of the vendor's. */
static void put_arm(uint8_t *p)
{
	uint32_t i;

	le(p, 0xf, 4);
	le(p + 4, ARM_INFOS, 2);
	le(p + 6, 2, 2);
	le(p + 8, ARM_SECTION, 4);
	p[12] = 1;
	le(p + 16, 0x8100000302, 8);
	le(p + 24, 0x410fd0c1, 8);
	le(p + 36, 0x12345, 4);
	p += 40;
	p[1] = 32;
	le(p + 2, 0x1f, 2);
	p[4] = 1 << 3; /* bus */
	le(p + 5, 2, 2);
	p[7] = 5;
	le(p + 8, 0xfff | 1u << 16 | 3u << 18 | 5u << 22 | 1u << 26 | 1u << 31 | UINT64_C(3) << 32 | UINT64_C(0x155) << 34 | UINT64_C(1) << 43, 8);
	le(p + 16, 0xffff000012345678, 8);
	le(p + 24, 0x40010000, 8);
	p += 32;
	p[1] = 32;
	p[4] = 1; /* TLB, the old way */
	le(p + 2, 4, 2);
	le(p + 8, 2 | 7u << 18, 8);
	p += 32;
	le(p + 2, 4, 2);
	le(p + 4, 256, 4);
	for (i = 0; i < 32; i++)
		le(p + 8 + 8 * i, 0x1000 + i, 8);
	p += 8 + 256;
	le(p + 2, 8, 2);
	le(p + 4, 10, 4);
	le(p + 8, 0xc080, 2);
	le(p + 10, 77, 8);
	memcpy(p + 18, "\1\2\3", 3);
}

static uint32_t arm_block(uint8_t *p)
{
	uint32_t len = block(p, 0x300, fbk_cper_guid_arm, ARM_SECTION);

	put_arm(p + 92);
	return len;
}

static void describe(uint8_t *d, uint32_t offset, uint32_t len, const uint8_t *type)
{
	le(d, offset, 4);
	le(d + 4, len, 4);
	le(d + 8, 0x300, 2);
	d[10] = 3;
	le(d + 12, 1, 4);
	memcpy(d + 16, type, 16);
	memset(d + 32, 0xcd, 16);
	le(d + 48, 2, 4);
	memcpy(d + 52, "slot \"3\"", 8);
}

static const uint8_t unknown[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

/* Three sections, the last one described first: memory 2, ARM, unknown. */
#define RECORD_BODIES (128 + 3 * 72)

static uint32_t record(uint8_t *p)
{
	uint32_t at = RECORD_BODIES, i;

	memset(p, 0, ROOM);
	memcpy(p, "CPER", 4);
	le(p + 4, 0x101, 2);
	le(p + 6, UINT32_MAX, 4);
	le(p + 10, 3, 2);
	le(p + 12, 1, 4);
	le(p + 16, 7, 4);
	memcpy(p + 24, "\x59\x58\x23\x00\x31\x12\x99\x19", 8);
	memset(p + 32, 0x11, 16);
	memset(p + 48, 0x22, 16);
	memset(p + 64, 0x33, 16);
	memcpy(p + 80, "\x8a\x78\x78\x9a\xe8\xbb\xe4\x11\x80\x9e\x67\x61\x1e\x5d\x46\xb0", 16);
	le(p + 96, UINT64_MAX, 8);
	le(p + 104, 2, 4);
	le(p + 108, 5, 8);
	describe(p + 128, at + 96 + ARM_SECTION, 5, unknown);
	describe(p + 128 + 72, at, 96, fbk_cper_guid_memory2);
	describe(p + 128 + 144, at + 96, ARM_SECTION, fbk_cper_guid_arm);
	le(p + at, 0x3fffff, 8);
	for (i = 8; i < 96; i++)
		p[at + i] = (uint8_t)i;
	put_arm(p + at + 96);
	memcpy(p + at + 96 + ARM_SECTION, "\xff\0\1\2\3", 5);
	le(p + 20, at + 96 + ARM_SECTION + 5, 4);
	return at + 96 + ARM_SECTION + 5;
}

/* --- what is whole ------------------------------------------------------------------------------------------------ */

static void a_block_field_by_field(void **state)
{
	uint8_t p[ROOM];
	uint32_t len = memory_block(p), cursor = 0, i;
	struct fbk_cper_section s;
	struct fbk_cper_memory m;
	struct fbk_cper_view v;
	struct fbk_cper_arm a;

	assert_int_equal(fbk_cper_parse(p, len, &v, NULL), 0);
	assert_int_equal(v.form, FBK_CPER_BLOCK);
	assert_int_equal(v.len, len);
	assert_int_equal(v.nr_sections, 1);
	assert_int_equal(v.block_status, 0x11);
	assert_int_equal(fbk_cper_section_next(&v, &cursor, &s), 0);
	assert_int_equal(s.kind, FBK_CPER_MEMORY);
	assert_int_equal(s.header_offset, 20);
	assert_int_equal(s.offset, 92);
	assert_int_equal(s.len, 80);
	assert_int_equal(s.revision, 0x300);
	assert_int_equal(s.valid, 7);
	assert_int_equal(s.flags, 0x40);
	assert_string_equal(s.fru_text, "twenty characters..!");
	assert_true(s.time.stated && s.time.precise);
	assert_int_equal(s.time.year, 2026);
	assert_int_equal(s.time.month, 11);
	assert_int_equal(s.time.day, 22);
	assert_int_equal(s.time.hour, 10);
	assert_int_equal(s.time.minute, 52);
	assert_int_equal(s.time.second, 15);
	assert_int_equal(fbk_cper_arm_read(&s, &a), -ENODATA);
	assert_int_equal(fbk_cper_memory_read(&s, &m), 0);
	assert_int_equal(m.version, 1);
	assert_int_equal(m.valid, 0x3fffff);
	for (i = 0; i < FBK_CPER_MEMORY_TYPE; i++)
		if (i != FBK_CPER_MEMORY_BANK)
			assert_int_equal(m.value[i], 0x10 + i);
	assert_int_equal(m.value[FBK_CPER_MEMORY_BANK], 0x9916);
	assert_int_equal(m.value[FBK_CPER_MEMORY_BANK_GROUP], 0x99);
	assert_int_equal(m.value[FBK_CPER_MEMORY_BANK_ADDRESS], 0x16);
	assert_int_equal(m.value[FBK_CPER_MEMORY_TYPE], 3);
	assert_int_equal(m.value[FBK_CPER_MEMORY_ROW_HIGH], 2);
	assert_int_equal(m.value[FBK_CPER_MEMORY_CHIP], 5);
	assert_int_equal(m.value[FBK_CPER_MEMORY_RANK], 0x1f);
	assert_int_equal(m.value[FBK_CPER_MEMORY_MODULE_HANDLE], 0x21);
	assert_int_equal(fbk_cper_section_next(&v, &cursor, &s), -ENOENT);
	cursor = 21;
	assert_int_equal(fbk_cper_section_next(&v, &cursor, &s), -EINVAL);
}

/* Revision 0x201 has no timestamp, whatever its bit says; UEFI before 2.3 has the short section. */
static void older_layouts(void **state)
{
	uint8_t p[ROOM];
	uint32_t len = block(p, 0x201, fbk_cper_guid_memory, 73), cursor = 0;
	struct fbk_cper_section s;
	struct fbk_cper_memory m;
	struct fbk_cper_view v;

	put_memory(p + 84, 73);
	assert_int_equal(fbk_cper_parse(p, len, &v, NULL), 0);
	assert_int_equal(fbk_cper_section_next(&v, &cursor, &s), 0);
	assert_int_equal(s.offset, 84);
	assert_int_equal(s.valid, 3);
	assert_false(s.time.stated);
	assert_int_equal(fbk_cper_memory_read(&s, &m), 0);
	assert_int_equal(m.valid, 0x7fff);
}

static void a_record_field_by_field(void **state)
{
	uint8_t p[ROOM];
	uint32_t len = record(p), cursor = 0, within = 0;
	struct fbk_cper_arm_context c;
	struct fbk_cper_arm_info info;
	struct fbk_cper_section s;
	struct fbk_cper_memory m;
	struct fbk_cper_view v;
	struct fbk_cper_arm a;

	/* What follows the record is nobody's business. */
	assert_int_equal(fbk_cper_parse(p, len + 100, &v, NULL), 0);
	assert_int_equal(v.form, FBK_CPER_RECORD);
	assert_int_equal(v.len, len);
	assert_int_equal(v.nr_sections, 3);
	assert_int_equal(v.severity, 1);
	assert_int_equal(v.time.year, 1999);
	assert_int_equal(v.time.precise, 0);
	assert_true(v.record_id == UINT64_MAX && v.persistence == 5);

	assert_int_equal(fbk_cper_section_next(&v, &cursor, &s), 0);
	assert_int_equal(s.kind, FBK_CPER_UNKNOWN);
	assert_int_equal(s.len, 5);
	assert_memory_equal(s.body, "\xff\0\1\2\3", 5);
	assert_int_equal(fbk_cper_memory_read(&s, &m), -ENODATA);

	assert_int_equal(fbk_cper_section_next(&v, &cursor, &s), 0);
	assert_string_equal(s.fru_text, "slot \"3\"");
	assert_int_equal(fbk_cper_memory_read(&s, &m), 0);
	assert_int_equal(m.version, 2);
	assert_int_equal(m.valid, 0x7fffff & ~(1u << FBK_CPER_MEMORY_ROW_HIGH));
	assert_int_equal(m.value[FBK_CPER_MEMORY_ROW], 0x2f2e2d2c);
	assert_int_equal(m.value[FBK_CPER_MEMORY_CHIP], 60);
	assert_int_equal(m.value[FBK_CPER_MEMORY_TYPE], 61);
	assert_int_equal(m.value[FBK_CPER_MEMORY_STATE], 62);
	assert_int_equal(m.value[FBK_CPER_MEMORY_MODULE_HANDLE], 0x5f5e5d5c);

	assert_int_equal(fbk_cper_section_next(&v, &cursor, &s), 0);
	assert_int_equal(fbk_cper_arm_read(&s, &a), 0);
	assert_int_equal(a.nr_infos, 2);
	assert_int_equal(a.psci, 0x12345);
	assert_int_equal(a.len - a.vendor_at, 3);
	assert_int_equal(fbk_cper_arm_info_next(&a, &within, &info), 0);
	assert_int_equal(info.kinds, FBK_CPER_ARM_BUS);
	assert_int_equal(info.multiple, 2);
	assert_int_equal(info.pa, 0x40010000);
	assert_int_equal(fbk_cper_arm_info_next(&a, &within, &info), 0);
	assert_int_equal(info.kinds, FBK_CPER_ARM_TLB);
	assert_int_equal(fbk_cper_arm_info_next(&a, &within, &info), -ENOENT);
	within = 0;
	assert_int_equal(fbk_cper_arm_context_next(&a, &within, &c), 0);
	assert_int_equal(c.type, 4);
	assert_int_equal(c.len, 256);
	assert_int_equal(fbk_cper_arm_context_next(&a, &within, &c), 0);
	assert_int_equal(c.type, 8);
	assert_int_equal(fbk_cper_arm_context_next(&a, &within, &c), -ENOENT);
	within = 3;
	assert_int_equal(fbk_cper_arm_context_next(&a, &within, &c), -EINVAL);
	assert_int_equal(fbk_cper_arm_info_next(&a, &within, &info), -EINVAL);
	assert_int_equal(fbk_cper_section_next(&v, &cursor, &s), -ENOENT);
}

static void both_ways_of_naming_an_arm_error(void **state)
{
	static const struct {
		uint8_t type;
		uint32_t kinds;
	} rows[] = {
		{ 0, FBK_CPER_ARM_CACHE }, { 1, FBK_CPER_ARM_TLB },	{ 2, FBK_CPER_ARM_CACHE },
		{ 3, FBK_CPER_ARM_MICRO }, { 4, FBK_CPER_ARM_TLB },	{ 5, 0 },
		{ 8, FBK_CPER_ARM_BUS },   { 16, FBK_CPER_ARM_MICRO }, { 6, FBK_CPER_ARM_CACHE | FBK_CPER_ARM_TLB },
		{ 32, 0 },		   { 255, 0 },
	};
	struct fbk_cper_arm_info info;
	struct fbk_cper_section s;
	struct fbk_cper_view v;
	struct fbk_cper_arm a;
	uint8_t p[ROOM];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t len = arm_block(p), cursor = 0, within = 0;

		p[92 + 40 + 4] = rows[i].type;
		assert_int_equal(fbk_cper_parse(p, len, &v, NULL), 0);
		assert_int_equal(fbk_cper_section_next(&v, &cursor, &s), 0);
		assert_int_equal(fbk_cper_arm_read(&s, &a), 0);
		assert_int_equal(fbk_cper_arm_info_next(&a, &within, &info), 0);
		assert_int_equal(info.kinds, rows[i].kinds);
	}
}

/* The fields of one error information, one a line: key, value, and what the value means. */
static void fields_of(const struct fbk_cper_arm_info *info, char *ret, size_t room)
{
	struct fbk_cper_arm_field f;
	uint32_t cursor = 0;
	size_t n = 0;

	ret[0] = 0;
	while (fbk_cper_arm_field_next(info, &cursor, &f) == 0)
		n += (size_t)snprintf(ret + n, room - n, "%s=%llu%s%s\n", f.key, (unsigned long long)f.value, f.flag ? "?" : "",
				      f.name ? f.name : "");
}

static void an_error_information_field_by_field(void **state)
{
	static const struct {
		uint32_t kinds;
		uint64_t information;
		const char *want;
	} rows[] = {
		/* each validation bit alone, the field all ones, its neighbours zero */
		{ FBK_CPER_ARM_CACHE, 1 | 3ull << 16, "transactionType=3Unknown (Reserved)\n" },
		{ FBK_CPER_ARM_CACHE, 1 | 1ull << 16, "transactionType=1Data Access\n" },
		{ FBK_CPER_ARM_CACHE, 2 | 10ull << 18, "operation=10Management\n" },
		{ FBK_CPER_ARM_CACHE, 2 | 11ull << 18, "operation=11Unknown (Reserved)\n" },
		{ FBK_CPER_ARM_TLB, 2 | 8ull << 18, "operation=8External Management Operation\n" },
		{ FBK_CPER_ARM_TLB, 2 | 9ull << 18, "operation=9Unknown (Reserved)\n" },
		{ FBK_CPER_ARM_BUS, 2 | 6ull << 18, "operation=6Prefetch\n" },
		{ FBK_CPER_ARM_BUS, 2 | 7ull << 18, "operation=7Unknown (Reserved)\n" },
		{ FBK_CPER_ARM_CACHE, 4 | 7ull << 22, "level=7\n" },
		{ FBK_CPER_ARM_CACHE, 8 | 1ull << 25, "processorContextCorrupt=1?\n" },
		{ FBK_CPER_ARM_CACHE, 8, "processorContextCorrupt=0?\n" },
		{ FBK_CPER_ARM_CACHE, 16 | 1ull << 26, "corrected=1?\n" },
		{ FBK_CPER_ARM_CACHE, 32 | 1ull << 27, "precisePC=1?\n" },
		{ FBK_CPER_ARM_CACHE, 64 | 1ull << 28, "restartablePC=1?\n" },
		{ FBK_CPER_ARM_BUS, 128 | 2ull << 29, "participationType=2Local Processor Observed\n" },
		{ FBK_CPER_ARM_BUS, 256 | 1ull << 31, "timedOut=1?\n" },
		{ FBK_CPER_ARM_BUS, 512 | 3ull << 32, "addressSpace=3Device Memory Access\n" },
		{ FBK_CPER_ARM_BUS, 512 | 2ull << 32, "addressSpace=2Unknown (Reserved)\n" },
		{ FBK_CPER_ARM_BUS, 1024 | 0x1ffull << 34, "memoryAttributes=511\n" },
		{ FBK_CPER_ARM_BUS, 2048 | 1ull << 43, "accessMode=1Normal\n" },
		{ FBK_CPER_ARM_BUS, 0xf000, "" },
		{ FBK_CPER_ARM_BUS, ~0xfffull, "" },
		/* only a bus error has these */
		{ FBK_CPER_ARM_CACHE, ~0x7full, "" },
		{ FBK_CPER_ARM_TLB, ~0x7full, "" },
		/* the first of several */
		{ FBK_CPER_ARM_TLB | FBK_CPER_ARM_BUS | FBK_CPER_ARM_MICRO, 2 | 128 | 8ull << 18, "operation=8External Management Operation\n" },
		{ FBK_CPER_ARM_MICRO, UINT64_MAX, "" },
		{ 0, UINT64_MAX, "" },
	};
	struct fbk_cper_arm_field f = { .value = 7 };
	struct fbk_cper_arm_info info = { 0 };
	uint32_t cursor;
	char got[1024];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		info = (struct fbk_cper_arm_info){ .valid = FBK_CPER_ARM_INFO_HAS_INFORMATION,
						   .kinds = rows[i].kinds,
						   .information = rows[i].information };
		fields_of(&info, got, sizeof(got));
		assert_string_equal(got, rows[i].want);
	}
	/* what is not declared valid as a whole */
	info = (struct fbk_cper_arm_info){ .valid = ~FBK_CPER_ARM_INFO_HAS_INFORMATION, .kinds = FBK_CPER_ARM_BUS, .information = UINT64_MAX };
	fields_of(&info, got, sizeof(got));
	assert_string_equal(got, "");
	cursor = 13;
	assert_int_equal(fbk_cper_arm_field_next(&info, &cursor, &f), -EINVAL);
	cursor = 12;
	assert_int_equal(fbk_cper_arm_field_next(&info, &cursor, &f), -ENOENT);
	assert_true(cursor == 12 && f.value == 7);
}

static void times(void **state)
{
	static const struct {
		const char *bytes;
		uint32_t stated;
	} rows[] = {
		{ "\x00\x00\x00\x00\x01\x01\x00\x00", 1 }, { "\x60\x59\x23\x01\x31\x12\x99\x99", 1 },
		{ "\x61\x59\x23\x01\x31\x12\x99\x99", 0 }, { "\x5a\x00\x00\x00\x01\x01\x00\x20", 0 },
		{ "\x00\x60\x00\x00\x01\x01\x00\x20", 0 }, { "\x00\x00\x24\x00\x01\x01\x00\x20", 0 },
		{ "\x00\x00\x00\x00\x00\x01\x00\x20", 0 }, { "\x00\x00\x00\x00\x32\x01\x00\x20", 0 },
		{ "\x00\x00\x00\x00\x01\x13\x00\x20", 0 }, { "\x00\x00\x00\x00\x01\x01\xa0\x20", 0 },
		{ "\x00\x00\x00\x00\x01\x01\x00\xff", 0 }, { "\x00\x00\x00\x00\x01\x00\x00\x20", 0 },
	};
	struct fbk_cper_section s;
	struct fbk_cper_view v;
	uint8_t p[ROOM];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t len = memory_block(p), cursor = 0;

		memcpy(p + 20 + 64, rows[i].bytes, 8);
		assert_int_equal(fbk_cper_parse(p, len, &v, NULL), 0);
		assert_int_equal(fbk_cper_section_next(&v, &cursor, &s), 0);
		assert_int_equal(s.time.stated, rows[i].stated);
	}
}

/* What the library writes, it reads. */
static void round_trip(void **state)
{
	struct fbk_gpa pages[FBK_CPER_MAX_PAGES];
	uint8_t p[FBK_GHES_BLOCK_LEN];
	struct fbk_cper_section s;
	struct fbk_cper_memory m;
	struct fbk_cper_view v;
	uint32_t round, i;

	srand(11);
	for (round = 0; round < 2000; round++) {
		struct fbk_cper in = { .pages = pages, .nr_pages = 1 + (uint32_t)rand() % FBK_CPER_MAX_PAGES };
		uint32_t cursor = 0;
		char text[24];
		int len;

		in.serial = (uint64_t)rand() << 31 | (uint64_t)rand();
		in.time_ns = ((uint64_t)rand() << 32 | (uint64_t)rand()) % (UINT64_MAX / 2);
		for (i = 0; i < in.nr_pages; i++)
			pages[i].addr = (uint64_t)rand() << 33 ^ (uint64_t)rand();
		len = fbk_cper_encode(&in, p, sizeof(p));
		assert_true(len > 0);
		assert_int_equal(fbk_cper_parse(p, (size_t)len, &v, NULL), 0);
		assert_int_equal(v.nr_sections, in.nr_pages);
		assert_int_equal(v.len, len);
		assert_int_equal(v.severity, 0);
		snprintf(text, sizeof(text), "firebreak %09u", (uint32_t)(in.serial % 1000000000));
		for (i = 0; i < in.nr_pages; i++) {
			assert_int_equal(fbk_cper_section_next(&v, &cursor, &s), 0);
			assert_string_equal(s.fru_text, text);
			assert_true(s.time.stated && s.time.precise);
			assert_int_equal(s.time.second, in.time_ns / 1000000000 % 60);
			assert_int_equal(s.time.minute, in.time_ns / 1000000000 / 60 % 60);
			assert_int_equal(s.time.hour, in.time_ns / 1000000000 / 3600 % 24);
			assert_int_equal(fbk_cper_memory_read(&s, &m), 0);
			assert_true(m.value[FBK_CPER_MEMORY_ADDRESS] == (pages[i].addr & FBK_PAGE_MASK));
			assert_true(m.value[FBK_CPER_MEMORY_MASK] == FBK_PAGE_MASK);
		}
		assert_int_equal(fbk_cper_section_next(&v, &cursor, &s), -ENOENT);
	}
}

/* --- what is not -------------------------------------------------------------------------------------------------- */

/* One change to a whole record, and what comes of it. */
static const struct malformed {
	const char *name;
	uint32_t (*make)(uint8_t *p);
	uint32_t at, width;
	uint64_t v;
	int len; /* bytes handed over; 0: all, below: so many fewer */
	enum fbk_cper_flaw flaw;
	uint32_t offset;
} malformed[] = {
	{ "no byte", memory_block, 0, 0, 0, -172, FBK_CPER_FLAW_SHORT, 0 },
	{ "block header cut", memory_block, 0, 0, 0, -153, FBK_CPER_FLAW_SHORT, 0 },
	{ "reserved bits of the block status", memory_block, 0, 4, 0x4011, 0, FBK_CPER_FLAW_FOREIGN, 0 },
	{ "text", memory_block, 0, 4, 0x6c6c6568, 0, FBK_CPER_FLAW_FOREIGN, 0 },
	{ "no data", memory_block, 12, 4, 0, 0, FBK_CPER_FLAW_EMPTY, 12 },
	{ "data beyond the end", memory_block, 12, 4, 153, 0, FBK_CPER_FLAW_TRUNCATED, 12 },
	{ "data length all ones", memory_block, 12, 4, UINT32_MAX, 0, FBK_CPER_FLAW_TRUNCATED, 12 },
	{ "raw data in the entries", memory_block, 4, 8, UINT64_C(1) << 32 | 171, 0, FBK_CPER_FLAW_OVERLAP, 4 },
	{ "raw data at 0", memory_block, 8, 4, 1, 0, FBK_CPER_FLAW_OVERLAP, 4 },
	{ "raw data beyond the end", memory_block, 4, 8, UINT64_C(1) << 32 | 172, 0, FBK_CPER_FLAW_TRUNCATED, 8 },
	{ "raw data wraps", memory_block, 4, 8, UINT64_MAX, 0, FBK_CPER_FLAW_TRUNCATED, 8 },
	{ "an entry's header cut", memory_block, 12, 4, 63, 0, FBK_CPER_FLAW_SHORT, 20 },
	{ "its last 8 bytes cut", memory_block, 12, 4, 71, 0, FBK_CPER_FLAW_SHORT, 20 },
	{ "revision 1", memory_block, 40, 2, 0x102, 0, FBK_CPER_FLAW_REVISION, 40 },
	{ "revision 4", memory_block, 40, 2, 0x400, 0, FBK_CPER_FLAW_REVISION, 40 },
	{ "empty section", memory_block, 44, 4, 0, 0, FBK_CPER_FLAW_EMPTY, 44 },
	{ "section beyond the data", memory_block, 44, 4, 81, 0, FBK_CPER_FLAW_TRUNCATED, 44 },
	{ "section length wraps", memory_block, 44, 4, UINT32_MAX, 0, FBK_CPER_FLAW_TRUNCATED, 44 },
	{ "memory section too short", memory_block, 44, 4, 72, 0, FBK_CPER_FLAW_LENGTH, 44 },
	{ "memory field that is not there", memory_block, 44, 4, 79, 0, FBK_CPER_FLAW_FIELD, 92 },
	{ "more entries counted", memory_block, 0, 4, 0x21, 0, FBK_CPER_FLAW_COUNT, 0 },

	{ "arm: shorter than itself", arm_block, 92 + 8, 4, 39, 0, FBK_CPER_FLAW_LENGTH, 100 },
	{ "arm: longer than its entry", arm_block, 92 + 8, 4, ARM_SECTION + 1, 0, FBK_CPER_FLAW_TRUNCATED, 100 },
	{ "arm: no error", arm_block, 92 + 4, 2, 0, 0, FBK_CPER_FLAW_EMPTY, 96 },
	{ "arm: errors beyond the end", arm_block, 92 + 4, 2, 65535, 0, FBK_CPER_FLAW_LENGTH, 92 + 104 + 1 },
	{ "arm: error of length 0", arm_block, 92 + 41, 1, 0, 0, FBK_CPER_FLAW_LENGTH, 92 + 41 },
	{ "arm: error of length 31", arm_block, 92 + 41, 1, 31, 0, FBK_CPER_FLAW_LENGTH, 92 + 41 },
	{ "arm: no room for the first error", arm_block, 92 + 8, 4, 71, 0, FBK_CPER_FLAW_COUNT, 96 },
	{ "arm: no room for the second", arm_block, 92 + 8, 4, 103, 0, FBK_CPER_FLAW_COUNT, 96 },
	{ "arm: error beyond the end", arm_block, 92 + 8, 4, 104, 0, FBK_CPER_FLAW_COUNT, 98 },
	{ "arm: context beyond the end", arm_block, 92 + 108, 4, UINT32_MAX, 0, FBK_CPER_FLAW_TRUNCATED, 92 + 108 },
	{ "arm: no room for the second context", arm_block, 92 + 8, 4, 40 + 64 + 8 + 256 + 7, 0, FBK_CPER_FLAW_COUNT, 98 },
	{ "arm: contexts beyond the end", arm_block, 92 + 6, 2, 3, 0, FBK_CPER_FLAW_COUNT, 98 },

	{ "record header cut", record, 0, 0, 0, -(RECORD_BODIES - 128 + 96 + ARM_SECTION + 5 + 1), FBK_CPER_FLAW_SHORT, 0 },
	{ "the other signature", record, 6, 4, 0xfffffffe, 0, FBK_CPER_FLAW_FOREIGN, 6 },
	{ "no sections", record, 10, 2, 0, 0, FBK_CPER_FLAW_EMPTY, 10 },
	{ "more sections than fit", record, 10, 2, 65535, 0, FBK_CPER_FLAW_COUNT, 10 },
	{ "record shorter than its header", record, 20, 4, 127, 0, FBK_CPER_FLAW_LENGTH, 20 },
	{ "record ends within the descriptors", record, 20, 4, RECORD_BODIES - 1, 0, FBK_CPER_FLAW_COUNT, 10 },
	{ "record beyond the end", record, 20, 4, UINT32_MAX, 0, FBK_CPER_FLAW_TRUNCATED, 20 },
	{ "one byte is missing", record, 0, 0, 0, -1, FBK_CPER_FLAW_TRUNCATED, 20 },
	{ "section of length 0", record, 128 + 4, 4, 0, 0, FBK_CPER_FLAW_EMPTY, 132 },
	{ "section begins beyond the end", record, 128, 4, UINT32_MAX, 0, FBK_CPER_FLAW_TRUNCATED, 128 },
	{ "section ends beyond it", record, 128 + 4, 4, 6, 0, FBK_CPER_FLAW_TRUNCATED, 132 },
	{ "section length wraps", record, 128 + 4, 4, UINT32_MAX, 0, FBK_CPER_FLAW_TRUNCATED, 132 },
	{ "section in the header", record, 128, 4, 0, 0, FBK_CPER_FLAW_OVERLAP, 128 },
	{ "section in the descriptors", record, 128, 4, RECORD_BODIES - 1, 0, FBK_CPER_FLAW_OVERLAP, 128 },
	{ "two sections in one place", record, 200, 4, RECORD_BODIES + 96, 0, FBK_CPER_FLAW_OVERLAP, 272 },
	{ "a section's last byte is another's", record, 272, 4, RECORD_BODIES + 95, 0, FBK_CPER_FLAW_OVERLAP, 272 },
	{ "memory 2 section too short", record, 204, 4, 95, 0, FBK_CPER_FLAW_LENGTH, 204 },
	{ "arm section too short", record, 276, 4, 39, 0, FBK_CPER_FLAW_LENGTH, 276 },
};

static void each_flaw_at_its_offset(void **state)
{
	struct fbk_cper_view v, clean;
	struct fbk_cper_fault fault;
	size_t i;

	memset(&clean, 0xee, sizeof(clean));
	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		const struct malformed *r = &malformed[i];
		uint8_t made[ROOM], *p;
		size_t len = r->make(made);

		le(made + r->at, r->v, r->width);
		len = (size_t)((int)len + r->len);
		/* Exactly as long as is said: a sanitizer sees every byte too many. */
		p = malloc(len ? len : 1);
		assert_non_null(p);
		memcpy(p, made, len);
		memset(&v, 0xee, sizeof(v));
		memset(&fault, 0xee, sizeof(fault));
		if (fbk_cper_parse(p, len, &v, &fault) != -EBADMSG)
			fail_msg("%s: not refused", r->name);
		if (fault.flaw != r->flaw || fault.offset != r->offset)
			fail_msg("%s: %s, at %u", r->name, fbk_cper_flaw_text(fault.flaw), fault.offset);
		assert_memory_equal(&v, &clean, sizeof(v));
		assert_int_equal(fbk_cper_parse(p, len, &v, NULL), -EBADMSG);
		free(p);
	}
}

/* A record longer than any is refused before anything of it is walked; one as long as is allowed is walked in time. */
static void long_ones(void **state)
{
	const uint32_t nr = 14000, most = FBK_CPER_MAX_LEN;
	uint8_t *p = calloc(1, most + 1);
	struct fbk_cper_fault fault;
	struct fbk_cper_view v;
	uint32_t i;

	assert_non_null(p);
	le(p, 1, 4);
	le(p + 12, most - 19, 4);
	assert_int_equal(fbk_cper_parse(p, most + 1, &v, &fault), -EBADMSG);
	assert_int_equal(fault.flaw, FBK_CPER_FLAW_TOO_LONG);
	assert_int_equal(fault.offset, 12);
	record(p);
	le(p + 20, most + 1, 4);
	assert_int_equal(fbk_cper_parse(p, most + 1, &v, &fault), -EBADMSG);
	assert_int_equal(fault.flaw, FBK_CPER_FLAW_TOO_LONG);
	assert_int_equal(fault.offset, 20);

	/* Backwards, so that each must be compared with all before it. */
	le(p + 20, most, 4);
	le(p + 10, nr, 2);
	for (i = 0; i < nr; i++)
		describe(p + 128 + 72 * i, most - 1 - i, 1, unknown);
	assert_int_equal(fbk_cper_parse(p, most, &v, &fault), 0);
	assert_int_equal(v.nr_sections, nr);
	le(p + 128 + 72 * (nr - 1), most - 1, 4);
	assert_int_equal(fbk_cper_parse(p, most, &v, &fault), -EBADMSG);
	assert_int_equal(fault.flaw, FBK_CPER_FLAW_OVERLAP);
	assert_int_equal(fault.offset, 128 + 72 * (nr - 1));
	free(p);
}

static void fewer_entries_counted_is_fine(void **state)
{
	uint8_t p[ROOM];
	uint32_t len = memory_block(p);
	struct fbk_cper_view v;

	le(p, 0, 4);
	assert_int_equal(fbk_cper_parse(p, len, &v, NULL), 0);
	assert_int_equal(v.nr_sections, 1);
}

static void raw_data_behind_the_entries_is_fine(void **state)
{
	uint8_t p[ROOM];
	uint32_t len = memory_block(p);
	struct fbk_cper_view v;

	le(p + 4, len, 4);
	le(p + 8, 16, 4);
	assert_int_equal(fbk_cper_parse(p, len + 16, &v, NULL), 0);
	assert_int_equal(v.raw_len, 16);
	assert_int_equal(v.len, len);
}

/* Cut at any byte, with any byte changed to anything typical: an answer, and no byte beyond. */
static void cut_and_flipped_everywhere(void **state)
{
	static uint32_t (*const makes[])(uint8_t *) = { memory_block, arm_block, record };
	static const uint8_t flips[] = { 0, 1, 0x7f, 0x80, 0xff };
	static char json[65536];
	struct fbk_cper_view v;
	uint8_t made[ROOM], *p;
	size_t i, k, f;

	for (i = 0; i < ARRAY_SIZE(makes); i++) {
		size_t len = makes[i](made);

		p = malloc(len);
		assert_non_null(p);
		for (k = 0; k < len; k++) {
			uint8_t *cut = malloc(k ? k : 1);

			assert_non_null(cut);
			memcpy(cut, made, k);
			assert_int_equal(fbk_cper_parse(cut, k, &v, NULL), -EBADMSG);
			free(cut);
			for (f = 0; f < sizeof(flips); f++) {
				memcpy(p, made, len);
				p[k] = flips[f];
				if (fbk_cper_parse(p, len, &v, NULL) == 0) {
					assert_true(fbk_cper_json(&v, json, sizeof(json)) > 0);
					assert_non_null(json_value(json));
				}
			}
		}
		free(p);
	}
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static void json_word_for_word(void **state)
{
	uint8_t p[ROOM];
	const struct fbk_gpa page = { 0x40010123 };
	struct fbk_cper in = { .pages = &page, .nr_pages = 1, .time_ns = UINT64_C(1795344735) * 1000000000, .serial = 42 };
	struct fbk_cper_view v;
	char buf[4096];
	int len;

	len = fbk_cper_encode(&in, p, sizeof(p));
	assert_true(len > 0);
	assert_int_equal(fbk_cper_parse(p, (size_t)len, &v, NULL), 0);
	len = fbk_cper_json(&v, buf, sizeof(buf));
	assert_int_equal(len, strlen(buf));
	assert_string_equal(
		buf,
		"{\"genericErrorStatus\":{\"blockStatus\":{\"uncorrectable\":true,\"correctable\":false,"
		"\"multipleUncorrectable\":false,\"multipleCorrectable\":false,\"entryCount\":1},\"sectionCount\":1,"
		"\"severity\":{\"code\":0,\"name\":\"Recoverable\"},\"recordLength\":172},"
		"\"sectionDescriptors\":[{\"sectionOffset\":92,\"sectionLength\":80,\"revision\":{\"major\":3,\"minor\":0},"
		"\"flags\":{\"primary\":false,\"containmentWarning\":false,\"reset\":false,\"errorThresholdExceeded\":false,"
		"\"resourceNotAccessible\":false,\"latentError\":false,\"propagated\":false,\"overflow\":false},"
		"\"sectionType\":{\"data\":\"a5bc1114-6f64-4ede-b863-3e83ed7c83b1\",\"type\":\"Platform Memory\"},"
		"\"fruText\":\"firebreak 000000042\",\"severity\":{\"code\":0,\"name\":\"Recoverable\"},"
		"\"timestamp\":\"2026-11-22T10:52:15+00:00\",\"timestampIsPrecise\":true}],"
		"\"sections\":[{\"message\":\"Memory error at 0x40010000\",\"Memory\":{\"memoryErrorType\":{\"value\":0,"
		"\"name\":\"Unknown\"},\"physicalAddress\":1073807360,\"physicalAddressHex\":\"0x0000000040010000\","
		"\"physicalAddressMask\":18446744073709547520}}]}");
}

static void json_fits_or_says_so(void **state)
{
	static uint32_t (*const makes[])(uint8_t *) = { memory_block, arm_block, record };
	struct fbk_cper_view v;
	uint8_t p[ROOM];
	char buf[8192];
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(makes); i++) {
		size_t len = makes[i](p);
		int got;

		assert_int_equal(fbk_cper_parse(p, len, &v, NULL), 0);
		got = fbk_cper_json(&v, buf, sizeof(buf));
		assert_true(got > 0);
		assert_int_equal(got, strlen(buf));
		assert_string_equal(json_value(buf), "");
		for (n = 0; n <= (size_t)got; n++) {
			buf[n] = 'G';
			assert_int_equal(fbk_cper_json(&v, buf, n), -ENOSPC);
			assert_int_equal(buf[n], 'G');
		}
		assert_int_equal(fbk_cper_json(&v, buf, (size_t)got + 1), got);
	}
	assert_int_equal(fbk_cper_json(NULL, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(fbk_cper_json(&v, NULL, 1), -EINVAL);
}

static void nulls(void **state)
{
	struct fbk_cper_arm_context c;
	struct fbk_cper_arm_info info = { 0 };
	struct fbk_cper_arm_field field;
	struct fbk_cper_section s = { 0 };
	struct fbk_cper_memory m;
	struct fbk_cper_arm a = { 0 };
	struct fbk_cper_view v = { 0 };
	uint32_t cursor = 0;

	assert_int_equal(fbk_cper_parse(NULL, 1, &v, NULL), -EINVAL);
	assert_int_equal(fbk_cper_parse("", 1, NULL, NULL), -EINVAL);
	assert_int_equal(fbk_cper_section_next(NULL, &cursor, &s), -EINVAL);
	assert_int_equal(fbk_cper_section_next(&v, NULL, &s), -EINVAL);
	assert_int_equal(fbk_cper_section_next(&v, &cursor, NULL), -EINVAL);
	assert_int_equal(fbk_cper_memory_read(NULL, &m), -EINVAL);
	assert_int_equal(fbk_cper_memory_read(&s, NULL), -EINVAL);
	assert_int_equal(fbk_cper_arm_read(NULL, &a), -EINVAL);
	assert_int_equal(fbk_cper_arm_read(&s, NULL), -EINVAL);
	assert_int_equal(fbk_cper_arm_info_next(NULL, &cursor, &info), -EINVAL);
	assert_int_equal(fbk_cper_arm_info_next(&a, NULL, &info), -EINVAL);
	assert_int_equal(fbk_cper_arm_info_next(&a, &cursor, NULL), -EINVAL);
	assert_int_equal(fbk_cper_arm_field_next(NULL, &cursor, &field), -EINVAL);
	assert_int_equal(fbk_cper_arm_field_next(&info, NULL, &field), -EINVAL);
	assert_int_equal(fbk_cper_arm_field_next(&info, &cursor, NULL), -EINVAL);
	assert_int_equal(fbk_cper_arm_context_next(NULL, &cursor, &c), -EINVAL);
	assert_int_equal(fbk_cper_arm_context_next(&a, NULL, &c), -EINVAL);
	assert_int_equal(fbk_cper_arm_context_next(&a, &cursor, NULL), -EINVAL);
}

static void words(void **state)
{
	int i;

	for (i = FBK_CPER_FLAW_SHORT; i <= FBK_CPER_FLAW_TOO_LONG; i++)
		assert_string_not_equal(fbk_cper_flaw_text((enum fbk_cper_flaw)i), "invalid");
	assert_string_equal(fbk_cper_flaw_text((enum fbk_cper_flaw)99), "invalid");
	assert_string_equal(fbk_cper_severity_name(1), "Fatal");
	assert_string_equal(fbk_cper_severity_name(4), "Unknown");
	assert_string_equal(fbk_cper_memory_type_name(15), "Physical Memory Map-out Event");
	assert_string_equal(fbk_cper_memory_type_name(16), "Unknown (Reserved)");
	assert_string_equal(fbk_cper_status_name(0x1a00), "ERR_POISONED");
	assert_string_equal(fbk_cper_status_name(0x0200), "Unknown (Reserved)");
	assert_string_equal(fbk_cper_status_name(UINT64_MAX), "Unknown (Reserved)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_field_by_field),
		cmocka_unit_test(older_layouts),
		cmocka_unit_test(a_record_field_by_field),
		cmocka_unit_test(both_ways_of_naming_an_arm_error),
		cmocka_unit_test(an_error_information_field_by_field),
		cmocka_unit_test(times),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(each_flaw_at_its_offset),
		cmocka_unit_test(long_ones),
		cmocka_unit_test(fewer_entries_counted_is_fine),
		cmocka_unit_test(raw_data_behind_the_entries_is_fine),
		cmocka_unit_test(cut_and_flipped_everywhere),
		cmocka_unit_test(json_word_for_word),
		cmocka_unit_test(json_fits_or_says_so),
		cmocka_unit_test(nulls),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
