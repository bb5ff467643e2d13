/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ledger-cost - what the ledger costs: a lookup among ten, a thousand and a million pages, and the bytes that those take;
 * an append to a file on the disk that FOLDER is on, with and without waiting for the disk; opening and compacting a million.
 *
 * usage: ledger-cost FOLDER. Wall-clock time, so no figure to compare between machines. Output: name, value, unit,
 * tab-separated; medians where there is more than one.
 */
#include <firebreak/ledger_file.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SYNCED 200
#define UNSYNCED 20000
#define MANY 1000000
#define LOOKUPS 4000000
#define STRIDE 37 /* pages between two bad ones: as a faulty rank would have it, and no row of neighbours */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int check(int r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "ledger-cost: %s: %s\n", what, strerror(-r));
		exit(1);
	}
	return r;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static struct fbk_gpa page(uint32_t n)
{
	return (struct fbk_gpa){ (uint64_t)n * FBK_PAGE_SIZE };
}

static struct fbk_ledger *ledger_new(uint32_t pages)
{
	size_t len = fbk_ledger_storage_len(pages);
	struct fbk_ledger *l = malloc(sizeof(*l));
	void *storage = calloc(1, len);

	if (!l || !storage)
		check(-ENOMEM, "memory");
	check(fbk_ledger_init(l, storage, len, pages), "ledger");
	return l;
}

static void ledger_free(struct fbk_ledger *l)
{
	free(l->slots);
	free(l);
}

static void append(struct fbk_ledger_file *f, struct fbk_ledger *l, int sync, unsigned int rounds, const char *name)
{
	uint64_t *took = calloc(rounds, sizeof(*took));

	if (!took)
		check(-ENOMEM, "memory");
	for (unsigned int i = 0; i < rounds; i++) {
		uint64_t start;

		check(fbk_ledger_record(l, page(i % 1000), FBK_SOURCE_SEA, 1000000, NULL), "record");
		start = now_ns();
		check(fbk_ledger_file_append(f, page(i % 1000), 1, sync), "append");
		took[i] = now_ns() - start;
	}
	qsort(took, rounds, sizeof(*took), by_value);
	printf("%s\t%llu\tns\n", name, (unsigned long long)took[rounds / 2]);
	free(took);
}

/* Half of the pages that are asked for are there. @ret_sum: keeps the compiler from dropping it all. */
static void lookup(uint32_t pages, uint64_t *ret_sum)
{
	struct fbk_ledger *l = ledger_new(pages);
	uint64_t start, sum = 0;
	uint32_t x = 1;

	for (uint32_t i = 0; i < pages; i++)
		check(fbk_ledger_record(l, page(i * STRIDE), FBK_SOURCE_SEA, 1000000, NULL), "record");
	start = now_ns();
	for (uint32_t i = 0; i < LOOKUPS; i++) {
		x = x * 1664525 + 1013904223;
		sum += (uint64_t)fbk_ledger_lookup(l, page((uint32_t)(((uint64_t)x * 2 * pages) >> 32) * STRIDE), NULL);
	}
	printf("lookup among %u pages\t%llu\tns\n", pages, (unsigned long long)(now_ns() - start) / LOOKUPS);
	printf("memory for %u pages\t%.1f\tbytes a page\n", pages, (double)fbk_ledger_storage_len(pages) / pages);
	ledger_free(l);
	*ret_sum += sum;
}

int main(int argc, char **argv)
{
	struct fbk_ledger_file *f;
	struct fbk_ledger *l;
	char path[4096];
	uint64_t start, sum = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: ledger-cost FOLDER\n");
		return 2;
	}
	lookup(10, &sum);
	lookup(1000, &sum);
	lookup(MANY, &sum);
	snprintf(path, sizeof(path), "%s/firebreak-ledger-cost.%d", argv[1], (int)getpid());
	l = ledger_new(MANY);
	check(fbk_ledger_file_open(path, FBK_LEDGER_FILE_OWN, NULL, NULL, &f), path);
	check(fbk_ledger_file_load(f, l), "load");
	append(f, l, 1, SYNCED, "append, synced");
	append(f, l, 0, UNSYNCED, "append, not synced");

	for (uint32_t i = 0; i < MANY - 1000; i++)
		check(fbk_ledger_record(l, page(1000 + i), FBK_SOURCE_SEA, 1000000, NULL), "record");
	start = now_ns();
	check(fbk_ledger_file_compact(f), "compact");
	printf("compact, %u pages\t%llu\tms\n", MANY, (unsigned long long)(now_ns() - start) / 1000000);
	fbk_ledger_file_close(f);
	ledger_free(l);

	l = ledger_new(MANY);
	start = now_ns();
	check(fbk_ledger_file_open(path, FBK_LEDGER_FILE_OWN, NULL, NULL, &f), "open");
	check(fbk_ledger_file_load(f, l), "load");
	printf("open and load, %u pages\t%llu\tms\n", MANY, (unsigned long long)(now_ns() - start) / 1000000);

	fbk_ledger_file_close(f);
	ledger_free(l);
	unlink(path);
	return sum == 0; /* half of them are not there */
}
