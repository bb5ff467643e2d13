/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * json.c - see json.h
 */
#include "json.h"

#include "calendar.h"

#include <string.h>

void fbk_json_bytes(struct fbk_json *w, const char *s, size_t n)
{
	if (w->full || n > w->len - w->pos) {
		w->full = 1;
		return;
	}
	memcpy(w->buf + w->pos, s, n);
	w->pos += n;
}

void fbk_json_raw(struct fbk_json *w, const char *s)
{
	for (; *s; s++)
		fbk_json_bytes(w, s, 1);
}

void fbk_json_digits(struct fbk_json *w, uint64_t v, uint32_t base, uint32_t width)
{
	char digits[20];
	uint32_t n = sizeof(digits);

	do {
		digits[--n] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v || sizeof(digits) - n < width);
	fbk_json_bytes(w, digits + n, sizeof(digits) - n);
}

void fbk_json_quoted(struct fbk_json *w, const char *s)
{
	fbk_json_raw(w, "\"");
	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;

		if (ch == '"' || ch == '\\') {
			fbk_json_raw(w, "\\");
			fbk_json_bytes(w, s, 1);
		} else if (ch < 0x20 || ch >= 0x7f) {
			fbk_json_raw(w, "\\u");
			fbk_json_digits(w, ch, 16, 4);
		} else {
			fbk_json_bytes(w, s, 1);
		}
	}
	fbk_json_raw(w, "\"");
}

void fbk_json_key(struct fbk_json *w, const char *k)
{
	if (w->comma)
		fbk_json_raw(w, ",");
	w->comma = 1;
	fbk_json_quoted(w, k);
	fbk_json_raw(w, ":");
}

void fbk_json_null(struct fbk_json *w, const char *k)
{
	fbk_json_key(w, k);
	fbk_json_raw(w, "null");
}

void fbk_json_bool(struct fbk_json *w, const char *k, int v)
{
	fbk_json_key(w, k);
	fbk_json_raw(w, v ? "true" : "false");
}

void fbk_json_uint(struct fbk_json *w, const char *k, uint64_t v)
{
	fbk_json_key(w, k);
	fbk_json_digits(w, v, 10, 1);
}

void fbk_json_int(struct fbk_json *w, const char *k, int32_t v)
{
	fbk_json_key(w, k);
	if (v < 0)
		fbk_json_raw(w, "-");
	fbk_json_digits(w, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, 1);
}

void fbk_json_hex(struct fbk_json *w, const char *k, int valid, uint64_t v)
{
	if (!valid) {
		fbk_json_null(w, k);
		return;
	}
	fbk_json_key(w, k);
	fbk_json_raw(w, "\"0x");
	fbk_json_digits(w, v, 16, 1);
	fbk_json_raw(w, "\"");
}

void fbk_json_text(struct fbk_json *w, const char *k, const char *v)
{
	if (!v) {
		fbk_json_null(w, k);
		return;
	}
	fbk_json_key(w, k);
	fbk_json_quoted(w, v);
}

void fbk_json_object(struct fbk_json *w, const char *k)
{
	fbk_json_key(w, k);
	fbk_json_raw(w, "{");
	w->comma = 0;
}

void fbk_json_end(struct fbk_json *w)
{
	fbk_json_raw(w, "}");
	w->comma = 1;
}

void fbk_json_time(struct fbk_json *w, const char *k, uint64_t time_ns)
{
	struct fbk_calendar t;

	fbk_calendar_from_ns(time_ns, &t);
	fbk_json_key(w, k);
	fbk_json_raw(w, "\"");
	fbk_json_digits(w, t.year, 10, 4);
	fbk_json_raw(w, "-");
	fbk_json_digits(w, t.month, 10, 2);
	fbk_json_raw(w, "-");
	fbk_json_digits(w, t.day, 10, 2);
	fbk_json_raw(w, "T");
	fbk_json_digits(w, t.hour, 10, 2);
	fbk_json_raw(w, ":");
	fbk_json_digits(w, t.minute, 10, 2);
	fbk_json_raw(w, ":");
	fbk_json_digits(w, t.second, 10, 2);
	fbk_json_raw(w, ".");
	fbk_json_digits(w, t.ns, 10, 9);
	fbk_json_raw(w, "Z\"");
}

void fbk_json_array(struct fbk_json *w, const char *k)
{
	fbk_json_key(w, k);
	fbk_json_raw(w, "[");
	w->comma = 0;
}

void fbk_json_item(struct fbk_json *w)
{
	fbk_json_raw(w, w->comma ? ",{" : "{");
	w->comma = 0;
}

void fbk_json_array_end(struct fbk_json *w)
{
	fbk_json_raw(w, "]");
	w->comma = 1;
}
