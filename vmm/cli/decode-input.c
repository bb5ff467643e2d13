/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* decode-input.c - see decode.h */
#include "decode.h"

#include <errno.h>

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int fbk_number_parse(const char *s, uint64_t *ret)
{
	unsigned int base = 10;
	uint64_t v = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		int d = digit((uint8_t)*s);

		if (d < 0 || d >= (int)base || v > (UINT64_MAX - (unsigned int)d) / base)
			return -EINVAL;
		v = v * base + (unsigned int)d;
	}
	*ret = v;
	return 0;
}

long fbk_hex_unwrap(uint8_t *bytes, size_t len, size_t *ret_offset)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		if (!is_space(bytes[i]) && digit(bytes[i]) < 0)
			return (long)len;
	for (i = 0; i < len; i++) {
		if (is_space(bytes[i]))
			continue;
		if (i + 1 == len || is_space(bytes[i + 1])) {
			*ret_offset = i;
			return -EBADMSG;
		}
		bytes[n++] = (uint8_t)(digit(bytes[i]) << 4 | digit(bytes[i + 1]));
		i++;
	}
	return (long)n;
}
