/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* SIGTERM is the power button for a guest that listens, and the end, with the second one, of a guest that does not. */
#include "harness.h"

#include <signal.h>

FBK_SCENARIO("72-sigterm", "sigterm", 10, "guest: its kernel hears the power button; exit statuses 0 and 143");

static bool asked(void *g)
{
	return fbk_guest_monitor_said(g, "power button was pressed");
}

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest" });

	kill(fbk_guest_pid(g), SIGTERM);
	fbk_guest_expect(g, 60, "init[1]: power button");
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), 0);

	g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest" });
	/* It cannot hear. */
	fbk_guest_freeze(g);
	kill(fbk_guest_pid(g), SIGTERM);
	fbk_wait_until(60, "the monitor has pressed the button", asked, g);
	FBK_CHECK(fbk_guest_alive(g));
	kill(fbk_guest_pid(g), SIGTERM);
	fbk_guest_thaw(g);
	FBK_CHECK_EQ(fbk_guest_wait(g, 25), 128 + SIGTERM);
}
