/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A guest that reads and writes all of its address space but its memory, in every way that there is an instruction for, and runs
 * code where there is none; and four ways in which nothing but that happens any more: it can always be stopped.
 */
#include "hostile.h"

#include <signal.h>
#include <stdio.h>

FBK_SCENARIO("85-hostile-registers", "hostile", 15, FBK_HOSTILE_ORACLE);

#define END_S 60

static void all_registers(unsigned int seed)
{
	struct fbk_hostile h;
	char orders[64];
	const char *line;

	snprintf(orders, sizeof(orders), "mode=mmio rounds=40 seed=%u", seed);
	fbk_hostile_boot(&h, orders, 1 + seed % 3, NULL, NULL);
	line = fbk_hostile_done(&h);
	/* What KVM does not take apart came back as an external abort. */
	FBK_CHECK(fbk_field(line, "sea") > 25);
}

static bool asked(void *g)
{
	return fbk_guest_monitor_said(g, "power button was pressed");
}

static void stuck(const char *how, const char *said, bool by_signal)
{
	struct fbk_hostile h;
	char orders[64];

	snprintf(orders, sizeof(orders), "mode=exec rounds=200 seed=9 end=%s", how);
	fbk_hostile_boot(&h, orders, 2, NULL, NULL);
	/* It waits for a key before it goes there. */
	fbk_hostile_until(&h, "hostile: done");
	fbk_guest_send(h.guest, "q");
	fbk_hostile_until(&h, said);
	FBK_CHECK_EQ(fbk_hostile_ctl("status", NULL, NULL), 0);
	if (!by_signal) {
		fbk_hostile_stop(&h);
	} else {
		kill(fbk_guest_pid(h.guest), SIGTERM);
		fbk_wait_until(END_S, "the monitor has pressed the button", asked, h.guest);
		kill(fbk_guest_pid(h.guest), SIGTERM);
		FBK_CHECK_EQ(fbk_guest_wait(h.guest, END_S), 128 + SIGTERM);
		fbk_hostile_judge(&h);
	}
}

static void run(void)
{
	struct fbk_hostile h;

	fbk_witness_start();
	for (unsigned int seed = 1; seed <= 3; seed++)
		all_registers(seed);
	fbk_hostile_boot(&h, "mode=exec rounds=500 seed=4", 2, NULL, NULL);
	FBK_CHECK(fbk_field(fbk_hostile_done(&h), "fetch") >= 500);
	stuck("vectors", "hostile: vectors are a device now", false);
	stuck("tables", "hostile: translation tables are a device now", true);
	stuck("nowhere", "hostile: vectors lie nowhere now", false);
	stuck("sleep", "hostile: nothing runs now", true);
	fbk_witness_end();
}
