/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The page holds a translation table of the process: the walk aborts, no physical address is told, and the process is
 * killed, since no handler of its could do anything about it. The table heals after one hit, as the guest's kernel has
 * to read it to take the process apart.
 */
#include "harness.h"

#include <signal.h>

FBK_SCENARIO("17-translation-table", "newest", 2,
	     "guest: the process is gone by a signal, the kernel's log names the walk and its level, bystander's sum");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	int pid = fbk_bystander_start(g), status = 0;
	struct fbk_victim v;

	fbk_victim_start(&v, g, "table");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_go(&v);
	FBK_CHECK_EQ(fbk_victim_wait(&v, &status), SIGKILL);
	fbk_bystander_end(g, pid);
	/* And an ordinary error after it. */
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
}
