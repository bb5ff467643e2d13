/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * boot.h - kernel and initial RAM disk: files that are checked once and read straight into guest memory.
 */
#ifndef FBK_VMM_BOOT_H
#define FBK_VMM_BOOT_H

#include "image.h"

#include <firebreak/gmem.h>

struct fbk_boot_file {
	const char *what, *path;
	int fd;
	uint64_t len;
};

struct fbk_boot {
	struct fbk_boot_file kernel, initrd; /* initrd.len 0: none */
	struct fbk_image image;
	struct fbk_gpa entry, fdt;
};

/* Open and check both files. Return: 0, or an exit status, told on standard error. */
int fbk_boot_open(struct fbk_boot *b, const char *kernel, const char *initrd);

/* Read them into place. Return: 0, or an exit status, told. */
int fbk_boot_load(const struct fbk_boot *b, const struct fbk_gmem *gmem, const struct fbk_placement *at);

#endif
