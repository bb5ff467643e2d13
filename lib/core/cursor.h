/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * cursor.h - a bounds-checked place in a buffer, written little-endian field by field.
 *
 * An encoder reads like the specification's table and asks once, at the end, whether everything fitted.
 */
#ifndef FBK_CORE_CURSOR_H
#define FBK_CORE_CURSOR_H

#include <stddef.h>
#include <stdint.h>

struct fbk_cursor {
	uint8_t *buf;
	size_t len;
	size_t pos;
	int err; /* 0, or -ENOSPC from the first field that did not fit: nothing is written after it */
};

void fbk_cursor_init(struct fbk_cursor *c, void *buf, size_t len);
void fbk_cursor_u8(struct fbk_cursor *c, uint8_t v);
void fbk_cursor_le16(struct fbk_cursor *c, uint16_t v);
void fbk_cursor_le32(struct fbk_cursor *c, uint32_t v);
void fbk_cursor_le64(struct fbk_cursor *c, uint64_t v);
void fbk_cursor_bytes(struct fbk_cursor *c, const void *v, size_t len);
void fbk_cursor_zeros(struct fbk_cursor *c, size_t len);
/* Overwrites a u8 or u32 that was written before. */
void fbk_cursor_patch_u8(struct fbk_cursor *c, size_t pos, uint8_t v);
void fbk_cursor_patch_le32(struct fbk_cursor *c, size_t pos, uint32_t v);
/* Bytes written, or the error. */
int fbk_cursor_end(const struct fbk_cursor *c);

#endif
