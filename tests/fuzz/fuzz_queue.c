/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_queue.c - the ring of page ranges against a set of pages.
 *
 * Built a second time with PLANTED_BUG, it must fail: pushes of one certain shape then lose a page, and only the
 * comparison with the set can tell.
 */
#include "fuzz.h"

#include "core/queue.h"

#define PAGES 96
#define CAP 12

static int push(struct fbk_queue *q, uint32_t page, uint32_t nr)
{
	int grown = fbk_queue_push(q, page * FBK_PAGE_SIZE, nr);

#ifdef PLANTED_BUG
	if (page == 42 && nr == 3 && grown == 2)
		(void)fbk_queue_remove(q, 43 * FBK_PAGE_SIZE);
#endif
	return grown;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	struct fbk_range ring[CAP];
	struct fbk_gpa out[PAGES];
	uint8_t set[PAGES] = { 0 };
	struct fbk_queue q;
	uint32_t size = 0, i, n;

	fbk_queue_init(&q, ring, CAP);
	while (f.len) {
		uint8_t op = (uint8_t)fuzz_take(&f, 1) % 4;
		uint32_t page = (uint32_t)fuzz_take(&f, 1) % PAGES;
		uint32_t nr = 1 + (uint32_t)fuzz_take(&f, 1) % 8;
		int got, want = 0;

		if (page + nr > PAGES)
			nr = PAGES - page;
		switch (op) {
		case 0:
		case 1:
			for (i = page; i < page + nr; i++)
				want += !set[i];
			got = push(&q, page, nr);
			if (got < 0) {
				CHECK(q.nr == CAP);
				break;
			}
			CHECK(got == want);
			memset(set + page, 1, nr);
			size += (uint32_t)want;
			break;
		case 2:
			got = fbk_queue_remove(&q, page * FBK_PAGE_SIZE);
			CHECK(got ? set[page] : !set[page] || q.nr == CAP);
			if (got) {
				set[page] = 0;
				size--;
			}
			break;
		default:
			n = fbk_queue_peek(&q, out, nr);
			for (i = 0; i < n; i++) {
				CHECK(set[out[i].addr / FBK_PAGE_SIZE]);
				set[out[i].addr / FBK_PAGE_SIZE] = 0;
			}
			fbk_queue_drop(&q, n);
			size -= n;
		}
		CHECK(q.nr <= CAP);
		CHECK(fbk_queue_peek(&q, out, PAGES) == size);
		for (i = 0; i < size; i++)
			CHECK(out[i].addr / FBK_PAGE_SIZE < PAGES && set[out[i].addr / FBK_PAGE_SIZE]);
	}
	return 0;
}
