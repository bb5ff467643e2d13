/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * irq.c - interrupts to everybody, as fast as they go: software's own, timers, the console's level, and the interrupt
 * controller turned inside out meanwhile. [GIC 12]
 */
#include "hostile.h"

enum { CTLR = 0, IGROUPR = 0x80, ISENABLER = 0x100, ISPENDR = 0x200, IPRIORITYR = 0x400, IROUTER = 0x6000 };
enum { WAKER = 0x14, SGI_FRAME = 0x10000 };
enum { UART_IMSC = 0x38, UART_DR = 0 };

static uint64_t redistributor(unsigned int cpu)
{
	return FBK_GICR_BASE + cpu * FBK_GICR_CPU_LEN;
}

/* Everything enabled, in group 1, and as urgent as can be. */
static void open_gates(unsigned int cpu)
{
	uint64_t r = redistributor(cpu);

	write32(r + WAKER, 0);
	write32(r + SGI_FRAME + IGROUPR, UINT32_MAX);
	write32(r + SGI_FRAME + ISENABLER, UINT32_MAX);
	for (unsigned int i = 0; i < 32; i += 4)
		write32(r + SGI_FRAME + IPRIORITYR + i, 0);
	write32(FBK_GICD_BASE + CTLR, 0x13);
	for (unsigned int i = 1; i < FBK_NR_IRQS / 32; i++) {
		write32(FBK_GICD_BASE + IGROUPR + 4 * i, UINT32_MAX);
		write32(FBK_GICD_BASE + ISENABLER + 4 * i, UINT32_MAX);
	}
}

static void send(uint64_t to)
{
	__asm__ volatile("msr s3_0_c12_c11_5, %0\n\tisb" : : "r"(to)); /* ICC_SGI1R_EL1 */
}

static void listen(unsigned int cpu)
{
	open_gates(cpu);
	__asm__ volatile("msr s3_0_c12_c12_5, %0\n\tisb\n\tmsr s3_0_c4_c6_0, %1\n\tmsr s3_0_c12_c12_7, %2\n\tisb" : :
			 "r"(UINT64_C(7)), "r"(UINT64_C(0xff)), "r"(UINT64_C(1))); /* ICC_SRE, ICC_PMR, ICC_IGRPEN1 */
}

static void timer(struct garbage *g)
{
	uint64_t ticks = below(g, 2000);

	__asm__ volatile("msr cntv_tval_el0, %0\n\tmsr cntv_ctl_el0, %1\n\tisb" : : "r"(ticks), "r"(UINT64_C(1)));
}

static void sleep_a_little(struct garbage *g)
{
	timer(g);
	__asm__ volatile("wfi");
}

void irq_wake(unsigned int cpus)
{
	for (unsigned int i = 0; i < cpus; i++)
		open_gates(i);
	send(UINT64_C(1) << 40 | UINT64_C(1) << 24);
}

static void distributor(struct garbage *g)
{
	static const uint16_t registers[] = { 0x80, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0x400, 0xc00, 0xd00 };
	uint64_t at = registers[below(g, sizeof(registers) / sizeof(registers[0]))];

	if (one_in(g, 4))
		write64(FBK_GICD_BASE + IROUTER + 8 * below(g, FBK_NR_IRQS), one_in(g, 2) ? below(g, 8) : any(g));
	else
		write32(FBK_GICD_BASE + at + 4 * below(g, 1 + FBK_NR_IRQS / 4), (uint32_t)any(g));
}

void attack_irq(struct attack *a)
{
	struct garbage *g = &a->garbage;

	listen(a->cpu);
	__asm__ volatile("msr daifclr, #2");
	for (uint64_t i = 0; i < a->rounds * 16 && !over; i++) {
		switch (below(g, 8)) {
		case 0:
		case 1: /* to any list of vCPUs, or to all others */
			send(below(g, 16) << 24 | below(g, 2) << 40 | below(g, 256));
			break;
		case 2:
			timer(g);
			break;
		case 3:
			/* For good, where another has closed its gates: the first one wakes them in the end. */
			if (a->cpu)
				sleep_a_little(g);
			break;
		case 4:
			distributor(g);
			break;
		case 5:
			write32(redistributor((unsigned int)below(g, a->cpus + 1)) + SGI_FRAME + 0x80 + 4 * below(g, 0x3a0),
				(uint32_t)any(g));
			break;
		case 6: /* raised and lowered with each */
			write32(FBK_UART_BASE + UART_IMSC, one_in(g, 2) ? 0x7ff : 0);
			if (one_in(g, 8))
				write32(FBK_UART_BASE + UART_DR, '.');
			break;
		case 7:
			write32(FBK_GICD_BASE + ISPENDR + 4 * below(g, FBK_NR_IRQS / 32), (uint32_t)any(g));
			break;
		}
		if (quiet[a->cpu] && one_in(g, 16)) {
			quiet[a->cpu] = false;
			if (one_in(g, 8))
				listen(a->cpu);
			__asm__ volatile("msr daifclr, #2");
		}
	}
	write32(FBK_UART_BASE + UART_IMSC, 0);
}
