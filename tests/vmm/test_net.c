/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_net.c - the network card: packets both ways, good and bad, and pages that go bad under them.
 */
#include "test.h"

#include "driver.h"
#include "virtio-net.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GPA(offset) (FBK_RAM_BASE + (offset))
#define MERGE (1u << 15)
#define HEADER FBK_NET_HEADER_LEN
#define PACKET DRV_DATA
#define BUFFER 0x6000

static struct driver d;
static struct fbk_virtio_net net;

/* The wire: keeps the latest packet. */
static struct {
	struct fbk_net_backend backend;
	uint8_t packet[HEADER + FBK_NET_FRAME_MAX];
	size_t len;
	unsigned int sent, faults, resumed;
	uint64_t features;
	int pipe[2]; /* guest memory is touched by a system call, as a real one does */
	bool echo;
} wire;

static bool wire_send(void *opaque, const struct iovec *iov, int nr)
{
	ssize_t len = 0;

	for (int i = 0; i < nr; i++) {
		ssize_t n;

		if (writev(wire.pipe[1], iov + i, 1) != (ssize_t)iov[i].iov_len) {
			wire.faults++;
			return false;
		}
		n = read(wire.pipe[0], wire.packet + len, iov[i].iov_len);
		assert_int_equal(n, iov[i].iov_len);
		len += n;
	}
	wire.len = len;
	wire.sent++;
	if (wire.echo)
		fbk_net_deliver(&net, NULL, wire.packet + HEADER, wire.len - HEADER);
	return true;
}

static void wire_negotiated(void *opaque, uint64_t features)
{
	wire.features = features;
}

static void wire_resume(void *opaque)
{
	wire.resumed++;
}

static int setup(void **state)
{
	memset(&net, 0, sizeof(net));
	memset(&wire, 0, sizeof(wire));
	assert_int_equal(pipe(wire.pipe), 0);
	wire.backend = (struct fbk_net_backend){ FBK_NET_F_CSUM | FBK_NET_F_HOST_TSO4 | FBK_NET_F_GUEST_CSUM, 1500, wire_send, false,
						 wire_negotiated, wire_resume, NULL };
	net.backend = &wire.backend;
	net.v = &d.dev;
	memcpy(net.mac, "\x52\x54\0\1\2\3", 6);
	driver_open(&d, &fbk_virtio_net_ops, &net);
	driver_start_two(&d, MERGE);
	return 0;
}

static int teardown(void **state)
{
	driver_close(&d);
	close(wire.pipe[0]);
	close(wire.pipe[1]);
	return 0;
}

/* One packet of the guest's in a header and a frame. Return: was it given back? */
static bool send_packet(uint64_t gpa, uint32_t len)
{
	uint16_t before = driver_used1(&d);

	driver_desc(&d, DRV_DESC1, 0, GPA(PACKET), HEADER, DRV_NEXT, 1);
	driver_desc(&d, DRV_DESC1, 1, gpa, len, 0, 0);
	driver_kick1(&d, 0);
	return driver_used1(&d) == (uint16_t)(before + 1);
}

/* A buffer for what comes, in descriptor @i. */
static void give(unsigned int i, uint64_t gpa, uint32_t len)
{
	driver_desc(&d, DRV_DESC, i, gpa, len, DRV_WRITE, 0);
	driver_kick(&d, i);
}

static uint32_t used_len(unsigned int i)
{
	return test_ram_get(&d.ram, DRV_USED + 4 + 8 * i + 4, 4);
}

static uint8_t frame[FBK_NET_FRAME_MAX + 1];

static bool deliver(size_t len)
{
	bool taken;

	memset(frame, 0x5a, sizeof(frame));
	frame[len - 1] = 0xa5;
	taken = fbk_net_deliver(&net, NULL, frame, len);
	fbk_net_delivered(&net);
	return taken;
}

static void configuration(void **state)
{
	assert_int_equal(driver_read(&d, 8), 1);
	assert_int_equal(driver_read(&d, 0x100), 0x01005452);
	assert_int_equal(driver_read(&d, 0x104), 0x00010302);
	assert_int_equal(fbk_virtio_read(&d.dev, 0x10a, 2), 1500);
	driver_write(&d, 0x14, 0);
	assert_int_equal(driver_read(&d, 0x10) & 0x1ffff, 1 << 16 | 1 << 15 | 1 << 11 | 1 << 5 | 1 << 3 | 3);
	assert_int_equal(wire.features, 0);
	driver_write(&d, 0x50, 1);
	assert_int_equal(wire.features & 0xffff, MERGE);
}

static void sends(void **state)
{
	memset(d.ram.at + BUFFER, 0x77, 1514);
	for (int from_guest = 0; from_guest < 2; from_guest++) {
		wire.backend.from_guest = from_guest;
		assert_true(send_packet(GPA(BUFFER), 1514));
		assert_int_equal(wire.len, HEADER + 1514);
		assert_int_equal(wire.packet[HEADER + 1513], 0x77);
	}
	assert_int_equal(net.count.sent, 2);
	assert_int_equal(test_ram_get(&d.ram, DRV_USED1 + 8, 4), 0);
}

/* Each is dropped, counted and given back, and the next one goes. */
static void bad_packets(void **state)
{
	for (int from_guest = 0; from_guest < 2; from_guest++) {
		wire.backend.from_guest = from_guest;
		assert_true(send_packet(GPA(BUFFER), 13));
		assert_true(send_packet(GPA(BUFFER), FBK_NET_FRAME_MAX + 1));
		assert_true(send_packet(GPA(BUFFER), UINT32_MAX));
		assert_true(send_packet(0x1000, 100));
		assert_true(send_packet(GPA(TEST_RAM_LEN - 50), 100));
		assert_true(send_packet(UINT64_MAX - 50, 100));
		/* What was not negotiated. */
		test_ram_put(&d.ram, PACKET, 1, 1);
		assert_true(send_packet(GPA(BUFFER), 100));
		test_ram_put(&d.ram, PACKET, 0, 1);
		test_ram_put(&d.ram, PACKET + 1, 1, 1);
		assert_true(send_packet(GPA(BUFFER), 100));
		test_ram_put(&d.ram, PACKET + 1, 0, 1);
		assert_true(send_packet(GPA(BUFFER), 100));
	}
	assert_int_equal(wire.sent, 2);
	assert_int_equal(net.count.sent, 2);
	assert_int_equal(net.count.send_dropped, 16);
	assert_int_equal(driver_read(&d, 0x70), 15);
	assert_int_equal(d.nr_poisoned, 0);
}

static void what_was_negotiated(void **state)
{
	driver_start_two(&d, MERGE | 1 | 1 << 11);
	test_ram_put(&d.ram, PACKET, 1, 1);
	test_ram_put(&d.ram, PACKET + 1, 1, 1);
	send_packet(GPA(BUFFER), 4000);
	assert_int_equal(wire.sent, 1);
	assert_int_equal(wire.packet[1], 1);
	assert_int_equal(wire.features & 0xffff, MERGE | 1 | 1 << 11);
}

static void receives(void **state)
{
	give(0, GPA(BUFFER), 1600);
	assert_true(deliver(1514));
	assert_int_equal(driver_used(&d), 1);
	assert_int_equal(used_len(0), HEADER + 1514);
	assert_int_equal(test_ram_get(&d.ram, BUFFER + 10, 2), 1);
	assert_int_equal(d.ram.at[BUFFER + HEADER], 0x5a);
	assert_int_equal(d.ram.at[BUFFER + HEADER + 1513], 0xa5);
	assert_int_equal(d.ram.at[BUFFER + HEADER + 1514], 0);
	assert_int_equal(d.irqs, 1);
}

/* It waits until there are enough buffers, and holds none meanwhile: a reset need not wait for it. */
static void several_buffers(void **state)
{
	give(0, GPA(BUFFER), 600);
	wire.resumed = 0;
	assert_false(deliver(1514));
	assert_int_equal(fbk_virtio_in_flight(&d.dev), 0);
	give(1, GPA(BUFFER + 0x400), 600);
	assert_int_equal(driver_used(&d), 0);
	assert_int_equal(wire.resumed, 0);
	give(2, GPA(BUFFER + 0x800), 600);
	assert_int_equal(driver_used(&d), 3);
	assert_int_equal(wire.resumed, 1);
	assert_int_equal(used_len(0), 600);
	assert_int_equal(used_len(1), 600);
	assert_int_equal(used_len(2), HEADER + 1514 - 1200);
	assert_int_equal(test_ram_get(&d.ram, BUFFER + 10, 2), 3);
	assert_int_equal(d.ram.at[BUFFER + 0x800 + HEADER + 1513 - 1200], 0xa5);
	assert_int_equal(net.count.received, 1);
}

/* A packet that the whole ring cannot hold is dropped, so that the next one comes. */
static void too_large(void **state)
{
	for (unsigned int i = 0; i < DRV_NUM; i++)
		give(i, GPA(BUFFER), 100);
	assert_true(deliver(1514));
	assert_int_equal(net.count.receive_dropped, 1);
	assert_int_equal(driver_used(&d), DRV_NUM);
	assert_int_equal(used_len(0), 0);
	give(0, GPA(BUFFER), 100);
	assert_true(deliver(60));
	assert_int_equal(net.count.received, 1);
	/* Without MRG_RXBUF it has one buffer. */
	driver_start_two(&d, 0);
	give(0, GPA(BUFFER), 600);
	give(1, GPA(BUFFER), 600);
	give(2, GPA(BUFFER), 2000);
	assert_true(deliver(1000));
	assert_int_equal(driver_used(&d), 1);
	assert_int_equal(used_len(0), 0);
	assert_true(deliver(100));
	assert_int_equal(used_len(1), HEADER + 100);
}

static void bad_buffers(void **state)
{
	give(0, 0x1000, 600);
	assert_true(deliver(100));
	give(1, GPA(TEST_RAM_LEN - 50), 600);
	assert_true(deliver(100));
	/* Nothing that may be written. */
	driver_desc(&d, DRV_DESC, 2, GPA(BUFFER), 600, 0, 0);
	driver_kick(&d, 2);
	give(3, GPA(BUFFER), 600);
	assert_true(deliver(100));
	assert_int_equal(driver_used(&d), 4);
	assert_int_equal(net.count.receive_dropped, 2);
	assert_int_equal(net.count.received, 1);
	assert_int_equal(driver_read(&d, 0x70), 15);
}

static void sizes(void **state)
{
	give(0, GPA(BUFFER), 600);
	assert_true(deliver(13));
	assert_true(deliver(FBK_NET_FRAME_MAX + 1));
	assert_int_equal(net.count.receive_dropped, 2);
	assert_int_equal(driver_used(&d), 0);
}

/* What waits is bounded, comes in order, and is nobody's after the driver has gone. */
static void backlog(void **state)
{
	unsigned int kept = FBK_NET_BACKLOG_LEN / (4 + HEADER + 1514);

	for (unsigned int i = 0; i < kept + 3; i++)
		assert_false(deliver(1514));
	assert_int_equal(net.count.receive_dropped, 3);
	for (unsigned int i = 0; i < 2 * DRV_NUM; i++)
		give(i % DRV_NUM, GPA(BUFFER), 1600);
	assert_int_equal(net.count.received, 2 * DRV_NUM);
	for (unsigned int i = 0; i < 2 * DRV_NUM; i++)
		assert_false(deliver(1514));
	assert_int_equal(net.count.receive_dropped, 3);
	driver_write(&d, 0x70, 0);
	assert_true(deliver(1514));
	driver_start_two(&d, MERGE);
	give(0, GPA(BUFFER), 1600);
	assert_int_equal(driver_used(&d), 0);
	assert_true(deliver(100));
	assert_int_equal(driver_used(&d), 1);
}

/* A header that this driver did not agree to. */
static void foreign_headers(void **state)
{
	const uint8_t checksum[HEADER] = { 1 }, segments[HEADER] = { 1, 1 };

	give(0, GPA(BUFFER), 1600);
	assert_true(fbk_net_deliver(&net, checksum, frame, 100));
	assert_int_equal(net.count.receive_dropped, 1);
	driver_start_two(&d, MERGE | 2);
	give(0, GPA(BUFFER), 1600);
	assert_true(fbk_net_deliver(&net, checksum, frame, 100));
	assert_int_equal(net.count.received, 1);
	assert_int_equal(d.ram.at[BUFFER], 1);
	assert_true(fbk_net_deliver(&net, segments, frame, 100));
	assert_int_equal(net.count.receive_dropped, 2);
}

/* A backend that answers while it is given a packet. */
static void answers_at_once(void **state)
{
	wire.echo = true;
	give(3, GPA(BUFFER + 0x800), 1600);
	assert_true(send_packet(GPA(BUFFER), 100));
	assert_int_equal(driver_used(&d), 1);
	assert_int_equal(test_ram_get(&d.ram, DRV_USED + 4, 4), 3);
	assert_int_equal(test_ram_get(&d.ram, DRV_USED1 + 4, 4), 0);
	assert_int_equal(fbk_virtio_in_flight(&d.dev), 0);
}

/* That packet is lost, the page is told, and the card goes on. */
static void poisoned_buffers(void **state)
{
	test_ram_cut(&d.ram, 0xc000);
	for (int from_guest = 0; from_guest < 2; from_guest++) {
		wire.backend.from_guest = from_guest;
		assert_true(send_packet(GPA(0xbf00), 1000));
		assert_int_equal(d.nr_poisoned, 1 + from_guest);
		assert_in_range(d.poisoned.addr, GPA(0xbf00), GPA(0xc000));
		assert_int_equal(wire.faults, from_guest);
	}
	assert_true(send_packet(GPA(BUFFER), 100));
	assert_int_equal(net.count.send_dropped, 2);
	assert_int_equal(net.count.sent, 1);

	give(0, GPA(BUFFER), 600);
	give(1, GPA(0xc000), 600);
	give(2, GPA(BUFFER), 1600);
	assert_true(deliver(1000));
	assert_int_equal(d.nr_poisoned, 3);
	assert_int_equal(d.poisoned.addr, GPA(0xc000));
	assert_int_equal(driver_used(&d), 2);
	assert_int_equal(used_len(0), 0);
	assert_int_equal(used_len(1), 0);
	assert_true(deliver(1000));
	assert_int_equal(used_len(2), HEADER + 1000);
	assert_int_equal(driver_read(&d, 0x70), 15);
}

static void poisoned_ring(void **state)
{
	driver_write(&d, 0x70, 0);
	driver_start(&d, MERGE);
	driver_set_queue(&d, 1, DRV_DESC1, 0xc000, DRV_USED1);
	test_ram_cut(&d.ram, 0xc000);
	driver_write(&d, 0x50, 1);
	assert_int_equal(driver_read(&d, 0x70) & 0x40, 0x40);
	assert_int_equal(d.nr_poisoned, 1);
	/* The other one goes on. */
	give(0, GPA(BUFFER), 1600);
	assert_true(deliver(100));
	assert_int_equal(net.count.received, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CASE(configuration),   CASE(sends),	      CASE(bad_packets),     CASE(what_was_negotiated),
		CASE(receives),	       CASE(several_buffers), CASE(too_large),	     CASE(bad_buffers),
		CASE(sizes),	       CASE(backlog),	      CASE(foreign_headers), CASE(answers_at_once),
		CASE(poisoned_buffers), CASE(poisoned_ring),
	};

	return cmocka_run_group_tests_name("vmm-net", tests, NULL, NULL);
}
