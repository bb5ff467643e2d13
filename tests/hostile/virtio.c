/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * virtio.c - every device negotiated with in order, and then given garbage; while the other vCPUs change what it is reading, and,
 * with an odd seed, its registers.
 */
#include "virtio.h"

#define WAIT 3000 /* looks at a used index: some of what is asked for shall be under way when it is reset, and some done */

static uint64_t queue_num(struct garbage *g)
{
	static const uint32_t odd[] = { 0, 3, 5, 257, 512, 1024, 32768, 65535, 65536, 0x80000000, 0xffffffff };

	return one_in(g, 6) ? odd[below(g, sizeof(odd) / sizeof(odd[0]))] : UINT64_C(1) << (one_in(g, 4) ? below(g, 9) : 4 + below(g, 5));
}

static uint64_t features(struct garbage *g, uint64_t offered)
{
	if (one_in(g, 8))
		return any(g);
	return ((offered & any(g)) | F_VERSION_1 | (one_in(g, 2) ? offered & (F_EVENT_IDX | F_INDIRECT) : 0));
}

/* In place, mostly; or misaligned, at an edge, or nowhere. */
static void set_up(struct garbage *g, const struct device *d, unsigned int queue, uint64_t num)
{
	struct rings r = rings_of(d, queue);

	put16(r.avail + 2, 0);
	if (one_in(g, 6)) {
		uint64_t *which = below(g, 3) == 0 ? &r.desc : one_in(g, 2) ? &r.avail : &r.used;

		*which = one_in(g, 4) ? *which + below(g, 16) : place(g);
	}
	driver_queue(d, queue, num, &r);
}

uint64_t virtio_answered, virtio_broken;

/* @before: the used index. */
static void wait(const struct device *d, unsigned int queue, uint16_t before)
{
	uint64_t used = rings_of(d, queue).used + 2;

	for (unsigned int i = 0; i < WAIT && get16(used) == before; i++)
		;
	virtio_answered += get16(used) != before;
	virtio_broken += !!(reg_read(d, V_STATUS) & S_NEEDS_RESET);
}

static void interrupt_midway(struct garbage *g, const struct device *d)
{
	switch (below(g, 6)) {
	case 0:
		driver_reset(d);
		break;
	case 1:
		reg_write(d, V_QUEUE_SEL, (uint32_t)below(g, MAX_QUEUES));
		reg_write(d, V_QUEUE_READY, 0);
		break;
	case 2:
		reg_write(d, V_QUEUE_READY, 1);
		break;
	case 3:
		reg_write(d, V_STATUS, (uint32_t)any(g));
		break;
	case 4:
		reg_write(d, V_INTERRUPT_ACK, (uint32_t)any(g));
		break;
	case 5:
		reg_write(d, V_QUEUE_NUM, (uint32_t)any(g));
		break;
	}
}

static void round_on(struct garbage *g, const struct device *d)
{
	uint64_t num = queue_num(g);

	if (!d->queues)
		return;
	if (!one_in(g, 8))
		driver_reset(d);
	if (!driver_negotiate(d, features(g, driver_offered(d))) && one_in(g, 2))
		return;
	for (unsigned int q = 0; q < d->queues; q++)
		if (!one_in(g, 8))
			set_up(g, d, q, num);
	if (!one_in(g, 8))
		reg_write(d, V_STATUS, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
	for (unsigned int i = 0; i < 4; i++) {
		unsigned int q = (unsigned int)below(g, d->queues);
		uint16_t before = get16(rings_of(d, q).used + 2);

		garbage_queue(g, d, q, (unsigned int)(num > 256 ? 256 : num));
		reg_write(d, V_QUEUE_NOTIFY, one_in(g, 8) ? (uint32_t)number(g) : q);
		if (one_in(g, 3))
			interrupt_midway(g, d);
		else
			wait(d, q, before);
	}
}

static void change_register(struct garbage *g, const struct device *d)
{
	uint32_t reg = (uint32_t)below(g, FBK_VIRTIO_LEN) & ~3u;

	if (one_in(g, 2))
		interrupt_midway(g, d);
	else if (one_in(g, 2))
		(void)read32(d->base + reg);
	else
		reg_write(d, reg, (uint32_t)number(g));
}

void attack_virtio(struct attack *a)
{
	static struct device d[MAX_DEVICES];
	static volatile unsigned int nr; /* of them, as the first vCPU has found: it takes writes to find them */
	struct garbage *g = &a->garbage;

	if (!a->cpu) {
		nr = devices_find(d);
		for (uint64_t i = 0; nr && i < a->rounds; i++)
			round_on(g, &d[i % nr]);
		return;
	}
	while (!nr && !over)
		;
	while (!over) {
		for (unsigned int i = 0; i < 64 && !over; i++)
			garbage_scribble(g, &d[below(g, nr)], (unsigned int)below(g, MAX_QUEUES));
		if (a->seed % 2)
			change_register(g, &d[below(g, nr)]);
	}
}
