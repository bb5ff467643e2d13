/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* An operator who trusts no recovery: an error that the guest could have survived ends it, by its own panic. */
#include "harness.h"

FBK_SCENARIO("52-policy-serror", "policy", 6, "guest: the kernel's own panic message, no SIGBUS; exit status 10");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .policy = "uer = serror\n" });
	struct fbk_victim v;

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_go(&v);
	fbk_guest_expect(g, 60, "Kernel panic - not syncing: Asynchronous SError Interrupt");
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), 10);
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: SIGBUS", v.pid));
}
