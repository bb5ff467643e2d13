// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * See vm.h. Every failure here is one of the test's own machinery and ends it.
 */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK 0x200000UL

#define SYS_TTBR1 ARM64_SYS_REG(3, 0, 2, 0, 1)
#define SYS_TCR ARM64_SYS_REG(3, 0, 2, 0, 2)
#define SYS_MAIR ARM64_SYS_REG(3, 0, 10, 2, 0)
#define SYS_VBAR ARM64_SYS_REG(3, 0, 12, 0, 0)

/* PSTATE with debug, IRQ and FIQ masked, SError not. */
#define PSTATE_EL1H 0x2c5
#define PSTATE_EL0T 0x2c0

void bail(const char *fmt, ...)
{
	va_list ap;

	printf("Bail out! ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

int kvm_open(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		bail("cannot open /dev/kvm: %s", strerror(errno));
	return fd;
}

static bool kvm_has(unsigned long cap)
{
	int kvm = kvm_open(), ret = ioctl(kvm, KVM_CHECK_EXTENSION, cap);

	close(kvm);
	return ret > 0;
}

bool kvm_has_sea(void)
{
	return kvm_has(TEST_CAP_ARM_SEA_TO_USER);
}

bool vm_mte;

bool kvm_has_mte(void)
{
	return kvm_has(KVM_CAP_ARM_MTE);
}

bool vm_el1_32bit;

bool kvm_has_el1_32bit(void)
{
	return kvm_has(KVM_CAP_ARM_EL1_32BIT);
}

void vm_set_reg(struct vm *vm, unsigned int cpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	if (ioctl(vm->cpu[cpu].fd, KVM_SET_ONE_REG, &reg))
		bail("cannot set register 0x%llx: %s", (unsigned long long)id, strerror(errno));
}

uint64_t vm_get_reg(struct vm *vm, unsigned int cpu, uint64_t id)
{
	uint64_t value = 0;
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	if (ioctl(vm->cpu[cpu].fd, KVM_GET_ONE_REG, &reg))
		bail("cannot get register 0x%llx: %s", (unsigned long long)id, strerror(errno));
	return value;
}

/* RAM_LEN bytes on a 2 MiB boundary, so that stage 2 can use blocks where the host does. */
static unsigned char *ram_new(struct vm *vm, enum vm_memory memory)
{
	bool shared = memory == MEM_SHARED || memory == MEM_HUGETLB_SHARED;
	int flags = MAP_NORESERVE | (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS;
	unsigned char *area, *ram;

	if (memory == MEM_HUGETLB || memory == MEM_HUGETLB_SHARED || memory == MEM_HUGETLB_1G) {
		unsigned int order = memory == MEM_HUGETLB_1G ? 30 : 21;

		vm->mapped = memory == MEM_HUGETLB_1G ? 1UL << order : RAM_LEN;
		ram = mmap(NULL, vm->mapped, PROT_READ | PROT_WRITE, flags | MAP_HUGETLB | (int)(order << 26 /* MAP_HUGE_SHIFT */), -1,
			   0);
		if (ram == MAP_FAILED)
			bail("no hugetlb memory: %s", strerror(errno));
		return ram;
	}
	area = mmap(NULL, RAM_LEN + BLOCK, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (area == MAP_FAILED)
		bail("no memory: %s", strerror(errno));
	ram = (unsigned char *)(((uintptr_t)area + BLOCK - 1) & ~(BLOCK - 1));
	munmap(area, ram - area);
	munmap(ram + RAM_LEN, BLOCK - (ram - area));
	vm->mapped = RAM_LEN;
	madvise(ram, RAM_LEN, memory == MEM_THP ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return ram;
}

static void put64(struct vm *vm, uint64_t gpa, uint64_t value)
{
	memcpy(vm->ram + (gpa - RAM_GPA), &value, sizeof(value));
}

/* Descriptor bits: inner shareable, access flag; normal memory is MAIR index 0. */
#define D_TABLE 3ULL
#define D_BLOCK 1ULL
#define D_PAGE 3ULL
#define D_COMMON (3ULL << 8 | 1ULL << 10)
#define D_RW_ALL (1ULL << 6) /* EL0 and EL1 read and write; never executed at EL1 */
#define D_RO_ALL (3ULL << 6) /* EL0 and EL1 read and execute */
#define D_DEVICE (1ULL << 2) /* MAIR index 1 */

/*
 * TTBR0_EL1, 4 KiB granule, 39 bits, so from level 1: the first 2 MiB of RAM
 * as they are (read-only, so that EL1 may execute them and EL0 too), the device,
 * and PAGE_GPA again at PAGE_VA_LOW. TTBR1_EL1, 48 bits, from level 0 or
 * with 64 KiB from level 1: PAGE_GPA alone. Separate tables, so that each can break
 * without taking the vectors with it.
 */
static void build_tables(struct vm *vm, enum vm_mmu mmu)
{
	uint64_t low1 = TABLE_LOW_GPA(0), code2 = TABLE_LOW_GPA(1), dev2 = TABLE_LOW_GPA(4);
	uint64_t page2 = TABLE_LOW_GPA(2), page3 = TABLE_LOW_GPA(3);

	memset(vm->ram + (TABLE_LOW_GPA(0) - RAM_GPA), 0, 0x10000 + 4 * 0x10000);
	put64(vm, low1 + 8 * (RAM_GPA >> 30), code2 | D_TABLE);
	put64(vm, code2, RAM_GPA | D_BLOCK | D_COMMON | D_RO_ALL);
	put64(vm, low1 + 8 * (DEVICE_GPA >> 30), dev2 | D_TABLE);
	put64(vm, dev2 + 8 * ((DEVICE_GPA >> 21) & 511),
	      DEVICE_GPA | D_BLOCK | D_COMMON | D_RW_ALL | D_DEVICE);
	put64(vm, low1 + 8 * (PAGE_VA_LOW >> 30), page2 | D_TABLE);
	put64(vm, page2, page3 | D_TABLE);
	put64(vm, page3 + 8 * 0x10, PAGE_GPA | D_PAGE | D_COMMON | D_RW_ALL);
	put64(vm, page3 + 8 * 0x11, PAGE_GPA | D_PAGE | D_COMMON | D_RO_ALL);

	for (int level = mmu == MMU_64K; level < 3; level++)
		put64(vm, TABLE_HIGH_GPA(level), TABLE_HIGH_GPA(level + 1) | D_TABLE);
	/* By granule, VA 0x10000 is another entry of the last table. */
	switch (mmu) {
	case MMU_4K:
		put64(vm, TABLE_HIGH_GPA(3) + 8 * 0x10, PAGE_GPA | D_PAGE | D_COMMON | D_RW_ALL);
		put64(vm, TABLE_HIGH_GPA(3) + 8 * 0x11, PAGE_GPA | D_PAGE | D_COMMON | D_RO_ALL);
		break;
	case MMU_16K:
		put64(vm, TABLE_HIGH_GPA(3) + 8 * 4, PAGE_GPA | D_PAGE | D_COMMON | D_RW_ALL);
		break;
	default:
		put64(vm, TABLE_HIGH_GPA(3) + 8, PAGE_GPA | D_PAGE | D_COMMON | D_RW_ALL);
	}
}

void vm_set_mmu(struct vm *vm, unsigned int cpu, enum vm_mmu mmu)
{
	/* IPS 40 bits; both halves cacheable, inner shareable; T0SZ 25, T1SZ 16. */
	uint64_t tcr = 2ULL << 32 | 25 | 16ULL << 16 | 0x3500 | 0x35000000;
	uint64_t sctlr = 0x30d00800 | 1ULL << 2 | 1ULL << 12; /* RES1 bits, C, I */

	static const uint64_t tg1[] = { [MMU_OFF] = 2, [MMU_4K] = 2, [MMU_16K] = 1, [MMU_64K] = 3 };

	if (mmu != MMU_OFF)
		build_tables(vm, mmu);
	vm_set_reg(vm, cpu, SYS_MAIR, 0x00ff); /* 0: normal write-back, 1: device nGnRnE */
	vm_set_reg(vm, cpu, SYS_TCR, tcr | tg1[mmu] << 30);
	vm_set_reg(vm, cpu, SYS_TTBR0, TABLE_LOW_GPA(0));
	vm_set_reg(vm, cpu, SYS_TTBR1, TABLE_HIGH_GPA(mmu == MMU_64K ? 1 : 0));
	vm_set_reg(vm, cpu, SYS_SCTLR, sctlr | (mmu != MMU_OFF));
}

struct vm *vm_new(enum vm_memory memory, bool sea, unsigned char *ram)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	struct kvm_vcpu_init init;
	int kvm = kvm_open();

	if (!vm)
		bail("no memory");
	vm->fd = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		bail("cannot create a VM: %s", strerror(errno));
	if (sea) {
		struct kvm_enable_cap cap = { .cap = TEST_CAP_ARM_SEA_TO_USER };

		if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
			bail("cannot enable KVM_CAP_ARM_SEA_TO_USER: %s", strerror(errno));
	}
	if (vm_mte) {
		struct kvm_enable_cap cap = { .cap = KVM_CAP_ARM_MTE };

		if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
			bail("cannot enable KVM_CAP_ARM_MTE: %s", strerror(errno));
	}

	vm->ram = ram ? ram : ram_new(vm, memory);
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = RAM_GPA,
		.memory_size = RAM_LEN,
		.userspace_addr = (uintptr_t)vm->ram,
	};
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		bail("cannot give the VM memory: %s", strerror(errno));
	memcpy(vm->ram, guest_start, guest_end - guest_start);
	/* Something to fetch from the page: "ret". */
	memset(vm->ram + (PAGE_GPA - RAM_GPA), 0, 0x1000);
	for (unsigned int i = 0; i < 0x1000; i += 4)
		memcpy(vm->ram + (PAGE_GPA - RAM_GPA) + i, &(uint32_t){ 0xd65f03c0 }, 4);

	vm->run_len = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init))
		bail("no preferred target: %s", strerror(errno));
	if (vm_el1_32bit)
		init.features[0] |= 1u << KVM_ARM_VCPU_EL1_32BIT;
	for (unsigned int i = 0; i < 2; i++) {
		struct vcpu *cpu = &vm->cpu[i];

		cpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, i);
		if (cpu->fd < 0 || ioctl(cpu->fd, KVM_ARM_VCPU_INIT, &init))
			bail("cannot create a vCPU: %s", strerror(errno));
		cpu->run = mmap(NULL, vm->run_len, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
		if (cpu->run == MAP_FAILED)
			bail("cannot map a vCPU: %s", strerror(errno));
		vm_set_reg(vm, i, SYS_VBAR, RAM_GPA);
	}
	close(kvm);
	return vm;
}

void vm_free(struct vm *vm)
{
	for (unsigned int i = 0; i < 2; i++) {
		munmap(vm->cpu[i].run, vm->run_len);
		close(vm->cpu[i].fd);
	}
	close(vm->fd);
	if (vm->mapped)
		munmap(vm->ram, vm->mapped);
	free(vm);
}

uint64_t vm_code(const char *code)
{
	return RAM_GPA + (code - guest_start);
}

void vm_set_x(struct vm *vm, unsigned int cpu, unsigned int n, uint64_t value)
{
	vm_set_reg(vm, cpu, CORE_REG(regs.regs[0]) + 2 * n, value);
}

void vm_aim(struct vm *vm, unsigned int cpu, unsigned int el, const char *code, uint64_t addr)
{
	vm_set_reg(vm, cpu, CORE_REG(regs.pstate), el ? PSTATE_EL1H : PSTATE_EL0T);
	vm_set_reg(vm, cpu, CORE_REG(regs.pc), vm_code(code));
	vm_set_x(vm, cpu, 0, addr);
	vm_set_x(vm, cpu, 1, 0);
	vm_set_x(vm, cpu, 9, DEVICE_GPA);
}

uint64_t vm_pc(struct vm *vm, unsigned int cpu)
{
	return vm_get_reg(vm, cpu, CORE_REG(regs.pc));
}

struct outcome vm_run(struct vm *vm, unsigned int cpu)
{
	struct kvm_run *run = vm->cpu[cpu].run;
	struct outcome o = { .kind = OUT_OTHER };
	uint32_t word;

	if (ioctl(vm->cpu[cpu].fd, KVM_RUN, 0)) {
		o.err = errno;
		return o;
	}
	o.reason = run->exit_reason;
	if (run->exit_reason == TEST_EXIT_ARM_SEA) {
		o.kind = OUT_SEA;
		o.sea = *test_run_sea(run);
		return o;
	}
	if (run->exit_reason != KVM_EXIT_MMIO || run->mmio.phys_addr != DEVICE_GPA)
		return o;
	memcpy(&word, run->mmio.data, sizeof(word));
	/* Let KVM finish the store, or it would move the PC that vm_aim() sets next. */
	run->immediate_exit = 1;
	if (!ioctl(vm->cpu[cpu].fd, KVM_RUN, 0) || errno != EINTR)
		bail("cannot complete a store: %s", strerror(errno));
	run->immediate_exit = 0;
	if (word == GUEST_DONE) {
		o.kind = OUT_DONE;
	} else {
		o.kind = OUT_VECTOR;
		o.vector = word - GUEST_VECTOR;
		o.esr_el1 = vm_get_reg(vm, cpu, SYS_ESR);
		o.far_el1 = vm_get_reg(vm, cpu, SYS_FAR);
		o.elr_el1 = vm_get_reg(vm, cpu, CORE_REG(elr_el1));
	}
	return o;
}

int vm_inject_dabt(struct vm *vm, unsigned int cpu)
{
	struct kvm_vcpu_events events = { 0 };

	events.exception.ext_dabt_pending = 1;
	return ioctl(vm->cpu[cpu].fd, KVM_SET_VCPU_EVENTS, &events) ? -errno : 0;
}

const char *outcome_text(const struct outcome *o)
{
	static char text[256];

	switch (o->kind) {
	case OUT_DONE:
		return "the access succeeded";
	case OUT_VECTOR:
		snprintf(text, sizeof(text), "vector %u esr=0x%llx far=0x%llx elr=0x%llx", o->vector,
			 (unsigned long long)o->esr_el1, (unsigned long long)o->far_el1,
			 (unsigned long long)o->elr_el1);
		return text;
	case OUT_SEA:
		snprintf(text, sizeof(text), "SEA exit flags=%llu esr=0x%llx gva=0x%llx gpa=0x%llx",
			 (unsigned long long)o->sea.flags, (unsigned long long)o->sea.esr,
			 (unsigned long long)o->sea.gva, (unsigned long long)o->sea.gpa);
		return text;
	default:
		snprintf(text, sizeof(text), "KVM_RUN: exit %d, errno %d (%s)", o->reason, o->err,
			 strerror(o->err));
		return text;
	}
}
