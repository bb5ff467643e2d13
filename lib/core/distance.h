/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * distance.h - how near two words are: for "did you mean". No part of the library's interface; the monitor, which is linked
 * with the archive, has its own words to compare.
 */
#ifndef FBK_CORE_DISTANCE_H
#define FBK_CORE_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

#define FBK_DISTANCE_MAX 32 /* longest second word */

/*
 * How many letters are to be put in, left out or changed to make one word the other. Time grows with the product of the
 * lengths; @b_len is FBK_DISTANCE_MAX at most.
 */
uint32_t fbk_distance(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
