/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The host's firmware claims the error: the guest runs on and sees nothing, as if nothing had been. */
#include "harness.h"

FBK_SCENARIO("16-claimed-by-firmware", "newest", 1,
	     "guest: victim's data and exit status 0, HardwareCorrupted unchanged; host log: the error did happen");

static void run(void)
{
	struct fbk_guest *g = fbk_guest_get(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	long before = fbk_guest_meminfo(g, "HardwareCorrupted");
	struct fbk_victim v;

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--firmware");
	fbk_victim_go(&v);
	fbk_victim_lives(&v);
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: SIGBUS", v.pid));
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), before);
	FBK_CHECK(fbk_host_said("sea_inject: "));
}
