/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_policy_text.c - each slip in a policy's text: one error, at one place, in these words; and nothing is left of it.
 */
#include "test.h"

#include <firebreak/policy.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define V "version = 1\n"
#define ANY "one of replay, serror, pause, stop"

/* Parse from memory that ends where the text does, so that a sanitizer sees a step too far. */
static int parse(const char *text, size_t len, struct fbk_policy *ret, struct fbk_policy_error *error)
{
	char *exact = malloc(len ? len : 1);
	int err;

	assert_non_null(exact);
	memcpy(exact, text, len);
	err = fbk_policy_parse(exact, len, ret, error);
	free(exact);
	return err;
}

/* As parse(), and an error leaves no trace in the policy. */
static int parse_clean(const char *text, size_t len, struct fbk_policy *ret, struct fbk_policy_error *error)
{
	struct fbk_policy untouched;
	int err;

	memset(&untouched, 0xa5, sizeof(untouched));
	*ret = untouched;
	err = parse(text, len, ret, error);
	if (err)
		assert_memory_equal(ret, &untouched, sizeof(untouched));
	else
		assert_int_equal(fbk_policy_check(ret), 0);
	return err;
}

static void malformed(void **state)
{
	static const struct {
		const char *text;
		size_t len; /* 0: as long as the string */
		uint32_t line, column;
		const char *sentence;
	} rows[] = {
		/* The version. */
		{ "", 0, 1, 1, "there is no key: \"version = 1\" comes first" },
		{ "# only\n\n# comments\n", 0, 4, 1, "there is no key: \"version = 1\" comes first" },
		{ "uer = replay\n" V, 0, 1, 1, "the first key must be version, as in \"version = 1\"" },
		{ "\n  # x\n  verison = 1\n", 0, 3, 3, "the first key must be version, as in \"version = 1\"" },
		{ "version = 2\n", 0, 1, 11, "version: \"2\" is not known here: only 1" },
		{ "version = 01\n", 0, 1, 11, "version: \"01\" is not known here: only 1" },
		{ "version = one\n", 0, 1, 11, "version: \"one\" is not known here: only 1" },
		{ "version = 4294967297\n", 0, 1, 11, "version: \"4294967297\" is not known here: only 1" },
		{ "version =\n", 0, 1, 10, "version: the value is missing: only 1 is known here" },
		{ "version 1\n", 0, 1, 9, "\"=\" is missing after \"version\"" },
		{ "version = 1 2\n", 0, 1, 13, "after the value there may be a comment, which begins with \"#\", and nothing else" },
		{ "# x\n" V "uc = stop\n" V, 0, 4, 1, "given before: \"version\", in line 2" },
		/* Keys. */
		{ V "= stop\n", 0, 2, 1, "the key before \"=\" is missing" },
		{ V "strom = stop\n", 0, 2, 1, "no such key: \"strom\"; did you mean storm?" },
		{ V "storm-again = stop\n", 0, 2, 1, "no such key: \"storm-again\"; did you mean storm_again?" },
		{ V "source.sigbus_ao = stop\n", 0, 2, 1, "no such key: \"source.sigbus_ao\"; did you mean source.sigbus-ao?" },
		{ V "UER = stop\n", 0, 2, 1, "no such key: \"UER\"" },
		{ V "usr = stop\n", 0, 2, 1, "no such key: \"usr\"; did you mean uer?" },
		{ V "source. = stop\n", 0, 2, 1, "no such key: \"source.\"" },
		{ V "source.seal = stop\n", 0, 2, 1, "no such key: \"source.seal\"; did you mean source.sea?" },
		{ V "recoverable = stop\n", 0, 2, 1, "no such key: \"recoverable\"" },
		{ V "ab = stop\n", 0, 2, 1, "no such key: \"ab\"" },
		{ V "size = 4\n", 0, 2, 1, "no such key: \"size\"" },
		{ V "a_key_that_is_much_longer_than_any_that_there_is = 4\n", 0, 2, 1,
		  "no such key: \"a_key_that_is_much_longer_than_a...\"" },
		{ V "\"uer\" = stop\n", 0, 2, 1, "no such key: \"?uer?\"; did you mean uer?" },
		{ V "uer stop\n", 0, 2, 5, "\"=\" is missing after \"uer\"" },
		{ V "uer\n", 0, 2, 4, "\"=\" is missing after \"uer\"" },
		{ V "uer", 0, 2, 4, "\"=\" is missing after \"uer\"" },
		{ V "uer # = stop\n", 0, 2, 5, "\"=\" is missing after \"uer\"" },
		{ V "uer: stop\n", 0, 2, 1, "no such key: \"uer:\"; did you mean uer?" },
		{ V "uc = stop\n# and\nuc = stop\n", 0, 4, 1, "given before: \"uc\", in line 2" },
		{ V "source.sea = stop\nsource.sea = replay\n", 0, 3, 1, "given before: \"source.sea\", in line 2" },
		/* Words. */
		{ V "uer = \n", 0, 2, 7, "uer: the value is missing: " ANY },
		{ V "uer =", 0, 2, 6, "uer: the value is missing: " ANY },
		{ V "uer = # stop\n", 0, 2, 7, "uer: the value is missing: " ANY },
		{ V "uer = replya\n", 0, 2, 7, "uer: it cannot be \"replya\": " ANY },
		{ V "uer = stopp\n", 0, 2, 7, "uer: it cannot be \"stopp\": " ANY },
		{ V "uer = sto\n", 0, 2, 7, "uer: it cannot be \"sto\": " ANY },
		{ V "uer = Stop\n", 0, 2, 7, "uer: it cannot be \"Stop\": " ANY },
		{ V "uer = 3\n", 0, 2, 7, "uer: it cannot be \"3\": " ANY },
		{ V "uer = invalid\n", 0, 2, 7, "uer: it cannot be \"invalid\": " ANY },
		{ V "uer = report\n", 0, 2, 7, "uer: it cannot be \"report\": " ANY },
		{ V "\tstorm_again\t=\treport\n", 0, 2, 16, "storm_again: it cannot be \"report\": " ANY },
		{ V "budget = report\n", 0, 2, 10, "budget: it cannot be \"report\": " ANY },
		{ V "source.sigbus-ar = report\n", 0, 2, 20, "source.sigbus-ar: it cannot be \"report\": " ANY },
		{ V "source.sigbus-ao = replay\n", 0, 2, 20, "source.sigbus-ao: it cannot be \"replay\": one of report, pause, stop" },
		{ V "source.sigbus-io = serror\n", 0, 2, 20, "source.sigbus-io: it cannot be \"serror\": one of report, pause, stop" },
		{ V "uer = = stop\n", 0, 2, 7, "uer: the value is missing: " ANY },
		{ V "uer = stop = stop\n", 0, 2, 12, "after the value there may be a comment, which begins with \"#\", and nothing else" },
		{ V "uer = stop stop\n", 0, 2, 12, "after the value there may be a comment, which begins with \"#\", and nothing else" },
		{ V "uer = stop; uc = stop\n", 0, 2, 7, "uer: it cannot be \"stop;\": " ANY },
		/* Numbers. */
		{ V "rate_errors = 1025\n", 0, 2, 15, "rate_errors: it cannot be \"1025\": a number from 0 to 1024" },
		{ V "rate_ms = 0\n", 0, 2, 11, "rate_ms: it cannot be \"0\": a number from 1 to 4294967295" },
		{ V "storm_repeats = 4294967296\n", 0, 2, 17, "storm_repeats: it cannot be \"4294967296\": a number from 0 to 4294967295" },
		{ V "storm_repeats = 18446744073709551617\n", 0, 2, 17,
		  "storm_repeats: it cannot be \"18446744073709551617\": a number from 0 to 4294967295" },
		{ V "storm_repeats = -1\n", 0, 2, 17, "storm_repeats: it cannot be \"-1\": a number from 0 to 4294967295" },
		{ V "storm_repeats = +1\n", 0, 2, 17, "storm_repeats: it cannot be \"+1\": a number from 0 to 4294967295" },
		{ V "storm_repeats = 064\n", 0, 2, 17, "storm_repeats: it cannot be \"064\": a number from 0 to 4294967295" },
		{ V "storm_repeats = 0x40\n", 0, 2, 17, "storm_repeats: it cannot be \"0x40\": a number from 0 to 4294967295" },
		{ V "storm_gap_ms = 100ms\n", 0, 2, 16, "storm_gap_ms: it cannot be \"100ms\": a number from 0 to 4294967295" },
		{ V "storm_gap_ms = 100 ms\n", 0, 2, 20, "after the value there may be a comment, which begins with \"#\", and nothing else" },
		{ V "budget_pages = 268435457\n", 0, 2, 16, "budget_pages: it cannot be \"268435457\": a number from 0 to 268435456" },
		{ V "span_pages = 0\n", 0, 2, 14, "span_pages: it cannot be \"0\": a number from 1 to 4294967295" },
		{ V "span_pages =\n", 0, 2, 13, "span_pages: the value is missing: a number from 1 to 4294967295" },
		{ V "ledger_unsynced = 2\n", 0, 2, 19, "ledger_unsynced: it cannot be \"2\": a number from 0 to 1" },
		{ V "ledger_unsynced = yes\n", 0, 2, 19, "ledger_unsynced: it cannot be \"yes\": a number from 0 to 1" },
		/* Bytes. */
		{ V "uer = st\0op\n", sizeof(V "uer = st\0op\n") - 1, 2, 9, "byte 0x00 is not allowed" },
		{ V "# \0\n", sizeof(V "# \0\n") - 1, 2, 3, "byte 0x00 is not allowed" },
		{ V "uer = stop\0", sizeof(V "uer = stop\0") - 1, 2, 11, "byte 0x00 is not allowed" },
		{ "version = 1\r\n", 0, 1, 12, "carriage return: lines end with a newline alone" },
		{ V "# \033[31m\n", 0, 2, 3, "byte 0x1b is not allowed" },
		{ V "uer = stop\177\n", 0, 2, 11, "byte 0x7f is not allowed" },
		{ V "uer =\302\240stop\n", 0, 2, 6, "byte 0xc2 is allowed in comments only" },
		{ "\357\273\277" V, 0, 1, 1, "byte 0xef is allowed in comments only" },
		{ V "uer = stop\f\n", 0, 2, 11, "byte 0x0c is not allowed" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_policy_error error = { 0 };
		struct fbk_policy p;
		size_t len = rows[i].len ? rows[i].len : strlen(rows[i].text);

		assert_int_equal(parse_clean(rows[i].text, len, &p, &error), -EBADMSG);
		if (error.line != rows[i].line || error.column != rows[i].column || strcmp(error.text, rows[i].sentence))
			fail_msg("row %zu: %u:%u: %s\ninstead of %u:%u: %s", i, error.line, error.column, error.text, rows[i].line,
				 rows[i].column, rows[i].sentence);
		/* Whoever does not want to know why gets the same answer. */
		assert_int_equal(parse_clean(rows[i].text, len, &p, NULL), -EBADMSG);
	}
}

static void long_ones(void **state)
{
	static char text[FBK_POLICY_FILE_MAX + 2];
	struct fbk_policy_error error;
	struct fbk_policy p;
	size_t n = strlen(V);

	memcpy(text, V, n);
	text[n] = '#';
	memset(text + n + 1, 'x', FBK_POLICY_LINE_MAX);
	assert_int_equal(parse_clean(text, n + FBK_POLICY_LINE_MAX, &p, &error), 0);
	assert_int_equal(parse_clean(text, n + FBK_POLICY_LINE_MAX + 1, &p, &error), -EBADMSG);
	assert_int_equal(error.line, 2);
	assert_int_equal(error.column, FBK_POLICY_LINE_MAX + 1);
	assert_string_equal(error.text, "the line is longer than 255 bytes");

	memset(text + n, '\n', sizeof(text) - n);
	assert_int_equal(parse_clean(text, FBK_POLICY_FILE_MAX, &p, &error), 0);
	assert_int_equal(parse_clean(text, FBK_POLICY_FILE_MAX + 1, &p, &error), -EBADMSG);
	assert_int_equal(error.line, 1);
	assert_string_equal(error.text, "the text is longer than 65536 bytes");
	/* The last line counts, newline or not. */
	memcpy(text + FBK_POLICY_FILE_MAX - 3, "uer", 3);
	assert_int_equal(parse_clean(text, FBK_POLICY_FILE_MAX, &p, &error), -EBADMSG);
	assert_string_equal(error.text, "\"=\" is missing after \"uer\"");
}

/* What is meant by a text: the fields that differ from the default. */
static void well_formed(void **state)
{
	static const char text[] = "# \303\244 comment\n"
				   "\t version=1#x\n"
				   "\n"
				   "uer=serror\n"
				   "  ueo =pause # why\n"
				   "uc= stop\t\n"
				   "no_gva = serror\nno_gpa = pause\nno_address = stop\n"
				   "user = pause\nkernel = stop\n"
				   "source.sea = serror\nsource.sigbus-ar = pause\nsource.sigbus-ao = stop\nsource.sigbus-io = pause\n"
				   "storm = replay\nstorm_again = pause\nstorm_repeats = 1\nstorm_gap_ms = 2\n"
				   "rate = serror\nrate_errors = 3\nrate_ms = 4\n"
				   "budget = replay\nbudget_pages = 5\n"
				   "ack_wait_us = 6\nack_poll_us = 7\nspan_pages = 8\nledger_unsynced = 1";
	struct fbk_policy p, expected, standard;
	struct fbk_policy_error error;

	if (parse_clean(text, strlen(text), &p, &error))
		fail_msg("%u:%u: %s", error.line, error.column, error.text);
	fbk_policy_default(&standard);
	expected = (struct fbk_policy){
		.size = sizeof(expected),
		.uer = FBK_VERDICT_SERROR,
		.ueo = FBK_VERDICT_PAUSE,
		.uc = FBK_VERDICT_STOP,
		.no_gva = FBK_VERDICT_SERROR,
		.no_gpa = FBK_VERDICT_PAUSE,
		.no_address = FBK_VERDICT_STOP,
		.user = FBK_VERDICT_PAUSE,
		.kernel = FBK_VERDICT_STOP,
		.storm = FBK_VERDICT_REPLAY,
		.storm_again = FBK_VERDICT_PAUSE,
		.storm_repeats = 1,
		.storm_gap_ms = 2,
		.rate = FBK_VERDICT_SERROR,
		.rate_errors = 3,
		.rate_ms = 4,
		.budget = FBK_VERDICT_REPLAY,
		.budget_pages = 5,
		.ack_wait_us = 6,
		.ack_poll_us = 7,
		.span_pages = 8,
		.ledger_unsynced = 1,
	};
	memcpy(expected.source, standard.source, sizeof(expected.source));
	expected.source[FBK_SOURCE_SEA] = FBK_VERDICT_SERROR;
	expected.source[FBK_SOURCE_SIGBUS_AR] = FBK_VERDICT_PAUSE;
	expected.source[FBK_SOURCE_SIGBUS_AO] = FBK_VERDICT_STOP;
	expected.source[FBK_SOURCE_SIGBUS_IO] = FBK_VERDICT_PAUSE;
	assert_memory_equal(&p, &expected, sizeof(p));

	/* What is not said is as by default. */
	assert_int_equal(parse_clean(V, strlen(V), &p, NULL), 0);
	assert_memory_equal(&p, &standard, sizeof(p));
	assert_int_equal(parse_clean(V "uc = stop", strlen(V "uc = stop"), &p, NULL), 0);
	standard.uc = FBK_VERDICT_STOP;
	assert_memory_equal(&p, &standard, sizeof(p));
}

static void round_trip(const struct fbk_policy *p)
{
	char text[FBK_POLICY_TEXT_MAX], small[FBK_POLICY_TEXT_MAX];
	struct fbk_policy_error error;
	struct fbk_policy again;
	int len = fbk_policy_format(p, text, sizeof(text));

	assert_true(len > 0);
	assert_int_equal(strlen(text), len);
	if (parse_clean(text, (size_t)len, &again, &error))
		fail_msg("%u:%u: %s\n%s", error.line, error.column, error.text, text);
	assert_memory_equal(&again, p, sizeof(again));
	assert_int_equal(fbk_policy_format(p, small, (size_t)len + 1), len);
	assert_string_equal(small, text);
	assert_int_equal(fbk_policy_format(p, small, (size_t)len), -ENOSPC);
	assert_int_equal(fbk_policy_format(p, small, 0), -ENOSPC);
}

static void written_and_read(void **state)
{
	static const enum fbk_verdict_action consumed[] = { FBK_VERDICT_REPLAY, FBK_VERDICT_SERROR, FBK_VERDICT_PAUSE, FBK_VERDICT_STOP };
	uint64_t seed = 1;
	struct fbk_policy p;
	uint32_t *word = (uint32_t *)&p;
	char text[FBK_POLICY_TEXT_MAX];
	size_t i, n;

	fbk_policy_default(&p);
	round_trip(&p);
	assert_true(fbk_policy_format(&p, text, sizeof(text)) > 0);
	assert_null(strstr(text, "# default:"));
	/* Any value in any field, as far as it may be there. */
	for (n = 0; n < 2000; n++) {
		fbk_policy_default(&p);
		for (i = 1; i < sizeof(p) / sizeof(*word); i++) {
			uint32_t old = word[i];

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			word[i] = seed >> 62 ? (uint32_t)(seed >> 32) >> (seed >> 20 & 31) : (uint32_t)consumed[seed >> 40 & 3];
			if (fbk_policy_check(&p))
				word[i] = old;
		}
		round_trip(&p);
	}
	/* As large as it gets. */
	fbk_policy_default(&p);
	for (i = 1; i < sizeof(p) / sizeof(*word); i++) {
		uint32_t old = word[i];

		for (n = 0; n < 33; n++) {
			word[i] = n < 32 ? UINT32_MAX >> n : FBK_VERDICT_PAUSE;
			if (word[i] != old && !fbk_policy_check(&p))
				break;
			word[i] = old;
		}
	}
	round_trip(&p);
	assert_true(fbk_policy_format(&p, text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "storm_repeats = 4294967295 # default: 64\n"));
	p.budget = FBK_VERDICT_REPORT;
	assert_int_equal(fbk_policy_format(&p, text, sizeof(text)), -EINVAL);
	assert_int_equal(fbk_policy_format(NULL, text, sizeof(text)), -EINVAL);
	fbk_policy_default(&p);
	assert_int_equal(fbk_policy_format(&p, NULL, sizeof(text)), -EINVAL);
	assert_int_equal(fbk_policy_parse(NULL, 0, &p, NULL), -EINVAL);
	assert_int_equal(fbk_policy_parse(V, strlen(V), NULL, NULL), -EINVAL);
}

/* Cut anywhere, or with any byte another one: never half a policy, and the place of an error lies in the text. */
static void cut_and_changed(void **state)
{
	char text[FBK_POLICY_TEXT_MAX];
	struct fbk_policy_error error;
	struct fbk_policy p;
	size_t n, len;
	int i;

	fbk_policy_default(&p);
	len = (size_t)fbk_policy_format(&p, text, sizeof(text));
	for (n = 0; n <= len; n++)
		if (parse_clean(text, n, &p, &error)) {
			assert_true(error.line >= 1 && error.column >= 1);
			assert_true(strlen(error.text) > 5);
		}
	for (n = 0; n < len; n++) {
		char old = text[n];

		for (i = 0; i < 256; i += n % 16 ? 37 : 1) {
			text[n] = (char)i;
			if (parse_clean(text, len, &p, &error))
				assert_true(strlen(error.text) > 5);
		}
		text[n] = old;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed),
		cmocka_unit_test(long_ones),
		cmocka_unit_test(well_formed),
		cmocka_unit_test(written_and_read),
		cmocka_unit_test(cut_and_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
