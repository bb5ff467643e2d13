/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * kernel-cost - what the host's kernel does from one exit of a guest to the next: nothing but that, so that two kernels
 * can be compared.
 *
 *   mmio	a load from no memory: out to user space and in again
 *   fault	the same after the guest's program was taken out of stage 2: its fetch faults, and KVM maps it again
 *   sea	a load from a poisoned page, the abort of the last one injected before (kernels with KVM_CAP_ARM_SEA_TO_USER)
 *
 * Meant for the deterministic lab (--icount), where the virtual counter advances by one nanosecond an instruction.
 *
 * Preconditions: root; for "sea" sea_inject loaded. Output: one line each, tab-separated: name, instructions from
 * KVM_RUN to its return: the mean of the middle half of the rounds, since an interrupt of the host may fall into any.
 */
#include "machine.h"

#include <firebreak/kvm.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROUNDS 2048
#define WARM_UP 64

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void before_mmio(struct machine *m)
{
}

/* Out of stage 2 it goes when the host's permissions change; host memory it stays. One page alone: the caches of a huge one
 * would be cleaned as a whole. */
static void before_fault(struct machine *m)
{
	if (mprotect(m->ram, 4096, PROT_NONE) || mprotect(m->ram, 4096, PROT_READ | PROT_WRITE))
		die("mprotect");
	/* Present again for the host before KVM asks. */
	*(volatile uint8_t *)m->ram = *(volatile uint8_t *)m->ram;
}

static void before_sea(struct machine *m)
{
	struct kvm_vcpu_events events;

	if (m->run->exit_reason != FBK_KVM_EXIT_ARM_SEA)
		return;
	memset(&events, 0, sizeof(events));
	events.exception.ext_dabt_pending = 1;
	if (ioctl(m->vcpu_fd, KVM_SET_VCPU_EVENTS, &events))
		die("KVM_SET_VCPU_EVENTS");
}

static void measure(const char *name, struct machine *m, uint64_t page, uint32_t reason, void (*before)(struct machine *m))
{
	static uint64_t took[ROUNDS];
	uint64_t sum = 0;

	guest_start(m, page, false);
	for (unsigned int i = 0; i < WARM_UP + ROUNDS; i++) {
		uint64_t began;

		before(m);
		began = now_ticks();
		if (ioctl(m->vcpu_fd, KVM_RUN, 0))
			die("KVM_RUN");
		if (i >= WARM_UP)
			took[i - WARM_UP] = now_ticks() - began;
		if (m->run->exit_reason != reason) {
			fprintf(stderr, "kernel-cost: %s: exit %u instead of %u\n", name, m->run->exit_reason, reason);
			exit(1);
		}
	}
	qsort(took, ROUNDS, sizeof(took[0]), ascending);
	for (unsigned int i = ROUNDS / 4; i < ROUNDS * 3 / 4; i++)
		sum += took[i];
	printf("%s\t%.1f\n", name, 1e9 / (double)ticks_hz() * (double)sum / (ROUNDS / 2.0));
}

static bool has_sea(void)
{
	int kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm_fd;
	uint32_t caps;

	vm_fd = kvm_fd < 0 ? -1 : ioctl(kvm_fd, KVM_CREATE_VM, 0);
	if (vm_fd < 0)
		die("KVM_CREATE_VM");
	errno = -fbk_kvm_probe(vm_fd, &caps);
	if (errno)
		die("fbk_kvm_probe");
	close(vm_fd);
	close(kvm_fd);
	return caps & FBK_KVM_SEA_TO_USER;
}

int main(int argc, char **argv)
{
	static struct machine m, plain;
	bool sea = has_sea();

	if (argc != 2) {
		fprintf(stderr, "usage: kernel-cost /path/to/sea-inject\n");
		return 2;
	}
	/* The tool takes the process's first VM. */
	if (sea)
		machine_make(&m, true);
	machine_make(&plain, false);
	measure("mmio", &plain, HOLE_GPA, KVM_EXIT_MMIO, before_mmio);
	measure("fault", &plain, HOLE_GPA, KVM_EXIT_MMIO, before_fault);
	if (sea) {
		arm(argv[1]);
		measure("sea", &m, BAD_GPA, FBK_KVM_EXIT_ARM_SEA, before_sea);
	}
	return 0;
}
