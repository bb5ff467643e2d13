/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * handshake.c - whose turn it is at one error source.
 */
#include "handshake.h"

#include <string.h>

void fbk_handshake_init(struct fbk_handshake *h)
{
	memset(h, 0, sizeof(*h));
	h->owner = -1;
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
