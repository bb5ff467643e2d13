/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The host loses a page that a vCPU is reading at that very moment: KVM tells the vCPU's thread by SIGBUS, while the
 * report of the same page to the monitor as a whole is under way.
 */
#include "harness.h"

FBK_SCENARIO("24-host-poison-consumed", "newest", 1,
	     "host: HardwareCorrupted; guest: victim's siginfo and exit, /proc/kpageflags, bystander's sum");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	long host = fbk_host_meminfo("HardwareCorrupted");
	int pid = fbk_bystander_start(g);
	struct fbk_victim v;

	fbk_victim_host_loses(&v, g);
	FBK_CHECK(fbk_guest_isolated(g, v.gpa));
	FBK_CHECK_EQ(fbk_host_meminfo("HardwareCorrupted"), host + 4);
	fbk_bystander_end(g, pid);
}
