/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * event-words.c - one line of events as a paragraph for people. The format: docs/formats/events.md.
 *
 * The line is anybody's. Its keys are looked at once, all of them, by the tables below; what has passed is then of the type
 * that the sentences take it for. Later versions may have more keys and more words: a word without a meaning here is shown
 * as it stands, a key is named to the caller.
 */
#include "decode.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what a line must have ----------------------------------------------------------------------------------------- */

enum type {
	IS_NULL = 1 << 0,
	IS_BOOL = 1 << 1,
	IS_NUMBER = 1 << 2, /* an integer */
	IS_TEXT = 1 << 3,
	IS_HEX = 1 << 4, /* "0x", and up to 16 digits: also a text */
	IS_OBJECT = 1 << 5,
	IS_PAGES = 1 << 6, /* an array of IS_HEX */
	IS_OTHER = 1 << 7,
};

struct key {
	const char *object; /* NULL: the line itself */
	const char *name;
	unsigned int types;
};

static const struct key error_keys[] = {
	{ NULL, "kind", IS_TEXT },
	{ NULL, "vm", IS_TEXT | IS_NULL },
	{ NULL, "seq", IS_NUMBER },
	{ NULL, "time", IS_TEXT },
	{ NULL, "mono_ns", IS_NUMBER },
	{ NULL, "source", IS_TEXT },
	{ NULL, "vcpu", IS_NUMBER | IS_NULL },
	{ NULL, "el", IS_NUMBER | IS_NULL },
	{ NULL, "raw", IS_OBJECT },
	{ "raw", "flags", IS_HEX },
	{ "raw", "esr", IS_HEX },
	{ NULL, "decode_error", IS_TEXT | IS_NULL },
	{ NULL, "abort", IS_OBJECT },
	{ "abort", "class", IS_TEXT },
	{ "abort", "severity", IS_TEXT },
	{ "abort", "severity_stated", IS_BOOL },
	{ "abort", "status", IS_TEXT | IS_NULL },
	{ "abort", "esr", IS_HEX | IS_NULL },
	{ "abort", "gva", IS_HEX | IS_NULL },
	{ "abort", "gpa", IS_HEX | IS_NULL },
	{ "abort", "walk_level", IS_NUMBER | IS_NULL },
	{ "abort", "parity", IS_BOOL },
	{ "abort", "ea", IS_BOOL },
	{ "abort", "cm", IS_BOOL },
	{ "abort", "wnr", IS_BOOL },
	{ NULL, "hva", IS_HEX | IS_NULL },
	{ NULL, "pages", IS_NUMBER },
	{ NULL, "ledger", IS_OBJECT },
	{ "ledger", "error", IS_TEXT | IS_NULL },
	{ "ledger", "new", IS_BOOL },
	{ "ledger", "count", IS_NUMBER },
	{ "ledger", "in_file", IS_BOOL },
	{ "ledger", "file_error", IS_TEXT | IS_NULL },
	{ NULL, "verdict", IS_TEXT },
	{ NULL, "reason", IS_TEXT },
	{ NULL, "text", IS_TEXT | IS_NULL },
	{ NULL, "notify", IS_OBJECT },
	{ "notify", "method", IS_TEXT },
	{ "notify", "error", IS_TEXT | IS_NULL },
	{ "notify", "ack_wait_ns", IS_NUMBER },
	{ "notify", "record", IS_NUMBER },
	{ NULL, "acknowledged", IS_BOOL | IS_NULL },
	{ NULL, "retire", IS_OBJECT },
	{ "retire", "outcome", IS_TEXT },
	{ "retire", "error", IS_TEXT | IS_NULL },
	{ "retire", "frame", IS_TEXT },
	{ NULL, "replay", IS_OBJECT },
	{ "replay", "method", IS_TEXT },
	{ "replay", "error", IS_TEXT | IS_NULL },
	{ "replay", "errno", IS_NUMBER },
	{ NULL, "repeats", IS_NUMBER },
	{ NULL, "steps_ns", IS_OBJECT },
	{ "steps_ns", "inspect", IS_NUMBER },
	{ "steps_ns", "notify", IS_NUMBER },
	{ "steps_ns", "record", IS_NUMBER },
	{ "steps_ns", "retire", IS_NUMBER },
	{ "steps_ns", "replay", IS_NUMBER },
	{ NULL, "duration_ns", IS_NUMBER },
};

static const struct key ack_keys[] = {
	{ NULL, "kind", IS_TEXT },	{ NULL, "vm", IS_TEXT | IS_NULL },  { NULL, "seq", IS_NUMBER | IS_NULL },
	{ NULL, "time", IS_TEXT },	{ NULL, "mono_ns", IS_NUMBER },	    { NULL, "method", IS_TEXT },
	{ NULL, "record", IS_NUMBER },	{ NULL, "pages", IS_PAGES },	    { NULL, "waited_ns", IS_NUMBER },
};

/* Why a line is refused, or what of it was passed over. */
struct complaint {
	char *buf;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static int complain(const struct complaint *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(c->buf, c->len, format, ap);
	va_end(ap);
	/* Some of it may be the line's own words: nothing that a terminal would obey. */
	for (char *p = c->buf; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return -EBADMSG;
}

static bool is_hex(const json_t *v)
{
	const char *s = json_string_value(v);
	size_t n;

	if (strncmp(s, "0x", 2) || strlen(s) != json_string_length(v))
		return false;
	n = strspn(s + 2, "0123456789abcdef");
	return n && n <= 16 && !s[2 + n];
}

static unsigned int type_of(const json_t *v)
{
	const json_t *page;
	size_t i;

	switch (json_typeof(v)) {
	case JSON_NULL:
		return IS_NULL;
	case JSON_TRUE:
	case JSON_FALSE:
		return IS_BOOL;
	case JSON_INTEGER:
		return IS_NUMBER;
	case JSON_STRING:
		return is_hex(v) ? IS_TEXT | IS_HEX : IS_TEXT;
	case JSON_OBJECT:
		return IS_OBJECT;
	case JSON_ARRAY:
		json_array_foreach(v, i, page)
			if (!(type_of(page) & IS_HEX))
				return IS_OTHER;
		return IS_PAGES;
	default:
		return IS_OTHER;
	}
}

static const char *type_name(unsigned int types)
{
	return types & IS_HEX ? "a hexadecimal number as a string" :
	       types & IS_TEXT ? "a string" :
	       types & IS_NUMBER ? "an integer" :
	       types & IS_BOOL ? "true or false" :
	       types & IS_OBJECT ? "an object" :
				   "an array of hexadecimal numbers as strings";
}

static bool is_key(const struct key *keys, size_t nr, const char *object, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(keys[i].name, name) && (object ? keys[i].object && !strcmp(keys[i].object, object) : !keys[i].object))
			return true;
	return false;
}

/* What @in has that no table names. Return: 1 there is something, and it was told; else 0. */
static int strangers(const struct key *keys, size_t nr, const char *object, json_t *in, const struct complaint *c)
{
	const char *name;
	json_t *v;

	json_object_foreach(in, name, v)
	{
		if (is_key(keys, nr, object, name))
			continue;
		complain(c, "a key that is not known here is passed over: %s%s%.60s", object ? object : "", object ? "." : "", name);
		return 1;
	}
	return 0;
}

/* Return: 0; 1 something was passed over. Errors: -EBADMSG. */
static int check(const struct key *keys, size_t nr, json_t *line, const struct complaint *c)
{
	bool no_abort = json_is_string(json_object_get(line, "decode_error"));
	int more = strangers(keys, nr, NULL, line, c);

	for (size_t i = 0; i < nr; i++) {
		const struct key *k = &keys[i];
		/* An object's own row comes first: it is one. */
		json_t *in = k->object ? json_object_get(line, k->object) : line;
		json_t *v = json_object_get(in, k->name);
		const char *object = k->object ? k->object : "", *dot = k->object ? "." : "";

		/* Of what is no external abort there is nothing to say. */
		if (no_abort && !strcmp(object, "abort") && !json_object_size(in))
			continue;
		if (!v)
			return complain(c, "no event: it has no %s%s%s", object, dot, k->name);
		if (!(type_of(v) & k->types))
			return complain(c, "no event: %s%s%s is not %s%s", object, dot, k->name, type_name(k->types),
					k->types & IS_NULL ? ", nor null" : "");
		if (k->types & IS_OBJECT && !more)
			more = strangers(keys, nr, k->name, v, c);
	}
	return more;
}

/* --- words --------------------------------------------------------------------------------------------------------- */

struct word {
	const char *word, *means;
};

#define WORDS(name) static const struct word name[]
#define PUT_WORD(o, words, s) put_word(o, words, sizeof(words) / sizeof((words)[0]), s)

WORDS(sources) = {
	{ "sea", "met a bad page, and KVM gave its abort to the monitor" },
	{ "sigbus-ar", "met a page that the host knows to be bad (SIGBUS, BUS_MCEERR_AR)" },
	{ "sigbus-ao", "was told of a bad page that nobody has touched (SIGBUS, BUS_MCEERR_AO)" },
	{ "sigbus-io", "met a page that the host knows to be bad on a thread that runs no vCPU (SIGBUS, BUS_MCEERR_AR)" },
	{ "memory-fault", "could not be run on for a page that the host knows to be bad (KVM_RUN, EHWPOISON)" },
};

WORDS(classes) = {
	{ "data", "a data abort" },
	{ "instruction", "an instruction abort" },
	{ "unknown", "data or instruction, nothing tells" },
};

WORDS(severities) = {
	{ "recoverable", "recoverable (UER)" },
	{ "restartable", "restartable (UEO)" },
	{ "uncontainable", "uncontainable (UC)" },
	{ "reserved", "a reserved value" },
};

WORDS(verdicts) = {
	{ "replay", "replay, the vCPU gets the same abort" },
	{ "report", "report, the guest is told if it can be, and nothing else is done" },
	{ "serror", "serror, the vCPU gets an SError" },
	{ "stop", "stop, the VM is ended" },
	{ "pause", "pause, the VM is held" },
};

WORDS(replays) = {
	{ "none", "No abort was given to the vCPU" },
	{ "helper", "The abort was replayed by the kernel's helper" },
	{ "helper-corrected", "The abort was replayed by the kernel's helper, and ESR_EL1 and FAR_EL1 were put right" },
	{ "kernel-syndrome", "The abort was replayed by the kernel with its whole syndrome" },
	{ "registers", "The abort was replayed by registers, the whole exception entry" },
	{ "serror", "An SError was given to the vCPU" },
};

WORDS(told) = {
	{ "none", "The guest was not told of the page" },
	{ "sea", "The guest was told of the page by a record in its SEA source" },
	{ "async", "The guest was told of the page by a record in its asynchronous source" },
	{ "queued", "The guest will be told of the page when the asynchronous source is free" },
	{ "known", "The guest was not told again, it has acknowledged a record of the page" },
};

WORDS(outcomes) = {
	{ "none", "Nobody asked for the page to be taken out of reach" },
	{ "done", "The page was taken out of the guest's and the monitor's reach" },
	{ "already", "The page was out of reach already, what was met is the marker" },
	{ "host", "The host's kernel has taken the page" },
	{ "left", "The page was left in the guest's reach on purpose" },
	{ "later", "The page will be taken out of reach when the guest has acknowledged the record" },
	{ "unavailable", "The page could not be taken out of reach" },
	{ "failed", "The kernel refused half-way to take the page out of reach" },
};

WORDS(frames) = {
	{ "unknown", "its frame is where it was" },
	{ "pinned", "this process holds its frame" },
	{ "host", "the host's kernel has its frame" },
};

/* One without a meaning here is a newer version's, or whatever: as it stands. */
static void put_word(FILE *o, const struct word *words, size_t nr, const char *s)
{
	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(words[i].word, s)) {
			fputs(words[i].means, o);
			return;
		}
	}
	fprintf(o, "\"%s\" (a word that is not known here)", s);
}

static const char *text(const json_t *in, const char *name)
{
	return json_string_value(json_object_get(in, name));
}

static int64_t number(const json_t *in, const char *name)
{
	return json_integer_value(json_object_get(in, name));
}

static bool is_true(const json_t *in, const char *name)
{
	return json_is_true(json_object_get(in, name));
}

static bool is_null(const json_t *in, const char *name)
{
	return json_is_null(json_object_get(in, name));
}

static void put_duration(FILE *o, int64_t ns)
{
	if (ns < 10000)
		fprintf(o, "%" PRId64 " ns", ns);
	else if (ns < 10000000)
		fprintf(o, "%.1f us", (double)ns / 1e3);
	else if (ns < 10000000000)
		fprintf(o, "%.1f ms", (double)ns / 1e6);
	else
		fprintf(o, "%.1f s", (double)ns / 1e9);
}

/* --- sentences ------------------------------------------------------------------------------------------------------ */

static void put_who(FILE *o, const json_t *ev)
{
	const char *source = text(ev, "source");
	int64_t el = number(ev, "el");

	if (is_null(ev, "vcpu"))
		fputs("The monitor", o);
	else
		fprintf(o, "vCPU %" PRId64, number(ev, "vcpu"));
	if (!is_null(ev, "vcpu") && !is_null(ev, "el"))
		fprintf(o, ", %s (EL%" PRId64 "),", el ? "in the guest's kernel" : "in a program of the guest", el);
	fputc(' ', o);
	PUT_WORD(o, sources, source);
	fputs(". ", o);
}

static void put_abort(FILE *o, const json_t *ev)
{
	static const struct word marks[] = {
		{ "wnr", "WnR (a write)" },
		{ "cm", "CM (cache maintenance or address translation)" },
		{ "ea", "EA" },
		{ "parity", "parity or ECC" },
	};
	const json_t *a = json_object_get(ev, "abort");
	const char *between = "; marked ";

	if (!json_object_size(a)) {
		fprintf(o, "What the kernel gave is no external abort (ESR %s, flags %s: %s). ", text(json_object_get(ev, "raw"), "esr"),
			text(json_object_get(ev, "raw"), "flags"), text(ev, "decode_error"));
		return;
	}
	fputs("What: ", o);
	PUT_WORD(o, classes, text(a, "class"));
	if (!is_null(a, "status"))
		fprintf(o, ", %s", text(a, "status"));
	if (!is_null(a, "esr"))
		fprintf(o, ", ESR %s", text(a, "esr"));
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (!is_true(a, marks[i].word))
			continue;
		fprintf(o, "%s%s", between, marks[i].means);
		between = ", ";
	}
	fputs(". Where: ", o);
	if (is_null(a, "gpa"))
		fputs("no guest physical address is known", o);
	else
		fprintf(o, "guest physical address %s", text(a, "gpa"));
	if (!is_null(a, "gva"))
		fprintf(o, ", guest virtual address %s", text(a, "gva"));
	if (!is_null(a, "walk_level"))
		fprintf(o, ", in a translation table of level %" PRId64, number(a, "walk_level"));
	if (!is_null(ev, "hva"))
		fprintf(o, ", address %s in the monitor", text(ev, "hva"));
	if (number(ev, "pages"))
		fprintf(o, "; %" PRId64 " %s of 4 KiB lost", number(ev, "pages"), number(ev, "pages") == 1 ? "page" : "pages");
	fputs(". Severity: ", o);
	PUT_WORD(o, severities, text(a, "severity"));
	fputs(is_true(a, "severity_stated") ? ". " : ", assumed since the syndrome does not say. ", o);
}

static void put_ledger(FILE *o, const json_t *ev)
{
	const json_t *l = json_object_get(ev, "ledger");

	if (!is_null(l, "error")) {
		fprintf(o, "The ledger did not take it: %s (%s). ",
			strcmp(text(l, "error"), "ENODATA") ? "there is no room" : "there is no address", text(l, "error"));
		return;
	}
	if (is_true(l, "new"))
		fputs("The first error of this page", o);
	else
		fprintf(o, "A page that was known to be bad, %" PRId64 " %s so far", number(l, "count"),
			number(l, "count") == 1 ? "error" : "errors");
	if (is_true(l, "in_file"))
		fputs(", in the ledger's file", o);
	if (!is_null(l, "file_error"))
		fprintf(o, ", not in the ledger's file yet (%s)", text(l, "file_error"));
	fputs(". ", o);
}

static const char *told_error(const char *error)
{
	if (!strcmp(error, "EBUSY"))
		return "an earlier record was not acknowledged in time and was withdrawn, the asynchronous source tells of both pages";
	if (!strcmp(error, "ENOSPC"))
		return "the queue is full, it will be told from the ledger";
	if (!strcmp(error, "EHWPOISON"))
		return "the error block itself is bad";
	return "the interrupt could not be raised";
}

static void put_done(FILE *o, const json_t *ev)
{
	const json_t *replay = json_object_get(ev, "replay"), *notify = json_object_get(ev, "notify");
	const json_t *retire = json_object_get(ev, "retire");

	fputs("Verdict: ", o);
	PUT_WORD(o, verdicts, text(ev, "verdict"));
	fprintf(o, "; reason %s", text(ev, "reason"));
	if (!is_null(ev, "text"))
		fprintf(o, " (%s)", text(ev, "text"));
	fputs(". ", o);
	PUT_WORD(o, replays, text(replay, "method"));
	if (!is_null(replay, "error"))
		fprintf(o, ", but the kernel refused it and the vCPU was not run on (%s, errno %" PRId64 ")", text(replay, "error"),
			number(replay, "errno"));
	if (number(ev, "repeats") > 1)
		fprintf(o, " (number %" PRId64 " of the same in a row)", number(ev, "repeats"));
	fputs(". ", o);

	PUT_WORD(o, told, text(notify, "method"));
	if (number(notify, "record"))
		fprintf(o, " (record %" PRId64 ")", number(notify, "record"));
	if (number(notify, "ack_wait_ns")) {
		fputs(", after ", o);
		put_duration(o, number(notify, "ack_wait_ns"));
		fputs(" of waiting for an earlier one to be acknowledged", o);
	}
	if (!is_null(notify, "error"))
		fprintf(o, ", %s: %s", text(notify, "error"), told_error(text(notify, "error")));
	fputs(". ", o);
	if (!is_null(ev, "acknowledged"))
		fputs(is_true(ev, "acknowledged") ? "It had acknowledged a record of the page when this was written. " :
						    "It had not acknowledged a record of the page yet when this was written. ",
		      o);

	PUT_WORD(o, outcomes, text(retire, "outcome"));
	if (!is_null(retire, "error"))
		fprintf(o, " (%s)", text(retire, "error"));
	fputs("; ", o);
	PUT_WORD(o, frames, text(retire, "frame"));
	fputs(". ", o);
}

static void put_head(FILE *o, const json_t *line)
{
	if (!strcmp(text(line, "kind"), "error"))
		fprintf(o, "Error %" PRId64, number(line, "seq"));
	else
		fputs("Acknowledgement", o);
	if (!is_null(line, "vm"))
		fprintf(o, " of VM %s", text(line, "vm"));
	fprintf(o, ", %s:", text(line, "time"));
}

static void put_body(FILE *o, const json_t *ev)
{
	put_who(o, ev);
	put_abort(o, ev);
	put_done(o, ev);
	put_ledger(o, ev);
	fputs("It took ", o);
	put_duration(o, number(ev, "duration_ns"));
	fputs(".", o);
}

static void put_ack(FILE *o, const json_t *ack)
{
	const json_t *pages = json_object_get(ack, "pages"), *page;
	size_t i;

	fprintf(o, "The guest has read record %" PRId64 " in its %s source, ", number(ack, "record"),
		!strcmp(text(ack, "method"), "sea") ? "SEA" : !strcmp(text(ack, "method"), "async") ? "asynchronous" : text(ack, "method"));
	if (!is_null(ack, "seq"))
		fprintf(o, "which was written for error %" PRId64 ", ", number(ack, "seq"));
	fputs("and is about to isolate", o);
	if (!json_array_size(pages))
		fputs(" no page", o);
	json_array_foreach(pages, i, page)
		fprintf(o, "%s %s", i ? "," : json_array_size(pages) == 1 ? " the page" : " the pages", json_string_value(page));
	fputs("; that was seen ", o);
	put_duration(o, number(ack, "waited_ns"));
	fputs(" after the record was written.", o);
}

/* --- on paper -------------------------------------------------------------------------------------------------------- */

#define WIDTH 100

/* Lines of a width that people read. What is not plain ASCII came with the line: it is shown, and no terminal obeys it. */
static void wrap(const char *s, const char *indent, FILE *o)
{
	size_t at = 0, word;

	while (*s) {
		word = strcspn(s, " ");
		if (at && at + 1 + word > WIDTH) {
			fputc('\n', o);
			at = 0;
		}
		at += (size_t)fprintf(o, "%s", at ? " " : indent) + word;
		for (; word; word--, s++)
			fprintf(o, *s >= ' ' && *s <= '~' ? "%c" : "\\x%02x", (unsigned char)*s);
		s += strspn(s, " ");
	}
	fputc('\n', o);
}

/* Errors: -ENOMEM. */
static int print(void (*put)(FILE *, const json_t *), const json_t *line, const char *indent, FILE *o)
{
	char *paragraph = NULL;
	size_t room;
	FILE *f = open_memstream(&paragraph, &room);
	int err = 0;

	if (!f)
		return -ENOMEM;
	put(f, line);
	if (fclose(f))
		err = -ENOMEM;
	else
		wrap(paragraph, indent, o);
	free(paragraph);
	return err;
}

static int explain(json_t *line, FILE *o, const struct complaint *c)
{
	const char *kind = json_string_value(json_object_get(line, "kind"));
	void (*put)(FILE *, const json_t *);
	int r, err;

	if (!json_is_object(line))
		return complain(c, "no event: no JSON object");
	if (!kind)
		return complain(c, "no event: it has no kind that is a string");
	if (!strcmp(kind, "error")) {
		r = check(error_keys, sizeof(error_keys) / sizeof(error_keys[0]), line, c);
		put = put_body;
	} else if (!strcmp(kind, "acknowledged")) {
		r = check(ack_keys, sizeof(ack_keys) / sizeof(ack_keys[0]), line, c);
		put = put_ack;
	} else {
		return complain(c, "a kind that is not known here: %.60s", kind);
	}
	if (r < 0)
		return r;
	err = print(put_head, line, "", o);
	if (!err)
		err = print(put, line, "  ", o);
	return err ? err : r;
}

int fbk_event_explain(const char *line, size_t len, FILE *o, char *why, size_t why_len)
{
	struct complaint c = { why, why_len };
	json_error_t error;
	json_t *root;
	int r;

	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	if (!root && json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	if (!root)
		return complain(&c, "no JSON: byte %d: %.80s", error.position, error.text);
	r = explain(root, o, &c);
	json_decref(root);
	return r;
}
