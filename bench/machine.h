/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * machine.h - the bare guest of the benchmarks: one vCPU that loads from a poisoned page for ever, on the real KVM.
 */
#ifndef FBK_BENCH_MACHINE_H
#define FBK_BENCH_MACHINE_H

#include <firebreak/gmem.h>
#include <firebreak/ghes.h>

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAM_GPA UINT64_C(0x40000000)
#define RAM_LEN UINT64_C(0x200000)
#define BAD_GPA (RAM_GPA + 0x100000)
#define HOLE_GPA UINT64_C(0x10000000) /* neither memory nor device: an access is an MMIO exit */

struct machine {
	int vm_fd, vcpu_fd;
	struct kvm_run *run;
	uint8_t *ram;
	struct fbk_gmem gmem;
	struct fbk_ghes_layout ghes;
};

/* All of these end the program when something fails: a benchmark has no other way to go on. */
void die(const char *what) __attribute__((noreturn));
void machine_make(struct machine *m, bool sea);
/* Start the guest's program anew. @page: what it loads from; @notify: it has an error block to clear and acknowledge. */
void guest_start(struct machine *m, uint64_t page, bool notify);
/* Break the page at BAD_GPA of the machine that was made first. @tool: sea-inject. */
void arm(const char *tool);

/* The generic timer's virtual count; the barrier keeps it from being read ahead of what is measured. */
static inline uint64_t now_ticks(void)
{
	uint64_t t;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(t)::"memory");
	return t;
}

static inline uint64_t ticks_hz(void)
{
	uint64_t hz;

	__asm__("mrs %0, cntfrq_el0" : "=r"(hz));
	return hz;
}

#endif
