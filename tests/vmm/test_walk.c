/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* test_walk.c - translation tables as a guest may leave them: each granule, blocks, and every way to be none. */
#include "test.h"

#include "guest_memory.h"
#include "walk.h"

#include <errno.h>

#define BASE FBK_RAM_BASE
#define PAGE_DESC 3u
#define TABLE_DESC 3u
#define BLOCK_DESC 1u

enum { TG0_4K = 0, TG0_64K = 1, TG0_16K = 2, TG1_16K = 1, TG1_4K = 2, TG1_64K = 3 };

static uint64_t tcr(unsigned int t0sz, unsigned int tg0, unsigned int t1sz, unsigned int tg1)
{
	return t0sz | tg0 << 14 | t1sz << 16 | (uint64_t)tg1 << 30;
}

static void walk(struct test_ram *r, const struct fbk_walk_regs *regs, uint64_t va, int want, uint64_t gpa)
{
	struct fbk_gpa ret = { 0xdead };
	int got = fbk_walk(&r->gmem, regs, va, &ret);

	if (got != want || ret.addr != (want ? 0xdead : gpa))
		fail_msg("%#llx: %d, %#llx; not %d, %#llx", (unsigned long long)va, got, (unsigned long long)ret.addr, want,
			 (unsigned long long)gpa);
}

static void mmu_off(void **state)
{
	struct fbk_walk_regs regs = { .tcr = ~UINT64_C(0) };
	struct test_ram r;

	test_ram_open(&r);
	walk(&r, &regs, 0x40001234, 0, 0x40001000);
	test_ram_close(&r);
}

static void four_levels(void **state)
{
	struct fbk_walk_regs regs = { .sctlr = 1, .tcr = tcr(16, TG0_4K, 16, TG1_4K), .ttbr0 = BASE | UINT64_C(7) << 48 | 1,
				      .ttbr1 = BASE + 0x4000 };
	uint64_t va = UINT64_C(5) << 39 | UINT64_C(6) << 30 | UINT64_C(7) << 21 | UINT64_C(8) << 12 | 0x123;
	struct test_ram r;

	test_ram_open(&r);
	test_ram_put(&r, 5 * 8, (BASE + 0x1000) | TABLE_DESC, 8);
	test_ram_put(&r, 0x1000 + 6 * 8, (BASE + 0x2000) | TABLE_DESC | UINT64_C(1) << 59, 8); /* with attributes */
	test_ram_put(&r, 0x2000 + 7 * 8, (BASE + 0x3000) | TABLE_DESC, 8);
	test_ram_put(&r, 0x3000 + 8 * 8, 0x45678000 | PAGE_DESC | 1 << 10 | UINT64_C(3) << 53, 8);
	walk(&r, &regs, va, 0, 0x45678000);
	walk(&r, &regs, va | UINT64_C(0xab) << 56, 0, 0x45678000); /* a tag */
	walk(&r, &regs, va + 0x1000, -EFAULT, 0);
	walk(&r, &regs, va | UINT64_C(1) << 48, -EFAULT, 0); /* between the halves */
	/* Blocks of 2 MiB and 1 GiB; none of 512 GiB. */
	test_ram_put(&r, 0x2000 + 7 * 8, 0x45600000 | BLOCK_DESC, 8);
	walk(&r, &regs, va, 0, 0x45608000);
	test_ram_put(&r, 0x1000 + 6 * 8, 0x40000000 | BLOCK_DESC, 8);
	walk(&r, &regs, va, 0, 0x40e08000);
	test_ram_put(&r, 5 * 8, BLOCK_DESC, 8);
	walk(&r, &regs, va, -EFAULT, 0);
	test_ram_put(&r, 5 * 8, 0, 8);
	walk(&r, &regs, va, -EFAULT, 0);
	/* A table outside of memory. */
	test_ram_put(&r, 5 * 8, 0x1000 | TABLE_DESC, 8);
	walk(&r, &regs, va, -EFAULT, 0);
	/* A page's descriptor must not look like a block's. */
	test_ram_put(&r, 5 * 8, (BASE + 0x1000) | TABLE_DESC, 8);
	test_ram_put(&r, 0x1000 + 6 * 8, (BASE + 0x2000) | TABLE_DESC, 8);
	test_ram_put(&r, 0x2000 + 7 * 8, (BASE + 0x3000) | TABLE_DESC, 8);
	test_ram_put(&r, 0x3000 + 8 * 8, 0x45678000 | BLOCK_DESC, 8);
	walk(&r, &regs, va, -EFAULT, 0);
	/* The kernel's half. */
	test_ram_put(&r, 0x4000 + 511 * 8, (BASE + 0x5000) | TABLE_DESC, 8);
	test_ram_put(&r, 0x5000 + 0 * 8, 0x40000000 | BLOCK_DESC, 8);
	walk(&r, &regs, UINT64_C(0xffffff8000001fff), 0, 0x40001000);
	/* Walks are off. */
	regs.tcr |= 1 << 7;
	walk(&r, &regs, va, -EFAULT, 0);
	walk(&r, &regs, UINT64_C(0xffffff8000001fff), 0, 0x40001000);
	regs.tcr |= 1 << 23;
	walk(&r, &regs, UINT64_C(0xffffff8000001fff), -EFAULT, 0);
	test_ram_close(&r);
}

static void granules(void **state)
{
	struct fbk_walk_regs regs = { .sctlr = 1, .ttbr0 = BASE };
	struct test_ram r;

	test_ram_open(&r);
	/* 64 KiB, 42 bits: two levels. */
	regs.tcr = tcr(22, TG0_64K, 22, TG1_64K);
	test_ram_put(&r, 3 * 8, UINT64_C(0x60000000) | BLOCK_DESC, 8); /* 512 MiB */
	walk(&r, &regs, UINT64_C(3) << 29 | 0x123456, 0, 0x60123000);
	/* 16 KiB, 47 bits: a block of 32 MiB behind one table. */
	regs.tcr = tcr(17, TG0_16K, 17, TG1_16K);
	test_ram_put(&r, 1 * 8, (BASE + 0x4000) | TABLE_DESC, 8);
	test_ram_put(&r, 0x4000 + 2 * 8, UINT64_C(0x42000000) | BLOCK_DESC, 8);
	walk(&r, &regs, UINT64_C(1) << 36 | UINT64_C(2) << 25 | 0x5678, 0, 0x42005000);
	/* 4 KiB, 39 bits: three levels; 25 bits: two, the first with 16 entries. */
	regs.tcr = tcr(25, TG0_4K, 25, TG1_4K);
	test_ram_put(&r, 4 * 8, UINT64_C(0x80000000) | BLOCK_DESC, 8);
	walk(&r, &regs, UINT64_C(4) << 30 | 0x7000, 0, 0x80007000);
	regs.tcr = tcr(39, TG0_4K, 25, TG1_4K);
	test_ram_put(&r, 15 * 8, UINT64_C(0x40200000) | BLOCK_DESC, 8);
	walk(&r, &regs, UINT64_C(15) << 21 | 0x7000, 0, 0x40207000);
	walk(&r, &regs, UINT64_C(16) << 21, -EFAULT, 0);
	/* Not known: a reserved granule, 52 bits, too few. */
	regs.tcr = tcr(16, 3, 16, TG1_4K);
	walk(&r, &regs, 0, -EOPNOTSUPP, 0);
	regs.tcr = tcr(12, TG0_64K, 16, TG1_4K);
	walk(&r, &regs, 0, -EOPNOTSUPP, 0);
	regs.tcr = tcr(40, TG0_4K, 16, TG1_4K);
	walk(&r, &regs, 0, -EOPNOTSUPP, 0);
	regs.tcr = tcr(16, TG0_4K, 16, 0);
	walk(&r, &regs, ~UINT64_C(0), -EOPNOTSUPP, 0);
	regs.tcr = tcr(16, TG0_4K, 16, TG1_4K) | UINT64_C(1) << 59;
	walk(&r, &regs, 0, -EOPNOTSUPP, 0);
	test_ram_close(&r);
}

/* A table that is its own next one: four reads, and an end. */
static void loops(void **state)
{
	struct fbk_walk_regs regs = { .sctlr = 1, .tcr = tcr(16, TG0_4K, 16, TG1_4K), .ttbr0 = BASE };
	struct test_ram r;

	test_ram_open(&r);
	test_ram_put(&r, 0, BASE | TABLE_DESC, 8);
	walk(&r, &regs, 0x123, 0, BASE);
	/* In a bad page. */
	test_ram_put(&r, 0, (BASE + 0x8000) | TABLE_DESC, 8);
	test_ram_cut(&r, 0x8000);
	walk(&r, &regs, 0x123, -EFAULT, 0);
	test_ram_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mmu_off),
		cmocka_unit_test(four_levels),
		cmocka_unit_test(granules),
		cmocka_unit_test(loops),
	};

	return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
