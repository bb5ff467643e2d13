/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* garbage.c - numbers, addresses and lengths that are wrong in ways that matter. */
#include "hostile.h"

/* [Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014] */
uint64_t any(struct garbage *g)
{
	uint64_t z = g->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t below(struct garbage *g, uint64_t end)
{
	return any(g) % end;
}

bool one_in(struct garbage *g, uint64_t n)
{
	return below(g, n) == 0;
}

/* Does a device that takes it for an address reach what keeps this guest going? */
static bool ours(uint64_t n)
{
	n &= UINT32_MAX;
	return n >= FBK_FREE_GPA && n < RINGS_GPA;
}

uint64_t number(struct garbage *g)
{
	static const uint64_t odd[] = {
		0, 0, 1, 1, 2, 3, 4, 7, 8, 11, 15, 16, 64, 127, 128, 255, 256, 257, 0x1000, 0x7fff, 0x8000, 0xffff, 0x10000,
		0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
		0xffffffffffffffff,
	};
	uint64_t n;

	switch (below(g, 4)) {
	case 0:
		n = any(g);
		break;
	case 1:
		n = place(g);
		break;
	default:
		n = odd[below(g, sizeof(odd) / sizeof(odd[0]))];
	}
	return ours(n) ? 0 : n;
}

uint64_t place(struct garbage *g)
{
	uint64_t n;

	switch (below(g, 16)) {
	case 0:
		return RAM_END - below(g, 64); /* the very end of RAM */
	case 1:
		return RAM_END - below(g, 8192);
	case 2:
		return FBK_RAM_BASE - below(g, 64);
	case 3:
		return FBK_RAM_BASE + below(g, 0x10000); /* tables */
	case 4:
		return FBK_RECORDS_GPA + below(g, 0x10000);
	case 5:
		return FBK_VIRTIO_BASE + below(g, FBK_MAX_VIRTIO * FBK_VIRTIO_STRIDE);
	case 6:
		return FBK_GICD_BASE + below(g, 0x200000);
	case 7:
		return UINT64_MAX - below(g, 8192);
	case 8:
		n = any(g);
		return ours(n) ? 0 : n;
	case 9:
		return RINGS_GPA + below(g, 64 * RINGS_LEN);
	default:
		return BUFFERS_GPA + (below(g, BUFFERS_LEN) & ~(one_in(g, 4) ? UINT64_C(0) : UINT64_C(15)));
	}
}

/*
 * At most 64 KiB of anything that is there: from the tables it does not reach this guest, and of a disk a request does not reach
 * the end (virtio-chains.c).
 */
uint32_t length(struct garbage *g)
{
	static const uint32_t odd[] = {
		0, 1, 2, 8, 11, 12, 15, 16, 17, 32, 511, 512, 513, 1024, 4095, 4096, 65536, 0x7fffffff, 0x80000000, 0xffffffff,
	};

	return odd[below(g, sizeof(odd) / sizeof(odd[0]))];
}

void scribble(struct garbage *g, uint64_t gpa, size_t len)
{
	for (size_t at = 0; at + 8 <= len; at += 8)
		write64(gpa + at, one_in(g, 3) ? number(g) : any(g));
}
