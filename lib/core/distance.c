/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* distance.c - see distance.h */
#include "distance.h"

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint32_t fbk_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	uint32_t row[FBK_DISTANCE_MAX + 1], diagonal, up;
	size_t i, j;

	for (j = 0; j <= b_len; j++)
		row[j] = (uint32_t)j;
	for (i = 1; i <= a_len; i++) {
		diagonal = row[0];
		row[0] = (uint32_t)i;
		for (j = 1; j <= b_len; j++) {
			up = row[j];
			row[j] = least(least(up, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = up;
		}
	}
	return row[b_len];
}
