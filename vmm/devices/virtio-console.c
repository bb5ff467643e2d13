/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* virtio-console.c - see virtio-console.h. [VIRTIO 5.3] */
#include "virtio-console.h"
#include "segments.h"

enum { RECEIVE_QUEUE = 0, TRANSMIT_QUEUE = 1, QUEUES };

#define TURN_BYTES 65536 /* so that no driver keeps a thread for itself */

/* Of the features there is none: one port, whose size is not told, and no emergency write. */
static uint8_t config(void *dev, uint32_t offset)
{
	return 0;
}

static uint32_t queue_max(void *dev, unsigned int queue)
{
	return queue < QUEUES ? FBK_VIRTQ_MAX : 0;
}

/* --- from the guest ------------------------------------------------------------------------------------------------ */

/* Return: true: the chain can go back; false: the rest of it is for later. */
static bool transmit_chain(struct fbk_virtio_console *c, uint64_t *turn)
{
	struct fbk_segments s = fbk_segments_readable(&c->chain);
	uint64_t len = fbk_segments_len(s);
	uint8_t buf[256];

	while (c->sent < len) {
		uint64_t part = len - c->sent < sizeof(buf) ? len - c->sent : sizeof(buf);
		size_t taken;

		if (*turn < part)
			return false;
		/* Poison, or no memory at all: the rest is lost, as on any line, and the page told. */
		if (fbk_segments_copy(c->v, s, c->sent, buf, part, false))
			break;
		taken = c->transmit(c->opaque, buf, part);
		c->sent += taken;
		*turn -= taken;
		if (taken < part)
			return false;
	}
	c->sent = 0;
	return true;
}

static void transmit(struct fbk_virtio_console *c)
{
	uint64_t turn = TURN_BYTES;

	for (unsigned int nr = 0; nr < FBK_VIRTQ_MAX && fbk_virtio_pop(c->v, TRANSMIT_QUEUE, &c->chain); nr++) {
		if (!transmit_chain(c, &turn)) {
			fbk_virtio_put_back(c->v, TRANSMIT_QUEUE, 1);
			c->wait(c->opaque);
			break;
		}
		fbk_virtio_push(c->v, TRANSMIT_QUEUE, &c->chain, 0);
	}
	fbk_virtio_interrupt(c->v, TRANSMIT_QUEUE);
}

/* --- to the guest --------------------------------------------------------------------------------------------------- */

/* The oldest of what was typed. Return: how much that is. */
static uint32_t peek(struct fbk_virtio_console *c, uint8_t buf[FBK_CONSOLE_TYPED_MAX])
{
	uint32_t len;

	pthread_mutex_lock(&c->lock);
	len = c->typed_len;
	for (uint32_t i = 0; i < len; i++)
		buf[i] = c->typed[(c->typed_head + i) % FBK_CONSOLE_TYPED_MAX];
	pthread_mutex_unlock(&c->lock);
	return len;
}

static void drop(struct fbk_virtio_console *c, uint32_t len)
{
	bool full;

	pthread_mutex_lock(&c->lock);
	full = c->typed_len == FBK_CONSOLE_TYPED_MAX;
	c->typed_head = (c->typed_head + len) % FBK_CONSOLE_TYPED_MAX;
	c->typed_len -= len;
	pthread_mutex_unlock(&c->lock);
	if (full && len)
		c->drained(c->opaque);
}

static void receive(struct fbk_virtio_console *c)
{
	uint8_t buf[FBK_CONSOLE_TYPED_MAX];

	for (unsigned int nr = 0; nr < FBK_VIRTQ_MAX; nr++) {
		uint64_t len = peek(c, buf), room;
		struct fbk_segments s;

		if (!len || !fbk_virtio_pop(c->v, RECEIVE_QUEUE, &c->chain))
			break;
		s = fbk_segments_writable(&c->chain);
		room = fbk_segments_len(s);
		if (len > room)
			len = room;
		/* A bad buffer goes back empty, and the bytes into the next. */
		if (fbk_segments_copy(c->v, s, 0, buf, len, true))
			len = 0;
		fbk_virtio_push(c->v, RECEIVE_QUEUE, &c->chain, len);
		drop(c, len);
	}
	fbk_virtio_interrupt(c->v, RECEIVE_QUEUE);
}

/* --- what the frame calls ------------------------------------------------------------------------------------------- */

static void notify(void *dev, struct fbk_virtio *v, unsigned int queue)
{
	if (queue == TRANSMIT_QUEUE)
		transmit(dev);
	else
		receive(dev);
}

static void forget(void *dev, unsigned int queue)
{
	struct fbk_virtio_console *c = dev;

	if (queue == TRANSMIT_QUEUE)
		c->sent = 0;
}

const struct fbk_virtio_ops fbk_virtio_console_ops = {
	.device_id = 3,
	.queue_max = queue_max,
	.config = config,
	.notify = notify,
	.forget = forget,
};

/* --- what its host calls ------------------------------------------------------------------------------------------- */

void fbk_virtio_console_init(struct fbk_virtio_console *c)
{
	pthread_mutex_init(&c->lock, NULL);
}

void fbk_virtio_console_reset(struct fbk_virtio_console *c)
{
	pthread_mutex_lock(&c->lock);
	c->typed_len = 0;
	pthread_mutex_unlock(&c->lock);
}

size_t fbk_virtio_console_room(struct fbk_virtio_console *c)
{
	size_t room;

	pthread_mutex_lock(&c->lock);
	room = FBK_CONSOLE_TYPED_MAX - c->typed_len;
	pthread_mutex_unlock(&c->lock);
	return room;
}

void fbk_virtio_console_type(struct fbk_virtio_console *c, const void *buf, size_t len)
{
	const uint8_t *byte = buf;

	pthread_mutex_lock(&c->lock);
	while (len-- && c->typed_len < FBK_CONSOLE_TYPED_MAX)
		c->typed[(c->typed_head + c->typed_len++) % FBK_CONSOLE_TYPED_MAX] = *byte++;
	pthread_mutex_unlock(&c->lock);
}

void fbk_virtio_console_deliver(struct fbk_virtio_console *c)
{
	if (fbk_virtio_console_room(c) < FBK_CONSOLE_TYPED_MAX)
		fbk_virtio_notify(c->v, RECEIVE_QUEUE);
}

void fbk_virtio_console_resume(struct fbk_virtio_console *c)
{
	fbk_virtio_notify(c->v, TRANSMIT_QUEUE);
}
