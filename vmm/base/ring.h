/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ring.h - the latest lines of something, in bounded room: the oldest give way.
 */
#ifndef FBK_VMM_RING_H
#define FBK_VMM_RING_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define FBK_RING_ROOM (128 << 10) /* some 120 events */

struct fbk_ring {
	pthread_mutex_t lock;
	uint32_t head, len;
	uint64_t dropped; /* lines that have given way */
	char buf[FBK_RING_ROOM];
};

void fbk_ring_init(struct fbk_ring *r);

/* Any thread; holds others up for a copy, at most. @line: with its newline, and no other; at most FBK_RING_ROOM bytes. */
void fbk_ring_put(struct fbk_ring *r, const char *line, size_t len);

/* All lines, oldest first. @buf: FBK_RING_ROOM bytes. Return: their length. */
size_t fbk_ring_copy(struct fbk_ring *r, char *buf, uint64_t *ret_dropped);

#endif
