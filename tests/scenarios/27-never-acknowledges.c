/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A guest that ignores its error sources and acknowledges nothing, error after error: each process is told by a plain
 * bus error, the monitor neither waits nor gives up.
 */
#include "harness.h"

#include <signal.h>
#include <string.h>

#define ERRORS 20

FBK_SCENARIO("27-never-acknowledges", "unacknowledged", 12, "guest: victims' siginfo (BUS_OBJERR) and exit, bystander's sum");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .append = "hest_disable" });
	int pid = fbk_bystander_start(g), status = 0, i;
	struct fbk_victim v;
	const char *line;

	for (i = 0; i < ERRORS; i++) {
		fbk_victim_start(&v, g, "anon");
		/* Such a guest uses the page again. */
		fbk_inject(g, v.gpa, "--hits 1");
		fbk_victim_go(&v);
		line = fbk_guest_expect(g, 60, "victim[%d]: SIGBUS", v.pid);
		FBK_CHECK(strstr(line, "code=BUS_OBJERR"));
		FBK_CHECK_EQ(fbk_victim_wait(&v, &status), SIGBUS);
	}
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), 0);
	fbk_bystander_end(g, pid);
}
