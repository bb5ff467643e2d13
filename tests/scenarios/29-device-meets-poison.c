/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Not a vCPU but the disk meets the bad page: the guest writes from it, in a guest that has not heard of the error. The
 * write fails with an I/O error, and both the program and the monitor live.
 */
#include "harness.h"

FBK_SCENARIO("29-device-meets-poison", "unacknowledged", 10,
	     "guest: the program's errno is EIO, the next write succeeds; the monitor ends with status 0");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .append = "hest_disable" });
	struct fbk_victim v;
	const char *line;

	fbk_victim_start(&v, g, "direct 50");
	fbk_host_poison(g, v.gpa);
	fbk_host_poison_settle(g);
	fbk_victim_go(&v);
	line = fbk_guest_expect(g, 60, "victim[%d]: write", v.pid);
	FBK_CHECK_EQ(fbk_field(line, "returned"), (uint64_t)-1);
	FBK_CHECK_EQ(fbk_field(line, "errno"), 5);
	fbk_victim_lives(&v);
	fbk_guest_poweroff(g);
}
