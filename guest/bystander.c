/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * bystander - a neighbour that computes, and notices if it is ever disturbed.
 *
 * usage: bystander [MIB]
 *
 * Holds MIB (8) of memory whose every word is known, changes it again and again by a known step, and checks the sum of
 * all of it. A word lost or changed shows, and so does a signal. Says "account beats=N bad=M longest_ms=T" now and then, when
 * asked by SIGUSR1, and at the end, by SIGTERM. Exit status 0 if nothing was ever wrong, 1 otherwise.
 */
#include "say.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t asked, ended, hit;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		asked = 1;
	else if (sig == SIGTERM)
		ended = 1;
}

/* Memory lost under the bystander itself: the very thing that must not happen. */
static void on_bus(int sig, siginfo_t *si, void *context)
{
	struct fbk_line l;

	hit = 1;
	fbk_line_start(&l);
	fbk_line_text(&l, "DISTURBED");
	fbk_line_dec(&l, "signal", sig);
	fbk_line_hex(&l, "addr", (uintptr_t)si->si_addr);
	fbk_line_say(&l);
	_exit(1);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void account(uint64_t beats, uint64_t bad, uint64_t longest)
{
	struct fbk_line l;

	fbk_line_start(&l);
	fbk_line_text(&l, "account");
	fbk_line_dec(&l, "beats", (int64_t)beats);
	fbk_line_dec(&l, "bad", (int64_t)bad);
	fbk_line_dec(&l, "longest_ms", (int64_t)longest);
	fbk_line_say(&l);
}

int main(int argc, char **argv)
{
	size_t words = (argc > 1 ? strtoul(argv[1], NULL, 10) : 8) * (1024 * 1024 / sizeof(uint64_t));
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sigaction bus = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };
	uint64_t beats = 0, bad = 0, longest = 0, last, step = 0, base = 0;
	struct timespec rest = { .tv_nsec = 20000000 };
	volatile uint64_t *mem;
	size_t i;

	(void)fbk_say_open("bystander");
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &bus, NULL);
	mem = mmap(NULL, words * sizeof(*mem), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!words || mem == MAP_FAILED)
		fbk_die("mmap");
	for (i = 0; i < words; i++) {
		mem[i] = i * UINT64_C(0x9e3779b97f4a7c15);
		base += mem[i];
	}
	last = now_ms();
	while (!ended) {
		uint64_t sum = 0, t;

		/* One word in eight is rewritten on each pass: every page is both read and written. */
		step++;
		for (i = 0; i < words; i += 8)
			mem[i] += step;
		base += step * ((words + 7) / 8);
		for (i = 0; i < words; i++)
			sum += mem[i];
		if (sum != base) {
			bad++;
			base = sum;
			fbk_say("DISTURBED sum");
		}
		t = now_ms();
		if (t - last > longest)
			longest = t - last;
		last = t;
		if (++beats % 64 == 0 || beats == 4 || asked) {
			asked = 0;
			account(beats, bad, longest);
		}
		/* Leave the processor to others between two passes. */
		nanosleep(&rest, NULL);
	}
	account(beats, bad, longest);
	return bad || hit ? 1 : 0;
}
