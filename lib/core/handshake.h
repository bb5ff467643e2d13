/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * handshake.h - whose turn it is at one error source: ours to write a record, or the guest's to acknowledge one.
 *
 * The acknowledgement word is the guest's to write at any time, so that it is believed in one thing only: bit 0 set
 * means that a record may be written. What lies in the block, since when and for whom, is known from our own state.
 *
 * Two functions are inline: every record passes them while a vCPU waits.
 */
#ifndef FBK_CORE_HANDSHAKE_H
#define FBK_CORE_HANDSHAKE_H

#include <firebreak/cper.h>

#include <stdbool.h>

#define FBK_ACK_MAY_WRITE 1

struct fbk_handshake {
	bool in_flight;	   /* a record lies in the block, unacknowledged */
	bool unresponsive; /* the guest was waited for once in vain; not again until it acknowledges */
	bool broken;	   /* the block is poisoned itself */
	int32_t owner;	   /* vCPU that the record in flight was written for; -1: none */
	uint64_t serial;   /* of the record in flight */
	uint32_t nr_pages; /* of the record in flight */
	struct fbk_gpa pages[FBK_CPER_MAX_PAGES];
};

enum fbk_turn {
	FBK_TURN_OURS,	 /* a record may be written */
	FBK_TURN_GUEST,	 /* the guest has still to acknowledge */
	FBK_TURN_BROKEN, /* never again */
};

void fbk_handshake_init(struct fbk_handshake *h);

/*
 * Look at the acknowledgement word. *ret_acked: how many of h->pages were just acknowledged; they stay readable until
 * the next fbk_handshake_wrote().
 */
static inline enum fbk_turn fbk_handshake_look(struct fbk_handshake *h, uint64_t ack, uint32_t *ret_acked)
{
	*ret_acked = 0;
	if (h->broken)
		return FBK_TURN_BROKEN;
	if (!(ack & FBK_ACK_MAY_WRITE))
		return FBK_TURN_GUEST;
	if (h->in_flight) {
		*ret_acked = h->nr_pages;
		h->in_flight = false;
		h->owner = -1;
	}
	h->unresponsive = false;
	return FBK_TURN_OURS;
}

/* A record of these pages was written, for this vCPU or -1. */
static inline void fbk_handshake_wrote(struct fbk_handshake *h, uint64_t serial, const struct fbk_gpa *pages,
				       uint32_t nr, int32_t owner)
{
	uint32_t i;

	h->in_flight = true;
	h->serial = serial;
	h->owner = owner;
	h->nr_pages = nr;
	for (i = 0; i < nr; i++)
		h->pages[i] = pages[i];
}

/*
 * The guest did not acknowledge in time: the record is taken back and its pages must be told another way.
 *
 * Return: how many of h->pages that are; 0 when none was in flight.
 */
uint32_t fbk_handshake_give_up(struct fbk_handshake *h);

void fbk_handshake_break(struct fbk_handshake *h);

bool fbk_handshake_has(const struct fbk_handshake *h, uint64_t page);

#endif
