/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * eventlog.h - where each error is told: a JSON line to --events, and a line of account on standard error.
 */
#ifndef FBK_VMM_EVENTLOG_H
#define FBK_VMM_EVENTLOG_H

#include <firebreak/event.h>

struct fbk_eventlog {
	int fd; /* -1: none */
	int failed;
};

/*
 * @where: a path, "-" for standard error, "fd:N" for an open descriptor, NULL for none.
 * Return: 0, or an exit status, told.
 */
int fbk_eventlog_open(struct fbk_eventlog *l, const char *where);

/* Any thread. */
void fbk_eventlog_tell(struct fbk_eventlog *l, const struct fbk_event *ev);

#endif
