/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * sea-cost - what handling one guest SEA costs the host, from KVM_RUN returning to KVM_RUN being entered again.
 *
 * Runs a bare guest that loads from a poisoned page for ever, on the real KVM, with sea-inject making the page bad.
 * Three handlers take turns in the same run, on the same VM: a bare one that does nothing but inject the abort, the
 * library without a guest to notify, and the library with a GHES record. Meant for the deterministic lab (--icount),
 * where the virtual counter advances by one nanosecond an instruction; the figure is the host's instructions, kernel
 * and user space together.
 *
 * Preconditions: root, sea_inject loaded, KVM_CAP_ARM_SEA_TO_USER. Output: one line a handler, tab-separated: name,
 * median, least and most instructions. The median is the figure: an interrupt of the host may fall into any round.
 */
#include <firebreak/kvm.h>
#include <firebreak/vm.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RAM_GPA UINT64_C(0x40000000)
#define RAM_LEN UINT64_C(0x200000)
#define ENTRY_GPA (RAM_GPA + 0x800)
#define GHES_GPA (RAM_GPA + 0x10000)
#define BAD_GPA (RAM_GPA + 0x100000)
#define ROUNDS 512
#define WARM_UP 32

extern const uint8_t fbk_bench_guest[], fbk_bench_guest_end[];

struct machine {
	int vm_fd, vcpu_fd;
	struct kvm_run *run;
	uint8_t *ram;
	struct fbk_gmem gmem;
	struct fbk_ghes_layout ghes;
};

struct cost {
	uint64_t took[ROUNDS]; /* ticks, ascending */
};

static void die(const char *what)
{
	fprintf(stderr, "sea-cost: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The generic timer's virtual count; the barrier keeps it from being read ahead of what is measured. */
static uint64_t now_ticks(void)
{
	uint64_t t;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(t)::"memory");
	return t;
}

static uint64_t ticks_hz(void)
{
	uint64_t hz;

	__asm__("mrs %0, cntfrq_el0" : "=r"(hz));
	return hz;
}

static void set_reg(int vcpu_fd, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	if (ioctl(vcpu_fd, KVM_SET_ONE_REG, &reg))
		die("KVM_SET_ONE_REG");
}

#define CORE_REG(field) \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | (offsetof(struct kvm_regs, field) / sizeof(uint32_t)))

static void machine_make(struct machine *m)
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
	errno = -fbk_kvm_enable_sea(m->vm_fd);
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

/* Start the guest's program anew; @notify: it has an error block to clear and acknowledge. */
static void guest_start(struct machine *m, bool notify)
{
	set_reg(m->vcpu_fd, CORE_REG(regs.pc), ENTRY_GPA);
	set_reg(m->vcpu_fd, CORE_REG(regs.pstate), 0x3c5); /* EL1h, DAIF masked */
	set_reg(m->vcpu_fd, CORE_REG(regs.regs[0]), BAD_GPA);
	set_reg(m->vcpu_fd, CORE_REG(regs.regs[1]), notify ? m->ghes.source[FBK_GHES_SEA].block.addr : 0);
	set_reg(m->vcpu_fd, CORE_REG(regs.regs[2]), m->ghes.source[FBK_GHES_SEA].ack.addr);
}

static void bare_handler(const struct machine *m)
{
	struct kvm_vcpu_events events;

	memset(&events, 0, sizeof(events));
	events.exception.ext_dabt_pending = 1;
	if (ioctl(m->vcpu_fd, KVM_SET_VCPU_EVENTS, &events))
		die("KVM_SET_VCPU_EVENTS");
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* @vcpu: NULL for the bare handler. */
static void measure(struct machine *m, struct fbk_vcpu *vcpu, bool notify, struct cost *c)
{
	unsigned int i;

	guest_start(m, notify);
	for (i = 0; i < WARM_UP + ROUNDS; i++) {
		struct fbk_verdict verdict;
		uint64_t began, took;

		if (ioctl(m->vcpu_fd, KVM_RUN, 0))
			die("KVM_RUN");
		began = now_ticks();
		if (m->run->exit_reason != FBK_KVM_EXIT_ARM_SEA) {
			fprintf(stderr, "sea-cost: exit %u instead of KVM_EXIT_ARM_SEA\n", m->run->exit_reason);
			exit(1);
		}
		if (!vcpu) {
			bare_handler(m);
		} else {
			errno = -fbk_vcpu_sea(vcpu, &verdict);
			if (errno)
				die("fbk_vcpu_sea");
			if (verdict.action != FBK_VERDICT_REPLAY) {
				fprintf(stderr, "sea-cost: verdict: %s\n", verdict.text);
				exit(1);
			}
		}
		took = now_ticks() - began;
		if (i >= WARM_UP)
			c->took[i - WARM_UP] = took;
	}
	qsort(c->took, ROUNDS, sizeof(c->took[0]), ascending);
}

static enum fbk_notify last_notify;

static void note_event(void *opaque, const struct fbk_event *ev)
{
	last_notify = ev->notify;
}

static int no_interrupt(void *opaque)
{
	return 0;
}

static void no_pump(void *opaque)
{
}

static const struct fbk_vm_ops ops = {
	.event = note_event,
	.raise_async = no_interrupt,
	.want_pump = no_pump,
};

static void library_make(const struct machine *m, bool notify, struct fbk_vm **vm, struct fbk_vcpu **vcpu)
{
	struct fbk_policy policy;
	struct fbk_vm_config cfg = {
		.size = sizeof(cfg),
		.vm_fd = m->vm_fd,
		.gmem = &m->gmem,
		.ghes = notify ? &m->ghes : NULL,
		.policy = &policy,
		.ops = &ops,
	};

	/* The same abort again and again is the benchmark, not a storm. */
	fbk_policy_default(&policy);
	policy.storm_repeats = 0;
	errno = -fbk_vm_create(&cfg, vm);
	if (errno)
		die("fbk_vm_create");
	errno = -fbk_vcpu_create(*vm, m->vcpu_fd, m->run, 0, vcpu);
	if (errno)
		die("fbk_vcpu_create");
}

static void print(const char *name, const struct cost *c)
{
	double ns = 1e9 / (double)ticks_hz();

	printf("%s\t%.0f\t%.0f\t%.0f\n", name, ns * (double)c->took[ROUNDS / 2], ns * (double)c->took[0],
	       ns * (double)c->took[ROUNDS - 1]);
}

/* The tool, not the device: a benchmark wants no second client of its interface. */
static void arm(const char *tool)
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
		fprintf(stderr, "sea-cost: %s arm failed (status %#x)\n", tool, status);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct machine m;
	struct fbk_vm *quiet, *telling;
	struct fbk_vcpu *quiet_vcpu, *telling_vcpu;
	static struct cost c;

	if (argc != 2) {
		fprintf(stderr, "usage: sea-cost /path/to/sea-inject\n");
		return 2;
	}
	memset(&m, 0, sizeof(m));
	machine_make(&m);
	library_make(&m, false, &quiet, &quiet_vcpu);
	library_make(&m, true, &telling, &telling_vcpu);
	arm(argv[1]);

	measure(&m, NULL, false, &c);
	print("bare", &c);
	measure(&m, quiet_vcpu, false, &c);
	print("library", &c);
	if (last_notify != FBK_NOTIFY_NONE) {
		fprintf(stderr, "sea-cost: a guest without ACPI was notified\n");
		return 1;
	}
	measure(&m, telling_vcpu, true, &c);
	print("library+ghes", &c);
	if (last_notify != FBK_NOTIFY_SEA) {
		fprintf(stderr, "sea-cost: the record went by way of '%s'\n", fbk_notify_name(last_notify));
		return 1;
	}
	/* Once more, to show that nothing drifted. */
	measure(&m, NULL, false, &c);
	print("bare", &c);

	fbk_vcpu_destroy(telling_vcpu);
	fbk_vcpu_destroy(quiet_vcpu);
	fbk_vm_destroy(telling);
	fbk_vm_destroy(quiet);
	return 0;
}
