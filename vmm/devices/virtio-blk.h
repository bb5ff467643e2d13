/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * virtio-blk.h - a disk on a raw image file or a block device.
 *
 * All of it but the opening runs on the thread that serves the queues, which is also where operations are answered.
 */
#ifndef FBK_VMM_VIRTIO_BLK_H
#define FBK_VMM_VIRTIO_BLK_H

#include "aio.h"
#include "virtio-mmio.h"

#define FBK_BLK_IN_FLIGHT 64 /* requests of one disk at a time; the others wait in their rings */
#define FBK_BLK_RANGES 16    /* of one discard or write-zeroes request, at most */

struct fbk_virtio_blk;

/* One request, from the ring to its answer. */
struct fbk_blk_request {
	struct fbk_aio_op op; /* first: the one that is under way */
	struct fbk_virtio_blk *blk;
	unsigned int queue;
	uint32_t type;
	uint64_t at, len, done; /* of a transfer, in bytes */
	struct {
		uint64_t at, len;
		bool unmap;
	} range[FBK_BLK_RANGES];
	unsigned int nr_ranges, next_range;
	struct iovec iov[FBK_VIRTQ_MAX];
	struct fbk_virtq_chain chain;
};

struct fbk_virtio_blk {
	int fd;
	uint64_t sectors; /* of 512 bytes */
	bool read_only;
	bool block_device;
	uint32_t block_len; /* what the guest is to read and write in: a block device's own sector, else 512 bytes */
	bool can_discard, can_zero;
	bool no_zero_range; /* the file system has refused it once */
	unsigned int nr_queues;
	char id[20]; /* what the guest sees as the serial number; not terminated when full */
	struct fbk_aio *aio;
	struct fbk_virtio *v; /* whose queues are being served */
	uint64_t busy;	      /* a bit for each request in use */
	uint32_t waiting;     /* queues that have found no free request */
	bool noticing;	      /* in notify: interrupts are collected */
	uint32_t answered;    /* those queues */
	struct fbk_blk_request request[FBK_BLK_IN_FLIGHT];
};

/*
 * Open the image; a file that may only be read makes a read-only disk. @aio is used from the first notification on.
 * Errors: negative errno; -EINVAL not a regular file or block device, or smaller than a sector; -EBUSY somebody else has it open to write
 *         it, or this one is to write what somebody else reads, and has locked.
 */
int fbk_virtio_blk_open(struct fbk_virtio_blk *b, const char *path, bool read_only, unsigned int nr_queues,
			unsigned int index, struct fbk_aio *aio);

extern const struct fbk_virtio_ops fbk_virtio_blk_ops; /* its device is a struct fbk_virtio_blk */

#endif
