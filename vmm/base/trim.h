/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * trim.h - what the start has taken and the run does not need goes back to the host.
 */
#ifndef FBK_VMM_TRIM_H
#define FBK_VMM_TRIM_H

/*
 * Freed heap, and the program's text and constants out of this process's page tables: what is used again comes back from the page
 * cache, 64 KiB at a time, and most of what parses, opens and builds tables does not. [malloc_trim(3), madvise(2) "MADV_DONTNEED"]
 */
void fbk_trim(void);

#endif
