/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * poison.c - a well-meaning driver whose rings and buffers the host takes away: each part of a queue of each device in turn, while
 * it has LOAD requests to answer. Linux cannot show that: it reads its used rings at every interrupt, and a kernel that reads a lost
 * page is lost itself.
 *
 * For each it says "hostile: poison n=... gpa=...", waits for a key, has the device meet the page, and says
 * "hostile: met n=... kind=... queue=... part=... reset=... answered=... failed=... beside=... others=... works=...".
 * [VIRTIO 2.1.2, 5.2.6]
 */
#include "virtio.h"

#define MEETS_MS 30000
#define KEY_MS 120000
#define STRAY_MS 300
#define LOAD 16
#define LOST_REQUEST 5
#define RECEIVED 2 /* that many have to come: one meets the bad buffer, and one does not */

enum part { DESCRIPTORS, AVAILABLE, USED, BUFFER, NR_PARTS };

struct step {
	const struct device *d;
	unsigned int queue;
	enum part part;
	uint64_t lost; /* the page */
	struct rings r;
};

static bool two_ways(const struct device *d)
{
	return d->id == ID_NET || d->id == ID_CONSOLE;
}

static bool receives(const struct step *s)
{
	return two_ways(s->d) && s->queue == 0;
}

/* --- where the requests of a queue lie: a page for each one's data, and two for what a disk needs beside it ------------- */

static uint64_t area(unsigned int queue)
{
	return BUFFERS_GPA + queue * (LOAD + 2) * FBK_PAGE_SIZE;
}

static uint64_t header(unsigned int queue, unsigned int i)
{
	return area(queue) + 16 * i;
}

static uint64_t status(unsigned int queue, unsigned int i)
{
	return area(queue) + FBK_PAGE_SIZE + 8 * i;
}

static uint64_t data(unsigned int queue, unsigned int i)
{
	return area(queue) + (2 + i) * FBK_PAGE_SIZE;
}

/* The first that comes is to meet it, on a queue that receives: not many will. */
static uint64_t buffer(const struct step *s, unsigned int i)
{
	return s->part == BUFFER && i == (receives(s) ? 0 : LOST_REQUEST) ? s->lost : data(s->queue, i);
}

/* --- the queue, and its requests --------------------------------------------------------------------------------------- */

static void zero(uint64_t page)
{
	for (uint64_t at = page; at < page + FBK_PAGE_SIZE; at += 8)
		write64(at, 0);
}

static void prepare(struct step *s)
{
	s->r = rings_of(s->d, s->queue);
	if (s->part == DESCRIPTORS)
		s->r.desc = s->lost;
	else if (s->part == AVAILABLE)
		s->r.avail = s->lost;
	else if (s->part == USED)
		s->r.used = s->lost;
	zero(s->lost);
	for (unsigned int i = 0; i < LOAD; i++)
		zero(data(s->queue, i));
	driver_start(s->d, two_ways(s->d) ? 2 : s->d->queues, s->queue, &s->r);
	if (s->d->id == ID_CONSOLE && !receives(s))
		console_listen(s->d);
}

static void ask(const struct step *s)
{
	for (uint16_t i = 0; i < LOAD; i++) {
		uint16_t first = i;

		if (s->d->id == ID_BLOCK) {
			first = 3 * i;
			block_read(&s->r, first, header(s->queue, i), buffer(s, i), status(s->queue, i));
		} else if (receives(s)) {
			descriptor(s->r.desc, first, buffer(s, i), s->d->id == ID_NET ? 2048 : 1, D_WRITE, 0);
		} else { /* sends zeros, or takes them at random */
			descriptor(s->r.desc, first, buffer(s, i), 64, s->d->id == ID_RNG ? D_WRITE : 0, 0);
		}
		make_available(&s->r, QUEUE_NUM, first);
	}
}

/* A disk's other queue has as much to do. */
static void ask_beside(const struct step *s)
{
	struct step other = { .d = s->d, .queue = 1, .part = NR_PARTS, .r = rings_of(s->d, 1) };

	if (s->d->id == ID_BLOCK && s->d->queues > 1) {
		ask(&other);
		reg_write(s->d, V_QUEUE_NOTIFY, other.queue);
	}
}

/* What is typed at a console comes from the operator, who has been told to. */
static void have_it_meet(const struct step *s)
{
	struct rings out = rings_of(s->d, 1);

	ask_beside(s);
	if (!receives(s)) {
		reg_write(s->d, V_QUEUE_NOTIFY, s->queue);
	} else if (s->d->id == ID_NET) {
		for (uint16_t i = 0; i < RECEIVED; i++)
			net_ask(&out, i, data(1, i));
		reg_write(s->d, V_QUEUE_NOTIFY, 1);
	}
}

/* --- what has come of it ----------------------------------------------------------------------------------------------- */

static bool all_answered(const struct step *s)
{
	return s->part != USED && get16(s->r.used + 2) >= (receives(s) ? RECEIVED : LOAD);
}

/* Requests that were answered, but not done, where one can tell. What is sent comes back without a word. */
static unsigned int failures(const struct step *s)
{
	unsigned int n = 0;

	for (unsigned int i = 0; s->d->id == ID_BLOCK && i < LOAD; i++) {
		if (buffer(s, i) == s->lost)
			n += *(volatile uint8_t *)status(s->queue, i) != 0;
		else
			n += !block_was_read(buffer(s, i), status(s->queue, i));
	}
	for (unsigned int i = 0; (s->d->id == ID_RNG || receives(s)) && i < get16(s->r.used + 2); i++)
		n += read32(s->r.used + 8 + 8 * (uint64_t)i) == 0;
	return n;
}

static bool beside_works(const struct step *s)
{
	struct rings r = rings_of(s->d, 1);
	uint64_t until = milliseconds() + MEETS_MS;

	if (s->d->id != ID_BLOCK || s->d->queues < 2)
		return true;
	while (get16(r.used + 2) < LOAD)
		if (milliseconds() > until)
			return false;
	for (unsigned int i = 0; i < LOAD; i++)
		if (!block_was_read(data(1, i), status(1, i)))
			return false;
	return true;
}

/* Another one, which nothing has happened to. */
static bool others_work(const struct device *all, unsigned int nr, const struct device *but)
{
	for (unsigned int i = 0; i < nr; i++)
		if (&all[i] != but && all[i].id == ID_BLOCK)
			return driver_works(&all[i]);
	return false;
}

static void forget_keys(void)
{
	uint64_t until = milliseconds() + STRAY_MS;

	while (milliseconds() < until)
		typed();
}

static void meet(struct step *s, const struct device *all, unsigned int nr, uint64_t n)
{
	bool reset, answered, beside, others, works, by_key = s->d->id == ID_CONSOLE && receives(s);
	unsigned int failed;
	uint64_t until;

	prepare(s);
	ask(s);
	say_number("\nhostile: poison n=", n);
	say_number(" gpa=", s->lost);
	say(" .\n");
	if (!by_key)
		key(KEY_MS);
	have_it_meet(s);
	until = milliseconds() + (by_key ? KEY_MS : MEETS_MS);
	do {
		reset = reg_read(s->d, V_STATUS) & S_NEEDS_RESET;
		answered = all_answered(s);
	} while (!reset && !answered && milliseconds() < until);
	failed = answered ? failures(s) : 0;
	beside = s->part != BUFFER || beside_works(s);
	/* A console says something to show that it works. */
	others = others_work(all, nr, s->d);
	works = driver_works(s->d);
	if (by_key)
		forget_keys();
	say_number("\nhostile: met n=", n);
	say_number(" kind=", s->d->id);
	say_number(" queue=", s->queue);
	say_number(" part=", s->part);
	say_number(" reset=", reset);
	say_number(" answered=", answered);
	say_number(" failed=", failed);
	say_number(" beside=", beside);
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
		for (unsigned int queue = 0; d[i].id && queue < (two_ways(&d[i]) ? 2u : 1u); queue++) {
			for (enum part part = 0; part < NR_PARTS; part++, n++) {
				struct step s;

				s.d = &d[i];
				s.queue = queue;
				s.part = part;
				s.lost = LOST_GPA + n * FBK_PAGE_SIZE;
				meet(&s, d, nr, n);
			}
		}
	}
}
