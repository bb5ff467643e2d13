/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The host tells which page, but not what the guest's program called it: a vCPU runs into host poison by itself. The
 * monitor's main thread stands still meanwhile, so that no report of the page as such can be quicker.
 */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

FBK_SCENARIO("13-no-virtual-address", "end", 6,
	     "guest: victim's siginfo, with the right address, and exit; /proc/kpageflags; host: HardwareCorrupted");

/* Only to know when to go on; what came of it is for the guest to say. */
static bool vcpu_has_met_it(void *events)
{
	FILE *f = fopen(events, "re");
	char line[2048];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, "\"sigbus-ar\"");
	if (f)
		fclose(f);
	return found;
}

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 1 });
	long host = fbk_host_meminfo("HardwareCorrupted");
	struct fbk_victim v;
	int status = 0;

	fbk_victim_start(&v, g, "spin");
	fbk_victim_go(&v);
	fbk_guest_expect(g, 60, "victim[%d]: spinning", v.pid);
	fbk_guest_freeze_main(g);
	fbk_host_poison(g, v.gpa);
	fbk_wait_until(30, "a vCPU meets the page", vcpu_has_met_it, (void *)fbk_guest_events(g));
	fbk_guest_thaw(g);
	fbk_victim_told(&v);
	FBK_CHECK_EQ(fbk_victim_wait(&v, &status), SIGBUS);
	FBK_CHECK(fbk_guest_isolated(g, v.gpa));
	FBK_CHECK_EQ(fbk_host_meminfo("HardwareCorrupted"), host + 4);
}
