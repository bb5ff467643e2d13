/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_decode.c - any word is a number or is not, any bytes are hexadecimal text or are not, and any syndrome has words.
 */
#include "fuzz.h"

#include "decode.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	struct fbk_esr_words words;
	uint64_t v = 42, want;
	size_t at = SIZE_MAX;
	uint8_t *p;
	char *end;
	long n;

	/* On the heap, so that not one byte more can be read; with a NUL for the word. */
	p = malloc(len + 1);
	CHECK(p);
	memcpy(p, data, len);
	p[len] = 0;
	if (fbk_number_parse((char *)p, &v) == 0) {
		errno = 0;
		want = strtoull((char *)p, &end, p[0] == '0' && (p[1] | 0x20) == 'x' ? 16 : 10);
		CHECK(!errno && !*end && v == want);
	} else {
		CHECK(v == 42);
	}
	n = fbk_hex_unwrap(p, len, &at);
	CHECK(n == -EBADMSG ? at < len : n >= 0 && (size_t)n <= len && at == SIZE_MAX);
	if ((size_t)n == len)
		CHECK(!memcmp(p, data, len));
	free(p);
	fbk_esr_explain(fuzz_take(&f, 8), &words);
	CHECK(words.nr >= 3 && words.nr <= FBK_ESR_MAX_FIELDS && words.summary);
	return 0;
}
