/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_virtio.c - the register frame and the rings, driven well and badly.
 */
#include "test.h"

#include "driver.h"
#include "virtio-rng.h"

#define NEEDS_RESET 0x40
#define GPA(offset) (FBK_RAM_BASE + (offset))

static struct driver d;
static struct fbk_virtio_rng rng;

static int setup(void **state)
{
	driver_open(&d, &fbk_virtio_rng_ops, &rng);
	return 0;
}

static int teardown(void **state)
{
	driver_close(&d);
	return 0;
}

static void identity(void **state)
{
	assert_int_equal(driver_read(&d, 0), 0x74726976);
	assert_int_equal(driver_read(&d, 4), 2);
	assert_int_equal(driver_read(&d, 8), 4);
	assert_int_equal(driver_read(&d, 0x70), 15);
	assert_int_equal(driver_read(&d, 0x44), 1);
}

static void a_request(void **state)
{
	uint8_t zero[64] = { 0 };

	driver_desc(&d, DRV_DESC, 3, GPA(DRV_DATA), 64, DRV_WRITE, 0);
	driver_kick(&d, 3);
	assert_int_equal(driver_used(&d), 1);
	assert_int_equal(test_ram_get(&d.ram, DRV_USED + 4, 4), 3);
	assert_int_equal(driver_used_len(&d), 64);
	assert_memory_not_equal(d.ram.at + DRV_DATA, zero, 64);
	assert_memory_equal(d.ram.at + DRV_DATA + 64, zero, 64);
	assert_int_equal(d.irqs, 1);
	assert_int_equal(driver_read(&d, 0x60), 1);
	/* One more before the driver acknowledges is one more edge. */
	driver_kick(&d, 3);
	assert_int_equal(d.irqs, 2);
	driver_write(&d, 0x64, 1);
	assert_int_equal(driver_read(&d, 0x60), 0);
	assert_int_equal(d.irqs, 2);
}

static void no_interrupt_when_none_is_wanted(void **state)
{
	test_ram_put(&d.ram, DRV_AVAIL, 1, 2);
	driver_desc(&d, DRV_DESC, 0, GPA(DRV_DATA), 64, DRV_WRITE, 0);
	driver_kick(&d, 0);
	assert_int_equal(driver_used(&d), 1);
	assert_int_equal(d.irqs, 0);
	assert_int_equal(driver_read(&d, 0x60), 0);
}

static void indirect_chain(void **state)
{
	driver_desc(&d, DRV_TABLE, 0, GPA(DRV_DATA), 16, DRV_WRITE | DRV_NEXT, 2);
	driver_desc(&d, DRV_TABLE, 2, GPA(DRV_DATA + 0x100), 16, DRV_WRITE, 0);
	driver_desc(&d, DRV_DESC, 0, GPA(DRV_TABLE), 48, DRV_INDIRECT, 0);
	driver_kick(&d, 0);
	assert_int_equal(driver_used_len(&d), 32);
}

/* Many requests, so that all indices wrap. */
static void indices_wrap(void **state)
{
	driver_desc(&d, DRV_DESC, 0, GPA(DRV_DATA), 1, DRV_WRITE, 0);
	for (unsigned int i = 0; i < 0x10010; i++)
		driver_kick(&d, 0);
	assert_int_equal(driver_used(&d), 0x10);
	assert_int_equal(driver_read(&d, 0x70), 15);
}

/* Each row breaks one rule; the device must ask for a reset, take no more requests, and work again after one. */
static void broken_rings(void **state)
{
	static const struct {
		const char *what;
		uint64_t gpa;
		uint32_t len;
		uint16_t flags, next, head;
	} rows[] = {
		{ "head out of range", GPA(DRV_DATA), 16, DRV_WRITE, 0, DRV_NUM },
		{ "head far out of range", GPA(DRV_DATA), 16, DRV_WRITE, 0, 0xffff },
		{ "next out of range", GPA(DRV_DATA), 16, DRV_WRITE | DRV_NEXT, DRV_NUM, 0 },
		{ "next is itself", GPA(DRV_DATA), 16, DRV_WRITE | DRV_NEXT, 0, 0 },
		{ "data outside RAM", 0x1000, 16, DRV_WRITE, 0, 0 },
		{ "data across RAM's end", GPA(TEST_RAM_LEN - 8), 16, DRV_WRITE, 0, 0 },
		{ "data wraps", UINT64_MAX - 8, 16, DRV_WRITE, 0, 0 },
		{ "indirect with next", GPA(DRV_TABLE), 16, DRV_INDIRECT | DRV_NEXT, 1, 0 },
		{ "indirect of odd length", GPA(DRV_TABLE), 17, DRV_INDIRECT, 0, 0 },
		{ "indirect of no length", GPA(DRV_TABLE), 0, DRV_INDIRECT, 0, 0 },
		{ "indirect too long", GPA(DRV_TABLE), 129 * 16, DRV_INDIRECT, 0, 0 },
		{ "indirect outside RAM", 0x1000, 16, DRV_INDIRECT, 0, 0 },
		{ "indirect in indirect", GPA(DRV_TABLE + 16), 16, DRV_INDIRECT, 0, 0 },
	};

	driver_close(&d);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t status;

		driver_open(&d, &fbk_virtio_rng_ops, &rng);
		driver_desc(&d, DRV_TABLE, 1, GPA(DRV_TABLE), 16, DRV_INDIRECT, 0);
		driver_desc(&d, DRV_DESC, 0, rows[i].gpa, rows[i].len, rows[i].flags, rows[i].next);
		driver_kick(&d, rows[i].head);
		status = driver_read(&d, 0x70);
		if (!(status & NEEDS_RESET) || driver_used(&d) != 0 || !(driver_read(&d, 0x60) & 2) || d.irqs != 1)
			fail_msg("%s: status 0x%x, used %u", rows[i].what, status, driver_used(&d));
		driver_desc(&d, DRV_DESC, 0, GPA(DRV_DATA), 16, DRV_WRITE, 0);
		driver_kick(&d, 0);
		assert_int_equal(driver_used(&d), 0);
		driver_write(&d, 0x70, 0);
		assert_int_equal(driver_read(&d, 0x70), 0);
		assert_int_equal(driver_read(&d, 0x60), 0);
		driver_close(&d);
	}
	driver_open(&d, &fbk_virtio_rng_ops, &rng);
}

static void more_available_than_the_ring_holds(void **state)
{
	d.avail_idx = DRV_NUM;
	driver_desc(&d, DRV_DESC, 0, GPA(DRV_DATA), 16, DRV_WRITE, 0);
	driver_kick(&d, 0);
	assert_int_equal(driver_read(&d, 0x70) & NEEDS_RESET, NEEDS_RESET);
}

/* Readable behind writable, and a chain longer than any queue through an indirect table. */
static void wrong_order(void **state)
{
	driver_desc(&d, DRV_DESC, 0, GPA(DRV_DATA), 16, DRV_WRITE | DRV_NEXT, 1);
	driver_desc(&d, DRV_DESC, 1, GPA(DRV_DATA), 16, 0, 0);
	driver_kick(&d, 0);
	assert_int_equal(driver_read(&d, 0x70) & NEEDS_RESET, NEEDS_RESET);
}

static void bad_queue_set_up(void **state)
{
	static const struct {
		uint32_t num;
		uint64_t desc, avail, used;
	} rows[] = {
		{ 0, GPA(0), GPA(0x1000), GPA(0x2000) },
		{ 3, GPA(0), GPA(0x1000), GPA(0x2000) },
		{ 256, GPA(0), GPA(0x1000), GPA(0x2000) },
		{ UINT32_MAX, GPA(0), GPA(0x1000), GPA(0x2000) },
		{ 8, GPA(8), GPA(0x1000), GPA(0x2000) },
		{ 8, GPA(0), GPA(0x1001), GPA(0x2000) },
		{ 8, GPA(0), GPA(0x1000), GPA(0x2002) },
		{ 8, 0, GPA(0x1000), GPA(0x2000) },
		{ 8, GPA(TEST_RAM_LEN - 16), GPA(0x1000), GPA(0x2000) },
		{ 8, UINT64_MAX - 15, GPA(0x1000), GPA(0x2000) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		driver_write(&d, 0x70, 0);
		driver_write(&d, 0x38, rows[i].num);
		driver_write(&d, 0x80, rows[i].desc);
		driver_write(&d, 0x84, rows[i].desc >> 32);
		driver_write(&d, 0x90, rows[i].avail);
		driver_write(&d, 0x94, rows[i].avail >> 32);
		driver_write(&d, 0xa0, rows[i].used);
		driver_write(&d, 0xa4, rows[i].used >> 32);
		driver_write(&d, 0x44, 1);
		assert_int_equal(driver_read(&d, 0x44), 0);
		driver_write(&d, 0x50, 0);
	}
}

static void other_queues_do_not_exist(void **state)
{
	static const uint32_t sel[] = { 1, 2, 0x80000000, UINT32_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(sel); i++) {
		driver_write(&d, 0x30, sel[i]);
		assert_int_equal(driver_read(&d, 0x34), 0);
		assert_int_equal(driver_read(&d, 0x44), 0);
		driver_write(&d, 0x38, 4);
		driver_write(&d, 0x44, 0);
		driver_write(&d, 0x50, sel[i]);
	}
	driver_write(&d, 0x30, 0);
	assert_int_equal(driver_read(&d, 0x44), 1);
	assert_int_equal(d.dev.queue[0].num, DRV_NUM);
}

static void features_are_negotiated(void **state)
{
	driver_write(&d, 0x70, 0);
	driver_write(&d, 0x14, 1);
	assert_int_equal(driver_read(&d, 0x10), 1);
	driver_write(&d, 0x14, 2);
	assert_int_equal(driver_read(&d, 0x10), 0);
	/* One that was not offered. */
	driver_write(&d, 0x24, 1);
	driver_write(&d, 0x20, 3);
	driver_write(&d, 0x70, 11);
	assert_int_equal(driver_read(&d, 0x70) & 8, 0);
	/* A driver from before version 1. */
	driver_write(&d, 0x70, 0);
	driver_write(&d, 0x70, 11);
	assert_int_equal(driver_read(&d, 0x70) & 8, 0);
}

static void odd_accesses(void **state)
{
	assert_int_equal(fbk_virtio_read(&d.dev, 0, 1), 0);
	assert_int_equal(fbk_virtio_read(&d.dev, 2, 4), 0);
	assert_int_equal(fbk_virtio_read(&d.dev, 0xfffc, 4), 0);
	assert_int_equal(fbk_virtio_read(&d.dev, 0x1ff, 8), 0);
	fbk_virtio_write(&d.dev, 0x70, 1, 0);
	fbk_virtio_write(&d.dev, 0x70, 8, 0);
	assert_int_equal(driver_read(&d, 0x70), 15);
}

/* The rings' own pages go bad: told, and a reset asked for. */
static void poisoned_ring(void **state)
{
	driver_desc(&d, DRV_DESC, 0, GPA(DRV_DATA), 16, DRV_WRITE, 0);
	test_ram_cut(&d.ram, 0);
	driver_write(&d, 0x50, 0);
	assert_int_equal(d.nr_poisoned, 1);
	assert_int_equal(d.poisoned.addr, GPA(DRV_AVAIL));
	assert_int_equal(driver_read(&d, 0x70) & NEEDS_RESET, NEEDS_RESET);
}

static void poisoned_data(void **state)
{
	driver_desc(&d, DRV_DESC, 0, GPA(DRV_DATA - 16), 64, DRV_WRITE, 0);
	test_ram_cut(&d.ram, DRV_DATA);
	driver_kick(&d, 0);
	assert_int_equal(d.nr_poisoned, 1);
	assert_in_range(d.poisoned.addr, GPA(DRV_DATA - 16), GPA(DRV_DATA));
	assert_int_equal(driver_used(&d), 1);
	assert_in_range(driver_used_len(&d), 0, 16);
	assert_int_equal(driver_read(&d, 0x70), 15);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CASE(identity),
		CASE(a_request),
		CASE(no_interrupt_when_none_is_wanted),
		CASE(indirect_chain),
		CASE(indices_wrap),
		CASE(broken_rings),
		CASE(more_available_than_the_ring_holds),
		CASE(wrong_order),
		CASE(bad_queue_set_up),
		CASE(other_queues_do_not_exist),
		CASE(features_are_negotiated),
		CASE(odd_accesses),
		CASE(poisoned_ring),
		CASE(poisoned_data),
	};

	return cmocka_run_group_tests_name("vmm-virtio", tests, NULL, NULL);
}
