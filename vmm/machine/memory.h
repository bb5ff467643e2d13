/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * memory.h - the guest's RAM on the host, by kind.
 *
 * Ordinary pages, or those of hugetlb; the monitor's own, or a memfd's. [mmap(2), madvise(2), memfd_create(2), fallocate(2)]
 */
#ifndef FBK_VMM_MEMORY_H
#define FBK_VMM_MEMORY_H

#include "memory-option.h"

#include <firebreak/gmem.h>

struct fbk_memory {
	struct fbk_memory_option is;
	const struct fbk_gmem *view;
	unsigned char *at;
	int fd;		   /* the memfd; -1: none */
	uint64_t page_len; /* what the host loses at once: a page of its own, or one of hugetlb */
};

/* The status of the control API calls it so: "anonymous", "shared", "hugetlb", "shared-hugetlb". */
const char *fbk_memory_kind(const struct fbk_memory *mem);

/*
 * Map it, and enter it in @view (which must outlive it) at FBK_RAM_BASE. Without prefault nothing is touched: pages come when the guest, or the boot
 * loader, first uses them. Errors: -E2BIG more than the host has; negative errno of the failing call.
 */
int fbk_memory_open(const struct fbk_memory_option *o, struct fbk_memory *mem, struct fbk_gmem *view);

/* The VM gets it. Errors: negative errno of the ioctl. */
int fbk_memory_give(const struct fbk_memory *mem, int vm_fd);

/* A page of the ledger's. */
struct fbk_memory_lost {
	struct fbk_gpa page;
	bool healed; /* what lies there now is good */
};

/*
 * Back to zeros, for a reset, and there again, with prefault. @lost, ascending: all pages of the ledger. Those not healed are
 * left alone: dropping one would hand the bad frame to the host as if it were good. So would dropping what a file still has
 * under a page that was healed.
 *
 * hugetlb is written over where it lies, since what is dropped may be somebody else's before the guest touches it.
 * Errors: negative errno of madvise() or fallocate().
 */
int fbk_memory_clear(const struct fbk_memory *mem, const struct fbk_memory_lost *lost, unsigned int nr_lost);

/* Does the host call this page of guest RAM poisoned? Asks without a signal. */
int fbk_memory_is_poisoned(const struct fbk_gmem *view, struct fbk_gpa page);

#endif
