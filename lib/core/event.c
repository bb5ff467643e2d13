/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * event.c - one event as one JSON line. Fields: docs/formats/events.md.
 */
#include <firebreak/event.h>

#include "calendar.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct writer {
	char *buf;
	size_t len;
	size_t pos;
	int full;
	int comma; /* the next member needs one before it */
};

static void raw(struct writer *w, const char *s, size_t n)
{
	if (w->full || n > w->len - w->pos) {
		w->full = 1;
		return;
	}
	memcpy(w->buf + w->pos, s, n);
	w->pos += n;
}

static void text(struct writer *w, const char *s)
{
	for (; *s; s++)
		raw(w, s, 1);
}

static void number(struct writer *w, uint64_t v, uint32_t base, uint32_t width)
{
	char digits[20];
	uint32_t n = sizeof(digits);

	do {
		digits[--n] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v || sizeof(digits) - n < width);
	raw(w, digits + n, sizeof(digits) - n);
}

static void quoted(struct writer *w, const char *s)
{
	text(w, "\"");
	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;

		if (ch == '"' || ch == '\\') {
			text(w, "\\");
			raw(w, s, 1);
		} else if (ch < 0x20 || ch >= 0x7f) {
			text(w, "\\u");
			number(w, ch, 16, 4);
		} else {
			raw(w, s, 1);
		}
	}
	text(w, "\"");
}

static void key(struct writer *w, const char *k)
{
	if (w->comma)
		text(w, ",");
	w->comma = 1;
	quoted(w, k);
	text(w, ":");
}

static void put_null(struct writer *w, const char *k)
{
	key(w, k);
	text(w, "null");
}

static void put_bool(struct writer *w, const char *k, int v)
{
	key(w, k);
	text(w, v ? "true" : "false");
}

static void put_uint(struct writer *w, const char *k, uint64_t v)
{
	key(w, k);
	number(w, v, 10, 1);
}

static void put_int(struct writer *w, const char *k, int32_t v)
{
	key(w, k);
	if (v < 0)
		text(w, "-");
	number(w, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, 1);
}

/* Addresses and registers are strings: a JSON number is exact to 53 bits only. */
static void put_hex(struct writer *w, const char *k, int valid, uint64_t v)
{
	if (!valid) {
		put_null(w, k);
		return;
	}
	key(w, k);
	text(w, "\"0x");
	number(w, v, 16, 1);
	text(w, "\"");
}

static void put_text(struct writer *w, const char *k, const char *v)
{
	if (!v) {
		put_null(w, k);
		return;
	}
	key(w, k);
	quoted(w, v);
}

static void put_error(struct writer *w, const char *k, int32_t err)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {
		{ EIO, "EIO" },		{ EBUSY, "EBUSY" },	  { EINVAL, "EINVAL" }, { ENOSPC, "ENOSPC" },
		{ EAGAIN, "EAGAIN" },	{ EBADMSG, "EBADMSG" }, { ENODATA, "ENODATA" }, { EHWPOISON, "EHWPOISON" },
		{ ERANGE, "ERANGE" }, { EBADF, "EBADF" },	  { EOPNOTSUPP, "EOPNOTSUPP" },
		{ ENOENT, "ENOENT" },
	};
	size_t i;

	if (err >= 0) {
		put_null(w, k);
		return;
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].err == -(int64_t)err) {
			put_text(w, k, names[i].name);
			return;
		}
	}
	key(w, k);
	text(w, "\"errno ");
	number(w, (uint64_t)-(int64_t)err, 10, 1);
	text(w, "\"");
}

static void obj_begin(struct writer *w, const char *k)
{
	key(w, k);
	text(w, "{");
	w->comma = 0;
}

static void obj_end(struct writer *w)
{
	text(w, "}");
	w->comma = 1;
}

static void put_time(struct writer *w, const char *k, uint64_t time_ns)
{
	struct fbk_calendar t;

	fbk_calendar_from_ns(time_ns, &t);
	key(w, k);
	text(w, "\"");
	number(w, t.year, 10, 4);
	text(w, "-");
	number(w, t.month, 10, 2);
	text(w, "-");
	number(w, t.day, 10, 2);
	text(w, "T");
	number(w, t.hour, 10, 2);
	text(w, ":");
	number(w, t.minute, 10, 2);
	text(w, ":");
	number(w, t.second, 10, 2);
	text(w, ".");
	number(w, t.ns, 10, 9);
	text(w, "Z\"");
}

static void put_abort(struct writer *w, const struct fbk_abort *a)
{
	int has_esr = !!(a->flags & FBK_SEA_HAS_ESR);

	put_text(w, "class", fbk_sea_kind_name(a->kind));
	put_text(w, "severity", fbk_severity_name(a->severity));
	put_bool(w, "severity_stated", a->flags & FBK_SEA_HAS_SET);
	put_text(w, "status", has_esr ? fbk_sea_status_text((uint32_t)a->esr & 0x3f) : NULL);
	put_hex(w, "esr", has_esr, a->esr);
	put_hex(w, "gva", a->flags & FBK_SEA_HAS_GVA, a->gva.addr);
	put_hex(w, "gpa", a->flags & FBK_SEA_HAS_GPA, a->gpa.addr);
	if (a->flags & FBK_SEA_ON_WALK)
		put_int(w, "walk_level", a->walk_level);
	else
		put_null(w, "walk_level");
	put_bool(w, "parity", a->flags & FBK_SEA_PARITY);
	put_bool(w, "ea", a->flags & FBK_SEA_EA);
	put_bool(w, "cm", a->flags & FBK_SEA_CM);
	put_bool(w, "wnr", a->flags & FBK_SEA_WRITE);
}

int fbk_event_json(const struct fbk_event *ev, char *buf, size_t len)
{
	struct writer w = { .buf = buf, .len = len < INT_MAX ? len : INT_MAX };

	if (!ev || !buf)
		return -EINVAL;

	text(&w, "{");
	put_uint(&w, "seq", ev->seq);
	put_time(&w, "time", ev->time_ns);
	put_uint(&w, "mono_ns", ev->mono_ns);
	put_text(&w, "source", fbk_source_name(ev->source));
	if (ev->vcpu < 0)
		put_null(&w, "vcpu");
	else
		put_int(&w, "vcpu", ev->vcpu);
	if (ev->el < 0)
		put_null(&w, "el");
	else
		put_int(&w, "el", ev->el);

	obj_begin(&w, "raw");
	put_hex(&w, "flags", 1, ev->raw_flags);
	put_hex(&w, "esr", 1, ev->raw_esr);
	obj_end(&w);
	put_error(&w, "decode_error", ev->decode);
	obj_begin(&w, "abort");
	if (ev->decode == 0)
		put_abort(&w, &ev->abort);
	obj_end(&w);
	put_hex(&w, "hva", ev->hva.addr != 0, ev->hva.addr);
	put_uint(&w, "pages", ev->pages);

	obj_begin(&w, "ledger");
	put_error(&w, "error", ev->ledger);
	put_bool(&w, "new", ev->ledger == 1);
	put_uint(&w, "count", ev->count);
	put_bool(&w, "in_file", ev->ledger_file == 1);
	put_error(&w, "file_error", ev->ledger_file);
	obj_end(&w);

	put_text(&w, "verdict", fbk_verdict_name(ev->verdict.action));
	put_text(&w, "reason", fbk_reason_name(ev->verdict.reason));
	put_text(&w, "text", ev->verdict.text);

	obj_begin(&w, "notify");
	put_text(&w, "method", fbk_notify_name(ev->notify));
	put_error(&w, "error", ev->notify_err);
	put_uint(&w, "ack_wait_ns", ev->ack_wait_ns);
	put_uint(&w, "record", ev->record);
	obj_end(&w);

	obj_begin(&w, "replay");
	put_text(&w, "method", fbk_replay_name(ev->replay));
	put_error(&w, "error", ev->replay_err);
	put_int(&w, "errno", ev->sys_errno);
	obj_end(&w);

	put_uint(&w, "repeats", ev->repeats);
	put_uint(&w, "duration_ns", ev->duration_ns);
	text(&w, "}\n");
	raw(&w, "", 1);
	return w.full ? -ENOSPC : (int)w.pos - 1;
}

const char *fbk_notify_name(enum fbk_notify notify)
{
	switch (notify) {
	case FBK_NOTIFY_NONE:
		return "none";
	case FBK_NOTIFY_SEA:
		return "sea";
	case FBK_NOTIFY_ASYNC:
		return "async";
	case FBK_NOTIFY_QUEUED:
		return "queued";
	}
	return "invalid";
}

const char *fbk_replay_name(enum fbk_replay_method method)
{
	switch (method) {
	case FBK_REPLAY_NONE:
		return "none";
	case FBK_REPLAY_HELPER:
		return "helper";
	case FBK_REPLAY_CORRECTED:
		return "helper-corrected";
	case FBK_REPLAY_SERROR:
		return "serror";
	case FBK_REPLAY_REGISTERS:
		return "registers";
	}
	return "invalid";
}
