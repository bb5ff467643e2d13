// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "native.h"
#include "say.h"
#include "status.h"

/* newer than Debian 12's <linux/kvm.h>; the number is ABI */
#define CAP_ARM_SEA_TO_USER 245

static void machine_check(const struct fbk_lab_options *opt)
{
	struct utsname u;
	int kvm, sea;

	uname(&u);
	if (strcmp(u.machine, "aarch64"))
		fbk_lab_die(FBK_LAB_E_NOKVM, "this machine is %s, not arm64: run without --native, in the lab",
			    u.machine);
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0 && opt->require_kvm)
		fbk_lab_die(FBK_LAB_E_NOKVM, "/dev/kvm cannot be used: %s", strerror(errno));
	sea = kvm < 0 ? 0 : ioctl(kvm, KVM_CHECK_EXTENSION, CAP_ARM_SEA_TO_USER);
	if (opt->require_sea && sea <= 0)
		fbk_lab_die(FBK_LAB_E_NOSEA, "this machine's kernel has no KVM_CAP_ARM_SEA_TO_USER");
	if (kvm >= 0)
		close(kvm);
}

static void __attribute__((noreturn)) child(const struct fbk_lab_options *opt, const sigset_t *mask)
{
	char out[PATH_MAX], *path = NULL;
	char **argv = calloc(opt->args.n + 3, sizeof(*argv));

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (!argv)
		_exit(126);
	for (unsigned int i = 0; i < opt->env.n; i++)
		putenv(opt->env.v[i]);
	if (opt->out && realpath(opt->out, out))
		setenv("FIREBREAK_OUT", out, 1);
	if (!opt->shell && !opt->use_stdin)
		dup2(open("/dev/null", O_RDONLY), 0);
	if (opt->shell || opt->command) {
		argv[0] = "/bin/sh";
		argv[1] = opt->command ? "-c" : NULL;
		argv[2] = (char *)opt->command;
	} else {
		path = strchr(opt->payload, '/') ? (char *)opt->payload :
						   fbk_lab_fmt("./%s", opt->payload);
		argv[0] = path;
		for (unsigned int i = 0; i < opt->args.n; i++)
			argv[i + 1] = opt->args.v[i];
	}
	execvp(argv[0], argv);
	fbk_lab_say("cannot run %s: %s", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int status_of(int status)
{
	int n = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);

	if (n < FBK_LAB_PAYLOAD_MAX)
		return n;
	fbk_lab_say("the payload's exit status was %d", n);
	return FBK_LAB_PAYLOAD_MAX;
}

/* seconds from now until the payload must be done */
static struct timespec left(const struct fbk_lab_options *opt, const struct timespec *start)
{
	struct timespec now, t = { .tv_sec = 1000000 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (opt->timeout_s)
		t.tv_sec = start->tv_sec + opt->timeout_s - now.tv_sec;
	return t;
}

int fbk_lab_native(const struct fbk_lab_options *opt)
{
	struct timespec start, t;
	sigset_t set, old;
	int status, sig;
	pid_t pid;

	machine_check(opt);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &old);
	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = fork();
	if (pid < 0)
		fbk_lab_die(FBK_LAB_E_SYSTEM, "no process: %s", strerror(errno));
	if (pid == 0)
		child(opt, &old);
	for (;;) {
		t = left(opt, &start);
		sig = t.tv_sec > 0 ? sigtimedwait(&set, NULL, &t) : -1;
		if (sig == SIGCHLD) {
			if (waitpid(pid, &status, WNOHANG) == pid)
				return status_of(status);
			continue;
		}
		if (sig < 0 && left(opt, &start).tv_sec > 0)
			continue;
		break;
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (sig > 0) {
		signal(sig, SIG_DFL);
		raise(sig);
		sigprocmask(SIG_SETMASK, &old, NULL);
	}
	fbk_lab_say("payload timeout: not done after %u s", opt->timeout_s);
	return FBK_LAB_E_TIMEOUT;
}
