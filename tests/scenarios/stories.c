/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
#include "stories.h"

void fbk_story(const struct fbk_guest_spec *spec)
{
	struct fbk_guest *g = fbk_guest_get(spec);
	int pid = fbk_bystander_start(g);
	struct fbk_victim v;
	uint64_t gpa;
	long reads;

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);

	fbk_victim_start(&v, g, "remap");
	fbk_inject(g, v.gpa, "");
	fbk_victim_go(&v);
	fbk_victim_told(&v);
	fbk_victim_lives(&v);

	fbk_victim_start(&v, g, "clean 10");
	fbk_inject(g, v.gpa, "");
	reads = fbk_guest_reads(g);
	fbk_victim_go(&v);
	fbk_victim_lives(&v);
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: SIGBUS", v.pid));
	FBK_CHECK_EQ(fbk_guest_reads(g), reads + 1);

	fbk_guest_send(g, "free");
	gpa = fbk_field(fbk_guest_expect(g, 60, "init[1]: free"), "gpa");
	fbk_host_poison(g, gpa);
	fbk_guest_expect_isolated(g, gpa);
	fbk_bystander_end(g, pid);
}

void fbk_story_two_at_once(const struct fbk_guest_spec *spec)
{
	struct fbk_guest *g = fbk_guest_get(spec);
	long before = fbk_guest_meminfo(g, "HardwareCorrupted");
	struct fbk_victim v;
	size_t i;

	fbk_victim_start(&v, g, "threads 4");
	for (i = 0; i < v.nr_pages; i++)
		fbk_inject(g, v.page[i], "");
	fbk_victim_go(&v);
	fbk_victim_lives(&v);
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), before + 4 * (long)v.nr_pages);
}
