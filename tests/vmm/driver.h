/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * driver.h - a virtio driver for tests: rings at fixed places, one request at a time, as broken as the test wants.
 */
#ifndef FBK_TESTS_DRIVER_H
#define FBK_TESTS_DRIVER_H

#include "guest_memory.h"
#include "virtio-mmio.h"

/* Offsets in RAM. */
enum {
	DRV_DESC = 0x0000,
	DRV_AVAIL = 0x1000,
	DRV_USED = 0x2000,
	DRV_TABLE = 0x3000, /* an indirect table */
	DRV_DATA = 0x4000,
	/* Of queue 1, where a device has one. */
	DRV_DESC1 = 0x8000,
	DRV_AVAIL1 = 0x9000,
	DRV_USED1 = 0xa000,
};

enum { DRV_NEXT = 1, DRV_WRITE = 2, DRV_INDIRECT = 4 };

#define DRV_NUM 8

struct driver {
	struct test_ram ram;
	struct fbk_virtio dev;
	struct fbk_virtio_host host;
	int irqs, nr_poisoned;
	struct fbk_gpa poisoned; /* the latest */
	uint32_t kicked;	 /* queues that the I/O thread has to look at; a test is that thread, too */
	uint16_t avail_idx, avail_idx1;
};

void driver_open(struct driver *d, const struct fbk_virtio_ops *ops, void *dev); /* up to DRIVER_OK */
/* The same on an open device, after a reset, with more of the features' low word; its memory stays as it is. */
void driver_start(struct driver *d, uint32_t features);
/* After this, both queues of a device that has two, and memory of zeros. */
void driver_start_two(struct driver *d, uint32_t features);
void driver_set_queue(struct driver *d, uint32_t queue, uint64_t desc, uint64_t avail, uint64_t used);
void driver_close(struct driver *d);

uint32_t driver_read(struct driver *d, uint64_t reg);
void driver_write(struct driver *d, uint64_t reg, uint32_t val);

/* Write descriptor @i of the table at @table. */
void driver_desc(struct driver *d, uint64_t table, unsigned int i, uint64_t gpa, uint32_t len, uint16_t flags,
		 uint16_t next);
void driver_add(struct driver *d, uint16_t head);  /* make @head available on queue 0 */
void driver_kick(struct driver *d, uint16_t head); /* and notify */
void driver_kick1(struct driver *d, uint16_t head); /* likewise on queue 1 */
uint16_t driver_used(const struct driver *d);
uint16_t driver_used1(const struct driver *d);
uint32_t driver_used_len(const struct driver *d); /* of the latest */

#endif
