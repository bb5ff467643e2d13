/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* virtio-blk.c - see virtio-blk.h. [VIRTIO 5.2] */
#include "virtio-blk.h"
#include "bytes.h"
#include "segments.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SECTOR_SHIFT 9
#define HEADER_LEN 16
#define SEG_MAX (FBK_VIRTQ_MAX - 2) /* header and status take one each */
#define REQUEST_MAX (UINT64_C(256) << 20) /* of a transfer or a range: bounds the time that a reset may have to wait */
#define RANGE_LEN 16
#define BLOCK_MAX 4096 /* drivers refuse a block that is longer than a page of theirs */
#define RANGE_ALIGN 8 /* sectors; what a file system's blocks usually have */

enum { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4, TYPE_GET_ID = 8, TYPE_DISCARD = 11, TYPE_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2, UNDER_WAY = 0x100 };

#define F_SEG_MAX (UINT64_C(1) << 2)
#define F_RO (UINT64_C(1) << 5)
#define F_BLK_SIZE (UINT64_C(1) << 6)
#define F_FLUSH (UINT64_C(1) << 9)
#define F_MQ (UINT64_C(1) << 12)
#define F_DISCARD (UINT64_C(1) << 13)
#define F_WRITE_ZEROES (UINT64_C(1) << 14)

#define RANGE_UNMAP 1

/* --- the image --------------------------------------------------------------------------------------------------- */

/* A number of /sys about a block device's queue, which a partition shares with its disk; 0: there is none. */
static unsigned long long queue_limit(dev_t dev, const char *name)
{
	static const char *const where[] = { "", "../" };
	unsigned long long val = 0;
	char path[96];
	FILE *f;

	for (unsigned int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%squeue/%s", major(dev), minor(dev), where[i], name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fscanf(f, "%llu", &val) != 1)
			val = 0;
		fclose(f);
		break;
	}
	return val;
}

/* What the backing can; a block device always takes zeroes, if need be by writing them. */
static void probe(struct fbk_virtio_blk *b, const struct stat *st)
{
	int len;

	b->block_device = S_ISBLK(st->st_mode);
	b->block_len = 1 << SECTOR_SHIFT;
	if (b->block_device && !ioctl(b->fd, BLKSSZGET, &len) && len > (int)b->block_len)
		b->block_len = len < BLOCK_MAX ? len : BLOCK_MAX;
	if (b->read_only)
		return;
	if (b->block_device) {
		b->can_discard = queue_limit(st->st_rdev, "discard_max_bytes") > 0;
		b->can_zero = true;
		return;
	}
	/* Behind the end, where there is nothing to lose. */
	b->can_discard = !fallocate(b->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, st->st_size, 4096);
	b->can_zero = b->can_discard;
}

/*
 * Those who write a disk have it for themselves; those who read it share it. The lock is the open file's, and so ends with the
 * process; QEMU's are of the same kind. A file system without locks has none. [fcntl(2) "Open file description locks"]
 */
static bool lock(int fd, bool shared)
{
	struct flock whole = { .l_type = shared ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };

	return !fcntl(fd, F_OFD_SETLK, &whole) || (errno != EAGAIN && errno != EACCES);
}

int fbk_virtio_blk_open(struct fbk_virtio_blk *b, const char *path, bool read_only, unsigned int nr_queues,
			unsigned int index, struct fbk_aio *aio)
{
	int fd = -1, set_read_only = 0;
	struct stat st;
	uint64_t len;

	if (!read_only)
		fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && (read_only || errno == EACCES || errno == EROFS || errno == EPERM)) {
		read_only = true;
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		goto failed;
	len = st.st_size;
	if (S_ISBLK(st.st_mode)) {
		/* One that is set read-only opens for writing all the same. */
		if (ioctl(fd, BLKGETSIZE64, &len) || ioctl(fd, BLKROGET, &set_read_only))
			goto failed;
	} else if (!S_ISREG(st.st_mode)) {
		len = 0;
	}
	if (len >> SECTOR_SHIFT == 0) {
		errno = EINVAL;
		goto failed;
	}
	if (!lock(fd, read_only || set_read_only)) {
		errno = EBUSY;
		goto failed;
	}
	b->fd = fd;
	b->sectors = len >> SECTOR_SHIFT;
	b->read_only = read_only || set_read_only;
	b->nr_queues = nr_queues;
	b->aio = aio;
	snprintf(b->id, sizeof(b->id), "firebreak-%u", index);
	probe(b, &st);
	return 0;
failed:
	len = errno;
	close(fd);
	return -(int)len;
}

/* --- what the driver is told of it -------------------------------------------------------------------------------- */

static uint64_t features(void *dev)
{
	const struct fbk_virtio_blk *b = dev;

	return F_SEG_MAX | F_BLK_SIZE | F_FLUSH | (b->read_only ? F_RO : 0) | (b->nr_queues > 1 ? F_MQ : 0) |
	       (b->can_discard ? F_DISCARD : 0) | (b->can_zero ? F_WRITE_ZEROES : 0);
}

static uint32_t queue_max(void *dev, unsigned int queue)
{
	const struct fbk_virtio_blk *b = dev;

	return queue < b->nr_queues ? FBK_VIRTQ_MAX : 0;
}

/* [VIRTIO 5.2.4]. Fields of features that are not offered are zero. */
static uint8_t config(void *dev, uint32_t offset)
{
	const struct fbk_virtio_blk *b = dev;
	const uint32_t range_max = REQUEST_MAX >> SECTOR_SHIFT;
	const struct {
		uint32_t offset, width;
		uint64_t val;
	} fields[] = {
		{ 0, 8, b->sectors },
		{ 12, 4, SEG_MAX },
		{ 20, 4, b->block_len },
		{ 34, 2, b->nr_queues > 1 ? b->nr_queues : 0 },
		{ 36, 4, b->can_discard ? range_max : 0 },
		{ 40, 4, b->can_discard ? FBK_BLK_RANGES : 0 },
		{ 44, 4, b->can_discard ? RANGE_ALIGN : 0 },
		{ 48, 4, b->can_zero ? range_max : 0 },
		{ 52, 4, b->can_zero ? FBK_BLK_RANGES : 0 },
		{ 56, 1, b->can_zero && !b->block_device }, /* write_zeroes_may_unmap */
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (offset >= fields[i].offset && offset - fields[i].offset < fields[i].width)
			return fields[i].val >> (8 * (offset - fields[i].offset));
	return 0;
}

/* --- one request: each step returns its status, or UNDER_WAY: @op says what is to be done --------------------------- */

static struct fbk_segments data_of(const struct fbk_blk_request *r, uint64_t *ret_skip)
{
	*ret_skip = r->type == TYPE_OUT ? HEADER_LEN : 0;
	return r->type == TYPE_OUT ? fbk_segments_readable(&r->chain) : fbk_segments_writable(&r->chain);
}

/*
 * The rest of a transfer. The system call touches guest memory itself, and fails with EFAULT where a copy of ours would be
 * killed by poison.
 */
static unsigned int next_transfer(struct fbk_blk_request *r)
{
	uint64_t at, left = r->len - r->done, part;
	struct fbk_segments s = data_of(r, &at);
	struct fbk_gpa gpa;
	unsigned int nr = 0;

	if (!left)
		return S_OK;
	at += r->done;
	while (fbk_segments_next(&s, &at, &left, &gpa, &part)) {
		if (fbk_gmem_ptr(r->blk->v->host->gmem, gpa, part, &r->iov[nr].iov_base))
			return S_IOERR;
		r->iov[nr++].iov_len = part;
	}
	r->op.kind = r->type == TYPE_OUT ? FBK_AIO_WRITE : FBK_AIO_READ;
	r->op.iov = r->iov;
	r->op.nr_iov = nr;
	r->op.offset = r->at + r->done;
	return UNDER_WAY;
}

static unsigned int next_range(struct fbk_blk_request *r)
{
	const struct fbk_virtio_blk *b = r->blk;
	unsigned int i = r->next_range;

	if (i == r->nr_ranges)
		return S_OK;
	r->op.kind = r->type == TYPE_DISCARD && b->block_device ? FBK_AIO_DISCARD : FBK_AIO_FALLOCATE;
	r->op.mode = FALLOC_FL_KEEP_SIZE;
	/* A hole reads as zeroes, too. Without leave to make one, the file keeps its blocks if that can be had. */
	if (b->block_device || (r->type == TYPE_WRITE_ZEROES && !r->range[i].unmap && !b->no_zero_range))
		r->op.mode |= FALLOC_FL_ZERO_RANGE;
	else
		r->op.mode |= FALLOC_FL_PUNCH_HOLE;
	r->op.offset = r->range[i].at;
	r->op.len = r->range[i].len;
	return UNDER_WAY;
}

/* [VIRTIO 5.2.6]: all of them are looked at before the first is carried out. */
static unsigned int take_ranges(struct fbk_blk_request *r)
{
	struct fbk_virtio_blk *b = r->blk;
	uint64_t len = fbk_segments_len(fbk_segments_readable(&r->chain)) - HEADER_LEN;
	uint8_t raw[FBK_BLK_RANGES * RANGE_LEN];
	unsigned int nr = 0;

	if (!(r->type == TYPE_DISCARD ? b->can_discard : b->can_zero))
		return b->read_only ? S_IOERR : S_UNSUPP;
	if (!len || len % RANGE_LEN || len > sizeof(raw) || fbk_segments_copy(b->v, fbk_segments_readable(&r->chain), HEADER_LEN, raw, len, false))
		return S_IOERR;
	for (uint64_t i = 0; i < len; i += RANGE_LEN) {
		uint64_t sector = fbk_get_le(raw + i, 8), sectors = fbk_get_le(raw + i + 8, 4);
		uint32_t flags = fbk_get_le(raw + i + 12, 4);

		if (flags & ~(r->type == TYPE_WRITE_ZEROES ? RANGE_UNMAP : 0u))
			return S_UNSUPP;
		if (sectors > REQUEST_MAX >> SECTOR_SHIFT || sector > b->sectors || sectors > b->sectors - sector)
			return S_IOERR;
		if (!sectors)
			continue;
		r->range[nr].at = sector << SECTOR_SHIFT;
		r->range[nr].len = sectors << SECTOR_SHIFT;
		r->range[nr].unmap = flags & RANGE_UNMAP;
		nr++;
	}
	r->nr_ranges = nr;
	return next_range(r);
}

static unsigned int take_transfer(struct fbk_blk_request *r, uint64_t sector, uint64_t len)
{
	const struct fbk_virtio_blk *b = r->blk;

	if (len % 512 || len > REQUEST_MAX || sector > b->sectors || len >> SECTOR_SHIFT > b->sectors - sector)
		return S_IOERR;
	if (r->type == TYPE_OUT && b->read_only)
		return S_IOERR;
	r->at = sector << SECTOR_SHIFT;
	r->len = len;
	return next_transfer(r);
}

/* @in_len: bytes of the writable segments, the status not counted. */
static unsigned int take(struct fbk_blk_request *r, uint64_t in_len)
{
	struct fbk_virtio_blk *b = r->blk;
	uint64_t out_len = fbk_segments_len(fbk_segments_readable(&r->chain));
	uint8_t header[HEADER_LEN];

	r->len = r->done = 0;
	r->nr_ranges = r->next_range = 0;
	if (out_len < HEADER_LEN || fbk_segments_copy(b->v, fbk_segments_readable(&r->chain), 0, header, sizeof(header), false))
		return S_IOERR;
	r->type = fbk_get_le(header, 4);
	switch (r->type) {
	case TYPE_IN:
	case TYPE_OUT:
		return take_transfer(r, fbk_get_le(header + 8, 8), r->type == TYPE_OUT ? out_len - HEADER_LEN : in_len);
	case TYPE_FLUSH:
		r->op.kind = FBK_AIO_SYNC;
		return UNDER_WAY;
	case TYPE_DISCARD:
	case TYPE_WRITE_ZEROES:
		return take_ranges(r);
	case TYPE_GET_ID:
		in_len = in_len < sizeof(b->id) ? in_len : sizeof(b->id);
		if (fbk_segments_copy(b->v, fbk_segments_writable(&r->chain), 0, b->id, in_len, true))
			return S_IOERR;
		r->done = in_len;
		return S_OK;
	default:
		return S_UNSUPP;
	}
}

/* Where the transfer stopped, or just behind. */
static void tell_poison(const struct fbk_blk_request *r)
{
	uint64_t at, left = 1, part;
	struct fbk_segments s = data_of(r, &at);
	struct fbk_gpa gpa;

	at += r->done;
	if (fbk_segments_next(&s, &at, &left, &gpa, &part))
		r->blk->v->host->poisoned(r->blk->v->host->opaque, gpa);
}

/* What has become of @op. */
static unsigned int advance(struct fbk_blk_request *r, int64_t ret)
{
	bool transfer = r->op.kind == FBK_AIO_READ || r->op.kind == FBK_AIO_WRITE;

	if (ret == -EINTR)
		return UNDER_WAY;
	if (transfer && ret == -EFAULT)
		tell_poison(r);
	if (ret == -EOPNOTSUPP && r->type == TYPE_WRITE_ZEROES && !r->blk->block_device && !r->blk->no_zero_range) {
		r->blk->no_zero_range = true;
		return next_range(r);
	}
	if (ret < 0 || (transfer && !ret))
		return S_IOERR;
	if (transfer) {
		r->done += ret;
		return next_transfer(r);
	}
	if (r->op.kind == FBK_AIO_SYNC)
		return S_OK;
	r->next_range++;
	return next_range(r);
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static void answer(struct fbk_blk_request *r, int64_t len)
{
	struct fbk_virtio_blk *b = r->blk;

	fbk_virtio_push(b->v, r->queue, &r->chain, len);
	b->busy &= ~(UINT64_C(1) << (r - b->request));
	if (b->noticing)
		b->answered |= 1u << r->queue;
	else
		fbk_virtio_interrupt(b->v, r->queue);
	while (b->waiting) {
		unsigned int queue = __builtin_ctz(b->waiting);

		b->waiting &= b->waiting - 1;
		b->v->host->kick(b->v->host->opaque, b->v->index, queue);
	}
}

/* Until there is something to wait for, or an answer. */
static void carry_on(struct fbk_blk_request *r, unsigned int step)
{
	uint8_t status;
	int64_t ret;
	int err;

	while (step == UNDER_WAY) {
		ret = fbk_aio_start(r->blk->aio, &r->op);
		if (ret == FBK_AIO_LATER)
			return;
		step = advance(r, ret);
	}
	status = step;
	err = fbk_segments_copy(r->blk->v, fbk_segments_writable(&r->chain), fbk_segments_len(fbk_segments_writable(&r->chain)) - 1, &status, 1, true);
	/* What lies between a short read's end and the status was not written: only a success counts all of it. */
	answer(r, err < 0 ? err : status == S_OK && r->type != TYPE_OUT ? (int64_t)r->done + 1 : 1);
}

static void done(struct fbk_aio_op *op, int64_t ret)
{
	struct fbk_blk_request *r = (struct fbk_blk_request *)op;

	carry_on(r, advance(r, ret));
}

static void notify(void *dev, struct fbk_virtio *v, unsigned int queue)
{
	struct fbk_virtio_blk *b = dev;
	unsigned int nr = 0;

	b->v = v;
	b->noticing = true;
	/* At most a ring's worth: a driver that adds requests as fast as they are served does not keep the thread for itself. */
	while (nr < FBK_VIRTQ_MAX && ~b->busy) {
		unsigned int slot = __builtin_ctzll(~b->busy);
		struct fbk_blk_request *r = &b->request[slot];
		uint64_t in_len;

		if (!fbk_virtio_pop(v, queue, &r->chain))
			break;
		b->busy |= UINT64_C(1) << slot;
		nr++;
		r->blk = b;
		r->queue = queue;
		r->op.fd = b->fd;
		r->op.done = done;
		in_len = fbk_segments_len(fbk_segments_writable(&r->chain));
		if (in_len)
			carry_on(r, take(r, in_len - 1));
		else
			answer(r, -EBADMSG); /* without room for a status there is no way to answer */
	}
	if (!~b->busy)
		b->waiting |= 1u << queue; /* the first that is answered brings us back */
	else if (nr == FBK_VIRTQ_MAX)
		v->host->kick(v->host->opaque, v->index, queue);
	fbk_aio_flush(b->aio);
	b->noticing = false;
	for (; b->answered; b->answered &= b->answered - 1)
		fbk_virtio_interrupt(v, __builtin_ctz(b->answered));
}

const struct fbk_virtio_ops fbk_virtio_blk_ops = {
	.device_id = 2,
	.threaded = true,
	.features = features,
	.queue_max = queue_max,
	.config = config,
	.notify = notify,
};
