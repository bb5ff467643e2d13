/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * vcpu.c - the vCPU threads: KVM_RUN and its exits.
 *
 * [KVM-API 4.10 "KVM_RUN", 5 "The kvm_run structure"]
 */
#include "monitor.h"
#include "report.h"

#include <firebreak/kvm.h>

#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define KICK SIGRTMIN /* makes KVM_RUN and blocking writes return; its handler does nothing */

__thread struct fbk_cpu *fbk_this_cpu;

static int set_reg(int fd, uint64_t id, uint64_t val)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&val };

	return ioctl(fd, KVM_SET_ONE_REG, &reg);
}

#define CORE_REG(field) \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(field))

int fbk_cpu_create(struct fbk_monitor *m, unsigned int index)
{
	struct fbk_cpu *cpu = &m->cpu[index];

	cpu->m = m;
	cpu->index = index;
	cpu->fd = ioctl(m->vm_fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (cpu->fd < 0) {
		fbk_say("creating vCPU %u: %s", index, strerror(errno));
		return FBK_EXIT_HOST;
	}
	cpu->run = mmap(NULL, m->run_len, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
	if (cpu->run == MAP_FAILED) {
		fbk_say("mapping vCPU %u: %s", index, strerror(errno));
		return FBK_EXIT_HOST;
	}
	return 0;
}

int fbk_cpu_reset(struct fbk_cpu *cpu)
{
	struct kvm_vcpu_init init;

	cpu->sigbus_pending = 0;
	if (ioctl(cpu->m->vm_fd, KVM_ARM_PREFERRED_TARGET, &init))
		goto failed;
	memset(init.features, 0, sizeof(init.features));
	init.features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (cpu->index)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	if (ioctl(cpu->fd, KVM_ARM_VCPU_INIT, &init))
		goto failed;
	if (cpu->index)
		return 0;
	/* [Linux "Documentation/arch/arm64/booting.rst"]: x0 is the device tree, x1 to x3 are zero. */
	if (set_reg(cpu->fd, CORE_REG(regs.regs[0]), cpu->m->boot.fdt.addr) ||
	    set_reg(cpu->fd, CORE_REG(regs.regs[1]), 0) || set_reg(cpu->fd, CORE_REG(regs.regs[2]), 0) ||
	    set_reg(cpu->fd, CORE_REG(regs.regs[3]), 0) ||
	    set_reg(cpu->fd, CORE_REG(regs.pc), cpu->m->boot.entry.addr))
		goto failed;
	return 0;
failed:
	fbk_say("setting up vCPU %u: %s", cpu->index, strerror(errno));
	return FBK_EXIT_HOST;
}

/* [KVM-API "KVM_REG_ARM_TIMER_CNT"]: writing it moves the offset of all vCPUs. */
int fbk_cpu_get_counter(struct fbk_cpu *cpu, uint64_t *ret)
{
	struct kvm_one_reg reg = { .id = KVM_REG_ARM_TIMER_CNT, .addr = (uintptr_t)ret };

	return ioctl(cpu->fd, KVM_GET_ONE_REG, &reg) ? -errno : 0;
}

int fbk_cpu_set_counter(struct fbk_cpu *cpu, uint64_t val)
{
	return set_reg(cpu->fd, KVM_REG_ARM_TIMER_CNT, val) ? -errno : 0;
}

static void host_failed(struct fbk_cpu *cpu, const char *what, int err)
{
	fbk_say("vCPU %u: %s: %s", cpu->index, what, strerror(err));
	fbk_monitor_end(cpu->m, FBK_END_HOST);
}

static void carry_out(struct fbk_cpu *cpu, const struct fbk_verdict *v)
{
	switch (v->action) {
	case FBK_VERDICT_REPLAY:
	case FBK_VERDICT_REPORT:
	case FBK_VERDICT_SERROR:
		break; /* the library has done it */
	case FBK_VERDICT_PAUSE:
		fbk_say("the virtual machine is held for its operator: %s", v->text);
		fbk_monitor_end(cpu->m, FBK_END_PAUSE);
		break;
	case FBK_VERDICT_STOP:
		fbk_say("the virtual machine is stopped: %s", v->text);
		fbk_monitor_end(cpu->m, FBK_END_STOP);
		break;
	}
}

static void on_sea(struct fbk_cpu *cpu)
{
	struct fbk_verdict v;
	int r = fbk_vcpu_sea(cpu->road, &v);

	if (r < 0)
		host_failed(cpu, "a memory error could not be replayed", r == -EIO ? errno : -r);
	else
		carry_out(cpu, &v);
}

static void on_sigbus(struct fbk_cpu *cpu, const siginfo_t *si)
{
	struct fbk_verdict v;
	int r = fbk_vcpu_sigbus(cpu->road, si, &v);

	if (r == -ERANGE)
		fbk_say("vCPU %u: SIGBUS at %p, which is not guest memory", cpu->index, si->si_addr);
	if (r < 0)
		host_failed(cpu, "a memory error could not be replayed", r == -EIO ? errno : -r);
	else
		carry_out(cpu, &v);
}

/* KVM tells of poison by an errno instead of a signal (memory that is not mapped into this process). */
static void on_memory_fault(struct fbk_cpu *cpu)
{
	struct fbk_verdict v;
	int r = fbk_vcpu_memory_fault(cpu->road, EHWPOISON, &v);

	if (r < 0)
		host_failed(cpu, "a memory error could not be replayed", r == -EIO ? errno : -r);
	else
		carry_out(cpu, &v);
}

/*
 * The guest touched what is neither memory nor device, with an instruction that KVM does not take apart: the
 * architecture's answer is an external abort.
 */
static void on_nisv(struct fbk_cpu *cpu)
{
	struct kvm_vcpu_events events = { .exception.ext_dabt_pending = 1 };

	if (ioctl(cpu->fd, KVM_SET_VCPU_EVENTS, &events))
		host_failed(cpu, "injecting an external abort", errno);
}

static void on_system_event(struct fbk_cpu *cpu)
{
	switch (cpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		fbk_monitor_end(cpu->m, FBK_END_OFF);
		break;
	case KVM_SYSTEM_EVENT_RESET:
		fbk_monitor_end(cpu->m, FBK_END_RESET);
		break;
	case KVM_SYSTEM_EVENT_CRASH:
		fbk_monitor_end(cpu->m, FBK_END_CRASH);
		break;
	default:
		fbk_say("vCPU %u: KVM reports system event %u, which this monitor does not know", cpu->index,
			cpu->run->system_event.type);
		fbk_monitor_end(cpu->m, FBK_END_HOST);
	}
}

static void on_exit(struct fbk_cpu *cpu)
{
	struct kvm_run *run = cpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		fbk_bus_access(cpu->m, run->mmio.phys_addr, run->mmio.data, run->mmio.len, run->mmio.is_write);
		break;
	case FBK_KVM_EXIT_ARM_SEA:
		on_sea(cpu);
		break;
	case KVM_EXIT_ARM_NISV:
		on_nisv(cpu);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		on_system_event(cpu);
		break;
	case KVM_EXIT_INTR:
		break;
	case KVM_EXIT_FAIL_ENTRY:
		fbk_say("vCPU %u: the hardware refused to enter the guest, reason 0x%llx", cpu->index,
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason);
		fbk_monitor_end(cpu->m, FBK_END_HOST);
		break;
	default:
		fbk_say("vCPU %u: KVM exit %u, which this monitor does not know", cpu->index, run->exit_reason);
		fbk_monitor_end(cpu->m, FBK_END_HOST);
	}
}

static void run_until_told(struct fbk_cpu *cpu)
{
	struct fbk_monitor *m = cpu->m;

	/* Once there is an end, the main thread decides what becomes of the machine. */
	while (atomic_load_explicit(&m->state, memory_order_relaxed) == FBK_STATE_RUN &&
	       atomic_load_explicit(&m->end, memory_order_relaxed) == FBK_END_NONE) {
		int r, err;

		cpu->in_run = 1;
		atomic_signal_fence(memory_order_seq_cst);
		r = ioctl(cpu->fd, KVM_RUN, 0);
		err = errno;
		atomic_signal_fence(memory_order_seq_cst);
		cpu->in_run = 0;

		if (cpu->sigbus_pending) {
			/* KVM sent it to this thread from within KVM_RUN, and then returned without an exit. */
			cpu->sigbus_pending = 0;
			on_sigbus(cpu, &cpu->sigbus);
		}
		if (!r)
			on_exit(cpu);
		else if (err == EINTR || err == EAGAIN || (err == EFAULT && fbk_vcpu_retry(cpu->road)))
			continue;
		else if (err == EHWPOISON)
			on_memory_fault(cpu);
		else
			host_failed(cpu, "KVM_RUN", err);
	}
}

static void *cpu_thread(void *arg)
{
	struct fbk_cpu *cpu = arg;
	struct fbk_monitor *m = cpu->m;
	char name[16];

	/* For ps and top, and for those who pin or stop a vCPU from outside. */
	snprintf(name, sizeof(name), "vcpu%u", cpu->index);
	pthread_setname_np(pthread_self(), name);
	fbk_this_cpu = cpu;
	fbk_confine_thread(m, FBK_ROLE_VCPU, name);
	pthread_mutex_lock(&m->lock);
	for (;;) {
		m->nr_parked++;
		pthread_cond_signal(&m->parked_changed);
		while (m->state == FBK_STATE_PARK || (m->state == FBK_STATE_RUN && m->end != FBK_END_NONE))
			pthread_cond_wait(&m->state_changed, &m->lock);
		if (m->state == FBK_STATE_LEAVE)
			break;
		m->nr_parked--;
		cpu->run->immediate_exit = 0;
		pthread_mutex_unlock(&m->lock);
		run_until_told(cpu);
		pthread_mutex_lock(&m->lock);
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

static void on_kick(int sig)
{
}

int fbk_cpus_start(struct fbk_monitor *m)
{
	struct sigaction sa = { .sa_handler = on_kick };
	pthread_attr_t attr;
	int r = 0;

	sigaction(KICK, &sa, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, FBK_STACK_LEN);
	for (unsigned int i = 0; i < m->opt.nr_cpus && !r; i++) {
		r = pthread_create(&m->cpu[i].thread, &attr, cpu_thread, &m->cpu[i]);
		if (!r)
			m->nr_threads++;
	}
	pthread_attr_destroy(&attr);
	if (!r)
		return 0;
	fbk_say("starting a vCPU thread: %s", strerror(r));
	return FBK_EXIT_HOST;
}

void fbk_cpus_run(struct fbk_monitor *m)
{
	pthread_mutex_lock(&m->lock);
	m->state = FBK_STATE_RUN;
	pthread_cond_broadcast(&m->state_changed);
	pthread_mutex_unlock(&m->lock);
}

void fbk_cpus_park(struct fbk_monitor *m)
{
	struct timespec until;

	pthread_mutex_lock(&m->lock);
	m->state = FBK_STATE_PARK;
	while (m->nr_parked < m->nr_threads) {
		/*
		 * immediate_exit closes the window before KVM_RUN. A write that blocks on standard output has none, so the
		 * kick is repeated until all have come.
		 */
		for (unsigned int i = 0; i < m->nr_threads; i++) {
			m->cpu[i].run->immediate_exit = 1;
			pthread_kill(m->cpu[i].thread, KICK);
		}
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 20000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		while (m->nr_parked < m->nr_threads &&
		       !pthread_cond_timedwait(&m->parked_changed, &m->lock, &until))
			;
	}
	pthread_mutex_unlock(&m->lock);
}

void fbk_cpus_leave(struct fbk_monitor *m)
{
	fbk_cpus_park(m);
	pthread_mutex_lock(&m->lock);
	m->state = FBK_STATE_LEAVE;
	pthread_cond_broadcast(&m->state_changed);
	pthread_mutex_unlock(&m->lock);
	for (unsigned int i = 0; i < m->nr_threads; i++)
		pthread_join(m->cpu[i].thread, NULL);
	m->nr_threads = 0;
}
