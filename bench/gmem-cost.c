/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * gmem-cost - what a copy that survives a poisoned page costs beside one that does not: fbk_gmem_read() and
 * fbk_gmem_write() against a bounds check and memcpy().
 *
 * In the deterministic lab instructions are counted; on any other machine, with "time" as argument, nanoseconds of wall
 * clock. Output: "gmem-read" or "gmem-write", bytes, checked memcpy, ours, unit; tab-separated.
 */
#include "count.h"

#include <firebreak/gmem.h>

#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define RAM_GPA UINT64_C(0x40000000)
#define RAM_LEN (UINT64_C(1) << 20)
#define BEST_OF 16

static struct fbk_gmem view;
static struct count counter;
static int by_time;

static uint64_t stamp(void)
{
	struct timespec ts;

	if (!by_time)
		return count_now(&counter);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t since(uint64_t began)
{
	return by_time ? stamp() - began : count_since(&counter, began);
}

/* The least that any monitor must do. */
static __attribute__((noinline)) int checked(uint64_t gpa, void *buf, size_t len, int write)
{
	const struct fbk_gmem_region *r = &view.region[0];
	uint64_t offset = gpa - r->gpa.addr;
	void *p;

	if (offset >= r->len || len > r->len - offset)
		return -1;
	p = (void *)(uintptr_t)(r->hva.addr + offset);
	if (write)
		memcpy(p, buf, len);
	else
		memcpy(buf, p, len);
	return 0;
}

static __attribute__((noinline)) int ours(uint64_t gpa, void *buf, size_t len, int write)
{
	struct fbk_gpa at = { gpa };

	return write ? fbk_gmem_write(&view, at, buf, len, NULL) : fbk_gmem_read(&view, at, buf, len, NULL);
}

static double cost(int (*copy)(uint64_t, void *, size_t, int), size_t len, int write)
{
	static unsigned char buf[1 << 16];
	unsigned int rounds = by_time ? 20000 : 64;
	uint64_t best = UINT64_MAX;

	for (unsigned int i = 0; i < BEST_OF; i++) {
		uint64_t began = stamp(), took;

		for (unsigned int k = 0; k < rounds; k++)
			if (copy(RAM_GPA + (k & 7) * 64, buf, len, write))
				exit(1);
		took = since(began);
		if (took < best)
			best = took;
	}
	return (double)best / rounds;
}

int main(int argc, char **argv)
{
	static const size_t len[] = { 8, 64, 512, 4096, 65536 };
	struct fbk_gmem_region region = { .gpa = { RAM_GPA }, .len = RAM_LEN };
	void *ram = mmap(NULL, RAM_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	by_time = argc == 2 && !strcmp(argv[1], "time");
	if (argc > 2 || (argc == 2 && !by_time)) {
		fprintf(stderr, "usage: gmem-cost [time]\n");
		return 2;
	}
	if (ram == MAP_FAILED) {
		perror("gmem-cost: memory");
		return 1;
	}
	region.hva.addr = (uintptr_t)ram;
	if (fbk_gmem_add(&view, &region))
		return 1;
	if (!by_time)
		count_open(&counter);
	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++)
		for (int write = 0; write < 2; write++)
			printf("%s\t%zu\t%.1f\t%.1f\t%s\n", write ? "gmem-write" : "gmem-read", len[i],
			       cost(checked, len[i], write), cost(ours, len[i], write), by_time ? "ns" : "instructions");
	return 0;
}
