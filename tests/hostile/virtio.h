/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * virtio.h - a driver's half of virtio over MMIO, for good and for bad. [VIRTIO 2.7, 4.2]
 */
#ifndef FBK_HOSTILE_VIRTIO_H
#define FBK_HOSTILE_VIRTIO_H

#include "hostile.h"

enum {
	V_MAGIC = 0x000,
	V_DEVICE_ID = 0x008,
	V_DEVICE_FEATURES = 0x010,
	V_DEVICE_FEATURES_SEL = 0x014,
	V_DRIVER_FEATURES = 0x020,
	V_DRIVER_FEATURES_SEL = 0x024,
	V_QUEUE_SEL = 0x030,
	V_QUEUE_NUM_MAX = 0x034,
	V_QUEUE_NUM = 0x038,
	V_QUEUE_READY = 0x044,
	V_QUEUE_NOTIFY = 0x050,
	V_INTERRUPT_STATUS = 0x060,
	V_INTERRUPT_ACK = 0x064,
	V_STATUS = 0x070,
	V_QUEUE_DESC = 0x080,
	V_QUEUE_DRIVER = 0x090,
	V_QUEUE_DEVICE = 0x0a0,
	V_CONFIG = 0x100,
};
enum { S_ACKNOWLEDGE = 1, S_DRIVER = 2, S_DRIVER_OK = 4, S_FEATURES_OK = 8, S_NEEDS_RESET = 64 };
enum { ID_NET = 1, ID_BLOCK = 2, ID_CONSOLE = 3, ID_RNG = 4 };

#define F_INDIRECT (UINT64_C(1) << 28)
#define F_EVENT_IDX (UINT64_C(1) << 29)
#define F_VERSION_1 (UINT64_C(1) << 32)

/* virtio.c: how often a device has answered garbage, and how often it has given up on its driver. */
extern uint64_t virtio_answered, virtio_broken;

#define MAX_DEVICES 12
#define MAX_QUEUES 8
#define QUEUE_NUM 128

struct device {
	unsigned int index;
	uint64_t base;
	uint32_t id;
	unsigned int queues;
};

/* Where the rings of a queue lie, and its indirect table. */
struct rings {
	uint64_t desc, avail, used, indirect;
};

enum { D_NEXT = 1, D_WRITE = 2, D_INDIRECT = 4 };

/* --- virtio-driver.c ------------------------------------------------------------------------------------------------ */

/* All that are there, by the magic in their first register. Return: how many. */
unsigned int devices_find(struct device ret[MAX_DEVICES]);
struct rings rings_of(const struct device *d, unsigned int queue);

uint32_t reg_read(const struct device *d, unsigned int reg);
void reg_write(const struct device *d, unsigned int reg, uint32_t val);
void reg_write64(const struct device *d, unsigned int reg, uint64_t val);

void driver_reset(const struct device *d);
uint64_t driver_offered(const struct device *d);
/* Return: did the device take these features? */
bool driver_negotiate(const struct device *d, uint64_t features);
void driver_queue(const struct device *d, unsigned int queue, uint64_t num, const struct rings *r);

/* All of a device's queues, empty, with rings of zeros; those of queue @which lie @elsewhere, unless that is NULL. */
void driver_start(const struct device *d, unsigned int queues, unsigned int which, const struct rings *elsewhere);
/* Does it do what it is there for? It starts with rings of its own. */
bool driver_works(const struct device *d);
/* On a console whose queues have just been started: typed() gives what comes there. */
void console_listen(const struct device *d);

void descriptor(uint64_t table, unsigned int index, uint64_t gpa, uint32_t len, uint16_t flags, uint16_t next);
/* A disk's request for a sector that no attack reaches, in three descriptors from the @first on. [VIRTIO 5.2.6] */
void block_read(const struct rings *r, uint16_t first, uint64_t header, uint64_t data, uint64_t status);
/* Did it come, as the host has written it? */
bool block_was_read(uint64_t data, uint64_t status);
/* A packet that somebody will answer, made available. [RFC 826] */
void net_ask(const struct rings *out, uint16_t index, uint64_t packet);
void make_available(const struct rings *r, unsigned int num, uint16_t head);

static inline uint16_t get16(uint64_t gpa)
{
	return *(volatile uint16_t *)gpa;
}

static inline void put16(uint64_t gpa, uint16_t v)
{
	*(volatile uint16_t *)gpa = v;
}

/* --- virtio-chains.c: what is put into queues ------------------------------------------------------------------------- */

/* Fills the tables and makes some of it available. */
void garbage_queue(struct garbage *g, const struct device *d, unsigned int queue, unsigned int num);
/* On a queue that a device is reading. */
void garbage_scribble(struct garbage *g, const struct device *d, unsigned int queue);

#endif
