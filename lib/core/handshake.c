/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * handshake.c - whose turn it is at one error source.
 */
#include "handshake.h"

#include <string.h>

#define ACK_MAY_WRITE 1

void fbk_handshake_init(struct fbk_handshake *h)
{
	memset(h, 0, sizeof(*h));
	h->owner = -1;
}

enum fbk_turn fbk_handshake_look(struct fbk_handshake *h, uint64_t ack, uint32_t *ret_acked)
{
	*ret_acked = 0;
	if (h->broken)
		return FBK_TURN_BROKEN;
	if (!(ack & ACK_MAY_WRITE))
		return FBK_TURN_GUEST;
	if (h->in_flight) {
		*ret_acked = h->nr_pages;
		h->in_flight = false;
		h->owner = -1;
	}
	h->unresponsive = false;
	return FBK_TURN_OURS;
}

void fbk_handshake_wrote(struct fbk_handshake *h, uint64_t serial, const struct fbk_gpa *pages, uint32_t nr, int32_t owner)
{
	h->in_flight = true;
	h->serial = serial;
	h->owner = owner;
	h->nr_pages = nr;
	memcpy(h->pages, pages, nr * sizeof(*pages));
}

uint32_t fbk_handshake_give_up(struct fbk_handshake *h)
{
	uint32_t nr = h->in_flight ? h->nr_pages : 0;

	h->in_flight = false;
	h->unresponsive = true;
	h->owner = -1;
	return nr;
}

void fbk_handshake_break(struct fbk_handshake *h)
{
	h->in_flight = false;
	h->broken = true;
	h->owner = -1;
}

bool fbk_handshake_has(const struct fbk_handshake *h, uint64_t page)
{
	uint32_t i;

	if (!h->in_flight)
		return false;
	for (i = 0; i < h->nr_pages; i++)
		if (h->pages[i].addr == page)
			return true;
	return false;
}
