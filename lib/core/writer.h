/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * writer.h - text into a buffer of the caller's. What does not fit is not written, nor is anything after it: the writer is
 * asked once, at the end, whether all of it did.
 */
#ifndef FBK_CORE_WRITER_H
#define FBK_CORE_WRITER_H

#include <stddef.h>
#include <stdint.h>

/* Set up buf and len; the rest is zero. */
struct fbk_writer {
	char *buf;
	size_t len;
	size_t pos;
	int full;
	int comma; /* json.h: the next member needs one before it */
};

void fbk_put_raw(struct fbk_writer *w, const char *s, size_t n);
void fbk_put_text(struct fbk_writer *w, const char *s);
/* @base: at most 16; @width: digits at least, at most 20 */
void fbk_put_number(struct fbk_writer *w, uint64_t v, uint32_t base, uint32_t width);
/* 8-4-4-4-12 lower-case hexadecimal digits [RFC 9562]. */
void fbk_put_uuid(struct fbk_writer *w, const uint8_t id[16]);

/* The NUL behind it all. Return: length without it. Errors: -ENOSPC. */
int fbk_writer_end(struct fbk_writer *w);

#endif
