/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* panic.c - see panic.h */
#include "panic.h"

bool fbk_panic_scan(struct fbk_panic_scan *s, uint8_t byte)
{
	static const char text[] = "Kernel panic - not syncing";

	/* 'K' occurs only at the text's start, so a mismatch can only begin it anew. */
	if (byte != (uint8_t)text[s->matched])
		s->matched = byte == 'K';
	else
		s->matched++;
	if (s->matched < sizeof(text) - 1)
		return false;
	s->matched = 0;
	if (s->seen)
		return false;
	s->seen = true;
	return true;
}
