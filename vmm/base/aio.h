/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * aio.h - file operations that one thread asks for and that are answered at once or later.
 *
 * Each operation lives in storage of whoever asks for it, from fbk_aio_start() until it is answered; nothing is allocated. What
 * carries them out is behind a table: the calling thread itself (fbk_aio_sync), io_uring (uring.h), or a test.
 */
#ifndef FBK_VMM_AIO_H
#define FBK_VMM_AIO_H

#include <stdint.h>
#include <sys/uio.h>

enum fbk_aio_kind {
	FBK_AIO_READ,	   /* preadv() */
	FBK_AIO_WRITE,	   /* pwritev() */
	FBK_AIO_SYNC,	   /* fdatasync() */
	FBK_AIO_FALLOCATE, /* fallocate() */
	FBK_AIO_DISCARD,   /* ioctl(BLKDISCARD) */
};

struct fbk_aio_op {
	enum fbk_aio_kind kind;
	int fd;
	int mode; /* of fallocate() */
	unsigned int nr_iov;
	const struct iovec *iov;
	uint64_t offset, len; /* @len: of the last two */
	/* For one that is answered later: what the call returned, or a negative errno. On the thread that started it. */
	void (*done)(struct fbk_aio_op *op, int64_t ret);
};

#define FBK_AIO_LATER INT64_MIN

struct fbk_aio {
	/* Return: what the call returned, a negative errno, or FBK_AIO_LATER: @op->done will be called, not from here. */
	int64_t (*start)(struct fbk_aio *aio, struct fbk_aio_op *op);
	/* Some were started: have them carried out. May call @done, of any operation. */
	void (*flush)(struct fbk_aio *aio);
};

static inline int64_t fbk_aio_start(struct fbk_aio *aio, struct fbk_aio_op *op)
{
	return aio->start(aio, op);
}

static inline void fbk_aio_flush(struct fbk_aio *aio)
{
	aio->flush(aio);
}

int64_t fbk_aio_now(const struct fbk_aio_op *op); /* Return: what the call returned, or a negative errno */

extern struct fbk_aio fbk_aio_sync; /* carries each out before fbk_aio_start() returns */

#endif
