/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * attach.h - the guest's console on a Unix socket: what is written there is typed, what the guest says is read there. One client
 * at a time; a new one takes the place of the last.
 */
#ifndef FBK_VMM_ATTACH_H
#define FBK_VMM_ATTACH_H

#include "console.h"
#include "loop.h"

struct fbk_attach {
	struct fbk_loop *loop;
	struct fbk_console *console;
	struct fbk_loop_watch listen, client; /* the latter's descriptor is -1: nobody is there */
	bool types; /* it has not said that it is done with that */
	char buf[2048];
	size_t len, sent;
};

/* @listen_fd: a listening socket that does not block; kept. Errors: -ENOSPC the loop's. */
int fbk_attach_open(struct fbk_attach *a, struct fbk_loop *loop, int listen_fd, struct fbk_console *console);

/* Before each turn of the loop, which the console's tap wakes. */
void fbk_attach_tend(struct fbk_attach *a);
void fbk_attach_close(struct fbk_attach *a);

#endif
