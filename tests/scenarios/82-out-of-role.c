/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A thread of the monitor that makes a system call which is not its own, as one would that was taken over: the call is not carried
 * out, and the monitor is at its end. A debugger makes it do so.
 */
#include "harness.h"
#include "internal.h"
#include "sandbox.h"

#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

FBK_SCENARIO("82-out-of-role", "sandbox", 15,
	     "host: the file that should have been made is not there; exit status 159, or 0 without the sandbox");

#define MADE "/tmp/firebreak-made-by-the-monitor"

/* In the address space of the monitor: its stack, below what is used. */
static void poke(pid_t pid, uint64_t at, const char *text, size_t len)
{
	struct iovec from = { (void *)text, len }, to = { (void *)at, len };

	FBK_CHECK_EQ(process_vm_writev(pid, &from, 1, &to, 1, 0), len);
}

/* Where it goes on: the SVC that it sleeps in, if that is to be started anew, or what follows it. */
static uint64_t svc_at(pid_t pid, uint64_t pc)
{
	uint32_t code[2];
	struct iovec to = { code, sizeof(code) }, from = { (void *)(pc - 4), sizeof(code) };

	FBK_CHECK_EQ(process_vm_readv(pid, &to, 1, &from, 1, 0), sizeof(code));
	FBK_CHECK(code[0] == FBK_SVC || code[1] == FBK_SVC);
	return code[1] == FBK_SVC ? pc : pc - 4;
}

/* The main thread, which sleeps in ppoll(2), makes a folder instead: system call mkdirat, from the same instruction. */
static void make_folder(struct fbk_guest *g)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };
	pid_t pid = fbk_guest_pid(g);
	int nr = -1;
	struct iovec syscall_nr = { &nr, sizeof(nr) };

	fbk_guest_freeze_main(g);
	FBK_CHECK(!ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov));
	/* No longer in a system call that could be started anew. */
	FBK_CHECK(!ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &syscall_nr));
	poke(pid, regs.sp - 4096, MADE, sizeof(MADE));
	regs.regs[0] = (uint64_t)-100; /* AT_FDCWD */
	regs.regs[1] = regs.sp - 4096;
	regs.regs[2] = 0700;
	regs.regs[8] = SYS_mkdirat;
	regs.pc = svc_at(pid, regs.pc);
	FBK_CHECK(!ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov));
	fbk_guest_thaw(g);
}

static bool made(void *arg)
{
	return !access(MADE, F_OK);
}

static void run(void)
{
	struct fbk_guest *g;

	rmdir(MADE);
	/* To see that this is a way at all. */
	g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .sandbox = "off" });
	FBK_CHECK(fbk_guest_monitor_said(g, "warning: --sandbox=off"));
	FBK_CHECK_EQ(fbk_task_field(fbk_guest_pid(g), fbk_guest_pid(g), "Seccomp", 10), 0);
	make_folder(g);
	fbk_wait_until(20, "the monitor has made the folder", made, NULL);
	fbk_guest_poweroff(g);
	FBK_CHECK(!rmdir(MADE));

	g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest" });
	make_folder(g);
	FBK_CHECK_EQ(fbk_guest_wait(g, 30), 128 + SIGSYS);
	FBK_CHECK(!made(NULL));
	FBK_CHECK(fbk_guest_monitor_said(g, "sandbox: thread main has made system call"));
}
