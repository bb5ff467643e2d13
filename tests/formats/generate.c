/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * generate.c - what the library writes for people's tools to read, with every word that there is: for judges that are not
 * ours.
 *
 * usage: generate events | metrics
 */
#include <firebreak/metrics.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- events ------------------------------------------------------------------------------------------------------ */

static void put(const struct fbk_event *ev)
{
	char buf[FBK_EVENT_JSON_MAX];

	if (fbk_event_json(ev, buf, sizeof(buf)) < 0)
		abort();
	fputs(buf, stdout);
}

static struct fbk_event sample(void)
{
	struct fbk_event ev = {
		.size = sizeof(ev),
		.vm = { 0x0f, 0xf1, 0xce, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 },
		.seq = 1,
		.time_ns = UINT64_C(1795344735123456789),
		.mono_ns = 5000,
		.raw_flags = 1,
		.raw_esr = 0x92000010,
		.abort = { .esr = 0x92000010, .gva = { 0x7f0000001018 }, .gpa = { 0x40010000 },
			   .flags = FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA | FBK_SEA_HAS_ESR | FBK_SEA_HAS_SET },
		.hva = { 0x7fff00001000 },
		.pages = 1,
		.ledger = 1,
		.count = 1,
		.ledger_file = 1,
		.verdict = { FBK_VERDICT_REPLAY, FBK_REASON_RECOVERABLE, "\"because\"\n" },
		.record = 7,
		.repeats = 1,
		.step_ns = { 1, 2, 3, 4, 5 },
		.duration_ns = 15,
	};

	return ev;
}

static int is_word(const char *s)
{
	return strcmp(s, "invalid") != 0;
}

/* Each word of each enumeration, one after another. */
static void words(void)
{
	struct fbk_event ev = sample();
	int i;

	for (i = 0; i < FBK_NR_SOURCES; i++) {
		ev.source = (enum fbk_source)i;
		put(&ev);
	}
	for (i = 0; is_word(fbk_sea_kind_name((enum fbk_abort_kind)i)); i++) {
		ev.abort.kind = (enum fbk_abort_kind)i;
		put(&ev);
	}
	for (i = 0; is_word(fbk_severity_name((enum fbk_severity)i)); i++) {
		ev.abort.severity = (enum fbk_severity)i;
		put(&ev);
	}
	for (i = 0; i < 64; i++) {
		ev.abort.esr = 0x92000000 | (unsigned int)i;
		put(&ev);
	}
	for (i = 0; is_word(fbk_verdict_name((enum fbk_verdict_action)i)); i++) {
		ev.verdict.action = (enum fbk_verdict_action)i;
		put(&ev);
	}
	for (i = 0; is_word(fbk_reason_name((enum fbk_reason)i)); i++) {
		ev.verdict.reason = (enum fbk_reason)i;
		put(&ev);
	}
	for (i = 0; is_word(fbk_notify_name((enum fbk_notify)i)); i++) {
		ev.notify = (enum fbk_notify)i;
		put(&ev);
	}
	for (i = 0; is_word(fbk_replay_name((enum fbk_replay_method)i)); i++) {
		ev.replay = (enum fbk_replay_method)i;
		put(&ev);
	}
	for (i = 0; is_word(fbk_retired_name((enum fbk_retired)i)); i++) {
		ev.retire = (enum fbk_retired)i;
		put(&ev);
	}
	for (i = 0; is_word(fbk_frame_name((enum fbk_frame)i)); i++) {
		ev.frame = (enum fbk_frame)i;
		put(&ev);
	}
}

static void corners(void)
{
	static const int notify_err[] = { -EBUSY, -ENOSPC, -EHWPOISON, -EBADF, -EAGAIN, -E2BIG, -123456 };
	static const int file_err[] = { -ENOENT, -ENOSPC, -EIO };
	struct fbk_event ev = sample();
	size_t i;
	int el, level;

	for (i = 0; i < sizeof(notify_err) / sizeof(notify_err[0]); i++) {
		ev.notify_err = notify_err[i];
		put(&ev);
	}
	for (i = 0; i < sizeof(file_err) / sizeof(file_err[0]); i++) {
		ev.ledger_file = file_err[i];
		put(&ev);
	}
	ev.ledger = -ENOSPC;
	put(&ev);
	for (el = -1; el <= 1; el++) {
		ev.el = ev.acknowledged = el;
		put(&ev);
	}
	ev.abort.flags = UINT32_MAX;
	for (level = -1; level <= 3; level++) {
		ev.abort.walk_level = level;
		put(&ev);
	}
	ev.replay_err = -EIO;
	ev.sys_errno = EFAULT;
	put(&ev);
	ev.seq = ev.time_ns = ev.mono_ns = ev.raw_flags = ev.raw_esr = ev.duration_ns = UINT64_MAX;
	put(&ev);
	/* Nothing is known. */
	ev = (struct fbk_event){ .vcpu = -1, .el = -1, .ledger = -ENODATA, .acknowledged = -1 };
	put(&ev);
	ev.decode = -EBADMSG;
	put(&ev);
}

static void acks(void)
{
	struct fbk_event_ack ack = { .size = sizeof(ack), .method = FBK_NOTIFY_SEA, .seq = 1, .record = 1, .nr_pages = 1 };
	char buf[FBK_EVENT_JSON_MAX];
	uint32_t i;

	memcpy(ack.vm, sample().vm, sizeof(ack.vm));
	ack.pages[0].addr = 0x40010000;
	if (fbk_event_ack_json(&ack, buf, sizeof(buf)) < 0)
		abort();
	fputs(buf, stdout);
	memset(ack.vm, 0, sizeof(ack.vm));
	ack.method = FBK_NOTIFY_ASYNC;
	ack.seq = 0;
	ack.nr_pages = FBK_CPER_MAX_PAGES;
	for (i = 0; i < FBK_CPER_MAX_PAGES; i++)
		ack.pages[i].addr = i ? UINT64_MAX << i : 0;
	if (fbk_event_ack_json(&ack, buf, sizeof(buf)) < 0)
		abort();
	fputs(buf, stdout);
}

/* --- metrics: nothing yet, something, more, and everything at its largest; a form feed between them --------------- */

static void put_text(const struct fbk_metrics *m, const char *vm)
{
	static char buf[FBK_METRICS_TEXT_MAX];

	if (fbk_metrics_text(m, vm, buf, sizeof(buf)) < 0)
		abort();
	fputs(buf, stdout);
	fputs("\f", stdout);
}

/* Each counter its own number, from @from on; times add up. */
static void fill(struct fbk_metrics *m, uint64_t from)
{
	uint64_t *v = m->source, *end = (uint64_t *)(m + 1);

	while (v < end)
		*v++ = from++;
}

static void metrics(void)
{
	struct fbk_metrics m = { .size = sizeof(m) };

	put_text(&m, NULL);
	memset(m.vm, 0xab, sizeof(m.vm));
	fill(&m, 1);
	put_text(&m, "a \"quoted\\\" name\nof two lines");
	fill(&m, 1000);
	put_text(&m, "a \"quoted\\\" name\nof two lines");
	memset(m.source, 0xff, (size_t)((char *)(&m + 1) - (char *)m.source));
	put_text(&m, NULL);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "events")) {
		words();
		corners();
		acks();
	} else if (argc == 2 && !strcmp(argv[1], "metrics")) {
		metrics();
	} else {
		fputs("usage: generate events | metrics\n", stderr);
		return 2;
	}
	return 0;
}
