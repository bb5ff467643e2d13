/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * vmcore - reads the memory of the kernel that has crashed, as a program that dumps it would.
 *
 * usage: vmcore all [GPA...]   all of it but these pages: "read pages=N left=N kinds=0x.."
 *        vmcore page GPA       one page: "read gpa=0x.. first=0x.."
 *
 * Exit status: 0 all was read, 1 a read failed ("failed gpa=0x.. errno=N"), 70 there is nothing to read. Where the kernel itself dies of
 * a page it takes this program with it.
 */
#include "say.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096ul
#define CHUNK (64 * PAGE)
#define MAX_LEFT 16

static uint64_t left_out[MAX_LEFT];
static unsigned int nr_left;
static unsigned char buf[CHUNK];

static uint64_t say_failed(uint64_t gpa)
{
	struct fbk_line l;
	int err = errno;

	fbk_line_start(&l);
	fbk_line_text(&l, "failed");
	fbk_line_hex(&l, "gpa", gpa);
	fbk_line_dec(&l, "errno", err);
	fbk_line_say(&l);
	exit(1);
}

/* Where the next page that is left out begins, at or behind @gpa; at most @end. */
static uint64_t next_left(uint64_t gpa, uint64_t end)
{
	for (unsigned int i = 0; i < nr_left; i++)
		if (left_out[i] >= gpa && left_out[i] < end)
			end = left_out[i];
	return end;
}

static uint64_t read_range(int fd, const Elf64_Phdr *p, uint64_t *ret_left)
{
	uint64_t end = p->p_paddr + p->p_memsz, gpa = p->p_paddr, pages = 0;

	while (gpa < end) {
		uint64_t stop = next_left(gpa, end), len = stop - gpa < CHUNK ? stop - gpa : CHUNK;

		if (!len) {
			++*ret_left;
			gpa += PAGE;
			continue;
		}
		if (pread(fd, buf, len, (off_t)(p->p_offset + gpa - p->p_paddr)) != (ssize_t)len)
			say_failed(gpa);
		pages += len / PAGE;
		gpa += len;
	}
	return pages;
}

static void read_page(int fd, const Elf64_Phdr *p, uint64_t gpa)
{
	struct fbk_line l;
	uint64_t first;

	if (pread(fd, buf, PAGE, (off_t)(p->p_offset + gpa - p->p_paddr)) != (ssize_t)PAGE)
		say_failed(gpa);
	memcpy(&first, buf, sizeof(first));
	fbk_line_start(&l);
	fbk_line_text(&l, "read");
	fbk_line_hex(&l, "gpa", gpa);
	fbk_line_hex(&l, "first", first);
	fbk_line_say(&l);
}

int main(int argc, char **argv)
{
	int fd = open("/proc/vmcore", O_RDONLY | O_CLOEXEC), one = argc == 3 && !strcmp(argv[1], "page");
	uint64_t pages = 0, left = 0;
	Elf64_Phdr p[32];
	struct fbk_line l;
	Elf64_Ehdr h;

	if (fbk_say_open("vmcore"))
		return 70;
	if (argc < 2 || (!one && strcmp(argv[1], "all")))
		fbk_die("usage: vmcore all [GPA...] | page GPA");
	for (int i = 2; i < argc && nr_left < MAX_LEFT; i++)
		left_out[nr_left++] = strtoull(argv[i], NULL, 0);
	if (fd < 0 || pread(fd, &h, sizeof(h), 0) != sizeof(h) || memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_phnum > 32 ||
	    pread(fd, p, h.e_phnum * sizeof(*p), (off_t)h.e_phoff) != (ssize_t)(h.e_phnum * sizeof(*p)))
		fbk_die("/proc/vmcore");
	for (unsigned int i = 0; i < h.e_phnum; i++) {
		if (p[i].p_type != PT_LOAD)
			continue;
		if (!one)
			pages += read_range(fd, &p[i], &left);
		else if (left_out[0] - p[i].p_paddr < p[i].p_memsz)
			read_page(fd, &p[i], left_out[0]);
	}
	if (one)
		return 0;
	fbk_line_start(&l);
	fbk_line_text(&l, "read");
	fbk_line_dec(&l, "pages", (int64_t)pages);
	fbk_line_dec(&l, "left", (int64_t)left);
	fbk_line_say(&l);
	return 0;
}
