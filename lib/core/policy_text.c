/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * policy_text.c - a policy as text, read and written. The format: docs/formats/policy.md.
 *
 * The text is an operator's: it is not hostile as a guest is, but a slip in it must not go unseen. So whatever is not
 * understood is an error, with its place and with what would be right there.
 */
#include "distance.h"
#include "policy_key.h"
#include "writer.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define VERSION 1
#define KEY_MAX FBK_DISTANCE_MAX /* longer ones are no key, nor near one */

static void put_key(struct fbk_writer *o, const struct fbk_policy_key *k)
{
	fbk_put_text(o, k->prefix);
	fbk_put_text(o, k->name);
}

static void put_value(struct fbk_writer *o, const struct fbk_policy_key *k, uint32_t value)
{
	if (k->kind == FBK_POLICY_CONSUMED || k->kind == FBK_POLICY_UNCONSUMED)
		fbk_put_text(o, fbk_verdict_name((enum fbk_verdict_action)value));
	else
		fbk_put_number(o, value, 10, 1);
}

/* What may stand there, in words. */
static void put_choice(struct fbk_writer *o, const struct fbk_policy_key *k)
{
	switch (k->kind) {
	case FBK_POLICY_CONSUMED:
		fbk_put_text(o, "one of replay, serror, pause, stop");
		break;
	case FBK_POLICY_UNCONSUMED:
		fbk_put_text(o, "one of report, pause, stop");
		break;
	default:
		fbk_put_text(o, "a number from ");
		fbk_put_number(o, k->min, 10, 1);
		fbk_put_text(o, " to ");
		fbk_put_number(o, k->max, 10, 1);
	}
}

/* --- Reading ------------------------------------------------------------------------------------------------- */

struct word {
	const char *s;
	size_t len;
};

struct reader {
	const char *text;
	size_t len;
	struct word line;
	uint32_t line_nr;
	size_t at; /* in the line */
	struct fbk_policy policy;
	uint32_t seen[FBK_POLICY_NR_KEYS]; /* the line that gives the key; 0: none yet */
	uint32_t version_line; /* the line that gives it; 0: none yet */
	struct fbk_policy_error *error; /* or NULL */
};

/* Begin the sentence about what stands @at bytes into the line; the caller may go on with it. */
static struct fbk_writer wrong(struct reader *r, size_t at, const char *what)
{
	struct fbk_writer o = { .buf = r->error->text, .len = sizeof(r->error->text) - 1 };

	/* What is not written stays zero: the sentence ends in NUL, even one that was cut short. */
	*r->error = (struct fbk_policy_error){ .line = r->line_nr, .column = (uint32_t)at + 1 };
	fbk_put_text(&o, what);
	return o;
}

static int is_blank(char ch)
{
	return ch == ' ' || ch == '\t';
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->line.len && is_blank(r->line.s[r->at]))
		r->at++;
}

static int at_end(const struct reader *r)
{
	return r->at == r->line.len || r->line.s[r->at] == '#';
}

/* Up to a blank, "=" or a comment. */
static struct word take_word(struct reader *r)
{
	struct word w = { r->line.s + r->at, 0 };

	while (!at_end(r) && !is_blank(r->line.s[r->at]) && r->line.s[r->at] != '=') {
		r->at++;
		w.len++;
	}
	return w;
}

static int word_is(const struct word *w, const char *s)
{
	size_t i;

	for (i = 0; i < w->len; i++)
		if (!s[i] || s[i] != w->s[i])
			return 0;
	return !s[w->len];
}

static int is_key(const struct word *w, const struct fbk_policy_key *k)
{
	const char *s = k->prefix;
	size_t i = 0;

	for (; *s; s++, i++)
		if (i == w->len || w->s[i] != *s)
			return 0;
	return word_is(&(struct word){ w->s + i, w->len - i }, k->name);
}

/* As it stands there, as far as it can be shown: no more than a line of it, nothing that a terminal would obey. */
static void put_word(struct fbk_writer *o, const struct word *w)
{
	size_t i, n = w->len < KEY_MAX ? w->len : KEY_MAX;

	fbk_put_text(o, "\"");
	for (i = 0; i < n; i++)
		fbk_put_raw(o, w->s[i] > ' ' && w->s[i] < 0x7f && w->s[i] != '"' ? &w->s[i] : "?", 1);
	fbk_put_text(o, n < w->len ? "...\"" : "\"");
}

static int no_such_key(struct reader *r, size_t at, const struct word *w)
{
	uint32_t i, nearest = 3, d;
	struct fbk_policy_key k;
	char name[KEY_MAX], best[KEY_MAX + 1] = "";
	struct fbk_writer o;

	for (i = 0; i < FBK_POLICY_NR_KEYS && w->len <= KEY_MAX; i++) {
		struct fbk_writer n = { .buf = name, .len = sizeof(name) };

		fbk_policy_key_at(i, &k);
		put_key(&n, &k);
		d = fbk_distance(w->s, w->len, name, n.pos);
		if (d < nearest && d < w->len) {
			nearest = d;
			memcpy(best, name, n.pos);
			best[n.pos] = '\0';
		}
	}
	o = wrong(r, at, "no such key: ");
	put_word(&o, w);
	if (best[0]) {
		fbk_put_text(&o, "; did you mean ");
		fbk_put_text(&o, best);
		fbk_put_text(&o, "?");
	}
	return -EBADMSG;
}

/* Decimal, without sign and leading zeros. Return: 1 it is one that fits. */
static int number(const struct word *w, uint32_t *ret)
{
	uint64_t v = 0;
	size_t i;

	if (!w->len || (w->len > 1 && w->s[0] == '0'))
		return 0;
	for (i = 0; i < w->len; i++) {
		if (w->s[i] < '0' || w->s[i] > '9')
			return 0;
		v = v * 10 + (uint64_t)(w->s[i] - '0');
		if (v > UINT32_MAX)
			return 0;
	}
	*ret = (uint32_t)v;
	return 1;
}

static int action(const struct word *w, uint32_t *ret)
{
	uint32_t a;

	for (a = FBK_VERDICT_REPLAY; a <= FBK_VERDICT_STOP; a++)
		if (word_is(w, fbk_verdict_name((enum fbk_verdict_action)a))) {
			*ret = a;
			return 1;
		}
	return 0;
}

static int read_value(struct reader *r, const struct fbk_policy_key *k)
{
	size_t at = r->at;
	struct word w = take_word(r);
	uint32_t value;
	struct fbk_writer o;
	int known;

	known = k->kind == FBK_POLICY_CONSUMED || k->kind == FBK_POLICY_UNCONSUMED ? action(&w, &value) : number(&w, &value);
	if (known && fbk_policy_key_allows(k, value)) {
		fbk_policy_key_set(&r->policy, k, value);
		return 0;
	}
	o = wrong(r, at, "");
	put_key(&o, k);
	if (!w.len) {
		fbk_put_text(&o, ": the value is missing");
	} else {
		fbk_put_text(&o, ": it cannot be ");
		put_word(&o, &w);
	}
	fbk_put_text(&o, ": ");
	put_choice(&o, k);
	return -EBADMSG;
}

static int read_version(struct reader *r)
{
	size_t at = r->at;
	struct word w = take_word(r);
	uint32_t v;
	struct fbk_writer o;

	if (number(&w, &v) && v == VERSION) {
		r->version_line = r->line_nr;
		return 0;
	}
	o = wrong(r, at, "version: ");
	if (w.len) {
		put_word(&o, &w);
		fbk_put_text(&o, " is not known here: only 1");
	} else {
		fbk_put_text(&o, "the value is missing: only 1 is known here");
	}
	return -EBADMSG;
}

/* The blanks and the "=" between key and value. */
static int read_equals(struct reader *r, const struct word *key)
{
	struct fbk_writer o;

	skip_blanks(r);
	if (r->at < r->line.len && r->line.s[r->at] == '=') {
		r->at++;
		skip_blanks(r);
		return 0;
	}
	o = wrong(r, r->at, "\"=\" is missing after ");
	put_word(&o, key);
	return -EBADMSG;
}

static int seen_before(struct reader *r, size_t at, const struct word *key, uint32_t line)
{
	struct fbk_writer o = wrong(r, at, "given before: ");

	put_word(&o, key);
	fbk_put_text(&o, ", in line ");
	fbk_put_number(&o, line, 10, 1);
	return -EBADMSG;
}

static int read_key(struct reader *r)
{
	size_t at = r->at;
	struct word w = take_word(r);
	struct fbk_policy_key k;
	uint32_t i;
	int err;

	if (!w.len) {
		(void)wrong(r, at, "the key before \"=\" is missing");
		return -EBADMSG;
	}
	if (!r->version_line) {
		if (!word_is(&w, "version")) {
			(void)wrong(r, at, "the first key must be version, as in \"version = 1\"");
			return -EBADMSG;
		}
		err = read_equals(r, &w);
		return err ? err : read_version(r);
	}
	if (word_is(&w, "version"))
		return seen_before(r, at, &w, r->version_line);
	for (i = 0; i < FBK_POLICY_NR_KEYS; i++) {
		fbk_policy_key_at(i, &k);
		if (is_key(&w, &k))
			break;
	}
	if (i == FBK_POLICY_NR_KEYS)
		return no_such_key(r, at, &w);
	if (r->seen[i])
		return seen_before(r, at, &w, r->seen[i]);
	r->seen[i] = r->line_nr;
	err = read_equals(r, &w);
	return err ? err : read_value(r, &k);
}

/* Comments may have any text in them, but nothing that a terminal or another program would take for something else. */
static int check_bytes(struct reader *r)
{
	static const char hex[] = "0123456789abcdef";
	int comment = 0;
	size_t i;

	for (i = 0; i < r->line.len; i++) {
		unsigned char ch = (unsigned char)r->line.s[i];
		struct fbk_writer o;

		comment |= ch == '#';
		if (ch == '\t' || (ch >= ' ' && ch < 0x7f) || (comment && ch >= 0x80))
			continue;
		if (ch == '\r') {
			(void)wrong(r, i, "carriage return: lines end with a newline alone");
			return -EBADMSG;
		}
		o = wrong(r, i, "byte 0x");
		fbk_put_raw(&o, &hex[ch >> 4], 1);
		fbk_put_raw(&o, &hex[ch & 15], 1);
		fbk_put_text(&o, ch >= 0x80 ? " is allowed in comments only" : " is not allowed");
		return -EBADMSG;
	}
	return 0;
}

static int read_line(struct reader *r)
{
	int err;

	if (r->line.len > FBK_POLICY_LINE_MAX) {
		struct fbk_writer o = wrong(r, FBK_POLICY_LINE_MAX, "the line is longer than ");

		fbk_put_number(&o, FBK_POLICY_LINE_MAX, 10, 1);
		fbk_put_text(&o, " bytes");
		return -EBADMSG;
	}
	err = check_bytes(r);
	if (err)
		return err;
	r->at = 0;
	skip_blanks(r);
	if (at_end(r))
		return 0;
	err = read_key(r);
	if (err)
		return err;
	skip_blanks(r);
	if (!at_end(r)) {
		(void)wrong(r, r->at, "after the value there may be a comment, which begins with \"#\", and nothing else");
		return -EBADMSG;
	}
	return 0;
}

int fbk_policy_parse(const char *text, size_t len, struct fbk_policy *ret, struct fbk_policy_error *ret_error)
{
	struct fbk_policy_error unwanted;
	struct reader r = { .line_nr = 1, .error = ret_error ? ret_error : &unwanted };
	size_t pos = 0;
	int err;

	if (!text || !ret)
		return -EINVAL;
	fbk_policy_default(&r.policy);
	if (len > FBK_POLICY_FILE_MAX) {
		struct fbk_writer o = wrong(&r, 0, "the text is longer than ");

		fbk_put_number(&o, FBK_POLICY_FILE_MAX, 10, 1);
		fbk_put_text(&o, " bytes");
		return -EBADMSG;
	}
	for (; pos < len; r.line_nr++) {
		r.line = (struct word){ text + pos, 0 };
		while (pos < len && text[pos] != '\n') {
			pos++;
			r.line.len++;
		}
		pos++;
		err = read_line(&r);
		if (err)
			return err;
	}
	if (!r.version_line) {
		(void)wrong(&r, 0, "there is no key: \"version = 1\" comes first");
		return -EBADMSG;
	}
	*ret = r.policy;
	return 0;
}

/* --- Writing ------------------------------------------------------------------------------------------------- */

static void put_line(struct fbk_writer *o, const struct fbk_policy *p, const struct fbk_policy *standard, uint32_t i)
{
	struct fbk_policy_key k;
	uint32_t value, other;

	fbk_policy_key_at(i, &k);
	value = fbk_policy_key_get(p, &k);
	other = fbk_policy_key_get(standard, &k);
	fbk_put_text(o, "\n# ");
	fbk_put_text(o, k.meaning);
	fbk_put_text(o, "\n");
	put_key(o, &k);
	fbk_put_text(o, " = ");
	put_value(o, &k, value);
	if (value != other) {
		fbk_put_text(o, " # default: ");
		put_value(o, &k, other);
	}
	fbk_put_text(o, "\n");
}

int fbk_policy_format(const struct fbk_policy *p, char *buf, size_t len)
{
	struct fbk_writer o = { .buf = buf, .len = len < INT_MAX ? len : INT_MAX };
	struct fbk_policy standard;
	uint32_t i;

	if (!p || !buf || fbk_policy_check(p))
		return -EINVAL;
	fbk_policy_default(&standard);
	fbk_put_text(&o, "# What is to be done about memory errors. Of the rules that apply the gravest wins:\n"
		"# replay and report, then serror, pause, stop.\n"
		"version = 1\n");
	for (i = 0; i < FBK_POLICY_NR_KEYS; i++)
		put_line(&o, p, &standard, i);
	return fbk_writer_end(&o);
}
