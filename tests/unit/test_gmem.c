/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_gmem.c - the map of guest RAM, copies across it, and copies that meet a page that is really not there: the tail of
 * a mapping whose file was cut, which the kernel answers with SIGBUS as it does a poisoned page. Genuine poison is the
 * lab's business: it needs privilege and a kernel that can.
 */
#include "test.h"

#include <firebreak/gmem.h>

#include "host/gmem_copy.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define GPA UINT64_C(0x40000000)
#define GOOD 2 /* pages of the mapping that are there */
#define ALL 4

static unsigned char *ram; /* ALL pages, of which the last two are bad */
static int handled;

static void on_sigbus(int sig, siginfo_t *si, void *uc)
{
	if (!fbk_gmem_sigbus(si, uc))
		_exit(99);
	__atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
}

static int setup(void **state)
{
	int fd = memfd_create("ram", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, ALL * 4096), 0);
	ram = mmap(NULL, ALL * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(ram, MAP_FAILED);
	assert_int_equal(ftruncate(fd, GOOD * 4096), 0);
	close(fd);
	return 0;
}

/* In each test: cmocka puts its own handler in place before it. */
static void catch_sigbus(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

	assert_int_equal(sigaction(SIGBUS, &sa, NULL), 0);
}

static struct fbk_gmem map(void)
{
	struct fbk_gmem m = { 0 };
	struct fbk_gmem_region r = { .gpa = { GPA }, .hva = { (uintptr_t)ram }, .len = ALL * 4096 };

	assert_int_equal(fbk_gmem_add(&m, &r), 0);
	catch_sigbus();
	return m;
}

static struct fbk_gpa at(uint64_t offset)
{
	return (struct fbk_gpa){ GPA + offset };
}

static void reads_tell_what_is_good(void **state)
{
	struct fbk_gmem m = map();
	unsigned char buf[3 * 4096], want[sizeof(buf)];
	size_t start, len, done, i;

	for (i = 0; i < GOOD * 4096; i++)
		ram[i] = (unsigned char)(i * 7 + i / 256);
	/* Every distance from the edge that a chunk of the copy could straddle. */
	for (start = GOOD * 4096 - 150; start < GOOD * 4096 + 3; start++) {
		size_t good = start < GOOD * 4096 ? GOOD * 4096 - start : 0;

		for (len = 1; len < 200; len += 13) {
			memset(buf, 0xee, sizeof(buf));
			memset(want, 0xee, sizeof(want));
			memcpy(want, ram + start, len < good ? len : good);
			done = 12345;
			handled = 0;
			if (len <= good) {
				assert_int_equal(fbk_gmem_read(&m, at(start), buf, len, &done), 0);
				assert_int_equal(done, len);
				assert_int_equal(__atomic_load_n(&handled, __ATOMIC_RELAXED), 0);
			} else {
				assert_int_equal(fbk_gmem_read(&m, at(start), buf, len, &done), -EHWPOISON);
				assert_int_equal(done, good);
				assert_true(__atomic_load_n(&handled, __ATOMIC_RELAXED) > 0);
			}
			assert_memory_equal(buf, want, sizeof(buf));
		}
	}
}

static void writes_tell_what_was_written(void **state)
{
	struct fbk_gmem m = map();
	unsigned char buf[4096];
	size_t done = 0;

	memset(buf, 0x5a, sizeof(buf));
	assert_int_equal(fbk_gmem_write(&m, at(GOOD * 4096 - 100), buf, sizeof(buf), &done), -EHWPOISON);
	assert_int_equal(done, 100);
	assert_int_equal(ram[GOOD * 4096 - 1], 0x5a);
	assert_int_equal(fbk_gmem_write(&m, at(GOOD * 4096), buf, 1, NULL), -EHWPOISON);
	assert_int_equal(fbk_gmem_write(&m, at(0), buf, sizeof(buf), &done), 0);
	assert_int_equal(done, sizeof(buf));
}

static void single_accesses(void **state)
{
	struct fbk_gmem m = map();
	uint16_t v16 = 1;
	uint64_t v64 = 2;

	assert_int_equal(fbk_gmem_store_release_u64(&m, at(8), 0x1122334455667788), 0);
	assert_int_equal(ram[8], 0x88);
	assert_int_equal(fbk_gmem_load_acquire_u64(&m, at(8), &v64), 0);
	assert_int_equal(v64, 0x1122334455667788);
	assert_int_equal(fbk_gmem_load_acquire_u16(&m, at(14), &v16), 0);
	assert_int_equal(v16, 0x1122);
	assert_int_equal(fbk_gmem_store_release_u16(&m, at(12), 0xabcd), 0);
	assert_int_equal(fbk_gmem_store_release_u32(&m, at(8), 0x01020304), 0);
	assert_int_equal(fbk_gmem_load_acquire_u64(&m, at(8), &v64), 0);
	assert_int_equal(v64, 0x1122abcd01020304);

	/* Outputs stay as they were on each kind of failure. */
	assert_int_equal(fbk_gmem_load_acquire_u64(&m, at(GOOD * 4096), &v64), -EHWPOISON);
	assert_int_equal(fbk_gmem_load_acquire_u64(&m, at(4), &v64), -EINVAL);
	assert_int_equal(fbk_gmem_load_acquire_u64(&m, at(ALL * 4096), &v64), -ERANGE);
	assert_int_equal(v64, 0x1122abcd01020304);
	assert_int_equal(fbk_gmem_load_acquire_u16(&m, at(GOOD * 4096 + 2), &v16), -EHWPOISON);
	assert_int_equal(fbk_gmem_load_acquire_u16(&m, at(1), &v16), -EINVAL);
	assert_int_equal(v16, 0x1122);
	assert_int_equal(fbk_gmem_store_release_u16(&m, at(GOOD * 4096), 1), -EHWPOISON);
	assert_int_equal(fbk_gmem_store_release_u32(&m, at(GOOD * 4096), 1), -EHWPOISON);
	assert_int_equal(fbk_gmem_store_release_u64(&m, at(GOOD * 4096), 1), -EHWPOISON);
	assert_int_equal(fbk_gmem_store_release_u32(&m, at(2), 1), -EINVAL);
	assert_int_equal(fbk_gmem_store_release_u64(&m, at(ALL * 4096), 1), -ERANGE);
	assert_int_equal(fbk_gmem_load_acquire_u16(&m, at(0), NULL), -EINVAL);
	assert_int_equal(fbk_gmem_load_acquire_u64(NULL, at(0), &v64), -EINVAL);
}

static void ranges(void **state)
{
	/* Two runs that touch by GPA though not by HVA, and one apart. */
	static unsigned char a[4096] __attribute__((aligned(4096)));
	static unsigned char b[8192] __attribute__((aligned(4096)));
	static unsigned char c[4096] __attribute__((aligned(4096)));
	struct fbk_gmem_region rb = { { GPA + 4096 }, { (uintptr_t)b }, 8192, 0, 0 }, rc = { { 0 }, { (uintptr_t)c }, 4096, 0, 0 },
			       ra = { { GPA }, { (uintptr_t)a }, 4096, 0, 0 };
	static const struct {
		uint64_t gpa, len;
		int copy, ptr;
	} rows[] = {
		{ GPA, 3 * 4096, 0, -ERANGE },	       { GPA + 4095, 2, 0, -ERANGE },
		{ GPA, 4096, 0, 0 },		       { GPA + 4096, 8192, 0, 0 },
		{ GPA, 3 * 4096 + 1, -ERANGE, -ERANGE }, { GPA - 1, 2, -ERANGE, -ERANGE },
		{ GPA + 3 * 4096, 1, -ERANGE, -ERANGE }, { 0, 4096, 0, 0 },
		{ 4095, 2, -ERANGE, -ERANGE },	       { UINT64_MAX, 2, -ERANGE, -ERANGE },
		{ UINT64_MAX, 0, 0, -ERANGE },	       { GPA + 1, UINT64_MAX, -ERANGE, -ERANGE },
	};
	static unsigned char buf[4 * 4096];
	struct fbk_gmem m = { 0 };
	struct fbk_gpa gpa;
	size_t i, done = 77;
	void *p;

	assert_int_equal(fbk_gmem_add(&m, &rb), 0);
	assert_int_equal(fbk_gmem_add(&m, &rc), 0);
	assert_int_equal(fbk_gmem_add(&m, &ra), 0);
	assert_int_equal(m.region[0].gpa.addr, 0);
	assert_int_equal(m.region[2].gpa.addr, GPA + 4096);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_gpa g = { rows[i].gpa };

		assert_int_equal(fbk_gmem_read(&m, g, buf, rows[i].len, NULL), rows[i].copy);
		assert_int_equal(fbk_gmem_ptr(&m, g, rows[i].len, &p), rows[i].ptr);
	}
	/* Out of range: not even the part that is inside. */
	b[8191] = 1;
	buf[0] = 9;
	assert_int_equal(fbk_gmem_write(&m, (struct fbk_gpa){ GPA + 3 * 4096 - 1 }, buf, 2, &done), -ERANGE);
	assert_int_equal(b[8191], 1);
	assert_int_equal(done, 77);
	/* Across the seam. */
	memset(buf, 0x33, 2 * 4096);
	assert_int_equal(fbk_gmem_write(&m, (struct fbk_gpa){ GPA }, buf, 2 * 4096, NULL), 0);
	assert_int_equal(a[4095], 0x33);
	assert_int_equal(b[0], 0x33);

	assert_int_equal(fbk_gmem_gpa(&m, (struct fbk_hva){ (uintptr_t)b + 5 }, &gpa), 0);
	assert_int_equal(gpa.addr, GPA + 4096 + 5);
	assert_int_equal(fbk_gmem_gpa(&m, (struct fbk_hva){ 0 }, &gpa), -ERANGE);
	assert_int_equal(fbk_gmem_gpa(NULL, (struct fbk_hva){ 0 }, &gpa), -EINVAL);
	assert_int_equal(fbk_gmem_read(NULL, at(0), buf, 1, NULL), -EINVAL);
	assert_int_equal(fbk_gmem_write(&m, at(0), NULL, 1, NULL), -EINVAL);
	assert_int_equal(fbk_gmem_ptr(&m, at(0), 1, NULL), -EINVAL);
}

static void what_add_refuses(void **state)
{
	struct fbk_gmem_region r = { { GPA }, { 0x10000 }, 4096, 0, 0 };
	struct fbk_gmem m = { 0 };
	uint64_t i;

	assert_int_equal(fbk_gmem_add(&m, &r), 0);
	assert_int_equal(fbk_gmem_add(&m, &(struct fbk_gmem_region){ { GPA }, { 0x20000 }, 4096, 0, 0 }), -EEXIST);
	assert_int_equal(fbk_gmem_add(&m, &(struct fbk_gmem_region){ { 0 }, { 0x10000 }, 4096, 0, 0 }), -EEXIST);
	assert_int_equal(fbk_gmem_add(&m, &(struct fbk_gmem_region){ { GPA - 4096 }, { 0x20000 }, 8192, 0, 0 }), -EEXIST);
	assert_int_equal(fbk_gmem_add(&m, &(struct fbk_gmem_region){ { 1 }, { 0x20000 }, 4096, 0, 0 }), -EINVAL);
	assert_int_equal(fbk_gmem_add(&m, &(struct fbk_gmem_region){ { 0 }, { 0x20001 }, 4096, 0, 0 }), -EINVAL);
	assert_int_equal(fbk_gmem_add(&m, &(struct fbk_gmem_region){ { 0 }, { 0x20000 }, 1, 0, 0 }), -EINVAL);
	assert_int_equal(fbk_gmem_add(&m, &(struct fbk_gmem_region){ { 0 }, { 0x20000 }, 0, 0, 0 }), -EINVAL);
	assert_int_equal(fbk_gmem_add(&m, &(struct fbk_gmem_region){ { FBK_PAGE_MASK }, { 0x20000 }, 8192, 0, 0 }), -EINVAL);
	assert_int_equal(fbk_gmem_add(&m, &(struct fbk_gmem_region){ { 0 }, { FBK_PAGE_MASK }, 8192, 0, 0 }), -EINVAL);
	assert_int_equal(fbk_gmem_add(&m, NULL), -EINVAL);
	assert_int_equal(m.nr_regions, 1);
	for (i = 1; i < FBK_GMEM_MAX_REGIONS; i++)
		assert_int_equal(fbk_gmem_add(&m, &(struct fbk_gmem_region){ { GPA + i * 4096 }, { 0x10000 + i * 4096 }, 4096, 0, 0 }), 0);
	assert_int_equal(fbk_gmem_add(&m, &(struct fbk_gmem_region){ { 0 }, { 0x90000 }, 4096, 0, 0 }), -ENOSPC);
}

/* Signals that are not a guest-memory copy's are left to the monitor. */
static void not_ours(void **state)
{
	siginfo_t si = { .si_signo = SIGBUS, .si_code = BUS_MCEERR_AR };
	ucontext_t uc;

	memset(&uc, 0, sizeof(uc));
	assert_int_equal(fbk_gmem_sigbus(&si, &uc), 0);
	assert_int_equal(fbk_gmem_sigbus(NULL, &uc), 0);
	assert_int_equal(fbk_gmem_sigbus(&si, NULL), 0);
#if defined(__x86_64__)
	/* A thread in the middle of a copy, hit by what is not a fault of that copy. */
	uc.uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)fbk_gmem_text_start;
	si.si_code = BUS_MCEERR_AO;
	assert_int_equal(fbk_gmem_sigbus(&si, &uc), 0);
	si.si_code = SI_USER;
	assert_int_equal(fbk_gmem_sigbus(&si, &uc), 0);
	si.si_code = SI_TKILL;
	assert_int_equal(fbk_gmem_sigbus(&si, &uc), 0);
	assert_int_equal(uc.uc_mcontext.gregs[REG_RIP], (greg_t)(uintptr_t)fbk_gmem_text_start);
	si.si_code = BUS_MCEERR_AR;
	assert_int_equal(fbk_gmem_sigbus(&si, &uc), 1);
	assert_int_equal(uc.uc_mcontext.gregs[REG_RIP], (greg_t)(uintptr_t)fbk_gmem_fixup);
	assert_int_equal(fbk_gmem_sigbus(&si, &uc), 0);
#endif
}

static void *worker(void *arg)
{
	struct fbk_gmem *m = arg;
	unsigned char buf[64];
	uintptr_t bad = 0;
	size_t done;
	int i;

	for (i = 0; i < 300; i++) {
		if (fbk_gmem_read(m, at(GOOD * 4096 - 10), buf, sizeof(buf), &done) != -EHWPOISON || done != 10)
			bad++;
		if (fbk_gmem_read(m, at(0), buf, sizeof(buf), &done) || done != sizeof(buf))
			bad++;
	}
	return (void *)bad;
}

static void threads_do_not_disturb_each_other(void **state)
{
	struct fbk_gmem m = map();
	pthread_t t[4];
	void *bad;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, worker, &m), 0);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		pthread_join(t[i], &bad);
		assert_null(bad);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_tell_what_is_good),
		cmocka_unit_test(writes_tell_what_was_written),
		cmocka_unit_test(single_accesses),
		cmocka_unit_test(ranges),
		cmocka_unit_test(what_add_refuses),
		cmocka_unit_test(not_ours),
		cmocka_unit_test(threads_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
