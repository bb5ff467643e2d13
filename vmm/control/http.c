/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* http.c - see http.h. [HTTP "Message"] */
#include "http.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define AGAIN_NS 100000000ull /* when to accept again, where descriptors or memory were short */

/* --- clients ------------------------------------------------------------------------------------------------------ */

static void set_patience(struct fbk_http *h)
{
	uint64_t first = FBK_LOOP_NEVER;

	for (unsigned int i = 0; i < FBK_HTTP_CLIENTS; i++) {
		const struct fbk_http_client *c = &h->client[i];

		/* Who waits for us is not to blame for the wait. */
		if ((c->state == FBK_HTTP_READS || c->state == FBK_HTTP_WRITES) && c->until_ns < first)
			first = c->until_ns;
	}
	h->patience.at_ns = first;
}

static void drop(struct fbk_http_client *c)
{
	fbk_loop_unwatch(c->h->loop, &c->watch);
	close(c->watch.fd);
	free(c->text);
	c->text = NULL;
	c->watch.fd = -1;
	c->number = 0;
	c->state = FBK_HTTP_FREE;
}

static void on_patience(void *opaque)
{
	struct fbk_http *h = opaque;
	uint64_t now = fbk_loop_now();

	for (unsigned int i = 0; i < FBK_HTTP_CLIENTS; i++) {
		struct fbk_http_client *c = &h->client[i];

		if ((c->state == FBK_HTTP_READS || c->state == FBK_HTTP_WRITES) && c->until_ns <= now)
			drop(c);
	}
	set_patience(h);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static void transmit(struct fbk_http_client *c)
{
	while (c->sent < c->head_len + c->text_len) {
		struct iovec part[2] = { { c->head, c->head_len }, { c->text, c->text_len } };
		struct msghdr msg = { .msg_iov = part, .msg_iovlen = 2 };
		size_t skip = c->sent;
		ssize_t n;

		if (skip >= c->head_len) {
			part[0].iov_len = 0;
			skip -= c->head_len;
			part[1].iov_base = c->text + skip;
			part[1].iov_len -= skip;
		} else {
			part[0].iov_base = c->head + skip;
			part[0].iov_len -= skip;
		}
		n = sendmsg(c->watch.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			break; /* it has gone */
		c->sent += n;
	}
	drop(c);
}

static const char *reason(unsigned int status)
{
	switch (status) {
#define WORD(num, name, text) case num: return #text;
		HTTP_STATUS_MAP(WORD)
#undef WORD
	}
	return "Unknown";
}

static struct fbk_http_client *find(struct fbk_http *h, uint64_t number)
{
	for (unsigned int i = 0; number && i < FBK_HTTP_CLIENTS; i++)
		if (h->client[i].number == number && h->client[i].state == FBK_HTTP_WAITS)
			return &h->client[i];
	return NULL;
}

void fbk_http_answer(struct fbk_http *h, uint64_t number, unsigned int status, const char *type, char *text, size_t len)
{
	struct fbk_http_client *c = find(h, number);

	if (!c) {
		free(text);
		return;
	}
	c->head_len = snprintf(c->head, sizeof(c->head),
			       "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n"
			       "Cache-Control: no-store\r\n%s\r\n",
			       status, reason(status), type, len, status == HTTP_STATUS_METHOD_NOT_ALLOWED ? "Allow: GET, POST\r\n" : "");
	c->text = text;
	c->text_len = len;
	c->sent = 0;
	c->state = FBK_HTTP_WRITES;
	c->until_ns = fbk_loop_now() + FBK_HTTP_PATIENCE_NS;
	c->watch.events = POLLOUT;
	transmit(c);
	set_patience(h);
}

void fbk_http_refuse(struct fbk_http *h, uint64_t number, unsigned int status, const char *format, ...)
{
	json_t *json;
	char why[256], *text;
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, sizeof(why), format, ap);
	va_end(ap);
	json = json_pack("{s:s}", "error", why);
	if (!json)
		json = json_pack("{s:s}", "error", "refused"); /* it quoted what is no UTF-8 */
	text = json ? json_dumps(json, 0) : NULL;
	json_decref(json);
	fbk_http_answer(h, number, status, "application/json", text, text ? strlen(text) : 0);
}

/* --- requests ----------------------------------------------------------------------------------------------------- */

static int on_target(http_parser *p, const char *at, size_t len)
{
	struct fbk_http_client *c = p->data;

	if (len >= sizeof(c->target) - c->target_len) {
		c->refused = HTTP_STATUS_URI_TOO_LONG;
		return -1;
	}
	memcpy(c->target + c->target_len, at, len);
	c->target_len += len;
	return 0;
}

static int on_headers(http_parser *p)
{
	struct fbk_http_client *c = p->data;

	/* Said in advance, so that it need not be sent; ULLONG_MAX: not said. */
	if (p->content_length != ULLONG_MAX && p->content_length > sizeof(c->body))
		c->refused = HTTP_STATUS_PAYLOAD_TOO_LARGE;
	return c->refused ? -1 : 0;
}

static int on_body(http_parser *p, const char *at, size_t len)
{
	struct fbk_http_client *c = p->data;

	if (len > sizeof(c->body) - c->body_len) {
		c->refused = HTTP_STATUS_PAYLOAD_TOO_LARGE;
		return -1;
	}
	memcpy(c->body + c->body_len, at, len);
	c->body_len += len;
	return 0;
}

static int on_whole(http_parser *p)
{
	struct fbk_http_client *c = p->data;

	c->whole = true;
	http_parser_pause(p, 1); /* one request a connection */
	return 0;
}

static const http_parser_settings settings = {
	.on_url = on_target,
	.on_headers_complete = on_headers,
	.on_body = on_body,
	.on_message_complete = on_whole,
};

static void hand_over(struct fbk_http_client *c)
{
	struct fbk_http_request req = {
		.method = http_method_str(c->parser.method),
		.target = c->target,
		.body = c->body,
		.body_len = c->body_len,
	};
	struct fbk_http *h = c->h;

	c->watch.events = 0;
	c->state = FBK_HTTP_WAITS;
	c->target[c->target_len] = '\0';
	set_patience(h);
	if (c->whole)
		h->request(h->opaque, c->number, &req);
	else if (c->refused == HTTP_STATUS_URI_TOO_LONG)
		fbk_http_refuse(h, c->number, c->refused, "the path is longer than %d bytes", FBK_HTTP_TARGET_MAX - 1);
	else if (c->refused == HTTP_STATUS_PAYLOAD_TOO_LARGE)
		fbk_http_refuse(h, c->number, c->refused, "the body is longer than %d bytes", FBK_HTTP_BODY_MAX);
	else if (c->refused)
		fbk_http_refuse(h, c->number, c->refused, "request line and headers are longer than %d bytes", FBK_HTTP_HEAD_MAX);
	else
		fbk_http_refuse(h, c->number, HTTP_STATUS_BAD_REQUEST, "this is no HTTP request: %s",
				http_errno_description(HTTP_PARSER_ERRNO(&c->parser)));
}

static void receive(struct fbk_http_client *c)
{
	char buf[2048];
	ssize_t n = recv(c->watch.fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* nobody is there to be answered; half a request is no request */
		drop(c);
		set_patience(c->h);
		return;
	}
	http_parser_execute(&c->parser, &settings, buf, n);
	if (!c->refused && HTTP_PARSER_ERRNO(&c->parser) == HPE_HEADER_OVERFLOW)
		c->refused = HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE;
	if (c->whole || c->refused || HTTP_PARSER_ERRNO(&c->parser) != HPE_OK)
		hand_over(c);
}

static void on_client(void *opaque, short revents)
{
	struct fbk_http_client *c = opaque;

	if (c->state == FBK_HTTP_READS) {
		receive(c);
	} else if (c->state == FBK_HTTP_WRITES) {
		transmit(c);
		set_patience(c->h);
	}
}

/* A free place, or that of the client that has been at its request, or at taking the answer, for longest; NULL: all wait for us. */
static struct fbk_http_client *place(struct fbk_http *h)
{
	struct fbk_http_client *slowest = NULL;

	for (unsigned int i = 0; i < FBK_HTTP_CLIENTS; i++) {
		struct fbk_http_client *c = &h->client[i];

		if (c->state == FBK_HTTP_FREE)
			return c;
		if (c->state != FBK_HTTP_WAITS && (!slowest || c->until_ns < slowest->until_ns))
			slowest = c;
	}
	if (slowest)
		drop(slowest);
	return slowest;
}

static void pause_listening(struct fbk_http *h)
{
	h->listen.events = 0;
	h->again.at_ns = fbk_loop_now() + AGAIN_NS;
}

static void on_again(void *opaque)
{
	struct fbk_http *h = opaque;

	h->listen.events = h->leaving ? 0 : POLLIN;
}

static void on_listen(void *opaque, short revents)
{
	struct fbk_http *h = opaque;
	struct fbk_http_client *c = place(h);
	int fd;

	if (!c) {
		pause_listening(h);
		return;
	}
	fd = accept4(h->listen.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			pause_listening(h);
		return;
	}
	/* The buffers are not cleared: their lengths are. */
	c->h = h;
	c->watch = (struct fbk_loop_watch){ fd, POLLIN, on_client, c };
	c->state = FBK_HTTP_READS;
	c->number = ++h->number;
	c->until_ns = fbk_loop_now() + FBK_HTTP_PATIENCE_NS;
	c->whole = false;
	c->refused = 0;
	c->target_len = c->body_len = c->head_len = c->text_len = c->sent = 0;
	c->text = NULL;
	http_parser_init(&c->parser, HTTP_REQUEST);
	c->parser.data = c;
	if (fbk_loop_watch(h->loop, &c->watch))
		drop(c);
	set_patience(h);
}

int fbk_http_open(struct fbk_http *h, struct fbk_loop *loop, int listen_fd)
{
	int r;

	http_parser_set_max_header_size(FBK_HTTP_HEAD_MAX);
	h->loop = loop;
	h->listen = (struct fbk_loop_watch){ listen_fd, POLLIN, on_listen, h };
	h->patience = (struct fbk_loop_timer){ FBK_LOOP_NEVER, on_patience, h };
	h->again = (struct fbk_loop_timer){ FBK_LOOP_NEVER, on_again, h };
	r = fbk_loop_watch(loop, &h->listen);
	if (!r)
		r = fbk_loop_timer(loop, &h->patience);
	if (!r)
		r = fbk_loop_timer(loop, &h->again);
	return r;
}

void fbk_http_leave(struct fbk_http *h)
{
	h->leaving = true;
	h->listen.events = 0;
}

bool fbk_http_idle(const struct fbk_http *h)
{
	for (unsigned int i = 0; i < FBK_HTTP_CLIENTS; i++)
		if (h->client[i].state == FBK_HTTP_WAITS || h->client[i].state == FBK_HTTP_WRITES)
			return false;
	return true;
}

void fbk_http_close(struct fbk_http *h)
{
	for (unsigned int i = 0; i < FBK_HTTP_CLIENTS; i++)
		if (h->client[i].state != FBK_HTTP_FREE)
			drop(&h->client[i]);
}
