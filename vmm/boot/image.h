/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * image.h - the header of an arm64 Linux kernel image, and where image and initrd go.
 */
#ifndef FBK_VMM_IMAGE_H
#define FBK_VMM_IMAGE_H

#include <firebreak/types.h>

#define FBK_IMAGE_HEADER_LEN 64

struct fbk_image {
	uint64_t text_offset; /* from a 2 MiB boundary, bytes */
	uint64_t len;	      /* memory it takes, BSS included, bytes */
};

/**
 * fbk_image_parse - read the header
 * @head:     the file's first bytes
 * @head_len: how many there are; FBK_IMAGE_HEADER_LEN suffice
 * @file_len: bytes of the whole file
 * @why:      on failure, a sentence fragment that says what is wrong with the file; static storage
 *
 * Return:  0.
 * Errors:  -EBADMSG not a kernel that can be booted.
 * Spec:    [Linux "Documentation/arch/arm64/booting.rst"]
 */
int fbk_image_parse(const void *head, size_t head_len, uint64_t file_len, struct fbk_image *ret, const char **why);

/* RAM that is no memory for the guest: whole granules. Lists of them ascend, and none touches the next. */
struct fbk_bad {
	struct fbk_gpa gpa;
	uint64_t len;
};

struct fbk_placement {
	struct fbk_gpa kernel;
	struct fbk_gpa initrd;
};

/**
 * fbk_image_place - choose addresses that lie in RAM, overlap nothing and avoid what is bad
 *
 * Return:  0.
 * Errors:  -ENOSPC the kernel does not fit; -E2BIG the kernel fits, the initrd does not.
 */
int fbk_image_place(const struct fbk_image *image, uint64_t initrd_len, uint64_t ram_len, const struct fbk_bad *bad,
		    unsigned int nr_bad, struct fbk_placement *ret);

#endif
