/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* violation.c - see violation.h. [seccomp(2) "SECCOMP_RET_TRAP"] */
#include "violation.h"
#include "report.h"
#include "rules.h"
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static __thread const char *thread;

static const char *name_of(int nr)
{
	for (size_t i = 0; i < fbk_nr_rules; i++)
		if (fbk_rules[i].nr == nr)
			return fbk_rules[i].name;
	return "in no rule";
}

static void on_sigsys(int sig, siginfo_t *si, void *ucontext)
{
	fbk_terminal_restore();
	fbk_say("sandbox: thread %s has made system call %d (%s), which it is not allowed to make: it was not carried out, and this is "
		"the end; `--sandbox=log` lets it pass and has the kernel log it",
		thread ? thread : "unknown", si->si_syscall, name_of(si->si_syscall));
	raise(sig); /* SA_RESETHAND, SA_NODEFER: dies of it here */
	/* The first process of a PID namespace, as of a container, does not. [pid_namespaces(7)] */
	syscall(SYS_exit_group, 128 + sig);
}

int fbk_violation_open(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER };

	sigemptyset(&sa.sa_mask);
	return sigaction(SIGSYS, &sa, NULL) ? -errno : 0;
}

void fbk_violation_thread(const char *who)
{
	thread = who;
}
