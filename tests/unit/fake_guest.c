/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fake_guest.c - what a Linux guest does with its error blocks.
 */
#include "test.h"

#include "fake_guest.h"

#include <string.h>
#include <sys/mman.h>

static uint64_t le(const unsigned char *p, size_t len)
{
	uint64_t v = 0;
	size_t i;

	for (i = len; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

void fake_guest_init(struct fake_guest *g)
{
	struct fbk_gmem_region r = { .gpa = { FAKE_RAM_GPA }, .len = FAKE_RAM_LEN };

	memset(g, 0, sizeof(*g));
	g->ram = mmap(NULL, FAKE_RAM_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(g->ram, MAP_FAILED);
	r.hva.addr = (uintptr_t)g->ram;
	assert_int_equal(fbk_gmem_add(&g->gmem, &r), 0);
	assert_int_equal(fbk_ghes_layout_init(&g->layout, (struct fbk_gpa){ FAKE_GHES_GPA }), 0);
	assert_int_equal(fbk_ghes_area_build(&g->layout, fake_guest_at(g, (struct fbk_gpa){ FAKE_GHES_GPA }),
					     FBK_GHES_AREA_LEN),
			 0);
}

void fake_guest_exit(struct fake_guest *g)
{
	munmap(g->ram, FAKE_RAM_LEN);
}

unsigned char *fake_guest_at(struct fake_guest *g, struct fbk_gpa gpa)
{
	assert_true(gpa.addr >= FAKE_RAM_GPA && gpa.addr < FAKE_RAM_GPA + FAKE_RAM_LEN);
	return g->ram + (gpa.addr - FAKE_RAM_GPA);
}

int fake_guest_read(struct fake_guest *g, enum fbk_ghes_source s, int acknowledge, struct fake_record *ret)
{
	static const unsigned char memory[16] = "\x14\x11\xbc\xa5\x64\x6f\xde\x4e\xb8\x63\x3e\x83\xed\x7c\x83\xb1";
	static const unsigned char processor[16] = "\x16\x3d\x9e\xe1\x11\xbc\xe4\x11\x9c\xaa\xc2\x05\x1d\x5d\x46\xb0";
	unsigned char *block, *ack, *p;
	uint32_t status, len;

	block = fake_guest_at(g, (struct fbk_gpa){ le(fake_guest_at(g, g->layout.source[s].pointer), 8) });
	ack = fake_guest_at(g, g->layout.source[s].ack);
	status = (uint32_t)le(block, 4);
	if (status == 0)
		return 0;

	memset(ret, 0, sizeof(*ret));
	len = (uint32_t)le(block + 12, 4);
	ret->len = 20 + len;
	assert_true(ret->len <= FBK_GHES_BLOCK_LEN);
	memcpy(ret->raw, block, ret->len);
	assert_int_equal(status & 3, 1);	  /* uncorrectable */
	assert_int_equal(le(block + 8, 4), 0);	  /* no raw data */
	assert_int_equal(le(block + 16, 4), 0);	  /* recoverable */
	for (p = block + 20; p < block + ret->len; p += 72 + le(p + 24, 4)) {
		assert_int_equal(le(p + 16, 4), 0);	/* recoverable */
		assert_int_equal(le(p + 20, 2), 0x300); /* with timestamp */
		assert_int_equal(p[22], 6);		/* FRU text, timestamp */
		if (!memcmp(p, processor, 16)) {
			assert_int_equal(le(p + 24, 4), 72);
			assert_int_equal(ret->nr_pages, 0); /* in front */
			memcpy(ret->processor, p + 72, 72);
			ret->nr_processors++;
			continue;
		}
		assert_memory_equal(p, memory, 16);
		assert_int_equal(le(p + 24, 4), 80);
		assert_int_equal(le(p + 72, 8) & 0x4006, 0x4006);	/* address, mask, type */
		assert_int_equal(le(p + 72 + 24, 8), ~UINT64_C(0xfff)); /* mask */
		ret->pages[ret->nr_pages++] = le(p + 72 + 16, 8);
	}
	assert_ptr_equal(p, block + ret->len);
	assert_int_equal(status >> 4 & 0x3ff, ret->nr_pages + ret->nr_processors);
	if (acknowledge) {
		memset(block, 0, 4);
		ack[0] = 1;
	}
	return 1;
}
