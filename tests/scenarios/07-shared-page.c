/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* Two processes have the page: both lose it, each when it touches it, and nobody else. */
#include "harness.h"

#include <signal.h>

FBK_SCENARIO("07-shared-page", "newest", 1, "guest: siginfo and exit of both processes, bystander's sum, HardwareCorrupted");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	int pid = fbk_bystander_start(g);
	struct fbk_victim v;
	const char *line;

	fbk_victim_start(&v, g, "shared");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
	line = fbk_guest_expect(g, 1, "victim[%d]: child", v.pid);
	FBK_CHECK_EQ(fbk_field(line, "signal"), SIGBUS);
	line = fbk_guest_expect(g, 1, "victim-child[");
	fbk_bystander_end(g, pid);
}
