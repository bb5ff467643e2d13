/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fake_guest.h - what a Linux guest does with its error blocks: guest memory, an ACPI reader and its acknowledgement.
 */
#ifndef FBK_TESTS_FAKE_GUEST_H
#define FBK_TESTS_FAKE_GUEST_H

#include <firebreak/ghes.h>
#include <firebreak/gmem.h>

#define FAKE_RAM_GPA 0x40000000
#define FAKE_RAM_LEN (UINT64_C(4) << 20)
#define FAKE_GHES_GPA 0x40200000

struct fake_guest {
	unsigned char *ram;
	struct fbk_gmem gmem;
	struct fbk_ghes_layout layout;
};

void fake_guest_init(struct fake_guest *g);
void fake_guest_exit(struct fake_guest *g);

unsigned char *fake_guest_at(struct fake_guest *g, struct fbk_gpa gpa);

/* What the guest found: the pages, in order, and the raw record. */
struct fake_record {
	uint32_t nr_pages;
	uint64_t pages[32];
	uint32_t nr_processors; /* ARM processor error sections */
	unsigned char processor[72];
	uint32_t len;
	unsigned char raw[4096];
};

/*
 * Reads one source as Linux does: pointer, block, every section; clears the block and acknowledges when asked to.
 * Return: 1 there was a record, 0 the block was empty. A malformed record fails the test.
 */
int fake_guest_read(struct fake_guest *g, enum fbk_ghes_source s, int acknowledge, struct fake_record *ret);

#endif
