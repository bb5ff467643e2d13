/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * size.h - amounts of memory, as people write and read them.
 */
#ifndef FBK_VMM_SIZE_H
#define FBK_VMM_SIZE_H

#include <stdint.h>

/* "512", "512M", "1g", "65536K": a plain number is MiB. Errors: -EINVAL no number, or too large for 64 bits. */
int fbk_size_parse(const char *s, uint64_t *ret_bytes);

#define FBK_SIZE_TEXT 32

/* "2 MiB", "1 GiB", "100 KiB": a whole number of the largest unit it is one of; what is left below 1 KiB is not told. Return: @ret. */
const char *fbk_size_format(uint64_t bytes, char ret[FBK_SIZE_TEXT]);

#endif
