/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_eventlog.c - lines to readers that are quick, slow, or gone: whole, in order, never waited for, never lost in silence.
 */
#include "test.h"

#include "eventlog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct fbk_linelog l;
static int pipe_fd[2];

static void open_pipe(void)
{
	assert_int_equal(pipe(pipe_fd), 0);
	fbk_linelog_init(&l, pipe_fd[1]);
}

static void close_pipe(void)
{
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

/* Lines of about an event's length, each with its number. */
static bool put(unsigned int n)
{
	char line[1024];
	int len = snprintf(line, sizeof(line), "%u %0900d\n", n, 7);

	return fbk_linelog_put(&l, line, len);
}

/* What there is to read now, checked: whole lines, numbers that grow. Return: how many. */
static unsigned int take(unsigned int *last)
{
	static char buf[1 << 20];
	static size_t have;
	unsigned int n = 0, number;
	char *line, *end;
	ssize_t r = 0;

	fcntl(pipe_fd[0], F_SETFL, O_NONBLOCK);
	while ((r = read(pipe_fd[0], buf + have, sizeof(buf) - have - 1)) > 0)
		have += r;
	buf[have] = '\0';
	for (line = buf; (end = strchr(line, '\n')); line = end + 1, n++) {
		assert_int_equal(sscanf(line, "%u ", &number), 1);
		assert_true(number > *last);
		assert_int_equal(end - strchr(line, ' '), 901);
		*last = number;
	}
	have -= line - buf;
	memmove(buf, line, have);
	return n;
}

static void a_quick_reader_has_it_at_once(void **state)
{
	unsigned int last = 0, i;

	open_pipe();
	for (i = 1; i <= 100; i++) {
		assert_false(put(i));
		assert_int_equal(take(&last), 1);
	}
	assert_false(fbk_linelog_waits(&l));
	assert_int_equal(fbk_linelog_lost(&l), 0);
	close_pipe();
}

/* A pipe that nobody reads: this returns all the same (a test that hangs is one that fails). */
static void a_slow_reader_is_not_waited_for(void **state)
{
	unsigned int last = 0, got = 0, i;

	open_pipe();
	alarm(60);
	for (i = 1; i <= 5000; i++)
		put(i);
	assert_true(fbk_linelog_waits(&l));
	assert_true(fbk_linelog_lost(&l) > 0);
	fbk_linelog_drain(&l); /* nothing to be done, and no waiting either */
	while (fbk_linelog_waits(&l)) {
		got += take(&last);
		fbk_linelog_drain(&l);
	}
	got += take(&last);
	/* At least what a pipe and the buffer hold; and each line is either there or counted. */
	assert_true(got > 250);
	assert_int_equal(got + fbk_linelog_lost(&l), 5000);
	/* And now the reader is quick again. */
	assert_false(put(5001));
	assert_int_equal(take(&last), 1);
	assert_int_equal(last, 5001);
	alarm(0);
	close_pipe();
}

static void the_descriptor_stays_as_it_was(void **state)
{
	open_pipe();
	put(1);
	assert_int_equal(fcntl(pipe_fd[1], F_GETFL) & O_NONBLOCK, 0);
	close_pipe();
}

static void a_reader_that_is_gone(void **state)
{
	unsigned int i;

	signal(SIGPIPE, SIG_IGN);
	open_pipe();
	for (i = 1; i <= 200; i++)
		put(i);
	close(pipe_fd[0]);
	assert_true(fbk_linelog_waits(&l));
	fbk_linelog_drain(&l);
	assert_false(fbk_linelog_waits(&l));
	assert_int_equal(l.error, EPIPE);
	assert_true(fbk_linelog_lost(&l) > 100);
	put(201);
	close(pipe_fd[1]);
}

static void the_end_waits_a_little(void **state)
{
	uint64_t lost;
	unsigned int i;

	open_pipe();
	alarm(60);
	for (i = 1; i <= 200; i++)
		put(i);
	lost = fbk_linelog_lost(&l);
	fbk_linelog_close(&l, 20);
	assert_true(fbk_linelog_lost(&l) > lost);
	assert_false(fbk_linelog_waits(&l));
	alarm(0);
	close_pipe();
}

static void *crowd(void *arg)
{
	unsigned int i;

	for (i = 0; i < 500; i++)
		put(1 + (unsigned int)(uintptr_t)arg);
	return NULL;
}

static void lines_of_many_threads_stay_whole(void **state)
{
	static char buf[8192];
	pthread_t t[4];
	uint64_t whole = 0;
	uintptr_t i;
	ssize_t n;
	size_t have = 0;

	open_pipe();
	fcntl(pipe_fd[0], F_SETFL, O_NONBLOCK);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, crowd, (void *)i), 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	for (;;) {
		n = read(pipe_fd[0], buf + have, 903 - have);
		if (n <= 0 && !fbk_linelog_waits(&l))
			break;
		fbk_linelog_drain(&l);
		have += n > 0 ? n : 0;
		if (have < 903)
			continue;
		assert_int_equal(buf[902], '\n');
		assert_int_equal(buf[1], ' ');
		whole++;
		have = 0;
	}
	assert_int_equal(have, 0);
	assert_int_equal(whole + fbk_linelog_lost(&l), 2000);
	close_pipe();
}

/* The whole log: what an event is in both, and a file is written before tell returns. */
static void an_event(void **state)
{
	static struct fbk_eventlog log;
	struct fbk_event ev = { .size = sizeof(ev), .seq = 3, .vcpu = -1, .el = -1, .acknowledged = -1 };
	struct fbk_event_ack ack = { .size = sizeof(ack), .method = FBK_NOTIFY_SEA, .record = 9, .nr_pages = 1 };
	char path[] = "/tmp/firebreak-eventlog-XXXXXX", text[2 * FBK_EVENT_JSON_MAX] = "";
	int fd = mkstemp(path), err = dup(STDERR_FILENO), account[2];
	ssize_t n;

	assert_true(fd >= 0 && err >= 0);
	assert_int_equal(pipe(account), 0);
	dup2(account[1], STDERR_FILENO);
	assert_int_equal(fbk_eventlog_open(&log, path), 0);
	assert_false(fbk_eventlog_tell(&log, &ev));
	assert_false(fbk_eventlog_tell_ack(&log, &ack));
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n > 0);
	assert_memory_equal(text, "{\"kind\":\"error\",", 16);
	assert_non_null(strstr(text, "\n{\"kind\":\"acknowledged\","));
	assert_int_equal(text[n - 1], '\n');
	n = read(account[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_memory_equal(text, "firebreak: memory error 3: ", 27);
	assert_ptr_equal(strchr(text, '\n'), text + n - 1);
	/* A full disk, told once, with what it cost. */
	fbk_eventlog_close(&log);
	assert_int_equal(fbk_eventlog_open(&log, "/dev/full"), 0);
	fbk_eventlog_tell(&log, &ev);
	fbk_eventlog_tell(&log, &ev);
	fbk_eventlog_drain(&log);
	fbk_eventlog_close(&log);
	dup2(err, STDERR_FILENO);
	n = read(account[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "--events: 2 lines are missing there: No space left on device"));
	close(account[0]);
	close(account[1]);
	close(err);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quick_reader_has_it_at_once),
		cmocka_unit_test(a_slow_reader_is_not_waited_for),
		cmocka_unit_test(the_descriptor_stays_as_it_was),
		cmocka_unit_test(a_reader_that_is_gone),
		cmocka_unit_test(the_end_waits_a_little),
		cmocka_unit_test(lines_of_many_threads_stay_whole),
		cmocka_unit_test(an_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
