/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* Two reports before the guest has looked at the first: its vCPUs stand still meanwhile. Both pages are isolated. */
#include "harness.h"

FBK_SCENARIO("25-second-before-acknowledged", "newest", 1, "guest: /proc/kpageflags of both pages, HardwareCorrupted");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	long before = fbk_guest_meminfo(g, "HardwareCorrupted");
	struct fbk_victim v;

	fbk_victim_start(&v, g, "many 2");
	fbk_guest_freeze(g);
	fbk_host_poison(g, v.page[0]);
	fbk_host_poison_settle(g);
	fbk_host_poison(g, v.page[1]);
	fbk_host_poison_settle(g);
	fbk_guest_thaw(g);
	fbk_guest_expect_isolated(g, v.page[0]);
	fbk_guest_expect_isolated(g, v.page[1]);
	fbk_guest_expect_corrupted(g, before + 8);
	fbk_victim_go(&v);
	fbk_victim_lives(&v);
}
