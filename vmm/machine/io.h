/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * io.h - the I/O thread: serves the queues of the devices that may wait for something, while the vCPUs run on.
 *
 * A guest's notification comes from the kernel (KVM_IOEVENTFD): no vCPU leaves it. Where no device is threaded there is no such
 * thread.
 */
#ifndef FBK_VMM_IO_H
#define FBK_VMM_IO_H

#include "loop.h"
#include "uring.h"
#include "virtio-mmio.h"

#include <pthread.h>

struct fbk_monitor;

#define FBK_IO_QUEUES 64 /* of all devices */

struct fbk_io {
	struct fbk_loop loop;
	struct fbk_uring uring;
	struct fbk_aio *aio; /* what carries out the disks' requests: uring, or the thread itself */
	struct fbk_io_queue {
		struct fbk_virtio *dev;
		unsigned int queue;
		struct fbk_loop_watch kick; /* an eventfd */
	} queue[FBK_IO_QUEUES];
	unsigned int nr_queues; /* 0: no thread */
	pthread_t thread;
	atomic_int state; /* enum fbk_state; changed with the monitor's lock held, as the next two */
	bool started, parked;
};

/* Before the devices are opened. Return: enum fbk_exit, told; 0: done. */
int fbk_io_init(struct fbk_monitor *m);

/* Before any thread runs; all devices and the VM are there. Return: likewise. */
int fbk_io_open(struct fbk_monitor *m);

/* A queue has something for its device. Any thread. */
void fbk_io_kick(struct fbk_monitor *m, unsigned int device, unsigned int queue);

/* The main thread's. While it is parked nothing is in flight, and no device touches guest memory. */
int fbk_io_start(struct fbk_monitor *m); /* the thread, parked. Return: enum fbk_exit, told; 0: done */
void fbk_io_run(struct fbk_monitor *m);
void fbk_io_park(struct fbk_monitor *m); /* the vCPUs are parked; returns when what they have asked for is done */
void fbk_io_leave(struct fbk_monitor *m);

#endif
