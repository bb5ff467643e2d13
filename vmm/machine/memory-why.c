/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* memory-why.c - see memory-why.h */
#include "memory-why.h"
#include "size.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMINFO "/proc/meminfo"
#define HUGEPAGES "/sys/kernel/mm/hugepages"
#define THP "/sys/kernel/mm/transparent_hugepage"

/* Return: whether there is such a file, of which the first bytes are in @ret, as text. */
static bool read_text(const char *root, char *ret, size_t len, const char *format, ...) __attribute__((format(printf, 4, 5)));
static bool read_text(const char *root, char *ret, size_t len, const char *format, ...)
{
	char path[PATH_MAX];
	va_list ap;
	ssize_t n;
	int fd, at = snprintf(path, sizeof(path), "%s", root);

	va_start(ap, format);
	vsnprintf(path + at, sizeof(path) - at, format, ap);
	va_end(ap);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, ret, len - 1);
	close(fd);
	ret[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* --- how much memory there is ------------------------------------------------------------------------------------ */

/* A line of /proc/meminfo, in bytes; 0: there is none. */
static uint64_t account(const char *meminfo, const char *name)
{
	const char *at = meminfo;
	size_t len = strlen(name);

	for (; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (!strncmp(at, name, len) && at[len] == ':')
			return strtoull(at + len + 1, NULL, 10) << 10;
	return 0;
}

static bool lacks_memory(const struct fbk_memory_option *o, const char *root, char why[FBK_MEMORY_WHY_LEN])
{
	char meminfo[4096], want[FBK_SIZE_TEXT];
	uint64_t total, swap, available;

	if (!read_text(root, meminfo, sizeof(meminfo), MEMINFO))
		return false;
	total = account(meminfo, "MemTotal");
	swap = account(meminfo, "SwapTotal");
	available = account(meminfo, "MemAvailable") + account(meminfo, "SwapFree");
	fbk_size_format(o->len, want);
	if (total && o->len > total + swap) {
		snprintf(why, FBK_MEMORY_WHY_LEN, "%s are more than this host has: %llu MiB of memory and %llu MiB of swap", want,
			 (unsigned long long)(total >> 20), (unsigned long long)(swap >> 20));
		return true;
	}
	if (o->prefault && available && o->len > available) {
		snprintf(why, FBK_MEMORY_WHY_LEN,
			 "prefault takes %s at once, and %llu MiB are available (MemAvailable and SwapFree in /proc/meminfo): end what "
			 "uses memory, or let the guest take it as it needs it, without prefault",
			 want, (unsigned long long)(available >> 20));
		return true;
	}
	return false;
}

/* --- hugetlb ------------------------------------------------------------------------------------------------------ */

/* Of the pool of pages of that size; 0 also where it is not told. */
static uint64_t pool(const char *root, uint64_t huge_len, const char *file)
{
	char text[32];

	if (!read_text(root, text, sizeof(text), HUGEPAGES "/hugepages-%llukB/%s", (unsigned long long)(huge_len >> 10), file))
		return 0;
	return strtoull(text, NULL, 10);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* "64 KiB, 2 MiB and 1 GiB". Return: how many sizes there are. */
static unsigned int list_sizes(const char *root, char *ret, size_t len)
{
	char path[PATH_MAX], text[FBK_SIZE_TEXT];
	uint64_t size[16], kb;
	unsigned int nr = 0;
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "%s" HUGEPAGES, root);
	dir = opendir(path);
	while (dir && nr < 16 && (e = readdir(dir)))
		if (!strncmp(e->d_name, "hugepages-", 10) && (kb = strtoull(e->d_name + 10, NULL, 10)))
			size[nr++] = kb << 10;
	if (dir)
		closedir(dir);
	qsort(size, nr, sizeof(*size), by_size);
	*ret = '\0';
	for (unsigned int i = 0; i < nr; i++) {
		size_t at = strlen(ret);

		snprintf(ret + at, len - at, "%s%s", !i ? "" : i + 1 < nr ? ", " : " and ", fbk_size_format(size[i], text));
	}
	return nr;
}

static bool lacks_huge(const struct fbk_memory_option *o, const char *root, char why[FBK_MEMORY_WHY_LEN])
{
	uint64_t need = o->len / o->huge_len, nr, have, held, extra;
	unsigned long long kb = o->huge_len >> 10;
	char size[FBK_SIZE_TEXT], sizes[160], boot[96] = "", text[32];

	fbk_size_format(o->huge_len, size);
	if (!read_text(root, text, sizeof(text), HUGEPAGES "/hugepages-%llukB/nr_hugepages", kb)) {
		if (list_sizes(root, sizes, sizeof(sizes)))
			snprintf(why, FBK_MEMORY_WHY_LEN, "this host has no huge pages of %s: it has pools for %s", size, sizes);
		else
			snprintf(why, FBK_MEMORY_WHY_LEN, "this host has no huge pages: its kernel is built without CONFIG_HUGETLBFS");
		return true;
	}
	nr = strtoull(text, NULL, 10);
	have = pool(root, o->huge_len, "free_hugepages");
	held = pool(root, o->huge_len, "resv_hugepages");
	have -= held < have ? held : have;
	/* What the kernel may make when it is asked for more than the pool holds. */
	extra = pool(root, o->huge_len, "nr_overcommit_hugepages");
	held = pool(root, o->huge_len, "surplus_hugepages");
	extra -= held < extra ? held : extra;
	if (need <= have + extra)
		return false;
	if (o->huge_len >= UINT64_C(1) << 30)
		snprintf(boot, sizeof(boot), ", or hugepagesz=%lluG hugepages=%llu on its kernel's command line",
			 (unsigned long long)(o->huge_len >> 30), (unsigned long long)(nr + need - have));
	snprintf(why, FBK_MEMORY_WHY_LEN,
		 "%llu huge page%s of %s %s needed, %llu %s free: as root, echo %llu >" HUGEPAGES "/hugepages-%llukB/nr_hugepages makes "
		 "more, where the host has so much memory in one piece%s",
		 (unsigned long long)need, need == 1 ? "" : "s", size, need == 1 ? "is" : "are", (unsigned long long)have,
		 have == 1 ? "is" : "are", (unsigned long long)(nr + need - have), kb, boot);
	return true;
}

/* --- transparent huge pages --------------------------------------------------------------------------------------- */

/* The word in brackets, which is the one that holds. */
static bool holds(const char *text, const char *word)
{
	const char *at = strchr(text, '[');
	size_t len = strlen(word);

	return at && !strncmp(at + 1, word, len) && at[1 + len] == ']';
}

static bool lacks_thp(const struct fbk_memory_option *o, const char *root, char why[FBK_MEMORY_WHY_LEN])
{
	const char *file = o->shared ? "shmem_enabled" : "enabled", *asks = o->shared ? "advise" : "madvise";
	char text[160], sized[64] = "";
	uint64_t pmd;

	if (!read_text(root, text, sizeof(text), THP "/%s", file)) {
		snprintf(why, FBK_MEMORY_WHY_LEN, "thp=on: this host has no transparent huge pages%s: its kernel has no " THP "/%s",
			 o->shared ? " in shared memory" : "", file);
		return true;
	}
	/* Of late each size has a setting of its own, which may be to inherit the common one. */
	if (read_text(root, sized, sizeof(sized), THP "/hpage_pmd_size") && (pmd = strtoull(sized, NULL, 10))) {
		char own[160];

		snprintf(sized, sizeof(sized), "hugepages-%llukB/", (unsigned long long)(pmd >> 10));
		if (read_text(root, own, sizeof(own), THP "/%s%s", sized, file) && !holds(own, "inherit"))
			strcpy(text, own);
		else
			*sized = '\0';
	} else {
		*sized = '\0';
	}
	if (!holds(text, "never") && !holds(text, "deny"))
		return false;
	snprintf(why, FBK_MEMORY_WHY_LEN, "thp=on: this host gives no transparent huge pages%s: as root, echo %s >" THP "/%s%s lets those have them "
		 "that ask", o->shared ? " in shared memory" : "", asks, sized, file);
	return true;
}

bool fbk_memory_lacks(const struct fbk_memory_option *o, const char *root, char why[FBK_MEMORY_WHY_LEN])
{
	if (o->huge_len)
		return lacks_huge(o, root, why);
	return lacks_memory(o, root, why) || (o->thp == FBK_THP_ON && lacks_thp(o, root, why));
}
