/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * sigbus.c - the ways besides an exit in which the host tells of poisoned memory: signals, and failing copies.
 */
#include "monitor.h"
#include "report.h"
#include "terminal.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <ucontext.h>

/*
 * Addresses on their way from the signal handler to the main thread. Handlers of several threads may fill it at once:
 * each takes a slot by count, writes it, and marks it full.
 */
#define RING_LEN 256

static struct {
	struct fbk_monitor *m;
	atomic_uint next;
	atomic_uint lost;
	struct {
		atomic_uint full;
		int code;
		short lsb;
		void *addr;
	} slot[RING_LEN];
} ring;

static void queue(const siginfo_t *si)
{
	for (unsigned int tries = 0; tries < RING_LEN; tries++) {
		unsigned int i = atomic_fetch_add(&ring.next, 1) % RING_LEN, empty = 0;

		if (!atomic_compare_exchange_strong(&ring.slot[i].full, &empty, 1))
			continue;
		ring.slot[i].code = si->si_code;
		ring.slot[i].lsb = si->si_addr_lsb;
		ring.slot[i].addr = si->si_addr;
		atomic_store(&ring.slot[i].full, 2);
		fbk_monitor_wake(ring.m);
		return;
	}
	atomic_fetch_add(&ring.lost, 1);
	fbk_monitor_wake(ring.m);
}

static void on_sigbus(int sig, siginfo_t *si, void *ucontext)
{
	int saved = errno;

	if (fbk_gmem_sigbus(si, ucontext)) {
		errno = saved;
		return;
	}
	if (si->si_code == BUS_MCEERR_AR && fbk_this_cpu && fbk_this_cpu->in_run) {
		/* KVM sends it to the thread itself, from KVM_RUN: it cannot come twice before the thread looks. */
		fbk_this_cpu->sigbus = *si;
		fbk_this_cpu->sigbus_pending = 1;
		errno = saved;
		return;
	}
	if (si->si_code == BUS_MCEERR_AO) {
		queue(si);
		errno = saved;
		return;
	}
	/* Ours, and no way to go on from: die of it at the same instruction. */
	fbk_terminal_restore();
	signal(SIGBUS, SIG_DFL);
	if (si->si_code <= 0)
		raise(SIGBUS); /* sent by a process: nothing would fault again */
}

int fbk_sigbus_init(struct fbk_monitor *m)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER };

	ring.m = m;
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGBUS, &sa, NULL))
		return -errno;
	/* This thread, the main one, is told of poison that nobody has touched yet. A kernel without it tells later. */
	(void)prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
	return 0;
}

static void walk(struct fbk_monitor *m, const siginfo_t *si)
{
	struct fbk_verdict v;
	int r = fbk_vm_sigbus(m->road, si, &v);

	if (r == -ERANGE) {
		/* A page of the monitor itself, not touched yet; if it ever is, the signal is fatal. */
		fbk_say("the host reports bad memory at %p, which is not guest memory", si->si_addr);
	} else if (r < 0) {
		fbk_say("a memory error at %p could not be recorded: %s", si->si_addr, strerror(-r));
	} else if (v.action == FBK_VERDICT_STOP) {
		fbk_say("the virtual machine is stopped: %s", v.text);
		fbk_monitor_end(m, FBK_END_STOP);
	} else if (v.action == FBK_VERDICT_PAUSE) {
		fbk_say("the virtual machine is held for its operator: %s", v.text);
		fbk_monitor_end(m, FBK_END_PAUSE);
	}
}

void fbk_sigbus_drain(struct fbk_monitor *m)
{
	unsigned int lost = atomic_exchange(&ring.lost, 0);

	for (unsigned int i = 0; i < RING_LEN; i++) {
		siginfo_t si = { .si_signo = SIGBUS };

		if (atomic_load(&ring.slot[i].full) != 2)
			continue;
		si.si_code = ring.slot[i].code;
		si.si_addr_lsb = ring.slot[i].lsb;
		si.si_addr = ring.slot[i].addr;
		atomic_store(&ring.slot[i].full, 0);
		walk(m, &si);
	}
	if (lost)
		fbk_say("%u reports of bad memory came faster than they could be taken: those pages are told when touched",
			lost);
}

void fbk_sigbus_report(struct fbk_monitor *m, struct fbk_gpa page)
{
	uint64_t len = m->memory.page_len;
	siginfo_t si = { .si_signo = SIGBUS, .si_code = BUS_MCEERR_AO, .si_addr_lsb = __builtin_ctzll(len) };

	page.addr &= ~(len - 1);
	if (!fbk_gmem_ptr(&m->gmem, page, len, &si.si_addr))
		walk(m, &si);
}

void fbk_sigbus_found(struct fbk_monitor *m, struct fbk_gpa gpa)
{
	siginfo_t si = { .si_signo = SIGBUS, .si_code = BUS_MCEERR_AR, .si_addr_lsb = FBK_PAGE_SHIFT };
	void *hva;

	/* The kernel's copy stops up to a few pages short of the one that failed. */
	gpa.addr &= FBK_PAGE_MASK;
	for (unsigned int i = 0; i < 16; i++, gpa.addr += FBK_PAGE_SIZE) {
		if (fbk_gmem_ptr(&m->gmem, gpa, FBK_PAGE_SIZE, &hva))
			return;
		if (!fbk_memory_is_poisoned(&m->gmem, gpa))
			continue;
		si.si_addr = hva;
		walk(m, &si);
		return;
	}
}
