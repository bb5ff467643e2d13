/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* driver.c - see driver.h */
#include "driver.h"

#include <string.h>

static void irq(void *opaque, unsigned int index)
{
	struct driver *d = opaque;

	d->irqs++;
}

static void kick(void *opaque, unsigned int index, unsigned int queue)
{
	struct driver *d = opaque;

	d->kicked |= 1u << queue;
}

static void poisoned(void *opaque, struct fbk_gpa gpa)
{
	struct driver *d = opaque;

	d->nr_poisoned++;
	d->poisoned = gpa;
}

uint32_t driver_read(struct driver *d, uint64_t reg)
{
	return fbk_virtio_read(&d->dev, reg, 4);
}

void driver_write(struct driver *d, uint64_t reg, uint32_t val)
{
	fbk_virtio_write(&d->dev, reg, 4, val);
	while (d->kicked) {
		unsigned int queue = __builtin_ctz(d->kicked);

		d->kicked &= ~(1u << queue);
		fbk_virtio_notify(&d->dev, queue);
	}
}

void driver_open(struct driver *d, const struct fbk_virtio_ops *ops, void *dev)
{
	memset(d, 0, sizeof(*d));
	test_ram_open(&d->ram);
	d->host = (struct fbk_virtio_host){ irq, kick, poisoned, &d->ram.gmem, d };
	fbk_virtio_init(&d->dev, 0, ops, dev, &d->host);
	driver_start(d, 0);
}

void driver_set_queue(struct driver *d, uint32_t queue, uint64_t desc, uint64_t avail, uint64_t used)
{
	driver_write(d, 0x30, queue);
	driver_write(d, 0x38, DRV_NUM);
	driver_write(d, 0x80, FBK_RAM_BASE + desc);
	driver_write(d, 0x90, FBK_RAM_BASE + avail);
	driver_write(d, 0xa0, FBK_RAM_BASE + used);
	driver_write(d, 0x44, 1);
}

void driver_start(struct driver *d, uint32_t features)
{
	driver_write(d, 0x70, 0);
	driver_write(d, 0x70, 1);
	driver_write(d, 0x70, 3);
	driver_write(d, 0x24, 1);
	driver_write(d, 0x20, 1); /* VERSION_1 */
	driver_write(d, 0x24, 0);
	driver_write(d, 0x20, 1u << 28 | features); /* indirect descriptors */
	driver_write(d, 0x70, 11);
	driver_set_queue(d, 0, DRV_DESC, DRV_AVAIL, DRV_USED);
	driver_write(d, 0x70, 15);
}

void driver_start_two(struct driver *d, uint32_t features)
{
	driver_start(d, features);
	driver_set_queue(d, 1, DRV_DESC1, DRV_AVAIL1, DRV_USED1);
	d->avail_idx = 0;
	d->avail_idx1 = 0;
	memset(d->ram.at, 0, TEST_RAM_LEN);
}

void driver_close(struct driver *d)
{
	test_ram_close(&d->ram);
}

void driver_desc(struct driver *d, uint64_t table, unsigned int i, uint64_t gpa, uint32_t len, uint16_t flags, uint16_t next)
{
	test_ram_put(&d->ram, table + 16 * i, gpa, 8);
	test_ram_put(&d->ram, table + 16 * i + 8, len, 4);
	test_ram_put(&d->ram, table + 16 * i + 12, flags, 2);
	test_ram_put(&d->ram, table + 16 * i + 14, next, 2);
}

void driver_add(struct driver *d, uint16_t head)
{
	test_ram_put(&d->ram, DRV_AVAIL + 4 + 2 * (d->avail_idx % DRV_NUM), head, 2);
	d->avail_idx++;
	test_ram_put(&d->ram, DRV_AVAIL + 2, d->avail_idx, 2);
}

void driver_kick(struct driver *d, uint16_t head)
{
	driver_add(d, head);
	driver_write(d, 0x50, 0);
}

void driver_kick1(struct driver *d, uint16_t head)
{
	test_ram_put(&d->ram, DRV_AVAIL1 + 4 + 2 * (d->avail_idx1 % DRV_NUM), head, 2);
	d->avail_idx1++;
	test_ram_put(&d->ram, DRV_AVAIL1 + 2, d->avail_idx1, 2);
	driver_write(d, 0x50, 1);
}

uint16_t driver_used(const struct driver *d)
{
	return test_ram_get(&d->ram, DRV_USED + 2, 2);
}

uint16_t driver_used1(const struct driver *d)
{
	return test_ram_get(&d->ram, DRV_USED1 + 2, 2);
}

uint32_t driver_used_len(const struct driver *d)
{
	return test_ram_get(&d->ram, DRV_USED + 4 + 8 * ((driver_used(d) - 1) % DRV_NUM) + 4, 4);
}
