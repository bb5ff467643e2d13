/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The hardware tells where in the process, but not which page of memory: the process is told by a plain bus error at
 * the right address, and the guest can isolate nothing.
 */
#include "harness.h"

#include <signal.h>
#include <string.h>

FBK_SCENARIO("12-no-physical-address", "newest", 1, "guest: victim's siginfo (BUS_OBJERR) and exit, HardwareCorrupted unchanged");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	long before = fbk_guest_meminfo(g, "HardwareCorrupted");
	struct fbk_victim v;
	const char *line;
	int status = 0;

	fbk_victim_start(&v, g, "anon");
	/* Once: nobody can take this page out of use, and the scenarios that follow need the guest. */
	fbk_inject(g, v.gpa, "--no-ipa --hits 1");
	fbk_victim_go(&v);
	line = fbk_guest_expect(g, 60, "victim[%d]: SIGBUS", v.pid);
	FBK_CHECK(strstr(line, "code=BUS_OBJERR"));
	FBK_CHECK_EQ(fbk_field(line, "addr"), v.va);
	FBK_CHECK_EQ(fbk_victim_wait(&v, &status), SIGBUS);
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), before);
}
