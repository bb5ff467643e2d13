/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct fbk_harness_config fbk_harness;

static jmp_buf scenario_end;
static bool in_scenario;
static enum fbk_outcome outcome;
static char why[1024];

uint64_t fbk_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t fbk_deadline_ms(unsigned int seconds)
{
	struct utsname host;
	const char *end = uname(&host) ? NULL : strrchr(host.release, '-'), *patience = getenv("FIREBREAK_PATIENCE");
	uint64_t ms = (uint64_t)seconds * 1000;

	/* A kernel with checks of its own (KASAN, lockdep) is slow, and so is a machine that others use. */
	if (end && !strcmp(end, "-debug"))
		ms *= 8;
	return fbk_now_ms() + ms * (patience && atoi(patience) > 0 ? atoi(patience) : 1);
}

static char *path_v(const char *folder, const char *fmt, va_list ap)
{
	char *name, *path;

	if (vasprintf(&name, fmt, ap) < 0 || asprintf(&path, "%s/%s", folder, name) < 0)
		abort();
	free(name);
	return path;
}

char *fbk_path_files(const char *fmt, ...)
{
	va_list ap;
	char *path;

	va_start(ap, fmt);
	path = path_v(fbk_harness.files, fmt, ap);
	va_end(ap);
	return path;
}

char *fbk_path_out(const char *fmt, ...)
{
	va_list ap;
	char *path;

	va_start(ap, fmt);
	path = path_v(fbk_harness.out, fmt, ap);
	va_end(ap);
	return path;
}

void fbk_note(const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fbk_harness.note(text);
}

static void end_scenario(enum fbk_outcome how) __attribute__((noreturn));
static void end_scenario(enum fbk_outcome how)
{
	if (!in_scenario) {
		fbk_note("outside of any scenario: %s", why);
		exit(70);
	}
	outcome = how;
	longjmp(scenario_end, 1);
}

void fbk_fail(const char *file, int line, const char *fmt, ...)
{
	const char *name = strrchr(file, '/');
	va_list ap;
	int n;

	n = snprintf(why, sizeof(why), "%s:%d: ", name ? name + 1 : file, line);
	va_start(ap, fmt);
	vsnprintf(why + n, sizeof(why) - (size_t)n, fmt, ap);
	va_end(ap);
	end_scenario(FBK_FAILED);
}

void fbk_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	end_scenario(FBK_SKIPPED);
}

pid_t fbk_spawn(char *const argv[], int in, int out, int err)
{
	return fbk_spawn_as(0, argv, in, out, err);
}

pid_t fbk_spawn_as(uid_t uid, char *const argv[], int in, int out, int err)
{
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	if (uid && (setgroups(0, NULL) || setgid(uid) || setuid(uid)))
		_exit(126);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execv(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int fbk_run(char *const argv[], char *ret_text, size_t len)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fds[2], status;
	size_t got = 0;
	ssize_t n;
	pid_t pid;

	if (null < 0 || pipe2(fds, O_CLOEXEC))
		fbk_fail(__FILE__, __LINE__, "pipe: %m");
	pid = fbk_spawn(argv, null, fds[1], fds[1]);
	close(fds[1]);
	close(null);
	if (pid < 0)
		fbk_fail(__FILE__, __LINE__, "fork: %s", strerror(-pid));
	for (;;) {
		char spill[512];

		n = got < len - 1 ? read(fds[0], ret_text + got, len - 1 - got) : read(fds[0], spill, sizeof(spill));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (got < len - 1)
			got += (size_t)n;
	}
	ret_text[got] = '\0';
	close(fds[0]);
	if (waitpid(pid, &status, 0) != pid)
		fbk_fail(__FILE__, __LINE__, "waitpid: %m");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void fbk_wait_until(unsigned int seconds, const char *what, bool (*cond)(void *arg), void *arg)
{
	uint64_t deadline = fbk_deadline_ms(seconds);

	while (!cond(arg)) {
		if (fbk_now_ms() >= deadline)
			fbk_fail(__FILE__, __LINE__, "not within %u s: %s", seconds, what);
		fbk_guests_pump(2);
	}
}

void fbk_harness_init(const struct fbk_harness_config *config)
{
	fbk_harness = *config;
	mkdir(fbk_harness.out, 0755);
	/* A monitor gives root away, and replaces files there. */
	chmod(fbk_harness.out, 0777);
	chmod("/tmp", 0777);
	signal(SIGPIPE, SIG_IGN);
	fbk_host_open();
}

enum fbk_outcome fbk_harness_run(const struct fbk_scenario *s, const char **ret_why, unsigned int *ret_ms)
{
	uint64_t start = fbk_now_ms();
	const char *complaint;

	outcome = FBK_PASSED;
	why[0] = '\0';
	fbk_host_begin();
	fbk_guests_begin();
	if (!setjmp(scenario_end)) {
		in_scenario = true;
		s->run();
	}
	in_scenario = false;
	complaint = fbk_host_complaint();
	if (complaint && outcome != FBK_FAILED) {
		outcome = FBK_FAILED;
		snprintf(why, sizeof(why), "the host's kernel complained: %s", complaint);
	}
	if (outcome == FBK_FAILED)
		fbk_guests_tell();
	fbk_guests_end(outcome == FBK_FAILED);
	fbk_host_restore();
	*ret_why = why;
	*ret_ms = (unsigned int)(fbk_now_ms() - start);
	return outcome;
}

enum fbk_outcome fbk_harness_finish(const char **ret_why)
{
	const char *wrong = fbk_guests_finish();

	*ret_why = wrong ? wrong : "";
	return wrong ? FBK_FAILED : FBK_PASSED;
}
