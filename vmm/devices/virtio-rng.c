/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* virtio-rng.c - see virtio-rng.h. [VIRTIO 5.4] */
#include "virtio-rng.h"

#include <errno.h>
#include <sys/random.h>

#define REQUEST_MAX 65536 /* bytes a request gets at most; fewer than asked for is allowed */

static uint8_t config(void *dev, uint32_t offset)
{
	return 0;
}

static uint32_t queue_max(void *dev, unsigned int queue)
{
	return queue == 0 ? FBK_VIRTQ_MAX : 0;
}

static int64_t request(void *dev, struct fbk_virtio *v, const struct fbk_virtq_chain *c)
{
	uint8_t buf[256];
	int64_t total = 0;

	for (uint32_t i = c->nr_readable; i < c->nr_segs; i++) {
		for (uint32_t at = 0; at < c->seg[i].len && total < REQUEST_MAX;) {
			uint32_t left = c->seg[i].len - at, part = left < sizeof(buf) ? left : sizeof(buf);
			struct fbk_gpa gpa = { c->seg[i].gpa.addr + at };
			size_t done = 0;
			int r;

			if (getrandom(buf, part, 0) != (ssize_t)part)
				return total;
			r = fbk_gmem_write(v->host->gmem, gpa, buf, part, &done);
			if (r == -EHWPOISON) {
				v->host->poisoned(v->host->opaque, (struct fbk_gpa){ gpa.addr + done });
				return total + done;
			}
			if (r < 0)
				return r;
			at += part;
			total += part;
		}
	}
	return total;
}

static void notify(void *dev, struct fbk_virtio *v, unsigned int queue)
{
	struct fbk_virtio_rng *rng = dev;

	fbk_virtio_serve(v, queue, &rng->chain, request);
}

const struct fbk_virtio_ops fbk_virtio_rng_ops = {
	.device_id = 4,
	.queue_max = queue_max,
	.config = config,
	.notify = notify,
};
