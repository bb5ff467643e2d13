/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The guest's root takes the driver off the SEA source, and puts it back. Meanwhile aborts come without a record that anybody
 * reads; their pages are told by the other source, and what lies there when the driver comes back belongs to the last one.
 */
#include "harness.h"

FBK_SCENARIO("42-driver-unbound", "unbound", 12,
	     "guest: victims' siginfo (BUS_OBJERR, then BUS_MCEERR_AR) and exit, /proc/kpageflags, HardwareCorrupted");

#define DRIVER "/sys/bus/platform/drivers/GHES/"

static void without_driver(struct fbk_guest *g, struct fbk_victim *v)
{
	fbk_inject(g, v->gpa, "--hits 1");
	fbk_victim_dies(v);
}

static void run(void)
{
	/* One vCPU: the next abort finds its own record unread, whatever the scheduler does. */
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 1 });
	int pid = fbk_bystander_start(g);
	struct fbk_victim a, b, c, d;

	fbk_guest_send(g, "write " DRIVER "unbind GHES.0");
	/* Until it is told, the guest's kernel gives a lost page to whoever asks next. The second has all of its memory by then: else
	 * its stack may be the first one's page, which is taken from it while it is told of its own (SIGSEGV: no frame for a signal). */
	fbk_victim_start(&a, g, "anon");
	fbk_victim_start(&b, g, "anon");
	without_driver(g, &a);
	without_driver(g, &b);
	fbk_guest_expect_isolated(g, a.gpa);
	fbk_guest_expect_isolated(g, b.gpa);
	fbk_victim_start(&c, g, "anon");
	without_driver(g, &c);
	fbk_guest_expect_isolated(g, c.gpa);
	fbk_guest_send(g, "write " DRIVER "bind GHES.0");
	fbk_guest_sync(g);
	fbk_victim_start(&d, g, "anon");
	fbk_inject(g, d.gpa, "");
	fbk_victim_loses(&d);
	fbk_guest_expect_corrupted(g, 16);
	fbk_bystander_end(g, pid);
}
