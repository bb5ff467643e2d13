/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * pages.h - which physical page lies under an address, and what the kernel says about that page.
 */
#ifndef FBK_GUEST_PAGES_H
#define FBK_GUEST_PAGES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bits of /proc/kpageflags [Linux include/uapi/linux/kernel-page-flags.h]. */
#define FBK_KPF_BUDDY (UINT64_C(1) << 10)
#define FBK_KPF_HWPOISON (UINT64_C(1) << 19)
#define FBK_KPF_THP (UINT64_C(1) << 22)
#define FBK_KPF_PGTABLE (UINT64_C(1) << 26)

/* Guest physical address (page base) under a mapped address of this process; dies if there is none. */
uint64_t fbk_pages_gpa(const volatile void *addr);

/* The same for @nr pages from there on. */
void fbk_pages_gpas(const volatile void *addr, size_t nr, uint64_t *ret);

/* The same of another process; 0 if nothing is mapped there, or is not in memory. */
uint64_t fbk_pages_gpa_of(pid_t pid, uint64_t addr);

/*
 * A page that was in use once (so that the host has memory under it) and is free now, as the kernel itself says; 0 if
 * every one that was tried has a user again, or there is no memory to try with.
 */
uint64_t fbk_pages_free(void);

/* Flags of the page at @gpa; 0 if the kernel has no such page. */
uint64_t fbk_pages_flags(uint64_t gpa);

/* A snapshot of the flags of all pages of RAM. */
struct fbk_pages_map {
	uint64_t first_pfn;
	size_t nr;
	uint64_t *flags;
};

/* Allocates on first use, fills again on every other. Context: one thread. */
void fbk_pages_snapshot(struct fbk_pages_map *map);

#endif
