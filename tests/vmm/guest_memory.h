/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * guest_memory.h - guest RAM for tests: a mapped file, so that a page can be taken away under the device's feet.
 *
 * A page behind the file's end gives SIGBUS to a copy and EFAULT to a system call, as a poisoned one does.
 */
#ifndef FBK_TESTS_GUEST_MEMORY_H
#define FBK_TESTS_GUEST_MEMORY_H

#include "platform.h"

#include <firebreak/gmem.h>

#define TEST_RAM_LEN UINT64_C(0x10000)

struct test_ram {
	struct fbk_gmem gmem;
	uint8_t *at;
	int fd;
};

void test_ram_open(struct test_ram *r);
void test_ram_close(struct test_ram *r);
/* Pages from this offset on are bad until test_ram_close(). */
void test_ram_cut(struct test_ram *r, uint64_t offset);

/* Little-endian store of @width bytes at an offset of RAM. */
void test_ram_put(struct test_ram *r, uint64_t offset, uint64_t val, unsigned int width);
uint64_t test_ram_get(const struct test_ram *r, uint64_t offset, unsigned int width);

#endif
