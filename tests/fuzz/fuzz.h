/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz.h - what every target shares: the entry point, a source of decisions, and a check that cannot be compiled out.
 */
#ifndef FBK_TESTS_FUZZ_H
#define FBK_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The input, taken from the front; zeros once it is used up. */
struct fuzz {
	const uint8_t *data;
	size_t len;
};

static inline uint64_t fuzz_take(struct fuzz *f, size_t bytes)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < bytes && f->len; i++, f->data++, f->len--)
		v |= (uint64_t)*f->data << (8 * i);
	return v;
}

#endif
