/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A monitor for the bare guest: RAM, one or more vCPUs, stage-1 tables.
 */
#ifndef TEST_VM_H
#define TEST_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvm_sea.h"

#define GUEST_DONE 1
#define GUEST_VECTOR 0x100
/* Vector numbers, in the order of VBAR_EL1's table. */
#define VECTOR_EL1_SYNC 4
#define VECTOR_EL1_SERROR 7
#define VECTOR_EL0_SYNC 8
#define VECTOR_EL0_SERROR 11
#define VECTOR_EL0_32_SYNC 12

#define RAM_GPA 0x40000000ULL
#define RAM_LEN 0x800000ULL
#define DEVICE_GPA 0x10000000ULL
#define PAGE_GPA 0x40010000ULL /* the page that the tests break */
#define PAGE2_GPA 0x40011000ULL /* its neighbour */

/* Where the guest sees PAGE_GPA with its MMU on (both are at VA != IPA). */
#define PAGE_VA_LOW 0x80010000ULL /* through TTBR0_EL1 */
#define PAGE_VA_LOW_EXEC 0x80011000ULL
#define PAGE_VA_HIGH 0xffff000000010000ULL /* through TTBR1_EL1 */
#define PAGE_VA_HIGH_EXEC 0xffff000000011000ULL

/* Guest physical addresses of the stage-1 tables, by level. */
#define TABLE_LOW_GPA(level) (0x40020000ULL + (level) * 0x1000)
#define TABLE_HIGH_GPA(level) (0x40030000ULL + (level) * 0x10000)

/* Register ids: [KVM-API] "KVM_SET_ONE_REG". */
#define CORE_REG(field)                                              \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |       \
	 (offsetof(struct kvm_regs, field) / sizeof(uint32_t)))
#define SYS_SCTLR ARM64_SYS_REG(3, 0, 1, 0, 0)
#define SYS_TTBR0 ARM64_SYS_REG(3, 0, 2, 0, 0)
#define SYS_ESR ARM64_SYS_REG(3, 0, 5, 2, 0)
#define SYS_FAR ARM64_SYS_REG(3, 0, 6, 0, 0)

enum vm_memory { MEM_SMALL, MEM_THP, MEM_HUGETLB, MEM_HUGETLB_SHARED, MEM_HUGETLB_1G, MEM_SHARED };
enum vm_mmu { MMU_OFF, MMU_4K, MMU_16K, MMU_64K };

struct vcpu {
	int fd;
	struct kvm_run *run;
};

struct vm {
	int fd;
	unsigned char *ram; /* host view of RAM_GPA */
	size_t mapped; /* bytes to unmap; 0: not ours */
	struct vcpu cpu[2];
	size_t run_len;
};

/* Code of the guest; as guest addresses with vm_code(). */
extern const char guest_start[], guest_end[], guest_load[], guest_store[], guest_ldadd[],
	guest_fetch[], guest_at[], guest_sweep[], guest_watch[], guest_fill[];
/* The same accesses in A32 and T32, for AArch32 EL0. */
extern const char guest_load_a32[], guest_store_a32[], guest_load_t32[], guest_store_t32[];

/* What a run of the guest ended with. */
enum outcome_kind { OUT_DONE, OUT_VECTOR, OUT_SEA, OUT_OTHER };
struct outcome {
	enum outcome_kind kind;
	unsigned int vector; /* OUT_VECTOR */
	uint64_t esr_el1, far_el1, elr_el1; /* OUT_VECTOR */
	struct test_kvm_sea sea; /* OUT_SEA */
	int reason, err; /* OUT_OTHER */
};

/* Ends the program with "Bail out!": the test's own machinery failed. */
void bail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

int kvm_open(void);
bool kvm_has_sea(void);
/* The Memory Tagging Extension: does KVM offer it, and shall VMs made from now on have it? */
bool kvm_has_mte(void);
extern bool vm_mte;
/* AArch32 at EL1: likewise. */
bool kvm_has_el1_32bit(void);
extern bool vm_el1_32bit;
/* @ram: share this memory (RAM_LEN bytes) instead of making some; NULL: make some. */
struct vm *vm_new(enum vm_memory memory, bool sea, unsigned char *ram);
void vm_free(struct vm *vm);
void vm_set_mmu(struct vm *vm, unsigned int cpu, enum vm_mmu mmu);
/* Sets up an access from EL0 or EL1: where to run, and at what to aim. */
void vm_aim(struct vm *vm, unsigned int cpu, unsigned int el, const char *code, uint64_t addr);
void vm_set_x(struct vm *vm, unsigned int cpu, unsigned int n, uint64_t value);
void vm_set_reg(struct vm *vm, unsigned int cpu, uint64_t id, uint64_t value);
uint64_t vm_get_reg(struct vm *vm, unsigned int cpu, uint64_t id);
uint64_t vm_code(const char *code);
uint64_t vm_pc(struct vm *vm, unsigned int cpu);
struct outcome vm_run(struct vm *vm, unsigned int cpu);
/* KVM_SET_VCPU_EVENTS with ext_dabt_pending; 0 or -errno. */
int vm_inject_dabt(struct vm *vm, unsigned int cpu);
const char *outcome_text(const struct outcome *o);

#endif
