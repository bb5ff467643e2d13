/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * metrics.c - counters, and their text. Names and words: docs/formats/metrics.md.
 */
#include "counts.h"
#include "writer.h"

#include <errno.h>
#include <limits.h>

_Static_assert(FBK_VERDICT_PAUSE < FBK_METRICS_VERDICTS, "one counter a verdict");
_Static_assert(FBK_REASON_LEDGER_FULL < FBK_METRICS_REASONS, "one a reason");
_Static_assert(FBK_REPLAY_SYNDROME < FBK_METRICS_METHODS && FBK_NOTIFY_KNOWN < FBK_METRICS_METHODS, "one a method");
_Static_assert(FBK_ABORT_UNKNOWN < FBK_METRICS_CLASSES && FBK_SEVERITY_UEO < FBK_METRICS_SEVERITIES, "one a class");
_Static_assert(FBK_PAGE_HEALED < FBK_METRICS_STATES, "one a state");
_Static_assert(FBK_NR_SOURCES <= FBK_COUNTS_SOURCES && FBK_METRICS_SEVERITIES <= FBK_COUNTS_MALFORMED, "one a source");

#define US UINT64_C(1000)
#define MS (1000 * US)
#define S (1000 * MS)

/* Three a decade: an error without a disk takes some 10 us, a disk some ms, and a guest may be waited for for seconds. */
static const struct {
	uint64_t ns;
	const char *seconds;
} bounds[FBK_METRICS_BUCKETS] = {
	{ FBK_COUNTS_SHORT_NS, "0.00001" }, { 20 * US, "0.00002" }, { 50 * US, "0.00005" }, { 100 * US, "0.0001" },
	{ 200 * US, "0.0002" }, { 500 * US, "0.0005" }, { 1 * MS, "0.001" },	{ 2 * MS, "0.002" },
	{ 5 * MS, "0.005" },	{ 10 * MS, "0.01" },	{ 20 * MS, "0.02" },	{ 50 * MS, "0.05" },
	{ 100 * MS, "0.1" },	{ 200 * MS, "0.2" },	{ 500 * MS, "0.5" },	{ 1 * S, "1" },
	{ 2 * S, "2" },		{ 5 * S, "5" },		{ 10 * S, "10" },	{ UINT64_MAX, "+Inf" },
};

/* How many bounds lie below each power of two. Between one and the next lies one at most: a time is held against that alone. */
static const uint8_t bounds_below[64] = {
	[14] = 1, [15] = 2, [16] = 3,  [17] = 4,  [18] = 5,  [19] = 6,  [20] = 7,  [21] = 8,  [22] = 8,	 [23] = 9,	  [24] = 10,
	[25] = 11, [26] = 12, [27] = 13, [28] = 14, [29] = 15, [30] = 16, [31] = 17, [32] = 17, [33] = 18, [34 ... 63] = 19,
};

uint64_t fbk_metrics_bound_ns(uint32_t bucket)
{
	return bucket < FBK_METRICS_BUCKETS ? bounds[bucket].ns : UINT64_MAX;
}

uint32_t fbk_counts_bucket(uint64_t ns)
{
	uint32_t i = bounds_below[63 - __builtin_clzll(ns | 1)];

	return i + (ns > bounds[i].ns);
}

void fbk_counts_file(struct fbk_counts *c, const struct fbk_event *ev, int waits)
{
	if (waits && ev->ledger_file == 1)
		fbk_counts_time(&c->sync, ev->step_ns[FBK_STEP_RECORD]);
	if (ev->ledger_file < 0)
		fbk_counts_add(&c->file_failures, 1);
}

static uint64_t get(const uint64_t *c)
{
	return __atomic_load_n(c, __ATOMIC_RELAXED);
}

static void read_times(const struct fbk_metrics_times *t, struct fbk_metrics_times *ret)
{
	uint32_t i;

	for (i = 0; i < FBK_METRICS_BUCKETS; i++)
		ret->bucket[i] += get(&t->bucket[i]);
	ret->sum_ns += get(&t->sum_ns);
}

static void read_learnt(const struct fbk_counts *c, struct fbk_metrics *ret)
{
	uint32_t source, severity, kind;

	for (source = 0; source < FBK_NR_SOURCES; source++) {
		for (severity = 0; severity <= FBK_COUNTS_MALFORMED; severity++) {
			for (kind = 0; kind < FBK_METRICS_CLASSES; kind++) {
				uint64_t n = get(&c->learnt[fbk_counts_learnt_at(source, severity, kind)]);

				ret->source[source] += n;
				if (severity == FBK_COUNTS_MALFORMED) {
					ret->malformed += n;
				} else if (severity < FBK_METRICS_SEVERITIES) {
					ret->severity[severity] += n;
					ret->kind[kind] += n;
				}
			}
		}
	}
}

void fbk_counts_read(const struct fbk_counts *c, struct fbk_metrics *ret)
{
	uint32_t i, k;

	read_learnt(c, ret);
	for (i = 0; i < FBK_METRICS_VERDICTS; i++)
		for (k = 0; k < FBK_METRICS_REASONS; k++)
			ret->verdict[i][k] += get(&c->verdict[fbk_counts_verdict_at(i, k)]);
	for (i = 0; i < FBK_METRICS_METHODS; i++) {
		for (k = 0; k < FBK_METRICS_METHODS; k++) {
			uint64_t n = get(&c->done[fbk_counts_done_at(i, k)]);

			ret->notify[i] += n;
			ret->replay[k] += n;
		}
	}
	read_times(&c->duration, &ret->duration);
	read_times(&c->sync, &ret->sync);
	ret->file_failures += get(&c->file_failures);
}

void fbk_counts_fold(struct fbk_counts *c, const struct fbk_counts *from)
{
	const uint64_t *f = (const uint64_t *)from;
	uint64_t *t = (uint64_t *)c;
	size_t i;

	for (i = 0; i < sizeof(*c) / sizeof(*t); i++)
		fbk_counts_add(&t[i], f[i]);
}

/* --- text [PROM-TEXT] -------------------------------------------------------------------------------------------- */

struct exposition {
	struct fbk_writer w;
	const struct fbk_metrics *m;
	const char *vm; /* NULL: m->vm */
	const char *family;
};

static void begin_family(struct exposition *e, const char *name, const char *type, const char *help)
{
	e->family = name;
	fbk_put_text(&e->w, "# HELP ");
	fbk_put_text(&e->w, name);
	fbk_put_text(&e->w, " ");
	fbk_put_text(&e->w, help);
	fbk_put_text(&e->w, "\n# TYPE ");
	fbk_put_text(&e->w, name);
	fbk_put_text(&e->w, " ");
	fbk_put_text(&e->w, type);
	fbk_put_text(&e->w, "\n");
}

static void put_vm(struct exposition *e)
{
	static const uint8_t none[FBK_VM_ID_LEN];
	const char *s = e->vm;
	uint32_t i;

	if (s) {
		for (; *s; s++) {
			if (*s == '\\' || *s == '"')
				fbk_put_text(&e->w, "\\");
			fbk_put_raw(&e->w, *s == '\n' ? "\\n" : s, *s == '\n' ? 2 : 1);
		}
		return;
	}
	for (i = 0; i < FBK_VM_ID_LEN; i++) {
		if (e->m->vm[i] != none[i]) {
			fbk_put_uuid(&e->w, e->m->vm);
			return;
		}
	}
}

static void put_label(struct exposition *e, const char *key, const char *value)
{
	if (!key)
		return;
	fbk_put_text(&e->w, ",");
	fbk_put_text(&e->w, key);
	fbk_put_text(&e->w, "=\"");
	fbk_put_text(&e->w, value);
	fbk_put_text(&e->w, "\"");
}

struct label {
	const char *key, *value;
};

static void begin_sample(struct exposition *e, const char *suffix, struct label a, struct label b)
{
	fbk_put_text(&e->w, e->family);
	fbk_put_text(&e->w, suffix);
	fbk_put_text(&e->w, "{vm=\"");
	put_vm(e);
	fbk_put_text(&e->w, "\"");
	put_label(e, a.key, a.value);
	put_label(e, b.key, b.value);
	fbk_put_text(&e->w, "} ");
}

static void put_sample(struct exposition *e, const char *suffix, struct label a, struct label b, uint64_t v)
{
	begin_sample(e, suffix, a, b);
	fbk_put_number(&e->w, v, 10, 1);
	fbk_put_text(&e->w, "\n");
}

static const struct label no_label;

static void put_plain(struct exposition *e, const char *name, const char *type, const char *help, uint64_t v)
{
	begin_family(e, name, type, help);
	put_sample(e, "", no_label, no_label, v);
}

/* One sample for each word that there is. */
static void put_words(struct exposition *e, const char *key, const uint64_t *v, uint32_t nr, const char *(*word)(uint32_t))
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		if (word(i))
			put_sample(e, "", (struct label){ key, word(i) }, no_label, v[i]);
}

static const char *valid(const char *word)
{
	return word[0] == 'i' && word[1] == 'n' && word[2] == 'v' ? NULL : word;
}

static const char *source_word(uint32_t i)
{
	return valid(fbk_source_name((enum fbk_source)i));
}

static const char *class_word(uint32_t i)
{
	return valid(fbk_sea_kind_name((enum fbk_abort_kind)i));
}

static const char *severity_word(uint32_t i)
{
	return valid(fbk_severity_name((enum fbk_severity)i));
}

static const char *verdict_word(uint32_t i)
{
	return valid(fbk_verdict_name((enum fbk_verdict_action)i));
}

static const char *reason_word(uint32_t i)
{
	return valid(fbk_reason_name((enum fbk_reason)i));
}

static const char *notify_word(uint32_t i)
{
	return valid(fbk_notify_name((enum fbk_notify)i));
}

static const char *replay_word(uint32_t i)
{
	return valid(fbk_replay_name((enum fbk_replay_method)i));
}

static const char *state_word(uint32_t i)
{
	return valid(fbk_page_state_name((enum fbk_page_state)i));
}

static const char *block_word(uint32_t i)
{
	return i == FBK_GHES_SEA ? "sea" : "async";
}

static void put_times(struct exposition *e, const char *name, const char *help, const struct fbk_metrics_times *t)
{
	uint64_t sum = 0;
	uint32_t i;

	begin_family(e, name, "histogram", help);
	for (i = 0; i < FBK_METRICS_BUCKETS; i++) {
		sum += t->bucket[i];
		put_sample(e, "_bucket", (struct label){ "le", bounds[i].seconds }, no_label, sum);
	}
	begin_sample(e, "_sum", no_label, no_label);
	fbk_put_number(&e->w, t->sum_ns / S, 10, 1);
	fbk_put_text(&e->w, ".");
	fbk_put_number(&e->w, t->sum_ns % S, 10, 9);
	fbk_put_text(&e->w, "\n");
	put_sample(e, "_count", no_label, no_label, sum);
}

static void put_errors(struct exposition *e)
{
	const struct fbk_metrics *m = e->m;
	uint32_t i, k;

	begin_family(e, "firebreak_guest_memory_errors_total", "counter", "Memory errors of the guest, by the way in which they were learnt.");
	put_words(e, "source", m->source, FBK_NR_SOURCES, source_word);
	begin_family(e, "firebreak_guest_memory_errors_by_severity_total", "counter", "The same errors by severity.");
	put_words(e, "severity", m->severity, FBK_METRICS_SEVERITIES, severity_word);
	put_sample(e, "", (struct label){ "severity", "malformed" }, no_label, m->malformed);
	begin_family(e, "firebreak_guest_memory_errors_by_class_total", "counter", "The same errors by class of the abort.");
	put_words(e, "class", m->kind, FBK_METRICS_CLASSES, class_word);
	put_sample(e, "", (struct label){ "class", "malformed" }, no_label, m->malformed);
	begin_family(e, "firebreak_verdicts_total", "counter", "What was decided about these errors, and why.");
	for (i = 0; i < FBK_METRICS_VERDICTS; i++)
		for (k = 0; k < FBK_METRICS_REASONS; k++)
			if (m->verdict[i][k] && verdict_word(i) && reason_word(k))
				put_sample(e, "", (struct label){ "verdict", verdict_word(i) },
					   (struct label){ "reason", reason_word(k) }, m->verdict[i][k]);
	begin_family(e, "firebreak_notifications_total", "counter", "How the guest's ACPI was told of these errors.");
	put_words(e, "method", m->notify, FBK_METRICS_METHODS, notify_word);
	begin_family(e, "firebreak_replays_total", "counter", "How the vCPU was given these errors' aborts.");
	put_words(e, "method", m->replay, FBK_METRICS_METHODS, replay_word);
	put_times(e, "firebreak_error_duration_seconds", "From when an error was learnt until the vCPU could run on.", &m->duration);
}

static void put_records(struct exposition *e)
{
	const struct fbk_metrics *m = e->m;

	begin_family(e, "firebreak_records_written_total", "counter", "Error records written for the guest.");
	put_words(e, "source", m->written, FBK_GHES_NR_SOURCES, block_word);
	begin_family(e, "firebreak_records_acknowledged_total", "counter", "Error records that the guest was seen to acknowledge.");
	put_words(e, "source", m->acknowledged, FBK_GHES_NR_SOURCES, block_word);
	begin_family(e, "firebreak_records_withdrawn_total", "counter", "Error records taken back since the guest did not acknowledge them.");
	put_words(e, "source", m->withdrawn, FBK_GHES_NR_SOURCES, block_word);
	put_plain(e, "firebreak_acknowledgements_untold_total", "counter", "Acknowledgements that no event tells of.", m->acks_untold);
	put_plain(e, "firebreak_queue_pages", "gauge", "Pages that wait for their error record.", m->queue_pages);
	put_plain(e, "firebreak_queue_overflow", "gauge", "1: more pages wait than the queue holds; they are told from the ledger.",
		  m->queue_overflow);
}

static void put_ledger(struct exposition *e)
{
	const struct fbk_metrics *m = e->m;

	begin_family(e, "firebreak_ledger_pages", "gauge", "Guest pages of 4 KiB in the ledger, by state.");
	put_words(e, "state", m->pages, FBK_METRICS_STATES, state_word);
	put_plain(e, "firebreak_ledger_capacity_pages", "gauge", "Pages that the ledger has room for.", m->capacity_pages);
	if (!m->has_file)
		return;
	put_plain(e, "firebreak_ledger_file_bytes", "gauge", "Bytes of the ledger's file in use.", m->file_bytes);
	put_plain(e, "firebreak_ledger_file_failures_total", "counter", "Errors whose ledger record could not be written at once.",
		  m->file_failures);
	put_times(e, "firebreak_ledger_sync_seconds", "An error's ledger record to the disk.", &m->sync);
}

int fbk_metrics_text(const struct fbk_metrics *m, const char *vm, char *buf, size_t len)
{
	struct exposition e = { .m = m, .vm = vm, .w = { .buf = buf, .len = len < INT_MAX ? len : INT_MAX } };

	if (!m || !buf || m->size != sizeof(*m))
		return -EINVAL;
	put_errors(&e);
	put_records(&e);
	put_ledger(&e);
	return fbk_writer_end(&e.w);
}
