/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * What the parts of the contract suite share: one vCPU, brought into the same state again and again, and sent into its
 * abort once by the kernel's own helper and once by the library.
 */
#ifndef TEST_CONTRACT_H
#define TEST_CONTRACT_H

#include "klog.h"
#include "module.h"
#include "regs.h"
#include "tap.h"
#include "vm.h"

#include <firebreak/inject.h>
#include <firebreak/kvm.h>

/* Addresses without memory or device: MMIO exits. */
#define HOLE_GPA 0x20000000ULL

struct base {
	const char *name;
	uint64_t mode; /* M and T of PSTATE */
	unsigned int vector;
	const char *load, *store;
};

#define NR_BASES 5
extern const struct base bases[NR_BASES]; /* EL1h, EL1t, EL0, AArch32 EL0 in A32 and T32 */
#define BASE_EL1H (&bases[0])
#define BASE_EL0 (&bases[2])

extern bool has_sea;	 /* this kernel forwards SEAs */
extern bool commits;	 /* the helper moves the PC at once; else it waits for KVM_RUN */
extern uint32_t kvm_bits; /* as the library probed them */

/* As this kernel would be without taking syndromes. */
#define KVM_WITHOUT_SYNDROME (kvm_bits & ~(uint32_t)FBK_KVM_INJECT_EXT_ABT_ESR)

static inline bool takes_syndrome(void)
{
	return kvm_bits & FBK_KVM_INJECT_EXT_ABT_ESR;
}

/* The methods with which the library has answered, left to itself: 1 << enum fbk_replay_method. */
extern uint32_t methods_seen[2];
enum road { AFTER_SEA, AFTER_SIGBUS };

static inline bool is_el1(const struct base *b)
{
	return b->mode == 5 || b->mode == 4;
}

/* Everything a case starts from. @code: what accesses @addr; NULL: the PC is @addr itself. */
void begin(struct vm *vm, const struct base *b, uint64_t pstate, uint64_t sctlr, const char *code, uint64_t addr);
/* KVM_RUN that does not enter the guest. */
void run_immediate(struct vm *vm);
/* The library's injection with these FBK_KVM_* bits; 0: by registers. */
int inject(struct vm *vm, uint32_t bits, struct fbk_abort *a, enum fbk_replay_method *method);
/* What KVM_RUN would leave with an SEA on that page, told of a vCPU about to load from it in user mode. */
void plant_sea(struct vm *vm, uint64_t gpa);
/* The guest runs to its handler: which vector; -1: it did not get there. */
int run_to_vector(struct vm *vm);

/* memfd.c: the host's kernel finds the frame bad that is mapped there (hard_offline_page). Return: its number. */
uint64_t host_breaks(const void *at);

void test_states(bool mte);
void test_mmio(void);
void test_sigbus(void);
void test_retire(void);
void test_memfd(void);
void test_liar(const char *module_path);
void test_sea(const char *module_path);
/* The kernel does not take this syndrome, or this guest. */
void test_refusal(void);
/* What `firebreak check` says of the methods, after all that used them. */
void test_check(void);

#endif
