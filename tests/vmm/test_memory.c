/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_memory.c - guest RAM of ordinary pages, made and cleared. What the kernel says of it (/proc/self/smaps, a second mapping
 * of the file) is the judge. Pools of huge pages are the lab's: tests/scenarios, 37.
 */
#include "test.h"

#include "memory.h"
#include "platform.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEN (UINT64_C(64) << 20)
#define PAGE FBK_PAGE_SIZE
#define HUGE (UINT64_C(2) << 20)

static struct fbk_memory mem;
static struct fbk_gmem view;

static void open_it(const struct fbk_memory_option *o)
{
	view = (struct fbk_gmem){ 0 };
	assert_int_equal(fbk_memory_open(o, &mem, &view), 0);
	assert_int_equal(view.nr_regions, 1);
	assert_int_equal(view.region[0].gpa.addr, FBK_RAM_BASE);
	assert_int_equal(view.region[0].hva.addr, (uintptr_t)mem.at);
	assert_int_equal(view.region[0].len, o->len);
	assert_int_equal((uintptr_t)mem.at % HUGE, 0);
}

static void close_it(void)
{
	munmap(mem.at, LEN);
	if (mem.fd >= 0)
		close(mem.fd);
}

/* Of all mappings of RAM together, in bytes; @name "VmFlags:": whether each of them has @flag. */
static uint64_t smaps(const char *name, const char *flag)
{
	uintptr_t from, to, base = (uintptr_t)mem.at;
	bool inside = false;
	uint64_t sum = 0, all = 1;
	char line[512];
	FILE *f = fopen("/proc/self/smaps", "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2 && strchr(line, '-') < strchr(line, ' '))
			inside = from >= base && to <= base + LEN;
		else if (inside && !strncmp(line, name, strlen(name)) && flag)
			all &= !!strstr(line, flag);
		else if (inside && !strncmp(line, name, strlen(name)))
			sum += strtoull(line + strlen(name), NULL, 10) << 10;
	}
	fclose(f);
	return flag ? all : sum;
}

static struct fbk_memory_lost lost(uint64_t page, bool healed)
{
	return (struct fbk_memory_lost){ { FBK_RAM_BASE + page * PAGE }, healed };
}

static void nothing_is_touched(void **state)
{
	static const struct fbk_memory_option rows[] = { { .len = LEN }, { .len = LEN, .thp = FBK_THP_OFF }, { .len = LEN, .shared = true } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_it(&rows[i]);
		assert_int_equal(smaps("Rss:", NULL), 0);
		assert_int_equal(smaps("Size:", NULL), LEN);
		assert_string_equal(fbk_memory_kind(&mem), rows[i].shared ? "shared" : "anonymous");
		assert_int_equal(view.region[0].backing, rows[i].shared ? FBK_BACKING_FILE : FBK_BACKING_ANON);
		assert_int_equal(view.region[0].flags, rows[i].shared ? FBK_GMEM_REPLACE : 0);
		assert_int_equal(smaps("VmFlags:", " sh"), rows[i].shared);
		assert_int_equal(smaps("VmFlags:", " nh"), rows[i].thp == FBK_THP_OFF);
		close_it();
	}
}

static void prefault_takes_all(void **state)
{
	static const struct fbk_memory_option rows[] = { { .len = LEN, .prefault = true }, { .len = LEN, .shared = true, .prefault = true } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_memory_lost bad = lost(5, false);

		open_it(&rows[i]);
		assert_int_equal(smaps("Rss:", NULL), LEN);
		memset(mem.at, 0x5a, LEN);
		/* Again after a reset, on both sides of a page that is left alone. */
		assert_int_equal(fbk_memory_clear(&mem, &bad, 1), 0);
		assert_int_equal(smaps("Rss:", NULL), LEN);
		assert_int_equal(mem.at[0] | mem.at[4 * PAGE] | mem.at[6 * PAGE] | mem.at[LEN - 1], 0);
		assert_int_equal(mem.at[5 * PAGE], 0x5a);
		close_it();
	}
}

static void more_than_the_host_has(void **state)
{
	struct fbk_memory_option o = { .len = UINT64_C(1) << 46 };
	struct fbk_gmem none = { 0 };

	assert_int_equal(fbk_memory_open(&o, &mem, &none), -E2BIG);
	assert_int_equal(none.nr_regions, 0);
}

static void bad_pages_are_left_alone(void **state)
{
	static const struct fbk_memory_option rows[] = { { .len = LEN }, { .len = LEN, .shared = true } };
	/* The first, neighbours, the last; one that is good again; some that are not in RAM. */
	const struct fbk_memory_lost pages[] = {
		{ { 0x1000 }, false }, lost(0, false), lost(7, false), lost(8, false), lost(9, true), lost(LEN / PAGE - 1, false),
		lost(LEN / PAGE + 3, false),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_it(&rows[i]);
		memset(mem.at, 0x5a, LEN);
		assert_int_equal(fbk_memory_clear(&mem, pages, ARRAY_SIZE(pages)), 0);
		for (uint64_t page = 0; page < LEN / PAGE; page++) {
			bool bad = page == 0 || page == 7 || page == 8 || page == LEN / PAGE - 1;

			for (uint64_t at = page * PAGE; at < (page + 1) * PAGE; at += 512)
				if (mem.at[at] != (bad ? 0x5a : 0))
					fail_msg("page %llu: %#x", (unsigned long long)page, mem.at[at]);
		}
		assert_int_equal(fbk_memory_clear(&mem, NULL, 0), 0);
		assert_int_equal(smaps("Rss:", NULL), 0);
		close_it();
	}
}

/* A page of the file was bad and another lies over it: the file keeps its frame, whatever is cleared. */
static void the_file_keeps_bad_frames(void **state)
{
	struct fbk_memory_option o = { .len = LEN, .shared = true };
	struct fbk_memory_lost healed = lost(3, true);
	unsigned char *file;

	open_it(&o);
	memset(mem.at, 0x5a, 8 * PAGE);
	file = mmap(NULL, LEN, PROT_READ, MAP_SHARED, mem.fd, 0);
	assert_ptr_not_equal(file, MAP_FAILED);
	assert_ptr_equal(mmap(mem.at + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
			 mem.at + 3 * PAGE);
	memset(mem.at + 3 * PAGE, 0xa5, PAGE);
	assert_int_equal(fbk_memory_clear(&mem, &healed, 1), 0);
	for (uint64_t at = 0; at < 8 * PAGE; at++)
		assert_int_equal(mem.at[at], 0);
	assert_int_equal(file[3 * PAGE], 0x5a);
	assert_int_equal(file[2 * PAGE] | file[4 * PAGE], 0);
	munmap(file, LEN);
	close_it();
}

/* Whoever is given the file cannot take memory from under the guest. */
static void the_file_keeps_its_length(void **state)
{
	struct fbk_memory_option o = { .len = LEN, .shared = true };

	open_it(&o);
	assert_int_equal(ftruncate(mem.fd, PAGE), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(mem.fd, 2 * LEN), -1);
	close_it();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_touched),	     cmocka_unit_test(prefault_takes_all),
		cmocka_unit_test(more_than_the_host_has),    cmocka_unit_test(bad_pages_are_left_alone),
		cmocka_unit_test(the_file_keeps_bad_frames), cmocka_unit_test(the_file_keeps_its_length),
	};

	return cmocka_run_group_tests_name("vmm-memory", tests, NULL, NULL);
}
