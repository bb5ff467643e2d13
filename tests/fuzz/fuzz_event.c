/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_event.c - any event or acknowledgement, even one with values outside every enumeration, is one line of JSON or does
 * not fit; any counters are a text of metrics.
 */
#include "fuzz.h"

#include "json.h"

#include <firebreak/event.h>
#include <firebreak/metrics.h>

#include <errno.h>

/* One object and a newline, of the length that was returned. */
static void check_line(const char *buf, int got)
{
	const char *end = json_value(buf);

	CHECK(strlen(buf) == (size_t)got);
	CHECK(end && !strcmp(end, "\n"));
}

static void acknowledgement(const uint8_t *data, size_t len)
{
	char buf[FBK_EVENT_JSON_MAX];
	struct fbk_event_ack ack = { 0 };
	int got;

	memcpy(&ack, data, len < sizeof(ack) ? len : sizeof(ack));
	got = fbk_event_ack_json(&ack, buf, sizeof(buf));
	if (ack.nr_pages > FBK_CPER_MAX_PAGES) {
		CHECK(got == -EINVAL);
		ack.nr_pages %= FBK_CPER_MAX_PAGES + 1;
		got = fbk_event_ack_json(&ack, buf, sizeof(buf));
	}
	CHECK(got > 0);
	check_line(buf, got);
	CHECK(fbk_event_ack_json(&ack, buf, (size_t)got) == -ENOSPC);
}

/* [PROM-TEXT] a label's value: a quote, a backslash and a newline are escaped, and nothing else is. NULL: it is not. */
static const char *label_value(const char *s)
{
	if (*s++ != '"')
		return NULL;
	for (; *s != '"'; s++) {
		if (*s == '\0' || *s == '\n')
			return NULL;
		if (*s == '\\' && *++s != '\\' && *s != '"' && *s != 'n')
			return NULL;
	}
	return s + 1;
}

static const char *name(const char *s)
{
	if (!(*s >= 'a' && *s <= 'z'))
		return NULL;
	while ((*s >= 'a' && *s <= 'z') || *s == '_')
		s++;
	return s;
}

/* A sample: name{label="value",...} number. Behind its newline; NULL when it is none. */
static const char *sample(const char *s)
{
	size_t digits;

	s = name(s);
	if (s && *s == '{') {
		do {
			s = name(s + 1);
			if (!s || *s++ != '=')
				return NULL;
			s = label_value(s);
		} while (s && *s == ',');
		if (!s || *s++ != '}')
			return NULL;
	}
	if (!s || *s++ != ' ')
		return NULL;
	digits = strspn(s, "0123456789.");
	return digits && s[digits] == '\n' ? s + digits + 1 : NULL;
}

static void metrics(const uint8_t *data, size_t len, const char *vm)
{
	static char buf[FBK_METRICS_TEXT_MAX];
	struct fbk_metrics m = { 0 };
	const char *s = buf;
	int got;

	memcpy(&m, data, len < sizeof(m) ? len : sizeof(m));
	m.size = sizeof(m);
	got = fbk_metrics_text(&m, vm, buf, sizeof(buf));
	if (got < 0) {
		/* Only a label that stands in every line can be too long. */
		CHECK(got == -ENOSPC && vm);
		return;
	}
	CHECK(strlen(buf) == (size_t)got);
	while (s && *s)
		s = *s == '#' ? strchr(s, '\n') + 1 : sample(s);
	CHECK(s);
	CHECK(fbk_metrics_text(&m, vm, buf, (size_t)got) == -ENOSPC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char buf[FBK_EVENT_JSON_MAX], text[64] = { 0 };
	struct fbk_event ev = { 0 };
	size_t n = len < sizeof(ev) ? len : sizeof(ev);
	int got;

	memcpy(&ev, data, n);
	memcpy(text, data + n, len - n < sizeof(text) - 1 ? len - n : sizeof(text) - 1);
	/* The one pointer. */
	ev.verdict.text = len & 1 ? text : NULL;
	acknowledgement(data, len);
	metrics(data, len, ev.verdict.text);
	got = fbk_event_json(&ev, buf, sizeof(buf));
	if (got < 0) {
		/* Only a text that blows up when escaped can be too long. */
		CHECK(got == -ENOSPC && strlen(text) > 0);
		return 0;
	}
	check_line(buf, got);
	CHECK(fbk_event_json(&ev, buf, (size_t)got) == -ENOSPC);
	return 0;
}
