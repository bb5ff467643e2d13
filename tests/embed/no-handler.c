// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * The guide's way for a monitor without a SIGBUS handler, on a real KVM: the blocks are the page's own.
 */
#include <firebreak/kvm.h>
#include <firebreak/vm.h>

#include "in-lab.h"
#include "tap.h"
#include "vm.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#include "guide.h"

void monitor_stop(struct monitor *m, const char *why)
{
	bail("the VM is to be stopped: %s", why);
}

void monitor_hold(struct monitor *m, const char *why)
{
	bail("the VM is to be held: %s", why);
}

int monitor_pulse_ged(struct monitor *m)
{
	return 0;
}

void test_no_handler(const char *name)
{
	static const struct fbk_vm_ops quiet;
	static struct monitor m;
	struct fbk_vm_config cfg = { .size = sizeof(cfg), .gmem = &m.gmem, .ops = &quiet };
	struct vm *vm = vm_new(MEM_SMALL, false, NULL);
	struct fbk_gmem_region r = { .gpa = { RAM_GPA }, .hva = { (uintptr_t)vm->ram }, .len = RAM_LEN };
	struct cpu cpu = { .m = &m, .fd = vm->cpu[0].fd, .run = vm->cpu[0].run };
	struct fbk_verdict verdict;
	struct sigaction act;
	struct outcome o;
	siginfo_t si;
	int err;

	vm_set_mmu(vm, 0, MMU_OFF);
	cfg.vm_fd = vm->fd;
	if (fbk_gmem_add(&m.gmem, &r) || fbk_vm_create(&cfg, &m.road) ||
	    fbk_vcpu_create(m.road, cpu.fd, cpu.run, 0, &cpu.road) || sigbus_only_in_kvm_run(cpu.fd))
		bail("no VM");
	if (!break_by_host(getpid(), (uintptr_t)vm->ram + (PAGE_GPA - RAM_GPA))) {
		skip(name, "this host's kernel has no hard_offline_page");
		return;
	}
	vm_aim(vm, 0, 1, guest_load, PAGE_GPA + 0x18);
	alarm(30); /* KVM_RUN that never returns */
	o = vm_run(vm, 0);
	if (!ok(o.kind == OUT_OTHER && o.err == EINTR && sigbus_fetch(&si) && si.si_code == BUS_MCEERR_AR, name, "%s",
		outcome_text(&o)))
		return;
	err = fbk_vcpu_sigbus(cpu.road, &si, &verdict);
	carry_out(&cpu, err, &verdict);
	o = vm_run(vm, 0);
	alarm(0);
	sigaction(SIGBUS, NULL, &act);
	ok(o.kind == OUT_VECTOR && o.vector == VECTOR_EL1_SYNC && o.esr_el1 == 0x96000010 && o.far_el1 == PAGE_GPA + 0x18 &&
		   act.sa_handler == SIG_DFL,
	   "and the guest takes the abort", "%s", outcome_text(&o));
	fbk_vcpu_destroy(cpu.road);
	fbk_vm_destroy(m.road);
	vm_free(vm);
}
