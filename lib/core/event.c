/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * event.c - one event as one JSON line. Fields: docs/formats/events.md.
 */
#include <firebreak/event.h>

#include "json.h"

#include <errno.h>
#include <limits.h>

static void put_error(struct fbk_json *w, const char *k, int32_t err)
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
	fbk_json_raw(w, "\"errno ");
	fbk_json_digits(w, (uint64_t)-(int64_t)err, 10, 1);
	fbk_json_raw(w, "\"");
}

static void put_abort(struct fbk_json *w, const struct fbk_abort *a)
{
	int has_esr = !!(a->flags & FBK_SEA_HAS_ESR);

	fbk_json_text(w, "class", fbk_sea_kind_name(a->kind));
	fbk_json_text(w, "severity", fbk_severity_name(a->severity));
	fbk_json_bool(w, "severity_stated", a->flags & FBK_SEA_HAS_SET);
	fbk_json_text(w, "status", has_esr ? fbk_sea_status_text((uint32_t)a->esr & 0x3f) : NULL);
	fbk_json_hex(w, "esr", has_esr, a->esr);
	fbk_json_hex(w, "gva", a->flags & FBK_SEA_HAS_GVA, a->gva.addr);
	fbk_json_hex(w, "gpa", a->flags & FBK_SEA_HAS_GPA, a->gpa.addr);
	if (a->flags & FBK_SEA_ON_WALK)
		fbk_json_int(w, "walk_level", a->walk_level);
	else
		fbk_json_null(w, "walk_level");
	fbk_json_bool(w, "parity", a->flags & FBK_SEA_PARITY);
	fbk_json_bool(w, "ea", a->flags & FBK_SEA_EA);
	fbk_json_bool(w, "cm", a->flags & FBK_SEA_CM);
	fbk_json_bool(w, "wnr", a->flags & FBK_SEA_WRITE);
}

int fbk_event_json(const struct fbk_event *ev, char *buf, size_t len)
{
	struct fbk_json w = { .buf = buf, .len = len < INT_MAX ? len : INT_MAX };

	if (!ev || !buf)
		return -EINVAL;

	fbk_json_raw(&w, "{");
	fbk_json_uint(&w, "seq", ev->seq);
	fbk_json_time(&w, "time", ev->time_ns);
	fbk_json_uint(&w, "mono_ns", ev->mono_ns);
	fbk_json_text(&w, "source", fbk_source_name(ev->source));
	if (ev->vcpu < 0)
		fbk_json_null(&w, "vcpu");
	else
		fbk_json_int(&w, "vcpu", ev->vcpu);
	if (ev->el < 0)
		fbk_json_null(&w, "el");
	else
		fbk_json_int(&w, "el", ev->el);

	fbk_json_object(&w, "raw");
	fbk_json_hex(&w, "flags", 1, ev->raw_flags);
	fbk_json_hex(&w, "esr", 1, ev->raw_esr);
	fbk_json_end(&w);
	put_error(&w, "decode_error", ev->decode);
	fbk_json_object(&w, "abort");
	if (ev->decode == 0)
		put_abort(&w, &ev->abort);
	fbk_json_end(&w);
	fbk_json_hex(&w, "hva", ev->hva.addr != 0, ev->hva.addr);
	fbk_json_uint(&w, "pages", ev->pages);

	fbk_json_object(&w, "ledger");
	put_error(&w, "error", ev->ledger);
	fbk_json_bool(&w, "new", ev->ledger == 1);
	fbk_json_uint(&w, "count", ev->count);
	fbk_json_bool(&w, "in_file", ev->ledger_file == 1);
	put_error(&w, "file_error", ev->ledger_file);
	fbk_json_end(&w);

	fbk_json_text(&w, "verdict", fbk_verdict_name(ev->verdict.action));
	fbk_json_text(&w, "reason", fbk_reason_name(ev->verdict.reason));
	fbk_json_text(&w, "text", ev->verdict.text);

	fbk_json_object(&w, "notify");
	fbk_json_text(&w, "method", fbk_notify_name(ev->notify));
	put_error(&w, "error", ev->notify_err);
	fbk_json_uint(&w, "ack_wait_ns", ev->ack_wait_ns);
	fbk_json_uint(&w, "record", ev->record);
	fbk_json_end(&w);

	fbk_json_object(&w, "replay");
	fbk_json_text(&w, "method", fbk_replay_name(ev->replay));
	put_error(&w, "error", ev->replay_err);
	fbk_json_int(&w, "errno", ev->sys_errno);
	fbk_json_end(&w);

	fbk_json_uint(&w, "repeats", ev->repeats);
	fbk_json_uint(&w, "duration_ns", ev->duration_ns);
	fbk_json_raw(&w, "}\n");
	fbk_json_bytes(&w, "", 1);
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
