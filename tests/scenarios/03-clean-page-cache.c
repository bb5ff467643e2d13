/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* A page of a file that the disk has as well: read again, and nobody is told anything. */
#include "harness.h"

FBK_SCENARIO("03-clean-page-cache", "newest", 1,
	     "guest: victim's checksum and exit status, no signal, one read more in /sys/block/vda/stat");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	struct fbk_victim v;
	const char *line;
	long reads;

	fbk_victim_start(&v, g, "clean 10");
	fbk_inject(g, v.gpa, "");
	reads = fbk_guest_reads(g);
	fbk_victim_go(&v);
	fbk_victim_lives(&v);
	line = fbk_guest_expect(g, 1, "victim[%d]: bytes", v.pid);
	FBK_CHECK_EQ(fbk_field(line, "before"), fbk_field(line, "after"));
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: SIGBUS", v.pid));
	FBK_CHECK_EQ(fbk_guest_reads(g), reads + 1);
	FBK_CHECK(fbk_guest_isolated(g, v.gpa));
}
