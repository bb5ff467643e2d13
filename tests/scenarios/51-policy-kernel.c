/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* What user mode consumes is the guest's; with the first error that its kernel consumes the operator wants an end. */
#include "harness.h"

FBK_SCENARIO("51-policy-kernel", "policy", 8,
	     "guest: victim's siginfo, then neither an oops nor a word of the reader; the monitor's exit status and standard error");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .policy = "kernel = stop\n" });
	struct fbk_victim v;

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
	fbk_victim_start(&v, g, "read 40");
	fbk_inject(g, v.gpa, "");
	fbk_victim_go(&v);
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), 11);
	FBK_CHECK(!fbk_guest_said(g, "Internal error"));
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: read returned", v.pid));
	FBK_CHECK(fbk_guest_monitor_said(g, "is stopped: the operator's rule for errors that the guest's kernel consumes"));
}
