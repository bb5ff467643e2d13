/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* writer.c - see writer.h */
#include "writer.h"

#include <errno.h>
#include <string.h>

void fbk_put_raw(struct fbk_writer *w, const char *s, size_t n)
{
	if (w->full || n > w->len - w->pos) {
		w->full = 1;
		return;
	}
	memcpy(w->buf + w->pos, s, n);
	w->pos += n;
}

void fbk_put_text(struct fbk_writer *w, const char *s)
{
	if (w->full)
		return;
	while (*s && w->pos < w->len)
		w->buf[w->pos++] = *s++;
	w->full = *s != '\0';
}

void fbk_put_number(struct fbk_writer *w, uint64_t v, uint32_t base, uint32_t width)
{
	char digits[20];
	uint32_t n = sizeof(digits);

	do {
		digits[--n] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v || sizeof(digits) - n < width);
	fbk_put_raw(w, digits + n, sizeof(digits) - n);
}

void fbk_put_uuid(struct fbk_writer *w, const uint8_t id[16])
{
	uint32_t i;

	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			fbk_put_text(w, "-");
		fbk_put_number(w, id[i], 16, 2);
	}
}

int fbk_writer_end(struct fbk_writer *w)
{
	fbk_put_raw(w, "", 1);
	return w->full ? -ENOSPC : (int)w->pos - 1;
}
