/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The hardware says that the error is not contained (SET = UC): the guest must not go on, and does not. */
#include "harness.h"

FBK_SCENARIO("15-uncontainable", "end", 6, "guest: the kernel's own panic message, no SIGBUS; exit status 10");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest" });
	struct fbk_victim v;

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--set uc");
	fbk_victim_go(&v);
	fbk_guest_expect(g, 60, "Kernel panic - not syncing: Asynchronous SError Interrupt");
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), 10);
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: SIGBUS", v.pid));
}
