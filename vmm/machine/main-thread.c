/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * main-thread.c - the main thread: signals, terminal input, timers, and what becomes of the machine when the guest ends.
 */
#include "control.h"
#include "gic.h"
#include "keeper.h"
#include "monitor.h"
#include "report.h"
#include "terminal.h"
#include "trim.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull
#define PANIC_GRACE_NS (5 * NS_PER_S) /* for the rest of the panic's message, where the guest does not reset */
#define BUSY_NS (NS_PER_S / 50)	      /* when to look again at a console that a vCPU is writing to */

/* What the main thread waits for, beside being woken. */
struct main_thread {
	struct fbk_monitor *m;
	struct fbk_loop_watch signals, flush, input, output, json, account;
	struct fbk_loop_timer pump, panic, grace;
	bool panicked; /* and the timer runs */
	bool asked;    /* the guest was, to power itself off */
	unsigned int terms[2]; /* SIGTERMs: from elsewhere, by way of the keeper */
	int status;    /* exit status; -1: the guest goes on */
};

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

/* SIGTERM: the guest may end in order. Return: true: it was asked to; false: it cannot be, or was before. */
static bool ask_to_power_off(struct main_thread *t)
{
	struct fbk_monitor *m = t->m;
	int r;

	if (!m->opt.grace_s || t->asked || atomic_load(&m->end) != FBK_END_NONE || atomic_load(&m->pause) != FBK_PAUSE_NONE ||
	    atomic_load(&m->panicked))
		return false;
	r = fbk_machine_power_button(m);
	if (r == -EOPNOTSUPP)
		fbk_say("SIGTERM: a guest without ACPI (--firmware dt) has no power button: the end comes at once");
	if (r)
		return false;
	t->asked = true;
	t->grace.at_ns = fbk_loop_now() + m->opt.grace_s * NS_PER_S;
	fbk_say("SIGTERM: the guest's power button was pressed; the end comes in %u s at the latest, or with another SIGTERM",
		m->opt.grace_s);
	return true;
}

/* Who signals a group reaches the monitor twice, itself and by way of its keeper. Return: no signal that had come already. */
static bool new_term(struct main_thread *t, const struct signalfd_siginfo *si)
{
	const bool by_keeper = si->ssi_code == SI_QUEUE;

	return ++t->terms[by_keeper] > t->terms[!by_keeper];
}

static void end_by(struct main_thread *t, int sig)
{
	t->m->signal = sig;
	fbk_monitor_end(t->m, FBK_END_QUIT);
}

static void on_grace_due(void *opaque)
{
	end_by(opaque, SIGTERM);
}

static void on_signal(void *opaque, short revents)
{
	struct main_thread *t = opaque;
	struct signalfd_siginfo si;

	if (read(t->signals.fd, &si, sizeof(si)) != sizeof(si))
		return;
	switch (si.ssi_signo) {
	case SIGTSTP:
		fbk_terminal_restore();
		fbk_keeper_stop();
		break;
	case SIGCONT:
		fbk_terminal_raw();
		break;
	case SIGTERM:
		if (!new_term(t, &si) || ask_to_power_off(t))
			break;
		/* fall through */
	default:
		end_by(t, si.ssi_signo);
	}
}

static void on_flush(void *opaque, short revents)
{
	struct main_thread *t = opaque;

	fbk_console_flush(&t->m->console);
}

static void on_input(void *opaque, short revents)
{
	struct main_thread *t = opaque;

	switch (fbk_console_input(&t->m->console)) {
	case FBK_KEY_NONE:
		break;
	case FBK_KEY_QUIT:
		fbk_monitor_end(t->m, FBK_END_QUIT);
		break;
	case FBK_KEY_HELP:
		fbk_say("Ctrl-A x: quit   Ctrl-A h: this help   Ctrl-A Ctrl-A: send Ctrl-A to the guest");
		break;
	}
}

static void on_output(void *opaque, short revents)
{
	struct main_thread *t = opaque;

	fbk_console_resume(&t->m->console);
}

static void on_pump_due(void *opaque)
{
	struct main_thread *t = opaque;

	atomic_store(&t->m->want_pump, true);
}

static void on_panic_due(void *opaque)
{
	struct main_thread *t = opaque;

	if (t->status < 0)
		t->status = FBK_EXIT_PANIC;
}

static void pump(struct main_thread *t)
{
	uint64_t wait = FBK_LOOP_NEVER, now;

	/* A guest that stands still is told nothing. */
	if (atomic_load(&t->m->pause) != FBK_PAUSE_NONE || !atomic_exchange(&t->m->want_pump, false))
		return;
	if (fbk_vm_pump(t->m->road, &wait) < 0)
		wait = NS_PER_S; /* it has told in the event log; the queue is still there */
	now = fbk_loop_now();
	t->pump.at_ns = wait < FBK_LOOP_NEVER - now ? now + wait : FBK_LOOP_NEVER;
}

/*
 * The order in which threads come and go. The I/O thread is there before the vCPUs and stays until they have parked: one that
 * resets a device waits for it. Parked, all of them, nothing touches guest memory but this thread.
 */
static int start_all(struct fbk_monitor *m)
{
	int r = fbk_io_start(m);

	return r ? r : fbk_cpus_start(m);
}

static void run_all(struct fbk_monitor *m)
{
	fbk_io_run(m);
	fbk_cpus_run(m);
}

static void park_all(struct fbk_monitor *m)
{
	fbk_cpus_park(m);
	fbk_io_park(m);
}

static void leave_all(struct fbk_monitor *m)
{
	fbk_cpus_leave(m);
	fbk_io_leave(m);
}

/* --- what stops and starts the machine, beside the guest itself ------------------------------------------------------ */

void fbk_machine_pause(struct fbk_monitor *m, enum fbk_pause why)
{
	if (atomic_load(&m->pause) != FBK_PAUSE_NONE)
		return;
	park_all(m);
	/* Else it would find that nothing of its own has run for so long, and blame itself. */
	m->has_counter = !fbk_cpu_get_counter(&m->cpu[0], &m->counter);
	atomic_store(&m->pause, why);
}

void fbk_machine_resume(struct fbk_monitor *m)
{
	int held = FBK_END_PAUSE;

	if (atomic_exchange(&m->pause, FBK_PAUSE_NONE) == FBK_PAUSE_NONE)
		return;
	if (m->has_counter)
		(void)fbk_cpu_set_counter(&m->cpu[0], m->counter);
	m->has_counter = false;
	atomic_compare_exchange_strong(&m->end, &held, FBK_END_NONE);
	if (atomic_load(&m->end) == FBK_END_NONE)
		run_all(m);
}

void fbk_machine_halt(struct fbk_monitor *m)
{
	park_all(m);
}

void fbk_machine_go_on(struct fbk_monitor *m)
{
	/* With a reason to end there is nothing to run: the main thread sees it before it waits again. */
	if (atomic_load(&m->pause) == FBK_PAUSE_NONE && atomic_load(&m->end) == FBK_END_NONE)
		run_all(m);
}

int fbk_machine_power_button(struct fbk_monitor *m)
{
	int r;

	if (m->opt.devicetree)
		return -EOPNOTSUPP;
	r = fbk_gic_irq(m->vm_fd, FBK_SPI_POWER, 1);
	if (!r)
		r = fbk_gic_irq(m->vm_fd, FBK_SPI_POWER, 0);
	if (r)
		fbk_say("the power button: %s", strerror(-r));
	return r;
}

int fbk_machine_reset(struct fbk_monitor *m)
{
	int end, r;

	park_all(m);
	fbk_console_flush(&m->console);
	end = atomic_load(&m->end);
	/* The guest was faster, with an end of its own. */
	if (end != FBK_END_NONE && end != FBK_END_PAUSE && end != FBK_END_RESET)
		return 0;
	r = fbk_monitor_reset(m);
	if (r) {
		fbk_monitor_end(m, FBK_END_HOST);
		return r;
	}
	m->has_counter = false;
	atomic_store(&m->pause, FBK_PAUSE_NONE);
	atomic_store(&m->end, FBK_END_NONE);
	run_all(m);
	return 0;
}

/* The guest has ended. Return: an exit status, or -1: go on. */
static int on_end(struct fbk_monitor *m, enum fbk_end end)
{
	bool panicked = atomic_load(&m->panicked);
	int r;

	park_all(m);
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
		fbk_machine_go_on(m);
		return -1;
	case FBK_END_STOP:
		return FBK_EXIT_STOPPED;
	case FBK_END_QUIT:
		return FBK_EXIT_QUIT;
	case FBK_END_PAUSE:
		/* Held until the operator quits, or resumes it. */
		fbk_machine_pause(m, FBK_PAUSE_POLICY);
		return -1;
	case FBK_END_NONE:
	case FBK_END_HOST:
		break;
	}
	return FBK_EXIT_HOST;
}

static int open_thread(struct main_thread *t, struct fbk_monitor *m)
{
	int r;

	*t = (struct main_thread){
		.m = m,
		.signals = { open_signals(), POLLIN, on_signal, t },
		.flush = { m->console.flush_fd, POLLIN, on_flush, t },
		.input = { STDIN_FILENO, 0, on_input, t },
		.output = { STDOUT_FILENO, 0, on_output, t },
		/* tend() writes, whatever has ended the turn. */
		.json = { .fd = m->events.json.fd },
		.account = { .fd = m->events.account.fd },
		.pump = { FBK_LOOP_NEVER, on_pump_due, t },
		.panic = { FBK_LOOP_NEVER, on_panic_due, t },
		.grace = { FBK_LOOP_NEVER, on_grace_due, t },
		.status = -1,
	};
	if (t->signals.fd < 0)
		return -errno;
	r = fbk_loop_watch(&m->loop, &t->signals);
	if (!r)
		r = fbk_loop_watch(&m->loop, &t->flush);
	if (!r)
		r = fbk_loop_watch(&m->loop, &t->input);
	if (!r)
		r = fbk_loop_watch(&m->loop, &t->output);
	if (!r)
		r = fbk_loop_watch(&m->loop, &t->json);
	if (!r)
		r = fbk_loop_watch(&m->loop, &t->account);
	if (!r)
		r = fbk_loop_timer(&m->loop, &t->pump);
	if (!r)
		r = fbk_loop_timer(&m->loop, &t->panic);
	if (!r)
		r = fbk_loop_timer(&m->loop, &t->grace);
	return r;
}

/* Else no device of ours touches the guest's memory. */
static bool is_running(struct fbk_monitor *m)
{
	return atomic_load(&m->pause) == FBK_PAUSE_NONE && atomic_load(&m->end) == FBK_END_NONE;
}

/* Wait, and take what came by a descriptor. */
static void turn(struct main_thread *t)
{
	struct fbk_monitor *m = t->m;
	int wants = fbk_console_wants_input(&m->console), r;

	if (fbk_console_feed(&m->console))
		wants = -EAGAIN;
	if (is_running(m))
		fbk_console_deliver(&m->console);

	t->input.events = wants > 0 ? POLLIN : 0;
	t->output.events = is_running(m) && fbk_console_output_waits(&m->console) ? POLLOUT : 0;
	t->json.events = fbk_linelog_waits(&m->events.json) ? POLLOUT : 0;
	t->account.events = fbk_linelog_waits(&m->events.account) ? POLLOUT : 0;
	r = fbk_loop_turn(&m->loop, wants < 0 ? fbk_loop_now() + BUSY_NS : FBK_LOOP_NEVER);
	if (r < 0) {
		fbk_say("poll: %s", strerror(-r));
		fbk_monitor_end(m, FBK_END_HOST);
	}
}

/* What others have left for this thread. */
static void tend(struct main_thread *t)
{
	struct fbk_monitor *m = t->m;

	fbk_sigbus_drain(m);
	fbk_eventlog_drain(&m->events);
	if (atomic_load(&m->panicked) && !m->opt.panic_waits && !t->panicked) {
		t->panicked = true;
		t->panic.at_ns = fbk_loop_now() + PANIC_GRACE_NS;
	}
	pump(t);
	fbk_monitor_ledger_tend(m);
	fbk_monitor_metrics_tend(m);
	fbk_control_tend(m);
}

int fbk_main_thread(struct fbk_monitor *m)
{
	struct main_thread t;
	int r = open_thread(&t, m);

	if (r < 0) {
		fbk_say("preparing the main thread: %s", strerror(-r));
		return FBK_EXIT_HOST;
	}
	fbk_console_open(&m->console);
	r = fbk_confine_process(m);
	/* The threads come after the mask, so that they inherit it. */
	if (!r)
		r = start_all(m);
	if (!r)
		r = fbk_control_start(m);
	if (r)
		return r;
	fbk_trim();
	/* Last: this one's lets nobody make threads. */
	fbk_confine_thread(m, FBK_ROLE_MAIN, "main");
	run_all(m);

	while (t.status < 0) {
		enum fbk_end end;

		turn(&t);
		tend(&t);
		end = atomic_load(&m->end);
		if (end != FBK_END_NONE && t.status < 0)
			t.status = on_end(m, end);
	}
	leave_all(m);
	fbk_control_close(m);
	fbk_monitor_ledger_close(m);
	fbk_eventlog_close(&m->events);
	fbk_monitor_metrics_close(m);
	fbk_console_close(&m->console);
	return t.status;
}
