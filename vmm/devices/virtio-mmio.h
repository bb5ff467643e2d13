/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * virtio-mmio.h - the register frame of one virtio device (version 2), whatever the device.
 */
#ifndef FBK_VMM_VIRTIO_MMIO_H
#define FBK_VMM_VIRTIO_MMIO_H

#include "virtqueue.h"

#include <pthread.h>

struct fbk_virtio;

/* The device behind the frame: one queue, because no device here has more. */
struct fbk_virtio_ops {
	uint32_t device_id;
	uint64_t features; /* beside FBK_VIRTIO_F_VERSION_1 and indirect descriptors */
	/* One byte of configuration space; bytes behind its end are zero. */
	uint8_t (*config)(void *dev, uint32_t offset);
	/*
	 * Carry out one request. Return: bytes written into its writable segments, or a negative errno as of
	 * fbk_virtq_pop() for a request that cannot even be answered.
	 */
	int64_t (*request)(void *dev, struct fbk_virtio *v, const struct fbk_virtq_chain *c);
};

/* What the frame needs of the monitor. */
struct fbk_virtio_host {
	void (*irq)(void *opaque, unsigned int index, bool level);
	void (*poisoned)(void *opaque, struct fbk_gpa gpa); /* a copy stopped at or just before this address */
	const struct fbk_gmem *gmem;
	void *opaque;
};

struct fbk_virtio {
	pthread_mutex_t lock;
	unsigned int index;
	const struct fbk_virtio_ops *ops;
	const struct fbk_virtio_host *host;
	void *dev;
	uint64_t driver_features;
	uint32_t device_features_sel, driver_features_sel, queue_sel;
	uint32_t status, isr;
	bool level;
	struct fbk_virtq queue;
	struct fbk_virtq_chain chain; /* of the request that is being served */
};

void fbk_virtio_init(struct fbk_virtio *v, unsigned int index, const struct fbk_virtio_ops *ops, void *dev,
		     const struct fbk_virtio_host *host);
void fbk_virtio_reset(struct fbk_virtio *v); /* as at power-on */

/* Register accesses at any offset and width below 8; any thread. What is not there reads as zero. */
uint64_t fbk_virtio_read(struct fbk_virtio *v, uint64_t offset, uint32_t len);
void fbk_virtio_write(struct fbk_virtio *v, uint64_t offset, uint32_t len, uint64_t val);

#endif
