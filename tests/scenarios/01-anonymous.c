/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The plain case: a page of a process's own memory is lost. It costs that process, and nothing else. */
#include "harness.h"

FBK_SCENARIO("01-anonymous", "newest", 2, "guest: victim's siginfo and exit, bystander's sum, /proc/kpageflags, HardwareCorrupted of guest and host");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	long host = fbk_host_meminfo("HardwareCorrupted");
	int pid = fbk_bystander_start(g);
	struct fbk_victim v;

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
	fbk_bystander_end(g, pid);
	fbk_host_expect_corrupted(host + 4);
}
