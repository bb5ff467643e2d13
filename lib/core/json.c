/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * json.c - see json.h
 */
#include "json.h"

#include "calendar.h"

#include <errno.h>

static void quoted(struct fbk_writer *w, const char *s)
{
	fbk_put_text(w, "\"");
	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;

		if (ch == '"' || ch == '\\') {
			fbk_put_text(w, "\\");
			fbk_put_raw(w, s, 1);
		} else if (ch < 0x20 || ch >= 0x7f) {
			fbk_put_text(w, "\\u");
			fbk_put_number(w, ch, 16, 4);
		} else {
			fbk_put_raw(w, s, 1);
		}
	}
	fbk_put_text(w, "\"");
}

void fbk_json_key(struct fbk_writer *w, const char *k)
{
	if (w->comma)
		fbk_put_text(w, ",");
	w->comma = 1;
	quoted(w, k);
	fbk_put_text(w, ":");
}

void fbk_json_null(struct fbk_writer *w, const char *k)
{
	fbk_json_key(w, k);
	fbk_put_text(w, "null");
}

void fbk_json_bool(struct fbk_writer *w, const char *k, int v)
{
	fbk_json_key(w, k);
	fbk_put_text(w, v ? "true" : "false");
}

void fbk_json_uint(struct fbk_writer *w, const char *k, uint64_t v)
{
	fbk_json_key(w, k);
	fbk_put_number(w, v, 10, 1);
}

void fbk_json_int(struct fbk_writer *w, const char *k, int32_t v)
{
	fbk_json_key(w, k);
	if (v < 0)
		fbk_put_text(w, "-");
	fbk_put_number(w, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, 1);
}

void fbk_json_hex(struct fbk_writer *w, const char *k, int valid, uint64_t v)
{
	if (!valid) {
		fbk_json_null(w, k);
		return;
	}
	fbk_json_key(w, k);
	fbk_put_text(w, "\"0x");
	fbk_put_number(w, v, 16, 1);
	fbk_put_text(w, "\"");
}

void fbk_json_text(struct fbk_writer *w, const char *k, const char *v)
{
	if (!v) {
		fbk_json_null(w, k);
		return;
	}
	fbk_json_key(w, k);
	quoted(w, v);
}

void fbk_json_object(struct fbk_writer *w, const char *k)
{
	fbk_json_key(w, k);
	fbk_put_text(w, "{");
	w->comma = 0;
}

void fbk_json_end(struct fbk_writer *w)
{
	fbk_put_text(w, "}");
	w->comma = 1;
}

void fbk_json_time(struct fbk_writer *w, const char *k, uint64_t time_ns)
{
	struct fbk_calendar t;

	fbk_calendar_from_ns(time_ns, &t);
	fbk_json_key(w, k);
	fbk_put_text(w, "\"");
	fbk_put_number(w, t.year, 10, 4);
	fbk_put_text(w, "-");
	fbk_put_number(w, t.month, 10, 2);
	fbk_put_text(w, "-");
	fbk_put_number(w, t.day, 10, 2);
	fbk_put_text(w, "T");
	fbk_put_number(w, t.hour, 10, 2);
	fbk_put_text(w, ":");
	fbk_put_number(w, t.minute, 10, 2);
	fbk_put_text(w, ":");
	fbk_put_number(w, t.second, 10, 2);
	fbk_put_text(w, ".");
	fbk_put_number(w, t.ns, 10, 9);
	fbk_put_text(w, "Z\"");
}

void fbk_json_array(struct fbk_writer *w, const char *k)
{
	fbk_json_key(w, k);
	fbk_put_text(w, "[");
	w->comma = 0;
}

void fbk_json_item(struct fbk_writer *w)
{
	fbk_put_text(w, w->comma ? ",{" : "{");
	w->comma = 0;
}

void fbk_json_array_end(struct fbk_writer *w)
{
	fbk_put_text(w, "]");
	w->comma = 1;
}

void fbk_json_error(struct fbk_writer *w, const char *k, int32_t err)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {
		{ EIO, "EIO" },		{ EBUSY, "EBUSY" },	  { EINVAL, "EINVAL" }, { ENOSPC, "ENOSPC" },
		{ EAGAIN, "EAGAIN" },	{ EBADMSG, "EBADMSG" }, { ENODATA, "ENODATA" }, { EHWPOISON, "EHWPOISON" },
		{ ERANGE, "ERANGE" }, { EBADF, "EBADF" },	  { EOPNOTSUPP, "EOPNOTSUPP" },
		{ ENOENT, "ENOENT" }, { ENOMEM, "ENOMEM" }, { EPERM, "EPERM" }, { EEXIST, "EEXIST" },
	};
	size_t i;

	if (err >= 0) {
		fbk_json_null(w, k);
		return;
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].err == -(int64_t)err) {
			fbk_json_text(w, k, names[i].name);
			return;
		}
	}
	fbk_json_key(w, k);
	fbk_put_text(w, "\"errno ");
	fbk_put_number(w, (uint64_t)-(int64_t)err, 10, 1);
	fbk_put_text(w, "\"");
}
