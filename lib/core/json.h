/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * json.h - a bounds-checked writer of JSON text [JSON].
 *
 * Commas come by themselves. What does not fit is not written, nor is anything after it: the writer is asked once, at the
 * end, whether all of it did.
 */
#ifndef FBK_CORE_JSON_H
#define FBK_CORE_JSON_H

#include <stddef.h>
#include <stdint.h>

struct fbk_json {
	char *buf;
	size_t len;
	size_t pos;
	int full;
	int comma; /* the next member needs one before it */
};

void fbk_json_bytes(struct fbk_json *w, const char *s, size_t n);
void fbk_json_raw(struct fbk_json *w, const char *s);
void fbk_json_digits(struct fbk_json *w, uint64_t v, uint32_t base, uint32_t width);
void fbk_json_quoted(struct fbk_json *w, const char *s);

/* Members: a key, and what it says. */
void fbk_json_key(struct fbk_json *w, const char *k);
void fbk_json_null(struct fbk_json *w, const char *k);
void fbk_json_bool(struct fbk_json *w, const char *k, int v);
void fbk_json_uint(struct fbk_json *w, const char *k, uint64_t v);
void fbk_json_int(struct fbk_json *w, const char *k, int32_t v);
/* Addresses and registers are strings: a JSON number is exact to 53 bits only. Not valid: null. */
void fbk_json_hex(struct fbk_json *w, const char *k, int valid, uint64_t v);
void fbk_json_text(struct fbk_json *w, const char *k, const char *v); /* NULL: null */
void fbk_json_time(struct fbk_json *w, const char *k, uint64_t time_ns);
void fbk_json_object(struct fbk_json *w, const char *k);
void fbk_json_end(struct fbk_json *w);

/* An array of objects. */
void fbk_json_array(struct fbk_json *w, const char *k);
void fbk_json_item(struct fbk_json *w); /* ended by fbk_json_end() */
void fbk_json_array_end(struct fbk_json *w);

#endif
