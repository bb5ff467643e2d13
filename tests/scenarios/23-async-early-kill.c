/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* A process that asked to be told early is told at once (BUS_MCEERR_AO), without a touch. */
#include "harness.h"

#include <string.h>

FBK_SCENARIO("23-async-early-kill", "newest", 1, "guest: victim's siginfo says BUS_MCEERR_AO though it never touched the page");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	struct fbk_victim v;
	const char *line;

	fbk_victim_start(&v, g, "early");
	fbk_host_poison(g, v.gpa);
	line = fbk_guest_expect(g, 60, "victim[%d]: SIGBUS", v.pid);
	FBK_CHECK(strstr(line, "code=BUS_MCEERR_AO"));
	FBK_CHECK_EQ(fbk_field(line, "addr") & ~4095ull, v.va & ~4095ull);
	FBK_CHECK(fbk_guest_isolated(g, v.gpa));
}
