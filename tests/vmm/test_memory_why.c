/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_memory_why.c - what a host lacks for the memory that is wanted: one row a host, whose files are made up here.
 */
#include "test.h"

#include "memory-why.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define POOL_2M "sys/kernel/mm/hugepages/hugepages-2048kB/"
#define POOL_1G "sys/kernel/mm/hugepages/hugepages-1048576kB/"
#define THP "sys/kernel/mm/transparent_hugepage/"
/* 4 GiB of memory, 1 GiB of swap; 1.5 GiB and 0.5 GiB of them can be had. */
#define MEMINFO "proc/meminfo=MemTotal:        4194304 kB\nMemFree:          100000 kB\nMemAvailable:    1572864 kB\n" \
		"SwapTotal:       1048576 kB\nSwapFree:         524288 kB\n"

static char root[] = "/tmp/memory-why-XXXXXX";

/* "path=text" below the root, with the folders it needs. */
static void put(const char *file)
{
	char path[256];
	const char *text = strchr(file, '=') + 1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%.*s", root, (int)(text - file - 1), file);
	for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		mkdir(path, 0755);
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int take_away(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return at->level ? remove(path) : 0;
}

static void clean(void)
{
	nftw(root, take_away, 8, FTW_DEPTH | FTW_PHYS);
}

static void hosts(void **state)
{
	static const struct {
		struct fbk_memory_option o;
		const char *says; /* NULL: nothing is lacking */
		const char *file[8];
	} rows[] = {
		/* What cannot be read says nothing. */
		{ { .len = 300 * GIB }, NULL, { NULL } },
		{ { .len = 300 * GIB, .prefault = true }, NULL, { "proc/meminfo=" } },
		{ { .len = 5 * GIB }, NULL, { MEMINFO } },
		{ { .len = 5 * GIB + MIB }, "5121 MiB are more than this host has: 4096 MiB of memory and 1024 MiB of swap", { MEMINFO } },
		{ { .len = 2 * GIB, .prefault = true }, NULL, { MEMINFO } },
		{ { .len = 2 * GIB + MIB, .prefault = true }, "prefault takes 2049 MiB at once, and 2048 MiB are available", { MEMINFO } },

		{ { .len = 64 * MIB, .huge_len = 2 * MIB }, "this host has no huge pages: its kernel is built without CONFIG_HUGETLBFS", { MEMINFO } },
		{ { .len = 64 * MIB, .huge_len = 32 * MIB }, "no huge pages of 32 MiB: it has pools for 2 MiB and 1 GiB",
		  { POOL_1G "nr_hugepages=0\n", POOL_2M "nr_hugepages=0\n" } },
		{ { .len = 64 * MIB, .huge_len = 32 * MIB }, "it has pools for 64 KiB, 2 MiB and 1 GiB",
		  { POOL_1G "nr_hugepages=0\n", POOL_2M "nr_hugepages=0\n", "sys/kernel/mm/hugepages/hugepages-64kB/nr_hugepages=0\n" } },
		{ { .len = 64 * MIB, .huge_len = 2 * MIB },
		  "32 huge pages of 2 MiB are needed, 3 are free: as root, echo 39 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages makes more",
		  { POOL_2M "nr_hugepages=10\n", POOL_2M "free_hugepages=5\n", POOL_2M "resv_hugepages=2\n" } },
		{ { .len = 64 * MIB, .huge_len = 2 * MIB }, NULL,
		  { POOL_2M "nr_hugepages=34\n", POOL_2M "free_hugepages=34\n", POOL_2M "resv_hugepages=2\n" } },
		{ { .len = 64 * MIB, .huge_len = 2 * MIB }, "32 huge pages of 2 MiB are needed, 31 are free",
		  { POOL_2M "nr_hugepages=34\n", POOL_2M "free_hugepages=34\n", POOL_2M "resv_hugepages=3\n" } },
		{ { .len = 64 * MIB, .huge_len = 2 * MIB }, "needed, 0 are free: as root, echo 32 >", { POOL_2M "nr_hugepages=0\n" } },
		/* More may be had than there is. */
		{ { .len = 64 * MIB, .huge_len = 2 * MIB }, NULL,
		  { POOL_2M "nr_hugepages=0\n", POOL_2M "nr_overcommit_hugepages=40\n", POOL_2M "surplus_hugepages=8\n" } },
		{ { .len = 64 * MIB, .huge_len = 2 * MIB }, "32 huge pages of 2 MiB are needed",
		  { POOL_2M "nr_hugepages=0\n", POOL_2M "nr_overcommit_hugepages=40\n", POOL_2M "surplus_hugepages=9\n" } },
		{ { .len = GIB, .huge_len = GIB, .shared = true },
		  "1 huge page of 1 GiB is needed, 0 are free: as root, echo 2 >/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages makes "
		  "more, where the host has so much memory in one piece, or hugepagesz=1G hugepages=2 on its kernel's command line",
		  { POOL_1G "nr_hugepages=1\n", POOL_1G "free_hugepages=0\n" } },

		{ { .len = GIB, .thp = FBK_THP_ON }, "thp=on: this host has no transparent huge pages: ", { MEMINFO } },
		{ { .len = GIB, .thp = FBK_THP_ON }, NULL, { MEMINFO, THP "enabled=always [madvise] never\n" } },
		{ { .len = GIB, .thp = FBK_THP_ON }, NULL, { MEMINFO, THP "enabled=[always] madvise never\n" } },
		{ { .len = GIB, .thp = FBK_THP_ON },
		  "gives no transparent huge pages: as root, echo madvise >/sys/kernel/mm/transparent_hugepage/enabled lets",
		  { MEMINFO, THP "enabled=always madvise [never]\n" } },
		{ { .len = GIB, .thp = FBK_THP_OFF }, NULL, { MEMINFO, THP "enabled=always madvise [never]\n" } },
		{ { .len = GIB, .thp = FBK_THP_ON }, "/sys/kernel/mm/transparent_hugepage/enabled lets",
		  { MEMINFO, THP "enabled=always madvise [never]\n", THP "hpage_pmd_size=2097152\n",
		    THP "hugepages-2048kB/enabled=always [inherit] madvise never\n" } },
		{ { .len = GIB, .thp = FBK_THP_ON }, "echo madvise >/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/enabled lets",
		  { MEMINFO, THP "enabled=[always] madvise never\n", THP "hpage_pmd_size=2097152\n",
		    THP "hugepages-2048kB/enabled=always inherit madvise [never]\n" } },
		{ { .len = GIB, .thp = FBK_THP_ON }, NULL,
		  { MEMINFO, THP "enabled=always madvise [never]\n", THP "hpage_pmd_size=2097152\n",
		    THP "hugepages-2048kB/enabled=[always] inherit madvise never\n" } },
		/* Shared memory has a setting of its own. */
		{ { .len = GIB, .thp = FBK_THP_ON, .shared = true },
		  "no transparent huge pages in shared memory: as root, echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled lets",
		  { MEMINFO, THP "enabled=[always] madvise never\n", THP "shmem_enabled=always within_size advise [never] deny force\n" } },
		{ { .len = GIB, .thp = FBK_THP_ON, .shared = true }, "in shared memory: as root",
		  { MEMINFO, THP "shmem_enabled=always within_size advise never [deny] force\n" } },
		{ { .len = GIB, .thp = FBK_THP_ON, .shared = true }, NULL,
		  { MEMINFO, THP "enabled=always madvise [never]\n", THP "shmem_enabled=always within_size [advise] never deny force\n" } },
		{ { .len = GIB, .thp = FBK_THP_ON, .shared = true }, "its kernel has no /sys/kernel/mm/transparent_hugepage/shmem_enabled",
		  { MEMINFO, THP "enabled=[always] madvise never\n" } },
		/* The more basic thing first. */
		{ { .len = 6 * GIB, .thp = FBK_THP_ON }, "6 GiB are more than this host has", { MEMINFO, THP "enabled=always madvise [never]\n" } },
	};

	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char why[FBK_MEMORY_WHY_LEN] = "";
		bool lacks;

		for (size_t j = 0; j < ARRAY_SIZE(rows[i].file) && rows[i].file[j]; j++)
			put(rows[i].file[j]);
		lacks = fbk_memory_lacks(&rows[i].o, root, why);
		clean();
		if (lacks != !!rows[i].says || (lacks && !strstr(why, rows[i].says)))
			fail_msg("row %zu: '%s' instead of '%s'", i, why, rows[i].says ? rows[i].says : "");
		assert_in_range(strlen(why), 0, FBK_MEMORY_WHY_LEN - 2);
	}
	rmdir(root);
}

/* On the machine that runs this, whatever it is: it has some memory, and not that much. */
static void this_host(void **state)
{
	struct fbk_memory_option little = { .len = 64 * MIB }, much = { .len = UINT64_C(1) << 60 };
	char why[FBK_MEMORY_WHY_LEN];

	assert_false(fbk_memory_lacks(&little, "", why));
	assert_true(fbk_memory_lacks(&much, "", why));
	assert_non_null(strstr(why, "1073741824 GiB are more than this host has"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),
		cmocka_unit_test(this_host),
	};

	return cmocka_run_group_tests_name("vmm-memory-why", tests, NULL, NULL);
}
