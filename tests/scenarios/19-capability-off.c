/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The host's capability is off, as before firebreak: an SError, and the whole guest is lost to one process's page. */
#include "harness.h"

FBK_SCENARIO("19-capability-off", "end", 6, "guest: the kernel's own panic message; exit status 10");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .sea_off = true });
	struct fbk_victim v;

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_go(&v);
	fbk_guest_expect(g, 60, "Kernel panic - not syncing: Asynchronous SError Interrupt");
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), 10);
}
