/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * panic.h - finds the guest kernel's panic message in the console's bytes as they come.
 */
#ifndef FBK_VMM_PANIC_H
#define FBK_VMM_PANIC_H

#include <stdbool.h>
#include <stdint.h>

struct fbk_panic_scan {
	uint32_t matched; /* bytes of the text seen so far */
	bool seen;
};

/* Return: true on the byte that completes the first "Kernel panic - not syncing". */
bool fbk_panic_scan(struct fbk_panic_scan *s, uint8_t byte);

#endif
