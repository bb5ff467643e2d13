/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_event.c - every event is one line of valid JSON, and the promised length always holds it.
 */
#include "test.h"

#include "json.h"

#include <firebreak/event.h>

#include <errno.h>
#include <string.h>

static struct fbk_event sample(void)
{
	struct fbk_sea_exit in = { .flags = 1, .esr = 0x92000010, .gva = 0xffff0000dead1018, .gpa = 0x40010000 };
	struct fbk_event ev = {
		.size = sizeof(ev),
		.vcpu = 1,
		.vm = { 0x0f, 0xf1, 0xce, 0, 0x5e, 0xed, 0x4a, 0x11, 0x8b, 0xad, 0xc0, 0xff, 0xee, 0, 0, 1 },
		.seq = 7,
		.time_ns = UINT64_C(1795344735) * 1000000000 + 42,
		.mono_ns = 5000,
		.source = FBK_SOURCE_SEA,
		.raw_flags = 1,
		.raw_esr = 0x92000010,
		.pages = 1,
		.ledger = 1,
		.count = 1,
		.ledger_file = 1,
		.verdict = { FBK_VERDICT_REPLAY, FBK_REASON_RECOVERABLE, "because" },
		.notify = FBK_NOTIFY_SEA,
		.record = 7,
		.acknowledged = 1,
		.replay = FBK_REPLAY_HELPER,
		.repeats = 1,
		.step_ns = { 1000, 200, 30, 0, 4 },
		.duration_ns = 1234,
	};

	assert_int_equal(fbk_sea_decode(&in, &ev.abort), 0);
	return ev;
}

static int is_one_json_line(const char *buf, int len)
{
	const char *end = json_value(buf);

	return len > 0 && (size_t)len == strlen(buf) && end && end[0] == '\n' && end[1] == '\0';
}

static void one_line_word_for_word(void **state)
{
	char buf[FBK_EVENT_JSON_MAX];
	struct fbk_event ev = sample();
	int len = fbk_event_json(&ev, buf, sizeof(buf));

	assert_string_equal(buf,
		"{\"kind\":\"error\",\"vm\":\"0ff1ce00-5eed-4a11-8bad-c0ffee000001\",\"seq\":7,\"time\":\"2026-11-22T10:52:15.000000042Z\",\"mono_ns\":5000,\"source\":\"sea\",\"vcpu\":1,"
		"\"el\":0,\"raw\":{\"flags\":\"0x1\",\"esr\":\"0x92000010\"},\"decode_error\":null,\"abort\":{"
		"\"class\":\"data\",\"severity\":\"recoverable\",\"severity_stated\":true,"
		"\"status\":\"synchronous external abort, not on a table walk\",\"esr\":\"0x92000010\","
		"\"gva\":\"0xffff0000dead1018\",\"gpa\":\"0x40010000\",\"walk_level\":null,\"parity\":false,\"ea\":false,"
		"\"cm\":false,\"wnr\":false},\"hva\":null,\"pages\":1,\"ledger\":{\"error\":null,\"new\":true,\"count\":1,"
		"\"in_file\":true,\"file_error\":null},"
		"\"verdict\":\"replay\",\"reason\":\"recoverable\",\"text\":\"because\",\"notify\":{\"method\":\"sea\","
		"\"error\":null,\"ack_wait_ns\":0,\"record\":7},\"acknowledged\":true,"
		"\"retire\":{\"outcome\":\"none\",\"error\":null,\"frame\":\"unknown\"},\"replay\":{\"method\":\"helper\",\"error\":null,\"errno\":0},"
		"\"repeats\":1,\"steps_ns\":{\"inspect\":1000,\"notify\":200,\"record\":30,\"retire\":0,\"replay\":4},"
		"\"duration_ns\":1234}\n");
	assert_true(is_one_json_line(buf, len));
}

static void what_is_not_known_is_null(void **state)
{
	char buf[FBK_EVENT_JSON_MAX];
	struct fbk_event ev = sample();

	ev.vcpu = ev.el = -1;
	ev.abort = (struct fbk_abort){ .kind = FBK_ABORT_UNKNOWN };
	ev.ledger = -ENODATA;
	ev.replay_err = -EIO;
	ev.sys_errno = 1;
	ev.notify_err = -12345;
	ev.acknowledged = -1;
	memset(ev.vm, 0, sizeof(ev.vm));
	ev.verdict.text = NULL;
	assert_true(is_one_json_line(buf, fbk_event_json(&ev, buf, sizeof(buf))));
	assert_non_null(strstr(buf, "\"vcpu\":null,\"el\":null,"));
	assert_non_null(strstr(buf, "\"vm\":null,"));
	assert_non_null(strstr(buf, "\"acknowledged\":null,"));
	assert_non_null(strstr(buf, "\"status\":null,\"esr\":null,\"gva\":null,\"gpa\":null,"));
	assert_non_null(strstr(buf, "\"error\":\"ENODATA\""));
	assert_non_null(strstr(buf, "\"error\":\"EIO\",\"errno\":1"));
	assert_non_null(strstr(buf, "\"error\":\"errno 12345\""));
	assert_non_null(strstr(buf, "\"text\":null"));
	ev.decode = -EBADMSG;
	assert_true(is_one_json_line(buf, fbk_event_json(&ev, buf, sizeof(buf))));
	assert_non_null(strstr(buf, "\"decode_error\":\"EBADMSG\",\"abort\":{}"));
}

static void text_is_escaped(void **state)
{
	char buf[FBK_EVENT_JSON_MAX];
	struct fbk_event ev = sample();

	ev.verdict.text = "a\"b\\c\n\x7f\xc3";
	assert_true(is_one_json_line(buf, fbk_event_json(&ev, buf, sizeof(buf))));
	assert_non_null(strstr(buf, "\"a\\\"b\\\\c\\u000a\\u007f\\u00c3\""));
}

/* The longest word of an enumeration that ends with "invalid". */
static int longest(const char *(*word)(int))
{
	int i, best = 0;

	for (i = 0; strcmp(word(i), "invalid"); i++)
		if (strlen(word(i)) > strlen(word(best)))
			best = i;
	return best;
}

#define WORD(fn, type)                            \
	static const char *fn##_(int i)           \
	{                                         \
		return fn((enum type)i);          \
	}
WORD(fbk_source_name, fbk_source)
WORD(fbk_sea_kind_name, fbk_abort_kind)
WORD(fbk_severity_name, fbk_severity)
WORD(fbk_verdict_name, fbk_verdict_action)
WORD(fbk_reason_name, fbk_reason)
WORD(fbk_notify_name, fbk_notify)
WORD(fbk_replay_name, fbk_replay_method)

/* No shorter buffer is overrun, and this one is used to its end. */
static void fits_exactly(const void *what, int (*format)(const void *what, char *buf, size_t len), char *buf, int len)
{
	int n;

	for (n = 0; n <= len; n++) {
		buf[n] = 'G';
		assert_int_equal(format(what, buf, (size_t)n), -ENOSPC);
		assert_int_equal(buf[n], 'G');
	}
	assert_int_equal(format(what, buf, (size_t)len + 1), len);
}

static int format_event(const void *what, char *buf, size_t len)
{
	return fbk_event_json(what, buf, len);
}

static int format_ack(const void *what, char *buf, size_t len)
{
	return fbk_event_ack_json(what, buf, len);
}

/* The longest that every field can be, and a text longer than any that the library has. */
static void the_longest_line_fits(void **state)
{
	char buf[FBK_EVENT_JSON_MAX + 1];
	struct fbk_event ev = sample();
	char text[301];
	size_t n;
	int len;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	ev.seq = ev.time_ns = ev.mono_ns = ev.raw_flags = ev.raw_esr = ev.hva.addr = ev.ack_wait_ns = ev.record = UINT64_MAX;
	ev.duration_ns = UINT64_MAX;
	for (n = 0; n < FBK_NR_STEPS; n++)
		ev.step_ns[n] = UINT64_MAX;
	/* "false" is longer than "true", and null shorter than anything else. */
	ev.abort.flags = FBK_SEA_HAS_ESR | FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA | FBK_SEA_ON_WALK;
	ev.acknowledged = 0;
	ev.abort.kind = (enum fbk_abort_kind)longest(fbk_sea_kind_name_);
	ev.abort.severity = (enum fbk_severity)longest(fbk_severity_name_);
	ev.abort.gva.addr = ev.abort.gpa.addr = UINT64_MAX;
	for (n = 0; n < 64; n++)
		if (n == 0 || strlen(fbk_sea_status_text((uint32_t)n)) > strlen(fbk_sea_status_text((uint32_t)ev.abort.esr & 0x3f)))
			ev.abort.esr = UINT64_MAX << 6 | n;
	ev.abort.walk_level = INT32_MIN;
	ev.vcpu = ev.el = INT32_MAX;
	ev.pages = ev.count = ev.repeats = UINT32_MAX;
	ev.source = (enum fbk_source)longest(fbk_source_name_);
	ev.ledger = ev.ledger_file = ev.notify_err = ev.retire_err = ev.replay_err = ev.sys_errno = INT32_MIN;
	ev.verdict.action = (enum fbk_verdict_action)longest(fbk_verdict_name_);
	ev.verdict.reason = (enum fbk_reason)longest(fbk_reason_name_);
	ev.verdict.text = text;
	ev.notify = (enum fbk_notify)longest(fbk_notify_name_);
	ev.retire = FBK_RETIRED_UNAVAILABLE;
	ev.frame = FBK_FRAME_UNKNOWN;
	ev.replay = (enum fbk_replay_method)longest(fbk_replay_name_);
	len = fbk_event_json(&ev, buf, FBK_EVENT_JSON_MAX);
	assert_true(is_one_json_line(buf, len));
	assert_null(strstr(buf, "invalid"));
	/* But for the reason why there is no abort. */
	assert_null(strstr(strstr(buf, "null") + 1, "null"));
	fits_exactly(&ev, format_event, buf, len);
	assert_int_equal(fbk_event_json(NULL, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(fbk_event_json(&ev, NULL, 10), -EINVAL);
}

static void an_acknowledgement(void **state)
{
	struct fbk_event_ack ack = { .size = sizeof(ack), .method = FBK_NOTIFY_SEA, .seq = 7, .time_ns = 1, .mono_ns = 5000, .record = 9,
				     .waited_ns = 12, .nr_pages = 2, .pages = { { 0x40010000 }, { 0x40011000 } } };
	char buf[FBK_EVENT_JSON_MAX + 1];
	uint32_t i;
	int len;

	len = fbk_event_ack_json(&ack, buf, sizeof(buf));
	assert_string_equal(buf, "{\"kind\":\"acknowledged\",\"vm\":null,\"seq\":7,\"time\":\"1970-01-01T00:00:00.000000001Z\","
				 "\"mono_ns\":5000,\"method\":\"sea\",\"record\":9,\"pages\":[\"0x40010000\",\"0x40011000\"],"
				 "\"waited_ns\":12}\n");
	assert_true(is_one_json_line(buf, len));
	ack.seq = 0;
	assert_true(fbk_event_ack_json(&ack, buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "\"seq\":null,"));
	memset(ack.vm, 0xff, sizeof(ack.vm));
	ack.method = FBK_NOTIFY_ASYNC;
	ack.seq = ack.time_ns = ack.mono_ns = ack.record = ack.waited_ns = UINT64_MAX;
	ack.nr_pages = FBK_CPER_MAX_PAGES;
	for (i = 0; i < FBK_CPER_MAX_PAGES; i++)
		ack.pages[i].addr = UINT64_MAX;
	len = fbk_event_ack_json(&ack, buf, FBK_EVENT_JSON_MAX);
	assert_true(is_one_json_line(buf, len));
	fits_exactly(&ack, format_ack, buf, len);
	ack.nr_pages++;
	assert_int_equal(fbk_event_ack_json(&ack, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(fbk_event_ack_json(NULL, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(fbk_event_ack_json(&ack, NULL, 10), -EINVAL);
}

static void steps_have_words(void **state)
{
	int i;

	for (i = 0; i < FBK_NR_STEPS; i++)
		assert_string_not_equal(fbk_step_name((enum fbk_step)i), "invalid");
	assert_string_equal(fbk_step_name(FBK_NR_STEPS), "invalid");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_word_for_word),
		cmocka_unit_test(what_is_not_known_is_null),
		cmocka_unit_test(text_is_escaped),
		cmocka_unit_test(the_longest_line_fits),
		cmocka_unit_test(an_acknowledgement),
		cmocka_unit_test(steps_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
