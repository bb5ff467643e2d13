/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_cper.c - records field by field, their uniqueness, and their bounds. The bytes as a whole: tests/golden/lib.
 */
#include "test.h"

#include "core/cper_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct fbk_gpa one = { 0x40010123 };

static void fields(void **state)
{
	/* 2026-11-22 10:52:15 UTC */
	struct fbk_cper in = { .pages = &one, .nr_pages = 1, .time_ns = UINT64_C(1795344735) * 1000000000, .serial = 42 };
	unsigned char buf[256];

	assert_int_equal(fbk_cper_encode(&in, buf, sizeof(buf)), 172);
	assert_int_equal(buf[0], 0x11);					      /* uncorrectable, one entry */
	assert_memory_equal(buf + 12, "\x98\0\0\0", 4);		      /* 152 bytes of data */
	assert_string_equal((char *)buf + 20 + 44, "firebreak 000000042");    /* FRU text, terminated */
	assert_memory_equal(buf + 20 + 64, "\x15\x52\x10\x01\x22\x11\x26\x20", 8); /* timestamp, BCD, precise */
	assert_memory_equal(buf + 20 + 72 + 16, "\x00\x00\x01\x40\0\0\0\0", 8);    /* page of the byte */
}

/* Byte for byte, each from the specification's own tables. */
static void processor(void **state)
{
	static const unsigned char want[72] =
		"\x05\0\0\0\x01\0\0\0\x48\0\0\0\0\0\0\0" /* MPIDR and running state valid; 1 info, 0 contexts; 72 bytes */
		"\x01\0\0\x80\0\0\0\0"			   /* MPIDR_EL1 */
		"\xc1\xd0\x3f\x41\0\0\0\0"			   /* MIDR_EL1 */
		"\x01\0\0\0\0\0\0\0"			   /* running; PSCI state */
		"\0\x20\x1e\0\x02\0\0\x03"			   /* version, length, valid, cache error, first and last */
		"\x31\0\x01\x08\0\0\0\0"			   /* data access, not corrected, precise PC */
		"\x18\x10\0\xf7\xff\x7f\0\0"		   /* virtual address: the byte */
		"\0\0\x01\x40\0\0\0\0";			   /* physical address: the page */
	struct fbk_gpa pages[FBK_CPER_MAX_PAGES] = { { 0x40010018 }, { 0x40020000 } };
	struct fbk_cper_processor p = { .flags = FBK_CPER_HAS_MPIDR | FBK_CPER_HAS_GVA, .kind = FBK_ABORT_DATA,
					.mpidr = 0x80000001, .midr = 0x413fd0c1, .gva = { 0x7ffff7001018 } };
	struct fbk_cper in = { .pages = pages, .nr_pages = 2, .processor = &p, .serial = 42 };
	unsigned char buf[FBK_GHES_BLOCK_LEN], plain[FBK_GHES_BLOCK_LEN], *s = buf + 20;
	int len;

	assert_int_equal(fbk_cper_encode(&in, buf, 20 + 144 + 2 * 152), 20 + 144 + 2 * 152);
	assert_memory_equal(buf, "\x35\0\0\0\0\0\0\0\0\0\0\0\xc0\x01\0\0\0\0\0\0", 20); /* three sections, 448 bytes */
	assert_memory_equal(s, "\x16\x3d\x9e\xe1\x11\xbc\xe4\x11\x9c\xaa\xc2\x05\x1d\x5d\x46\xb0", 16);
	assert_memory_equal(s + 16, "\0\0\0\0\0\x03\x06\0\x48\0\0\0", 12);
	assert_string_equal((char *)s + 44, "firebreak 000000042");
	assert_memory_equal(s + 72, want, sizeof(want));
	/* Behind it, what there would be without it. */
	in.processor = NULL;
	len = fbk_cper_encode(&in, plain, sizeof(plain));
	assert_memory_equal(buf + 20 + 144, plain + 20, (size_t)len - 20);

	/* What is not known is not said. */
	p = (struct fbk_cper_processor){ .kind = FBK_ABORT_UNKNOWN, .mpidr = 7, .gva = { 7 } };
	in.processor = &p;
	assert_true(fbk_cper_encode(&in, buf, sizeof(buf)) > 0);
	assert_memory_equal(s + 72, "\x04\0\0\0", 4);
	assert_memory_equal(s + 72 + 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(s + 72 + 40, "\0\x20\x16\0\x02\0\0\x03\x31\0\x02\x08\0\0\0\0\0\0\0\0\0\0\0\0", 24);
	p.kind = FBK_ABORT_INSTRUCTION;
	assert_true(fbk_cper_encode(&in, buf, sizeof(buf)) > 0);
	assert_memory_equal(s + 72 + 48, "\x31\0\0\x08", 4);

	assert_int_equal(fbk_cper_encode(&in, buf, 20 + 144 + 2 * 152 - 1), -ENOSPC);
	in.nr_pages = FBK_CPER_MAX_PAGES;
	assert_int_equal(fbk_cper_encode(&in, buf, sizeof(buf)), -ENOSPC); /* one page too many for a block */
	in.nr_pages--;
	assert_int_equal(fbk_cper_encode(&in, buf, sizeof(buf)), 20 + 144 + (FBK_CPER_MAX_PAGES - 1) * 152);
}

static void every_record_differs(void **state)
{
	unsigned char a[256], b[256];
	struct fbk_cper in = { .pages = &one, .nr_pages = 1, .time_ns = 5, .serial = 1 };

	assert_int_equal(fbk_cper_encode(&in, a, sizeof(a)), 172);
	in.serial = 2;
	assert_int_equal(fbk_cper_encode(&in, b, sizeof(b)), 172);
	assert_memory_not_equal(a, b, 172);
	in.serial = UINT64_MAX;
	assert_int_equal(fbk_cper_encode(&in, b, sizeof(b)), 172);
	assert_string_equal((char *)b + 20 + 44, "firebreak 709551615");
}

static void bounds(void **state)
{
	struct fbk_gpa pages[FBK_CPER_MAX_PAGES + 1] = { { 0 } };
	struct fbk_cper in = { .pages = pages };
	unsigned char buf[FBK_GHES_BLOCK_LEN + 8], clean[sizeof(buf)];
	size_t len;

	memset(clean, 0xee, sizeof(clean));
	for (in.nr_pages = 1; in.nr_pages <= FBK_CPER_MAX_PAGES; in.nr_pages++) {
		size_t need = 20 + in.nr_pages * 152;

		assert_true(need <= FBK_GHES_BLOCK_LEN);
		for (len = need - 30; len < need; len++) {
			memset(buf, 0xee, sizeof(buf));
			assert_int_equal(fbk_cper_encode(&in, buf, len), -ENOSPC);
			assert_memory_equal(buf, clean, sizeof(buf));
		}
		assert_int_equal(fbk_cper_encode(&in, buf, need), need);
		assert_memory_equal(buf + need, clean, sizeof(buf) - need);
		assert_int_equal(!!(buf[0] & 4), in.nr_pages > 1);
	}
	assert_int_equal(fbk_cper_encode(&in, buf, sizeof(buf)), -EINVAL);
	in.nr_pages = 0;
	assert_int_equal(fbk_cper_encode(&in, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(fbk_cper_encode(NULL, buf, sizeof(buf)), -EINVAL);
	in = (struct fbk_cper){ .nr_pages = 1 };
	assert_int_equal(fbk_cper_encode(&in, buf, sizeof(buf)), -EINVAL);
}

/* The record kept ready is, byte for byte, the one that would be written afresh, whatever it said before. */
static void kept_ready(void **state)
{
	static const uint64_t second = UINT64_C(1000000000), day = 86400 * UINT64_C(1000000000);
	static const struct {
		uint64_t time_ns, serial;
	} steps[] = {
		{ 5, 1 },
		{ UINT64_C(1795344735) * 1000000000, 2 },
		{ UINT64_C(1795344735) * 1000000000 + 999999999, 3 }, /* the same second */
		{ UINT64_C(1795344736) * 1000000000, 4 },	      /* the next */
		{ UINT64_C(1795391999) * 1000000000, 5 },	      /* the day's last */
		{ UINT64_C(1795392000) * 1000000000, 6 },	      /* the next day */
		{ UINT64_C(1795391999) * 1000000000, 7 },	      /* the clock was set back */
		{ UINT64_C(1795391999) * 1000000000, 7 },	      /* not even the number changes */
		{ UINT64_C(1795391999) * 1000000000, 9 },	      /* numbers that went elsewhere */
		{ UINT64_C(1795391999) * 1000000000, 10 },
		{ UINT64_C(1795391999) * 1000000000, 999999998 },
		{ UINT64_C(1795391999) * 1000000000, 999999999 },
		{ UINT64_C(1795391999) * 1000000000, 1000000000 },
		{ UINT64_MAX, UINT64_MAX },
		{ 0, 5 },
	};
	struct fbk_cper_page r;
	uint8_t want[FBK_CPER_PAGE_LEN];
	uint64_t time_ns = 0, serial = 0;
	size_t i;

	assert_int_equal(fbk_cper_page_init(&r), 0);
	srand(7);
	for (i = 0; i < 20000; i++) {
		struct fbk_gpa page = { (uint64_t)rand() << 21 ^ (uint64_t)rand() };
		struct fbk_cper in = { .pages = &page, .nr_pages = 1 };

		if (i < ARRAY_SIZE(steps)) {
			time_ns = steps[i].time_ns;
			serial = steps[i].serial;
		} else {
			static const uint64_t by[] = { 0, 1000, second / 3, second, 60 * second, 3601 * second, day, 40 * day };

			time_ns += by[(uint32_t)rand() % ARRAY_SIZE(by)] * ((uint32_t)rand() % 3);
			serial += (uint32_t)rand() % 8 ? 1 : (uint32_t)rand() % 100000;
		}
		in.time_ns = time_ns;
		in.serial = serial;
		assert_int_equal(fbk_cper_encode(&in, want, sizeof(want)), sizeof(want));
		fbk_cper_page_set(&r, page, time_ns, serial);
		assert_memory_equal(r.bytes, want, sizeof(want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(processor),
		cmocka_unit_test(every_record_differs),
		cmocka_unit_test(bounds),
		cmocka_unit_test(kept_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
