/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A guest that sends itself interrupts as fast as it can, and turns the interrupt controller inside out meanwhile. It can come to no
 * end by that: a vCPU has been seen whose list registers gave KVM a maintenance interrupt at each entry, so that it never executed
 * another instruction (7.3, in QEMU). That is the guest's loss; its operator can always reset and stop it.
 */
#include "hostile.h"

#include <stdio.h>

FBK_SCENARIO("88-hostile-interrupts", "hostile", 6, FBK_HOSTILE_ORACLE);

static void run(void)
{
	struct fbk_hostile h;
	char orders[64];
	unsigned int done = 0;

	fbk_witness_start();
	for (unsigned int seed = 1; seed <= 3; seed++) {
		snprintf(orders, sizeof(orders), "mode=irq rounds=60 seed=%u", seed);
		fbk_hostile_boot(&h, orders, 1 + seed, NULL, NULL);
		for (unsigned int round = 0; round < 2; round++) {
			const char *line = fbk_hostile_again_if(&h);

			if (line) {
				done++;
				FBK_CHECK(fbk_field(line, "irq") > 100);
			}
		}
		fbk_hostile_stop(&h);
	}
	FBK_CHECK(done);
	fbk_witness_end();
}
