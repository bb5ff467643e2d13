/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * virtio-mmio.h - the register frame of one virtio device (version 2) and its queues, whatever the device.
 */
#ifndef FBK_VMM_VIRTIO_MMIO_H
#define FBK_VMM_VIRTIO_MMIO_H

#include "virtqueue.h"

#include <pthread.h>
#include <stdbool.h>

struct fbk_virtio;

#define FBK_VIRTIO_QUEUES 8    /* of one device, at most */
#define FBK_VIRTIO_NOTIFY 0x050 /* offset of the register that takes the number of a queue */

/* The device behind the frame. No lock of the frame is held in these, but for @config, which must not call back. */
struct fbk_virtio_ops {
	uint32_t device_id;
	/*
	 * true: notifications go to the I/O thread, and the guest's vCPU runs on meanwhile. false: @notify is called by the vCPU
	 * that notifies, so it must neither wait nor take long; there is no EVENT_IDX then.
	 */
	bool threaded;
	/* Beside VERSION_1, INDIRECT_DESC and EVENT_IDX. NULL: none. */
	uint64_t (*features)(void *dev);
	/* The largest size of a queue, a power of two up to FBK_VIRTQ_MAX; 0: there is no such queue. */
	uint32_t (*queue_max)(void *dev, unsigned int queue);
	/* One byte of configuration space; bytes behind its end are zero. */
	uint8_t (*config)(void *dev, uint32_t offset);
	/*
	 * The driver has added to @queue, or may have. Never called twice at once for one device. What is taken from the queue
	 * here may be given back later, by any thread.
	 */
	void (*notify)(void *dev, struct fbk_virtio *v, unsigned int queue);
	/*
	 * The driver has taken @queue away, by a reset or that one alone, and nothing of it is in flight. With the frame's lock
	 * held, as @config is called. NULL: the device remembers nothing of a queue.
	 */
	void (*forget)(void *dev, unsigned int queue);
};

/* What the frame needs of the monitor. */
struct fbk_virtio_host {
	void (*irq)(void *opaque, unsigned int index); /* an edge; called with the frame's lock held */
	/* Have fbk_virtio_notify() called on the I/O thread. Any thread. NULL: no device is threaded */
	void (*kick)(void *opaque, unsigned int index, unsigned int queue);
	void (*poisoned)(void *opaque, struct fbk_gpa gpa); /* a copy stopped at or just before this address */
	const struct fbk_gmem *gmem;
	void *opaque;
};

/*
 * Threads: every vCPU accesses the registers, while the I/O thread serves queues. @lock guards all that can change, and is held
 * for register accesses, for taking a chain from a ring and for giving one back: never while a device works or a report of
 * poison is made. @serving is held around ops->notify alone, and taken first. A reset (by the driver, or of a queue) takes no
 * more chains, waits on @idle until those that were taken have come back, and only then forgets the rings: once the driver
 * sees it done, nothing touches its memory any more. So a chain must come back in bounded time: a device that waits for the
 * outside world (a packet, a key) takes one when it has something to put into it.
 */
struct fbk_virtio {
	pthread_mutex_t serving, lock;
	pthread_cond_t idle; /* a queue's in_flight became 0 */
	unsigned int index;
	const struct fbk_virtio_ops *ops;
	const struct fbk_virtio_host *host;
	void *dev;
	uint64_t driver_features;
	uint32_t device_features_sel, driver_features_sel, queue_sel;
	uint32_t status, isr;
	unsigned int resetting; /* vCPUs that wait for a reset's end */
	struct fbk_virtq queue[FBK_VIRTIO_QUEUES];
	uint32_t in_flight[FBK_VIRTIO_QUEUES]; /* chains taken and not yet given back */
};

void fbk_virtio_init(struct fbk_virtio *v, unsigned int index, const struct fbk_virtio_ops *ops, void *dev,
		     const struct fbk_virtio_host *host);
void fbk_virtio_reset(struct fbk_virtio *v); /* as at power-on; waits for what is in flight */

/* What the driver has set up, for people to look at. */
struct fbk_virtio_view {
	uint32_t device_id, status;
	struct {
		uint32_t num, in_flight; /* num 0: nothing was set up */
		bool ready;
		struct fbk_gpa desc, avail, used;
	} queue[FBK_VIRTIO_QUEUES];
};
void fbk_virtio_look(struct fbk_virtio *v, struct fbk_virtio_view *ret); /* any thread */

/* Register accesses at any offset and width below 8; any thread. What is not there reads as zero. */
uint64_t fbk_virtio_read(struct fbk_virtio *v, uint64_t offset, uint32_t len);
void fbk_virtio_write(struct fbk_virtio *v, uint64_t offset, uint32_t len, uint64_t val);

/* --- for the thread that serves devices --------------------------------------------------------------------------- */

void fbk_virtio_notify(struct fbk_virtio *v, unsigned int queue); /* what @kick asked for, now */
uint32_t fbk_virtio_in_flight(struct fbk_virtio *v);		  /* chains of all queues; any thread */

/* --- for devices; any thread, without the lock -------------------------------------------------------------------- */

/*
 * Take the next chain of a queue into the device's storage. Return: false: there is none, or none can be had any more: what is
 * wrong was told, to the guest and, if it is poison, to the host.
 */
bool fbk_virtio_pop(struct fbk_virtio *v, unsigned int queue, struct fbk_virtq_chain *ret);

/*
 * Give a chain back with @len bytes written into its writable segments, or with a negative errno as of fbk_virtq_pop() if it
 * cannot even be answered: the device then needs a reset. Once for each chain, whatever has become of the queue.
 */
void fbk_virtio_push(struct fbk_virtio *v, unsigned int queue, const struct fbk_virtq_chain *c, int64_t len);

/*
 * The latest @nr chains that were taken of a queue are not needed: they are available again, as if never taken. For a device that
 * finds only then that there are not enough of them.
 */
void fbk_virtio_put_back(struct fbk_virtio *v, unsigned int queue, unsigned int nr);

/* What the driver has negotiated; 0: there is none that runs (VERSION_1 is part of every other answer). */
uint64_t fbk_virtio_driver_features(struct fbk_virtio *v);

/* After one push or several: interrupt the driver if it wants that. */
void fbk_virtio_interrupt(struct fbk_virtio *v, unsigned int queue);

/*
 * For ops->notify of a device that carries a request out at once: at most a ring's worth of them, so that a driver which adds
 * requests as fast as they are served keeps neither a vCPU nor the I/O thread for itself. @c: storage for one chain.
 */
void fbk_virtio_serve(struct fbk_virtio *v, unsigned int queue, struct fbk_virtq_chain *c,
		      int64_t (*request)(void *dev, struct fbk_virtio *v, const struct fbk_virtq_chain *c));

#endif
