// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

#define CTRL_A 1

static struct termios saved;
static bool is_raw;

void fbk_lab_terminal_restore(void)
{
	if (is_raw)
		tcsetattr(0, TCSADRAIN, &saved);
	is_raw = false;
}

void fbk_lab_terminal_raw(void)
{
	struct termios t;

	if (is_raw || tcgetattr(0, &saved) < 0)
		return;
	t = saved;
	cfmakeraw(&t);
	if (tcsetattr(0, TCSADRAIN, &t) < 0)
		return;
	is_raw = true;
	atexit(fbk_lab_terminal_restore);
}

bool fbk_lab_terminal_keys(char *buf, size_t *len)
{
	static bool escaped;
	char in[512];
	size_t n = 0;

	/* an escape key held back from before makes room for one byte more than came */
	if (*len > sizeof(in))
		*len = sizeof(in);
	memcpy(in, buf, *len);
	for (size_t i = 0; i < *len; i++) {
		char c = in[i];

		if (!escaped && c == CTRL_A) {
			escaped = true;
			continue;
		}
		if (escaped && (c == 'x' || c == 'X'))
			return true;
		if (escaped && c != CTRL_A)
			buf[n++] = CTRL_A;
		escaped = false;
		buf[n++] = c;
	}
	*len = n;
	return false;
}
