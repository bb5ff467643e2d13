/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * virtio-console.h - a console with one port.
 *
 * The device only moves bytes between queues and its host, which may take fewer of them than there are: what is left stays in the
 * driver's ring. Nothing of it waits, whatever thread it runs on.
 */
#ifndef FBK_VMM_VIRTIO_CONSOLE_H
#define FBK_VMM_VIRTIO_CONSOLE_H

#include "virtio-mmio.h"

#define FBK_CONSOLE_TYPED_MAX 256 /* bytes that are kept for a driver without a buffer for them */

struct fbk_virtio_console {
	struct fbk_virtio *v; /* the frame that it is behind */
	/* How many of these bytes were taken. Called on the thread that notifies, or resumes. */
	size_t (*transmit)(void *opaque, const uint8_t *buf, size_t len);
	void (*wait)(void *opaque);    /* some were not, or it has been long enough for one turn: resume it soon */
	void (*drained)(void *opaque); /* what was full of typed bytes has room again */
	void *opaque;

	/* What the frame serves one at a time. */
	struct fbk_virtq_chain chain;
	uint64_t sent; /* bytes of the next chain that were transmitted already */

	pthread_mutex_t lock; /* of what follows; held for a copy */
	uint32_t typed_head, typed_len;
	uint8_t typed[FBK_CONSOLE_TYPED_MAX];
};

extern const struct fbk_virtio_ops fbk_virtio_console_ops; /* its device is a struct fbk_virtio_console */

void fbk_virtio_console_init(struct fbk_virtio_console *c);
void fbk_virtio_console_reset(struct fbk_virtio_console *c); /* with its frame's: what was typed is forgotten */

/* One thread. */
size_t fbk_virtio_console_room(struct fbk_virtio_console *c);
void fbk_virtio_console_type(struct fbk_virtio_console *c, const void *buf, size_t len); /* what exceeds the room is lost */

/* While the guest's memory may be touched; any thread. */
void fbk_virtio_console_deliver(struct fbk_virtio_console *c); /* what was typed, as far as the driver has buffers */
void fbk_virtio_console_resume(struct fbk_virtio_console *c);  /* what @wait asked for */

#endif
