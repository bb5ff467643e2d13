/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The record of an abort also says which vCPU took it: kernels of three generations take the section apart and log it, and
 * what they do about the page is the same as without.
 */
#include "harness.h"

FBK_SCENARIO("40-processor-section", "processor", 30,
	     "guest: its log's ARM processor error; victims' siginfo and exit, HardwareCorrupted, /proc/kpageflags");

static void with(const char *kernel)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = kernel, .cpus = 2, .cper = "processor" });
	struct fbk_victim v;
	const char *line;

	fbk_guest_send(g, "loglevel 7");
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
	fbk_guest_expect(g, 60, "section_type: ARM processor error");
	line = fbk_guest_expect(g, 60, "Multiprocessor Affinity Register (MPIDR): 0x");
	fbk_note("%s", line);
	fbk_guest_expect(g, 60, "physical fault address: 0x%016llx", (unsigned long long)v.gpa);
	fbk_guest_expect(g, 60, "virtual fault address: 0x%016llx", (unsigned long long)v.va);
	fbk_guest_expect(g, 60, "section_type: memory error");

	fbk_victim_start(&v, g, "remap");
	fbk_inject(g, v.gpa, "");
	fbk_victim_go(&v);
	fbk_victim_told(&v);
	fbk_victim_lives(&v);
	fbk_guest_poweroff(g);
}

static void run(void)
{
	with("newest");
	with("6.12");
	with("6.1");
}
