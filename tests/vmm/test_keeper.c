/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_keeper.c - a PID namespace and the process that keeps it: split by a child, and judged by what the kernel tells of both. As
 * root, and as a user without privilege.
 */
#include "test.h"

#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define USER 1000
#define S 1000

static int told[2]; /* what the monitor writes; its end is the end of all who could */

struct story {
	void (*monitor)(void); /* its end is _exit(), or what it does to itself */
	uid_t uid;
};

static int terminal = -1; /* the other end of the one that both have; -1: they have none */

static pid_t keeper_start(const struct story *s)
{
	pid_t pid;
	int status, r;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (pid) {
		close(told[1]);
		return pid;
	}
	if (terminal >= 0) {
		setsid();
		r = open(ptsname(terminal), O_RDWR);
		if (r < 0 || ioctl(r, TIOCSCTTY, 0) || dup2(r, 0))
			_exit(97);
	}
	if (s->uid && (setgroups(0, NULL) || setgid(s->uid) || setuid(s->uid) || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)))
		_exit(99);
	r = fbk_keeper_split(&status);
	if (!r)
		s->monitor();
	/* The keeper has the pipe as well, as it has standard output: until it ends. */
	_exit(r == 1 ? status : 98);
}

static char hear(int ms)
{
	struct pollfd p = { told[0], POLLIN, 0 };
	char c = 0;

	return poll(&p, 1, ms) == 1 && read(told[0], &c, 1) == 1 ? c : 0;
}

static void say(char c)
{
	(void)!write(told[1], &c, 1);
}

static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* Nobody is left. */
	assert_int_equal(hear(20 * S), 0);
	close(told[0]);
	return status;
}

static void for_both_users(void (*story)(uid_t uid))
{
	if (geteuid())
		skip();
	story(0);
	story(USER);
}

/* --- what it is ------------------------------------------------------------------------------------------------------- */

static void is_the_first(void)
{
	char self[32] = "", text[32];

	if (getpid() != 1 || getppid() != 0 || readlink("/proc/self", self, sizeof(self) - 1) <= 0)
		_exit(1);
	snprintf(text, sizeof(text), "%d", (int)fbk_keeper_host_pid());
	_exit(strcmp(self, text) ? 2 : 7);
}

static void first_story(uid_t uid)
{
	int status = end_of(keeper_start(&(struct story){ is_the_first, uid }));

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void first(void **state)
{
	for_both_users(first_story);
	assert_int_equal(fbk_keeper_host_pid(), getpid());
	assert_int_equal(fbk_keeper_bind(), 0);
}

/* --- how it ends -------------------------------------------------------------------------------------------------------- */

/* The kernel's own doing: of a signal that it sends itself it would not die. */
static void crashes(void)
{
	volatile char *nothing = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	signal(SIGSEGV, SIG_DFL);
	*nothing = 1;
	_exit(3);
}

static void crash_story(uid_t uid)
{
	int status = end_of(keeper_start(&(struct story){ crashes, uid }));

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void is_killed(void)
{
	say('0');
	for (;;)
		pause();
}

static void killed_story(uid_t uid)
{
	pid_t keeper = keeper_start(&(struct story){ is_killed, uid }), monitor = 0;
	char path[64];
	int status;
	FILE *f;

	assert_int_equal(hear(20 * S), '0');
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", keeper, keeper);
	f = fopen(path, "re");
	if (f) {
		assert_int_equal(fscanf(f, "%d", &monitor), 1);
		fclose(f);
		assert_int_equal(kill(monitor, SIGKILL), 0);
	} else { /* a kernel that does not tell: the other way round */
		kill(keeper, SIGKILL);
	}
	status = end_of(keeper);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void keeper_killed_story(uid_t uid)
{
	pid_t keeper = keeper_start(&(struct story){ is_killed, uid });

	assert_int_equal(hear(20 * S), '0');
	assert_int_equal(kill(keeper, SIGKILL), 0);
	assert_true(WIFSIGNALED(end_of(keeper)));
}

static void becomes_another(void)
{
	if (!geteuid() && (setgroups(0, NULL) || setresgid(USER, USER, USER) || setresuid(USER, USER, USER)))
		_exit(4);
	if (fbk_keeper_bind())
		_exit(5);
	is_killed();
}

static void another_story(uid_t uid)
{
	pid_t keeper = keeper_start(&(struct story){ becomes_another, uid });

	assert_int_equal(hear(20 * S), '0');
	assert_int_equal(kill(keeper, SIGKILL), 0);
	assert_true(WIFSIGNALED(end_of(keeper)));
}

static void spoils_the_terminal(void)
{
	struct termios raw;

	if (tcgetattr(0, &raw))
		_exit(6);
	cfmakeraw(&raw);
	if (tcsetattr(0, TCSANOW, &raw))
		_exit(7);
	crashes();
}

static void terminal_story(uid_t uid)
{
	const struct story s = { spoils_the_terminal, uid };
	struct termios t;
	int status;

	terminal = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(terminal >= 0 && !grantpt(terminal) && !unlockpt(terminal));
	status = end_of(keeper_start(&s));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(tcgetattr(terminal, &t), 0);
	assert_true((t.c_lflag & ECHO) && (t.c_lflag & ICANON));
	close(terminal);
	terminal = -1;
}

static void ends(void **state)
{
	for_both_users(terminal_story);
	for_both_users(crash_story);
	for_both_users(killed_story);
	for_both_users(keeper_killed_story);
	for_both_users(another_story);
}

/* --- signals ----------------------------------------------------------------------------------------------------------- */

/* Tells of each: who passed it on, the keeper or nobody; SIGQUIT is the end. */
static void listens(void)
{
	siginfo_t si;
	sigset_t set;
	int sig;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	say('0');
	while ((sig = sigwaitinfo(&set, &si)) != SIGQUIT) {
		if (sig == SIGTSTP) {
			say('z');
			fbk_keeper_stop();
		} else if (sig > 0 && sig != SIGCHLD) {
			say(sig == SIGCONT ? 'c' : si.si_code == SI_QUEUE ? 'k' : 'd');
		}
	}
	_exit(0);
}

static void signal_story(uid_t uid)
{
	pid_t keeper = keeper_start(&(struct story){ listens, uid });
	int status;

	assert_int_equal(hear(20 * S), '0');
	kill(keeper, SIGTERM);
	assert_int_equal(hear(20 * S), 'k');
	kill(keeper, SIGHUP);
	assert_int_equal(hear(20 * S), 'k');
	/* Both stop, and both go on. */
	kill(keeper, SIGTSTP);
	assert_int_equal(hear(20 * S), 'z');
	assert_int_equal(waitpid(keeper, &status, WUNTRACED), keeper);
	assert_true(WIFSTOPPED(status));
	kill(keeper, SIGTERM);
	assert_int_equal(hear(50), 0);
	kill(keeper, SIGCONT);
	/* In the order of the numbers, as the kernel gives them. */
	assert_int_equal(hear(20 * S), 'k');
	assert_int_equal(hear(20 * S), 'c');
	kill(keeper, SIGQUIT);
	status = end_of(keeper);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void signals(void **state)
{
	for_both_users(signal_story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first),
		cmocka_unit_test(ends),
		cmocka_unit_test(signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
