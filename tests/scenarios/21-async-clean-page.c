/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The host finds a bad page that the guest's page cache holds: dropped, and read again when it is wanted. */
#include "harness.h"

FBK_SCENARIO("21-async-clean-page", "newest", 1,
	     "guest: victim's checksum and exit status, no signal, one read more in /sys/block/vda/stat");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	struct fbk_victim v;
	const char *line;
	long reads;

	fbk_victim_start(&v, g, "clean 30");
	reads = fbk_guest_reads(g);
	fbk_host_poison(g, v.gpa);
	fbk_guest_expect_isolated(g, v.gpa);
	FBK_CHECK_EQ(fbk_guest_reads(g), reads);
	fbk_victim_go(&v);
	fbk_victim_lives(&v);
	line = fbk_guest_expect(g, 1, "victim[%d]: bytes", v.pid);
	FBK_CHECK_EQ(fbk_field(line, "before"), fbk_field(line, "after"));
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: SIGBUS", v.pid));
	FBK_CHECK_EQ(fbk_guest_reads(g), reads + 1);
}
