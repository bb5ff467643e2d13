/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
#include "pages.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_PFN ((UINT64_C(1) << 55) - 1)

static int open_once(int *fd, const char *path)
{
	if (*fd < 0)
		*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		fbk_die(path);
	return *fd;
}

void fbk_pages_gpas(const volatile void *addr, size_t nr, uint64_t *ret)
{
	/* Opened anew each time: the file is bound to the process that opened it, and processes fork. */
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	off_t from = (off_t)((uintptr_t)addr / 4096 * sizeof(*ret));
	size_t want = nr * sizeof(*ret), i;

	if (fd < 0)
		fbk_die("/proc/self/pagemap");
	for (i = 0; i < want;) {
		ssize_t n = pread(fd, (char *)ret + i, want - i, from + (off_t)i);

		if (n <= 0)
			fbk_die("pagemap");
		i += (size_t)n;
	}
	close(fd);
	for (i = 0; i < nr; i++) {
		if (!(ret[i] & PAGEMAP_PRESENT) || !(ret[i] & PAGEMAP_PFN)) {
			errno = EFAULT;
			fbk_die("no page under the address");
		}
		ret[i] = (ret[i] & PAGEMAP_PFN) * 4096;
	}
}

uint64_t fbk_pages_gpa(const volatile void *addr)
{
	uint64_t gpa;

	fbk_pages_gpas(addr, 1, &gpa);
	return gpa;
}

uint64_t fbk_pages_gpa_of(pid_t pid, uint64_t addr)
{
	char path[64];
	uint64_t entry;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = pread(fd, &entry, sizeof(entry), (off_t)(addr / 4096 * sizeof(entry)));
	close(fd);
	return n == sizeof(entry) && (entry & PAGEMAP_PRESENT) ? (entry & PAGEMAP_PFN) * 4096 : 0;
}

/* Many, since an eighth of the memory may wait on lists of its own to be used again at once. */
uint64_t fbk_pages_free(void)
{
	size_t len = 48 << 20, nr = len / 4096, i;
	uint64_t *gpas = malloc(nr * sizeof(*gpas)), found = 0;
	char *mem;

	mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (gpas && mem != MAP_FAILED) {
		fbk_pages_gpas(mem, nr, gpas);
		munmap(mem, len);
		for (i = nr / 8; i < nr && !found; i++)
			if (fbk_pages_flags(gpas[i]) & FBK_KPF_BUDDY)
				found = gpas[i];
	}
	free(gpas);
	return found;
}

uint64_t fbk_pages_flags(uint64_t gpa)
{
	static int fd = -1;
	uint64_t flags;

	open_once(&fd, "/proc/kpageflags");
	if (pread(fd, &flags, sizeof(flags), (off_t)(gpa / 4096 * sizeof(flags))) != sizeof(flags))
		return 0;
	return flags;
}

/* The span of "System RAM" in /proc/iomem; holes in it read as pages without flags. */
static void ram_span(uint64_t *first_pfn, size_t *nr)
{
	FILE *f = fopen("/proc/iomem", "re");
	uint64_t lo = UINT64_MAX, hi = 0, start, end;
	char line[160];

	if (!f)
		fbk_die("/proc/iomem");
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, "System RAM") || sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		if (start < lo)
			lo = start;
		if (end > hi)
			hi = end;
	}
	fclose(f);
	if (lo >= hi) {
		errno = ENODATA;
		fbk_die("no System RAM in /proc/iomem");
	}
	*first_pfn = lo / 4096;
	*nr = (size_t)((hi + 1) / 4096 - *first_pfn);
}

void fbk_pages_snapshot(struct fbk_pages_map *map)
{
	static int fd = -1;
	size_t got = 0, want;

	open_once(&fd, "/proc/kpageflags");
	if (!map->flags) {
		ram_span(&map->first_pfn, &map->nr);
		map->flags = mmap(NULL, map->nr * sizeof(uint64_t), PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (map->flags == MAP_FAILED)
			fbk_die("mmap");
	}
	want = map->nr * sizeof(uint64_t);
	while (got < want) {
		ssize_t n = pread(fd, (char *)map->flags + got, want - got,
				  (off_t)(map->first_pfn * sizeof(uint64_t) + got));

		if (n <= 0)
			fbk_die("/proc/kpageflags");
		got += (size_t)n;
	}
}
