/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* machine.c - see machine.h */
#include "machine.h"

#include <firebreak/kvm.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRY_GPA (RAM_GPA + 0x800)
#define GHES_GPA (RAM_GPA + 0x10000)

extern const uint8_t fbk_bench_guest[], fbk_bench_guest_end[];

void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, errno ? strerror(errno) : "not as expected");
	exit(1);
}

static void set_reg(int vcpu_fd, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	if (ioctl(vcpu_fd, KVM_SET_ONE_REG, &reg))
		die("KVM_SET_ONE_REG");
}

#define CORE_REG(field) \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | (offsetof(struct kvm_regs, field) / sizeof(uint32_t)))

void machine_make(struct machine *m, bool sea)
{
	struct kvm_userspace_memory_region slot = { .guest_phys_addr = RAM_GPA, .memory_size = RAM_LEN };
	struct fbk_gmem_region region = { .gpa = { RAM_GPA }, .len = RAM_LEN };
	struct kvm_vcpu_init init;
	int kvm_fd, len;

	kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm_fd < 0)
		die("/dev/kvm");
	m->vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	if (m->vm_fd < 0)
		die("KVM_CREATE_VM");
	errno = sea ? -fbk_kvm_enable_sea(m->vm_fd) : 0;
	if (errno)
		die("KVM_CAP_ARM_SEA_TO_USER");
	m->ram = mmap(NULL, RAM_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m->ram == MAP_FAILED)
		die("guest memory");
	slot.userspace_addr = (uintptr_t)m->ram;
	if (ioctl(m->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot))
		die("KVM_SET_USER_MEMORY_REGION");
	memset(m->ram, 0, RAM_LEN);
	memcpy(m->ram, fbk_bench_guest, fbk_bench_guest_end - fbk_bench_guest);
	region.hva.addr = (uintptr_t)m->ram;
	errno = -fbk_gmem_add(&m->gmem, &region);
	if (errno)
		die("fbk_gmem_add");
	errno = -fbk_ghes_layout_init(&m->ghes, (struct fbk_gpa){ GHES_GPA });
	if (errno)
		die("fbk_ghes_layout_init");
	len = fbk_ghes_area_build(&m->ghes, m->ram + (GHES_GPA - RAM_GPA), FBK_GHES_AREA_LEN);
	if (len < 0) {
		errno = -len;
		die("fbk_ghes_area_build");
	}

	m->vcpu_fd = ioctl(m->vm_fd, KVM_CREATE_VCPU, 0);
	if (m->vcpu_fd < 0)
		die("KVM_CREATE_VCPU");
	len = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	m->run = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu_fd, 0);
	if (m->run == MAP_FAILED)
		die("kvm_run");
	if (ioctl(m->vm_fd, KVM_ARM_PREFERRED_TARGET, &init) || ioctl(m->vcpu_fd, KVM_ARM_VCPU_INIT, &init))
		die("KVM_ARM_VCPU_INIT");
}

void guest_start(struct machine *m, uint64_t page, bool notify)
{
	/* An access that waits for its completion would be completed on top of this: PC + 4, and the register loaded. */
	m->run->exit_reason = KVM_EXIT_UNKNOWN;
	set_reg(m->vcpu_fd, CORE_REG(regs.pc), ENTRY_GPA);
	set_reg(m->vcpu_fd, CORE_REG(regs.pstate), 0x3c5); /* EL1h, DAIF masked */
	set_reg(m->vcpu_fd, CORE_REG(regs.regs[0]), page);
	set_reg(m->vcpu_fd, CORE_REG(regs.regs[1]), notify ? m->ghes.source[FBK_GHES_SEA].block.addr : 0);
	set_reg(m->vcpu_fd, CORE_REG(regs.regs[2]), m->ghes.source[FBK_GHES_SEA].ack.addr);
}

/* The tool, not the device: a benchmark wants no second client of its interface. */
void arm(const char *tool)
{
	char pid[16], gpa[32];
	int status;
	pid_t child;

	snprintf(pid, sizeof(pid), "%d", getpid());
	snprintf(gpa, sizeof(gpa), "0x%llx", (unsigned long long)BAD_GPA);
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		execl(tool, "sea-inject", "arm", "--pid", pid, "--gpa", gpa, (char *)NULL);
		_exit(127);
	}
	if (waitpid(child, &status, 0) != child || status) {
		fprintf(stderr, "bench: %s arm failed (status %#x)\n", tool, status);
		exit(1);
	}
}
