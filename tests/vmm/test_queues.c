/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_queues.c - devices with several queues, requests that are answered later, and notifications that are not needed.
 */
#include "test.h"

#include "driver.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define F_EVENT_IDX (1u << 29)
#define NEEDS_RESET 0x40
#define GPA(offset) (FBK_RAM_BASE + (offset))

/* The second queue's rings. */
enum { DESC1 = 0x8000, AVAIL1 = 0x9000, USED1 = 0xa000 };
/* Behind the rings [VIRTIO 2.7.6, 2.7.8]. */
#define USED_EVENT (DRV_AVAIL + 4 + 2 * DRV_NUM)
#define AVAIL_EVENT (DRV_USED + 4 + 8 * DRV_NUM)

/* Takes what it can hold, and answers when the test says so. */
#define SLOTS 4

static struct {
	struct fbk_virtq_chain chain[SLOTS];
	unsigned int queue[SLOTS], nr;
	int notified;
} slow;

static struct driver d;

static uint32_t slow_queue_max(void *dev, unsigned int queue)
{
	static const uint32_t max[] = { 64, 8, 16 };

	return queue < ARRAY_SIZE(max) ? max[queue] : 0;
}

static uint8_t slow_config(void *dev, uint32_t offset)
{
	return 0;
}

static void slow_notify(void *dev, struct fbk_virtio *v, unsigned int queue)
{
	slow.notified++;
	while (slow.nr < SLOTS && fbk_virtio_pop(v, queue, &slow.chain[slow.nr]))
		slow.queue[slow.nr++] = queue;
}

static const struct fbk_virtio_ops slow_ops = {
	.device_id = 42,
	.threaded = true,
	.queue_max = slow_queue_max,
	.config = slow_config,
	.notify = slow_notify,
};

static void answer(unsigned int slot, int64_t len)
{
	fbk_virtio_push(&d.dev, slow.queue[slot], &slow.chain[slot], len);
	fbk_virtio_interrupt(&d.dev, slow.queue[slot]);
}

static int setup(void **state)
{
	memset(&slow, 0, sizeof(slow));
	driver_open(&d, &slow_ops, NULL);
	for (unsigned int i = 0; i < DRV_NUM; i++) {
		driver_desc(&d, DRV_DESC, i, GPA(DRV_DATA), 16, DRV_WRITE, 0);
		driver_desc(&d, DESC1, i, GPA(DRV_DATA), 16, DRV_WRITE, 0);
	}
	return 0;
}

static int teardown(void **state)
{
	driver_close(&d);
	return 0;
}

static uint32_t used_head(unsigned int i)
{
	return test_ram_get(&d.ram, DRV_USED + 4 + 8 * i, 4);
}

static void each_queue_has_its_size(void **state)
{
	static const uint32_t max[] = { 64, 8, 16, 0, 0, 0, 0, 0, 0 };

	for (uint32_t i = 0; i < ARRAY_SIZE(max); i++) {
		driver_write(&d, 0x30, i);
		assert_int_equal(driver_read(&d, 0x34), max[i]);
		assert_int_equal(driver_read(&d, 0x44), i == 0);
	}
	/* 16 would do for the third one. */
	driver_write(&d, 0x70, 0);
	driver_write(&d, 0x30, 1);
	driver_write(&d, 0x38, 16);
	driver_write(&d, 0x80, GPA(DESC1));
	driver_write(&d, 0x90, GPA(AVAIL1));
	driver_write(&d, 0xa0, GPA(USED1));
	driver_write(&d, 0x44, 1);
	assert_int_equal(driver_read(&d, 0x44), 0);
	assert_int_equal(driver_read(&d, 0x70) & NEEDS_RESET, NEEDS_RESET);
}

static void queues_are_apart(void **state)
{
	driver_set_queue(&d, 1, DESC1, AVAIL1, USED1);
	test_ram_put(&d.ram, AVAIL1 + 4, 5, 2);
	test_ram_put(&d.ram, AVAIL1 + 2, 1, 2);
	driver_write(&d, 0x50, 0); /* not this one */
	assert_int_equal(slow.nr, 0);
	driver_write(&d, 0x50, 2); /* not ready */
	driver_write(&d, 0x50, 3); /* not there */
	assert_int_equal(slow.notified, 2);
	driver_write(&d, 0x50, 1);
	assert_int_equal(slow.nr, 1);
	assert_int_equal(slow.chain[0].head, 5);
	answer(0, 7);
	assert_int_equal(test_ram_get(&d.ram, USED1 + 2, 2), 1);
	assert_int_equal(test_ram_get(&d.ram, USED1 + 4, 4), 5);
	assert_int_equal(test_ram_get(&d.ram, USED1 + 8, 4), 7);
	assert_int_equal(driver_used(&d), 0);
	assert_int_equal(d.irqs, 1);
}

/* One that is broken is closed, and no other. */
static void a_broken_queue_is_alone(void **state)
{
	driver_set_queue(&d, 1, DESC1, AVAIL1, USED1);
	test_ram_put(&d.ram, DRV_AVAIL + 2, DRV_NUM + 1, 2);
	driver_write(&d, 0x50, 0);
	assert_int_equal(driver_read(&d, 0x70), 15 | NEEDS_RESET);
	assert_int_equal(slow.nr, 0);
	test_ram_put(&d.ram, AVAIL1 + 2, 1, 2);
	driver_write(&d, 0x50, 1);
	assert_int_equal(slow.nr, 1);
	answer(0, 7);
	assert_int_equal(test_ram_get(&d.ram, USED1 + 2, 2), 1);
	test_ram_put(&d.ram, DRV_AVAIL + 2, 1, 2);
	driver_write(&d, 0x50, 0);
	assert_int_equal(slow.nr, 1);
}

static void answers_come_later_and_in_any_order(void **state)
{
	for (uint16_t i = 0; i < 3; i++)
		driver_kick(&d, i);
	assert_int_equal(slow.nr, 3);
	assert_int_equal(fbk_virtio_in_flight(&d.dev), 3);
	assert_int_equal(driver_used(&d), 0);
	assert_int_equal(d.irqs, 0);
	answer(2, 1);
	answer(0, 2);
	assert_int_equal(driver_used(&d), 2);
	assert_int_equal(used_head(0), 2);
	assert_int_equal(used_head(1), 0);
	assert_int_equal(d.irqs, 2);
	assert_int_equal(fbk_virtio_in_flight(&d.dev), 1);
	answer(1, 3);
	assert_int_equal(fbk_virtio_in_flight(&d.dev), 0);
}

/* One that cannot be answered closes the device; the others come back without a trace in the rings. */
static void one_breaks_while_others_are_out(void **state)
{
	for (uint16_t i = 0; i < 3; i++)
		driver_kick(&d, i);
	answer(1, -EBADMSG);
	assert_int_equal(driver_read(&d, 0x70) & NEEDS_RESET, NEEDS_RESET);
	assert_int_equal(d.irqs, 1);
	answer(0, 1);
	answer(2, 1);
	assert_int_equal(driver_used(&d), 0);
	assert_int_equal(d.irqs, 1);
	assert_int_equal(fbk_virtio_in_flight(&d.dev), 0);
	driver_kick(&d, 3);
	assert_int_equal(slow.nr, 3);
}

/* The I/O thread's part, a moment later than the driver can bear. */
static atomic_bool answered;

static void *late(void *arg)
{
	usleep(50000);
	atomic_store(&answered, true);
	answer(0, 1);
	return NULL;
}

static void no_reset_before_the_last_answer(uint64_t reg)
{
	pthread_t thread;

	atomic_store(&answered, false);
	driver_kick(&d, 0);
	assert_int_equal(slow.nr, 1);
	assert_int_equal(pthread_create(&thread, NULL, late, NULL), 0);
	driver_write(&d, 0x30, 0);
	fbk_virtio_write(&d.dev, reg, 4, 0);
	assert_true(atomic_load(&answered));
	assert_int_equal(fbk_virtio_in_flight(&d.dev), 0);
	assert_int_equal(driver_read(&d, 0x44), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void a_reset_waits(void **state)
{
	no_reset_before_the_last_answer(0x70);
	assert_int_equal(driver_read(&d, 0x70), 0);
	assert_int_equal(driver_read(&d, 0x60), 0);
}

static void a_queue_that_is_closed_waits(void **state)
{
	no_reset_before_the_last_answer(0x44);
	/* The driver has taken its ring back: nothing was written there. */
	assert_int_equal(driver_used(&d), 0);
}

/* --- EVENT_IDX ---------------------------------------------------------------------------------------------------- */

static void interrupts_are_at_the_event(void **state)
{
	driver_start(&d, F_EVENT_IDX);
	driver_write(&d, 0x14, 0);
	assert_int_equal(driver_read(&d, 0x10) & F_EVENT_IDX, F_EVENT_IDX);
	test_ram_put(&d.ram, DRV_AVAIL, 1, 2); /* the flag means nothing now */
	test_ram_put(&d.ram, USED_EVENT, 1, 2);
	for (uint16_t i = 0; i < 3; i++)
		driver_kick(&d, i);
	answer(0, 0);
	assert_int_equal(d.irqs, 0); /* used 1: the driver waits for the second */
	answer(1, 0);
	assert_int_equal(d.irqs, 1);
	answer(2, 0);
	assert_int_equal(d.irqs, 1);
}

/* Several at once cross the event. */
static void interrupts_look_back(void **state)
{
	driver_start(&d, F_EVENT_IDX);
	test_ram_put(&d.ram, USED_EVENT, 0, 2);
	for (uint16_t i = 0; i < 3; i++)
		driver_kick(&d, i);
	for (unsigned int i = 0; i < 3; i++)
		fbk_virtio_push(&d.dev, 0, &slow.chain[i], 0);
	fbk_virtio_interrupt(&d.dev, 0);
	assert_int_equal(d.irqs, 1);
	fbk_virtio_interrupt(&d.dev, 0);
	assert_int_equal(d.irqs, 1);
}

/* The device says from where on it wants to be notified: behind the last that it saw, and only when it has seen all. */
static void notifications_are_asked_for(void **state)
{
	driver_start(&d, F_EVENT_IDX);
	test_ram_put(&d.ram, AVAIL_EVENT, 0xffff, 2);
	driver_kick(&d, 0);
	assert_int_equal(test_ram_get(&d.ram, AVAIL_EVENT, 2), 1);
	for (uint16_t i = 1; i < 6; i++)
		driver_add(&d, i);
	driver_write(&d, 0x50, 0);
	assert_int_equal(slow.nr, SLOTS); /* full: it will look again by itself */
	assert_int_equal(test_ram_get(&d.ram, AVAIL_EVENT, 2), 1);
	for (unsigned int i = 0; i < SLOTS; i++)
		answer(i, 0);
	slow.nr = 0;
	fbk_virtio_notify(&d.dev, 0);
	assert_int_equal(slow.nr, 2);
	assert_int_equal(test_ram_get(&d.ram, AVAIL_EVENT, 2), 6);
}

static void no_event_without_the_feature(void **state)
{
	test_ram_put(&d.ram, AVAIL_EVENT, 0xeeee, 2);
	driver_kick(&d, 0);
	assert_int_equal(test_ram_get(&d.ram, AVAIL_EVENT, 2), 0xeeee);
}

/* The two fields must lie in RAM as well, and a bad page under them is told. */
static void events_lie_in_the_rings(void **state)
{
	/* The available ring ends where RAM does. */
	const uint64_t avail = TEST_RAM_LEN - 4 - 2 * DRV_NUM;

	driver_start(&d, F_EVENT_IDX);
	driver_set_queue(&d, 1, DESC1, avail, USED1);
	assert_int_equal(driver_read(&d, 0x44), 0);
	driver_start(&d, 0);
	driver_set_queue(&d, 1, DESC1, avail, USED1);
	assert_int_equal(driver_read(&d, 0x44), 1);
}

static void poison_under_the_event(void **state)
{
	/* The used ring ends a page, its event field begins the next. */
	d.avail_idx = 0;
	driver_write(&d, 0x70, 0);
	driver_write(&d, 0x24, 1);
	driver_write(&d, 0x20, 1);
	driver_write(&d, 0x24, 0);
	driver_write(&d, 0x20, F_EVENT_IDX);
	driver_write(&d, 0x70, 11);
	driver_set_queue(&d, 0, DRV_DESC, DRV_AVAIL, 0xf000 - 4 - 8 * DRV_NUM);
	driver_write(&d, 0x70, 15);
	assert_int_equal(driver_read(&d, 0x44), 1);
	test_ram_cut(&d.ram, 0xf000);
	driver_kick(&d, 0);
	assert_int_equal(slow.nr, 1);
	assert_int_equal(d.nr_poisoned, 1);
	assert_int_equal(d.poisoned.addr, GPA(0xf000));
	assert_int_equal(driver_read(&d, 0x70) & NEEDS_RESET, NEEDS_RESET);
	answer(0, 1);
}

/* --- fbk_virtio_serve() ------------------------------------------------------------------------------------------- */

static struct fbk_virtq_chain one;
static unsigned int requests;

static uint32_t eager_queue_max(void *dev, unsigned int queue)
{
	return queue == 0 ? DRV_NUM : 0;
}

/* A driver that adds a request for each that is served. */
static int64_t eager_request(void *dev, struct fbk_virtio *v, const struct fbk_virtq_chain *c)
{
	requests++;
	driver_add(&d, c->head);
	return 0;
}

static void eager_notify(void *dev, struct fbk_virtio *v, unsigned int queue)
{
	fbk_virtio_serve(v, queue, &one, eager_request);
}

/* It has the thread for one ring's worth, and the thread comes back unasked. */
static void an_eager_driver_waits_its_turn(void **state)
{
	static const struct fbk_virtio_ops ops = {
		.device_id = 42, .threaded = true, .queue_max = eager_queue_max, .config = slow_config, .notify = eager_notify,
	};

	driver_close(&d);
	requests = 0;
	driver_open(&d, &ops, NULL);
	driver_desc(&d, DRV_DESC, 0, GPA(DRV_DATA), 16, DRV_WRITE, 0);
	driver_add(&d, 0);
	fbk_virtio_notify(&d.dev, 0);
	assert_int_equal(requests, DRV_NUM);
	assert_int_equal(d.irqs, 1);
	assert_int_equal(d.kicked, 1);
	fbk_virtio_notify(&d.dev, 0);
	assert_int_equal(requests, 2 * DRV_NUM);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CASE(each_queue_has_its_size),
		CASE(queues_are_apart),
		CASE(a_broken_queue_is_alone),
		CASE(answers_come_later_and_in_any_order),
		CASE(one_breaks_while_others_are_out),
		CASE(a_reset_waits),
		CASE(a_queue_that_is_closed_waits),
		CASE(interrupts_are_at_the_event),
		CASE(interrupts_look_back),
		CASE(notifications_are_asked_for),
		CASE(no_event_without_the_feature),
		CASE(events_lie_in_the_rings),
		CASE(poison_under_the_event),
		CASE(an_eager_driver_waits_its_turn),
	};

	return cmocka_run_group_tests_name("vmm-queues", tests, NULL, NULL);
}
