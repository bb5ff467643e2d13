/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * mmio.c - loads and stores of every kind to every device, to the holes between, and across the edges of memory.
 *
 * Through a view as normal memory the CPU lets unaligned accesses, exclusives and atomics pass, which KVM cannot take apart: they
 * leave as KVM_EXIT_ARM_NISV.
 */
#include "hostile.h"

/* One instruction each, so that the exception handler can go on behind it. */
#define LOAD(insn) __asm__ volatile(insn " %w0, [%1]" : "=r"(v) : "r"(va) : "memory")
#define STORE(insn) __asm__ volatile(insn " %w0, [%1]" : : "r"(v), "r"(va) : "memory")
#define AT(insn) __asm__ volatile(".arch_extension lse\n\t" insn : "+r"(v), "+r"(va), "+r"(w) : : "memory")

static void touch(unsigned int how, uint64_t va, uint64_t v)
{
	uint64_t w = ~v;

	switch (how) {
	case 0: LOAD("ldrb"); break;
	case 1: LOAD("ldrh"); break;
	case 2: LOAD("ldr"); break;
	case 3: AT("ldr %0, [%1]"); break;
	case 4: STORE("strb"); break;
	case 5: STORE("strh"); break;
	case 6: STORE("str"); break;
	case 7: AT("str %0, [%1]"); break;
	case 8: AT("ldp %0, %2, [%1]"); break;
	case 9: AT("stp %0, %2, [%1]"); break;
	case 10: AT("ldp %w0, %w2, [%1]"); break;
	case 11: AT("stp %w0, %w2, [%1]"); break;
	case 12: AT("ldr %0, [%1], #8"); break;
	case 13: AT("str %0, [%1, #-8]!"); break;
	case 14: AT("ldrsb %0, [%1]"); break;
	case 15: AT("ldrsh %w0, [%1]"); break;
	case 16: AT("ldrsw %0, [%1]"); break;
	case 17: AT("ldxr %0, [%1]"); break;
	case 18: AT("stxr %w2, %0, [%1]"); break;
	case 19: AT("ldaxr %w0, [%1]"); break;
	case 20: AT("ldxp %0, %2, [%1]"); break;
	case 21: AT("ldar %w0, [%1]"); break;
	case 22: AT("stlr %w0, [%1]"); break;
	case 23: AT("ldadd %w0, %w2, [%1]"); break;
	case 24: AT("swpal %0, %2, [%1]"); break;
	case 25: AT("cas %w0, %w2, [%1]"); break;
	case 26: AT("ldr q0, [%1]"); break;
	case 27: AT("str q0, [%1]"); break;
	case 28: AT("ld1 {v0.16b, v1.16b}, [%1]"); break;
	case 29: AT("st1 {v0.b}[3], [%1]"); break;
	case 30: AT("dc zva, %1"); break;
	case 31: AT("dc civac, %1"); break;
	case 32: AT("ic ivau, %1"); break;
	case 33: AT("prfm pldl1keep, [%1]"); break;
	case 34: AT("at s1e1w, %1"); break;
	case 35: AT("ldtr %w0, [%1]"); break;
	case 36: AT("sttr %w0, [%1]"); break;
	case 37: __asm__ volatile("ldr wzr, [%0]" : : "r"(va) : "memory"); break;
	case 38: __asm__ volatile("str xzr, [%0]" : : "r"(va) : "memory"); break;
	}
}
#define WAYS 39

/* Mostly at registers, sometimes between them. */
static uint64_t offset(struct garbage *g, uint64_t len)
{
	uint64_t at = below(g, len);

	return one_in(g, 4) ? at : at & ~UINT64_C(3);
}

static uint64_t target(struct garbage *g, unsigned int cpus)
{
	uint64_t view = one_in(g, 3) ? VIEW_NORMAL : one_in(g, 8) ? VIEW_CACHED : 0;

	switch (below(g, 12)) {
	case 0:
		return view + FBK_GICD_BASE + offset(g, 0x10000);
	case 1:
		return view + FBK_GICD_BASE + offset(g, 0x1000);
	case 2: /* and those of vCPUs that there are not */
		return view + FBK_GICR_BASE + offset(g, (cpus + 1) * FBK_GICR_CPU_LEN);
	case 3:
	case 4:
		/* What reads its input is left alone: psci.c is not the only one that listens. */
		return view + FBK_UART_BASE + 4 + offset(g, FBK_UART_LEN - 4);
	case 5:
	case 6:
	case 7: /* one more than there can be */
		return view + FBK_VIRTIO_BASE + below(g, FBK_MAX_VIRTIO + 1) * FBK_VIRTIO_STRIDE + offset(g, FBK_VIRTIO_LEN);
	case 8:
		return view + FBK_VIRTIO_BASE + offset(g, (FBK_MAX_VIRTIO + 1) * FBK_VIRTIO_STRIDE);
	case 9:
		return view + offset(g, UINT64_C(1) << 30);
	case 10: /* half in memory */
		return one_in(g, 2) ? RAM_END - below(g, 16) : view + FBK_RAM_BASE - 1 - below(g, 16);
	default:
		view = below(g, 4);
		return (view == 0 ? VIEW_BEHIND : view == 1 ? VIEW_BEHIND_NORMAL : view == 2 ? VIEW_4G : VIEW_512G) +
		       offset(g, UINT64_C(1) << 30);
	}
}

void attack_mmio(struct attack *a)
{
	struct garbage *g = &a->garbage;

	for (uint64_t i = 0; i < a->rounds * 16 && !over; i++) {
		uint64_t va = target(g, a->cpus);

		touch((unsigned int)below(g, WAYS), va, number(g));
	}
}
