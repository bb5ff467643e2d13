/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * virtio-chains.c - queues full of what no driver would write: requests that each kind of device begins to understand, and
 * then loops, lengths and addresses that are wrong.
 *
 * What is written to a disk stays in its first three quarters, if the device does what it should: requests begin below
 * LAST_SECTOR, and none of less than half of all numbers is longer than 64 KiB.
 */
#include "virtio.h"

#define LAST_SECTOR 256
#define SLOT_LEN 4096 /* of BUFFERS_GPA, for each of a queue's chains */
#define NR_SLOTS (BUFFERS_LEN / SLOT_LEN)

static uint64_t slot(struct garbage *g)
{
	return BUFFERS_GPA + below(g, NR_SLOTS) * SLOT_LEN;
}

/* --- requests that make some sense ----------------------------------------------------------------------------------- */

struct part {
	uint64_t gpa;
	uint32_t len;
	bool write;
};

static uint64_t sector(struct garbage *g)
{
	return one_in(g, 8) ? any(g) | UINT64_C(1) << 40 : below(g, LAST_SECTOR);
}

static unsigned int block_request(struct garbage *g, struct part *p)
{
	static const uint32_t types[] = { 0, 0, 1, 1, 4, 8, 11, 13, 2, 5, 0xffffffff };
	uint32_t type = types[below(g, sizeof(types) / sizeof(types[0]))];
	uint64_t at = slot(g);
	unsigned int nr = 0, data = (unsigned int)below(g, 4);
	bool write = type == 0 || type == 8;

	write64(at, type | any(g) << 32);
	write64(at + 8, sector(g));
	p[nr++] = (struct part){ at, 16, false };
	if (type == 11 || type == 13) {
		unsigned int ranges = (unsigned int)below(g, 20);

		for (unsigned int i = 0; i < ranges; i++) {
			write64(at + 16 + 16 * i, sector(g));
			write64(at + 24 + 16 * i, (one_in(g, 8) ? UINT32_MAX : below(g, LAST_SECTOR)) | below(g, 3) << 32);
		}
		p[nr++] = (struct part){ at + 16, 16 * ranges + (one_in(g, 8) ? 1 : 0), false };
	} else {
		for (unsigned int i = 0; i < data; i++)
			p[nr++] = (struct part){ slot(g), 512 * (uint32_t)below(g, 9), write };
	}
	p[nr++] = (struct part){ slot(g), 1, true };
	return nr;
}

static uint16_t checksum(uint64_t at, unsigned int len)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < len; i += 2)
		sum += get16(at + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~((sum & 0xffff) + (sum >> 16));
}

static void put_be16(uint64_t at, uint64_t v)
{
	put16(at, __builtin_bswap16((uint16_t)v));
}

/* Ethernet, and then IPv4 with something in it, ARP, IPv6 or nothing that is known; each field may be wrong. */
static unsigned int frame(struct garbage *g, uint64_t at)
{
	static const uint16_t types[] = { 0x0800, 0x0800, 0x0800, 0x0800, 0x0806, 0x86dd, 0x8100, 0x1234 };
	static const uint8_t protocols[] = { 1, 6, 6, 17, 17, 17, 2, 58 };
	static const uint16_t ports[] = { 53, 67, 68, 69, 7001, 0, 65535, 1900 };
	static const uint32_t peers[] = { 0x0a000202, 0x0a000203, 0xffffffff, 0x7f000001, 0x0a0000ff, 0xe00000fb, 0 };
	uint16_t type = types[below(g, 8)];
	uint8_t protocol = protocols[below(g, 8)];
	unsigned int len = 14 + 20 + (unsigned int)below(g, 200), ip = (unsigned int)at + 14, l4 = ip + 20;
	uint32_t peer = one_in(g, 6) ? (uint32_t)any(g) : peers[below(g, 7)];

	scribble(g, at, (len + 7) & ~7u);
	if (one_in(g, 2)) {
		write32(at, 0xffffffff);
		put16(at + 4, 0xffff);
	} else {
		write32(at, 0x000a5552); /* 52:55:0a:00:02:02 */
		put16(at + 4, 0x0202);
	}
	put_be16(at + 12, type);
	if (type == 0x86dd) {
		*(volatile uint8_t *)(uint64_t)ip = 0x60;
		put_be16(ip + 4, one_in(g, 3) ? any(g) : len - 54);
		return len;
	}
	if (type != 0x0800)
		return len;
	*(volatile uint8_t *)(uint64_t)ip = one_in(g, 8) ? (uint8_t)any(g) : 0x45;
	put_be16(ip + 2, one_in(g, 6) ? any(g) : len - 14);
	put_be16(ip + 6, one_in(g, 4) ? any(g) : 0); /* fragments */
	put16(ip + 8, (uint16_t)(0x40 | protocol << 8));
	put16(ip + 10, 0);
	write32(ip + 12, 0x0f02000a); /* 10.0.2.15 */
	write32(ip + 16, __builtin_bswap32(peer));
	put_be16(l4, one_in(g, 2) ? 1024 + below(g, 8) : any(g));
	put_be16(l4 + 2, ports[below(g, 8)]);
	if (protocol == 17) {
		put_be16(l4 + 4, one_in(g, 6) ? any(g) : len - 34);
		put16(l4 + 6, 0);
	}
	if (!one_in(g, 5))
		put16(ip + 10, checksum(ip, 20));
	return len;
}

static unsigned int net_request(struct garbage *g, unsigned int queue, struct part *p)
{
	uint64_t at = slot(g);
	unsigned int nr = 0, len;

	if (queue % 2 == 0) {
		p[nr++] = (struct part){ at, one_in(g, 4) ? length(g) : 2048, true };
		return nr;
	}
	scribble(g, at, 16);
	if (!one_in(g, 3)) {
		write64(at, 0);
		write32(at + 8, 0);
	}
	len = frame(g, at + 16);
	p[nr++] = (struct part){ at, 12, false };
	p[nr++] = (struct part){ at + 16, len, false };
	return nr;
}

static unsigned int some_request(struct garbage *g, const struct device *d, unsigned int queue, struct part *p)
{
	unsigned int nr = 0;

	if (d->id == ID_BLOCK)
		return block_request(g, p);
	if (d->id == ID_NET)
		return net_request(g, queue, p);
	if (d->id != ID_RNG && one_in(g, 2)) {
		p[nr] = (struct part){ slot(g), (uint32_t)below(g, 64), false };
		scribble(g, p[nr++].gpa, 64);
	}
	p[nr++] = (struct part){ slot(g), one_in(g, 4) ? length(g) : (uint32_t)below(g, 4096), true };
	return nr;
}

/* --- tables ---------------------------------------------------------------------------------------------------------- */

/* From descriptor @at on, in a row; a field of one of them may be spoilt, and its links unless @linked. Return: the one behind. */
static unsigned int put_chain(struct garbage *g, uint64_t table, unsigned int at, unsigned int num, const struct part *p, unsigned int nr,
			      bool linked)
{
	unsigned int spoilt = one_in(g, 3) ? (unsigned int)below(g, nr) : nr;

	for (unsigned int i = 0; i < nr && at < num; i++, at++) {
		uint16_t flags = (uint16_t)((p[i].write ? D_WRITE : 0) | (i + 1 < nr ? D_NEXT : 0)), next = (uint16_t)(at + 1);
		uint64_t gpa = p[i].gpa;
		uint32_t len = p[i].len;

		if (i == spoilt) {
			switch (below(g, linked ? 2 : 4)) {
			case 0:
				gpa = place(g);
				break;
			case 1:
				len = length(g);
				break;
			case 2:
				flags ^= (uint16_t)(1u << below(g, 4));
				break;
			case 3:
				next = (uint16_t)(one_in(g, 2) ? below(g, num) : any(g));
				break;
			}
		}
		descriptor(table, at, gpa, len, flags, next);
	}
	return at;
}

static void put_anything(struct garbage *g, uint64_t table, unsigned int num, const struct rings *r)
{
	for (unsigned int i = 0; i < num; i++) {
		uint16_t flags = (uint16_t)(below(g, 8) | (one_in(g, 3) ? D_NEXT : 0) | (one_in(g, 32) ? any(g) : 0));
		uint16_t next = (uint16_t)(one_in(g, 16) ? any(g) : one_in(g, 8) ? i : below(g, num ? num : 1));
		uint64_t gpa = place(g);
		uint32_t len = length(g);

		/* Tables of tables, this one among them. */
		if ((flags & D_INDIRECT) && one_in(g, 2)) {
			gpa = one_in(g, 2) ? r->desc : r->indirect;
			len = 16 * (uint32_t)below(g, 300);
		}
		descriptor(table, i, gpa, len, flags, next);
	}
}

static unsigned int put_indirect(struct garbage *g, const struct device *d, unsigned int queue, unsigned int at, const struct rings *r)
{
	struct part p[8];
	unsigned int nr = some_request(g, d, queue, p), len;

	len = 16 * put_chain(g, r->indirect, 0, 256, p, nr, false);
	if (one_in(g, 4))
		len = length(g);
	descriptor(r->desc, at, one_in(g, 8) ? place(g) : r->indirect, len, (uint16_t)(D_INDIRECT | (one_in(g, 8) ? below(g, 4) : 0)), 0);
	return at + 1;
}

static void offer(struct garbage *g, const struct rings *r, unsigned int num, const uint16_t *head, unsigned int nr, bool linked)
{
	uint16_t idx = get16(r->avail + 2);

	if (linked || !one_in(g, 8))
		for (unsigned int i = 0; i < nr; i++)
			put16(r->avail + 4 + 2 * ((idx + i) % num), !linked && one_in(g, 16) ? (uint16_t)any(g) : head[i]);
	put16(r->avail, (uint16_t)below(g, 2));			      /* no interrupt, please */
	put16(r->avail + 4 + 2 * num, (uint16_t)any(g));	      /* used_event */
	put16(r->used + 4 + 8 * num, (uint16_t)any(g));		      /* avail_event, which is not ours to write */
	__asm__ volatile("dmb sy" : : : "memory");
	if (!linked && one_in(g, 12))
		idx = (uint16_t)(idx - below(g, 4)); /* backwards */
	else if (!linked && one_in(g, 12))
		idx = (uint16_t)any(g);
	else
		idx = (uint16_t)(idx + nr);
	put16(r->avail + 2, idx);
}

void garbage_queue(struct garbage *g, const struct device *d, unsigned int queue, unsigned int num)
{
	struct rings r = rings_of(d, queue);
	uint16_t head[16];
	/* A broken link is the end of the queue: half of them are in order, so that requests come to be looked at. */
	bool linked = one_in(g, 2);
	unsigned int nr = 0, at = 0;

	if (!num || num > 256)
		num = 256;
	if (!linked && one_in(g, 2)) {
		put_anything(g, r.desc, num, &r);
		put_anything(g, r.indirect, 64, &r);
		while (nr < 16)
			head[nr++] = (uint16_t)below(g, num);
	}
	while (nr < 16 && at + 8 <= num) {
		struct part p[8];

		head[nr++] = (uint16_t)at;
		if (!linked && one_in(g, 4))
			at = put_indirect(g, d, queue, at, &r);
		else
			at = put_chain(g, r.desc, at, num, p, some_request(g, d, queue, p), linked);
	}
	offer(g, &r, num, head, nr, linked);
}

void garbage_scribble(struct garbage *g, const struct device *d, unsigned int queue)
{
	struct rings r = rings_of(d, queue);
	unsigned int i = (unsigned int)below(g, 64);

	switch (below(g, 4)) {
	case 0:
		put16(r.avail + 2, (uint16_t)(get16(r.avail + 2) + below(g, 3)));
		break;
	case 1:
		put16(r.used + 2, (uint16_t)any(g));
		break;
	default:
		descriptor(one_in(g, 2) ? r.desc : r.indirect, i, place(g), length(g), (uint16_t)below(g, 8), (uint16_t)below(g, 64));
	}
}
