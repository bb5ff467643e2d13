/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* place.h - where a file lies, kept: its folder opened, so that it is found there whatever has become of paths. */
#ifndef FBK_VMM_PLACE_H
#define FBK_VMM_PLACE_H

struct fbk_place {
	int dirfd; /* for *at() calls only, as O_PATH */
	const char *name;
};

/* @path: borrowed for as long as the place is used. Errors: negative errno of the system call, -ENAMETOOLONG. */
int fbk_place_open(struct fbk_place *p, const char *path);
void fbk_place_close(struct fbk_place *p);

#endif
