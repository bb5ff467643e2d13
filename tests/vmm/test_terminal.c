/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_terminal.c - on a real pseudo-terminal: raw while it is ours, as it was on every way out.
 */
#include "test.h"

#include "terminal.h"

#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

enum way { BY_EXIT, BY_RESTORE, BY_ABORT, BY_SEGV };

/* What the child does on the terminal: take it, tell whether it is raw, go. */
static void child(enum way way)
{
	const struct rlimit no_core = { 0, 0 };
	struct termios t;
	bool raw;

	setrlimit(RLIMIT_CORE, &no_core);
	/* What the sanitizers have set would report the death that is wanted here. */
	signal(SIGABRT, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	if (!fbk_terminal_open() || tcgetattr(0, &t))
		_exit(99);
	raw = !(t.c_lflag & (ICANON | ECHO | ISIG));
	if (write(1, raw ? "R" : "c", 1) != 1)
		_exit(98);
	switch (way) {
	case BY_EXIT:
		exit(7);
	case BY_RESTORE:
		fbk_terminal_restore();
		fbk_terminal_raw();
		fbk_terminal_restore();
		_exit(7);
	case BY_ABORT:
		raise(SIGABRT);
		break;
	case BY_SEGV:
		raise(SIGSEGV);
		break;
	}
	_exit(97);
}

static void leave(enum way way, int want_status)
{
	struct termios before, after;
	int master, slave, status;
	pid_t pid;
	char c;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	/* Asked of the master, which gives the slave's modes and outlives the session. */
	assert_int_equal(tcgetattr(master, &before), 0);
	assert_true(before.c_lflag & ICANON);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(master);
		if (login_tty(slave))
			_exit(96);
		child(way);
	}
	assert_int_equal(read(master, &c, 1), 1);
	assert_int_equal(c, 'R');
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, want_status);
	assert_int_equal(tcgetattr(master, &after), 0);
	assert_int_equal(after.c_lflag, before.c_lflag);
	assert_int_equal(after.c_iflag, before.c_iflag);
	assert_int_equal(after.c_oflag, before.c_oflag);
	assert_int_equal(after.c_cflag, before.c_cflag);
	close(master);
	close(slave);
}

static void an_ordinary_exit(void **state)
{
	leave(BY_EXIT, W_EXITCODE(7, 0));
}

static void restored_by_hand(void **state)
{
	leave(BY_RESTORE, W_EXITCODE(7, 0));
}

static void an_abort(void **state)
{
	leave(BY_ABORT, W_EXITCODE(0, SIGABRT));
}

static void a_crash(void **state)
{
	leave(BY_SEGV, W_EXITCODE(0, SIGSEGV));
}

static void a_pipe_is_no_terminal(void **state)
{
	int p[2], saved = dup(0);

	assert_int_equal(pipe(p), 0);
	dup2(p[0], 0);
	assert_false(fbk_terminal_open());
	fbk_terminal_restore();
	dup2(saved, 0);
	close(saved);
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_exit), cmocka_unit_test(restored_by_hand), cmocka_unit_test(an_abort),
		cmocka_unit_test(a_crash),	    cmocka_unit_test(a_pipe_is_no_terminal),
	};

	return cmocka_run_group_tests_name("vmm-terminal", tests, NULL, NULL);
}
