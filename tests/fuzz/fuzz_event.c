/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_event.c - any event or acknowledgement, even one with values outside every enumeration, is one line of JSON or does
 * not fit; any counters are a text of metrics. An input is one of the three, so that the cheap ones are not held up.
 */
#include "fuzz.h"

#include "json.h"

#include <firebreak/event.h>
#include <firebreak/metrics.h>

#include <errno.h>

/* The first byte. */
#define KIND 3
#define TEXT 4 /* a length and a text follow */
#define BRIEFLY 8

/* One object and a newline, of the length that was returned. */
static void check_line(const char *buf, int got)
{
	const char *end = json_value(buf);

	CHECK(strlen(buf) == (size_t)got);
	CHECK(end && !strcmp(end, "\n"));
}

static void event(struct fuzz *f, const char *text)
{
	char buf[FBK_EVENT_JSON_MAX];
	struct fbk_event ev = { 0 };
	int got;

	memcpy(&ev, f->data, f->len < sizeof(ev) ? f->len : sizeof(ev));
	/* The one pointer. */
	ev.verdict.text = text;
	got = fbk_event_json(&ev, buf, sizeof(buf));
	if (got < 0) {
		/* Only a text that blows up when escaped can be too long. */
		CHECK(got == -ENOSPC && text && strlen(text) > 0);
		return;
	}
	check_line(buf, got);
	CHECK(fbk_event_json(&ev, buf, (size_t)got) == -ENOSPC);
}

static void acknowledgement(struct fuzz *f)
{
	char buf[FBK_EVENT_JSON_MAX];
	struct fbk_event_ack ack = { 0 };
	int got;

	memcpy(&ack, f->data, f->len < sizeof(ack) ? f->len : sizeof(ack));
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

/* Counters are many and mostly zero: the input says which are not, eight bytes or fewer each. */
static void count(struct fuzz *f, struct fbk_metrics *m)
{
	uint64_t *word = (uint64_t *)m;

	while (f->len) {
		uint64_t at = fuzz_take(f, 2);

		word[at % (sizeof(*m) / sizeof(*word))] = fuzz_take(f, 1 + at / 512 % 8);
	}
}

static void metrics(struct fuzz *f, const char *vm, int briefly)
{
	static char buf[FBK_METRICS_TEXT_MAX];
	struct fbk_metrics m = { 0 };
	const char *s = buf;
	int got;

	count(f, &m);
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
	/* As long again as all the rest. */
	CHECK(briefly || fbk_metrics_text(&m, vm, buf, (size_t)got) == -ENOSPC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	uint8_t what = (uint8_t)fuzz_take(&f, 1);
	char text[256], *given = NULL;
	size_t i, text_len;

	if (what & TEXT) {
		text_len = fuzz_take(&f, 1);
		for (i = 0; i < text_len; i++)
			text[i] = (char)fuzz_take(&f, 1);
		text[i] = '\0';
		given = text;
	}
	switch (what & KIND) {
	case 0:
		acknowledgement(&f);
		break;
	case 1:
		metrics(&f, given, what & BRIEFLY);
		break;
	default:
		event(&f, given);
	}
	return 0;
}
