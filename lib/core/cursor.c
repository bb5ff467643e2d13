/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * cursor.c - a bounds-checked place in a buffer, written little-endian field by field.
 */
#include "cursor.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

void fbk_cursor_init(struct fbk_cursor *c, void *buf, size_t len)
{
	c->buf = buf;
	/* The length is returned as an int. */
	c->len = len < INT_MAX ? len : INT_MAX;
	c->pos = 0;
	c->err = 0;
}

static uint8_t *take(struct fbk_cursor *c, size_t len)
{
	uint8_t *p;

	if (c->err)
		return NULL;
	if (len > c->len - c->pos) {
		c->err = -ENOSPC;
		return NULL;
	}
	p = c->buf + c->pos;
	c->pos += len;
	return p;
}

static void put(uint8_t *p, uint64_t v, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static void append(struct fbk_cursor *c, uint64_t v, size_t len)
{
	uint8_t *p = take(c, len);

	if (p)
		put(p, v, len);
}

void fbk_cursor_u8(struct fbk_cursor *c, uint8_t v)
{
	append(c, v, 1);
}

void fbk_cursor_le16(struct fbk_cursor *c, uint16_t v)
{
	append(c, v, 2);
}

void fbk_cursor_le32(struct fbk_cursor *c, uint32_t v)
{
	append(c, v, 4);
}

void fbk_cursor_le64(struct fbk_cursor *c, uint64_t v)
{
	append(c, v, 8);
}

void fbk_cursor_bytes(struct fbk_cursor *c, const void *v, size_t len)
{
	uint8_t *p = take(c, len);

	if (p && len)
		memcpy(p, v, len);
}

void fbk_cursor_zeros(struct fbk_cursor *c, size_t len)
{
	uint8_t *p = take(c, len);

	if (p && len)
		memset(p, 0, len);
}

void fbk_cursor_patch_u8(struct fbk_cursor *c, size_t pos, uint8_t v)
{
	if (!c->err && pos < c->pos)
		c->buf[pos] = v;
}

void fbk_cursor_patch_le32(struct fbk_cursor *c, size_t pos, uint32_t v)
{
	if (!c->err && c->pos >= 4 && pos <= c->pos - 4)
		put(c->buf + pos, v, 4);
}

int fbk_cursor_end(const struct fbk_cursor *c)
{
	return c->err ? c->err : (int)c->pos;
}
