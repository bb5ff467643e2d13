/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_cper.c - any pages, time, serial and buffer length: the record parses back, or nothing was written.
 */
#include "fuzz.h"

#include <firebreak/cper.h>

#include <errno.h>

static uint64_t le(const uint8_t *p, size_t n)
{
	struct fuzz f = { p, n };

	return fuzz_take(&f, n);
}

static void bcd(uint8_t v, uint32_t min, uint32_t max)
{
	uint32_t n = (v >> 4) * 10 + (v & 0xf);

	CHECK((v >> 4) < 10 && (v & 0xf) < 10 && n >= min && n <= max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	struct fbk_gpa pages[40];
	struct fbk_cper in = { .pages = pages };
	size_t room, need, i, k;
	uint8_t *buf, *p;
	int got;

	in.nr_pages = (uint32_t)fuzz_take(&f, 1) % 40;
	in.time_ns = fuzz_take(&f, 8);
	in.serial = fuzz_take(&f, 8);
	room = fuzz_take(&f, 2) % 5000;
	for (i = 0; i < in.nr_pages; i++)
		pages[i].addr = fuzz_take(&f, 8);
	buf = malloc(room + 1);
	CHECK(buf);
	memset(buf, 0xee, room + 1);
	got = fbk_cper_encode(&in, buf, room);
	need = 20 + 152 * (size_t)in.nr_pages;
	if (in.nr_pages == 0 || in.nr_pages > FBK_CPER_MAX_PAGES) {
		CHECK(got == -EINVAL);
	} else if (room < need) {
		CHECK(got == -ENOSPC);
	} else {
		CHECK((size_t)got == need);
		CHECK(le(buf, 4) >> 4 == in.nr_pages && le(buf + 12, 4) == need - 20);
		for (i = 0; i < in.nr_pages; i++) {
			p = buf + 20 + 152 * i;
			CHECK(le(p + 72 + 16, 8) == (pages[i].addr & FBK_PAGE_MASK));
			CHECK(memchr(p + 44, 0, 20));
			bcd(p[64], 0, 59);
			bcd(p[65], 0, 59);
			bcd(p[66], 0, 23);
			bcd(p[68], 1, 31);
			bcd(p[69], 1, 12);
			bcd(p[70], 0, 99);
			bcd(p[71], 19, 25);
		}
	}
	for (k = got < 0 ? 0 : (size_t)got; k <= room; k++)
		CHECK(buf[k] == 0xee);
	free(buf);
	return 0;
}
