/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Two vCPUs meet errors at the same moment, again and again: the second one comes, as often as not, before the guest
 * has acknowledged the first.
 */
#include "harness.h"

FBK_SCENARIO("08-two-vcpus-at-once", "newest", 4,
	     "guest: the program's count of SIGBUS and its data, HardwareCorrupted grows by 4 kB a page");

#define ROUNDS 20

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	long before = fbk_guest_meminfo(g, "HardwareCorrupted");
	struct fbk_victim v;
	const char *line;
	size_t i;

	fbk_victim_start(&v, g, "threads 20");
	FBK_CHECK_EQ(v.nr_pages, 2 * ROUNDS);
	for (i = 0; i < v.nr_pages; i++)
		fbk_inject(g, v.page[i], "");
	fbk_victim_go(&v);
	fbk_victim_lives(&v);
	line = fbk_guest_expect(g, 1, "victim[%d]: done", v.pid);
	FBK_CHECK_EQ(fbk_field(line, "hits"), 2 * ROUNDS);
	for (i = 0; i < v.nr_pages; i++)
		FBK_CHECK(fbk_guest_isolated(g, v.page[i]));
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), before + 4 * 2 * ROUNDS);
}
