/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* segments.c - see segments.h */
#include "segments.h"

#include <errno.h>

uint64_t fbk_segments_len(struct fbk_segments s)
{
	uint64_t len = 0;

	for (uint32_t i = 0; i < s.nr; i++)
		len += s.seg[i].len;
	return len;
}

bool fbk_segments_next(struct fbk_segments *s, uint64_t *at, uint64_t *left, struct fbk_gpa *gpa, uint64_t *part)
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

int fbk_segments_copy(struct fbk_virtio *v, struct fbk_segments s, uint64_t at, void *buf, uint64_t len, bool to_guest)
{
	struct fbk_gpa gpa;
	uint64_t part;

	while (fbk_segments_next(&s, &at, &len, &gpa, &part)) {
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
