/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_block.c - one source's error block: found once, written in order, and none of it there any more when it counts.
 */
#include "test.h"

#include "host/block.h"

#include <firebreak/cper.h>

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GPA UINT64_C(0x40000000)
#define PAGES 4
#define BAD 2 /* the page that is not there, and those after it */

static unsigned char *ram;

static void on_sigbus(int sig, siginfo_t *si, void *uc)
{
	if (!fbk_gmem_sigbus(si, uc))
		_exit(99);
}

static struct fbk_gmem start(int all_good)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	struct fbk_gmem_region r = { .gpa = { GPA }, .len = PAGES * 4096 };
	struct fbk_gmem m = { 0 };
	int fd = memfd_create("ram", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, PAGES * 4096), 0);
	ram = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(ram, MAP_FAILED);
	memset(ram, 0xdd, PAGES * 4096);
	if (!all_good)
		assert_int_equal(ftruncate(fd, BAD * 4096), 0);
	close(fd);
	r.hva.addr = (uintptr_t)ram;
	assert_int_equal(fbk_gmem_add(&m, &r), 0);
	assert_int_equal(sigaction(SIGBUS, &sa, NULL), 0);
	return m;
}

static void stop(void)
{
	munmap(ram, PAGES * 4096);
}

static struct fbk_block find(const struct fbk_gmem *m, uint64_t pointer, uint64_t ack, uint64_t block)
{
	struct fbk_ghes_layout l = { .source[0] = { { GPA + pointer }, { GPA + ack }, { GPA + block } } };
	struct fbk_block b;

	assert_int_equal(fbk_block_find(m, &l, FBK_GHES_SEA, &b), 0);
	return b;
}

static void records_of_every_length(void **state)
{
	struct fbk_gmem m = start(1);
	struct fbk_block b = find(&m, 0, 8, 4096);
	uint8_t record[FBK_GHES_BLOCK_LEN];
	uint64_t ack = 7;
	uint32_t nr;
	size_t i;

	for (i = 0; i < sizeof(record); i++)
		record[i] = (uint8_t)(i * 7 + i / 256 + 1);
	for (nr = 1; nr <= FBK_CPER_MAX_PAGES; nr++) {
		size_t len = FBK_CPER_STATUS_LEN + nr * FBK_CPER_SECTION_LEN;

		memset(ram, 0xdd, PAGES * 4096);
		assert_int_equal(fbk_block_write(&b, record, len), 0);
		assert_memory_equal(ram + 4096, record, len);
		for (i = len; i < FBK_GHES_BLOCK_LEN + 64; i++)
			assert_int_equal(ram[4096 + i], 0xdd);
		assert_int_equal(ram[4095], 0xdd);
		assert_int_equal(fbk_block_ack(&b, &ack), 0);
		assert_int_equal(ack, 0);
	}
	assert_int_equal(fbk_block_clear(&b), 0);
	assert_memory_equal(ram + 4096, "\0\0\0\0", 4);
	assert_memory_equal(ram + 4100, record + 4, 100);
	assert_int_equal(fbk_block_reset(&b), 0);
	assert_memory_equal(ram, "\x00\x10\x00\x40\0\0\0\0\1\0\0\0\0\0\0\0\xdd", 17);
	stop();
}

/* Whatever is bad, the guest never finds a status that announces what is not there. */
static void parts_that_are_bad(void **state)
{
	static const struct {
		uint64_t pointer, ack, block;
		int write, look, clear, reset;
	} rows[] = {
		{ 0, 8, 4096, 0, 0, 0, 0 },
		{ BAD * 4096, 8, 4096, 0, 0, 0, -EHWPOISON },
		{ 0, BAD * 4096, 4096, -EHWPOISON, -EHWPOISON, 0, -EHWPOISON },
		{ 0, 8, BAD * 4096, -EHWPOISON, 0, -EHWPOISON, -EHWPOISON },
		{ 0, 8, BAD * 4096 - 8, -EHWPOISON, 0, 0, 0 },	 /* the record's head is there, */
		{ 0, 8, BAD * 4096 - 96, -EHWPOISON, 0, 0, 0 },	 /* the first half, */
		{ 0, 8, BAD * 4096 - 168, -EHWPOISON, 0, 0, 0 }, /* all but the last bytes, */
		{ 0, 8, BAD * 4096 - 176, 0, 0, 0, 0 },		 /* all of it */
	};
	uint8_t record[FBK_CPER_STATUS_LEN + FBK_CPER_SECTION_LEN];
	size_t i;

	memset(record, 0x11, sizeof(record));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_gmem m = start(0);
		struct fbk_block b = find(&m, rows[i].pointer, rows[i].ack, rows[i].block);
		uint64_t ack = 0;

		assert_int_equal(fbk_block_write(&b, record, sizeof(record)), rows[i].write);
		if (rows[i].block < BAD * 4096)
			assert_memory_equal(ram + rows[i].block, rows[i].write ? "\0\0\0\0" : "\x11\x11\x11\x11", 4);
		assert_int_equal(fbk_block_ack(&b, &ack), rows[i].look);
		assert_int_equal(fbk_block_clear(&b), rows[i].clear);
		assert_int_equal(fbk_block_reset(&b), rows[i].reset);
		stop();
	}
}

static void layouts_outside(void **state)
{
	static const uint64_t bad[][3] = {
		{ 4, 8, 4096 },
		{ 0, 12, 4096 },
		{ 0, 8, 4100 },
		{ PAGES * 4096, 8, 4096 },
		{ 0, PAGES * 4096, 4096 },
		{ 0, 8, (PAGES - 1) * 4096 + 8 },
		{ -UINT64_C(8), 8, 4096 },
	};
	struct fbk_gmem m = start(1);
	struct fbk_block b = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fbk_ghes_layout l = {
			.source[1] = { { GPA + bad[i][0] }, { GPA + bad[i][1] }, { GPA + bad[i][2] } },
		};

		assert_int_equal(fbk_block_find(&m, &l, FBK_GHES_ASYNC, &b), -EINVAL);
		assert_null(b.block);
	}
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_every_length),
		cmocka_unit_test(parts_that_are_bad),
		cmocka_unit_test(layouts_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
