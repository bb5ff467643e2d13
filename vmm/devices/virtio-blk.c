/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* virtio-blk.c - see virtio-blk.h. [VIRTIO 5.2] */
#include "virtio-blk.h"
#include "bytes.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SECTOR_SHIFT 9
#define HEADER_LEN 16
#define SEG_MAX (FBK_VIRTQ_MAX - 2) /* header and status take one each */
#define REQUEST_MAX (UINT64_C(256) << 20) /* bounds the time that one request can take */

enum { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4, TYPE_GET_ID = 8 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };

#define F_SEG_MAX (UINT64_C(1) << 2)
#define F_RO (UINT64_C(1) << 5)
#define F_BLK_SIZE (UINT64_C(1) << 6)
#define F_FLUSH (UINT64_C(1) << 9)

int fbk_virtio_blk_open(struct fbk_virtio_blk *b, const char *path, bool read_only, unsigned int index)
{
	struct stat st;
	uint64_t len;
	int fd = -1;

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
		if (ioctl(fd, BLKGETSIZE64, &len))
			goto failed;
	} else if (!S_ISREG(st.st_mode)) {
		len = 0;
	}
	if (len >> SECTOR_SHIFT == 0) {
		errno = EINVAL;
		goto failed;
	}
	b->fd = fd;
	b->sectors = len >> SECTOR_SHIFT;
	b->read_only = read_only;
	snprintf(b->id, sizeof(b->id), "firebreak-%u", index);
	return 0;
failed:
	len = errno;
	close(fd);
	return -(int)len;
}

static uint64_t features(void *dev)
{
	const struct fbk_virtio_blk *b = dev;

	return F_SEG_MAX | F_BLK_SIZE | F_FLUSH | (b->read_only ? F_RO : 0);
}

static uint32_t queue_max(void *dev, unsigned int queue)
{
	return queue == 0 ? FBK_VIRTQ_MAX : 0;
}

/* [VIRTIO 5.2.4]: capacity, size_max, seg_max, geometry, blk_size */
static uint8_t config(void *dev, uint32_t offset)
{
	const struct fbk_virtio_blk *b = dev;

	if (offset < 8)
		return b->sectors >> (8 * offset);
	if (offset >= 12 && offset < 16)
		return (uint32_t)SEG_MAX >> (8 * (offset - 12));
	if (offset >= 20 && offset < 24)
		return 512u >> (8 * (offset - 20));
	return 0;
}

/* A chain's readable or writable bytes, or what is left of them. */
struct span {
	const struct fbk_virtq_seg *seg;
	uint32_t nr;
};

static uint64_t span_len(struct span s)
{
	uint64_t len = 0;

	for (uint32_t i = 0; i < s.nr; i++)
		len += s.seg[i].len;
	return len;
}

/*
 * The next piece of @left bytes from byte @at on that lies in one segment; advances all three. Return: false at the end
 * of either.
 */
static bool span_next(struct span *s, uint64_t *at, uint64_t *left, struct fbk_gpa *gpa, uint64_t *part)
{
	while (s->nr && *left) {
		const struct fbk_virtq_seg *seg = s->seg++;

		s->nr--;
		if (*at >= seg->len) {
			*at -= seg->len;
			continue;
		}
		gpa->addr = seg->gpa.addr + *at;
		*part = seg->len - *at < *left ? seg->len - *at : *left;
		*at = 0;
		*left -= *part;
		return true;
	}
	return false;
}

/* Copy @len bytes at byte @at, in or out. Errors: as of fbk_gmem_read(), the poison told; -EBADMSG not so many bytes. */
static int span_copy(struct fbk_virtio *v, struct span s, uint64_t at, void *buf, uint64_t len, bool to_guest)
{
	struct fbk_gpa gpa;
	uint64_t part;

	while (span_next(&s, &at, &len, &gpa, &part)) {
		size_t done = 0;
		int r = to_guest ? fbk_gmem_write(v->host->gmem, gpa, buf, part, &done) :
				   fbk_gmem_read(v->host->gmem, gpa, buf, part, &done);

		if (r == -EHWPOISON)
			v->host->poisoned(v->host->opaque, (struct fbk_gpa){ gpa.addr + done });
		if (r < 0)
			return r;
		buf = (char *)buf + part;
	}
	return len ? -EBADMSG : 0;
}

/*
 * Move @len bytes between the image and the segments from byte @skip on. The system call touches guest memory
 * itself, and fails with EFAULT where a copy of ours would be killed by poison. Return: bytes moved.
 */
static uint64_t transfer(struct fbk_virtio_blk *b, struct fbk_virtio *v, struct span s, uint64_t skip, uint64_t len,
			 uint64_t offset, bool to_guest)
{
	struct iovec iov[FBK_VIRTQ_MAX];
	uint64_t done = 0;

	while (done < len) {
		uint64_t at = skip + done, left = len - done, part;
		struct span rest = s;
		struct fbk_gpa gpa;
		int nr = 0;
		ssize_t n;

		while (span_next(&rest, &at, &left, &gpa, &part)) {
			if (fbk_gmem_ptr(v->host->gmem, gpa, part, &iov[nr].iov_base))
				return done;
			iov[nr++].iov_len = part;
		}
		n = to_guest ? preadv(b->fd, iov, nr, offset + done) : pwritev(b->fd, iov, nr, offset + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EFAULT) {
			at = skip + done;
			left = 1;
			rest = s;
			if (span_next(&rest, &at, &left, &gpa, &part))
				v->host->poisoned(v->host->opaque, gpa);
		}
		if (n <= 0)
			break;
		done += n;
	}
	return done;
}

/* [VIRTIO 5.2.6]. Return: the status; @ret_len: data bytes written to the guest. */
static uint8_t serve(struct fbk_virtio_blk *b, struct fbk_virtio *v, const uint8_t header[HEADER_LEN], struct span out,
		     struct span in, uint64_t in_len, uint64_t *ret_len)
{
	uint32_t type = fbk_get_le(header, 4);
	uint64_t sector = fbk_get_le(header + 8, 8);
	uint64_t len = type == TYPE_OUT ? span_len(out) - HEADER_LEN : in_len;

	switch (type) {
	case TYPE_IN:
	case TYPE_OUT:
		if (len % 512 || len > REQUEST_MAX || sector > b->sectors || len >> SECTOR_SHIFT > b->sectors - sector)
			return S_IOERR;
		if (type == TYPE_OUT)
			return !b->read_only && transfer(b, v, out, HEADER_LEN, len, sector << SECTOR_SHIFT, false) == len ?
				       S_OK : S_IOERR;
		*ret_len = transfer(b, v, in, 0, len, sector << SECTOR_SHIFT, true);
		return *ret_len == len ? S_OK : S_IOERR;
	case TYPE_FLUSH:
		return fdatasync(b->fd) ? S_IOERR : S_OK;
	case TYPE_GET_ID:
		len = len < sizeof(b->id) ? len : sizeof(b->id);
		if (span_copy(v, in, 0, b->id, len, true))
			return S_IOERR;
		*ret_len = len;
		return S_OK;
	default:
		return S_UNSUPP;
	}
}

static int64_t request(void *dev, struct fbk_virtio *v, const struct fbk_virtq_chain *c)
{
	struct span out = { c->seg, c->nr_readable };
	struct span in = { c->seg + c->nr_readable, c->nr_segs - c->nr_readable };
	uint64_t in_len = span_len(in), done = 0;
	uint8_t header[HEADER_LEN], status = S_IOERR;
	int r;

	/* Without room for a status there is no way to answer. */
	if (!in_len)
		return -EBADMSG;
	if (span_len(out) >= HEADER_LEN && !span_copy(v, out, 0, header, sizeof(header), false))
		status = serve(dev, v, header, out, in, in_len - 1, &done);
	r = span_copy(v, in, in_len - 1, &status, 1, true);
	if (r < 0)
		return r;
	/* What lies between a short read's end and the status was not written: only a success counts all of it. */
	return status == S_OK ? (int64_t)done + 1 : 1;
}

static void notify(void *dev, struct fbk_virtio *v, unsigned int queue)
{
	struct fbk_virtio_blk *b = dev;

	fbk_virtio_serve(v, queue, &b->chain, request);
}

const struct fbk_virtio_ops fbk_virtio_blk_ops = {
	.device_id = 2,
	.threaded = true,
	.features = features,
	.queue_max = queue_max,
	.config = config,
	.notify = notify,
};
