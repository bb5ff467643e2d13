/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_request.c - a request to the control API, as HTTP bytes through the parser that the server uses, and what it asks for:
 * what is refused has a reason, what is accepted is in bounds.
 */
#include "fuzz.h"

#include "request.h"

#include <http_parser.h>

static struct {
	char target[256], body[4096];
	size_t target_len, body_len;
	int whole;
} in;

static int append(char *to, size_t *len, size_t room, const char *at, size_t n)
{
	if (n >= room - *len)
		return -1;
	memcpy(to + *len, at, n);
	*len += n;
	return 0;
}

static int on_url(http_parser *p, const char *at, size_t len)
{
	return append(in.target, &in.target_len, sizeof(in.target), at, len);
}

static int on_body(http_parser *p, const char *at, size_t len)
{
	return append(in.body, &in.body_len, sizeof(in.body), at, len);
}

static int on_whole(http_parser *p)
{
	in.whole = 1;
	http_parser_pause(p, 1);
	return 0;
}

static void ask(const char *method, const char *target, const char *body, size_t len)
{
	struct fbk_request r = { .limit = 12345 };
	char why[200] = "";
	int status = fbk_request_parse(method, target, body, len, &r, why, sizeof(why));

	CHECK(status == 0 || status == 400 || status == 404 || status == 405);
	CHECK(strlen(why) < sizeof(why));
	if (status) {
		CHECK(*why && r.limit == 12345);
		return;
	}
	CHECK(r.what <= FBK_ASKED_SIMULATE);
	CHECK(r.limit && r.limit <= FBK_LEDGER_PAGES_MAX);
	CHECK(strcmp(method, r.what < FBK_ASKED_PAUSE ? "GET" : "POST") == 0);
}

/* The first byte: a body for simulate, as it is; or all of a request. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const http_parser_settings settings = { .on_url = on_url, .on_body = on_body, .on_message_complete = on_whole };
	struct fuzz f = { data, len };
	http_parser parser;

	if (fuzz_take(&f, 1) & 1) {
		ask("POST", "/v1/simulate", (const char *)f.data, f.len < 4096 ? f.len : 4096);
		return 0;
	}
	memset(&in, 0, sizeof(in));
	http_parser_init(&parser, HTTP_REQUEST);
	http_parser_execute(&parser, &settings, (const char *)f.data, f.len);
	if (in.whole)
		ask(http_method_str(parser.method), in.target, in.body, in.body_len);
	return 0;
}
