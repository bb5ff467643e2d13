/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* tables.c - see hostile.h. One level-1 table for 39 bits of address. [ARM-ARM D8 "VMSAv8-64 descriptor formats"] */
#include "hostile.h"

#define BLOCK UINT64_C(1)
#define ATTRIBUTES(i) ((uint64_t)(i) << 2)
#define INNER_SHAREABLE (UINT64_C(3) << 8)
#define ACCESSED (UINT64_C(1) << 10)

enum { DEVICE, CACHED, UNCACHED };
#define MAIR UINT64_C(0x44ff00) /* those three */

/* 39 bits; walks uncached, so that what was written before is seen; 4 KiB; no upper half; 48 bits of output */
#define TCR (UINT64_C(25) | UINT64_C(3) << 12 | UINT64_C(1) << 23 | UINT64_C(5) << 32)
#define SCTLR_ON (UINT64_C(1) | UINT64_C(1) << 2 | UINT64_C(1) << 12) /* MMU, caches */

static uint64_t table[512] __attribute__((aligned(4096)));

static void map(uint64_t va, uint64_t gpa, unsigned int how)
{
	table[va >> 30] = gpa | BLOCK | ATTRIBUTES(how) | ACCESSED | (how == DEVICE ? 0 : INNER_SHAREABLE);
}

void tables_build(void)
{
	map(0, 0, DEVICE);
	map(FBK_RAM_BASE, FBK_RAM_BASE, CACHED);
	map(VIEW_NORMAL, 0, UNCACHED);
	map(VIEW_CACHED, 0, CACHED);
	map(VIEW_BEHIND, UINT64_C(2) << 30, DEVICE);
	map(VIEW_BEHIND_NORMAL, UINT64_C(3) << 30, UNCACHED);
	map(VIEW_4G, UINT64_C(4) << 30, UNCACHED);
	map(VIEW_512G, UINT64_C(511) << 30, UNCACHED);
	map(VIEW_256T, (UINT64_C(1) << 48) - (UINT64_C(1) << 30), DEVICE);
}

void tables_use(void)
{
	uint64_t sctlr;

	__asm__ volatile("msr mair_el1, %0\n\tmsr tcr_el1, %1\n\tmsr ttbr0_el1, %2\n\tisb\n\ttlbi vmalle1\n\tdsb sy\n\tisb" : :
			 "r"(MAIR), "r"(TCR), "r"(table) : "memory");
	__asm__ volatile("mrs %0, sctlr_el1" : "=r"(sctlr));
	/* Alignment is not checked: what KVM makes of unaligned accesses is of interest. */
	sctlr = (sctlr | SCTLR_ON) & ~(UINT64_C(1) << 1);
	__asm__ volatile("msr sctlr_el1, %0\n\tisb" : : "r"(sctlr) : "memory");
}
