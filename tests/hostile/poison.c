/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * poison.c - a well-meaning driver whose rings and buffers the host takes away: each part of a queue of each device in turn. Linux
 * cannot show that: it reads its used rings at every interrupt, and a kernel that reads a lost page is lost itself.
 *
 * For each it says "hostile: poison n=... gpa=...", waits for a key, has the device meet the page, and says
 * "hostile: met n=... kind=... part=... reset=... answered=... status=... others=... works=...". [VIRTIO 2.1.2, 5.2.6]
 */
#include "virtio.h"

#define MEETS_MS 30000
#define KEY_MS 120000

enum part { DESCRIPTORS, AVAILABLE, USED, BUFFER, NR_PARTS };

struct step {
	const struct device *d;
	enum part part;
	uint64_t lost; /* the page */
	unsigned int queue;
	struct rings r;
	uint64_t buffer, status;
};

static void prepare(struct step *s)
{
	bool two = s->d->id == ID_NET || s->d->id == ID_CONSOLE;

	s->queue = two ? 1 : 0;
	s->r = rings_of(s->d, s->queue);
	s->buffer = BUFFERS_GPA;
	s->status = BUFFERS_GPA + 8192;
	if (s->part == DESCRIPTORS)
		s->r.desc = s->lost;
	else if (s->part == AVAILABLE)
		s->r.avail = s->lost;
	else if (s->part == USED)
		s->r.used = s->lost;
	else
		s->buffer = s->lost;
	for (uint64_t at = s->lost; at < s->lost + FBK_PAGE_SIZE; at += 8)
		write64(at, 0);
	driver_start(s->d, two ? 2 : 1, s->queue, &s->r);
	if (s->d->id == ID_CONSOLE)
		console_listen(s->d);
}

static void ask(struct step *s)
{
	write64(s->status, UINT64_MAX);
	switch (s->d->id) {
	case ID_RNG:
		descriptor(s->r.desc, 0, s->buffer, 64, D_WRITE, 0);
		break;
	case ID_BLOCK:
		block_read(&s->r, 0, BUFFERS_GPA + 4096, s->buffer, s->status);
		break;
	default: /* sends zeros */
		descriptor(s->r.desc, 0, s->buffer, 64, 0, 0);
	}
	make_available(&s->r, QUEUE_NUM, 0);
}

/* Another one, which nothing has happened to. */
static bool others_work(const struct device *all, unsigned int nr, const struct device *but)
{
	for (unsigned int i = 0; i < nr; i++)
		if (&all[i] != but && all[i].id == ID_BLOCK)
			return driver_works(&all[i]);
	return false;
}

static void meet(struct step *s, const struct device *all, unsigned int nr, uint64_t n)
{
	uint64_t until;
	uint8_t status;
	bool reset = false, answered = false, others, works;

	prepare(s);
	ask(s);
	say_number("\nhostile: poison n=", n);
	say_number(" gpa=", s->lost);
	say(" .\n");
	key(KEY_MS);
	until = milliseconds() + MEETS_MS;
	reg_write(s->d, V_QUEUE_NOTIFY, s->queue);
	do {
		reset = reg_read(s->d, V_STATUS) & S_NEEDS_RESET;
		answered = s->part != USED && get16(s->r.used + 2) == 1;
	} while (!reset && !answered && milliseconds() < until);
	status = *(volatile uint8_t *)s->status;
	/* A console says something to show that it works. */
	others = others_work(all, nr, s->d);
	works = driver_works(s->d);
	say_number("\nhostile: met n=", n);
	say_number(" kind=", s->d->id);
	say_number(" part=", s->part);
	say_number(" reset=", reset);
	say_number(" answered=", answered);
	say_number(" status=", status);
	say_number(" others=", others);
	say_number(" works=", works);
	say(" .\n");
}

void attack_poison(struct attack *a)
{
	static struct device d[MAX_DEVICES];
	unsigned int nr;
	uint64_t n = 0;

	if (a->cpu)
		return;
	nr = devices_find(d);
	/* A virtio console is what keys come by. */
	for (unsigned int i = 0; i < nr; i++)
		if (d[i].id == ID_CONSOLE)
			driver_works(&d[i]);
	for (unsigned int i = 0; i < nr; i++) {
		for (enum part part = 0; d[i].id && part < NR_PARTS; part++, n++) {
			struct step s;

			s.d = &d[i];
			s.part = part;
			s.lost = LOST_GPA + n * FBK_PAGE_SIZE;
			meet(&s, d, nr, n);
		}
	}
}
