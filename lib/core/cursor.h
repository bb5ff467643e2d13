/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * cursor.h - a bounds-checked place in a buffer, written little-endian field by field.
 *
 * An encoder reads like the specification's table and asks once, at the end, whether everything fitted. Inline, since a
 * record is written while a vCPU waits: each field is one comparison and one store.
 */
#ifndef FBK_CORE_CURSOR_H
#define FBK_CORE_CURSOR_H

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fbk_cursor {
	uint8_t *buf;
	size_t len;
	size_t pos;
	int err; /* 0, or -ENOSPC from the first field that did not fit: nothing is written after it */
};

static inline void fbk_cursor_init(struct fbk_cursor *c, void *buf, size_t len)
{
	c->buf = buf;
	/* The length is returned as an int. */
	c->len = len < INT_MAX ? len : INT_MAX;
	c->pos = 0;
	c->err = 0;
}

/* Room for the next field, or NULL. */
static inline uint8_t *fbk_cursor_take(struct fbk_cursor *c, size_t len)
{
	uint8_t *p = c->buf + c->pos;

	if (len > c->len - c->pos) {
		/* Whatever comes after it does not fit either, however short. */
		c->len = c->pos;
		c->err = -ENOSPC;
		return NULL;
	}
	c->pos += len;
	return p;
}

/* Whatever the host's byte order and the place's alignment; one store each. */
static inline void fbk_put_le16(uint8_t *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void fbk_put_le32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void fbk_put_le64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

static inline void fbk_cursor_u8(struct fbk_cursor *c, uint8_t v)
{
	uint8_t *p = fbk_cursor_take(c, 1);

	if (p)
		*p = v;
}

static inline void fbk_cursor_le16(struct fbk_cursor *c, uint16_t v)
{
	uint8_t *p = fbk_cursor_take(c, 2);

	if (p)
		fbk_put_le16(p, v);
}

static inline void fbk_cursor_le32(struct fbk_cursor *c, uint32_t v)
{
	uint8_t *p = fbk_cursor_take(c, 4);

	if (p)
		fbk_put_le32(p, v);
}

static inline void fbk_cursor_le64(struct fbk_cursor *c, uint64_t v)
{
	uint8_t *p = fbk_cursor_take(c, 8);

	if (p)
		fbk_put_le64(p, v);
}

static inline void fbk_cursor_bytes(struct fbk_cursor *c, const void *v, size_t len)
{
	uint8_t *p = fbk_cursor_take(c, len);

	if (p && len)
		memcpy(p, v, len);
}

static inline void fbk_cursor_zeros(struct fbk_cursor *c, size_t len)
{
	uint8_t *p = fbk_cursor_take(c, len);

	if (p && len)
		memset(p, 0, len);
}

/* Overwrite a u8 or u32 that was written before. */
static inline void fbk_cursor_patch_u8(struct fbk_cursor *c, size_t pos, uint8_t v)
{
	if (!c->err && pos < c->pos)
		c->buf[pos] = v;
}

static inline void fbk_cursor_patch_le32(struct fbk_cursor *c, size_t pos, uint32_t v)
{
	if (!c->err && c->pos >= 4 && pos <= c->pos - 4)
		fbk_put_le32(c->buf + pos, v);
}

/* Bytes written, or the error. */
static inline int fbk_cursor_end(const struct fbk_cursor *c)
{
	return c->err ? c->err : (int)c->pos;
}

/* And read again; the caller has looked at the length. */
static inline uint32_t fbk_get_le16(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t fbk_get_le32(const uint8_t *p)
{
	return fbk_get_le16(p) | fbk_get_le16(p + 2) << 16;
}

static inline uint64_t fbk_get_le64(const uint8_t *p)
{
	return fbk_get_le32(p) | (uint64_t)fbk_get_le32(p + 4) << 32;
}

#endif
