/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* aio.c - see aio.h */
#include "aio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

int64_t fbk_aio_now(const struct fbk_aio_op *op)
{
	const uint64_t range[2] = { op->offset, op->len };
	ssize_t r = -1;

	do {
		switch (op->kind) {
		case FBK_AIO_READ:
			r = preadv(op->fd, op->iov, op->nr_iov, op->offset);
			break;
		case FBK_AIO_WRITE:
			r = pwritev(op->fd, op->iov, op->nr_iov, op->offset);
			break;
		case FBK_AIO_SYNC:
			r = fdatasync(op->fd);
			break;
		case FBK_AIO_FALLOCATE:
			r = fallocate(op->fd, op->mode, op->offset, op->len);
			break;
		case FBK_AIO_DISCARD:
			r = ioctl(op->fd, BLKDISCARD, range);
			break;
		}
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

static int64_t sync_start(struct fbk_aio *aio, struct fbk_aio_op *op)
{
	return fbk_aio_now(op);
}

static void sync_flush(struct fbk_aio *aio)
{
}

struct fbk_aio fbk_aio_sync = { sync_start, sync_flush };
