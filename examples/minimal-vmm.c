/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * minimal-vmm - a whole arm64 monitor that contains memory errors, in one file: one vCPU, one MiB, one device.
 *
 * It runs the guest of minimal-guest.S, which reads a page. Before the guest starts the monitor says where that page is
 * and waits for a line on its input: the moment for somebody else to break it (examples/README.md shows two ways). What the
 * guest then prints is what its own exception vector has read in ESR_EL1 and FAR_EL1.
 *
 * Exit status: 0 the guest powered off; 1 it could not be run, or not any further.
 */
#define _GNU_SOURCE
#include <firebreak/kvm.h>
#include <firebreak/vm.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAM_GPA 0x40000000
#define RAM_LEN 0x100000
#define PAGE_GPA 0x40010000 /* the page that the guest reads */
#define DEVICE_GPA 0x09000000

extern const char guest_start[], guest_end[];

static struct fbk_gmem gmem;		      /* where guest memory lies */
static volatile sig_atomic_t running_guest;   /* a monitor with several vCPU threads has these once a thread */
static volatile sig_atomic_t sigbus_pending;
static siginfo_t sigbus;

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

/* The library installs no handler. This one is all it asks for. */
static void on_sigbus(int sig, siginfo_t *si, void *ucontext)
{
	struct fbk_hva hva = { (uintptr_t)si->si_addr };
	struct fbk_gpa gpa;

	/* A copy of the library's own met the page: the copy reports -EHWPOISON. */
	if (fbk_gmem_sigbus(si, ucontext))
		return;
	/* The guest met it: KVM_RUN is about to return with EINTR, and the loop below takes over. */
	if (running_guest && si->si_code == BUS_MCEERR_AR && !fbk_gmem_gpa(&gmem, hva, &gpa)) {
		sigbus = *si;
		sigbus_pending = 1;
		return;
	}
	/* The monitor's own memory: nothing can be saved. On return the access is repeated, and ends the process. */
	signal(sig, SIG_DFL);
}

/* One line of JSON an error. Called by the library on the vCPU's thread. */
static void on_event(void *opaque, const struct fbk_event *ev)
{
	char line[FBK_EVENT_JSON_MAX];

	(void)opaque;
	if (fbk_event_json(ev, line, sizeof(line)) > 0)
		fprintf(stderr, "event: %s", line);
}

static void set_reg(int vcpu, uint64_t offset, uint64_t value)
{
	struct kvm_one_reg reg = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | offset / sizeof(uint32_t),
		.addr = (uintptr_t)&value,
	};

	if (ioctl(vcpu, KVM_SET_ONE_REG, &reg))
		die("KVM_SET_ONE_REG");
}

/* What the policy has decided. A replayed abort is in the vCPU already. */
static void obey(int err, const struct fbk_verdict *verdict)
{
	if (err) {
		fprintf(stderr, "minimal-vmm: the error could not be contained: %s\n", strerror(-err));
		exit(1);
	}
	if (verdict->action == FBK_VERDICT_STOP || verdict->action == FBK_VERDICT_PAUSE) {
		fprintf(stderr, "minimal-vmm: stopped: %s\n", verdict->text);
		exit(1);
	}
}

static void run(int vcpu, struct kvm_run *run, struct fbk_vcpu *fbk)
{
	struct fbk_verdict verdict;
	int ret, err;

	for (;;) {
		running_guest = 1;
		ret = ioctl(vcpu, KVM_RUN, 0);
		running_guest = 0;
		if (sigbus_pending) {
			sigbus_pending = 0;
			err = fbk_vcpu_sigbus(fbk, &sigbus, &verdict);
			obey(err, &verdict);
			continue;
		}
		if (ret && (errno == EINTR || errno == EAGAIN))
			continue;
		if (ret)
			die("KVM_RUN");
		switch (run->exit_reason) {
		case FBK_KVM_EXIT_ARM_SEA:
			err = fbk_vcpu_sea(fbk, &verdict);
			obey(err, &verdict);
			break;
		case KVM_EXIT_MMIO:
			if (run->mmio.is_write && run->mmio.phys_addr == DEVICE_GPA)
				putchar(run->mmio.data[0]);
			break;
		case KVM_EXIT_SYSTEM_EVENT:
			return;
		default:
			fprintf(stderr, "minimal-vmm: exit %u is not for me\n", run->exit_reason);
			exit(1);
		}
	}
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
	int run_len = kvm < 0 ? -1 : ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	char *ram = mmap(NULL, RAM_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sigaction act;
	int vcpu;

	if (vm < 0 || run_len < 0 || ram == MAP_FAILED)
		die("a VM");
	/* At VM creation. A kernel that cannot forward aborts still tells of bad pages by SIGBUS. */
	if (fbk_kvm_enable_sea(vm))
		fprintf(stderr, "minimal-vmm: this kernel does not forward aborts\n");

	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = RAM_GPA,
		.memory_size = RAM_LEN,
		.userspace_addr = (uintptr_t)ram,
	};
	struct fbk_gmem_region region = { .gpa = { RAM_GPA }, .hva = { (uintptr_t)ram }, .len = RAM_LEN };

	memcpy(ram, guest_start, (size_t)(guest_end - guest_start));
	memset(ram + (PAGE_GPA - RAM_GPA), 0x5a, 4096);
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) || fbk_gmem_add(&gmem, &region))
		die("guest memory");

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = on_sigbus;
	act.sa_flags = SA_SIGINFO;
	sigaction(SIGBUS, &act, NULL);

	struct kvm_vcpu_init init;

	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0 || ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init))
		die("a vCPU");
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	struct kvm_run *mapped = mmap(NULL, (size_t)run_len, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);

	if (mapped == MAP_FAILED || ioctl(vcpu, KVM_ARM_VCPU_INIT, &init))
		die("a vCPU");
	set_reg(vcpu, offsetof(struct kvm_regs, regs.pc), RAM_GPA + 0x800);
	set_reg(vcpu, offsetof(struct kvm_regs, regs.regs[0]), PAGE_GPA);
	set_reg(vcpu, offsetof(struct kvm_regs, regs.regs[19]), DEVICE_GPA);

	/* No ACPI in this guest, hence no .ghes, and no ops but the one. */
	static const struct fbk_vm_ops ops = { .event = on_event };
	struct fbk_vm_config cfg = { .size = sizeof(cfg), .vm_fd = vm, .gmem = &gmem, .ops = &ops };
	struct fbk_vm *fbk_vm;
	struct fbk_vcpu *fbk_vcpu;

	if (fbk_vm_create(&cfg, &fbk_vm) || fbk_vcpu_create(fbk_vm, vcpu, mapped, 0, &fbk_vcpu))
		die("libfirebreak");
	printf("ready: pid %d, guest page 0x%x, at %p\n", (int)getpid(), PAGE_GPA, (void *)(ram + (PAGE_GPA - RAM_GPA)));
	fflush(stdout);
	if (getchar() == EOF)
		die("no line on the input");

	run(vcpu, mapped, fbk_vcpu);
	printf("powered off; bad pages: %u\n", fbk_ledger_pages(fbk_vm_ledger(fbk_vm)));
	fbk_vcpu_destroy(fbk_vcpu);
	fbk_vm_destroy(fbk_vm);
	return 0;
}
