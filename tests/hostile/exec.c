/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* exec.c - instructions fetched from devices and from nowhere; and the ways to get stuck there. */
#include "hostile.h"

static uint64_t nowhere(struct garbage *g)
{
	switch (below(g, 7)) {
	case 0:
		return FBK_UART_BASE + (below(g, 4096) & ~UINT64_C(3));
	case 1:
		return VIEW_NORMAL + FBK_VIRTIO_BASE + (below(g, 0x100000) & ~UINT64_C(3));
	case 2:
		return VIEW_CACHED + FBK_GICD_BASE + (below(g, 0x100000) & ~UINT64_C(3));
	case 3:
		return (one_in(g, 2) ? VIEW_BEHIND : VIEW_BEHIND_NORMAL) + below(g, UINT64_C(1) << 30);
	case 4:
		return (one_in(g, 2) ? VIEW_4G : VIEW_512G) + (below(g, UINT64_C(1) << 30) & ~UINT64_C(3));
	case 5:
		return RAM_END;
	default:
		return VIEW_256T + (below(g, UINT64_C(1) << 30) & ~UINT64_C(3));
	}
}

void attack_exec(struct attack *a)
{
	for (uint64_t i = 0; i < a->rounds && !over; i++)
		jump(nowhere(&a->garbage));
}

/* By end=: nothing runs any more, or the same exception for ever; without one it powers itself off. */
void exec_end(struct attack *a)
{
	if (argument_is("end", "sleep")) {
		say("hostile: nothing runs now\n");
		psci(PSCI_CPU_OFF, 0, 0, 0);
	}
	if (argument_is("end", "vectors")) {
		say("hostile: vectors are a device now\n");
		__asm__ volatile("msr vbar_el1, %0\n\tisb\n\tudf #0" : : "r"(FBK_VIRTIO_BASE));
	}
	if (argument_is("end", "tables")) {
		say("hostile: translation tables are a device now\n");
		__asm__ volatile("msr ttbr0_el1, %0\n\tisb\n\ttlbi vmalle1\n\tdsb sy\n\tisb" : : "r"(FBK_UART_BASE) : "memory");
	}
	if (argument_is("end", "nowhere")) {
		say("hostile: vectors lie nowhere now\n");
		__asm__ volatile("msr vbar_el1, %0\n\tisb\n\tudf #0" : : "r"(VIEW_BEHIND));
	}
}
