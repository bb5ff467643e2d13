/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * main-thread.c - the main thread: signals, terminal input, timers, and what becomes of the machine when the guest ends.
 */
#include "monitor.h"
#include "report.h"
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull
#define PANIC_GRACE_NS (5 * NS_PER_S) /* for the rest of the panic's message, where the guest does not reset */
#define NEVER UINT64_MAX

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* Signals that end or suspend the process come through a descriptor, so that no lock is held when they do. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void on_signal(struct fbk_monitor *m, int fd)
{
	struct signalfd_siginfo si;

	if (read(fd, &si, sizeof(si)) != sizeof(si))
		return;
	switch (si.ssi_signo) {
	case SIGTSTP:
		fbk_terminal_restore();
		raise(SIGSTOP);
		break;
	case SIGCONT:
		fbk_terminal_raw();
		break;
	default:
		m->signal = si.ssi_signo;
		fbk_monitor_end(m, FBK_END_QUIT);
	}
}

static void pump(struct fbk_monitor *m, uint64_t *deadline)
{
	uint64_t wait = NEVER, now;

	if (!atomic_exchange(&m->want_pump, false) && (*deadline == NEVER || now_ns() < *deadline))
		return;
	if (fbk_vm_pump(m->road, &wait) < 0)
		wait = NS_PER_S; /* it has told in the event log; the queue is still there */
	now = now_ns();
	*deadline = wait < NEVER - now ? now + wait : NEVER;
}

/* The guest has ended. Return: an exit status, or -1: go on. */
static int on_end(struct fbk_monitor *m, enum fbk_end end)
{
	bool panicked = atomic_load(&m->panicked);
	int r;

	fbk_cpus_park(m);
	fbk_console_flush(&m->console);
	switch (end) {
	case FBK_END_OFF:
		return panicked ? FBK_EXIT_PANIC : FBK_EXIT_OFF;
	case FBK_END_CRASH:
		return FBK_EXIT_PANIC;
	case FBK_END_RESET:
		if (panicked && !m->opt.panic_waits)
			return FBK_EXIT_PANIC;
		if (m->opt.reset_exits)
			return FBK_EXIT_RESET;
		r = fbk_monitor_reset(m);
		if (r)
			return r;
		atomic_store(&m->end, FBK_END_NONE);
		fbk_cpus_run(m);
		return -1;
	case FBK_END_STOP:
		return FBK_EXIT_STOPPED;
	case FBK_END_QUIT:
		return FBK_EXIT_QUIT;
	case FBK_END_PAUSE:
		/* Held until the operator quits. */
		return -1;
	case FBK_END_NONE:
	case FBK_END_HOST:
		break;
	}
	return FBK_EXIT_HOST;
}

static void on_key(struct fbk_monitor *m, enum fbk_terminal_key key)
{
	if (key == FBK_KEY_QUIT)
		fbk_monitor_end(m, FBK_END_QUIT);
	else if (key == FBK_KEY_HELP)
		fbk_say("Ctrl-A x: quit   Ctrl-A h: this help   Ctrl-A Ctrl-A: send Ctrl-A to the guest");
}

int fbk_loop(struct fbk_monitor *m)
{
	uint64_t pump_at = NEVER, panic_at = NEVER, ledger_at = NEVER, metrics_at = NEVER;
	int signals = open_signals(), status = -1;

	if (signals < 0) {
		fbk_say("signalfd: %s", strerror(errno));
		return FBK_EXIT_HOST;
	}
	/* The threads come after the mask, so that they inherit it. */
	status = fbk_cpus_start(m);
	if (status)
		return status;
	fbk_console_open(&m->console);
	fbk_cpus_run(m);

	for (status = -1; status < 0;) {
		struct pollfd fds[] = {
			{ .fd = m->wake_fd, .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
			{ .fd = m->console.flush_fd, .events = POLLIN },
			{ .fd = -1, .events = POLLIN },
			{ .fd = fbk_linelog_waits(&m->events.json) ? m->events.json.fd : -1, .events = POLLOUT },
			{ .fd = fbk_linelog_waits(&m->events.account) ? m->events.account.fd : -1, .events = POLLOUT },
		};
		uint64_t until, now, count;
		struct timespec ts;
		int wants = fbk_console_wants_input(&m->console);
		enum fbk_end end;

		if (wants > 0)
			fds[3].fd = STDIN_FILENO;
		until = pump_at < panic_at ? pump_at : panic_at;
		if (ledger_at < until)
			until = ledger_at;
		if (metrics_at < until)
			until = metrics_at;
		now = now_ns();
		if (wants < 0 && until > now + NS_PER_S / 50)
			until = now + NS_PER_S / 50;
		ts.tv_sec = until > now ? (until - now) / NS_PER_S : 0;
		ts.tv_nsec = until > now ? (until - now) % NS_PER_S : 0;
		if (ppoll(fds, sizeof(fds) / sizeof(fds[0]), until == NEVER ? NULL : &ts, NULL) < 0 && errno != EINTR) {
			fbk_say("poll: %s", strerror(errno));
			fbk_monitor_end(m, FBK_END_HOST);
		}

		if ((fds[0].revents & POLLIN) && read(m->wake_fd, &count, sizeof(count)) == sizeof(count))
			fbk_sigbus_drain(m);
		if (fds[1].revents & POLLIN)
			on_signal(m, signals);
		if (fds[2].revents & POLLIN)
			fbk_console_flush(&m->console);
		if (fds[3].revents)
			on_key(m, fbk_console_input(&m->console));

		fbk_eventlog_drain(&m->events);

		if (atomic_load(&m->panicked) && !m->opt.panic_waits) {
			if (panic_at == NEVER)
				panic_at = now_ns() + PANIC_GRACE_NS;
			else if (now_ns() >= panic_at)
				status = FBK_EXIT_PANIC;
		}
		pump(m, &pump_at);
		fbk_monitor_ledger_tend(m, now_ns(), &ledger_at);
		fbk_monitor_metrics_tend(m, now_ns(), &metrics_at);
		end = atomic_load(&m->end);
		if (end != FBK_END_NONE && status < 0)
			status = on_end(m, end);
	}
	fbk_cpus_leave(m);
	fbk_monitor_ledger_close(m);
	fbk_eventlog_close(&m->events);
	fbk_monitor_metrics_close(m);
	fbk_console_close(&m->console);
	return status;
}
