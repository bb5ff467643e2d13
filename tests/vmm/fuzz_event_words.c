/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_event_words.c - any bytes are a line of events, or are not and it is said why; and what is printed of them no terminal
 * obeys.
 */
#include "fuzz.h"

#include "decode.h"

#include <errno.h>

static int is_plain(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((s[i] < ' ' || s[i] > '~') && s[i] != '\n')
			return 0;
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char why[200] = "", *out = NULL, *line;
	size_t out_len = 0;
	FILE *f;
	int r;

	if (len > FBK_EVENT_LINE_MAX)
		return 0;
	/* On the heap, so that not one byte more can be read. */
	line = malloc(len ? len : 1);
	f = open_memstream(&out, &out_len);
	CHECK(line && f);
	memcpy(line, data, len);
	r = fbk_event_explain(line, len, f, why, sizeof(why));
	CHECK(!fclose(f));
	CHECK(r == 0 || r == 1 || r == -EBADMSG);
	CHECK(memchr(why, 0, sizeof(why)) && is_plain(why, strlen(why)) && !strchr(why, '\n'));
	CHECK((r == 0) == !why[0]);
	CHECK((r < 0) == !out_len && is_plain(out, out_len));
	free(out);
	free(line);
	return 0;
}
