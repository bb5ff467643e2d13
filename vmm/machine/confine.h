/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* confine.h - --sandbox: what of the monitor is given up once everything is open. */
#ifndef FBK_VMM_CONFINE_H
#define FBK_VMM_CONFINE_H

#include "filter.h"
#include "frames.h"

#include <stdbool.h>
#include <sys/types.h>

struct fbk_monitor;

struct fbk_confine {
	struct fbk_frames frames; /* -1: bad frames are handed over by the monitor itself, if at all */
	struct fbk_filter main, vcpu, io, api;
	/* What has come of it. */
	bool filters;	 /* every thread has its own */
	bool namespaces; /* mount, IPC, UTS, and network where no network in user space needs the host's */
	bool root;	 /* the root folder is an empty one */
	int landlock;	 /* its version; 0: none */
	uid_t uid;	 /* who runs the guest */
};

/* At the start, before anything is opened. Errors are told later, where it matters. */
void fbk_confine_prepare(struct fbk_monitor *m);

/*
 * Everything is open, and there is one thread: give up what is not needed any more, and make the other threads' filters. What
 * cannot be had here is told, or with --sandbox=on refused. Return: 0, or an exit status, told.
 */
int fbk_confine_process(struct fbk_monitor *m);

/* The calling thread's filter, before it does anything for the guest. @who: its name, for as long as it lives */
void fbk_confine_thread(struct fbk_monitor *m, enum fbk_role role, const char *who);

#endif
