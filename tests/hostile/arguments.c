/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* arguments.c - the command line, out of the flattened device tree. [DTSPEC 5] */
#include "hostile.h"

enum { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, NOP = 4 };

static const char *line = "";

static uint32_t be32(uint64_t at)
{
	return __builtin_bswap32(read32(at));
}

static size_t text_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static bool starts(const char *s, const char *with)
{
	while (*with)
		if (*s++ != *with++)
			return false;
	return true;
}

/* The first property of that name, wherever it is. */
void arguments_find(uint64_t fdt)
{
	uint64_t at = fdt + be32(fdt + 8), strings = fdt + be32(fdt + 12);

	if (be32(fdt) != 0xd00dfeed)
		return;
	for (;;) {
		uint32_t token = be32(at);

		at += 4;
		if (token == BEGIN_NODE) {
			at += (text_len((const char *)at) + 4) & ~UINT64_C(3);
		} else if (token == PROPERTY) {
			const char *name = (const char *)(strings + be32(at + 4));

			if (starts(name, "bootargs") && !name[8]) {
				line = (const char *)(at + 8);
				return;
			}
			at += 8 + ((be32(at) + 3) & ~UINT64_C(3));
		} else if (token != END_NODE && token != NOP) {
			return;
		}
	}
}

/* Behind "name=", or NULL. */
static const char *value_of(const char *name)
{
	size_t len = text_len(name);

	for (const char *p = line; *p; p++)
		if ((p == line || p[-1] == ' ') && starts(p, name) && p[len] == '=')
			return p + len + 1;
	return NULL;
}

uint64_t argument_number(const char *name, uint64_t otherwise)
{
	const char *p = value_of(name);
	uint64_t n = 0;

	if (!p)
		return otherwise;
	for (; *p >= '0' && *p <= '9'; p++)
		n = 10 * n + (uint64_t)(*p - '0');
	return n;
}

bool argument_is(const char *name, const char *value)
{
	const char *p = value_of(name);
	size_t len = text_len(value);

	return p && starts(p, value) && (!p[len] || p[len] == ' ');
}
