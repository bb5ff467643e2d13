/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ghes.c - where the error blocks lie in their area of guest memory, and what is in it at boot.
 *
 *   +0x0000  source 0: pointer, ack; source 1: pointer, ack     (a u64 each)
 *   +0x1000  source 0: block
 *   +0x2000  source 1: block
 */
#include <firebreak/ghes.h>

#include "cursor.h"

#include <errno.h>
#include <string.h>

#define REGISTERS_LEN 16 /* one source's pointer and ack */
#define BLOCK_OFFSET(s) (FBK_GHES_BLOCK_LEN * ((s) + 1))

_Static_assert(FBK_GHES_NR_SOURCES * REGISTERS_LEN <= FBK_GHES_BLOCK_LEN, "registers fit their page");
_Static_assert(BLOCK_OFFSET(FBK_GHES_NR_SOURCES) <= FBK_GHES_AREA_LEN, "blocks fit the area");

static uint64_t pointer_at(uint32_t s)
{
	return s * REGISTERS_LEN;
}

static uint64_t ack_at(uint32_t s)
{
	return s * REGISTERS_LEN + 8;
}

int fbk_ghes_layout_init(struct fbk_ghes_layout *l, struct fbk_gpa base)
{
	uint32_t s;

	if (!l || base.addr % FBK_GHES_AREA_LEN || base.addr + FBK_GHES_AREA_LEN < base.addr)
		return -EINVAL;
	for (s = 0; s < FBK_GHES_NR_SOURCES; s++) {
		l->source[s].pointer.addr = base.addr + pointer_at(s);
		l->source[s].ack.addr = base.addr + ack_at(s);
		l->source[s].block.addr = base.addr + BLOCK_OFFSET(s);
	}
	return 0;
}

int fbk_ghes_area_build(const struct fbk_ghes_layout *l, void *buf, size_t len)
{
	struct fbk_ghes_layout want;
	struct fbk_cursor c;
	struct fbk_gpa base;
	uint32_t s;

	if (!l || !buf)
		return -EINVAL;
	base.addr = l->source[0].pointer.addr;
	if (fbk_ghes_layout_init(&want, base) || memcmp(&want, l, sizeof(want)))
		return -EINVAL;
	if (len < FBK_GHES_AREA_LEN)
		return -ENOSPC;

	fbk_cursor_init(&c, buf, FBK_GHES_AREA_LEN);
	for (s = 0; s < FBK_GHES_NR_SOURCES; s++) {
		fbk_cursor_le64(&c, l->source[s].block.addr);
		fbk_cursor_le64(&c, 1); /* acknowledged: the first record may be written */
	}
	fbk_cursor_zeros(&c, FBK_GHES_AREA_LEN - FBK_GHES_NR_SOURCES * REGISTERS_LEN);
	return fbk_cursor_end(&c) < 0 ? -ENOTRECOVERABLE : 0;
}
