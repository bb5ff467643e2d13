/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_policy.c - one row a case: what happened, what is done about it, and why.
 */
#include "test.h"

#include "core/policy_road.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define BOTH (FBK_SEA_HAS_GVA | FBK_SEA_HAS_GPA)
#define MS UINT64_C(1000000)

#define ALL 0xffu
#define BIT(n) (1u << (n))
#define ASYNC (BIT(FBK_SOURCE_SIGBUS_AO) | BIT(FBK_SOURCE_SIGBUS_IO))

static const enum fbk_severity severities[] = { FBK_SEVERITY_UER, FBK_SEVERITY_RESERVED, FBK_SEVERITY_UC, FBK_SEVERITY_UEO };

/* Every kind of error there is: source, severity, which addresses (FBK_SEA_HAS_*), exception level (-1: not known). */
struct kind {
	uint32_t source, severity, addresses;
	int32_t el;
};

static int next_kind(struct kind *k)
{
	if (++k->el <= 1)
		return 1;
	k->el = -1;
	if (++k->addresses <= BOTH)
		return 1;
	k->addresses = 0;
	if (++k->severity < ARRAY_SIZE(severities))
		return 1;
	k->severity = 0;
	return ++k->source < FBK_NR_SOURCES;
}

#define FIRST_KIND ((struct kind){ .el = -1 })

static struct fbk_verdict verdict_of(const struct fbk_policy *p, const struct kind *k, uint32_t over_rate, uint32_t lost)
{
	struct fbk_abort a = { .flags = k->addresses, .severity = severities[k->severity] };
	struct fbk_policy_case c = { .source = (enum fbk_source)k->source, .el = k->el, .abort = &a,
				     .over_rate = over_rate, .lost_pages = lost };
	struct fbk_verdict v = { (enum fbk_verdict_action)99, (enum fbk_reason)99, NULL };

	assert_int_equal(fbk_policy_decide(p, &c, &v), 0);
	assert_string_not_equal(fbk_verdict_name(v.action), "invalid");
	assert_string_not_equal(fbk_reason_name(v.reason), "invalid");
	assert_true(v.text && strlen(v.text) > 10);
	return v;
}

static void expect(const char *what, const struct kind *k, struct fbk_verdict v, enum fbk_verdict_action action,
		   enum fbk_reason reason)
{
	if (v.action != action || v.reason != reason)
		fail_msg("%s: %s, %s, addresses %u, EL %d: %s because %s, not %s because %s", what,
			 fbk_source_name((enum fbk_source)k->source), fbk_severity_name(severities[k->severity]), k->addresses,
			 k->el, fbk_verdict_name(v.action), fbk_reason_name(v.reason), fbk_verdict_name(action),
			 fbk_reason_name(reason));
}

static void defaults(void **state)
{
#define OK { FBK_VERDICT_REPLAY, FBK_REASON_RECOVERABLE }
#define UC { FBK_VERDICT_SERROR, FBK_REASON_UNCONTAINABLE }
#define NO { FBK_VERDICT_SERROR, FBK_REASON_NO_ADDRESS }
	/* By severity, as above, and by addresses: none, GVA, GPA, both. Whoever consumed it. */
	static const struct {
		enum fbk_verdict_action action;
		enum fbk_reason reason;
	} consumed[4][4] = {
		{ NO, OK, OK, OK },
		{ UC, UC, UC, UC },
		{ UC, UC, UC, UC },
		{ NO, OK, OK, OK },
	};
	struct kind k = FIRST_KIND;
	struct fbk_policy p;
	uint32_t nr = 0;

	fbk_policy_default(&p);
	assert_int_equal(fbk_policy_check(&p), 0);
	do {
		struct fbk_verdict v = verdict_of(&p, &k, 0, 1000000);

		if (ASYNC & BIT(k.source))
			expect("default", &k, v, FBK_VERDICT_REPORT, FBK_REASON_ASYNC);
		else
			expect("default", &k, v, consumed[k.severity][k.addresses].action, consumed[k.severity][k.addresses].reason);
		nr++;
	} while (next_kind(&k));
	assert_int_equal(nr, FBK_NR_SOURCES * 4 * 4 * 3);
}

/* Which errors a rule is for. Sources and the rest as bits; EL -1 is bit 0. */
struct row {
	const char *what;
	size_t offset;
	uint32_t sources, severities, addresses, els;
	enum fbk_reason reason;
	uint32_t over_rate, over_budget;
};

#define FIELD(f) #f, offsetof(struct fbk_policy, f)

static const struct row rows[] = {
	{ FIELD(uer), ~ASYNC, BIT(0), ALL, ALL, FBK_REASON_POLICY, 0, 0 },
	{ FIELD(ueo), ~ASYNC, BIT(3), ALL, ALL, FBK_REASON_POLICY, 0, 0 },
	{ FIELD(uc), ~ASYNC, BIT(1) | BIT(2), ALL, ALL, FBK_REASON_UNCONTAINABLE, 0, 0 },
	{ FIELD(no_gva), ~ASYNC, ALL, BIT(FBK_SEA_HAS_GPA), ALL, FBK_REASON_POLICY, 0, 0 },
	{ FIELD(no_gpa), ~ASYNC, ALL, BIT(FBK_SEA_HAS_GVA), ALL, FBK_REASON_POLICY, 0, 0 },
	{ FIELD(no_address), ~ASYNC, ALL, BIT(0), ALL, FBK_REASON_NO_ADDRESS, 0, 0 },
	{ FIELD(user), ~ASYNC, ALL, ALL, BIT(0) | BIT(1), FBK_REASON_POLICY, 0, 0 },
	{ FIELD(kernel), ~ASYNC, ALL, ALL, BIT(0) | BIT(2), FBK_REASON_POLICY, 0, 0 },
	{ FIELD(source[FBK_SOURCE_SEA]), BIT(FBK_SOURCE_SEA), ALL, ALL, ALL, FBK_REASON_POLICY, 0, 0 },
	{ FIELD(source[FBK_SOURCE_SIGBUS_AR]), BIT(FBK_SOURCE_SIGBUS_AR), ALL, ALL, ALL, FBK_REASON_POLICY, 0, 0 },
	{ FIELD(source[FBK_SOURCE_SIGBUS_AO]), BIT(FBK_SOURCE_SIGBUS_AO), ALL, ALL, ALL, FBK_REASON_POLICY, 0, 0 },
	{ FIELD(source[FBK_SOURCE_SIGBUS_IO]), BIT(FBK_SOURCE_SIGBUS_IO), ALL, ALL, ALL, FBK_REASON_POLICY, 0, 0 },
	{ FIELD(rate), ALL, ALL, ALL, ALL, FBK_REASON_RATE, 1, 0 },
	{ FIELD(budget), ALL, ALL, ALL, ALL, FBK_REASON_BUDGET, 0, 1 },
};

static int is_for(const struct row *r, const struct kind *k)
{
	return (r->sources & BIT(k->source)) && (r->severities & BIT(k->severity)) && (r->addresses & BIT(k->addresses)) &&
	       (r->els & BIT(k->el + 1));
}

static void set(struct fbk_policy *p, const struct row *r, enum fbk_verdict_action action)
{
	memcpy((char *)p + r->offset, &action, sizeof(action));
}

/* Nothing but replays and reports. */
static void mildest(struct fbk_policy *p)
{
	fbk_policy_default(p);
	p->uc = p->no_address = p->rate = p->budget = FBK_VERDICT_REPLAY;
	p->budget_pages = 10;
}

/* Nothing that a rule is for passes it by, and nothing else meets it. */
static void each_rule_by_itself(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kind k = FIRST_KIND;
		struct fbk_policy p;

		mildest(&p);
		set(&p, &rows[i], FBK_VERDICT_STOP);
		assert_int_equal(fbk_policy_check(&p), 0);
		do {
			struct fbk_verdict v = verdict_of(&p, &k, rows[i].over_rate, rows[i].over_budget ? 11 : 10);

			if (is_for(&rows[i], &k))
				expect(rows[i].what, &k, v, FBK_VERDICT_STOP, rows[i].reason);
			else
				assert_int_equal(v.action, ASYNC & BIT(k.source) ? FBK_VERDICT_REPORT : FBK_VERDICT_REPLAY);
		} while (next_kind(&k));
	}
}

/* Two rules at odds: the gravest of those that apply, whichever it is. */
static void the_gravest_wins(void **state)
{
	/* Written down once more: the order is a promise. */
	static const enum fbk_verdict_action order[] = { FBK_VERDICT_REPLAY, FBK_VERDICT_SERROR, FBK_VERDICT_PAUSE, FBK_VERDICT_STOP };
	size_t i, j, x, y;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (j = 0; j < ARRAY_SIZE(rows); j++)
			for (x = 0; i != j && x < ARRAY_SIZE(order); x++)
				for (y = 0; y < ARRAY_SIZE(order); y++) {
					struct kind k = FIRST_KIND;
					struct fbk_policy p;

					mildest(&p);
					set(&p, &rows[i], order[x]);
					set(&p, &rows[j], order[y]);
					if (fbk_policy_check(&p))
						continue; /* what nobody consumed cannot be replayed */
					do {
						int async = !!(ASYNC & BIT(k.source));
						size_t least = async ? 2 : 0; /* what an asynchronous error takes notice of */
						size_t a = is_for(&rows[i], &k) && x >= least ? x : 0;
						size_t b = is_for(&rows[j], &k) && y >= least ? y : 0;
						struct fbk_verdict v = verdict_of(&p, &k, rows[i].over_rate | rows[j].over_rate,
										  rows[i].over_budget | rows[j].over_budget ? 11 : 10);

						if (a < b)
							a = b;
						assert_int_equal(v.action, async && !a ? FBK_VERDICT_REPORT : order[a]);
					} while (next_kind(&k));
				}
}

/* Where one look suffices the rules say the same, whatever the counts; and one look mostly suffices. */
static uint32_t count_plain(const struct fbk_policy *p)
{
	struct kind k = FIRST_KIND;
	uint32_t nr = 0;

	do {
		struct fbk_abort a = { .flags = k.addresses, .severity = severities[k.severity] };
		struct fbk_verdict v;

		if (!fbk_policy_is_plain(p, (enum fbk_source)k.source, &a))
			continue;
		v = verdict_of(p, &k, 0, UINT32_MAX);
		expect("plain", &k, v, FBK_VERDICT_REPLAY, FBK_REASON_RECOVERABLE);
		assert_ptr_equal(v.text, fbk_verdict_recoverable.text);
		nr++;
	} while (next_kind(&k));
	return nr;
}

static void one_look(void **state)
{
	struct fbk_policy p;
	size_t i;

	fbk_policy_default(&p);
	/* Three sources that are consumed, two severities, three exception levels. */
	assert_int_equal(count_plain(&p), 3 * 2 * 3);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		fbk_policy_default(&p);
		set(&p, &rows[i], FBK_VERDICT_STOP);
		(void)count_plain(&p);
	}
	fbk_policy_default(&p);
	p.rate_errors = 1;
	assert_int_equal(count_plain(&p), 0);
	p.rate_errors = 0;
	p.budget_pages = 1;
	assert_int_equal(count_plain(&p), 0);
}

/* One action, several rules: whose reason is told. */
static void the_reason_told(void **state)
{
	static const struct kind bare = { .severity = 2, .el = 0 }, whole = { .addresses = BOTH, .el = 0 };
	struct fbk_abort a = { .severity = FBK_SEVERITY_UC };
	struct fbk_history h = { .storms = 1 };
	struct fbk_policy_case c = { .abort = &a, .history = &h, .over_rate = 1, .lost_pages = 11 };
	struct fbk_policy p;
	struct fbk_verdict v;
	size_t i;

	fbk_policy_default(&p);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (!(rows[i].sources == BIT(FBK_SOURCE_SIGBUS_AO) || rows[i].sources == BIT(FBK_SOURCE_SIGBUS_IO)))
			set(&p, &rows[i], FBK_VERDICT_SERROR);
	p.budget_pages = 10;
	h.repeats = p.storm_repeats;
	assert_int_equal(fbk_policy_check(&p), 0);
	assert_int_equal(fbk_policy_decide(&p, &c, &v), 0);
	assert_int_equal(v.reason, FBK_REASON_STORM);
	expect("budget", &bare, verdict_of(&p, &bare, 1, 11), FBK_VERDICT_SERROR, FBK_REASON_BUDGET);
	expect("rate", &bare, verdict_of(&p, &bare, 1, 10), FBK_VERDICT_SERROR, FBK_REASON_RATE);
	expect("uc", &bare, verdict_of(&p, &bare, 0, 0), FBK_VERDICT_SERROR, FBK_REASON_UNCONTAINABLE);
	expect("no address", &(struct kind){ 0 }, verdict_of(&p, &(struct kind){ 0 }, 0, 0), FBK_VERDICT_SERROR, FBK_REASON_NO_ADDRESS);
	v = verdict_of(&p, &whole, 0, 0);
	expect("severity", &whole, v, FBK_VERDICT_SERROR, FBK_REASON_POLICY);
	assert_non_null(strstr(v.text, "recoverable"));
	p.uer = FBK_VERDICT_REPLAY;
	assert_non_null(strstr(verdict_of(&p, &whole, 0, 0).text, "source"));
	p.source[FBK_SOURCE_SEA] = FBK_VERDICT_REPLAY;
	assert_non_null(strstr(verdict_of(&p, &whole, 0, 0).text, "user mode"));

	/* What changes nothing is told all the same where it is more than the operator's will. */
	mildest(&p);
	expect("budget", &whole, verdict_of(&p, &whole, 0, 11), FBK_VERDICT_REPLAY, FBK_REASON_BUDGET);
	expect("no address", &(struct kind){ 0 }, verdict_of(&p, &(struct kind){ 0 }, 0, 0), FBK_VERDICT_REPLAY, FBK_REASON_NO_ADDRESS);
	expect("uc", &bare, verdict_of(&p, &bare, 0, 0), FBK_VERDICT_REPLAY, FBK_REASON_UNCONTAINABLE);
}

/* Nothing to inject into: such rules wait for an error that is consumed. */
static void the_budget_and_what_nobody_consumed(void **state)
{
	static const struct kind ao = { .source = FBK_SOURCE_SIGBUS_AO, .addresses = FBK_SEA_HAS_GPA, .el = -1 };
	struct fbk_policy p;

	mildest(&p);
	p.budget = p.rate = FBK_VERDICT_SERROR;
	expect("serror", &ao, verdict_of(&p, &ao, 1, 11), FBK_VERDICT_REPORT, FBK_REASON_ASYNC);
	p.budget = FBK_VERDICT_PAUSE;
	expect("pause", &ao, verdict_of(&p, &ao, 1, 11), FBK_VERDICT_PAUSE, FBK_REASON_BUDGET);
	p.rate = FBK_VERDICT_STOP;
	expect("stop", &ao, verdict_of(&p, &ao, 1, 11), FBK_VERDICT_STOP, FBK_REASON_RATE);
}

static void the_budget_at_its_edges(void **state)
{
	static const struct {
		uint32_t budget, lost;
		enum fbk_verdict_action action;
	} edges[] = {
		{ 0, 0, FBK_VERDICT_REPLAY }, { 0, 1, FBK_VERDICT_REPLAY }, { 0, UINT32_MAX, FBK_VERDICT_REPLAY },
		{ 1, 0, FBK_VERDICT_REPLAY }, { 1, 1, FBK_VERDICT_REPLAY }, { 1, 2, FBK_VERDICT_STOP },
		{ 2, 2, FBK_VERDICT_REPLAY }, { 2, 3, FBK_VERDICT_STOP },   { 2, UINT32_MAX, FBK_VERDICT_STOP },
		{ 1u << 28, 1u << 28, FBK_VERDICT_REPLAY }, { 1u << 28, (1u << 28) + 1, FBK_VERDICT_STOP },
	};
	static const struct kind whole = { .addresses = BOTH };
	struct fbk_policy p;
	size_t i;

	fbk_policy_default(&p);
	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		p.budget_pages = edges[i].budget;
		assert_int_equal(fbk_policy_check(&p), 0);
		expect("budget", &whole, verdict_of(&p, &whole, 0, edges[i].lost), edges[i].action,
		       edges[i].action == FBK_VERDICT_STOP ? FBK_REASON_BUDGET : FBK_REASON_RECOVERABLE);
	}
}

/* Three within ten milliseconds are allowed; a dot is an error that is, an exclamation mark one that is one too many. */
static void the_rate_at_its_edges(void **state)
{
	static const struct {
		const char *what;
		uint64_t at_us[8];
		const char *over;
	} runs[] = {
		{ "slow", { 0, 4000, 8000, 12000, 16000, 20000, 24000, 28000 }, "........" },
		{ "the fourth at the last nanosecond", { 5, 6, 7, 10005, 30000, 30001, 30002, 40000 }, "...!...!" },
		{ "a microsecond later it is not", { 5, 6, 7, 10006, 30000, 30001, 30002, 40001 }, "........" },
		{ "it goes on while there are too many", { 0, 1, 2, 3, 4, 10002, 10003, 10006 }, "...!!!!." },
		{ "the clock stands still", { 7, 7, 7, 7, 7, 7, 7, 7 }, "...!!!!!" },
		{ "at zero", { 0, 0, 0, 0, 0, 20000, 20000, 20000 }, "...!!..." },
		{ "the clock is set back: it stands still", { 50000, 50001, 10, 20, 60001, 60002, 90000, 90001 }, "...!!..." },
		{ "far back, and forth again", { 50000, 0, 0, 50000, 60000, 60001, 60002, 60003 }, "...!!..!" },
	};
	struct fbk_policy p;
	size_t i, n;

	fbk_policy_default(&p);
	p.rate_errors = 3;
	p.rate_ms = 10;
	for (i = 0; i < ARRAY_SIZE(runs); i++) {
		struct fbk_rate r = { 0 };

		for (n = 0; n < 8; n++)
			if (fbk_rate_note(&r, &p, runs[i].at_us[n] * 1000) != (runs[i].over[n] == '!'))
				fail_msg("%s: number %zu", runs[i].what, n + 1);
	}
}

/* However many are allowed, it is one more that is too many; and a slow count of every window says the same. */
static void any_rate(void **state)
{
	static const uint32_t allowed[] = { 1, 2, 5, FBK_RATE_MAX - 1, FBK_RATE_MAX };
	static uint64_t at[4 * FBK_RATE_MAX];
	struct fbk_policy p;
	size_t i, n, m;

	fbk_policy_default(&p);
	p.rate_ms = 50;
	for (i = 0; i < ARRAY_SIZE(allowed); i++) {
		struct fbk_rate r = { 0 };
		uint64_t now = 1, seed = allowed[i];

		p.rate_errors = allowed[i];
		assert_int_equal(fbk_policy_check(&p), 0);
		for (n = 0; n < ARRAY_SIZE(at); n++) {
			uint32_t in_window = 0;

			/* About as many as are allowed, sometimes more, sometimes fewer. */
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			now += (seed >> 33) % (2 * 50 * MS / allowed[i] + 1);
			at[n] = now;
			for (m = n + 1; m-- > 0 && now - at[m] <= 50 * MS;)
				in_window++;
			assert_int_equal(fbk_rate_note(&r, &p, now), in_window > allowed[i]);
		}
	}
	p.rate_errors = 0;
	for (n = 0; n < 10000; n++) {
		struct fbk_rate r = { 0 };

		assert_int_equal(fbk_rate_note(&r, &p, 0), 0);
	}
}

static void a_storm_escalates_twice(void **state)
{
	struct fbk_abort a = { .flags = BOTH, .esr = 0x92000010 };
	struct fbk_history h = { 0 };
	struct fbk_policy_case c = { .abort = &a, .history = &h };
	struct fbk_policy p;
	uint64_t pc = 0x1000;
	uint32_t n;

	fbk_policy_default(&p);
	p.storm_repeats = 5;
	for (n = 1; n <= 14; n++) {
		struct fbk_verdict v;

		assert_int_equal(fbk_history_again(&h, &p, &a, n * MS), n > 1);
		fbk_history_note(&h, &p, &a, n > 1 ? &pc : NULL, n * MS);
		assert_int_equal(h.repeats, n);
		assert_int_equal(fbk_policy_decide(&p, &c, &v), 0);
		assert_int_equal(v.action, n == 5 ? FBK_VERDICT_SERROR : n >= 10 ? FBK_VERDICT_STOP : FBK_VERDICT_REPLAY);
		assert_int_equal(v.reason, v.action == FBK_VERDICT_REPLAY ? FBK_REASON_RECOVERABLE : FBK_REASON_STORM);
	}
}

static void what_ends_a_storm(void **state)
{
	struct fbk_abort a = { .flags = BOTH, .esr = 0x92000010, .gva.addr = 1, .gpa.addr = 2 };
	uint64_t pc = 0x1000, other_pc = 0x1004;
	struct fbk_history base = { 0 }, h;
	struct fbk_abort b;
	struct fbk_policy p;

	fbk_policy_default(&p);
	fbk_history_note(&base, &p, &a, &pc, 0);
	fbk_history_note(&base, &p, &a, &pc, 1);
	assert_int_equal(base.repeats, 2);

	h = base;
	fbk_history_note(&h, &p, &a, &other_pc, 2);
	assert_int_equal(h.repeats, 1);

	h = base;
	fbk_history_note(&h, &p, &a, &pc, 1 + (p.storm_gap_ms + 1) * MS);
	assert_int_equal(h.repeats, 1);

	h = base;
	b = a;
	b.gva.addr++;
	fbk_history_note(&h, &p, &b, &pc, 2);
	assert_int_equal(h.repeats, 1);

	h = base;
	b = a;
	b.gpa.addr++;
	fbk_history_note(&h, &p, &b, &pc, 2);
	assert_int_equal(h.repeats, 1);

	h = base;
	b = a;
	b.esr |= 0x40;
	fbk_history_note(&h, &p, &b, &pc, 2);
	assert_int_equal(h.repeats, 1);

	h = base;
	fbk_history_note(&h, &p, &a, &pc, 2);
	assert_int_equal(h.repeats, 3);
}

static void storms_can_be_switched_off(void **state)
{
	struct fbk_abort a = { .flags = BOTH };
	struct fbk_history h = { 0 };
	struct fbk_policy_case c = { .abort = &a, .history = &h };
	struct fbk_policy p;
	struct fbk_verdict v;
	uint32_t n;

	fbk_policy_default(&p);
	p.storm_repeats = 0;
	for (n = 0; n < 1000; n++) {
		fbk_history_note(&h, &p, &a, NULL, n);
		assert_int_equal(fbk_policy_decide(&p, &c, &v), 0);
		assert_int_equal(v.action, FBK_VERDICT_REPLAY);
	}
}

static void bad_policies(void **state)
{
	/* What is refused where: R replay, r report, S serror, P pause, T stop. */
	static const struct {
		size_t offset;
		const char *refused;
	} actions[] = {
		{ offsetof(struct fbk_policy, uer), "r" },	   { offsetof(struct fbk_policy, ueo), "r" },
		{ offsetof(struct fbk_policy, uc), "r" },	   { offsetof(struct fbk_policy, no_gva), "r" },
		{ offsetof(struct fbk_policy, no_gpa), "r" },	   { offsetof(struct fbk_policy, no_address), "r" },
		{ offsetof(struct fbk_policy, user), "r" },	   { offsetof(struct fbk_policy, kernel), "r" },
		{ offsetof(struct fbk_policy, storm), "r" },	   { offsetof(struct fbk_policy, storm_again), "r" },
		{ offsetof(struct fbk_policy, rate), "r" },	   { offsetof(struct fbk_policy, budget), "r" },
		{ offsetof(struct fbk_policy, source[FBK_SOURCE_SEA]), "r" },
		{ offsetof(struct fbk_policy, source[FBK_SOURCE_SIGBUS_AR]), "r" },
		{ offsetof(struct fbk_policy, source[FBK_SOURCE_SIGBUS_AO]), "RS" },
		{ offsetof(struct fbk_policy, source[FBK_SOURCE_SIGBUS_IO]), "RS" },
	};
	static const struct {
		size_t offset;
		uint32_t value;
		int err;
	} numbers[] = {
		{ offsetof(struct fbk_policy, storm_repeats), 0, 0 },
		{ offsetof(struct fbk_policy, storm_repeats), UINT32_MAX, 0 },
		{ offsetof(struct fbk_policy, storm_gap_ms), UINT32_MAX, 0 },
		{ offsetof(struct fbk_policy, rate_errors), FBK_RATE_MAX, 0 },
		{ offsetof(struct fbk_policy, rate_errors), FBK_RATE_MAX + 1, -EINVAL },
		{ offsetof(struct fbk_policy, rate_ms), 0, -EINVAL },
		{ offsetof(struct fbk_policy, rate_ms), UINT32_MAX, 0 },
		{ offsetof(struct fbk_policy, budget_pages), 1u << 28, 0 },
		{ offsetof(struct fbk_policy, budget_pages), (1u << 28) + 1, -EINVAL },
		{ offsetof(struct fbk_policy, ack_wait_us), UINT32_MAX, 0 },
		{ offsetof(struct fbk_policy, ack_poll_us), 0, 0 },
		{ offsetof(struct fbk_policy, span_pages), 0, -EINVAL },
		{ offsetof(struct fbk_policy, span_pages), UINT32_MAX, 0 },
		{ offsetof(struct fbk_policy, ledger_unsynced), 1, 0 },
		{ offsetof(struct fbk_policy, ledger_unsynced), 2, -EINVAL },
	};
	struct fbk_policy good, p;
	struct fbk_abort a = { .flags = BOTH };
	struct fbk_policy_case c = { .source = FBK_NR_SOURCES, .abort = &a };
	struct fbk_verdict v;
	uint32_t word;
	size_t i;

	fbk_policy_default(&good);
	assert_int_equal(fbk_policy_check(&good), 0);
	assert_int_equal(fbk_policy_check(NULL), -EINVAL);
	p = good;
	p.size--;
	assert_int_equal(fbk_policy_check(&p), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(actions); i++)
		for (word = 0; word < 7; word++) {
			/* 5 and 6 are no actions at all. */
			int refused = word > 4 || strchr(actions[i].refused, "RrSPT"[word]) != NULL;

			p = good;
			memcpy((char *)&p + actions[i].offset, &word, sizeof(word));
			if (fbk_policy_check(&p) != (refused ? -EINVAL : 0))
				fail_msg("action %u in row %zu", word, i);
		}
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		p = good;
		memcpy((char *)&p + numbers[i].offset, &numbers[i].value, sizeof(uint32_t));
		if (fbk_policy_check(&p) != numbers[i].err)
			fail_msg("number %u in row %zu", numbers[i].value, i);
	}
	assert_int_equal(fbk_policy_decide(&good, &c, &v), -EINVAL);
	c.source = FBK_SOURCE_SEA;
	c.abort = NULL;
	assert_int_equal(fbk_policy_decide(&good, &c, &v), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(each_rule_by_itself),
		cmocka_unit_test(the_gravest_wins),
		cmocka_unit_test(one_look),
		cmocka_unit_test(the_reason_told),
		cmocka_unit_test(the_budget_and_what_nobody_consumed),
		cmocka_unit_test(the_budget_at_its_edges),
		cmocka_unit_test(the_rate_at_its_edges),
		cmocka_unit_test(any_rate),
		cmocka_unit_test(a_storm_escalates_twice),
		cmocka_unit_test(what_ends_a_storm),
		cmocka_unit_test(storms_can_be_switched_off),
		cmocka_unit_test(bad_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
