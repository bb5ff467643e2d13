/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * event.c - one event, or one acknowledgement, as one JSON line. Fields: docs/formats/events.md.
 */
#include <firebreak/event.h>

#include "json.h"

#include <errno.h>
#include <limits.h>

static void put_abort(struct fbk_writer *w, const struct fbk_abort *a)
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

/* Zeros: the monitor did not say whose it is. */
static void put_vm(struct fbk_writer *w, const uint8_t id[FBK_VM_ID_LEN])
{
	uint32_t i;

	for (i = 0; i < FBK_VM_ID_LEN && !id[i]; i++)
		;
	if (i == FBK_VM_ID_LEN) {
		fbk_json_null(w, "vm");
		return;
	}
	fbk_json_key(w, "vm");
	fbk_put_text(w, "\"");
	fbk_put_uuid(w, id);
	fbk_put_text(w, "\"");
}

static void put_steps(struct fbk_writer *w, const struct fbk_event *ev)
{
	uint32_t i;

	fbk_json_object(w, "steps_ns");
	for (i = 0; i < FBK_NR_STEPS; i++)
		fbk_json_uint(w, fbk_step_name((enum fbk_step)i), ev->step_ns[i]);
	fbk_json_end(w);
}

int fbk_event_json(const struct fbk_event *ev, char *buf, size_t len)
{
	struct fbk_writer w = { .buf = buf, .len = len < INT_MAX ? len : INT_MAX };

	if (!ev || !buf)
		return -EINVAL;

	fbk_put_text(&w, "{");
	fbk_json_text(&w, "kind", "error");
	put_vm(&w, ev->vm);
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
	fbk_json_error(&w, "decode_error", ev->decode);
	fbk_json_object(&w, "abort");
	if (ev->decode == 0)
		put_abort(&w, &ev->abort);
	fbk_json_end(&w);
	fbk_json_hex(&w, "hva", ev->hva.addr != 0, ev->hva.addr);
	fbk_json_uint(&w, "pages", ev->pages);

	fbk_json_object(&w, "ledger");
	fbk_json_error(&w, "error", ev->ledger);
	fbk_json_bool(&w, "new", ev->ledger == 1);
	fbk_json_uint(&w, "count", ev->count);
	fbk_json_bool(&w, "in_file", ev->ledger_file == 1);
	fbk_json_error(&w, "file_error", ev->ledger_file);
	fbk_json_end(&w);

	fbk_json_text(&w, "verdict", fbk_verdict_name(ev->verdict.action));
	fbk_json_text(&w, "reason", fbk_reason_name(ev->verdict.reason));
	fbk_json_text(&w, "text", ev->verdict.text);

	fbk_json_object(&w, "notify");
	fbk_json_text(&w, "method", fbk_notify_name(ev->notify));
	fbk_json_error(&w, "error", ev->notify_err);
	fbk_json_uint(&w, "ack_wait_ns", ev->ack_wait_ns);
	fbk_json_uint(&w, "record", ev->record);
	fbk_json_end(&w);
	if (ev->acknowledged < 0)
		fbk_json_null(&w, "acknowledged");
	else
		fbk_json_bool(&w, "acknowledged", ev->acknowledged);

	fbk_json_object(&w, "retire");
	fbk_json_text(&w, "outcome", fbk_retired_name(ev->retire));
	fbk_json_error(&w, "error", ev->retire_err);
	fbk_json_text(&w, "frame", fbk_frame_name(ev->frame));
	fbk_json_end(&w);

	fbk_json_object(&w, "replay");
	fbk_json_text(&w, "method", fbk_replay_name(ev->replay));
	fbk_json_error(&w, "error", ev->replay_err);
	fbk_json_int(&w, "errno", ev->sys_errno);
	fbk_json_end(&w);

	fbk_json_uint(&w, "repeats", ev->repeats);
	put_steps(&w, ev);
	fbk_json_uint(&w, "duration_ns", ev->duration_ns);
	fbk_put_text(&w, "}\n");
	return fbk_writer_end(&w);
}

int fbk_event_ack_json(const struct fbk_event_ack *ack, char *buf, size_t len)
{
	struct fbk_writer w = { .buf = buf, .len = len < INT_MAX ? len : INT_MAX };
	uint32_t i;

	if (!ack || !buf || ack->nr_pages > FBK_CPER_MAX_PAGES)
		return -EINVAL;

	fbk_put_text(&w, "{");
	fbk_json_text(&w, "kind", "acknowledged");
	put_vm(&w, ack->vm);
	if (ack->seq)
		fbk_json_uint(&w, "seq", ack->seq);
	else
		fbk_json_null(&w, "seq");
	fbk_json_time(&w, "time", ack->time_ns);
	fbk_json_uint(&w, "mono_ns", ack->mono_ns);
	fbk_json_text(&w, "method", fbk_notify_name(ack->method));
	fbk_json_uint(&w, "record", ack->record);
	fbk_json_key(&w, "pages");
	fbk_put_text(&w, "[");
	for (i = 0; i < ack->nr_pages; i++) {
		fbk_put_text(&w, i ? ",\"0x" : "\"0x");
		fbk_put_number(&w, ack->pages[i].addr, 16, 1);
		fbk_put_text(&w, "\"");
	}
	fbk_put_text(&w, "]");
	fbk_json_uint(&w, "waited_ns", ack->waited_ns);
	fbk_put_text(&w, "}\n");
	return fbk_writer_end(&w);
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
	case FBK_NOTIFY_KNOWN:
		return "known";
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
	case FBK_REPLAY_SYNDROME:
		return "kernel-syndrome";
	}
	return "invalid";
}

const char *fbk_step_name(enum fbk_step step)
{
	switch (step) {
	case FBK_STEP_INSPECT:
		return "inspect";
	case FBK_STEP_NOTIFY:
		return "notify";
	case FBK_STEP_RECORD:
		return "record";
	case FBK_STEP_RETIRE:
		return "retire";
	case FBK_STEP_REPLAY:
		return "replay";
	case FBK_NR_STEPS:
		break;
	}
	return "invalid";
}

const char *fbk_retired_name(enum fbk_retired retired)
{
	switch (retired) {
	case FBK_RETIRED_NONE:
		return "none";
	case FBK_RETIRED_DONE:
		return "done";
	case FBK_RETIRED_ALREADY:
		return "already";
	case FBK_RETIRED_HOST:
		return "host";
	case FBK_RETIRED_LEFT:
		return "left";
	case FBK_RETIRED_UNAVAILABLE:
		return "unavailable";
	case FBK_RETIRED_FAILED:
		return "failed";
	case FBK_RETIRED_LATER:
		return "later";
	}
	return "invalid";
}
