/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * virtqueue.h - split virtqueues as a device sees them. The driver, and everything in its memory, is hostile.
 */
#ifndef FBK_VMM_VIRTQUEUE_H
#define FBK_VMM_VIRTQUEUE_H

#include <firebreak/gmem.h>

#include <stdbool.h>

#define FBK_VIRTQ_MAX 128 /* entries: queue size, descriptors of a chain, entries of an indirect table */

struct fbk_virtq {
	/* Set by the driver before it sets ready. */
	uint32_t num;
	bool ready;
	struct fbk_gpa desc, avail, used;
	bool event_idx; /* VIRTIO_F_EVENT_IDX was negotiated */
	/* The device's own; never read back from guest memory. */
	uint16_t next_avail, next_used;
	uint16_t decided_used; /* up to where fbk_virtq_wants_irq() has been asked */
};

struct fbk_virtq_seg {
	struct fbk_gpa gpa;
	uint32_t len;
};

/* One chain, copied out of the rings: readable segments first, then writable ones. */
struct fbk_virtq_chain {
	uint16_t head;
	uint32_t nr_readable, nr_segs;
	struct fbk_virtq_seg seg[FBK_VIRTQ_MAX];
};

/* Is what the driver has set up usable: size a power of two up to FBK_VIRTQ_MAX, rings aligned and in RAM? */
bool fbk_virtq_valid(const struct fbk_virtq *q, const struct fbk_gmem *gmem);

/**
 * fbk_virtq_pop - take the next available chain
 *
 * Finding none asks the driver to notify of the next, where event_idx lets it keep quiet until then.
 * @ret_poison: with -EHWPOISON, the address whose copy failed
 *
 * Return:  1 a chain, 0 none.
 * Errors:  -EBADMSG the driver broke the ring (index out of range, loop, readable behind writable, bad indirect
 *          table); -ERANGE a ring outside RAM; -EHWPOISON. The queue must not be used until it is set up anew.
 * Spec:    [VIRTIO 2.7]
 */
int fbk_virtq_pop(struct fbk_virtq *q, const struct fbk_gmem *gmem, struct fbk_virtq_chain *ret,
		  struct fbk_gpa *ret_poison);

/* Give a chain back with @len bytes written to it. Errors: -ERANGE, -EHWPOISON. */
int fbk_virtq_push(struct fbk_virtq *q, const struct fbk_gmem *gmem, uint16_t head, uint32_t len,
		   struct fbk_gpa *ret_poison);

/* Does the driver want an interrupt for what was pushed since this was asked last? A ring that cannot be read: yes. */
bool fbk_virtq_wants_irq(struct fbk_virtq *q, const struct fbk_gmem *gmem);

#endif
