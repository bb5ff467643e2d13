/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The host finds a bad page that the guest is not using: it is gone before anyone could be hurt. */
#include "harness.h"

FBK_SCENARIO("20-async-free-page", "newest", 1,
	     "guest: /proc/kpageflags, HardwareCorrupted, bystander's sum; host: HardwareCorrupted");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	long host = fbk_host_meminfo("HardwareCorrupted");
	long before = fbk_guest_meminfo(g, "HardwareCorrupted");
	int pid = fbk_bystander_start(g);
	uint64_t gpa;

	fbk_guest_send(g, "free");
	gpa = fbk_field(fbk_guest_expect(g, 60, "init[1]: free"), "gpa");
	fbk_host_poison(g, gpa);
	fbk_guest_expect_isolated(g, gpa);
	fbk_guest_expect_corrupted(g, before + 4);
	FBK_CHECK_EQ(fbk_host_meminfo("HardwareCorrupted"), host + 4);
	fbk_bystander_end(g, pid);
}
