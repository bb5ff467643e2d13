/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * sea-cost - what handling one guest SEA costs the host, from KVM_RUN returning to KVM_RUN being entered again.
 *
 * Runs a bare guest that loads from a poisoned page for ever, on the real KVM, with sea-inject making the page bad.
 * Three handlers take turns in the same run, on the same VM: a bare one that does nothing but inject the abort, the
 * library without a guest to notify, and the library with a GHES record. Meant for the deterministic lab (--icount),
 * where the virtual counter advances by one nanosecond an instruction; the first figure is the host's instructions,
 * kernel and user space together, the second those of user space alone.
 *
 * Of the library's figures also the parts, by the steps that an event tells.
 *
 * Last, what nobody pays for: the exit of a plain device access, of a VM without the capability and of one with it and
 * with the library attached, in a process that has both.
 *
 * Preconditions: root, sea_inject loaded, KVM_CAP_ARM_SEA_TO_USER. Output: one line a handler, tab-separated: name,
 * median, least and most instructions, and the median in user space; and "step", handler, step, median. The median is the figure: an interrupt of the host
 * may fall into any round.
 */
#include "count.h"
#include "machine.h"

#include <firebreak/kvm.h>
#include <firebreak/vm.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define ROUNDS 512
#define WARM_UP 32

struct cost {
	uint64_t took[ROUNDS]; /* ticks, ascending */
	uint64_t user[ROUNDS]; /* instructions in user space, ascending */
};

static struct count counter;
/* What the latest event says. */
static enum fbk_notify last_notify;
static uint64_t last_step_ns[FBK_NR_STEPS];
static uint64_t step[FBK_NR_STEPS][ROUNDS];

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

/* One error, handled. @vcpu: NULL for the bare handler. */
static void handle(const struct machine *m, struct fbk_vcpu *vcpu)
{
	struct fbk_verdict verdict;

	if (!vcpu) {
		bare_handler(m);
		return;
	}
	errno = -fbk_vcpu_sea(vcpu, &verdict);
	if (errno)
		die("fbk_vcpu_sea");
	if (verdict.action != FBK_VERDICT_REPLAY) {
		fprintf(stderr, "sea-cost: verdict: %s\n", verdict.text);
		exit(1);
	}
}

static void run_to(const struct machine *m, uint32_t reason)
{
	if (ioctl(m->vcpu_fd, KVM_RUN, 0))
		die("KVM_RUN");
	if (m->run->exit_reason != reason) {
		fprintf(stderr, "sea-cost: exit %u instead of %u\n", m->run->exit_reason, reason);
		exit(1);
	}
}

static void measure(struct machine *m, struct fbk_vcpu *vcpu, bool notify, struct cost *c)
{
	guest_start(m, BAD_GPA, notify);
	for (unsigned int i = 0; i < WARM_UP + ROUNDS; i++) {
		uint64_t began;

		run_to(m, FBK_KVM_EXIT_ARM_SEA);
		began = now_ticks();
		handle(m, vcpu);
		if (i < WARM_UP)
			continue;
		c->took[i - WARM_UP] = now_ticks() - began;
		for (unsigned int k = 0; k < FBK_NR_STEPS; k++)
			step[k][i - WARM_UP] = last_step_ns[k];
	}
	/* Apart: asking the counter is a system call. */
	for (unsigned int i = 0; i < WARM_UP + ROUNDS; i++) {
		uint64_t began;

		run_to(m, FBK_KVM_EXIT_ARM_SEA);
		began = count_now(&counter);
		handle(m, vcpu);
		if (i >= WARM_UP)
			c->user[i - WARM_UP] = count_since(&counter, began);
	}
	qsort(c->took, ROUNDS, sizeof(c->took[0]), ascending);
	qsort(c->user, ROUNDS, sizeof(c->user[0]), ascending);
}

/* The guest loads from a hole in its memory map: from one exit to the next. */
static void measure_ordinary(struct machine *m, struct cost *c)
{
	guest_start(m, HOLE_GPA, false);
	run_to(m, KVM_EXIT_MMIO);
	for (unsigned int i = 0; i < WARM_UP + ROUNDS; i++) {
		uint64_t began = now_ticks();

		run_to(m, KVM_EXIT_MMIO);
		if (i >= WARM_UP)
			c->took[i - WARM_UP] = now_ticks() - began;
	}
	qsort(c->took, ROUNDS, sizeof(c->took[0]), ascending);
}

static void note_event(void *opaque, const struct fbk_event *ev)
{
	last_notify = ev->notify;
	memcpy(last_step_ns, ev->step_ns, sizeof(last_step_ns));
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

	printf("%s\t%.0f\t%.0f\t%.0f\t%llu\n", name, ns * (double)c->took[ROUNDS / 2], ns * (double)c->took[0],
	       ns * (double)c->took[ROUNDS - 1], (unsigned long long)c->user[ROUNDS / 2]);
}

static void print_steps(const char *name)
{
	for (unsigned int k = 0; k < FBK_NR_STEPS; k++) {
		qsort(step[k], ROUNDS, sizeof(step[k][0]), ascending);
		printf("step\t%s\t%s\t%llu\n", name, fbk_step_name((enum fbk_step)k), (unsigned long long)step[k][ROUNDS / 2]);
	}
}

int main(int argc, char **argv)
{
	static struct machine m, plain;
	struct fbk_vm *quiet, *telling;
	struct fbk_vcpu *quiet_vcpu, *telling_vcpu;
	static struct cost c;

	if (argc != 2) {
		fprintf(stderr, "usage: sea-cost /path/to/sea-inject\n");
		return 2;
	}
	count_open(&counter);
	machine_make(&m, true);
	machine_make(&plain, false);
	library_make(&m, false, &quiet, &quiet_vcpu);
	library_make(&m, true, &telling, &telling_vcpu);

	/* With the library attached and nothing broken, beside a VM that has neither. */
	memset(&c, 0, sizeof(c));
	for (int i = 0; i < 2; i++) {
		measure_ordinary(&plain, &c);
		print("ordinary", &c);
		measure_ordinary(&m, &c);
		print("ordinary+library", &c);
	}
	arm(argv[1]);

	measure(&m, NULL, false, &c);
	print("bare", &c);
	measure(&m, quiet_vcpu, false, &c);
	print("library", &c);
	print_steps("library");
	if (last_notify != FBK_NOTIFY_NONE) {
		fprintf(stderr, "sea-cost: a guest without ACPI was notified\n");
		return 1;
	}
	measure(&m, telling_vcpu, true, &c);
	print("library+ghes", &c);
	print_steps("library+ghes");
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
