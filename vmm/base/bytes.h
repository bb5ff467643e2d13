/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * bytes.h - an append-only byte cursor with explicit endianness, for the layouts that the guest reads.
 *
 * The first overflow sticks in @error; callers check once, at the end.
 */
#ifndef FBK_VMM_BYTES_H
#define FBK_VMM_BYTES_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fbk_bytes {
	uint8_t *buf;
	size_t len, cap;
	int error; /* 0, or the first failure as a negative errno */
};

static inline void fbk_bytes_init(struct fbk_bytes *b, void *buf, size_t cap)
{
	*b = (struct fbk_bytes){ .buf = buf, .cap = cap };
}

/* Room for @len bytes, zeroed; NULL after a failure. */
static inline uint8_t *fbk_put_room(struct fbk_bytes *b, size_t len)
{
	uint8_t *at;

	if (!b->error && len > b->cap - b->len)
		b->error = -ENOSPC;
	if (b->error)
		return NULL;
	at = b->buf + b->len;
	memset(at, 0, len);
	b->len += len;
	return at;
}

static inline void fbk_put(struct fbk_bytes *b, const void *bytes, size_t len)
{
	uint8_t *at = len ? fbk_put_room(b, len) : NULL;

	if (at)
		memcpy(at, bytes, len);
}

static inline void fbk_put_zero(struct fbk_bytes *b, size_t len)
{
	fbk_put_room(b, len);
}

static inline void fbk_put_le(struct fbk_bytes *b, uint64_t v, unsigned int width)
{
	uint8_t *at = fbk_put_room(b, width);

	for (unsigned int i = 0; at && i < width; i++)
		at[i] = v >> (8 * i);
}

static inline void fbk_put_u8(struct fbk_bytes *b, uint8_t v)
{
	fbk_put_le(b, v, 1);
}

static inline void fbk_put_u16(struct fbk_bytes *b, uint16_t v)
{
	fbk_put_le(b, v, 2);
}

static inline void fbk_put_u32(struct fbk_bytes *b, uint32_t v)
{
	fbk_put_le(b, v, 4);
}

static inline void fbk_put_u64(struct fbk_bytes *b, uint64_t v)
{
	fbk_put_le(b, v, 8);
}

static inline uint64_t fbk_get_le(const void *from, unsigned int width)
{
	const uint8_t *p = from;
	uint64_t v = 0;

	for (unsigned int i = 0; i < width; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

#endif
