/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * http.h - a small HTTP/1.1 server on a loop of its own: one request a connection, and nothing that a client can make large.
 *
 * http_parser takes requests apart; what is here are the limits. A client has FBK_HTTP_PATIENCE_NS for its whole request, and
 * again to take the answer. Of more clients than there is room for, the one that has taken longest over its request goes.
 */
#ifndef FBK_VMM_HTTP_H
#define FBK_VMM_HTTP_H

#include "loop.h"

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>

#define FBK_HTTP_CLIENTS 8
#define FBK_HTTP_HEAD_MAX 8192 /* request line and headers */
#define FBK_HTTP_TARGET_MAX 256
#define FBK_HTTP_BODY_MAX 4096
#define FBK_HTTP_PATIENCE_NS (5 * UINT64_C(1000000000))

struct fbk_http;

struct fbk_http_request {
	const char *method, *target; /* "GET", "/v1/status?x=y"; borrowed */
	const char *body;
	size_t body_len;
};

/* One client, as long as its connection. The number tells it from the next one in the same place; 0 is nobody's. */
struct fbk_http_client {
	struct fbk_http *h;
	struct fbk_loop_watch watch;
	enum { FBK_HTTP_FREE, FBK_HTTP_READS, FBK_HTTP_WAITS, FBK_HTTP_WRITES } state;
	uint64_t number, until_ns;
	http_parser parser;
	bool whole;		/* the request has come to its end */
	unsigned short refused; /* status, before it came to that; 0: not refused */
	char target[FBK_HTTP_TARGET_MAX];
	size_t target_len;
	char body[FBK_HTTP_BODY_MAX];
	size_t body_len;
	char head[256];
	size_t head_len;
	char *text; /* of the answer */
	size_t text_len, sent;
};

struct fbk_http {
	struct fbk_loop *loop;
	struct fbk_loop_watch listen;
	struct fbk_loop_timer patience, again;
	struct fbk_http_client client[FBK_HTTP_CLIENTS];
	uint64_t number;
	bool leaving;
	/* A whole request. It is answered by fbk_http_answer(), from within or later. */
	void (*request)(void *opaque, uint64_t number, const struct fbk_http_request *req);
	void *opaque;
};

/* @listen_fd: a listening socket that does not block; kept. The rest is the caller's to set before. Errors: -ENOSPC the loop's. */
int fbk_http_open(struct fbk_http *h, struct fbk_loop *loop, int listen_fd);

/* @text: from malloc(), taken, NULL with @len 0. A client that has gone is no error. */
void fbk_http_answer(struct fbk_http *h, uint64_t number, unsigned int status, const char *type, char *text, size_t len);

/* {"error": "..."} */
void fbk_http_refuse(struct fbk_http *h, uint64_t number, unsigned int status, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Take no more clients. Those that wait for something still get it. */
void fbk_http_leave(struct fbk_http *h);
bool fbk_http_idle(const struct fbk_http *h); /* nobody is waiting for an answer or taking one */
void fbk_http_close(struct fbk_http *h);

#endif
