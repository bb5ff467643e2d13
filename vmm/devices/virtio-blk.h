/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * virtio-blk.h - a disk on a raw image file.
 */
#ifndef FBK_VMM_VIRTIO_BLK_H
#define FBK_VMM_VIRTIO_BLK_H

#include "virtio-mmio.h"

struct fbk_virtio_blk {
	int fd;
	uint64_t sectors; /* of 512 bytes */
	bool read_only;
	char id[20]; /* what the guest sees as the serial number; not terminated when full */
	struct fbk_virtq_chain chain; /* of the request that is being served */
};

/*
 * Open the image; a file that may only be read makes a read-only disk.
 * Errors: negative errno; -EINVAL not a regular file or block device, or smaller than a sector.
 */
int fbk_virtio_blk_open(struct fbk_virtio_blk *b, const char *path, bool read_only, unsigned int index);

extern const struct fbk_virtio_ops fbk_virtio_blk_ops; /* its device is a struct fbk_virtio_blk */

#endif
