/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The guest's kernel itself touches the page, on behalf of a read(): Linux on arm64 cannot survive that in that task,
 * and oopses; but the monitor lives, and the next error is handled as if nothing had been.
 */
#include "harness.h"

#include <signal.h>

FBK_SCENARIO("18-kernel-mode", "kernel", 8,
	     "guest: the kernel's oops, the reader's end; then victim's siginfo, HardwareCorrupted, bystander's sum");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	int pid = fbk_bystander_start(g), status = 0;
	struct fbk_victim v;

	fbk_guest_spoil(g);
	fbk_victim_start(&v, g, "read 40");
	fbk_inject(g, v.gpa, "");
	fbk_victim_go(&v);
	fbk_guest_expect(g, 60, "Internal error: synchronous external abort");
	FBK_CHECK(fbk_victim_wait(&v, &status) != 0);
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: read returned", v.pid));
	/* The record of that error must not be taken for the next one's. */
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
	fbk_bystander_end(g, pid);
	FBK_CHECK(fbk_guest_alive(g));
}
