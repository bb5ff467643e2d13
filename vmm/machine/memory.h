/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * memory.h - the guest's RAM on the host.
 */
#ifndef FBK_VMM_MEMORY_H
#define FBK_VMM_MEMORY_H

#include <firebreak/gmem.h>

/*
 * Map @len bytes of RAM at FBK_RAM_BASE, give them to the VM and enter them in @view. Nothing is touched: pages come
 * when the guest, or the boot loader, first uses them. Errors: negative errno of the failing call.
 */
int fbk_memory_create(int vm_fd, uint64_t len, struct fbk_gmem *view);

/*
 * Back to zeros, for a reset, except the pages in @bad (ascending): dropping one would hand the bad frame to the host
 * as if it were good. Errors: negative errno of madvise().
 */
int fbk_memory_clear(const struct fbk_gmem *view, const struct fbk_gpa *bad, unsigned int nr_bad);

/* Does the host call this page of guest RAM poisoned? Asks without a signal. */
int fbk_memory_is_poisoned(const struct fbk_gmem *view, struct fbk_gpa page);

#endif
