/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * block.h - one source's registers and error block, where the monitor maps them.
 *
 * Found once: the guest's memory map does not change while it runs. What lies there is the guest's to overwrite and may
 * be poisoned at any time, so that every access still goes through gmem_copy.h.
 */
#ifndef FBK_HOST_BLOCK_H
#define FBK_HOST_BLOCK_H

#include <firebreak/ghes.h>
#include <firebreak/gmem.h>

#include "gmem_copy.h"

#include <endian.h>
#include <errno.h>

struct fbk_block {
	void *pointer;
	void *ack;
	void *block;
	struct fbk_gpa gpa; /* of the block */
};

/* Errors: -EINVAL a part of it is misaligned or does not lie whole in one run of guest RAM. */
int fbk_block_find(const struct fbk_gmem *gmem, const struct fbk_ghes_layout *l, enum fbk_ghes_source s,
		   struct fbk_block *ret);

/* All below. Errors: -EHWPOISON what was accessed is poisoned; a part may have been written. */

/* The acknowledgement word; what the guest wrote before it is seen after it. */
static inline int fbk_block_ack(const struct fbk_block *b, uint64_t *ret)
{
	if (fbk_gmem_load_u64(b->ack, ret))
		return -EHWPOISON;
	*ret = le64toh(*ret);
	return 0;
}

/* Acknowledgement cleared, record, block status last. len: what fbk_cper_encode() returned. */
static inline int fbk_block_write(const struct fbk_block *b, const uint8_t *record, size_t len)
{
	return fbk_gmem_post(b->block, record, len, b->ack) ? -EHWPOISON : 0;
}

/* Nothing to read in it. */
int fbk_block_clear(const struct fbk_block *b);

/* As at boot. */
int fbk_block_reset(const struct fbk_block *b);

#endif
