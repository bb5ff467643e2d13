/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * eventlog.h - where each error is told: a JSON line to --events, and a line of account on standard error. Neither waits for
 * its reader.
 */
#ifndef FBK_VMM_EVENTLOG_H
#define FBK_VMM_EVENTLOG_H

#include "linelog.h"
#include "ring.h"

#include <firebreak/event.h>

struct fbk_eventlog {
	struct fbk_linelog json, account;
	struct fbk_ring *recent; /* keeps the JSON lines, too; NULL: nobody asks for them */
	uint64_t told_lost; /* of json's lines, those that standard error has heard of; the main thread's */
};

/*
 * @where: a path, "-" for standard error, "fd:N" for an open descriptor, NULL for none.
 * Return: 0, or an exit status, told.
 */
int fbk_eventlog_open(struct fbk_eventlog *l, const char *where);

/* Any thread. Return: true: the main thread should call fbk_eventlog_drain() once it can write. */
bool fbk_eventlog_tell(struct fbk_eventlog *l, const struct fbk_event *ev);
bool fbk_eventlog_tell_ack(struct fbk_eventlog *l, const struct fbk_event_ack *ack);

/* Main thread: what waits, and on standard error what was lost. */
void fbk_eventlog_drain(struct fbk_eventlog *l);
void fbk_eventlog_close(struct fbk_eventlog *l);

#endif
