/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_control.c - the control API without a machine: what requests ask for, the server against clients of every temper, the
 * mailbox between threads, and the socket's file.
 */
#include "test.h"

#include "calls.h"
#include "http.h"
#include "listen.h"
#include "request.h"
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* --- requests ----------------------------------------------------------------------------------------------------- */

static const struct row {
	const char *method, *target, *body;
	int status;
	const char *why; /* some of it, where it is refused */
} rows[] = {
	{ "GET", "/v1/status", "", 0, NULL },
	{ "GET", "/v1/devices", "", 0, NULL },
	{ "POST", "/v1/devices", "", 405, "GET is wanted" },
	{ "GET", "/v1/errors", "{}", 0, NULL },
	{ "GET", "/v1/ledger", "", 0, NULL },
	{ "GET", "/v1/ledger?after=0x40000000&limit=10", "", 0, NULL },
	{ "GET", "/v1/ledger?", "", 0, NULL },
	{ "GET", "/v1/metrics", "", 0, NULL },
	{ "POST", "/v1/pause", "", 0, NULL },
	{ "POST", "/v1/resume", " {} ", 0, NULL },
	{ "POST", "/v1/simulate", "{\"gpa\":\"0x40001000\"}", 0, NULL },
	{ "POST", "/v1/simulate", "{\"gpa\":\"1073745920\",\"tell\":true}", 0, NULL },
	{ "POST", "/v1/simulate", "{\"cpu\":0,\"address\":\"0xffff000000000000\"}", 0, NULL },
	{ "GET", "/", "", 404, "no such thing" },
	{ "GET", "/v1/statu", "", 404, "/v1/statu" },
	{ "GET", "/v1/status/", "", 404, NULL },
	{ "GET", "http://localhost/v1/status", "", 404, NULL },
	{ "POST", "/v1/status", "", 405, "GET is wanted" },
	{ "GET", "/v1/stop", "", 405, "POST is wanted" },
	{ "GET", "/v1/status?x=1", "", 400, "x=1" },
	{ "GET", "/v1/ledger?limit=0", "", 400, "limit=0" },
	{ "GET", "/v1/ledger?limit=1001", "", 400, NULL },
	{ "GET", "/v1/ledger?limit", "", 400, NULL },
	{ "GET", "/v1/ledger?limit=", "", 400, NULL },
	{ "GET", "/v1/ledger?after=-1", "", 400, NULL },
	{ "GET", "/v1/ledger?after=0x", "", 400, NULL },
	{ "GET", "/v1/ledger?after=0x10000000000000000", "", 400, NULL },
	{ "GET", "/v1/ledger?limit=5&after", "", 400, NULL },
	{ "POST", "/v1/pause", "{", 400, "no JSON" },
	{ "POST", "/v1/pause", "null", 400, "no JSON" },
	{ "POST", "/v1/pause", "[]", 400, "no JSON object" },
	{ "POST", "/v1/pause", "{\"force\":true}", 400, "force: no such field" },
	{ "POST", "/v1/simulate", "", 400, "gpa is needed" },
	{ "POST", "/v1/simulate", "{}", 400, "gpa is needed" },
	{ "POST", "/v1/simulate", "{\"cpu\":0}", 400, "gpa is needed" },
	{ "POST", "/v1/simulate", "{\"address\":\"0x1\"}", 400, "gpa is needed" },
	{ "POST", "/v1/simulate", "{\"cpu\":0,\"address\":\"0x1\",\"gpa\":\"0x1\"}", 400, "gpa is needed" },
	{ "POST", "/v1/simulate", "{\"gpa\":1073741824}", 400, "gpa: must be a string" },
	{ "POST", "/v1/simulate", "{\"gpa\":\" 1\"}", 400, "gpa: must be" },
	{ "POST", "/v1/simulate", "{\"gpa\":\"0x1\\u0000\"}", 400, NULL },
	{ "POST", "/v1/simulate", "{\"gpa\":\"0x1\",\"tell\":1}", 400, "tell: must be true or false" },
	{ "POST", "/v1/simulate", "{\"cpu\":-1,\"address\":\"0x1\"}", 400, "cpu: must be the number" },
	{ "POST", "/v1/simulate", "{\"cpu\":1.5,\"address\":\"0x1\"}", 400, "cpu: must be" },
	{ "POST", "/v1/simulate", "{\"gpa\":\"0x1\",\"gpa\":\"0x2\"}", 400, "no JSON" },
	{ "POST", "/v1/simulate", "{\"pid\":1,\"address\":\"0x1\"}", 400, "pid: no such field" },
	{ "POST", "/v1/simulate", "[[[[[[[[[[[[[[[[[", 400, "nests too deeply" },
};

static void requests(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fbk_request r = { .limit = 12345 };
		char why[200] = "";
		int status = fbk_request_parse(rows[i].method, rows[i].target, rows[i].body, strlen(rows[i].body), &r, why, sizeof(why));

		if (status != rows[i].status || (rows[i].why && !strstr(why, rows[i].why)))
			fail_msg("%s %s %s: %d, %s", rows[i].method, rows[i].target, rows[i].body, status, why);
		if (status) {
			assert_true(*why);
			assert_int_equal(r.limit, 12345);
		}
	}
}

static void request_fields(void **state)
{
	struct fbk_request r;
	char why[200];

	assert_int_equal(fbk_request_parse("GET", "/v1/ledger?after=0x1000&limit=7", "", 0, &r, why, sizeof(why)), 0);
	assert_int_equal(r.what, FBK_ASKED_LEDGER);
	assert_true(r.has_after);
	assert_int_equal(r.after, 0x1000);
	assert_int_equal(r.limit, 7);
	assert_int_equal(fbk_request_parse("GET", "/v1/ledger", "", 0, &r, why, sizeof(why)), 0);
	assert_false(r.has_after);
	assert_int_equal(r.limit, FBK_LEDGER_PAGES_MAX);
	assert_int_equal(fbk_request_parse("POST", "/v1/simulate", "{\"gpa\":\"0x1000\"}", 16, &r, why, sizeof(why)), 0);
	assert_int_equal(r.what, FBK_ASKED_SIMULATE);
	assert_false(r.virtual);
	assert_false(r.tell);
	assert_int_equal(r.address, 0x1000);
	assert_int_equal(fbk_request_parse("POST", "/v1/simulate", "{\"tell\":true,\"cpu\":3,\"address\":\"7\"}", 36, &r, why, sizeof(why)), 400);
	assert_int_equal(fbk_request_parse("POST", "/v1/simulate", "{\"tell\":true,\"cpu\":3,\"address\":\"7\"}", 35, &r, why, sizeof(why)), 0);
	assert_true(r.virtual);
	assert_true(r.tell);
	assert_int_equal(r.cpu, 3);
	assert_int_equal(r.address, 7);
}

/* --- the server --------------------------------------------------------------------------------------------------- */

#define MAX_ASKED 64

struct world {
	struct fbk_loop loop;
	struct fbk_http http;
	struct fbk_listen listen;
	char path[64];
	uint64_t asked[MAX_ASKED]; /* and not answered at once */
	unsigned int nr_asked;
	bool later;
	size_t answer_len;
};

static void on_request(void *opaque, uint64_t number, const struct fbk_http_request *req)
{
	struct world *w = opaque;
	size_t len = w->answer_len ? w->answer_len : strlen(req->method) + strlen(req->target) + req->body_len + 2;
	char *text;

	assert_true(w->nr_asked < MAX_ASKED);
	w->asked[w->nr_asked++] = number;
	if (w->later)
		return;
	text = malloc(len + 1);
	assert_non_null(text);
	if (w->answer_len)
		memset(text, 'x', len);
	else
		sprintf(text, "%s %s %.*s", req->method, req->target, (int)req->body_len, req->body);
	fbk_http_answer(&w->http, number, 200, "text/plain", text, len);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	snprintf(w->path, sizeof(w->path), "/tmp/firebreak-test-control.%d", getpid());
	assert_int_equal(fbk_loop_init(&w->loop), 0);
	assert_int_equal(fbk_listen_open(&w->listen, w->path), 0);
	w->http.request = on_request;
	w->http.opaque = w;
	assert_int_equal(fbk_http_open(&w->http, &w->loop, w->listen.fd), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	fbk_http_close(&w->http);
	fbk_listen_close(&w->listen);
	close(w->loop.wake_fd);
	assert_int_equal(access(w->path, F_OK), -1);
	free(w);
	return 0;
}

static int dial(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	strcpy(at.sun_path, path);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* As long as anything happens. */
static void turns(struct world *w)
{
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(fbk_loop_turn(&w->loop, 0), 0);
}

static int say(struct world *w, const char *text)
{
	int fd = dial(w->path);

	assert_true(fd >= 0);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	turns(w);
	return fd;
}

/* What came, and whether the connection has ended. */
static bool hear(int fd, char *buf, size_t len)
{
	size_t got = 0;
	ssize_t n;

	while ((n = recv(fd, buf + got, len - 1 - got, 0)) > 0)
		got += n;
	buf[got] = '\0';
	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void expect(struct world *w, const char *request, const char *answer)
{
	char buf[8192];
	int fd = say(w, request);

	if (!hear(fd, buf, sizeof(buf)) || !strstr(buf, answer))
		fail_msg("%.60s: %s", request, buf);
	assert_non_null(strstr(buf, "Connection: close\r\n"));
	close(fd);
}

static void answers(void **state)
{
	struct world *w = *state;

	expect(w, "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\nGET /v1/status ");
	expect(w, "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n");
	expect(w, "GET /v1/status HTTP/1.1\r\n\r\n", "Content-Length: 15\r\n");
	expect(w, "POST /a?b=c HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", "POST /a?b=c hello");
	expect(w, "POST /a HTTP/1.0\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n\r\n", "\r\n\r\nPOST /a hello");
	expect(w, "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "POST /a abcde");
	assert_int_equal(w->nr_asked, 6);
}

static void refusals(void **state)
{
	static char head[FBK_HTTP_HEAD_MAX + 4096], target[FBK_HTTP_TARGET_MAX + 64], body[FBK_HTTP_BODY_MAX + 256];
	struct world *w = *state;

	expect(w, "hello\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n");
	expect(w, "\x16\x03\x01", "{\"error\": \"this is no HTTP request");
	expect(w, "GET /x HTTP/1.1\r\nContent-Length: x\r\n\r\n", " 400 ");
	expect(w, "GET /x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", " 400 ");
	expect(w, "POST /x HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\n", "HTTP/1.1 413 ");
	sprintf(head, "GET /x HTTP/1.1\r\nX: %*s", FBK_HTTP_HEAD_MAX, "x");
	expect(w, head, "HTTP/1.1 431 ");
	sprintf(target, "GET /%*c HTTP/1.1\r\n\r\n", FBK_HTTP_TARGET_MAX, 'x');
	for (char *p = target + 5; *p == ' '; p++)
		*p = 'y';
	expect(w, target, "HTTP/1.1 414 ");
	sprintf(body, "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%*s", FBK_HTTP_BODY_MAX + 1, FBK_HTTP_BODY_MAX + 1, "x");
	expect(w, body, "HTTP/1.1 413 ");
	assert_int_equal(w->nr_asked, 0);
}

static void goes_in_the_middle(void **state)
{
	struct world *w = *state;

	for (unsigned int i = 0; i < 3 * FBK_HTTP_CLIENTS; i++)
		close(say(w, "POST /x HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"));
	turns(w);
	for (unsigned int i = 0; i < FBK_HTTP_CLIENTS; i++)
		assert_int_equal(w->http.client[i].state, FBK_HTTP_FREE);
	assert_int_equal(w->nr_asked, 0);
	expect(w, "GET / HTTP/1.1\r\n\r\n", "GET / ");
}

/* The silent ones go when others come, the longest silent first. */
static void room_for_who_asks(void **state)
{
	int fd[3 * FBK_HTTP_CLIENTS];
	struct world *w = *state;
	char buf[64];

	for (unsigned int i = 0; i < 3 * FBK_HTTP_CLIENTS; i++)
		fd[i] = say(w, "G");
	for (unsigned int i = 0; i < 3 * FBK_HTTP_CLIENTS; i++)
		assert_int_equal(hear(fd[i], buf, sizeof(buf)), i < 2 * FBK_HTTP_CLIENTS);
	expect(w, "GET / HTTP/1.1\r\n\r\n", "GET / ");
	assert_int_equal(send(fd[3 * FBK_HTTP_CLIENTS - 1], "ET /last HTTP/1.1\r\n\r\n", 21, MSG_NOSIGNAL), 21);
	turns(w);
	assert_true(hear(fd[3 * FBK_HTTP_CLIENTS - 1], buf, sizeof(buf)));
	for (unsigned int i = 0; i < 3 * FBK_HTTP_CLIENTS; i++)
		close(fd[i]);
}

static void patience_ends(void **state)
{
	struct world *w = *state;
	char buf[64];
	int fd = say(w, "GET /x");

	assert_false(hear(fd, buf, sizeof(buf)));
	assert_true(w->http.patience.at_ns > fbk_loop_now());
	assert_true(w->http.patience.at_ns <= fbk_loop_now() + FBK_HTTP_PATIENCE_NS);
	/* A byte now and then does not make it longer. */
	w->http.patience.at_ns = w->http.client[0].until_ns = fbk_loop_now();
	turns(w);
	assert_true(hear(fd, buf, sizeof(buf)));
	assert_int_equal(w->http.patience.at_ns, FBK_LOOP_NEVER);
	close(fd);
}

static void reads_slowly(void **state)
{
	struct world *w = *state;
	static char buf[4 << 20];
	size_t got = 0;
	ssize_t n;
	int fd;

	w->answer_len = 3 << 20;
	fd = say(w, "GET / HTTP/1.1\r\n\r\n");
	assert_int_equal(w->http.client[0].state, FBK_HTTP_WRITES);
	assert_false(fbk_http_idle(&w->http));
	for (;;) {
		n = recv(fd, buf + got, 5000, 0);
		if (!n)
			break;
		if (n > 0)
			got += n;
		else
			turns(w);
	}
	assert_memory_equal(buf, "HTTP/1.1 200 OK\r\n", 17);
	assert_true(got > w->answer_len && got < w->answer_len + 300);
	assert_true(fbk_http_idle(&w->http));
	/* One that does not read at all: it goes, and its answer with it. */
	close(fd);
	fd = say(w, "GET / HTTP/1.1\r\n\r\n");
	w->http.patience.at_ns = w->http.client[0].until_ns = fbk_loop_now();
	turns(w);
	assert_int_equal(w->http.client[0].state, FBK_HTTP_FREE);
	close(fd);
}

static void answered_later(void **state)
{
	struct world *w = *state;
	int fd, other[FBK_HTTP_CLIENTS];
	char buf[512];

	w->later = true;
	fd = say(w, "GET / HTTP/1.1\r\n\r\n");
	assert_false(hear(fd, buf, sizeof(buf)));
	assert_int_equal(w->http.patience.at_ns, FBK_LOOP_NEVER);
	/* Others cannot take its place. */
	for (unsigned int i = 0; i < FBK_HTTP_CLIENTS; i++)
		other[i] = say(w, "G");
	fbk_http_refuse(&w->http, w->asked[0], 409, "not %s", "now");
	assert_true(hear(fd, buf, sizeof(buf)));
	assert_non_null(strstr(buf, "HTTP/1.1 409 Conflict\r\n"));
	assert_non_null(strstr(buf, "{\"error\": \"not now\"}"));
	/* An answer for one that has gone is nobody's. */
	fbk_http_refuse(&w->http, w->asked[0], 409, "again");
	close(fd);
	for (unsigned int i = 0; i < FBK_HTTP_CLIENTS; i++)
		close(other[i]);
}

static void all_wait(void **state)
{
	struct world *w = *state;
	int fd[FBK_HTTP_CLIENTS], late;
	char buf[512];

	w->later = true;
	for (unsigned int i = 0; i < FBK_HTTP_CLIENTS; i++)
		fd[i] = say(w, "GET / HTTP/1.1\r\n\r\n");
	late = say(w, "GET / HTTP/1.1\r\n\r\n");
	assert_int_equal(w->nr_asked, FBK_HTTP_CLIENTS);
	assert_int_equal(w->http.listen.events, 0);
	fbk_http_refuse(&w->http, w->asked[0], 503, "busy");
	w->http.again.at_ns = fbk_loop_now();
	turns(w);
	assert_int_equal(w->nr_asked, FBK_HTTP_CLIENTS + 1);
	fbk_http_refuse(&w->http, w->asked[FBK_HTTP_CLIENTS], 503, "busy");
	assert_true(hear(late, buf, sizeof(buf)));
	close(late);
	for (unsigned int i = 0; i < FBK_HTTP_CLIENTS; i++)
		close(fd[i]);
}

static void says_no_utf8(void **state)
{
	struct world *w = *state;
	char buf[512];
	int fd;

	w->later = true;
	fd = say(w, "GET / HTTP/1.1\r\n\r\n");
	fbk_http_refuse(&w->http, w->asked[0], 404, "%s", "\xff\xfe");
	assert_true(hear(fd, buf, sizeof(buf)));
	assert_non_null(strstr(buf, "{\"error\": \"refused\"}"));
	close(fd);
}

/* --- the socket's file -------------------------------------------------------------------------------------------- */

static void socket_file(void **state)
{
	char path[64], longer[200];
	struct fbk_listen a, b;
	struct stat st;
	mode_t mask;
	int fd;

	snprintf(path, sizeof(path), "/tmp/firebreak-test-listen.%d", getpid());
	mask = umask(0);
	assert_int_equal(fbk_listen_open(&a, path), 0);
	assert_int_equal(umask(mask), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	/* Somebody is there. */
	assert_int_equal(fbk_listen_open(&b, path), -EADDRINUSE);
	assert_int_equal(b.fd, -1);
	fd = dial(path);
	assert_true(fd >= 0);
	close(fd);
	/* Killed: its file is left. */
	close(a.fd);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(fbk_listen_open(&b, path), 0);
	/* What is not ours any more is not ours to remove. */
	a.fd = dup(b.fd);
	a.ino = b.ino + 1;
	fbk_listen_close(&a);
	assert_int_equal(access(path, F_OK), 0);
	fbk_listen_close(&b);
	assert_int_equal(access(path, F_OK), -1);
	fbk_listen_close(&b);
	/* A file of somebody's. */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fbk_listen_open(&b, path), -EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(fbk_listen_open(&b, longer), -ENAMETOOLONG);
	assert_int_equal(fbk_listen_open(&b, "/nonexistent/socket"), -ENOENT);
}

/* --- the mailbox -------------------------------------------------------------------------------------------------- */

static void calls(void **state)
{
	const struct fbk_request pause = { .what = FBK_ASKED_PAUSE }, reset = { .what = FBK_ASKED_RESET };
	struct fbk_calls c = { 0 };
	struct fbk_request r;
	struct fbk_call call;
	int place;

	fbk_calls_init(&c);
	assert_int_equal(fbk_calls_take(&c, &r), -ENOENT);
	assert_false(fbk_calls_collect(&c, 0, &call));
	assert_int_equal(fbk_calls_until(&c), UINT64_MAX);
	/* In the order in which they came. */
	assert_int_equal(fbk_calls_put(&c, 7, 100, &reset), 0);
	assert_int_equal(fbk_calls_put(&c, 5, 90, &pause), 0);
	assert_int_equal(fbk_calls_until(&c), 90);
	place = fbk_calls_take(&c, &r);
	assert_int_equal(r.what, FBK_ASKED_PAUSE);
	assert_false(fbk_calls_collect(&c, 89, &call));
	fbk_calls_done(&c, place, 200, "{}");
	assert_true(fbk_calls_collect(&c, 89, &call));
	assert_int_equal(call.client, 5);
	assert_int_equal(call.status, 200);
	assert_string_equal(call.text, "{}");
	/* Never begun: not done. */
	assert_true(fbk_calls_collect(&c, 100, &call));
	assert_int_equal(call.client, 7);
	assert_int_equal(call.status, 503);
	assert_int_equal(fbk_calls_take(&c, &r), -ENOENT);
	/* Begun: its place stays taken, and nobody is told. */
	assert_int_equal(fbk_calls_put(&c, 8, 100, &reset), 0);
	place = fbk_calls_take(&c, &r);
	assert_true(fbk_calls_collect(&c, 100, &call));
	assert_int_equal(call.status, 504);
	for (unsigned int i = 1; i < FBK_HTTP_CLIENTS; i++)
		assert_int_equal(fbk_calls_put(&c, 8 + i, 200, &pause), 0);
	assert_int_equal(fbk_calls_put(&c, 99, 200, &pause), -EBUSY);
	assert_int_equal(fbk_calls_until(&c), 200);
	fbk_calls_done(&c, place, 200, "late");
	assert_false(fbk_calls_collect(&c, 100, &call));
	assert_int_equal(fbk_calls_put(&c, 99, 200, &pause), 0);
}

static void ring_keeps_the_latest(void **state)
{
	struct fbk_ring *r = malloc(sizeof(*r));
	char *buf = malloc(FBK_RING_ROOM), line[1000];
	uint64_t dropped;
	size_t len;

	assert_non_null(r);
	assert_non_null(buf);
	fbk_ring_init(r);
	assert_int_equal(fbk_ring_copy(r, buf, &dropped), 0);
	for (unsigned int i = 0; i < 1000; i++) {
		int n = snprintf(line, sizeof(line), "%u%*s\n", i, 500 + (int)(i % 300), "x");

		fbk_ring_put(r, line, n);
	}
	len = fbk_ring_copy(r, buf, &dropped);
	assert_true(len <= FBK_RING_ROOM && len > FBK_RING_ROOM - 1000);
	assert_int_equal(buf[len - 1], '\n');
	/* Whole lines, none missing between. */
	for (size_t at = 0, i = dropped; at < len; i++) {
		assert_int_equal(strtoul(buf + at, NULL, 10), i);
		at += strcspn(buf + at, "\n") + 1;
		if (at == len)
			assert_int_equal(i, 999);
	}
	free(buf);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(request_fields),
		cmocka_unit_test_setup_teardown(answers, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_in_the_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(room_for_who_asks, setup, teardown),
		cmocka_unit_test_setup_teardown(patience_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_slowly, setup, teardown),
		cmocka_unit_test_setup_teardown(answered_later, setup, teardown),
		cmocka_unit_test_setup_teardown(all_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(says_no_utf8, setup, teardown),
		cmocka_unit_test(socket_file),
		cmocka_unit_test(calls),
		cmocka_unit_test(ring_keeps_the_latest),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
