/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* terminal.c - see terminal.h */
#include "terminal.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_A 0x01

static struct termios cooked;
static atomic_bool taken, is_raw;

void fbk_terminal_restore(void)
{
	/* In the background it is somebody else's, and the shell has put it in order already. */
	if (atomic_exchange(&is_raw, false) && tcgetpgrp(STDIN_FILENO) == getpgrp())
		tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
}

void fbk_terminal_raw(void)
{
	struct termios raw;

	/* A background process that touches the terminal would be stopped. */
	if (!atomic_load(&taken) || tcgetpgrp(STDIN_FILENO) != getpgrp())
		return;
	raw = cooked;
	cfmakeraw(&raw);
	raw.c_oflag = cooked.c_oflag; /* our own lines end without a carriage return */
	atomic_store(&is_raw, true);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void on_crash(int sig)
{
	fbk_terminal_restore();
	raise(sig); /* SA_RESETHAND: dies of it, once the handler returns */
}

bool fbk_terminal_open(void)
{
	static const int fatal[] = { SIGSEGV, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP };
	struct sigaction sa = { .sa_handler = on_crash, .sa_flags = SA_RESETHAND };

	if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() || tcgetattr(STDIN_FILENO, &cooked))
		return false;
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i], &sa, NULL);
	atomic_store(&taken, true);
	atexit(fbk_terminal_restore);
	fbk_terminal_raw();
	return true;
}

enum fbk_terminal_key fbk_escape_filter(struct fbk_escape *e, unsigned char *buf, size_t *len)
{
	enum fbk_terminal_key key = FBK_KEY_NONE;
	size_t out = 0;

	for (size_t i = 0; i < *len; i++) {
		unsigned char c = buf[i];

		if (!e->pending) {
			if (c == CTRL_A)
				e->pending = true;
			else
				buf[out++] = c;
			continue;
		}
		e->pending = false;
		if (c == 'x' || c == 'X') {
			key = FBK_KEY_QUIT;
			break;
		} else if (c == CTRL_A || c == 'a' || c == 'A') {
			buf[out++] = CTRL_A;
		} else {
			key = FBK_KEY_HELP; /* asked for, or a key that means nothing */
		}
	}
	*len = out;
	return key;
}
