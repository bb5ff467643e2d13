/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* trim.c - see trim.h. */
#include "trim.h"

#include <elf.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define RANGES 8

struct ranges {
	struct {
		uintptr_t from, to;
	} range[RANGES];
	unsigned int nr;
};

/* The program comes first; libraries, if it has any, are left. */
static int find_read_only(struct dl_phdr_info *info, size_t size, void *opaque)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct ranges *r = opaque;

	for (unsigned int i = 0; i < info->dlpi_phnum && r->nr < RANGES; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type == PT_LOAD && !(ph->p_flags & PF_W)) {
			r->range[r->nr].from = at & -page;
			r->range[r->nr++].to = at + ph->p_memsz;
		}
	}
	return 1;
}

void fbk_trim(void)
{
	struct ranges r = { .nr = 0 };

	malloc_trim(0);
	/* First all, then away with them: the program's headers are in one of them. */
	(void)dl_iterate_phdr(find_read_only, &r);
	for (unsigned int i = 0; i < r.nr; i++)
		(void)madvise((void *)r.range[i].from, r.range[i].to - r.range[i].from, MADV_DONTNEED);
}
