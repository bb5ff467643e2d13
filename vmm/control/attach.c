/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* attach.c - see attach.h */
#include "attach.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void drop(struct fbk_attach *a)
{
	if (a->client.fd < 0)
		return;
	fbk_loop_unwatch(a->loop, &a->client);
	close(a->client.fd);
	a->client.fd = -1;
	fbk_console_attach(a->console, false);
}

static void type(struct fbk_attach *a)
{
	char buf[FBK_TAP_IN];
	size_t room = fbk_console_tap_room(a->console);
	ssize_t n;

	if (!room)
		return;
	n = recv(a->client.fd, buf, room, MSG_DONTWAIT);
	if (n > 0)
		fbk_console_tap_type(a->console, buf, n);
	else if (!n)
		a->types = false; /* it may read on */
	else if (errno != EAGAIN && errno != EINTR)
		drop(a);
}

static void on_client(void *opaque, short revents)
{
	struct fbk_attach *a = opaque;

	/* What was typed before it went is typed. */
	if (revents & POLLIN && a->types)
		type(a);
	else if (revents & (POLLHUP | POLLERR))
		drop(a);
}

static void on_listen(void *opaque, short revents)
{
	struct fbk_attach *a = opaque;
	int fd = accept4(a->listen.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return; /* out of descriptors: whoever waits there waits on */
	drop(a);
	a->client = (struct fbk_loop_watch){ fd, POLLIN, on_client, a };
	a->types = true;
	a->len = a->sent = 0;
	fbk_console_attach(a->console, true);
	if (fbk_loop_watch(a->loop, &a->client))
		drop(a);
}

int fbk_attach_open(struct fbk_attach *a, struct fbk_loop *loop, int listen_fd, struct fbk_console *console)
{
	*a = (struct fbk_attach){ .loop = loop, .console = console, .client.fd = -1,
				  .listen = { listen_fd, POLLIN, on_listen, a } };
	return fbk_loop_watch(loop, &a->listen);
}

/* Until there is no more, or the client takes no more: what it leaves piles up in the tap, and no further. */
static void transmit(struct fbk_attach *a)
{
	for (;;) {
		ssize_t n;

		if (a->sent == a->len) {
			a->sent = 0;
			a->len = fbk_console_tap_read(a->console, a->buf, sizeof(a->buf));
			if (!a->len)
				return;
		}
		n = send(a->client.fd, a->buf + a->sent, a->len - a->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			a->sent += n;
		} else {
			if (n < 0 && errno != EAGAIN && errno != EINTR)
				drop(a);
			return;
		}
	}
}

void fbk_attach_tend(struct fbk_attach *a)
{
	if (a->client.fd >= 0)
		transmit(a);
	if (a->client.fd < 0)
		return;
	a->client.events = a->sent < a->len ? POLLOUT : 0;
	if (!a->types)
		a->client.events |= POLLPRI; /* which never comes: what is waited for is that it goes */
	else if (fbk_console_tap_room(a->console))
		a->client.events |= POLLIN;
}

void fbk_attach_close(struct fbk_attach *a)
{
	if (a->client.fd >= 0)
		transmit(a);
	drop(a);
}
