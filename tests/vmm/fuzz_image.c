/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_image.c - any kernel header, any set of bad stretches: what is accepted lies in RAM, aligned, apart, and on good memory.
 */
#include "fuzz.h"

#include "image.h"
#include "platform.h"

#include <errno.h>

#define MAX_BAD 16

static void check_room(struct fbk_gpa at, uint64_t len, uint64_t ram_len, const struct fbk_bad *bad, unsigned int nr_bad)
{
	CHECK(at.addr >= FBK_FREE_GPA && at.addr < FBK_RAM_BASE + ram_len);
	CHECK(len <= FBK_RAM_BASE + ram_len - at.addr);
	for (unsigned int i = 0; i < nr_bad; i++)
		CHECK(bad[i].gpa.addr + bad[i].len <= at.addr || bad[i].gpa.addr >= at.addr + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	uint64_t file_len = fuzz_take(&f, 5), initrd_len = fuzz_take(&f, 5);
	uint64_t ram_len = FBK_RAM_MIN + fuzz_take(&f, 3) % 0x10000 * FBK_RAM_GRANULE;
	unsigned int nr_bad = fuzz_take(&f, 1) % MAX_BAD;
	struct fbk_bad bad[MAX_BAD];
	struct fbk_image image = { UINT64_MAX, UINT64_MAX };
	struct fbk_placement at = { { 1 }, { 1 } };
	uint64_t next = FBK_RAM_BASE;
	const char *why;
	int r;

	for (unsigned int i = 0; i < nr_bad; i++) {
		uint64_t both = fuzz_take(&f, 2);

		bad[i] = (struct fbk_bad){ { next }, ((both >> 12) + 1) * FBK_RAM_GRANULE };
		next += bad[i].len + ((both & 0xfff) + 1) * FBK_RAM_GRANULE;
	}
	r = fbk_image_parse(f.data, f.len, file_len, &image, &why);
	CHECK(r == 0 || r == -EBADMSG);
	CHECK((r == 0) == (why == NULL));
	if (r) {
		CHECK(image.text_offset == UINT64_MAX && image.len == UINT64_MAX);
		return 0;
	}
	CHECK(image.len >= file_len);
	r = fbk_image_place(&image, initrd_len, ram_len, bad, nr_bad, &at);
	CHECK(r == 0 || r == -ENOSPC || r == -E2BIG);
	if (r) {
		CHECK(at.kernel.addr == 1 && at.initrd.addr == 1);
		return 0;
	}
	check_room(at.kernel, image.len, ram_len, bad, nr_bad);
	CHECK((at.kernel.addr - image.text_offset) % FBK_KERNEL_ALIGN == 0);
	if (initrd_len) {
		check_room(at.initrd, initrd_len, ram_len, bad, nr_bad);
		CHECK(at.initrd.addr >= at.kernel.addr + image.len);
	}
	return 0;
}
