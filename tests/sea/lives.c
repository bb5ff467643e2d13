// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * Many pages, many threads, and things that end while something is armed.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests.h"

#define MANY 1000
#define MANY_GPA (RAM_GPA + 0x200000)

static struct outcome load(struct vm *vm, uint64_t addr)
{
	vm_aim(vm, 0, 1, guest_load, addr);
	return vm_run(vm, 0);
}

static void on_alarm(int sig)
{
}

/* Data first, then a fetch: the neighbour's mapping has to gain a permission, without the block it was part of. */
static void test_neighbour(const char *what, enum vm_memory memory)
{
	struct vm *vm = vm_new(memory, has_sea, NULL);
	struct sea_inject_arm arm = {
		.size = sizeof(arm), .by = SEA_INJECT_BY_GPA, .addr = PAGE_GPA, .pid = getpid(),
	};
	/* No SA_RESTART: a fault that is never resolved ends as KVM_RUN's EINTR. */
	const struct sigaction sa = { .sa_handler = on_alarm };
	int err = inject_arm(&arm);
	struct outcome data, fetch;

	memcpy(vm->ram + (PAGE2_GPA - RAM_GPA), &(uint32_t){ 0xd65f03c0 }, 4); /* ret */
	sigaction(SIGALRM, &sa, NULL);
	alarm(20);
	data = load(vm, PAGE2_GPA + 8);
	vm_aim(vm, 0, 1, guest_fetch, PAGE2_GPA);
	fetch = vm_run(vm, 0);
	alarm(0);
	ok(!err && data.kind == OUT_DONE && fetch.kind == OUT_DONE, what, "error %d, data %s, fetch %s", err,
	   outcome_text(&data), outcome_text(&fetch));
	inject_disarm_all_quiet();
	vm_free(vm);
}

static void test_many(const char *what, enum vm_memory memory)
{
	struct vm *vm = vm_new(memory, has_sea, NULL);
	uint64_t hits = inject_state("hits"), unlogged = inject_state("unlogged");
	struct sea_inject_arm arm = {
		.size = sizeof(arm), .by = SEA_INJECT_BY_GPA, .addr = MANY_GPA, .pages = MANY,
		.pid = getpid(),
	};
	unsigned int hit = 0, fine = 0;
	char name[128];
	int err;

	memset(vm->ram + (MANY_GPA - RAM_GPA), 0, MANY * 4096);
	load(vm, MANY_GPA);
	err = inject_arm(&arm);
	for (unsigned int i = 0; i < MANY && !err; i++) {
		struct outcome o = load(vm, MANY_GPA + i * 4096ULL + 16);

		hit += is_hit(&o, 0x92000010) && (!has_sea || o.sea.gpa == MANY_GPA + i * 4096ULL);
	}
	snprintf(name, sizeof(name), "%d pages armed, each hits, %s", MANY, what);
	ok(!err && arm.ret_pages == MANY && hit == MANY && inject_state("hits") == hits + MANY, name,
	   "error %d, %u hits", err, hit);
	snprintf(name, sizeof(name), "the log's rate limit holds lines back, the counter has all, %s", what);
	ok(inject_state("unlogged") > unlogged, name, "no line was held back");
	inject_disarm_all_quiet();
	for (unsigned int i = 0; i < MANY; i++) {
		struct outcome o = load(vm, MANY_GPA + i * 4096ULL);

		fine += o.kind == OUT_DONE;
	}
	snprintf(name, sizeof(name), "%d pages disarmed, each works, %s", MANY, what);
	ok(fine == MANY, name, "%u work", fine);
	vm_free(vm);
}

/* A child with a VM and an armed page; dies by its own exit or by a signal. */
static void test_vm_dies(const char *name, bool killed)
{
	uint64_t dead = inject_state("dead_vms");
	int up[2], status;
	char byte = 0;
	pid_t pid;

	if (pipe(up))
		bail("no pipe");
	pid = fork();
	if (pid < 0)
		bail("no process");
	if (!pid) {
		struct vm *vm = vm_new(MEM_THP, has_sea, NULL);
		struct outcome o;

		arm_gpa(PAGE_GPA, 0, 0, 0, 0);
		o = load(vm, PAGE_GPA);
		byte = is_hit(&o, 0x92000010);
		if (write(up[1], &byte, 1) != 1)
			_exit(1);
		if (killed)
			pause();
		_exit(0);
	}
	close(up[1]);
	if (read(up[0], &byte, 1) != 1 || byte != 1)
		bail("the child's page does not hit");
	if (killed)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(up[0]);
	/* A VM goes with its last descriptor, before its process can be waited for. */
	ok(inject_state("armed") == 0 && inject_state("dead_vms") == dead + 1 &&
		   !inject_lists("gpa=0x40010000"),
	   name, "%" PRIu64 " pages armed, %" PRIu64 " dead VMs", inject_state("armed"),
	   inject_state("dead_vms") - dead);
}

/* Closed descriptors destroy a VM while its process lives on, and may make another. */
static void test_vm_again(void)
{
	for (int i = 0; i < 20; i++) {
		struct vm *vm = vm_new(MEM_SMALL, has_sea, NULL);
		struct outcome o = load(vm, PAGE_GPA);

		if (o.kind != OUT_DONE) {
			ok(false, "a new VM has no armed page of an old one", "%s", outcome_text(&o));
			vm_free(vm);
			return;
		}
		arm_gpa(PAGE_GPA, 0, 0, 0, 0);
		vm_free(vm);
	}
	ok(inject_state("armed") == 0, "a new VM has no armed page of an old one", "%" PRIu64 " armed",
	   inject_state("armed"));
}

/* The VMM takes memory away from an armed address: what is there now is a device. */
static void test_slot_goes(void)
{
	struct vm *vm = vm_new(MEM_SMALL, has_sea, NULL);
	struct kvm_userspace_memory_region region = {
		.slot = 1, .guest_phys_addr = RAM_GPA + 0x1000000, .memory_size = 0x1000,
		.userspace_addr = (uintptr_t)vm->ram + RAM_LEN - 0x1000,
	};
	uint64_t addr = region.guest_phys_addr + 8;
	struct outcome o;

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		bail("no second memory slot");
	arm_gpa(addr, 0, 0, 0, 0);
	o = load(vm, addr);
	ok(is_hit(&o, 0x92000010), "a page of a second slot", "%s", outcome_text(&o));
	region.memory_size = 0;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		bail("cannot remove a memory slot");
	o = load(vm, addr);
	ok(o.kind == OUT_OTHER && o.reason == KVM_EXIT_MMIO, "its slot removed: a device access", "%s",
	   outcome_text(&o));
	region.memory_size = 0x1000;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		bail("no second memory slot");
	o = load(vm, addr); /* completes the device access */
	o = load(vm, addr);
	ok(is_hit(&o, 0x92000010), "its slot back: broken again", "%s", outcome_text(&o));
	inject_disarm_all();
	vm_free(vm);
}

static void test_remove_while_armed(void)
{
	struct vm *vm = vm_new(MEM_THP, has_sea, NULL);
	struct outcome o;
	int err;

	load(vm, PAGE_GPA);
	arm_gpa(PAGE_GPA, 0, 0, 0, 0);
	arm_gpa(PAGE2_GPA, 0, SEA_INJECT_FIRMWARE, 0, 1);
	o = load(vm, PAGE_GPA);
	if (!is_hit(&o, 0x92000010))
		bail("the page does not hit: %s", outcome_text(&o));
	err = module_remove();
	ok(!err, "the module unloads while pages are armed", "error %d", err);
	ok(kprobes_of_module() == 0, "... and leaves no probe", "%u", kprobes_of_module());
	o = load(vm, PAGE_GPA);
	ok(o.kind == OUT_DONE, "... and the page works", "%s", outcome_text(&o));
	module_insert(module_path);
	ok(inject_state("armed") == 0, "... and comes back without memory of it", "it remembers");
	vm_free(vm);
}

/*
 * Two vCPUs sweep memory while pages among it are armed for one hit each: every
 * arming must give exactly one abort, however the faults race.
 */
struct sweep {
	struct vm *vm;
	unsigned int cpu;
	uint64_t hits;
	uint64_t bad;
};

static atomic_bool sweep_stop;
#define SWEEP_PAGES 512
#define SWEEP_ROUNDS 40

static void *sweep_main(void *arg)
{
	struct sweep *s = arg;

	while (!atomic_load(&sweep_stop)) {
		struct outcome o = vm_run(s->vm, s->cpu);

		if (o.kind == OUT_DONE)
			continue;
		if (!is_hit(&o, has_sea ? o.sea.esr : 0)) {
			s->bad++;
			printf("# vCPU %u: %s\n", s->cpu, outcome_text(&o));
			break;
		}
		s->hits++;
		/* Begin anew: the page has healed, or the guest is in its vector. */
		vm_aim(s->vm, s->cpu, 1, guest_sweep, MANY_GPA);
	}
	return NULL;
}

/* Runs out of the vCPU threads' way: with as many of these as CPUs it would starve. */
static void run_first(void)
{
	struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param))
		bail("cannot run first");
}

enum race { RACE_PLAIN, RACE_FIRMWARE, RACE_UNLOAD };

static void test_race(const char *name, enum vm_memory memory, enum race race)
{
	struct vm *vm = vm_new(memory, has_sea, NULL);
	const uint64_t claims = race == RACE_FIRMWARE ? SWEEP_ROUNDS / 2 : 0;
	uint64_t hits = inject_state("hits"), claimed = inject_state("claimed");
	struct sweep sweeps[2];
	pthread_t threads[2];

	memset(vm->ram + (MANY_GPA - RAM_GPA), 0, SWEEP_PAGES * 4096);
	atomic_store(&sweep_stop, false);
	run_first();
	for (unsigned int i = 0; i < 2; i++) {
		sweeps[i] = (struct sweep){ .vm = vm, .cpu = i };
		vm_aim(vm, i, 1, guest_sweep, MANY_GPA);
		vm_set_x(vm, i, 3, SWEEP_PAGES);
		if (pthread_create(&threads[i], NULL, sweep_main, &sweeps[i]))
			bail("no thread");
	}
	for (unsigned int i = 0; i < SWEEP_ROUNDS; i++) {
		arm_gpa(MANY_GPA + (i * 37 % SWEEP_PAGES) * 4096ULL, 0,
			race == RACE_FIRMWARE && i % 4 < 2 ? SEA_INJECT_FIRMWARE : 0, 0, 1);
		/* Odd rounds wait for the hit; even ones leave several armed at once. */
		while (i % 2 && inject_state("armed"))
			usleep(1000);
		if (race == RACE_UNLOAD && i % 10 == 9) {
			/* All of it goes, and comes back, under running vCPUs. */
			arm_gpa(MANY_GPA, 0, 0, 0, 0);
			if (module_remove())
				bail("the module does not unload");
			module_insert(module_path);
		}
	}
	while (inject_state("armed"))
		usleep(1000);
	atomic_store(&sweep_stop, true);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	hits = inject_state("hits") - hits;
	claimed = inject_state("claimed") - claimed;
	ok(!sweeps[0].bad && !sweeps[1].bad &&
		   (race == RACE_UNLOAD ||
		    (sweeps[0].hits + sweeps[1].hits == SWEEP_ROUNDS - claims && claimed == claims &&
		     hits == SWEEP_ROUNDS)),
	   name,
	   "%" PRIu64 " + %" PRIu64 " aborts, %" PRIu64 " hits, %" PRIu64 " claimed", sweeps[0].hits,
	   sweeps[1].hits, hits, claimed);
	inject_disarm_all_quiet();
	vm_free(vm);
}

void test_lives(void)
{
	test_neighbour("a neighbour in a transparent huge page: data, then a fetch", MEM_THP);
	test_neighbour("a neighbour in a huge page: data, then a fetch", MEM_HUGETLB);
	test_many("4 KiB pages", MEM_SMALL);
	test_many("transparent huge pages", MEM_THP);
	test_vm_dies("a VM that exits while armed leaves nothing", false);
	test_vm_dies("a VM that is killed while armed leaves nothing", true);
	test_vm_again();
	test_slot_goes();
	test_remove_while_armed();
	test_race("two vCPUs race with arming: one abort for each", MEM_SMALL, RACE_PLAIN);
	test_race("the same in transparent huge pages, every other one claimed by the firmware", MEM_THP,
		  RACE_FIRMWARE);
	test_race("two vCPUs race with unloading and loading", MEM_THP, RACE_UNLOAD);
}
