/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_blk.c - requests of a hostile driver to a disk: any header, any segments, any ranges, through sound rings, on a backend that
 * answers late, in any order, with anything that a system call can return.
 *
 * The backend is the judge: nothing that it is asked for may lie outside the disk or outside guest memory, or write to a disk that
 * may only be read. Built with PLANTED_BUG the disk believes itself to be a sector longer than it is, and must be caught at it.
 */
#include "fuzz_driver.h"

#include "virtio-blk.h"

#include <errno.h>
#include <fcntl.h>

#define RAM_LEN 0x20000
#define SECTORS 64
#define QUEUES 2
#define NUM 16
#ifdef PLANTED_BUG
#define TOLD (SECTORS + 1)
#else
#define TOLD SECTORS
#endif

/* Behind the rings: what the requests use. */
#define DATA FUZZ_DESC(QUEUES)

static struct fbk_virtio_blk blk;

/* --- the backend --------------------------------------------------------------------------------------------------- */

static struct fbk_aio_op *under_way[FBK_BLK_IN_FLIGHT];
static unsigned int nr_under_way;

static uint64_t wanted(const struct fbk_aio_op *op)
{
	uint64_t len = 0;

	if (op->kind == FBK_AIO_FALLOCATE || op->kind == FBK_AIO_DISCARD)
		return op->len;
	if (op->kind == FBK_AIO_SYNC)
		return 0;
	CHECK(op->nr_iov && op->nr_iov <= FBK_VIRTQ_MAX);
	for (unsigned int i = 0; i < op->nr_iov; i++) {
		uint8_t *p = op->iov[i].iov_base;

		CHECK(p >= ram && p <= ram + RAM_LEN && op->iov[i].iov_len <= (size_t)(ram + RAM_LEN - p));
		len += op->iov[i].iov_len;
	}
	return len;
}

static int64_t start(struct fbk_aio *aio, struct fbk_aio_op *op)
{
	uint64_t len = wanted(op);

	CHECK(nr_under_way < FBK_BLK_IN_FLIGHT);
	for (unsigned int i = 0; i < nr_under_way; i++)
		CHECK(under_way[i] != op);
	if (op->kind != FBK_AIO_SYNC) {
		CHECK(len && op->offset <= SECTORS * 512 && len <= SECTORS * 512 - op->offset);
		CHECK(op->kind == FBK_AIO_READ || !blk.read_only);
	}
	if (op->kind == FBK_AIO_FALLOCATE) {
		/* Exactly one of them, and the file keeps its length. */
		CHECK(op->mode & FALLOC_FL_KEEP_SIZE);
		CHECK(!(op->mode & FALLOC_FL_PUNCH_HOLE) != !(op->mode & FALLOC_FL_ZERO_RANGE));
	}
	CHECK(op->kind != FBK_AIO_DISCARD || blk.block_device);
	under_way[nr_under_way++] = op;
	return FBK_AIO_LATER;
}

static void flush(struct fbk_aio *aio)
{
}

static struct fbk_aio backend = { start, flush };

static void answer(unsigned int i, unsigned int how, uint32_t part)
{
	static const int errors[] = { -EIO, -EFAULT, -EINTR, -EOPNOTSUPP, -ENOSPC, 0 };
	struct fbk_aio_op *op;
	int64_t ret;

	if (!nr_under_way)
		return;
	i %= nr_under_way--;
	op = under_way[i];
	under_way[i] = under_way[nr_under_way];
	if (op->kind == FBK_AIO_READ || op->kind == FBK_AIO_WRITE)
		ret = wanted(op);
	else
		ret = 0;
	if (how % 8 < 6)
		ret = errors[how % 8];
	else if (how % 8 == 6 && ret)
		ret = 1 + part % ret;
	op->done(op, ret);
}

/* --- the driver ---------------------------------------------------------------------------------------------------- */

/* One request on the stack of the others: its parts lie wherever the input says, also upon each other. */
static void request(struct fuzz *f, unsigned int queue)
{
	static const uint8_t types[] = { 0, 1, 4, 8, 11, 13, 11, 13 };
	unsigned int type = fuzz_take(f, 1), nr = 1 + fuzz_take(f, 1) % 4, avail = FUZZ_AVAIL(queue);
	uint32_t header = DATA + 16 * fuzz_take(f, 1), at = header;
	uint64_t sector = fuzz_take(f, 1), idx = ram[avail + 2] | ram[avail + 3] << 8;

	put(header, type & 0x80 ? type : types[type % 8], 4);
	put(header + 8, sector & 0x80 ? UINT64_MAX - sector : sector, 8);
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int desc = FUZZ_DESC(queue) + 16 * ((idx * 4 + i) % NUM), bits = fuzz_take(f, 1);
		uint32_t len = i == 0 ? 16 : bits & 2 ? 512 * (bits >> 4) : bits & 4 ? 16 * (bits >> 4) : bits >> 4;

		if (i == nr - 1 && (bits & 8))
			len = 1;
		put(desc, FBK_RAM_BASE + at, 8);
		put(desc + 8, len, 4);
		put(desc + 12, (i + 1 < nr ? 1 : 0) | (i && (bits & 1) ? 2 : 0), 2);
		put(desc + 14, (idx * 4 + i + 1) % NUM, 2);
		/* Ranges, if it should be of a kind that has some. */
		for (uint32_t r = 0; (bits & 4) && i && r < len; r += 16) {
			unsigned int what = fuzz_take(f, 1);

			put(at + r, what & 0x80 ? UINT64_MAX - what : what, 8);
			put(at + r + 8, fuzz_take(f, 1), 4);
			put(at + r + 12, fuzz_take(f, 1) % 4, 4);
		}
		at = DATA + 0x1000 + 512 * (fuzz_take(f, 1) % 0xc0);
	}
	make_available(queue, idx * 4 % NUM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	unsigned int kind = fuzz_take(&f, 1), a, b;

	memset(&blk, 0, offsetof(struct fbk_virtio_blk, request));
	nr_under_way = 0;
	blk.fd = -1;
	blk.sectors = TOLD;
	blk.read_only = kind & 1;
	blk.block_device = kind & 2;
	blk.block_len = 512;
	blk.can_discard = !blk.read_only && (kind & 4);
	blk.can_zero = !blk.read_only && (kind & 8);
	blk.nr_queues = QUEUES;
	blk.aio = &backend;
	may_be_poisoned = true; /* a system call may say so of any page */
	fuzz_open(RAM_LEN, &fbk_virtio_blk_ops, &blk);
	fuzz_start(QUEUES, NUM, 0);
	CHECK(fbk_virtio_read(&v, 0x70, 4) == 15);
	while (f.len) {
		a = fuzz_take(&f, 1);
		if (a & 1) {
			b = fuzz_take(&f, 1);
			answer(a >> 1, b, fuzz_take(&f, 1));
		} else {
			request(&f, a >> 1 & 1);
		}
		CHECK(fbk_virtio_in_flight(&v) == nr_under_way);
		CHECK((unsigned int)__builtin_popcountll(blk.busy) == nr_under_way);
		CHECK(!blk.answered);
	}
	/* All that was asked for can be answered, and then nothing is left of it. */
	for (unsigned int i = 0; nr_under_way; i++) {
		CHECK(i < 1000000);
		answer(0, 7, 0);
		write4(0x30, 0);
	}
	CHECK(!blk.busy && !fbk_virtio_in_flight(&v));
	write4(0x70, 0);
	CHECK(!fbk_virtio_read(&v, 0x70, 4));
	return 0;
}
