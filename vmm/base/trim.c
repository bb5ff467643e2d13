/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* trim.c - see trim.h. */
#include "trim.h"

#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* The linker's. */
extern const char __executable_start[], etext[];

void fbk_trim(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)__executable_start & -page;

	malloc_trim(0);
	(void)madvise((void *)from, (uintptr_t)etext - from, MADV_DONTNEED);
}
