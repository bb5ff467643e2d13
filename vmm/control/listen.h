/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * listen.h - a Unix socket at a path: its mode is who may come in.
 */
#ifndef FBK_VMM_LISTEN_H
#define FBK_VMM_LISTEN_H

#include "place.h"

#include <sys/types.h>

struct fbk_listen {
	int fd;		     /* listens, does not block; -1: none */
	struct fbk_place at; /* its path is borrowed */
	dev_t dev;	     /* whose file lies there: ours, as long as it is this one */
	ino_t ino;
};

/*
 * Mode 0600 from its first moment on: the umask is changed for that, so no other thread may run yet. A socket that nobody
 * listens at, left by a process that was killed, is replaced.
 *
 * Errors: -EADDRINUSE somebody listens there; -EEXIST what lies there is no socket; -ENAMETOOLONG; those of the system calls.
 */
int fbk_listen_open(struct fbk_listen *l, const char *path);

/* Its file is removed, if it is still ours. */
void fbk_listen_close(struct fbk_listen *l);

#endif
