/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* A thousand reports before the guest has looked at the first. Not one is lost. */
#include "harness.h"

#define PAGES 1000

FBK_SCENARIO("26-thousandth-before-acknowledged", "thousand", 25,
	     "guest: HardwareCorrupted grows by 4000 kB, the program's count of SIGBUS and data; host: HardwareCorrupted");

static bool all_isolated(void *arg)
{
	return fbk_guest_meminfo(arg, "HardwareCorrupted") >= 4 * PAGES;
}

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2 });
	long host = fbk_host_meminfo("HardwareCorrupted");
	struct fbk_victim v;
	const char *line;
	size_t i;

	fbk_victim_start(&v, g, "many 1000");
	FBK_CHECK_EQ(v.nr_pages, PAGES);
	/* A thousand stories on the console would take longer than the errors. */
	fbk_guest_send(g, "loglevel 1");
	fbk_guest_sync(g);
	fbk_guest_freeze(g);
	for (i = 0; i < PAGES; i++) {
		fbk_host_poison(g, v.page[i]);
		/* A signal that is still pending swallows the next one. */
		fbk_host_poison_settle(g);
	}
	fbk_guest_thaw(g);
	FBK_CHECK_EQ(fbk_host_meminfo("HardwareCorrupted"), host + 4 * PAGES);
	fbk_wait_until(240, "the guest has isolated all pages", all_isolated, g);
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), 4 * PAGES);
	fbk_victim_go(&v);
	fbk_victim_lives(&v);
	line = fbk_guest_expect(g, 1, "victim[%d]: done", v.pid);
	FBK_CHECK_EQ(fbk_field(line, "hits"), PAGES);
}
