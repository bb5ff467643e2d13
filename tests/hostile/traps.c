/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* traps.c - exceptions: counted, and gone on behind. [ARM-ARM D24 "ESR_EL1"] */
#include "hostile.h"

enum { SYNC, IRQ, FIQ, SERROR };
enum { CLASS_FETCH = 0x21, CLASS_PC = 0x22, CLASS_DATA = 0x25 };

#define FLOOD 32 /* interrupts on end: then the vCPU masks them, until it feels like it */

struct frame {
	uint64_t x[31], pad, elr, spsr;
};
_Static_assert(offsetof(struct frame, elr) == 256, "as head.S lays it out");

struct counts counts[FBK_MAX_CPUS];
volatile bool quiet[FBK_MAX_CPUS];

static void on_sync(struct frame *f, struct counts *c)
{
	uint64_t esr;

	__asm__ volatile("mrs %0, esr_el1" : "=r"(esr));
	switch (esr >> 26) {
	case CLASS_FETCH:
	case CLASS_PC:
		c->fetch++;
		c->sea += (esr & 0x3f) == 0x10;
		f->elr = f->x[30]; /* of jump() */
		return;
	case CLASS_DATA:
		c->data++;
		c->sea += (esr & 0x3f) == 0x10;
		break;
	default:
		c->undefined++;
		if (f->elr >= RINGS_GPA) { /* no code of ours: jump() went there */
			f->elr = f->x[30];
			return;
		}
	}
	f->elr += 4;
}

static void on_irq(struct frame *f, struct counts *c, unsigned int cpu)
{
	uint64_t id;

	__asm__ volatile("mrs %0, s3_0_c12_c12_0" : "=r"(id)); /* ICC_IAR1_EL1 */
	c->irq++;
	if (id < 1020)
		__asm__ volatile("msr s3_0_c12_c12_1, %0" : : "r"(id)); /* ICC_EOIR1_EL1 */
	if (c->irq % FLOOD == 0) {
		quiet[cpu] = true;
		f->spsr |= 1u << 7;
	}
}

/* By head.S. */
void trap(struct frame *f, uint64_t vector);
void trap(struct frame *f, uint64_t vector)
{
	unsigned int cpu = this_cpu() % FBK_MAX_CPUS;
	struct counts *c = &counts[cpu];

	switch (vector % 4) {
	case SYNC:
		on_sync(f, c);
		break;
	case IRQ:
	case FIQ:
		on_irq(f, c, cpu);
		break;
	case SERROR:
		c->serror++;
		break;
	}
}
