/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * hostile.h - what the attacks of the hostile guest are made of.
 *
 * The guest is told on its command line what to do (--append "mode=virtio seed=7 rounds=200"), says "hostile: up", does it on all
 * vCPUs, says "hostile: done ..." and powers itself off. All that is random comes from the seed.
 */
#ifndef FBK_HOSTILE_H
#define FBK_HOSTILE_H

#include "platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAM_LEN (UINT64_C(64) << 20) /* what the guest is given: it knows where its memory ends */
#define RAM_END (FBK_RAM_BASE + RAM_LEN)

/* Its own code, data and stacks lie below; what devices may write to, from here on. */
#define RINGS_GPA (FBK_RAM_BASE + (UINT64_C(16) << 20))
#define RINGS_LEN (UINT64_C(64) << 10) /* of each queue */
#define BUFFERS_GPA (FBK_RAM_BASE + (UINT64_C(32) << 20))
#define BUFFERS_LEN (UINT64_C(16) << 20)
/* Pages that the host breaks (ghes). */
#define VICTIMS_GPA (BUFFERS_GPA + BUFFERS_LEN)
#define NR_VICTIMS 16
/* And those of poison.c. */
#define LOST_GPA (VICTIMS_GPA + (UINT64_C(1) << 20))

/* --- tables.c: one address space for all vCPUs, of 1 GiB blocks ------------------------------------------------------ */

/* Guest physical addresses below 1 GiB: one to one as device memory, and twice more as memory, cached and not. */
#define VIEW_NORMAL (UINT64_C(4) << 30)
#define VIEW_CACHED (UINT64_C(5) << 30)
/* Where no guest physical address leads anywhere: behind RAM, behind 32 bits, at the end of 39 and of 48 bits. */
#define VIEW_BEHIND (UINT64_C(2) << 30)
#define VIEW_BEHIND_NORMAL (UINT64_C(3) << 30)
#define VIEW_4G (UINT64_C(6) << 30)
#define VIEW_512G (UINT64_C(7) << 30)
#define VIEW_256T (UINT64_C(8) << 30)

void tables_build(void); /* by the first vCPU, before it uses them */
void tables_use(void);

/* --- traps.c -------------------------------------------------------------------------------------------------------- */

/* What has come over a vCPU. */
struct counts {
	uint64_t data, fetch, undefined, serror, irq;
	uint64_t sea; /* of @data and @fetch: external aborts */
};
extern struct counts counts[FBK_MAX_CPUS];
extern volatile bool quiet[FBK_MAX_CPUS]; /* set by a flood of interrupts, which then masks them all */

/* --- garbage.c ------------------------------------------------------------------------------------------------------ */

struct garbage {
	uint64_t state;
};

uint64_t any(struct garbage *g);			     /* 64 bits */
uint64_t below(struct garbage *g, uint64_t end);	     /* 0 to end - 1 */
bool one_in(struct garbage *g, uint64_t n);
uint64_t number(struct garbage *g);			     /* what a register or a field may choke on; never an address of ours */
uint64_t place(struct garbage *g);			     /* a guest physical address that is to be written or read by a device */
uint32_t length(struct garbage *g);			     /* for the same; never across what is ours */
void scribble(struct garbage *g, uint64_t gpa, size_t len); /* on memory */

/* --- machine.c ------------------------------------------------------------------------------------------------------ */

static inline unsigned int this_cpu(void)
{
	uint64_t n;

	__asm__ volatile("mrs %0, tpidr_el1" : "=r"(n));
	return (unsigned int)n;
}

static inline uint32_t read32(uint64_t va)
{
	uint32_t v;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(v) : "r"(va) : "memory");
	return v;
}

static inline void write32(uint64_t va, uint32_t v)
{
	__asm__ volatile("str %w0, [%1]" : : "r"(v), "r"(va) : "memory");
}

static inline uint64_t read64(uint64_t va)
{
	uint64_t v;

	__asm__ volatile("ldr %0, [%1]" : "=r"(v) : "r"(va) : "memory");
	return v;
}

static inline void write64(uint64_t va, uint64_t v)
{
	__asm__ volatile("str %0, [%1]" : : "r"(v), "r"(va) : "memory");
}

void jump(uint64_t to);

void say(const char *text);
void say_number(const char *before, uint64_t n);
int typed(void);	     /* a byte of the console's input, or -1 */
int key(uint64_t most_ms);   /* the next that is no end of a line, waited for */
uint64_t milliseconds(void); /* since the counter was zero */

/* [PSCI 5.1], by HVC or SMC. */
uint64_t psci(uint64_t function, uint64_t a, uint64_t b, uint64_t c);
uint64_t smc(uint64_t function, uint64_t a, uint64_t b, uint64_t c);
#define PSCI_CPU_OFF 0x84000002
#define PSCI_CPU_ON UINT64_C(0xc4000003)
#define PSCI_SYSTEM_OFF 0x84000008
#define PSCI_SYSTEM_RESET 0x84000009
void secondary(void);

/* --- the attacks: each on every vCPU at once -------------------------------------------------------------------------- */

struct attack {
	struct garbage garbage; /* this vCPU's own */
	uint64_t seed, rounds;
	unsigned int cpu, cpus;
};

/* arguments.c: a word of the command line. */
void arguments_find(uint64_t fdt);
uint64_t argument_number(const char *name, uint64_t otherwise);
bool argument_is(const char *name, const char *value);

extern volatile bool over; /* the first vCPU has done its rounds */

void attack_mmio(struct attack *a);
void attack_virtio(struct attack *a);
void attack_ghes(struct attack *a);
void attack_irq(struct attack *a);
void attack_psci(struct attack *a);
void attack_exec(struct attack *a);
void attack_poison(struct attack *a);

/* Whoever sleeps shall see that it is over. */
void irq_wake(unsigned int cpus);

/* The vCPU alone, after the attack: what devices still do. */
void virtio_check(struct attack *a);
int virtio_typed(void); /* a byte of a virtio console that it has found to work, or -1 */
/* The ends that take an operator to notice. */
void exec_end(struct attack *a);

#endif
