/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* size.c - see size.h */
#include "size.h"

#include <errno.h>
#include <stdio.h>

int fbk_size_parse(const char *s, uint64_t *ret_bytes)
{
	unsigned int shift = 20;
	uint64_t n = 0;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (n > (UINT64_MAX - 9) / 10)
			return -EINVAL;
		n = n * 10 + (*s - '0');
	}
	switch (*s) {
	case '\0':
		break;
	case 'K': case 'k':
		shift = 10;
		s++;
		break;
	case 'M': case 'm':
		s++;
		break;
	case 'G': case 'g':
		shift = 30;
		s++;
		break;
	default:
		return -EINVAL;
	}
	if (*s || n > UINT64_MAX >> shift)
		return -EINVAL;
	*ret_bytes = n << shift;
	return 0;
}

const char *fbk_size_format(uint64_t bytes, char ret[FBK_SIZE_TEXT])
{
	static const char *const unit[] = { "KiB", "MiB", "GiB" };
	unsigned int i = 0;
	uint64_t n = bytes >> 10;

	while (i < 2 && n && n % 1024 == 0) {
		n /= 1024;
		i++;
	}
	snprintf(ret, FBK_SIZE_TEXT, "%llu %s", (unsigned long long)n, unit[i]);
	return ret;
}
