/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * block.c - one source's registers and error block, where the monitor maps them.
 */
#include "block.h"

static int find(const struct fbk_gmem *gmem, struct fbk_gpa gpa, uint64_t len, void **ret)
{
	if (gpa.addr % sizeof(uint64_t) || fbk_gmem_ptr(gmem, gpa, len, ret))
		return -EINVAL;
	return 0;
}

int fbk_block_find(const struct fbk_gmem *gmem, const struct fbk_ghes_layout *l, enum fbk_ghes_source s,
		   struct fbk_block *ret)
{
	struct fbk_block b = { .gpa = l->source[s].block };

	if (find(gmem, l->source[s].pointer, sizeof(uint64_t), &b.pointer) ||
	    find(gmem, l->source[s].ack, sizeof(uint64_t), &b.ack) ||
	    find(gmem, l->source[s].block, FBK_GHES_BLOCK_LEN, &b.block))
		return -EINVAL;
	*ret = b;
	return 0;
}

int fbk_block_clear(const struct fbk_block *b)
{
	return fbk_gmem_store_u32(b->block, 0) ? -EHWPOISON : 0;
}

int fbk_block_reset(const struct fbk_block *b)
{
	if (fbk_gmem_store_u64(b->pointer, htole64(b->gpa.addr)) || fbk_gmem_store_u64(b->ack, htole64(1)))
		return -EHWPOISON;
	return fbk_block_clear(b);
}
