/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A program that touches the same bad page for ever, in a guest that cannot isolate it: no progress is to be expected.
 * The stated end is an SError, and the guest's kernel panics; the monitor does not spin.
 */
#include "harness.h"

FBK_SCENARIO("28-storm", "end", 7, "guest: the kernel's own panic message; exit status 10");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .append = "hest_disable" });
	struct fbk_victim v;

	fbk_victim_start(&v, g, "stubborn");
	fbk_inject(g, v.gpa, "");
	fbk_victim_go(&v);
	fbk_guest_expect(g, 60, "victim[%d]: SIGBUS code=BUS_OBJERR", v.pid);
	fbk_guest_expect(g, 60, "Kernel panic - not syncing: Asynchronous SError Interrupt");
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), 10);
}
