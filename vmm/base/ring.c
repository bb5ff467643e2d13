/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* ring.c - see ring.h */
#include "ring.h"

#include <string.h>

void fbk_ring_init(struct fbk_ring *r)
{
	pthread_mutex_init(&r->lock, NULL);
	r->head = r->len = 0;
	r->dropped = 0;
}

static void drop_oldest(struct fbk_ring *r)
{
	char c;

	do {
		c = r->buf[r->head];
		r->head = (r->head + 1) % FBK_RING_ROOM;
		r->len--;
	} while (c != '\n' && r->len);
	r->dropped++;
}

void fbk_ring_put(struct fbk_ring *r, const char *line, size_t len)
{
	uint32_t at, part;

	if (!len || len > FBK_RING_ROOM)
		return;
	pthread_mutex_lock(&r->lock);
	while (FBK_RING_ROOM - r->len < len)
		drop_oldest(r);
	at = (r->head + r->len) % FBK_RING_ROOM;
	part = len < FBK_RING_ROOM - at ? len : FBK_RING_ROOM - at;
	memcpy(r->buf + at, line, part);
	memcpy(r->buf, line + part, len - part);
	r->len += len;
	pthread_mutex_unlock(&r->lock);
}

size_t fbk_ring_copy(struct fbk_ring *r, char *buf, uint64_t *ret_dropped)
{
	uint32_t part;
	size_t len;

	pthread_mutex_lock(&r->lock);
	len = r->len;
	part = len < FBK_RING_ROOM - r->head ? len : FBK_RING_ROOM - r->head;
	memcpy(buf, r->buf + r->head, part);
	memcpy(buf + part, r->buf, len - part);
	*ret_dropped = r->dropped;
	pthread_mutex_unlock(&r->lock);
	return len;
}
