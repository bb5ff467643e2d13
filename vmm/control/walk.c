/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* walk.c - see walk.h. Fields of registers and descriptors: [ARM-ARM "TCR_EL1", "VMSAv8-64 descriptor formats"]. */
#include "walk.h"

#include <errno.h>

#define BITS(val, low, nr) ((val) >> (low) & ((UINT64_C(1) << (nr)) - 1))

enum { SCTLR_M = 1 << 0 };

/* log2 of the granule; the two halves of TCR_EL1 number them differently. 0: reserved. */
static unsigned int granule(uint64_t tcr, int high)
{
	static const unsigned char tg0[4] = { 12, 16, 14, 0 }, tg1[4] = { 0, 14, 12, 16 };

	return high ? tg1[BITS(tcr, 30, 2)] : tg0[BITS(tcr, 14, 2)];
}

static int step(const struct fbk_gmem *gmem, uint64_t at, uint64_t *ret)
{
	uint8_t raw[8];

	if (fbk_gmem_read(gmem, (struct fbk_gpa){ at }, raw, sizeof(raw), NULL))
		return -EFAULT;
	*ret = 0;
	for (unsigned int i = 0; i < 8; i++)
		*ret |= (uint64_t)raw[i] << (8 * i);
	return 0;
}

int fbk_walk(const struct fbk_gmem *gmem, const struct fbk_walk_regs *regs, uint64_t va, struct fbk_gpa *ret)
{
	enum { VALID = 1, TABLE = 2 };
	int high = BITS(va, 55, 1);
	uint64_t desc, table, offset = va & 0xfff, mask;
	unsigned int shift, stride, bits, level;
	int r;

	if (!(regs->sctlr & SCTLR_M)) {
		ret->addr = va & ~offset;
		return 0;
	}
	if (BITS(regs->tcr, high ? 23 : 7, 1)) /* EPD: no walks in this half */
		return -EFAULT;
	shift = granule(regs->tcr, high);
	bits = 64 - BITS(regs->tcr, high ? 16 : 0, 6);
	if (!shift || bits > 48 || bits < 25 || BITS(regs->tcr, 59, 1)) /* DS: LPA2 */
		return -EOPNOTSUPP;
	/* The bits above must all be those of its half; the topmost byte may be a tag. */
	mask = ((UINT64_C(1) << 56) - 1) & ~((UINT64_C(1) << bits) - 1);
	if ((va & mask) != (high ? mask : 0))
		return -EFAULT;
	stride = shift - 3;
	level = 4 - (bits - shift + stride - 1) / stride;
	/* Without the ASID, and without CnP. The first table may be smaller than a granule. */
	table = BITS(high ? regs->ttbr1 : regs->ttbr0, 1, 47) << 1;
	for (;; level++) {
		unsigned int low = shift + (3 - level) * stride, width = bits - low < stride ? bits - low : stride;

		r = step(gmem, table + 8 * BITS(va, low, width), &desc);
		if (r)
			return r;
		if (!(desc & VALID))
			return -EFAULT;
		if (level == 3 || !(desc & TABLE)) {
			if (level == 3 && !(desc & TABLE))
				return -EFAULT; /* reserved */
			if (!level || (level == 1 && shift != 12))
				return -EFAULT; /* no blocks there */
			mask = (UINT64_C(1) << low) - 1;
			ret->addr = ((desc & ((UINT64_C(1) << 48) - 1) & ~mask) | (va & mask)) & ~UINT64_C(0xfff);
			return 0;
		}
		table = BITS(desc, shift, 48 - shift) << shift;
		bits = low;
	}
}
