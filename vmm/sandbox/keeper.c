/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* keeper.c - see keeper.h. */
#include "keeper.h"
#include "exit.h"
#include "jail.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int keeper = -1; /* the monitor's end */

/* --- the keeper --------------------------------------------------------------------------------------------------------- */

/*
 * The monitor knows a signal that was passed on by SI_QUEUE: who signals a whole group reaches both processes, and one SIGTERM is not to
 * count for two. What a terminal sends has reached both as well.
 */
static void pass_on(pid_t monitor, const struct signalfd_siginfo *si)
{
	switch (si->ssi_signo) {
	case SIGCHLD:
	case SIGTTIN:
	case SIGTTOU:
	case SIGWINCH:
		break;
	case SIGCONT:
		kill(monitor, SIGCONT);
		break;
	default:
		if (si->ssi_code != SI_KERNEL)
			sigqueue(monitor, si->ssi_signo, (union sigval){ 0 });
	}
}

static void stop_both(pid_t monitor, int fd)
{
	char c;

	if (recv(fd, &c, 1, MSG_DONTWAIT) != 1)
		return;
	kill(monitor, SIGSTOP);
	raise(SIGSTOP);
}

/* Return: how it ended, as of wait(2). */
static int watch(pid_t monitor, int fd, int signals)
{
	struct pollfd p[2] = { { signals, POLLIN, 0 }, { fd, POLLIN, 0 } };
	struct signalfd_siginfo si;
	int status;

	for (;;) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents && read(signals, &si, sizeof(si)) == sizeof(si))
			pass_on(monitor, &si);
		/* At its end, which the SIGCHLD tells, there is nothing more to be read. */
		if (p[1].revents & POLLHUP)
			p[1].fd = -1;
		else if (p[1].revents)
			stop_both(monitor, fd);
		if (waitpid(monitor, &status, WNOHANG) == monitor)
			return status;
	}
}

/* @terminal: as it was; NULL: standard input is none. */
static int end_likewise(int status, const struct termios *terminal)
{
	const struct rlimit no_core = { 0, 0 };

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	/* By SIGKILL, say, it could not do it itself. */
	if (terminal && tcgetpgrp(0) == getpgrp())
		(void)tcsetattr(0, TCSANOW, terminal);
	/* The monitor has left one, if there is to be one. */
	(void)setrlimit(RLIMIT_CORE, &no_core);
	return fbk_exit_by_signal(WTERMSIG(status));
}

/* --- both ------------------------------------------------------------------------------------------------------------------ */

int fbk_keeper_split(int *ret_status)
{
	struct termios terminal;
	sigset_t all, before;
	int pair[2], signals, r;
	bool is_terminal;
	pid_t monitor;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	sigfillset(&all);
	signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	r = signals < 0 ? -errno : fbk_jail_pid_namespace();
	if (r) {
		close(pair[0]);
		close(pair[1]);
		if (signals >= 0)
			close(signals);
		return r;
	}
	is_terminal = !tcgetattr(0, &terminal);
	/* None is lost between the fork and the first look. */
	sigprocmask(SIG_SETMASK, &all, &before);
	monitor = fork();
	r = -errno;
	if (!monitor) {
		close(pair[0]);
		close(signals);
		keeper = pair[1];
		sigprocmask(SIG_SETMASK, &before, NULL);
		return fbk_keeper_bind();
	}
	close(pair[1]);
	if (monitor > 0) {
		prctl(PR_SET_NAME, "keeper");
		/* All that it does is to signal another user's process; without a privilege it needs none. */
		(void)fbk_jail_keep_only(CAP_KILL);
		*ret_status = end_likewise(watch(monitor, pair[0], signals), is_terminal ? &terminal : NULL);
		r = 1;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(pair[0]);
	close(signals);
	return r;
}

/* --- the monitor ------------------------------------------------------------------------------------------------------- */

int fbk_keeper_bind(void)
{
	char c;

	if (keeper < 0)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return -errno;
	return recv(keeper, &c, 1, MSG_PEEK | MSG_DONTWAIT) ? 0 : -ESRCH;
}

void fbk_keeper_stop(void)
{
	if (keeper < 0)
		raise(SIGSTOP);
	else
		(void)!write(keeper, "", 1);
}

pid_t fbk_keeper_host_pid(void)
{
	char number[16];
	ssize_t n = readlink("/proc/self", number, sizeof(number) - 1);

	if (n <= 0)
		return getpid();
	number[n] = '\0';
	return atoi(number);
}
