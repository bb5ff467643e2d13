/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A lost page is out of reach: one access was an abort of the hardware's, and from then on every access is an error,
 * the processor's as well as the disk's. The guest has not heard of it and keeps the page, so that it can be tried. Then it
 * resets, and the page is good memory again.
 */
#include "harness.h"

FBK_SCENARIO("36-retired-page", "retired", 12,
	     "guest: the program's two SIGBUS and its EIO, memory after the reset; host: HardwareCorrupted");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .append = "hest_disable", .retire = "always" });
	long host = fbk_host_meminfo("HardwareCorrupted") + 4, memory = fbk_guest_meminfo(g, "MemTotal");
	struct fbk_victim v;
	const char *line;

	fbk_victim_start(&v, g, "again 50");
	/* The module lets go after the first access: what comes then is not of its doing. */
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_go(&v);
	line = fbk_guest_expect(g, 60, "victim[%d]: write", v.pid);
	FBK_CHECK_EQ(fbk_field(line, "returned"), (uint64_t)-1);
	FBK_CHECK_EQ(fbk_field(line, "errno"), 5);
	line = fbk_guest_expect(g, 60, "victim[%d]: done data=right", v.pid);
	FBK_CHECK_EQ(fbk_field(line, "hits"), 2);
	fbk_host_expect_corrupted(host);

	fbk_guest_forget(g);
	fbk_guest_send(g, "reboot");
	fbk_guest_expect(g, 180, "init[1]: ready");
	/* A granule less would be 64 kB less; which tables lie where may differ. */
	FBK_CHECK(fbk_guest_meminfo(g, "MemTotal") > memory - 32);
	fbk_victim_start(&v, g, "direct 50");
	fbk_victim_go(&v);
	line = fbk_guest_expect(g, 60, "victim[%d]: write", v.pid);
	FBK_CHECK_EQ(fbk_field(line, "returned"), 4096);
	fbk_victim_lives(&v);
	fbk_guest_poweroff(g);
}
