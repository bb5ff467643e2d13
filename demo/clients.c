/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
#include "clients.h"

#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* An emulated machine is slow: this is for what will never come. */
#define ANSWER_S 300
#define PAUSE_MS 50

struct conn {
	int fd;
	size_t len, at;
	char buf[65536];
};

static void nap(unsigned int ms)
{
	poll(NULL, 0, (int)ms);
}

static bool conn_open(struct conn *c, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval limit = { .tv_sec = ANSWER_S };

	c->len = c->at = 0;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return false;
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (!connect(c->fd, (struct sockaddr *)&to, sizeof(to)))
		return true;
	close(c->fd);
	c->fd = -1;
	return false;
}

static void conn_close(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static bool conn_send(struct conn *c, const char *text, size_t len)
{
	ssize_t n;

	for (; len; text += n, len -= (size_t)n) {
		n = send(c->fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool conn_fill(struct conn *c)
{
	ssize_t n;

	if (c->at) {
		memmove(c->buf, c->buf + c->at, c->len - c->at);
		c->len -= c->at;
		c->at = 0;
	}
	if (c->len == sizeof(c->buf))
		return false;
	n = recv(c->fd, c->buf + c->len, sizeof(c->buf) - c->len, 0);
	if (n <= 0)
		return false;
	c->len += (size_t)n;
	return true;
}

/* A line without its end; false when the connection ends first, or the line is longer than the buffer. */
static bool conn_line(struct conn *c, char *ret, size_t size)
{
	char *end;

	while (!(end = memmem(c->buf + c->at, c->len - c->at, "\r\n", 2)))
		if (!conn_fill(c))
			return false;
	*end = '\0';
	snprintf(ret, size, "%s", c->buf + c->at);
	c->at = (size_t)(end - c->buf) + 2;
	return true;
}

/*
 * One reply of the Redis protocol: a string's content, or any other line with its type before it. Of an array, only its
 * line: the elements are replies of their own.
 */
static bool redis_reply(struct conn *c, char *ret, size_t size)
{
	char line[512];
	size_t len;

	if (!conn_line(c, line, sizeof(line)))
		return false;
	if (line[0] != '$' || line[1] == '-') {
		snprintf(ret, size, "%s", line);
		return true;
	}
	len = strtoul(line + 1, NULL, 10);
	if (len + 2 > sizeof(c->buf))
		return false;
	while (c->len - c->at < len + 2)
		if (!conn_fill(c))
			return false;
	snprintf(ret, size, "%.*s", (int)len, c->buf + c->at);
	c->at += len + 2;
	return true;
}

static void note_first(struct fbk_load *load, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note_first(struct fbk_load *load, const char *fmt, ...)
{
	va_list ap;

	if (load->first[0])
		return;
	va_start(ap, fmt);
	vsnprintf(load->first, sizeof(load->first), fmt, ap);
	va_end(ap);
}

/* The values of transaction n's two keys: no other transaction's, and not each other's. */
static uint64_t value_of(unsigned int n, unsigned int key)
{
	uint64_t x = ((uint64_t)n << 1 | key) * UINT64_C(0x9e3779b97f4a7c15);

	return x ^ x >> 31;
}

/* Commits one. 1: committed; 0: the server would not (it is still loading its data); -1: the connection broke. */
static int commit(struct conn *c, unsigned int n, struct fbk_load *load)
{
	static const char *const expected[] = { "+OK", "+QUEUED", "+QUEUED", "*2", "+OK", "+OK" };
	char text[256], reply[256];
	int len;

	len = snprintf(text, sizeof(text),
		       "MULTI\r\nSET a:%u %016llx\r\nSET b:%u %016llx\r\nEXEC\r\n", n, (unsigned long long)value_of(n, 0), n,
		       (unsigned long long)value_of(n, 1));
	if (!conn_send(c, text, (size_t)len))
		return -1;
	for (unsigned int i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		if (!redis_reply(c, reply, sizeof(reply)))
			return -1;
		if (!strcmp(reply, expected[i]))
			continue;
		if (!strncmp(reply, "-LOADING", 8))
			return 0;
		load->wrong++;
		note_first(load, "transaction %u: %s", n, reply);
		return 0;
	}
	return 1;
}

static void transactions(struct fbk_load *load, uint16_t port)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return;
	c->fd = -1;
	while (!load->stop) {
		if (c->fd < 0 && !conn_open(c, port)) {
			nap(200);
			continue;
		}
		switch (commit(c, load->done + 1, load)) {
		case 1:
			load->done++;
			nap(PAUSE_MS);
			break;
		case 0:
			conn_close(c);
			nap(200);
			break;
		default:
			load->broken++;
			note_first(load, "transaction %u: the connection broke", load->done + 1);
			conn_close(c);
			nap(200);
		}
	}
	conn_close(c);
	free(c);
}

/* One request; NULL if all is well, else what is not. */
static const char *request(struct conn *c, uint16_t port)
{
	static const char text[] = "GET / HTTP/1.0\r\nHost: guest\r\n\r\n";
	static char line[256];
	size_t length = 0;

	if (!conn_open(c, port))
		return "no connection";
	if (!conn_send(c, text, sizeof(text) - 1) || !conn_line(c, line, sizeof(line)))
		return "the connection broke before an answer";
	if (strncmp(line, "HTTP/1.1 200 ", 13) && strncmp(line, "HTTP/1.0 200 ", 13))
		return line;
	do {
		if (!conn_line(c, line, sizeof(line)))
			return "the connection broke within the headers";
		if (!strncasecmp(line, "Content-Length: ", 16))
			length = strtoul(line + 16, NULL, 10);
	} while (line[0]);
	while (conn_fill(c))
		;
	if (!length || c->len - c->at != length)
		return "not as many bytes as were announced";
	return memmem(c->buf + c->at, length, "nginx", 5) ? NULL : "another page";
}

static void requests(struct fbk_load *load, uint16_t port)
{
	struct conn *c = calloc(1, sizeof(*c));
	const char *why;

	if (!c)
		return;
	c->fd = -1;
	while (!load->stop) {
		why = request(c, port);
		conn_close(c);
		if (!why) {
			load->done++;
		} else {
			load->wrong++;
			note_first(load, "request %u: %s", load->done + load->wrong, why);
		}
		nap(PAUSE_MS);
	}
	free(c);
}

static struct fbk_load *load_start(void (*work)(struct fbk_load *load, uint16_t port), uint16_t port)
{
	struct fbk_load *load = mmap(NULL, sizeof(*load), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (load == MAP_FAILED)
		fbk_fail(__FILE__, __LINE__, "mmap: %m");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		fbk_fail(__FILE__, __LINE__, "fork: %m");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(load, port);
		_exit(0);
	}
	load->pid = pid;
	return load;
}

struct fbk_load *fbk_load_transactions(uint16_t port)
{
	return load_start(transactions, port);
}

struct fbk_load *fbk_load_requests(uint16_t port)
{
	return load_start(requests, port);
}

bool fbk_load_stop(struct fbk_load *load)
{
	int status;

	load->stop = true;
	for (unsigned int i = 0; i < ANSWER_S * 10; i++) {
		if (waitpid(load->pid, &status, WNOHANG) == load->pid)
			return status == 0;
		nap(100);
	}
	kill(load->pid, SIGKILL);
	waitpid(load->pid, &status, 0);
	return false;
}

unsigned int fbk_transactions_kept(uint16_t port, unsigned int nr, char *ret_first, size_t len)
{
	struct conn *c = calloc(1, sizeof(*c));
	char text[64], got[2][64], want[2][64];
	unsigned int kept = 0, n, k;
	int size;

	ret_first[0] = '\0';
	if (!c || !conn_open(c, port)) {
		free(c);
		return 0;
	}
	for (n = 1; n <= nr; n++) {
		size = snprintf(text, sizeof(text), "GET a:%u\r\nGET b:%u\r\n", n, n);
		if (!conn_send(c, text, (size_t)size) || !redis_reply(c, got[0], sizeof(got[0])) ||
		    !redis_reply(c, got[1], sizeof(got[1])))
			break;
		for (k = 0; k < 2; k++)
			snprintf(want[k], sizeof(want[k]), "%016llx", (unsigned long long)value_of(n, k));
		if (!strcmp(got[0], want[0]) && !strcmp(got[1], want[1]))
			kept++;
		else if (!ret_first[0])
			snprintf(ret_first, len, "transaction %u has %s and %s, not %s and %s", n, got[0], got[1], want[0],
				 want[1]);
	}
	conn_close(c);
	free(c);
	return kept;
}

/* One command and its reply. */
static int ask(struct conn *c, const char *command, char *ret, size_t len)
{
	if (!conn_send(c, command, strlen(command)) || !redis_reply(c, ret, len))
		return -EPIPE;
	return ret[0] == '-' ? -EBADMSG : 0;
}

#define PIECE 256

int fbk_redis_fill(uint16_t port, const char *key, const char *text, size_t len)
{
	char piece[PIECE + 1], command[PIECE + 256], reply[256];
	struct conn *c = calloc(1, sizeof(*c));
	size_t at, n = strlen(text);
	int err = -EPIPE;

	if (!c)
		return -ENOMEM;
	for (at = 0; at < PIECE; at += n)
		memcpy(piece + at, text, n);
	piece[PIECE] = '\0';
	if (conn_open(c, port)) {
		snprintf(command, sizeof(command), "SETRANGE %s %zu .\r\n", key, len - 1);
		err = ask(c, command, reply, sizeof(reply));
		for (at = 0; !err && at < len; at += PIECE) {
			snprintf(command, sizeof(command), "SETRANGE %s %zu \"%s\"\r\n", key, at, piece);
			err = ask(c, command, reply, sizeof(reply));
		}
		conn_close(c);
	}
	free(c);
	return err;
}

int fbk_redis_get(uint16_t port, const char *key, char *ret_val, size_t len)
{
	struct conn *c = calloc(1, sizeof(*c));
	char command[128];
	int err = -EPIPE;

	if (!c)
		return -ENOMEM;
	snprintf(command, sizeof(command), "GET %s\r\n", key);
	if (conn_open(c, port)) {
		err = ask(c, command, ret_val, len);
		conn_close(c);
	}
	free(c);
	return err;
}

/* One try: whether all that was asked for has been done. */
static bool operate(struct conn *c, uint16_t port, const char *script, char *ret, size_t size)
{
	static const char mark[] = "\noperator: done\n";
	size_t got = 0;
	char *end;

	if (!conn_open(c, port))
		return false;
	if (conn_send(c, script, strlen(script)) && !shutdown(c->fd, SHUT_WR))
		while (conn_fill(c)) {
			size_t n = c->len - c->at < size - 1 - got ? c->len - c->at : size - 1 - got;

			memcpy(ret + got, c->buf + c->at, n);
			got += n;
			c->at = c->len;
		}
	conn_close(c);
	ret[got] = '\0';
	end = strstr(ret, mark);
	if (!end)
		return false;
	while (end > ret && end[-1] == '\n')
		end--;
	*end = '\0';
	return true;
}

const char *fbk_operator(uint16_t port, unsigned int seconds, const char *fmt, ...)
{
	static char answers[8][16384];
	static unsigned int turn;
	char *answer = answers[turn++ % 8], *words, *script;
	struct timespec now;
	struct conn *c = calloc(1, sizeof(*c));
	time_t deadline;
	bool done;
	va_list ap;

	va_start(ap, fmt);
	if (!c || vasprintf(&words, fmt, ap) < 0 ||
	    asprintf(&script, "{\n%s\nprintf '\\noperator: done\\n'\n} </dev/null 2>&1\n", words) < 0)
		abort();
	va_end(ap);
	clock_gettime(CLOCK_MONOTONIC, &now);
	deadline = now.tv_sec + (time_t)seconds;
	while (!(done = operate(c, port, script, answer, sizeof(answers[0]))) && now.tv_sec < deadline) {
		nap(500);
		clock_gettime(CLOCK_MONOTONIC, &now);
	}
	free(script);
	free(c);
	if (!done)
		fbk_fail(__FILE__, __LINE__, "the guest's shell did not answer within %u s: %.80s", seconds, words);
	free(words);
	return answer;
}
