/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_observe.c - siginfo to guest pages: small and large host pages, edges of guest RAM, what is no memory error.
 */
#include "test.h"

#include "host/observe.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#define MB (UINT64_C(1) << 20)
#define HVA (UINT64_C(0x7f0000000000))
#define GPA 0x40000000

static struct fbk_gmem ram(void)
{
	struct fbk_gmem m = { 0 };
	/* Not aligned to 2 MiB at either end. */
	struct fbk_gmem_region r = { .gpa = { GPA }, .hva = { HVA + MB }, .len = 6 * MB };

	assert_int_equal(fbk_gmem_add(&m, &r), 0);
	return m;
}

static siginfo_t bus(int code, uint64_t hva, short lsb)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	si.si_signo = SIGBUS;
	si.si_code = code;
	si.si_addr = (void *)(uintptr_t)hva;
	si.si_addr_lsb = lsb;
	return si;
}

static void spans(void **state)
{
	static const struct {
		uint64_t hva; /* from HVA */
		short lsb;
		uint32_t max;
		uint64_t page; /* from GPA */
		uint32_t nr_pages;
	} rows[] = {
		{ MB + 0x1234, 12, 512, 0x1000, 1 },
		{ MB + 0x1234, 0, 512, 0x1000, 1 },
		{ MB + 0x1234, -3, 512, 0x1000, 1 },
		{ MB + 0x1234, 63, 512, 0x1000, 1 },
		{ 3 * MB, 21, 512, 1 * MB, 512 },	    /* a whole 2 MiB page */
		{ 3 * MB + 0x5000, 21, 1, 2 * MB + 0x5000, 1 }, /* as narrow as the policy wants it */
		{ 3 * MB, 21, 4, 2 * MB, 4 },	            /* from the touched page on */
		{ 4 * MB - 0x1000, 21, 4, 3 * MB - 0x4000, 4 }, /* up to the end of the host page */
		{ 1 * MB, 21, 512, 0, 256 },		    /* begins before guest RAM */
		{ 7 * MB - 1, 21, 512, 5 * MB, 256 },	    /* ends after it */
		{ 2 * MB + 0x3000, 16, 512, MB, 16 },	    /* 64 KiB host pages */
		{ 2 * MB, 30, 100000, 0, 1536 },	    /* 1 GiB: all of guest RAM */
	};
	struct fbk_gmem m = ram();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		siginfo_t si = bus(BUS_MCEERR_AR, HVA + rows[i].hva, rows[i].lsb);
		struct fbk_event ev = { 0 };
		struct fbk_span s = { .next = NULL };

		assert_int_equal(fbk_observe_sigbus(&m, &si, rows[i].max, &ev, &s), 0);
		assert_null(s.next);
		assert_int_equal(ev.hva.addr, HVA + rows[i].hva);
		assert_int_equal(ev.abort.gpa.addr, GPA + rows[i].hva - MB);
		if (s.page != GPA + rows[i].page || s.nr_pages != rows[i].nr_pages)
			fail_msg("row %zu: %u pages from %#lx", i, s.nr_pages, (unsigned long)s.page);
		/* The touched page is always among them. */
		assert_true(s.page <= ev.abort.gpa.addr);
		assert_true(ev.abort.gpa.addr < s.page + s.nr_pages * FBK_PAGE_SIZE);
	}
}

/* Two runs of guest RAM behind one mapping, in the other order, and a hole between them that is not the guest's. */
static struct fbk_gmem two_runs(void)
{
	struct fbk_gmem m = { 0 };
	struct fbk_gmem_region low = { .gpa = { GPA }, .hva = { HVA + 0x108000 }, .len = 0x98000 };
	struct fbk_gmem_region high = { .gpa = { GPA + 16 * MB }, .hva = { HVA }, .len = 0x100000 };

	assert_int_equal(fbk_gmem_add(&m, &low), 0);
	assert_int_equal(fbk_gmem_add(&m, &high), 0);
	return m;
}

static void check_spans(size_t row, const struct fbk_span *s, const uint64_t want[2][2])
{
	size_t i;

	for (i = 0; i < 2 && want[i][1]; i++, s = s->next) {
		if (!s || s->page != GPA + want[i][0] || s->nr_pages != want[i][1])
			fail_msg("row %zu, run %zu", row, i);
	}
	assert_null(s);
}

static void spans_of_two_runs(void **state)
{
	static const struct {
		uint64_t hva; /* from HVA */
		short lsb;
		uint32_t max;
		uint64_t want[2][2]; /* from GPA, pages */
	} rows[] = {
		{ 0x5000, 21, 512, { { 16 * MB, 256 }, { 0, 152 } } },
		{ 0x108000, 21, 512, { { 0, 152 }, { 16 * MB, 256 } } },
		{ 0x108000, 21, 160, { { 0, 152 }, { 16 * MB, 8 } } }, /* as many as the policy wants */
		{ 0x108000, 21, 152, { { 0, 152 } } },
		{ 0xff000, 16, 512, { { 16 * MB + 0xf0000, 16 } } },
		{ 0x109000, 16, 512, { { 0, 8 } } }, /* partly guest RAM */
		{ 0x109000, 17, 512, { { 0, 24 } } },
		{ 0x109000, 30, 100000, { { 0, 152 }, { 16 * MB, 256 } } },
		{ 0x109000, 47, 100000, { { 0, 152 }, { 16 * MB, 256 } } },
		{ 0x109000, 48, 100000, { { 0x1000, 1 } } }, /* no page is that large */
	};
	struct fbk_gmem m = two_runs();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		siginfo_t si = bus(BUS_MCEERR_AO, HVA + rows[i].hva, rows[i].lsb);
		struct fbk_span s[FBK_GMEM_MAX_REGIONS];
		struct fbk_event ev = { 0 };

		assert_int_equal(fbk_observe_sigbus(&m, &si, rows[i].max, &ev, s), 0);
		check_spans(i, s, rows[i].want);
	}
}

/* The same by the guest's addresses: there the runs have another distance. */
static void memory_faults(void **state)
{
	static const struct {
		uint64_t gpa, size; /* from GPA */
		uint32_t max;
		uint64_t want[2][2];
	} rows[] = {
		{ 0x3000, 0x1000, 512, { { 0x3000, 1 } } },
		{ 0x3123, 0, 512, { { 0x3000, 1 } } },
		{ 0x3123, 0x1000, 512, { { 0x3000, 2 } } },
		{ 0x3fff, 1, 512, { { 0x3000, 1 } } },
		{ 0, 0x10000, 512, { { 0, 16 } } },
		{ 0, 0x10000, 1, { { 0, 1 } } },
		{ 0x90000, 0x10000, 512, { { 0x90000, 8 } } }, /* partly guest RAM */
		{ 0, 32 * MB, 512, { { 0, 152 }, { 16 * MB, 256 } } },
		{ 16 * MB, 1 << 30, 512, { { 16 * MB, 256 } } },
		{ 0x3000, UINT64_MAX - GPA, 100000, { { 0x3000, 149 }, { 16 * MB, 256 } } },
		{ 0x3000, UINT64_MAX, 100000, { { 0x3000, 149 }, { 16 * MB, 256 } } },
		{ 8 * MB, 0x2000, 512, { { 8 * MB, 2 } } },	/* not in the view: as it was told */
		{ 8 * MB, UINT64_MAX, 7, { { 8 * MB, 7 } } },
		{ UINT64_MAX - GPA, UINT64_MAX, 7, { { UINT64_MAX - GPA - 0xfff, 1 } } },
	};
	struct fbk_gmem m = two_runs();
	struct kvm_run run;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint64_t fields[3] = { 0, GPA + rows[i].gpa, rows[i].size };
		struct fbk_span s[FBK_GMEM_MAX_REGIONS];
		struct fbk_event ev = { 0 };

		memset(&run, 0, sizeof(run));
		run.exit_reason = 39;
		memcpy(run.padding, fields, sizeof(fields));
		fbk_observe_memory_fault(&m, &run, rows[i].max, &ev, s);
		assert_int_equal(ev.source, FBK_SOURCE_MEMORY_FAULT);
		assert_int_equal(ev.abort.flags, FBK_SEA_HAS_GPA);
		assert_int_equal(ev.abort.gpa.addr, GPA + rows[i].gpa);
		assert_int_equal(!!ev.hva.addr, rows[i].gpa < 0x98000 || rows[i].gpa == 16 * MB);
		check_spans(i, s, rows[i].want);

		run.exit_reason = 10;
		ev = (struct fbk_event){ 0 };
		fbk_observe_memory_fault(&m, &run, rows[i].max, &ev, s);
		assert_int_equal(ev.abort.flags, 0);
		assert_int_equal(s[0].nr_pages, 0);
		assert_null(s[0].next);
	}
}

static void not_ours(void **state)
{
	struct fbk_gmem m = ram();
	struct fbk_event ev = { 0 };
	struct fbk_span s;
	siginfo_t si;

	si = bus(BUS_ADRERR, HVA + MB, 12);
	assert_int_equal(fbk_observe_sigbus(&m, &si, 1, &ev, &s), -EINVAL);
	si = bus(SI_USER, HVA + MB, 12);
	assert_int_equal(fbk_observe_sigbus(&m, &si, 1, &ev, &s), -EINVAL);
	si = bus(BUS_MCEERR_AR, HVA, 12);
	assert_int_equal(fbk_observe_sigbus(&m, &si, 1, &ev, &s), -ERANGE);
	si = bus(BUS_MCEERR_AO, HVA + 7 * MB, 12);
	assert_int_equal(fbk_observe_sigbus(&m, &si, 1, &ev, &s), -ERANGE);
	si = bus(BUS_MCEERR_AO, HVA + MB, 12);
	si.si_signo = SIGSEGV;
	assert_int_equal(fbk_observe_sigbus(&m, &si, 1, &ev, &s), -EINVAL);
	assert_int_equal(fbk_observe_sigbus(&m, NULL, 1, &ev, &s), -EINVAL);
}

static void exits(void **state)
{
	struct kvm_run run;
	const uint64_t fields[4] = { 1, 0x92000010, 0x1018, 0x40010000 };
	struct fbk_event ev = { 0 };

	memset(&run, 0, sizeof(run));
	run.exit_reason = 41;
	memcpy(run.padding, fields, sizeof(fields));
	assert_int_equal(fbk_observe_sea(&run, &ev), 0);
	assert_int_equal(ev.source, FBK_SOURCE_SEA);
	assert_int_equal(ev.raw_esr, 0x92000010);
	assert_int_equal(ev.abort.gva.addr, 0x1018);
	assert_int_equal(ev.abort.gpa.addr, 0x40010000);
	run.exit_reason = 6;
	assert_int_equal(fbk_observe_sea(&run, &ev), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),
		cmocka_unit_test(spans_of_two_runs),
		cmocka_unit_test(memory_faults),
		cmocka_unit_test(not_ours),
		cmocka_unit_test(exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
