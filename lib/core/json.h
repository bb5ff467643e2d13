/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * json.h - JSON text [JSON] by way of a writer. Commas come by themselves.
 */
#ifndef FBK_CORE_JSON_H
#define FBK_CORE_JSON_H

#include "writer.h"

/* Members: a key, and what it says. */
void fbk_json_key(struct fbk_writer *w, const char *k);
void fbk_json_null(struct fbk_writer *w, const char *k);
void fbk_json_bool(struct fbk_writer *w, const char *k, int v);
void fbk_json_uint(struct fbk_writer *w, const char *k, uint64_t v);
void fbk_json_int(struct fbk_writer *w, const char *k, int32_t v);
/* Addresses and registers are strings: a JSON number is exact to 53 bits only. Not valid: null. */
void fbk_json_hex(struct fbk_writer *w, const char *k, int valid, uint64_t v);
void fbk_json_text(struct fbk_writer *w, const char *k, const char *v); /* NULL: null */
void fbk_json_error(struct fbk_writer *w, const char *k, int32_t err); /* an errno's name; null from 0 up */
void fbk_json_time(struct fbk_writer *w, const char *k, uint64_t time_ns);
void fbk_json_object(struct fbk_writer *w, const char *k);
void fbk_json_end(struct fbk_writer *w);

/* An array of objects. */
void fbk_json_array(struct fbk_writer *w, const char *k);
void fbk_json_item(struct fbk_writer *w); /* ended by fbk_json_end() */
void fbk_json_array_end(struct fbk_writer *w);

#endif
