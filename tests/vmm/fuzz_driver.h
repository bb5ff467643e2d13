/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_driver.h - a virtio device of a fuzz target, its guest RAM, and the driver's end of it: as decent, or as hostile, as the
 * target makes it.
 *
 * None of guest memory is bad unless the target says so: a copy that fails has left it.
 */
#ifndef FBK_TESTS_FUZZ_DRIVER_H
#define FBK_TESTS_FUZZ_DRIVER_H

#include "fuzz_ram.h"

#include "virtio-mmio.h"

/* Where a decent driver has its rings. */
#define FUZZ_DESC(queue) (0x3000 * (queue))
#define FUZZ_AVAIL(queue) (FUZZ_DESC(queue) + 0x1000)
#define FUZZ_USED(queue) (FUZZ_DESC(queue) + 0x2000)

static uint8_t *ram;
static size_t ram_len;
static struct fbk_gmem gmem;
static struct fbk_virtio v;
static uint32_t kicked;
static bool may_be_poisoned;

static void irq(void *opaque, unsigned int index)
{
	CHECK(v.isr);
}

static void kick(void *opaque, unsigned int index, unsigned int queue)
{
	CHECK(queue < FBK_VIRTIO_QUEUES && v.ops->queue_max(v.dev, queue));
	kicked |= 1u << queue;
}

static void poisoned(void *opaque, struct fbk_gpa gpa)
{
	CHECK(may_be_poisoned);
	CHECK(gpa.addr >= FBK_RAM_BASE && gpa.addr < FBK_RAM_BASE + ram_len);
}

static const struct fbk_virtio_host host = { irq, kick, poisoned, &gmem, NULL };

/* Each input's: a device as at power-on, in memory of zeros. */
static void fuzz_open(size_t len, const struct fbk_virtio_ops *ops, void *dev)
{
	if (!ram)
		ram = fuzz_ram_open(&gmem, len);
	ram_len = len;
	memset(ram, 0, len);
	memset(&v, 0, sizeof(v));
	kicked = 0;
	fbk_virtio_init(&v, 0, ops, dev, &host);
}

static void put(uint32_t offset, uint64_t val, unsigned int width)
{
	for (unsigned int i = 0; i < width; i++)
		ram[(offset + i) % ram_len] = val >> (8 * i);
}

/* What the I/O thread does. Rings that a device writes into can keep it busy for ever. */
static void serve(void)
{
	for (int turns = 0; kicked && turns < 8; turns++) {
		unsigned int queue = __builtin_ctz(kicked);

		kicked &= ~(1u << queue);
		fbk_virtio_notify(&v, queue);
	}
}

static void write4(uint64_t reg, uint32_t val)
{
	fbk_virtio_write(&v, reg, 4, val);
	serve();
}

static void set_queue(unsigned int queue, uint32_t num, uint64_t desc)
{
	write4(0x30, queue);
	write4(0x38, num);
	write4(0x80, FBK_RAM_BASE + desc);
	write4(0x84, 0);
	write4(0x90, FBK_RAM_BASE + desc + 0x1000);
	write4(0x94, 0);
	write4(0xa0, FBK_RAM_BASE + desc + 0x2000);
	write4(0xa4, 0);
	write4(0x44, 1);
}

/* What a decent driver does up to its queues. @features: the low half. */
static void negotiate(uint32_t features)
{
	write4(0x70, 0);
	write4(0x70, 3);
	write4(0x24, 0);
	write4(0x20, features);
	write4(0x24, 1);
	write4(0x20, 1);
	write4(0x70, 11);
}

/* All that a decent driver does, so that the input need not spell it out. */
static inline void fuzz_start(unsigned int nr_queues, uint32_t num, uint32_t features)
{
	negotiate(features);
	for (unsigned int q = 0; q < nr_queues; q++)
		set_queue(q, num, FUZZ_DESC(q));
	write4(0x70, 15);
}

/* One more available, and told. */
static inline void make_available(unsigned int queue, uint16_t head)
{
	uint32_t avail = FUZZ_AVAIL(queue), num = v.queue[queue].num ? v.queue[queue].num : 1;
	uint32_t idx = ram[avail + 2] | ram[avail + 3] << 8;

	put(avail + 4 + 2 * (idx % num), head, 2);
	put(avail + 2, idx + 1, 2);
	write4(0x50, queue);
}

/* A descriptor in RAM, the rest of it as the input says. */
static inline void any_descriptor(struct fuzz *f, uint32_t at)
{
	put(at, FBK_RAM_BASE + fuzz_take(f, 2), 8);
	put(at + 8, fuzz_take(f, 2), 4);
	put(at + 12, fuzz_take(f, 1), 2);
	put(at + 14, fuzz_take(f, 1), 2);
}

/* One step of a driver of two queues, by its number. Return: false: it is none of these. */
static inline bool driver_step(struct fuzz *f, unsigned int number)
{
	uint64_t a;

	switch (number) {
	case 0:
		a = fuzz_take(f, 2) % 0x110;
		write4(a, fuzz_take(f, 4));
		return true;
	case 2: /* a descriptor in RAM */
		a = 16 * (fuzz_take(f, 1) % 128);
		any_descriptor(f, a + FUZZ_DESC(fuzz_take(f, 1) % 3));
		return true;
	case 3: /* anything */
		a = fuzz_take(f, 2);
		put(a, fuzz_take(f, 8), 8);
		return true;
	case 4: /* one more available */
		a = fuzz_take(f, 1) % 2;
		make_available(a, fuzz_take(f, 1));
		return true;
	}
	return false;
}

#endif
