/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* console.c - see console.h */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define FLUSH_DELAY_NS 4000000 /* below what a person notices, above the gap between two bytes of a line */
#define LAST_WORDS_MS 2000	/* how long a reader that does not read may hold up the end */

static bool writable(int timeout_ms)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&p, 1, timeout_ms) > 0;
}

static void arm_flush(struct fbk_console *c)
{
	static const struct itimerspec soon = { .it_value.tv_nsec = FLUSH_DELAY_NS };

	timerfd_settime(c->flush_fd, 0, &soon, NULL);
	c->flush_armed = true;
}

/*
 * Called on a vCPU thread with the lock held. A reader that has stopped reading holds the guest up, but not the
 * monitor's end: the main thread never waits for the lock, and a kick breaks the write off.
 */
static void flush(struct fbk_console *c)
{
	uint32_t done = 0;

	while (done < c->out_len) {
		ssize_t n = write(STDOUT_FILENO, c->out + done, c->out_len - done);

		if (n > 0)
			done += n;
		else if (n < 0 && errno == EAGAIN && writable(-1))
			continue;
		else if (n < 0 && (errno == EINTR || errno == EAGAIN))
			break;
		else
			done = c->out_len; /* nobody reads it any more */
	}
	c->out_len -= done;
	memmove(c->out, c->out + done, c->out_len);
}

/* As much as standard output takes at once, with the lock held. Return: did anything go? */
static bool flush_some(struct fbk_console *c)
{
	ssize_t n;

	if (!writable(0))
		return false;
	n = write(STDOUT_FILENO, c->out, c->out_len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0)
		n = c->out_len; /* nobody reads it any more */
	c->out_len -= n;
	memmove(c->out, c->out + n, c->out_len);
	return true;
}

/* The oldest gives way. */
static void tap_put(struct fbk_console_tap *t, uint8_t byte)
{
	pthread_mutex_lock(&t->lock);
	t->out[(t->out_head + t->out_len) % FBK_TAP_OUT] = byte;
	if (t->out_len < FBK_TAP_OUT)
		t->out_len++;
	else
		t->out_head = (t->out_head + 1) % FBK_TAP_OUT;
	pthread_mutex_unlock(&t->lock);
}

static void tap_tell(struct fbk_console_tap *t)
{
	if (atomic_load(&t->attached))
		t->told(t->opaque);
}

static void keep(struct fbk_console *c, uint8_t byte)
{
	if (atomic_load(&c->tap.attached))
		tap_put(&c->tap, byte);
	c->out[c->out_len++] = byte;
	if (fbk_panic_scan(&c->scan, byte))
		c->panicked(c->opaque);
}

/* The PL011's; it has nowhere to keep a byte for later. */
static void transmit(void *opaque, uint8_t byte)
{
	struct fbk_console *c = opaque;

	if (c->out_len == sizeof(c->out))
		c->out_len--; /* full only when a write was broken off: one byte gives way */
	keep(c, byte);
	if (byte == '\n' || c->out_len == sizeof(c->out)) {
		tap_tell(&c->tap);
		flush(c);
	} else if (!c->flush_armed) {
		arm_flush(c);
	}
}

/* The virtio console's, which keeps what is not taken. */
static size_t put(void *opaque, const uint8_t *buf, size_t len)
{
	struct fbk_console *c = opaque;
	size_t done = 0;

	if (pthread_mutex_trylock(&c->lock))
		return 0; /* whoever holds it may be waiting for the reader */
	for (; done < len && (c->out_len < sizeof(c->out) || flush_some(c)); done++)
		keep(c, buf[done]);
	if (memchr(buf, '\n', done)) {
		tap_tell(&c->tap);
		while (c->out_len && flush_some(c))
			;
	}
	if (c->out_len && !c->flush_armed)
		arm_flush(c);
	pthread_mutex_unlock(&c->lock);
	return done;
}

static void wait_for_output(void *opaque)
{
	struct fbk_console *c = opaque;

	atomic_store(&c->output_waits, true);
	c->wake(c->opaque);
}

static void irq(void *opaque, bool level)
{
	struct fbk_console *c = opaque;

	c->irq(c->opaque, level);
}

static void drained(void *opaque)
{
	struct fbk_console *c = opaque;

	c->wake(c->opaque);
}

int fbk_console_init(struct fbk_console *c)
{
	static const struct fbk_pl011_ops ops = { .transmit = transmit, .irq = irq, .drained = drained };

	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->tap.lock, NULL);
	fbk_pl011_init(&c->uart, &ops, c);
	c->flush_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return c->flush_fd < 0 ? -errno : 0;
}

void fbk_console_use(struct fbk_console *c, struct fbk_virtio_console *dev)
{
	dev->transmit = put;
	dev->wait = wait_for_output;
	dev->drained = drained;
	dev->opaque = c;
	c->virtio = dev;
}

void fbk_console_open(struct fbk_console *c)
{
	c->in_terminal = fbk_terminal_open();
	/* A terminal that belongs to the foreground job is not ours to read. */
	c->in_open = c->in_terminal || !isatty(STDIN_FILENO);
}

uint32_t fbk_console_read(struct fbk_console *c, uint64_t offset)
{
	uint32_t val;

	pthread_mutex_lock(&c->lock);
	val = fbk_pl011_read(&c->uart, offset);
	pthread_mutex_unlock(&c->lock);
	return val;
}

void fbk_console_write(struct fbk_console *c, uint64_t offset, uint32_t val)
{
	pthread_mutex_lock(&c->lock);
	fbk_pl011_write(&c->uart, offset, val);
	pthread_mutex_unlock(&c->lock);
}

/*
 * Whoever takes what is typed. The PL011 shares the lock with what it says, for which it may be held long: it is not waited for,
 * and -EAGAIN then.
 */
static int input_begin(struct fbk_console *c)
{
	return c->virtio || !pthread_mutex_trylock(&c->lock) ? 0 : -EAGAIN;
}

static void input_end(struct fbk_console *c)
{
	if (!c->virtio)
		pthread_mutex_unlock(&c->lock);
}

static size_t input_room(struct fbk_console *c)
{
	return c->virtio ? fbk_virtio_console_room(c->virtio) : fbk_pl011_room(&c->uart);
}

static void input(struct fbk_console *c, const void *buf, size_t len)
{
	if (c->virtio)
		fbk_virtio_console_type(c->virtio, buf, len);
	else
		fbk_pl011_receive(&c->uart, buf, len);
}

int fbk_console_wants_input(struct fbk_console *c)
{
	int wants;

	if (!c->in_open)
		return 0;
	if (input_begin(c))
		return -EAGAIN;
	wants = input_room(c) > 0;
	input_end(c);
	return wants;
}

enum fbk_terminal_key fbk_console_input(struct fbk_console *c)
{
	enum fbk_terminal_key key = FBK_KEY_NONE;
	unsigned char buf[FBK_CONSOLE_TYPED_MAX];
	size_t room, len;
	ssize_t n;

	if (input_begin(c))
		return FBK_KEY_NONE;
	room = input_room(c);
	input_end(c);
	if (!room)
		return FBK_KEY_NONE;
	/* Only this thread fills it, so the room can but grow. */
	n = read(STDIN_FILENO, buf, room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return FBK_KEY_NONE;
	if (n <= 0) {
		c->in_open = false;
		return FBK_KEY_NONE;
	}
	len = n;
	if (c->in_terminal)
		key = fbk_escape_filter(&c->escape, buf, &len);
	if (!c->virtio)
		pthread_mutex_lock(&c->lock);
	input(c, buf, len);
	input_end(c);
	return key;
}

void fbk_console_flush(struct fbk_console *c)
{
	uint64_t expirations;

	if (pthread_mutex_trylock(&c->lock))
		return; /* whoever holds it is writing; the timer stays readable */
	if (read(c->flush_fd, &expirations, sizeof(expirations)) == sizeof(expirations))
		c->flush_armed = false;
	tap_tell(&c->tap);
	if (c->out_len && writable(0))
		flush(c);
	else if (c->out_len && !c->flush_armed)
		arm_flush(c);
	pthread_mutex_unlock(&c->lock);
}

int fbk_console_feed(struct fbk_console *c)
{
	struct fbk_console_tap *t = &c->tap;
	unsigned char buf[FBK_CONSOLE_TYPED_MAX];
	uint32_t room, len = 0;

	if (!atomic_load(&t->attached))
		return 0;
	if (input_begin(c))
		return -EAGAIN;
	room = input_room(c);
	pthread_mutex_lock(&t->lock);
	for (; len < room && t->in_len; len++, t->in_len--) {
		buf[len] = t->in[t->in_head];
		t->in_head = (t->in_head + 1) % FBK_TAP_IN;
	}
	pthread_mutex_unlock(&t->lock);
	if (len)
		input(c, buf, len);
	input_end(c);
	if (len)
		tap_tell(t);
	return 0;
}

bool fbk_console_output_waits(struct fbk_console *c)
{
	return atomic_load(&c->output_waits);
}

void fbk_console_resume(struct fbk_console *c)
{
	if (atomic_exchange(&c->output_waits, false))
		fbk_virtio_console_resume(c->virtio);
}

void fbk_console_deliver(struct fbk_console *c)
{
	if (c->virtio)
		fbk_virtio_console_deliver(c->virtio);
}

void fbk_console_attach(struct fbk_console *c, bool attached)
{
	struct fbk_console_tap *t = &c->tap;

	pthread_mutex_lock(&t->lock);
	t->out_len = t->in_len = 0;
	atomic_store(&t->attached, attached);
	pthread_mutex_unlock(&t->lock);
}

size_t fbk_console_tap_read(struct fbk_console *c, void *buf, size_t len)
{
	struct fbk_console_tap *t = &c->tap;
	uint8_t *to = buf;
	size_t n = 0;

	pthread_mutex_lock(&t->lock);
	for (; n < len && t->out_len; n++, t->out_len--) {
		to[n] = t->out[t->out_head];
		t->out_head = (t->out_head + 1) % FBK_TAP_OUT;
	}
	pthread_mutex_unlock(&t->lock);
	return n;
}

size_t fbk_console_tap_room(struct fbk_console *c)
{
	struct fbk_console_tap *t = &c->tap;
	size_t room;

	pthread_mutex_lock(&t->lock);
	room = FBK_TAP_IN - t->in_len;
	pthread_mutex_unlock(&t->lock);
	return room;
}

void fbk_console_tap_type(struct fbk_console *c, const void *buf, size_t len)
{
	struct fbk_console_tap *t = &c->tap;
	const uint8_t *from = buf;

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < len && t->in_len < FBK_TAP_IN; i++)
		t->in[(t->in_head + t->in_len++) % FBK_TAP_IN] = from[i];
	pthread_mutex_unlock(&t->lock);
	c->wake(c->opaque);
}

void fbk_console_close(struct fbk_console *c)
{
	while (c->out_len && writable(LAST_WORDS_MS))
		flush(c);
}

void fbk_console_reset(struct fbk_console *c)
{
	pthread_mutex_lock(&c->lock);
	fbk_pl011_reset(&c->uart);
	if (c->virtio)
		fbk_virtio_console_reset(c->virtio);
	atomic_store(&c->output_waits, false);
	c->scan = (struct fbk_panic_scan){ 0 };
	pthread_mutex_unlock(&c->lock);
}
