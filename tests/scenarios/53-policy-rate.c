/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Two errors an hour and no more, else the operator wants to look at it: with the third the VM is held. It does nothing
 * any more, and its monitor is still there to be asked, until it is told to end.
 */
#include "harness.h"

#include <signal.h>

FBK_SCENARIO("53-policy-rate", "policy", 9,
	     "guest: two victims' siginfo and end, then silence; the monitor's standard error, and its death by our signal");

static bool held(void *g)
{
	return fbk_guest_monitor_said(g, "firebreak: the virtual machine is held for its operator: more memory errors in a short time");
}

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){
		.kernel = "newest", .cpus = 2, .policy = "rate_errors = 2\nrate_ms = 3600000\nrate = pause\n" });
	struct fbk_victim v;
	int pid;

	for (int i = 0; i < 2; i++) {
		fbk_victim_start(&v, g, "anon");
		fbk_inject(g, v.gpa, "");
		fbk_victim_loses(&v);
	}
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_go(&v);
	fbk_wait_until(60, "the virtual machine is held", held, g);
	FBK_CHECK(fbk_guest_alive(g));
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: SIGBUS", v.pid));
	pid = fbk_guest_pid(g);
	kill(pid, SIGTERM);
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), 128 + SIGTERM);
}
