/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * walk.h - a guest's translation tables of the first stage, walked in software: what they are is up to the guest.
 */
#ifndef FBK_VMM_WALK_H
#define FBK_VMM_WALK_H

#include <firebreak/gmem.h>

struct fbk_walk_regs {
	uint64_t sctlr, tcr, ttbr0, ttbr1; /* SCTLR_EL1 and so on */
};

/**
 * fbk_walk - the page of guest memory under a virtual address
 * @ret: the 4 KiB page
 *
 * With the MMU off an address is its own translation. Granules of 4, 16 and 64 KiB, blocks and pages; addresses beyond 48 bits
 * and FEAT_LPA2's descriptors are not known here. Permissions are not looked at. At most four reads of guest memory.
 *
 * Return:  0.
 * Errors:  -EFAULT nothing is mapped there, a table lies outside guest memory, or in a bad page; -EOPNOTSUPP a format not known here.
 * Spec:    [ARM-ARM "The AArch64 Virtual Memory System Architecture"]
 */
int fbk_walk(const struct fbk_gmem *gmem, const struct fbk_walk_regs *regs, uint64_t va, struct fbk_gpa *ret);

#endif
