// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * The ways to name a page, and requests that make no sense.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests.h"

#define ADDR (PAGE_GPA + 8)

static struct outcome load(struct vm *vm, uint64_t addr)
{
	vm_aim(vm, 0, 1, guest_load, addr);
	return vm_run(vm, 0);
}

static void test_hva(void)
{
	struct vm *vm = vm_new(MEM_SMALL, has_sea, NULL);
	unsigned char *hva = vm->ram + (PAGE_GPA - RAM_GPA);
	struct sea_inject_arm arm = {
		.size = sizeof(arm), .by = SEA_INJECT_BY_HVA, .addr = (uintptr_t)hva + 0x123,
		.pid = getpid(),
	};
	struct sea_inject_disarm dis = {
		.size = sizeof(dis), .match = SEA_INJECT_MATCH_HVA, .addr = (uintptr_t)hva,
	};
	struct outcome o;
	int err = inject_arm(&arm);

	o = load(vm, ADDR);
	ok(!err && arm.ret_gpa == PAGE_GPA && arm.ret_hva == (uintptr_t)hva && arm.ret_pages == 1 &&
		   is_hit(&o, 0x92000010),
	   "by address in the VM process", "error %d, %s", err, outcome_text(&o));
	err = inject_disarm(&dis);
	ok(!err && dis.ret_pages == 1 && inject_state("armed") == 0, "disarmed by the same",
	   "error %d", err);
	vm_free(vm);
}

/* The frame behind an address of this process, by the kernel's own account. */
static uint64_t host_address(const void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, 8, (uintptr_t)p / 4096 * 8) != 8 || !(entry >> 63))
		bail("no pagemap entry");
	close(fd);
	return (entry & ((1ULL << 55) - 1)) << 12;
}

static void test_hpa(void)
{
	static const struct {
		const char *name;
		enum vm_memory memory;
	} kinds[] = {
		{ "by host physical address, 4 KiB page", MEM_SMALL },
		{ "by host physical address, transparent huge page", MEM_THP },
		{ "by host physical address, hugetlb", MEM_HUGETLB },
	};
	struct sea_inject_arm arm = { .size = sizeof(arm), .by = SEA_INJECT_BY_HPA };
	struct outcome o;
	int err;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct vm *vm = vm_new(kinds[i].memory, has_sea, NULL);

		arm = (struct sea_inject_arm){ .size = sizeof(arm), .by = SEA_INJECT_BY_HPA };
		arm.addr = host_address(vm->ram + (PAGE_GPA - RAM_GPA)) + 5;
		err = inject_arm(&arm);
		o = load(vm, ADDR);
		ok(!err && arm.ret_gpa == PAGE_GPA && arm.ret_pages == 1 && is_hit(&o, 0x92000010),
		   kinds[i].name, "error %d, %s", err, outcome_text(&o));
		inject_disarm_all_quiet();
		vm_free(vm);
	}

	/* One host page in two VMs: both lose it. */
	struct vm *one = vm_new(MEM_SHARED, has_sea, NULL);
	struct vm *two = vm_new(MEM_SHARED, has_sea, one->ram);

	arm = (struct sea_inject_arm){ .size = sizeof(arm), .by = SEA_INJECT_BY_HPA };
	arm.addr = host_address(one->ram + (PAGE_GPA - RAM_GPA));
	err = inject_arm(&arm);
	ok(!err && arm.ret_pages == 2, "a host page in two VMs is armed in both",
	   "error %d, %u pages", err, arm.ret_pages);
	o = load(one, ADDR);
	ok(is_hit(&o, 0x92000010), "... and fails in the first", "%s", outcome_text(&o));
	o = load(two, ADDR);
	ok(is_hit(&o, 0x92000010), "... and in the second", "%s", outcome_text(&o));
	inject_disarm_all_quiet();

	/* Of two VMs in a process, the one meant. */
	arm = (struct sea_inject_arm){
		.size = sizeof(arm), .by = SEA_INJECT_BY_GPA, .addr = PAGE_GPA, .pid = getpid(), .vm = 1,
	};
	err = inject_arm(&arm);
	o = load(one, ADDR);
	ok(!err && o.kind == OUT_DONE, "the second VM of a process: the first is untouched",
	   "error %d, %s", err, outcome_text(&o));
	o = load(two, ADDR);
	ok(is_hit(&o, 0x92000010), "the second VM of a process: hit", "%s", outcome_text(&o));
	inject_disarm_all_quiet();
	vm_free(two);
	vm_free(one);
}

/* A VM in another process, which knows nothing of all this. */
static void test_other_process(void)
{
	int up[2], down[2], status;
	struct {
		uintptr_t ram;
		struct outcome o;
	} msg = { 0 };
	char go = 0;
	pid_t pid;

	if (pipe(up) || pipe(down))
		bail("no pipe");
	pid = fork();
	if (pid < 0)
		bail("no process");
	if (!pid) {
		struct vm *vm = vm_new(MEM_THP, has_sea, NULL);

		close(up[0]);
		close(down[1]);
		msg.ram = (uintptr_t)vm->ram;
		do {
			msg.o = load(vm, ADDR);
			if (write(up[1], &msg, sizeof(msg)) != sizeof(msg))
				_exit(1);
		} while (read(down[0], &go, 1) == 1);
		_exit(0);
	}
	close(up[1]);
	close(down[0]);
	if (read(up[0], &msg, sizeof(msg)) != sizeof(msg) || msg.o.kind != OUT_DONE)
		bail("the other process's VM does not run");

	struct sea_inject_arm arm = {
		.size = sizeof(arm), .by = SEA_INJECT_BY_HVA, .addr = msg.ram + 0x10000, .pid = pid,
	};
	int err = inject_arm(&arm);

	if (write(down[1], &go, 1) != 1 || read(up[0], &msg, sizeof(msg)) != sizeof(msg))
		bail("the other process is gone");
	ok(!err && arm.ret_gpa == PAGE_GPA && is_hit(&msg.o, 0x92000010),
	   "another process's VM, while it runs", "error %d, %s", err, outcome_text(&msg.o));
	inject_disarm_all_quiet();
	if (write(down[1], &go, 1) != 1 || read(up[0], &msg, sizeof(msg)) != sizeof(msg))
		bail("the other process is gone");
	ok(msg.o.kind == OUT_DONE, "another process's VM, disarmed", "%s", outcome_text(&msg.o));
	close(down[1]);
	close(up[0]);
	if (waitpid(pid, &status, 0) != pid || status)
		bail("the other process failed: %d", status);
}

static pid_t no_such_pid(void)
{
	pid_t pid = fork();

	if (pid < 0)
		bail("no process");
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	return pid;
}

/* Each wrong in one way; the errno tells which. */
static void test_wrong(void)
{
	struct vm *vm = vm_new(MEM_SMALL, has_sea, NULL);
	const pid_t self = getpid(), none = no_such_pid();
	const uint64_t stack = (uintptr_t)&vm;
	const struct sea_inject_arm base = {
		.size = sizeof(base), .by = SEA_INJECT_BY_GPA, .addr = PAGE_GPA, .pid = self,
	};
	struct {
		const char *name;
		int err;
		struct sea_inject_arm arm;
	} cases[] = {
		{ "no such process", -ESRCH, base },
		{ "a process without a VM", -ENODEV, base },
		{ "a VM number that does not exist", -ENODEV, base },
		{ "a guest address outside RAM", -ERANGE, base },
		{ "a device's guest address", -ERANGE, base },
		{ "the last guest address there is", -ERANGE, base },
		{ "a range that leaves RAM", -ERANGE, base },
		{ "an address of the process that is not guest memory", -ERANGE, base },
		{ "host memory that is no guest's", -ERANGE, base },
		{ "host address 0", -ERANGE, base },
		{ "unknown kind", -EDOM, base },
		{ "unknown flag", -EDOM, base },
		{ "unknown severity", -EDOM, base },
		{ "walk level 4", -EDOM, base },
		{ "walk level -2", -EDOM, base },
		{ "a level without a walk", -EINVAL, base },
		{ "FnV with parity", -EINVAL, base },
		{ "FnV on a walk", -EINVAL, base },
		{ "firmware without a limit", -EINVAL, base },
		{ "unknown way to name a page", -EINVAL, base },
		{ "host address and process", -EINVAL, base },
		{ "an output field that is set", -EINVAL, base },
		{ "a size below the size field's own", -EINVAL, base },
		{ "more pages than can be armed", -ENOSPC, base },
		{ "a longer struct that says more", -E2BIG, base },
	};
	unsigned int i = 0;

	cases[i++].arm.pid = none;
	cases[i++].arm.pid = 1;
	cases[i++].arm.vm = 1;
	cases[i++].arm.addr = RAM_GPA + RAM_LEN;
	cases[i++].arm.addr = DEVICE_GPA;
	cases[i++].arm.addr = UINT64_MAX;
	cases[i].arm.addr = RAM_GPA + RAM_LEN - 0x1000;
	cases[i++].arm.pages = 2;
	cases[i].arm.by = SEA_INJECT_BY_HVA;
	cases[i++].arm.addr = stack;
	cases[i].arm.by = SEA_INJECT_BY_HPA;
	cases[i].arm.pid = 0;
	cases[i++].arm.addr = host_address(&cases);
	cases[i].arm.by = SEA_INJECT_BY_HPA;
	cases[i].arm.pid = 0;
	cases[i++].arm.addr = 0;
	cases[i++].arm.kind = 2;
	cases[i++].arm.flags = 1U << 31;
	cases[i++].arm.set = 4;
	cases[i].arm.flags = SEA_INJECT_WALK;
	cases[i++].arm.level = 4;
	cases[i].arm.flags = SEA_INJECT_WALK;
	cases[i++].arm.level = -2;
	cases[i++].arm.level = 1;
	cases[i].arm.flags = SEA_INJECT_FNV;
	cases[i++].arm.kind = SEA_INJECT_KIND_PARITY;
	cases[i++].arm.flags = SEA_INJECT_FNV | SEA_INJECT_WALK;
	cases[i++].arm.flags = SEA_INJECT_FIRMWARE;
	cases[i++].arm.by = 0;
	cases[i++].arm.by = SEA_INJECT_BY_HPA;
	cases[i++].arm.ret_pages = 1;
	cases[i++].arm.size = 3;
	cases[i++].arm.pages = SEA_INJECT_PAGES_MAX + 1;
	cases[i++].arm.size = sizeof(base) + 8;

	if (i != sizeof(cases) / sizeof(cases[0]))
		bail("the table of wrong requests does not add up");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* What follows the struct is not zero: a longer one says more. */
		struct {
			struct sea_inject_arm arm;
			uint64_t more;
		} longer = { cases[i].arm, 1 };
		struct sea_inject_arm before = cases[i].arm;
		char name[128];
		int err = inject_arm(&longer.arm);

		snprintf(name, sizeof(name), "refused: %s (%s)", cases[i].name,
			 strerrorname_np(-cases[i].err));
		ok(err == cases[i].err && !memcmp(&longer.arm, &before, sizeof(before)), name, "%s",
		   err ? strerrorname_np(-err) : "accepted");
		if (!err)
			inject_disarm_all();
	}

	struct sea_inject_arm twice = base;
	int err = inject_arm(&twice);

	if (err)
		bail("cannot arm: %s", strerror(-err));
	twice = base;
	twice.addr += 0xfff;
	err = inject_arm(&twice);
	ok(err == -EEXIST, "refused: armed twice (EEXIST)", "%d", err);
	twice = base;
	twice.addr -= 0x1000;
	twice.pages = 2;
	err = inject_arm(&twice);
	ok(err == -EEXIST && inject_state("armed") == 1, "refused: a range with an armed page, whole",
	   "%d, %llu pages armed", err, (unsigned long long)inject_state("armed"));

	struct sea_inject_disarm dis = {
		.size = sizeof(dis), .match = SEA_INJECT_MATCH_GPA, .addr = PAGE2_GPA,
	};

	err = inject_disarm(&dis);
	ok(err == -ENOENT, "refused: disarming what is not armed (ENOENT)", "%d", err);
	dis.match = 1U << 31;
	err = inject_disarm(&dis);
	ok(err == -EINVAL, "refused: disarming by an unknown field (EINVAL)", "%d", err);
	inject_disarm_all();
	ok(kprobes_of_module() == 0, "refused requests leave no probe", "%u", kprobes_of_module());
	vm_free(vm);
}

/* Without CAP_SYS_ADMIN even root may not; and no one else may open the device. */
static void test_permission(void)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		bail("no process");
	if (!pid) {
		struct sea_inject_arm arm = { .size = sizeof(arm) };

		if (setresgid(1, 1, 1) || setresuid(1, 1, 1))
			_exit(2);
		if (open(SEA_INJECT_DEVICE, O_RDONLY) >= 0 || errno != EACCES)
			_exit(3);
		if (inject_arm(&arm) != -EPERM)
			_exit(4);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(status == 0, "another user can neither open the device nor use one that is open",
	   "status 0x%x", status);
}

void test_targets(void)
{
	test_hva();
	test_hpa();
	test_other_process();
	test_wrong();
	test_permission();
}
