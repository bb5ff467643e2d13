/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * virtio-net.h - a network card with one pair of queues, whatever carries its packets.
 *
 * All of it on the I/O thread, but for the registers. A packet that cannot be sent or received is dropped and counted, as on any
 * network: there is no way to tell the guest of one.
 */
#ifndef FBK_VMM_VIRTIO_NET_H
#define FBK_VMM_VIRTIO_NET_H

#include "virtio-mmio.h"

#include <stdatomic.h>
#include <sys/uio.h>

#define FBK_NET_HEADER_LEN 12	       /* in front of every packet [VIRTIO 5.1.6] */
#define FBK_NET_FRAME_MIN 14	       /* an Ethernet header */
#define FBK_NET_FRAME_MAX (65535 + 18) /* the largest IP packet, or segment to be cut up, behind a header with a VLAN tag */
#define FBK_NET_BACKLOG_LEN (256 << 10)

/* Features that a backend may offer [VIRTIO 5.1.3]. */
#define FBK_NET_F_CSUM (UINT64_C(1) << 0)
#define FBK_NET_F_GUEST_CSUM (UINT64_C(1) << 1)
#define FBK_NET_F_GUEST_TSO4 (UINT64_C(1) << 7)
#define FBK_NET_F_GUEST_TSO6 (UINT64_C(1) << 8)
#define FBK_NET_F_HOST_TSO4 (UINT64_C(1) << 11)
#define FBK_NET_F_HOST_TSO6 (UINT64_C(1) << 12)

/* What carries the packets. */
struct fbk_net_backend {
	uint64_t features; /* of the above */
	uint16_t mtu;
	/*
	 * Send one packet: @iov[0] is its header, the rest the frame, in guest memory where @from_guest. Return: false: it was
	 * not sent. Errors: none but errno: EFAULT where guest memory could not be read.
	 */
	bool (*send)(void *opaque, const struct iovec *iov, int nr);
	bool from_guest;			    /* @send touches guest memory by a system call only; else it gets copies */
	void (*negotiated)(void *opaque, uint64_t features); /* what the driver took; NULL: of no interest */
	void (*resume)(void *opaque);		    /* after fbk_net_deliver() has said so: go on; NULL: never stops */
	void *opaque;
};

struct fbk_net_counters {
	atomic_uint_fast64_t sent, received;
	atomic_uint_fast64_t send_dropped, receive_dropped;
};

struct fbk_virtio_net {
	struct fbk_net_backend *backend;
	struct fbk_virtio *v; /* the frame that it is behind */
	uint8_t mac[6];
	struct fbk_net_counters count; /* read by anybody */

	uint64_t features;	  /* as the backend was told */
	bool received;		  /* something was given to the driver, who is not told yet */
	struct fbk_virtq_chain sending, taken; /* sending may make the backend deliver */
	/* Chains for a packet that takes several: their segments one behind the other. */
	struct {
		uint16_t head;
		uint64_t room;
	} part[FBK_VIRTQ_MAX];
	struct fbk_virtq_seg seg[2 * FBK_VIRTQ_MAX]; /* a ring's worth, and the chain that goes beyond */
	unsigned int nr_parts, nr_segs;

	/* Packets for which there was no room, the oldest first: length, header, frame. */
	uint32_t backlog_from, backlog_to;
	uint8_t backlog[FBK_NET_BACKLOG_LEN];
	uint8_t frame[FBK_NET_FRAME_MAX]; /* a copy of one to be sent */
};

extern const struct fbk_virtio_ops fbk_virtio_net_ops; /* its device is a struct fbk_virtio_net */

/*
 * A packet for the guest. @header: NULL: nothing is said of it. Return: false: it waits, or was dropped, because the guest has no
 * room; a backend that can wait does so until @resume.
 */
bool fbk_net_deliver(struct fbk_virtio_net *n, const uint8_t header[FBK_NET_HEADER_LEN], const void *frame, size_t len);

/* After one delivery or several: interrupt the driver. */
void fbk_net_delivered(struct fbk_virtio_net *n);

#endif
