/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ghes.c - the error records overwritten without end, acknowledged at random, while the host breaks the pages from VICTIMS_GPA
 * on and this guest touches them, and lets devices do so. It ends when a key is pressed.
 */
#include "hostile.h"

#define MOST_MS 120000

static void lie(struct garbage *g)
{
	uint64_t base = FBK_RECORDS_GPA;

	switch (below(g, 6)) {
	case 0: /* pointers and acknowledgements of both sources */
		scribble(g, base, 32);
		break;
	case 1:
		write64(base + 8, any(g));
		write64(base + 24, any(g));
		break;
	case 2: /* acknowledged */
		write64(base + 8, 1);
		write64(base + 24, 1);
		break;
	case 3: /* the heads of both blocks */
		scribble(g, base + FBK_GHES_BLOCK_LEN, 64);
		scribble(g, base + 2 * FBK_GHES_BLOCK_LEN, 64);
		break;
	case 4:
		scribble(g, base + (below(g, FBK_RECORDS_LEN) & ~UINT64_C(7)), 8);
		break;
	case 5:
		scribble(g, base, 3 * FBK_GHES_BLOCK_LEN);
		break;
	}
}

void attack_ghes(struct attack *a)
{
	struct garbage *g = &a->garbage;
	uint64_t until = milliseconds() + MOST_MS;

	while (!over && milliseconds() < until) {
		uint64_t n = below(g, NR_VICTIMS), at = VICTIMS_GPA + n * FBK_PAGE_SIZE + (below(g, FBK_PAGE_SIZE) & ~UINT64_C(7));

		for (unsigned int i = 0; i < 64; i++)
			lie(g);
		if (n % 2) /* never written: zeros, which are no instruction */
			jump(at);
		else if (one_in(g, 2))
			read64(at);
		else
			write64(at, any(g));
		if (!a->cpu && typed() >= 0)
			break;
	}
}
