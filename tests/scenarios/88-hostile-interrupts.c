/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* A guest that sends itself interrupts as fast as it can, and turns the interrupt controller inside out meanwhile. */
#include "hostile.h"

#include <stdio.h>

FBK_SCENARIO("88-hostile-interrupts", "hostile", 6, FBK_HOSTILE_ORACLE);

static void run(void)
{
	struct fbk_hostile h;
	char orders[64];

	fbk_witness_start();
	for (unsigned int seed = 1; seed <= 3; seed++) {
		snprintf(orders, sizeof(orders), "mode=irq rounds=60 seed=%u", seed);
		fbk_hostile_boot(&h, orders, 1 + seed, NULL, NULL);
		FBK_CHECK(fbk_field(fbk_hostile_again(&h), "irq") > 100);
		FBK_CHECK(fbk_field(fbk_hostile_done(&h), "irq") > 100);
	}
	fbk_witness_end();
}
