/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * memory-why.h - what a host lacks for the memory that is wanted, and how it can be had. [Linux
 * "Documentation/admin-guide/mm/hugetlbpage.rst", "Documentation/admin-guide/mm/transhuge.rst",
 * "Documentation/filesystems/proc.rst", "meminfo"]
 */
#ifndef FBK_VMM_MEMORY_WHY_H
#define FBK_VMM_MEMORY_WHY_H

#include "memory-option.h"

#define FBK_MEMORY_WHY_LEN 480 /* holds every sentence */

/**
 * fbk_memory_lacks - ask the host's own accounts whether there can be such memory
 * @root: of the file system whose /proc and /sys are asked; "" for this host's
 * @why:  on true, one sentence without a full stop
 *
 * What is asked changes as others take and give back memory: that nothing is lacking is no promise. A file that cannot be read says nothing.
 */
bool fbk_memory_lacks(const struct fbk_memory_option *o, const char *root, char why[FBK_MEMORY_WHY_LEN]);

#endif
