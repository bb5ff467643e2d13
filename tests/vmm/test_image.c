/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_image.c - kernel headers, good and hostile, and where kernel and initrd are put.
 */
#include "test.h"

#include "bytes.h"
#include "image.h"
#include "platform.h"

#define MIB (UINT64_C(1) << 20)

struct header {
	uint8_t b[FBK_IMAGE_HEADER_LEN];
};

static struct header good(void)
{
	struct header h = { { 0 } };
	struct fbk_bytes b;

	fbk_bytes_init(&b, h.b, sizeof(h.b));
	fbk_put(&b, "MZ\0\0", 4);
	fbk_put_u32(&b, 0);
	fbk_put_u64(&b, 0);
	fbk_put_u64(&b, 16 * MIB);
	fbk_put_u64(&b, 0xa);
	fbk_put_zero(&b, 24);
	fbk_put(&b, "ARM\x64", 4);
	return h;
}

static void a_good_header(void **state)
{
	struct header h = good();
	struct fbk_image image;
	const char *why;

	assert_int_equal(fbk_image_parse(h.b, sizeof(h.b), 10 * MIB, &image, &why), 0);
	assert_int_equal(image.len, 16 * MIB);
	assert_int_equal(image.text_offset, 0);
	/* A signature behind the image is part of the file, and takes room. */
	assert_int_equal(fbk_image_parse(h.b, sizeof(h.b), 17 * MIB, &image, &why), 0);
	assert_int_equal(image.len, 17 * MIB);
}

static void hostile_headers(void **state)
{
	static const struct {
		const char *what, *says;
		unsigned int at, len;
		uint8_t bytes[8];
	} rows[] = {
		{ "gzip", "gzip", 0, 2, { 0x1f, 0x8b } },
		{ "zboot", "zboot", 4, 4, { 'z', 'i', 'm', 'g' } },
		{ "ELF", "ELF", 0, 4, { 0x7f, 'E', 'L', 'F' } },
		{ "magic", "no arm64 Linux Image", 56, 1, { 'a' } },
		{ "no size", "no image size", 16, 8, { 0 } },
		{ "vast size", "nonsense size", 16, 8, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
		{ "big-endian", "big-endian", 24, 1, { 1 } },
		{ "text offset beyond 2 MiB", "text offset", 8, 4, { 0, 0, 0x20, 0 } },
		{ "odd text offset", "text offset", 8, 4, { 1, 0, 0, 0 } },
		{ "wrapping text offset", "text offset", 8, 8, { 0, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_image image = { 1, 2 };
		struct header h = good();
		const char *why;

		memcpy(h.b + rows[i].at, rows[i].bytes, rows[i].len);
		if (fbk_image_parse(h.b, sizeof(h.b), 10 * MIB, &image, &why) != -EBADMSG || !strstr(why, rows[i].says))
			fail_msg("%s: %s", rows[i].what, why);
		assert_int_equal(image.text_offset, 1);
		assert_int_equal(image.len, 2);
	}
}

static void every_truncation(void **state)
{
	struct header h = good();
	struct fbk_image image;
	const char *why;

	for (size_t len = 0; len < sizeof(h.b); len++)
		assert_int_equal(fbk_image_parse(h.b, len, len, &image, &why), -EBADMSG);
}

static void places(void **state)
{
	const struct fbk_image image = { .len = 40 * MIB };
	struct fbk_placement at;

	assert_int_equal(fbk_image_place(&image, 8 * MIB, 64 * MIB, NULL, 0, &at), 0);
	assert_int_equal(at.kernel.addr, FBK_RAM_BASE + 2 * MIB);
	assert_int_equal(at.initrd.addr, FBK_RAM_BASE + 42 * MIB);
	/* To the last byte. */
	assert_int_equal(fbk_image_place(&image, 22 * MIB, 64 * MIB, NULL, 0, &at), 0);
	assert_int_equal(fbk_image_place(&image, 22 * MIB + 1, 64 * MIB, NULL, 0, &at), -E2BIG);
	assert_int_equal(fbk_image_place(&image, UINT64_MAX, 64 * MIB, NULL, 0, &at), -E2BIG);
	assert_int_equal(fbk_image_place(&image, 0, 42 * MIB, NULL, 0, &at), 0);
	assert_int_equal(fbk_image_place(&image, 0, 42 * MIB - 65536, NULL, 0, &at), -ENOSPC);
}

static void places_around_bad_pages(void **state)
{
	const struct fbk_bad bad[] = {
		{ { FBK_RAM_BASE + 3 * MIB }, 0x10000 },
		{ { FBK_RAM_BASE + 40 * MIB }, 2 * MIB },
		{ { FBK_RAM_BASE + 80 * MIB }, 11 * MIB },
	};
	const struct fbk_image image = { .len = 60 * MIB };
	struct fbk_placement at;

	assert_int_equal(fbk_image_place(&image, 8 * MIB, 256 * MIB, bad, 3, &at), 0);
	/* Above the first it would meet the second, above the second the third. */
	assert_int_equal(at.kernel.addr, FBK_RAM_BASE + 92 * MIB);
	assert_int_equal(at.initrd.addr, FBK_RAM_BASE + 152 * MIB);
	assert_int_equal(fbk_image_place(&image, 0, 100 * MIB, bad, 3, &at), -ENOSPC);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_header),    cmocka_unit_test(hostile_headers),
		cmocka_unit_test(every_truncation), cmocka_unit_test(places),
		cmocka_unit_test(places_around_bad_pages),
	};

	return cmocka_run_group_tests_name("vmm-image", tests, NULL, NULL);
}
