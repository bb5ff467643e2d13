/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* landlock.h - which files can be found by a path, once everything is open. [Linux "Documentation/userspace-api/landlock.rst"] */
#ifndef FBK_VMM_LANDLOCK_H
#define FBK_VMM_LANDLOCK_H

#include <stdbool.h>

enum fbk_landlock_right {
	FBK_LANDLOCK_READ,    /* a file */
	FBK_LANDLOCK_REPLACE, /* a folder: files in it are made, renamed and removed */
	FBK_LANDLOCK_REMOVE,  /* a folder: files in it are removed */
};

struct fbk_landlock_grant {
	int fd; /* file or folder; O_PATH does */
	enum fbk_landlock_right right;
};

/* The kernel's version of Landlock; 0: it has none, or does not use it. */
int fbk_landlock_version(void);

/*
 * From here on the calling thread and those that it makes can open, make, rename and remove what is granted, and nothing else;
 * what is open stays open. From version 4 on no TCP port is bound, and without @connects nothing connected to; from version 6
 * on no signal leaves the process, and no abstract socket is connected to.
 *
 * Errors: -EOPNOTSUPP there is no Landlock; else a negative errno of the kernel's. It must have no_new_privs.
 */
int fbk_landlock_restrict(const struct fbk_landlock_grant *grant, unsigned int nr, bool connects);

#endif
