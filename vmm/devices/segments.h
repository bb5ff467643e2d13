/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * segments.h - the bytes of a chain's readable or writable segments, one behind the other.
 */
#ifndef FBK_VMM_SEGMENTS_H
#define FBK_VMM_SEGMENTS_H

#include "virtio-mmio.h"

/* Segments, or what is left of them. */
struct fbk_segments {
	const struct fbk_virtq_seg *seg;
	uint32_t nr;
};

static inline struct fbk_segments fbk_segments_readable(const struct fbk_virtq_chain *c)
{
	return (struct fbk_segments){ c->seg, c->nr_readable };
}

static inline struct fbk_segments fbk_segments_writable(const struct fbk_virtq_chain *c)
{
	return (struct fbk_segments){ c->seg + c->nr_readable, c->nr_segs - c->nr_readable };
}

uint64_t fbk_segments_len(struct fbk_segments s); /* bytes of all of them */

/*
 * The next piece of @left bytes from byte @at on that lies in one segment; advances all three. Return: false at the end
 * of either.
 */
bool fbk_segments_next(struct fbk_segments *s, uint64_t *at, uint64_t *left, struct fbk_gpa *gpa, uint64_t *part);

/* Copy @len bytes at byte @at, in or out. Errors: as of fbk_gmem_read(), the poison told; -EBADMSG not so many bytes. */
int fbk_segments_copy(struct fbk_virtio *v, struct fbk_segments s, uint64_t at, void *buf, uint64_t len, bool to_guest);

#endif
