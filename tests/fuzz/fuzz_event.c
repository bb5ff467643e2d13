/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_event.c - any event, even one with values outside every enumeration, is one line of JSON or does not fit.
 */
#include "fuzz.h"

#include "json.h"

#include <firebreak/event.h>

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char buf[FBK_EVENT_JSON_MAX], text[64] = { 0 };
	struct fbk_event ev = { 0 };
	const char *end;
	size_t n = len < sizeof(ev) ? len : sizeof(ev);
	int got;

	memcpy(&ev, data, n);
	memcpy(text, data + n, len - n < sizeof(text) - 1 ? len - n : sizeof(text) - 1);
	/* The one pointer. */
	ev.verdict.text = len & 1 ? text : NULL;
	got = fbk_event_json(&ev, buf, sizeof(buf));
	if (got < 0) {
		/* Only a text that blows up when escaped can be too long. */
		CHECK(got == -ENOSPC && strlen(text) > 0);
		return 0;
	}
	CHECK(strlen(buf) == (size_t)got);
	end = json_value(buf);
	CHECK(end && !strcmp(end, "\n"));
	CHECK(fbk_event_json(&ev, buf, (size_t)got) == -ENOSPC);
	return 0;
}
