/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_ram.h - the guest RAM of a fuzz target: whoever runs over its ends is ended.
 */
#ifndef FBK_TESTS_FUZZ_RAM_H
#define FBK_TESTS_FUZZ_RAM_H

#include "fuzz.h"

#include "platform.h"

#include <firebreak/gmem.h>

#include <sys/mman.h>

#define FUZZ_RAM_GUARD 0x10000

/* @len bytes at FBK_RAM_BASE, the only region of @gmem. */
static inline uint8_t *fuzz_ram_open(struct fbk_gmem *gmem, size_t len)
{
	struct fbk_gmem_region region = { .gpa = { FBK_RAM_BASE }, .len = len };
	uint8_t *all, *ram;

	all = mmap(NULL, len + 2 * FUZZ_RAM_GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(all != MAP_FAILED);
	ram = all + FUZZ_RAM_GUARD;
	CHECK(!mprotect(ram, len, PROT_READ | PROT_WRITE));
	region.hva.addr = (uintptr_t)ram;
	CHECK(!fbk_gmem_add(gmem, &region));
	return ram;
}

#endif
