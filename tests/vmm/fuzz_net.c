/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_net.c - a hostile driver of a network card, and a hostile network: any rings, any packets in any order, a backend that takes
 * guest memory itself or copies, and answers at once.
 */
#include "fuzz_driver.h"

#include "virtio-net.h"

#define RAM_LEN 0x10000
static struct fbk_virtio_net net;
static bool echo;

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

static void step(struct fuzz *f)
{
	static uint8_t frame[FBK_NET_FRAME_MAX];
	uint8_t header[FBK_NET_HEADER_LEN] = { 0 };
	unsigned int number = fuzz_take(f, 1) % 7;
	uint64_t a;

	if (driver_step(f, number))
		return;
	switch (number) {
	case 1:
		a = fuzz_take(f, 1);
		fuzz_start(2, 1u << a % 8, (a & 0x80 ? 1u << 29 : 0) | (a & 0x40 ? 1u << 15 : 0) | (a & 0x20 ? 1u << 11 | 3 : 0) | 1u << 28);
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

	net.backend = &wire;
	net.v = &v;
	net.features = 0;
	net.backlog_from = 0;
	net.backlog_to = 0;
	wire.from_guest = false;
	echo = false;
	fuzz_open(RAM_LEN, &fbk_virtio_net_ops, &net);
	while (f.len) {
		step(&f);
		/* Whatever has come: nothing is held that a reset would wait for. */
		CHECK(!fbk_virtio_in_flight(&v));
		CHECK(net.backlog_from <= net.backlog_to && net.backlog_to <= sizeof(net.backlog));
		CHECK(net.nr_parts <= FBK_VIRTQ_MAX && net.nr_segs <= 2 * FBK_VIRTQ_MAX);
	}
	return 0;
}
