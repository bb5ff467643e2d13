/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_ledger.c - the ledger against a plain table, with addresses made to collide and a ledger that is often full.
 */
#include "fuzz.h"

#include <firebreak/ledger.h>

#include <errno.h>

#define PAGES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	uint64_t storage[PAGES * 4 + 8] = { 0 };
	struct {
		uint32_t count, sources;
		uint64_t first;
		enum fbk_page_state state;
	} table[256] = { 0 };
	uint32_t max_pages = 1 + (uint32_t)fuzz_take(&f, 1) % PAGES, pages = 0, cursor = 0, seen = 0;
	uint64_t stride = fuzz_take(&f, 5) | 1;
	struct fbk_ledger_entry e;
	struct fbk_ledger l;
	int err;

	CHECK(fbk_ledger_init(&l, storage, sizeof(storage), max_pages) == 0);
	while (f.len) {
		uint8_t op = (uint8_t)fuzz_take(&f, 1), n = (uint8_t)fuzz_take(&f, 1);
		struct fbk_gpa gpa = { n * stride * FBK_PAGE_SIZE + op };
		uint64_t now = fuzz_take(&f, 4) << 20;

		if (op & 1) {
			enum fbk_source source = (enum fbk_source)(op >> 1 & 7);

			err = fbk_ledger_record(&l, gpa, source, now, &e);
			if (source >= FBK_NR_SOURCES) {
				CHECK(err == -EINVAL);
				continue;
			}
			if (!table[n].count && pages == max_pages) {
				CHECK(err == -ENOSPC);
				continue;
			}
			CHECK(err == !table[n].count);
			if (!table[n].count || table[n].state == FBK_PAGE_HEALED || table[n].sources >> source & 1)
				table[n].count++;
			if (err) {
				pages++;
				table[n].first = now;
				table[n].state = FBK_PAGE_POISONED;
			}
			if (table[n].state == FBK_PAGE_HEALED)
				table[n].state = FBK_PAGE_POISONED;
			table[n].sources |= 1u << source;
		} else {
			enum fbk_page_state state = (enum fbk_page_state)(op >> 1 & 7);

			err = fbk_ledger_set_state(&l, gpa, state);
			if (state < FBK_PAGE_POISONED || state > FBK_PAGE_HEALED) {
				CHECK(err == -EINVAL);
				continue;
			}
			CHECK(err == (table[n].count ? 0 : -ENOENT));
			if (!err)
				table[n].state = state;
		}
		err = fbk_ledger_lookup(&l, gpa, &e);
		CHECK(err == (table[n].count ? 0 : -ENOENT));
		if (err)
			continue;
		CHECK(e.gpa.addr == (gpa.addr & FBK_PAGE_MASK));
		CHECK(e.count == table[n].count && e.sources == table[n].sources);
		CHECK(e.state == table[n].state && e.first_ns == table[n].first && e.last_ns >= e.first_ns);
	}
	CHECK(fbk_ledger_pages(&l) == pages);
	while (fbk_ledger_next(&l, &cursor, &e) == 0)
		seen++;
	CHECK(seen == pages);
	return 0;
}
