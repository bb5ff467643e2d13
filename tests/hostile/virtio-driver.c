/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* virtio-driver.c - the good half, and a look at whether each device still does its work. */
#include "virtio.h"

#define ANSWER_MS 30000
#define BLOCK_SECTOR 2000 /* which no attack reaches (virtio-chains.c) */
#define BLOCK_BYTE 0x5a	  /* what the host has put there */
#define ARP_LEN 42
#define PACKET_LEN 2048
#define NET_HEADER 12
#define TYPED_GPA (BUFFERS_GPA + (UINT64_C(1) << 20)) /* behind what the others use */

unsigned int devices_find(struct device ret[MAX_DEVICES])
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < MAX_DEVICES; i++) {
		struct device *d = &ret[nr];

		d->index = i;
		d->base = FBK_VIRTIO_BASE + i * FBK_VIRTIO_STRIDE;
		if (reg_read(d, V_MAGIC) != 0x74726976)
			continue;
		d->id = reg_read(d, V_DEVICE_ID);
		for (d->queues = 0; d->queues < MAX_QUEUES; d->queues++) {
			reg_write(d, V_QUEUE_SEL, d->queues);
			if (!reg_read(d, V_QUEUE_NUM_MAX))
				break;
		}
		nr++;
	}
	return nr;
}

struct rings rings_of(const struct device *d, unsigned int queue)
{
	uint64_t base = RINGS_GPA + (d->index * MAX_QUEUES + queue % MAX_QUEUES) * RINGS_LEN;

	return (struct rings){ base, base + 0x4000, base + 0x8000, base + 0xc000 };
}

uint32_t reg_read(const struct device *d, unsigned int reg)
{
	return read32(d->base + reg);
}

void reg_write(const struct device *d, unsigned int reg, uint32_t val)
{
	write32(d->base + reg, val);
}

void reg_write64(const struct device *d, unsigned int reg, uint64_t val)
{
	reg_write(d, reg, (uint32_t)val);
	reg_write(d, reg + 4, (uint32_t)(val >> 32));
}

void driver_reset(const struct device *d)
{
	reg_write(d, V_STATUS, 0);
}

uint64_t driver_offered(const struct device *d)
{
	uint64_t low;

	reg_write(d, V_DEVICE_FEATURES_SEL, 0);
	low = reg_read(d, V_DEVICE_FEATURES);
	reg_write(d, V_DEVICE_FEATURES_SEL, 1);
	return low | (uint64_t)reg_read(d, V_DEVICE_FEATURES) << 32;
}

bool driver_negotiate(const struct device *d, uint64_t features)
{
	reg_write(d, V_STATUS, S_ACKNOWLEDGE | S_DRIVER);
	reg_write(d, V_DRIVER_FEATURES_SEL, 0);
	reg_write(d, V_DRIVER_FEATURES, (uint32_t)features);
	reg_write(d, V_DRIVER_FEATURES_SEL, 1);
	reg_write(d, V_DRIVER_FEATURES, (uint32_t)(features >> 32));
	reg_write(d, V_STATUS, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK);
	return reg_read(d, V_STATUS) & S_FEATURES_OK;
}

void driver_queue(const struct device *d, unsigned int queue, uint64_t num, const struct rings *r)
{
	reg_write(d, V_QUEUE_SEL, queue);
	reg_write(d, V_QUEUE_NUM, (uint32_t)num);
	reg_write64(d, V_QUEUE_DESC, r->desc);
	reg_write64(d, V_QUEUE_DRIVER, r->avail);
	reg_write64(d, V_QUEUE_DEVICE, r->used);
	reg_write(d, V_QUEUE_READY, 1);
}

void descriptor(uint64_t table, unsigned int index, uint64_t gpa, uint32_t len, uint16_t flags, uint16_t next)
{
	uint64_t at = table + 16 * (uint64_t)index;

	write64(at, gpa);
	write64(at + 8, len | (uint64_t)flags << 32 | (uint64_t)next << 48);
}

void make_available(const struct rings *r, unsigned int num, uint16_t head)
{
	uint16_t idx = get16(r->avail + 2);

	put16(r->avail + 4 + 2 * (idx % num), head);
	__asm__ volatile("dmb sy" : : : "memory");
	put16(r->avail + 2, (uint16_t)(idx + 1));
	__asm__ volatile("dmb sy" : : : "memory");
}

void block_read(const struct rings *r, uint16_t first, uint64_t header, uint64_t data, uint64_t status)
{
	write64(header, 0);
	write64(header + 8, BLOCK_SECTOR);
	write64(status, UINT64_MAX);
	descriptor(r->desc, first, header, 16, D_NEXT, first + 1);
	descriptor(r->desc, first + 1, data, 512, D_NEXT | D_WRITE, first + 2);
	descriptor(r->desc, first + 2, status, 1, D_WRITE, 0);
}

bool block_was_read(uint64_t data, uint64_t status)
{
	if (*(volatile uint8_t *)status)
		return false;
	for (unsigned int i = 0; i < 512; i++)
		if (*(volatile uint8_t *)(data + i) != BLOCK_BYTE)
			return false;
	return true;
}

/* --- does it work? --------------------------------------------------------------------------------------------------- */

void driver_start(const struct device *d, unsigned int queues, unsigned int which, const struct rings *elsewhere)
{
	driver_reset(d);
	driver_negotiate(d, driver_offered(d) & (F_VERSION_1 | (d->id == ID_NET ? UINT64_C(1) << 15 : 0)));
	for (unsigned int q = 0; q < queues; q++) {
		struct rings r = rings_of(d, q);

		for (uint64_t at = r.desc; at < r.desc + RINGS_LEN; at += 8)
			write64(at, 0);
		driver_queue(d, q, QUEUE_NUM, elsewhere && q == which ? elsewhere : &r);
	}
	reg_write(d, V_STATUS, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
}

static void start(const struct device *d, unsigned int queues)
{
	driver_start(d, queues, 0, NULL);
}

static bool answered(const struct device *d, unsigned int queue)
{
	uint64_t used = rings_of(d, queue).used + 2, until = milliseconds() + ANSWER_MS;

	reg_write(d, V_QUEUE_NOTIFY, queue);
	while (!get16(used) && milliseconds() < until)
		;
	return get16(used) == 1;
}

static bool works_rng(const struct device *d)
{
	struct rings r = rings_of(d, 0);
	uint64_t sum = 0;

	start(d, 1);
	for (unsigned int i = 0; i < 64; i += 8)
		write64(BUFFERS_GPA + i, 0);
	descriptor(r.desc, 0, BUFFERS_GPA, 64, D_WRITE, 0);
	make_available(&r, QUEUE_NUM, 0);
	if (!answered(d, 0))
		return false;
	for (unsigned int i = 0; i < 64; i += 8)
		sum |= read64(BUFFERS_GPA + i);
	return sum && read32(r.used + 8) == 64;
}

static bool works_block(const struct device *d)
{
	struct rings r = rings_of(d, 0);
	uint64_t header = BUFFERS_GPA, data = BUFFERS_GPA + 4096, status = BUFFERS_GPA + 8192;

	start(d, 1);
	write64(data, 0);
	block_read(&r, 0, header, data, status);
	make_available(&r, QUEUE_NUM, 0);
	return answered(d, 0) && block_was_read(data, status);
}

static void put_bytes(uint64_t at, const uint8_t *from, size_t len)
{
	while (len--)
		*(volatile uint8_t *)at++ = *from++;
}

/* An IPv4 address, as a number. */
static uint32_t peer(void)
{
	return (uint32_t)argument_number("peer", 0x0a000202);
}

void net_ask(const struct rings *out, uint16_t index, uint64_t packet)
{
	uint32_t to = peer();
	uint8_t arp[ARP_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1,
				 2, 0, 0, 0, 0, 1, to >> 24, to >> 16, to >> 8, 15, 0, 0, 0, 0, 0, 0,
				 to >> 24, to >> 16, to >> 8, to };

	write64(packet, 0);
	write64(packet + 8, 0);
	put_bytes(packet + NET_HEADER, arp, sizeof(arp));
	descriptor(out->desc, index, packet, NET_HEADER + ARP_LEN, 0, 0);
	make_available(out, QUEUE_NUM, index);
}

/* Somebody at peer= says that it is there. Other packets may come before. */
static bool works_net(const struct device *d)
{
	struct rings in = rings_of(d, 0), out = rings_of(d, 1);
	uint64_t until = milliseconds() + ANSWER_MS;
	uint32_t from = peer();
	uint16_t seen = 0;

	start(d, 2);
	for (unsigned int i = 0; i < QUEUE_NUM; i++) {
		descriptor(in.desc, i, BUFFERS_GPA + i * PACKET_LEN, PACKET_LEN, D_WRITE, 0);
		make_available(&in, QUEUE_NUM, (uint16_t)i);
	}
	reg_write(d, V_QUEUE_NOTIFY, 0);
	net_ask(&out, 0, BUFFERS_GPA + QUEUE_NUM * PACKET_LEN);
	if (!answered(d, 1))
		return false;
	while (milliseconds() < until) {
		uint32_t id;
		uint64_t at;

		if (get16(in.used + 2) == seen)
			continue;
		id = read32(in.used + 4 + 8 * (seen++ % QUEUE_NUM));
		at = BUFFERS_GPA + (id % QUEUE_NUM) * PACKET_LEN + NET_HEADER;
		if (get16(at + 12) == 0x0608 && get16(at + 20) == 0x0200 && get16(at + 28) == (uint16_t)(from >> 24 | (from >> 8 & 0xff00)))
			return true;
		make_available(&in, QUEUE_NUM, (uint16_t)(id % QUEUE_NUM));
		reg_write(d, V_QUEUE_NOTIFY, 0);
	}
	return false;
}

/* Whose input it is that typed() gives from then on, and how much of it there was. */
static struct device console;
static uint16_t seen;

static void listen(void)
{
	struct rings r = rings_of(&console, 0);

	descriptor(r.desc, 0, TYPED_GPA, 1, D_WRITE, 0);
	make_available(&r, QUEUE_NUM, 0);
	reg_write(&console, V_QUEUE_NOTIFY, 0);
}

void console_listen(const struct device *d)
{
	console = *d;
	seen = 0;
	listen();
}

int virtio_typed(void)
{
	struct rings r = rings_of(&console, 0);
	int byte = -1;

	if (!console.base || get16(r.used + 2) == seen)
		return -1;
	if (read32(r.used + 8 + 8 * (seen++ % QUEUE_NUM)) == 1)
		byte = *(volatile uint8_t *)TYPED_GPA;
	listen();
	return byte;
}

static bool works_console(const struct device *d)
{
	static const char text[] = "\nhostile: by virtio\n";
	struct rings out = rings_of(d, 1);

	start(d, 2);
	put_bytes(BUFFERS_GPA, (const uint8_t *)text, sizeof(text) - 1);
	descriptor(out.desc, 0, BUFFERS_GPA, sizeof(text) - 1, 0, 0);
	make_available(&out, QUEUE_NUM, 0);
	if (!answered(d, 1))
		return false;
	console_listen(d);
	return true;
}

bool driver_works(const struct device *d)
{
	switch (d->id) {
	case ID_RNG:
		return works_rng(d);
	case ID_BLOCK:
		return works_block(d);
	case ID_NET:
		return works_net(d);
	case ID_CONSOLE:
		return works_console(d);
	default:
		return false;
	}
}

void virtio_check(struct attack *a)
{
	struct device d[MAX_DEVICES];
	unsigned int nr = devices_find(d), works = 0, asked = 0;

	for (unsigned int i = 0; i < nr; i++) {
		bool fine;

		if (!d[i].id) /* nothing there */
			continue;
		fine = driver_works(&d[i]);
		asked++;
		works += fine;
		if (!fine) {
			say_number("\nhostile: no answer from device ", d[i].index);
			say_number(" of kind ", d[i].id);
			say("\n");
		}
	}
	say_number("\nhostile: devices=", nr);
	say_number(" asked=", asked);
	say_number(" works=", works);
	say_number(" answered=", virtio_answered);
	say_number(" broken=", virtio_broken);
	say("\n");
}
