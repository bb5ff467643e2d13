/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* virtio-net.c - see virtio-net.h. [VIRTIO 5.1] */
#include "virtio-net.h"
#include "segments.h"

#include <errno.h>
#include <string.h>

enum { RECEIVE_QUEUE = 0, SEND_QUEUE = 1, QUEUES };

#define F_MTU (UINT64_C(1) << 3)
#define F_MAC (UINT64_C(1) << 5)
#define F_MRG_RXBUF (UINT64_C(1) << 15)
#define F_STATUS (UINT64_C(1) << 16)

/* [VIRTIO 5.1.6]: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers */
enum { HEADER_FLAGS = 0, HEADER_GSO = 1, HEADER_BUFFERS = 10 };
enum { FLAG_NEEDS_CSUM = 1 };
enum { GSO_NONE = 0, GSO_TCPV4 = 1, GSO_TCPV6 = 4, GSO_ECN = 0x80 };

static uint64_t features(void *dev)
{
	const struct fbk_virtio_net *n = dev;

	return F_MTU | F_MAC | F_MRG_RXBUF | F_STATUS | n->backend->features;
}

static uint32_t queue_max(void *dev, unsigned int queue)
{
	return queue < QUEUES ? FBK_VIRTQ_MAX : 0;
}

/* [VIRTIO 5.1.4]: mac, status (the link is up), max_virtqueue_pairs, mtu */
static uint8_t config(void *dev, uint32_t offset)
{
	const struct fbk_virtio_net *n = dev;

	if (offset < 6)
		return n->mac[offset];
	if (offset == 6)
		return 1;
	if (offset >= 10 && offset < 12)
		return n->backend->mtu >> (8 * (offset - 10));
	return 0;
}

static void count(atomic_uint_fast64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Does the header ask for what the driver has taken only? */
static bool header_is_fine(const uint8_t header[FBK_NET_HEADER_LEN], bool csum, bool tso4, bool tso6)
{
	uint8_t gso = header[HEADER_GSO] & ~GSO_ECN;

	if ((header[HEADER_FLAGS] & FLAG_NEEDS_CSUM) && !csum)
		return false;
	return gso == GSO_NONE || (gso == GSO_TCPV4 && tso4) || (gso == GSO_TCPV6 && tso6);
}

/* What the driver has negotiated, told to the backend where it is news. Return: 0: there is no driver. */
static uint64_t negotiated(struct fbk_virtio_net *n)
{
	uint64_t now = fbk_virtio_driver_features(n->v);

	if (now && now != n->features) {
		n->features = now;
		if (n->backend->negotiated)
			n->backend->negotiated(n->backend->opaque, now);
	}
	return now;
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

/* Where the frame lies, behind the header. Return: the number of pieces, 0: not all of it is in RAM. */
static int map_frame(struct fbk_virtio *v, const struct fbk_virtq_chain *c, struct iovec *iov)
{
	struct fbk_segments s = fbk_segments_readable(c);
	uint64_t at = FBK_NET_HEADER_LEN, left = UINT64_MAX, part;
	struct fbk_gpa gpa;
	int nr = 0;

	while (fbk_segments_next(&s, &at, &left, &gpa, &part)) {
		if (fbk_gmem_ptr(v->host->gmem, gpa, part, &iov[nr].iov_base))
			return 0;
		iov[nr++].iov_len = part;
	}
	return nr;
}

static bool send_packet(struct fbk_virtio_net *n, const struct fbk_virtq_chain *c)
{
	struct fbk_segments s = fbk_segments_readable(c);
	uint64_t len = fbk_segments_len(s), f = n->features;
	uint8_t header[FBK_NET_HEADER_LEN];
	struct iovec iov[1 + FBK_VIRTQ_MAX] = { { header, sizeof(header) } };
	int nr;

	if (len < FBK_NET_HEADER_LEN + FBK_NET_FRAME_MIN || len > FBK_NET_HEADER_LEN + FBK_NET_FRAME_MAX)
		return false;
	/* Looked at once, and sent as it was seen. */
	if (fbk_segments_copy(n->v, s, 0, header, sizeof(header), false) ||
	    !header_is_fine(header, f & FBK_NET_F_CSUM, f & FBK_NET_F_HOST_TSO4, f & FBK_NET_F_HOST_TSO6))
		return false;
	if (n->backend->from_guest) {
		nr = map_frame(n->v, c, iov + 1);
		if (!nr)
			return false;
		if (n->backend->send(n->backend->opaque, iov, 1 + nr))
			return true;
		if (errno != EFAULT)
			return false;
		/* Poison, which the system call does not name: the copy finds it. */
	}
	len -= FBK_NET_HEADER_LEN;
	if (fbk_segments_copy(n->v, s, FBK_NET_HEADER_LEN, n->frame, len, false))
		return false;
	iov[1] = (struct iovec){ n->frame, len };
	return n->backend->send(n->backend->opaque, iov, 2);
}

static int64_t request(void *dev, struct fbk_virtio *v, const struct fbk_virtq_chain *c)
{
	struct fbk_virtio_net *n = dev;

	count(send_packet(n, c) ? &n->count.sent : &n->count.send_dropped);
	return 0;
}

/* --- receiving ---------------------------------------------------------------------------------------------------- */

enum taken {
	TAKEN,	   /* the chains in n->part have room for all of it */
	NO_ROOM,   /* the driver has not given enough of them yet; none is taken */
	TOO_LARGE, /* for all that it can give, which is in n->part */
};

/* A driver whose whole ring is too small for a packet would let it wait for ever. */
static bool gave_all(const struct fbk_virtio_net *n)
{
	uint32_t num = n->v->queue[RECEIVE_QUEUE].num, most = num < FBK_VIRTQ_MAX ? num : FBK_VIRTQ_MAX;

	return n->nr_parts >= most || n->nr_segs >= most;
}

/* Take chains for @len bytes: one, or where the driver can put them together several. */
static enum taken take_chains(struct fbk_virtio_net *n, uint64_t len)
{
	bool merge = n->features & F_MRG_RXBUF;
	uint64_t room = 0;

	n->nr_parts = 0;
	n->nr_segs = 0;
	do {
		const struct fbk_virtq_chain *c = &n->taken;

		if (n->nr_parts && gave_all(n))
			return TOO_LARGE;
		if (!fbk_virtio_pop(n->v, RECEIVE_QUEUE, &n->taken)) {
			fbk_virtio_put_back(n->v, RECEIVE_QUEUE, n->nr_parts);
			return NO_ROOM;
		}
		for (uint32_t i = c->nr_readable; i < c->nr_segs; i++)
			n->seg[n->nr_segs++] = c->seg[i];
		n->part[n->nr_parts].head = c->head;
		n->part[n->nr_parts].room = fbk_segments_len(fbk_segments_writable(c));
		room += n->part[n->nr_parts++].room;
	} while (merge && room < len);
	return room < len ? TOO_LARGE : TAKEN;
}

/* Give all chains back with what was written into them: @len bytes, one behind the other. */
static void give_back(struct fbk_virtio_net *n, uint64_t len)
{
	for (unsigned int i = 0; i < n->nr_parts; i++) {
		uint64_t part = n->part[i].room < len ? n->part[i].room : len;

		n->taken.head = n->part[i].head;
		fbk_virtio_push(n->v, RECEIVE_QUEUE, &n->taken, part);
		len -= part;
	}
	n->received = true;
}

/* Return: false: there is no room for it now. */
static bool receive(struct fbk_virtio_net *n, const uint8_t *header, const void *frame, size_t len)
{
	static const uint8_t plain[FBK_NET_HEADER_LEN];
	uint8_t copied[FBK_NET_HEADER_LEN];
	struct fbk_segments all;
	uint64_t f = n->features;
	int r = -EBADMSG;

	memcpy(copied, header ? header : plain, sizeof(copied));
	/* It may have been made for a driver that was here before this one. */
	if (!header_is_fine(copied, f & FBK_NET_F_GUEST_CSUM, f & FBK_NET_F_GUEST_TSO4, f & FBK_NET_F_GUEST_TSO6)) {
		count(&n->count.receive_dropped);
		return true;
	}
	switch (take_chains(n, FBK_NET_HEADER_LEN + len)) {
	case NO_ROOM:
		return false;
	case TOO_LARGE:
		break;
	case TAKEN:
		all = (struct fbk_segments){ n->seg, n->nr_segs };
		copied[HEADER_BUFFERS] = n->nr_parts;
		copied[HEADER_BUFFERS + 1] = n->nr_parts >> 8;
		r = fbk_segments_copy(n->v, all, 0, copied, sizeof(copied), true);
		if (!r)
			r = fbk_segments_copy(n->v, all, sizeof(copied), (void *)frame, len, true);
	}
	/*
	 * What could not be written goes back empty, which the driver drops as too short: the next packet shall not meet the
	 * same bad page.
	 */
	give_back(n, r ? 0 : FBK_NET_HEADER_LEN + len);
	count(r ? &n->count.receive_dropped : &n->count.received);
	return true;
}

static bool keep(struct fbk_virtio_net *n, const uint8_t *header, const void *frame, uint32_t len)
{
	static const uint8_t plain[FBK_NET_HEADER_LEN];
	uint32_t need = sizeof(len) + FBK_NET_HEADER_LEN + len, held = n->backlog_to - n->backlog_from;

	if (sizeof(n->backlog) - held < need)
		return false;
	if (sizeof(n->backlog) - n->backlog_to < need) {
		memmove(n->backlog, n->backlog + n->backlog_from, held);
		n->backlog_from = 0;
		n->backlog_to = held;
	}
	memcpy(n->backlog + n->backlog_to, &len, sizeof(len));
	memcpy(n->backlog + n->backlog_to + sizeof(len), header ? header : plain, FBK_NET_HEADER_LEN);
	memcpy(n->backlog + n->backlog_to + sizeof(len) + FBK_NET_HEADER_LEN, frame, len);
	n->backlog_to += need;
	return true;
}

/* Return: is the backlog empty now? */
static bool drain(struct fbk_virtio_net *n)
{
	while (n->backlog_from < n->backlog_to) {
		const uint8_t *at = n->backlog + n->backlog_from;
		uint32_t len;

		memcpy(&len, at, sizeof(len));
		at += sizeof(len);
		if (!receive(n, at, at + FBK_NET_HEADER_LEN, len))
			return false;
		n->backlog_from += sizeof(len) + FBK_NET_HEADER_LEN + len;
	}
	n->backlog_from = 0;
	n->backlog_to = 0;
	return true;
}

bool fbk_net_deliver(struct fbk_virtio_net *n, const uint8_t header[FBK_NET_HEADER_LEN], const void *frame, size_t len)
{
	if (!negotiated(n)) {
		/* Nobody is there; and who comes does not want what is old. */
		n->backlog_from = 0;
		n->backlog_to = 0;
		count(&n->count.receive_dropped);
		return true;
	}
	if (len < FBK_NET_FRAME_MIN || len > FBK_NET_FRAME_MAX) {
		count(&n->count.receive_dropped);
		return true;
	}
	if (drain(n) && receive(n, header, frame, len))
		return true;
	if (!keep(n, header, frame, len))
		count(&n->count.receive_dropped);
	return false;
}

void fbk_net_delivered(struct fbk_virtio_net *n)
{
	if (n->received)
		fbk_virtio_interrupt(n->v, RECEIVE_QUEUE);
	n->received = false;
}

/* --- what the driver notifies of ---------------------------------------------------------------------------------- */

static void notify(void *dev, struct fbk_virtio *v, unsigned int queue)
{
	struct fbk_virtio_net *n = dev;

	if (!negotiated(n))
		return;
	if (queue == SEND_QUEUE)
		fbk_virtio_serve(v, SEND_QUEUE, &n->sending, request);
	else if (drain(n) && n->backend->resume)
		n->backend->resume(n->backend->opaque);
	fbk_net_delivered(n);
}

const struct fbk_virtio_ops fbk_virtio_net_ops = {
	.device_id = 1,
	.threaded = true,
	.features = features,
	.queue_max = queue_max,
	.config = config,
	.notify = notify,
};
