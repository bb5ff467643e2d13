/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* uring.c - see uring.h. [io_uring(7)] */
#include "uring.h"

#include <errno.h>
#include <poll.h>

#define RETRY_NS 1000000

static struct fbk_uring *of_aio(struct fbk_aio *aio)
{
	return (struct fbk_uring *)aio;
}

static void reap(struct fbk_uring *u)
{
	struct io_uring_cqe *cqe;

	while (!io_uring_peek_cqe(&u->ring, &cqe)) {
		struct fbk_aio_op *op = io_uring_cqe_get_data(cqe);
		int64_t ret = cqe->res;

		/* Before the operation is started anew. */
		io_uring_cqe_seen(&u->ring, cqe);
		op->done(op, ret);
	}
}

static int64_t start(struct fbk_aio *aio, struct fbk_aio_op *op)
{
	struct io_uring_sqe *sqe;

	if (op->kind == FBK_AIO_DISCARD)
		return fbk_aio_now(op); /* io_uring has it from Linux 6.12 on only */
	sqe = io_uring_get_sqe(&of_aio(aio)->ring);
	if (!sqe)
		return -EAGAIN; /* more than @entries */
	switch (op->kind) {
	case FBK_AIO_READ:
		io_uring_prep_readv(sqe, op->fd, op->iov, op->nr_iov, op->offset);
		break;
	case FBK_AIO_WRITE:
		io_uring_prep_writev(sqe, op->fd, op->iov, op->nr_iov, op->offset);
		break;
	case FBK_AIO_SYNC:
		io_uring_prep_fsync(sqe, op->fd, IORING_FSYNC_DATASYNC);
		break;
	case FBK_AIO_FALLOCATE:
		io_uring_prep_fallocate(sqe, op->fd, op->mode, op->offset, op->len);
		break;
	case FBK_AIO_DISCARD:
		break;
	}
	io_uring_sqe_set_data(sqe, op);
	return FBK_AIO_LATER;
}

/* What could be answered at once is: a read from the page cache does not wait for another turn. */
static void flush(struct fbk_aio *aio)
{
	struct fbk_uring *u = of_aio(aio);

	while (io_uring_sq_ready(&u->ring)) {
		int r = io_uring_submit(&u->ring);

		reap(u);
		if (r < 0 && r != -EINTR) {
			u->retry.at_ns = fbk_loop_now() + RETRY_NS; /* the kernel is out of memory */
			break;
		}
	}
}

static void on_answered(void *opaque, short revents)
{
	struct fbk_uring *u = opaque;

	reap(u);
	flush(&u->aio); /* what the answers have started */
}

static void on_retry(void *opaque)
{
	flush(opaque);
}

int fbk_uring_open(struct fbk_uring *u, unsigned int entries, struct fbk_loop *loop)
{
	int r;

	*u = (struct fbk_uring){ .aio = { start, flush } };
	/* Answers wait until the thread enters the kernel, which it does soon enough: no interrupt for the sake of one. */
	r = io_uring_queue_init(entries, &u->ring, IORING_SETUP_COOP_TASKRUN);
	if (r == -EINVAL)
		r = io_uring_queue_init(entries, &u->ring, 0);
	if (r < 0)
		return r;
	u->answered = (struct fbk_loop_watch){ u->ring.ring_fd, POLLIN, on_answered, u };
	u->retry = (struct fbk_loop_timer){ FBK_LOOP_NEVER, on_retry, &u->aio };
	r = fbk_loop_watch(loop, &u->answered);
	if (!r)
		r = fbk_loop_timer(loop, &u->retry);
	if (r < 0)
		io_uring_queue_exit(&u->ring);
	return r;
}

void fbk_uring_close(struct fbk_uring *u)
{
	io_uring_queue_exit(&u->ring);
}
