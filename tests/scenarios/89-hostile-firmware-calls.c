/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A guest that calls firmware with whatever comes to its mind, starts vCPUs where there is no code, and resets itself fifty times:
 * each life begins as the first one did, and the monitor is no larger after the last.
 */
#include "hostile.h"

FBK_SCENARIO("89-hostile-firmware-calls", "hostile", 12, FBK_HOSTILE_ORACLE);

#define LIVES 50

static void run(void)
{
	struct fbk_hostile h;

	fbk_witness_start();
	fbk_hostile_boot(&h, "mode=psci rounds=100 seed=1", 3, NULL, NULL);
	for (unsigned int i = 0; i < LIVES; i++) {
		fbk_hostile_until(&h, "hostile: what next");
		fbk_guest_forget(h.guest);
		fbk_guest_send(h.guest, i % 5 == 2 ? "g" : i % 2 ? "r" : "2");
	}
	fbk_hostile_until(&h, "hostile: what next");
	FBK_CHECK(!fbk_guest_said(h.guest, "the reset has come back"));
	fbk_guest_send(h.guest, "o");
	fbk_hostile_done(&h);
	fbk_witness_end();
}
