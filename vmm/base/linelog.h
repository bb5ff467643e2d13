/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * linelog.h - lines to a descriptor whose reader may be slow, or gone: a vCPU that has something to say never waits for it.
 *
 * A line that can be written at once is written by the thread that has it. Else it waits in a bounded buffer for the main
 * thread; what does not fit there is counted as lost.
 */
#ifndef FBK_VMM_LINELOG_H
#define FBK_VMM_LINELOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FBK_LINELOG_ROOM (256 << 10) /* some 250 events */
#define FBK_LINELOG_LINE_MAX 4096    /* PIPE_BUF: a pipe that has room has room for so much */

struct fbk_linelog {
	int fd; /* -1: none */
	bool regular; /* a file: nobody has to read it */
	pthread_mutex_t lock;
	uint32_t head, len; /* of what waits */
	uint64_t lost;	    /* lines, since the beginning; read by anybody */
	int error;	    /* errno of the first write that failed; 0: none did */
	char buf[FBK_LINELOG_ROOM];
};

/* @fd: kept open as long as @l is used, and left as it is: others may share it. */
void fbk_linelog_init(struct fbk_linelog *l, int fd);

/*
 * Any thread; never blocks for a reader. @line: with its newline, at most FBK_LINELOG_LINE_MAX bytes.
 *
 * Return: true: it waits, so that fbk_linelog_drain() is due once fbk_linelog_waits() and the descriptor can be written.
 */
bool fbk_linelog_put(struct fbk_linelog *l, const char *line, size_t len);

bool fbk_linelog_waits(struct fbk_linelog *l);

/* Main thread: write what can be written without blocking. */
void fbk_linelog_drain(struct fbk_linelog *l);

/* The end: wait for a slow reader that long, and count what is left as lost. */
void fbk_linelog_close(struct fbk_linelog *l, int timeout_ms);

uint64_t fbk_linelog_lost(const struct fbk_linelog *l);

#endif
