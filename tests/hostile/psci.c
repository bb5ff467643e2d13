/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * psci.c - firmware calls that exist and that do not, vCPUs started where there is nothing to run, and resets, one after
 * another: memory is new after each, so the host says by a key which comes next.
 */
#include "hostile.h"

#define PSCI_SYSTEM_RESET2 UINT64_C(0xc4000012)
#define KEY_MS 120000

/* What would end this guest before it has done its worst. */
static bool ends(uint64_t function)
{
	switch (function & ~UINT64_C(0x40000000) & UINT32_MAX) {
	case 0x84000001: /* CPU_SUSPEND: for what? */
	case PSCI_CPU_OFF:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case 0x84000012: /* SYSTEM_RESET2 */
	case 0x84000015: /* SYSTEM_OFF2 */
		return true;
	}
	return false;
}

static uint64_t function(struct garbage *g)
{
	/* Arm's architecture calls, standard services (PSCI, TRNG, ...), a hypervisor's own, stolen time. */
	static const uint64_t base[] = { 0x80000000, 0x84000000, 0xc4000000, 0x84000050, 0xc4000050, 0x86000000, 0xc6000000,
					 0xc5000020, 0x8400ff00, 0x8600ff00 };

	return one_in(g, 6) ? any(g) : base[below(g, sizeof(base) / sizeof(base[0]))] + below(g, 64);
}

static uint64_t entry(struct garbage *g)
{
	switch (below(g, 5)) {
	case 0:
		return FBK_UART_BASE + below(g, 4096);
	case 1:
		return RAM_END - below(g, 8);
	case 2:
		return BUFFERS_GPA + below(g, 4096); /* zeros: no instruction */
	case 3:
		return any(g);
	default:
		return VIEW_BEHIND;
	}
}

static void call(struct garbage *g)
{
	uint64_t f = function(g), where = entry(g), who = one_in(g, 2) ? below(g, 9) : any(g);

	if (ends(f))
		return;
	if (one_in(g, 2))
		psci(f, one_in(g, 2) ? who : number(g), where, number(g));
	else
		smc(f, number(g), where, number(g));
}

/* g: garbage, and two vCPUs that run into nothing; then, as for r and 2, a reset of either kind; all else is the end. */
void attack_psci(struct attack *a)
{
	struct garbage *g = &a->garbage;
	int c;

	g->state ^= milliseconds(); /* each life differs */
	say("hostile: what next\n");
	c = key(KEY_MS);
	if (c == 'g') {
		for (uint64_t i = 0; i < a->rounds; i++)
			call(g);
		psci(PSCI_CPU_ON, 1, entry(g), any(g));
		psci(PSCI_CPU_ON, below(g, 8), entry(g), any(g));
		say_number("hostile: garbage undefined=", counts[0].undefined);
		say("\n");
		c = one_in(g, 2) ? 'r' : '2';
	}
	if (c == 'r')
		psci(PSCI_SYSTEM_RESET, number(g), number(g), number(g));
	if (c == '2')
		psci(PSCI_SYSTEM_RESET2, one_in(g, 2) ? 0 : UINT64_C(0x80000000) | any(g), number(g), 0);
	if (c == 'r' || c == '2')
		say("hostile: the reset has come back\n");
}
