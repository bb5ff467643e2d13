/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * aim - in a guest: which page of its memory is to be lost, so that a certain thing is hit
 *
 *   aim data PID TEXT   a page that holds nothing but copies of TEXT, in memory that the process has written
 *   aim code PID        the page of its executable to which it returns when what it sleeps in is over
 *   aim free            a page that nobody uses
 *   aim page GPA        what the kernel says about a page
 *
 * Answers with a line " va=0x.. gpa=0x..", where there is a virtual address, or for page " flags=0x.." and perhaps
 * " poisoned". Exit status: 0; 1 there is no such page, and standard error says why; 2 usage.
 */
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)

static void refuse(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void refuse(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("aim: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static FILE *proc_open(pid_t pid, const char *name)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	f = fopen(path, "re");
	if (!f)
		refuse("%s: %s", path, strerror(errno));
	return f;
}

static void answer(pid_t pid, uint64_t va)
{
	uint64_t gpa = fbk_pages_gpa_of(pid, va);

	if (!gpa)
		refuse("the page at %#" PRIx64 " is not in memory", va);
	printf(" va=%#" PRIx64 " gpa=%#" PRIx64 "\n", va, gpa);
}

/* Does the page hold TEXT over and over, wherever in it the first one begins? */
static bool is_full_of(const char *page, const char *text, size_t len)
{
	const char *first = memmem(page, 2 * len, text, len);
	size_t at, i;

	if (!first)
		return false;
	at = len - (size_t)(first - page) % len;
	for (i = 0; i < PAGE; i++)
		if (page[i] != text[(at + i) % len])
			return false;
	return true;
}

/* A process has far more addresses than pages: many entries are read at once. */
static bool is_present(int pagemap, uint64_t va)
{
	static uint64_t entries[512], first = UINT64_MAX;
	static size_t nr;
	uint64_t at = va / PAGE;
	ssize_t n;

	if (at < first || at >= first + nr) {
		n = pread(pagemap, entries, sizeof(entries), (off_t)(at * sizeof(entries[0])));
		if (n < (ssize_t)sizeof(entries[0]))
			return false;
		first = at;
		nr = (size_t)n / sizeof(entries[0]);
	}
	return entries[at - first] & PAGEMAP_PRESENT;
}

static void aim_data(pid_t pid, const char *text)
{
	FILE *maps = proc_open(pid, "maps"), *mem = proc_open(pid, "mem"), *pagemap = proc_open(pid, "pagemap");
	size_t len = strlen(text);
	char line[512], perms[8], page[PAGE];
	uint64_t lo, hi;

	if (len == 0 || len > PAGE / 2)
		refuse("a text of 1 to %d bytes", (int)PAGE / 2);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &lo, &hi, perms) != 3 || strncmp(perms, "rw-p", 4))
			continue;
		for (; lo < hi; lo += PAGE)
			/* What is not in memory is not brought there. */
			if (is_present(fileno(pagemap), lo) && pread(fileno(mem), page, PAGE, (off_t)lo) == (ssize_t)PAGE &&
			    is_full_of(page, text, len)) {
				answer(pid, lo);
				return;
			}
	}
	refuse("process %d has no page full of \"%s\"", (int)pid, text);
}

/* A branch with link, BL or BLR: the instruction before a return address [ARM-ARM C6.2]. */
static bool is_call(uint32_t insn)
{
	return (insn & 0xfc000000) == 0x94000000 || (insn & 0xfffffc1f) == 0xd63f0000;
}

/*
 * The first word on the stack of a sleeping process that is a return address into its executable. The program is the
 * only file mapped executable under the name that /proc/PID/exe has.
 */
static void aim_code(pid_t pid)
{
	FILE *maps = proc_open(pid, "maps"), *call = proc_open(pid, "syscall"), *mem = proc_open(pid, "mem");
	char exe[256], path[64], line[512], perms[8], name[256];
	uint64_t text_lo = 0, text_hi = 0, lo, hi, sp, word;
	uint32_t insn;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n < 0)
		refuse("%s: %s", path, strerror(errno));
	exe[n] = '\0';
	while (!text_hi && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %255s", &lo, &hi, perms, name) == 4 &&
		    !strncmp(perms, "r-xp", 4) && !strcmp(name, exe))
			text_lo = lo, text_hi = hi;
	if (!text_hi)
		refuse("process %d has no code of %s mapped", (int)pid, exe);
	/* number, six arguments, stack pointer, program counter; or "running" */
	if (fscanf(call, "%*d %*x %*x %*x %*x %*x %*x %" SCNx64, &sp) != 1)
		refuse("process %d does not sleep in a system call", (int)pid);
	for (uint64_t at = sp; at < sp + 16 * PAGE; at += sizeof(word)) {
		if (pread(fileno(mem), &word, sizeof(word), (off_t)at) != sizeof(word))
			break;
		word &= (UINT64_C(1) << 48) - 1; /* a signed one has more above [ARM-ARM FEAT_PAuth] */
		if (word <= text_lo || word >= text_hi || word % 4 ||
		    pread(fileno(mem), &insn, sizeof(insn), (off_t)word - 4) != sizeof(insn) || !is_call(insn))
			continue;
		answer(pid, word & ~(PAGE - 1));
		return;
	}
	refuse("no return address into %s on the stack of process %d", exe, (int)pid);
}

int main(int argc, char **argv)
{
	uint64_t gpa, flags;

	if (argc == 4 && !strcmp(argv[1], "data")) {
		aim_data(atoi(argv[2]), argv[3]);
	} else if (argc == 3 && !strcmp(argv[1], "code")) {
		aim_code(atoi(argv[2]));
	} else if (argc == 2 && !strcmp(argv[1], "free")) {
		gpa = fbk_pages_free();
		if (!gpa)
			refuse("every page has a user");
		printf(" gpa=%#" PRIx64 "\n", gpa);
	} else if (argc == 3 && !strcmp(argv[1], "page")) {
		flags = fbk_pages_flags(strtoull(argv[2], NULL, 0));
		printf(" flags=%#" PRIx64 "%s\n", flags, flags & FBK_KPF_HWPOISON ? " poisoned" : "");
	} else {
		fputs("usage: aim data PID TEXT | code PID | free | page GPA\n", stderr);
		return 2;
	}
	return 0;
}
