/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The host finds a bad page of a process: out of use at once, and the process is told when it wants it. */
#include "harness.h"

#include <signal.h>

FBK_SCENARIO("22-async-anonymous-page", "newest", 1, "guest: /proc/kpageflags first, then victim's siginfo and exit");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	struct fbk_victim v;
	int status = 0;

	fbk_victim_start(&v, g, "anon");
	fbk_host_poison(g, v.gpa);
	fbk_guest_expect_isolated(g, v.gpa);
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: SIGBUS", v.pid));
	fbk_victim_go(&v);
	fbk_victim_told(&v);
	FBK_CHECK_EQ(fbk_victim_wait(&v, &status), SIGBUS);
}
