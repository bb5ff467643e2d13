/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_net.c - a hostile driver of a network card, and a hostile network: any rings, any packets in any order, a backend that takes
 * guest memory itself or copies, and answers at once.
 *
 * Guest memory lies between guard pages, and none of it is bad: a copy that fails has left it.
 */
#include "fuzz_ram.h"

#include "virtio-net.h"

#include <errno.h>
#include <sys/mman.h>

#define RAM_LEN 0x10000
/* Rings of both queues. */
enum { DESC = 0x0000, AVAIL = 0x1000, USED = 0x2000, QUEUE_STRIDE = 0x3000 };

static uint8_t *ram;
static struct fbk_gmem gmem;
static struct fbk_virtio v;
static struct fbk_virtio_net net;
static uint32_t kicked;
static bool echo;

static void irq(void *opaque, unsigned int index)
{
	CHECK(v.isr);
}

static void kick(void *opaque, unsigned int index, unsigned int queue)
{
	CHECK(queue < 2);
	kicked |= 1u << queue;
}

static void poisoned(void *opaque, struct fbk_gpa gpa)
{
	CHECK(!"a copy left guest memory");
}

static const struct fbk_virtio_host host = { irq, kick, poisoned, &gmem, NULL };

static bool on_wire(void *opaque, const struct iovec *iov, int nr)
{
	static uint8_t packet[FBK_NET_HEADER_LEN + FBK_NET_FRAME_MAX];
	size_t len = 0;

	CHECK(nr >= 2 && nr <= 1 + FBK_VIRTQ_MAX && iov[0].iov_len == FBK_NET_HEADER_LEN);
	for (int i = 0; i < nr; i++) {
		CHECK(iov[i].iov_len <= sizeof(packet) - len);
		memcpy(packet + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	CHECK(len >= FBK_NET_HEADER_LEN + FBK_NET_FRAME_MIN);
	/* What was not agreed to does not get here. */
	CHECK(!(packet[0] & 1) || (v.driver_features & FBK_NET_F_CSUM));
	CHECK((packet[1] & 0x7f) == 0 || ((packet[1] & 0x7f) == 1 && (v.driver_features & FBK_NET_F_HOST_TSO4)));
	if (echo)
		fbk_net_deliver(&net, packet, packet + FBK_NET_HEADER_LEN, len - FBK_NET_HEADER_LEN);
	return true;
}

static struct fbk_net_backend wire = { FBK_NET_F_CSUM | FBK_NET_F_HOST_TSO4 | FBK_NET_F_GUEST_CSUM, 1500, on_wire, false,
				       NULL, NULL, NULL };

static void open_once(void)
{
	if (ram)
		return;
	ram = fuzz_ram_open(&gmem, RAM_LEN);
}

static void write4(uint64_t reg, uint32_t val)
{
	fbk_virtio_write(&v, reg, 4, val);
	/* Rings that a packet is written into can keep the card busy for ever. */
	for (int turns = 0; kicked && turns < 4; turns++) {
		unsigned int queue = __builtin_ctz(kicked);

		kicked &= ~(1u << queue);
		fbk_virtio_notify(&v, queue);
	}
	kicked = 0;
}

/* What a decent driver does. */
static void set_up(uint32_t num, uint32_t features)
{
	write4(0x70, 0);
	write4(0x70, 3);
	write4(0x24, 0);
	write4(0x20, features);
	write4(0x24, 1);
	write4(0x20, 1);
	write4(0x70, 11);
	for (uint32_t q = 0; q < 2; q++) {
		write4(0x30, q);
		write4(0x38, num);
		write4(0x80, FBK_RAM_BASE + QUEUE_STRIDE * q + DESC);
		write4(0x84, 0);
		write4(0x90, FBK_RAM_BASE + QUEUE_STRIDE * q + AVAIL);
		write4(0x94, 0);
		write4(0xa0, FBK_RAM_BASE + QUEUE_STRIDE * q + USED);
		write4(0xa4, 0);
		write4(0x44, 1);
	}
	write4(0x70, 15);
}

static void put(uint32_t offset, uint64_t val, unsigned int width)
{
	for (unsigned int i = 0; i < width; i++)
		ram[(offset + i) % RAM_LEN] = val >> (8 * i);
}

static void step(struct fuzz *f)
{
	static uint8_t frame[FBK_NET_FRAME_MAX];
	uint8_t header[FBK_NET_HEADER_LEN] = { 0 };
	uint64_t a, b, base;

	switch (fuzz_take(f, 1) % 7) {
	case 0:
		a = fuzz_take(f, 2) % 0x110;
		write4(a, fuzz_take(f, 4));
		break;
	case 1:
		a = fuzz_take(f, 1);
		set_up(1u << a % 8, (a & 0x80 ? 1u << 29 : 0) | (a & 0x40 ? 1u << 15 : 0) | (a & 0x20 ? 1u << 11 | 3 : 0) | 1u << 28);
		break;
	case 2: /* a descriptor in RAM */
		a = 16 * (fuzz_take(f, 1) % 128) + QUEUE_STRIDE * (fuzz_take(f, 1) % 3);
		put(a, FBK_RAM_BASE + fuzz_take(f, 2), 8);
		put(a + 8, fuzz_take(f, 2), 4);
		put(a + 12, fuzz_take(f, 1), 2);
		put(a + 14, fuzz_take(f, 1), 2);
		break;
	case 3: /* anything */
		a = fuzz_take(f, 2);
		put(a, fuzz_take(f, 8), 8);
		break;
	case 4: /* one more available */
		base = fuzz_take(f, 1) % 2;
		a = v.queue[base].num ? v.queue[base].num : 1;
		b = ram[QUEUE_STRIDE * base + AVAIL + 2] | ram[QUEUE_STRIDE * base + AVAIL + 3] << 8;
		put(QUEUE_STRIDE * base + AVAIL + 4 + 2 * (b % a), fuzz_take(f, 1), 2);
		put(QUEUE_STRIDE * base + AVAIL + 2, b + 1, 2);
		write4(0x50, base);
		break;
	case 5: /* a packet comes */
		header[0] = fuzz_take(f, 1);
		header[1] = fuzz_take(f, 1);
		fbk_net_deliver(&net, header[0] & 2 ? NULL : header, frame, fuzz_take(f, 2));
		fbk_net_delivered(&net);
		break;
	case 6:
		a = fuzz_take(f, 1);
		wire.from_guest = a & 1;
		echo = a & 2;
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };

	open_once();
	memset(ram, 0, RAM_LEN);
	memset(&v, 0, sizeof(v));
	net.backend = &wire;
	net.v = &v;
	net.features = 0;
	net.backlog_from = 0;
	net.backlog_to = 0;
	wire.from_guest = false;
	echo = false;
	kicked = 0;
	fbk_virtio_init(&v, 0, &fbk_virtio_net_ops, &net, &host);
	while (f.len) {
		step(&f);
		/* Whatever has come: nothing is held that a reset would wait for. */
		CHECK(!fbk_virtio_in_flight(&v));
		CHECK(net.backlog_from <= net.backlog_to && net.backlog_to <= sizeof(net.backlog));
		CHECK(net.nr_parts <= FBK_VIRTQ_MAX && net.nr_segs <= 2 * FBK_VIRTQ_MAX);
	}
	return 0;
}
