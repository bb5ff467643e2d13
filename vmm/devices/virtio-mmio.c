/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* virtio-mmio.c - see virtio-mmio.h. Registers: [VIRTIO 4.2.2]. */
#include "virtio-mmio.h"

#include <errno.h>

enum {
	MAGIC = 0x000,
	VERSION = 0x004,
	DEVICE_ID = 0x008,
	VENDOR_ID = 0x00c,
	DEVICE_FEATURES = 0x010,
	DEVICE_FEATURES_SEL = 0x014,
	DRIVER_FEATURES = 0x020,
	DRIVER_FEATURES_SEL = 0x024,
	QUEUE_SEL = 0x030,
	QUEUE_NUM_MAX = 0x034,
	QUEUE_NUM = 0x038,
	QUEUE_READY = 0x044,
	QUEUE_NOTIFY = 0x050,
	INTERRUPT_STATUS = 0x060,
	INTERRUPT_ACK = 0x064,
	STATUS = 0x070,
	QUEUE_DESC_LOW = 0x080,
	QUEUE_DESC_HIGH = 0x084,
	QUEUE_DRIVER_LOW = 0x090,
	QUEUE_DRIVER_HIGH = 0x094,
	QUEUE_DEVICE_LOW = 0x0a0,
	QUEUE_DEVICE_HIGH = 0x0a4,
	CONFIG_GENERATION = 0x0fc,
	CONFIG = 0x100,
	CONFIG_END = 0x200,
};

enum { STATUS_DRIVER_OK = 4, STATUS_FEATURES_OK = 8, STATUS_NEEDS_RESET = 64 };
enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };

#define F_INDIRECT_DESC (UINT64_C(1) << 28)
#define F_VERSION_1 (UINT64_C(1) << 32)

static uint64_t features(const struct fbk_virtio *v)
{
	return v->ops->features | F_VERSION_1 | F_INDIRECT_DESC;
}

static void set_isr(struct fbk_virtio *v, uint32_t isr)
{
	bool level = isr;

	v->isr = isr;
	if (level == v->level)
		return;
	v->level = level;
	v->host->irq(v->host->opaque, v->index, level);
}

void fbk_virtio_init(struct fbk_virtio *v, unsigned int index, const struct fbk_virtio_ops *ops, void *dev,
		     const struct fbk_virtio_host *host)
{
	pthread_mutex_init(&v->lock, NULL);
	v->index = index;
	v->ops = ops;
	v->dev = dev;
	v->host = host;
}

/* Called with the lock held. */
static void reset(struct fbk_virtio *v)
{
	v->driver_features = 0;
	v->device_features_sel = 0;
	v->driver_features_sel = 0;
	v->queue_sel = 0;
	v->status = 0;
	v->queue = (struct fbk_virtq){ 0 };
	set_isr(v, 0);
}

void fbk_virtio_reset(struct fbk_virtio *v)
{
	pthread_mutex_lock(&v->lock);
	reset(v);
	pthread_mutex_unlock(&v->lock);
}

/* [VIRTIO 2.1.2]: the driver, or a page that it trusted, broke the queue. */
static void needs_reset(struct fbk_virtio *v)
{
	v->queue.ready = false;
	v->status |= STATUS_NEEDS_RESET;
	if (v->status & STATUS_DRIVER_OK)
		set_isr(v, v->isr | ISR_CONFIG);
}

static void serve(struct fbk_virtio *v)
{
	struct fbk_virtq *q = &v->queue;
	const struct fbk_gmem *gmem = v->host->gmem;
	struct fbk_gpa poison;
	bool pushed = false;
	int r = 0;

	if (!(v->status & STATUS_DRIVER_OK) || (v->status & STATUS_NEEDS_RESET))
		return;
	/* A driver that adds requests as fast as they are served still gets its vCPU back after one ring's worth. */
	for (uint32_t i = 0; i < q->num && q->ready; i++) {
		int64_t len;

		r = fbk_virtq_pop(q, gmem, &v->chain, &poison);
		if (r <= 0)
			break;
		len = v->ops->request(v->dev, v, &v->chain);
		if (len < 0) {
			r = len == -EHWPOISON ? -EBADMSG : len; /* the device has told of the poison */
			break;
		}
		r = fbk_virtq_push(q, gmem, v->chain.head, len, &poison);
		if (r < 0)
			break;
		pushed = true;
	}
	if (r == -EHWPOISON)
		v->host->poisoned(v->host->opaque, poison);
	if (r < 0)
		needs_reset(v);
	if (pushed && (r < 0 || fbk_virtq_wants_irq(q, gmem)))
		set_isr(v, v->isr | ISR_QUEUE);
}

static uint32_t half(uint64_t v, uint32_t sel)
{
	return sel == 0 ? v : sel == 1 ? v >> 32 : 0;
}

static uint32_t read_reg(struct fbk_virtio *v, uint64_t offset)
{
	switch (offset) {
	case MAGIC:
		return 0x74726976; /* "virt" */
	case VERSION:
		return 2;
	case DEVICE_ID:
		return v->ops->device_id;
	case VENDOR_ID:
		return 0x4b524246; /* "FBRK" */
	case DEVICE_FEATURES:
		return half(features(v), v->device_features_sel);
	case QUEUE_NUM_MAX:
		return v->queue_sel == 0 ? FBK_VIRTQ_MAX : 0;
	case QUEUE_READY:
		return v->queue_sel == 0 && v->queue.ready;
	case INTERRUPT_STATUS:
		return v->isr;
	case STATUS:
		return v->status;
	case CONFIG_GENERATION:
	default:
		return 0;
	}
}

uint64_t fbk_virtio_read(struct fbk_virtio *v, uint64_t offset, uint32_t len)
{
	uint64_t val = 0;

	pthread_mutex_lock(&v->lock);
	if (offset >= CONFIG && offset < CONFIG_END) {
		for (uint32_t i = 0; i < len && i < 8; i++)
			val |= (uint64_t)v->ops->config(v->dev, offset - CONFIG + i) << (8 * i);
	} else if (len == 4) {
		val = read_reg(v, offset); /* [VIRTIO 4.2.2.2]: 32-bit accesses only */
	}
	pthread_mutex_unlock(&v->lock);
	return val;
}

static void set_half(uint64_t *v, uint32_t val, bool high)
{
	if (high)
		*v = (*v & UINT32_MAX) | (uint64_t)val << 32;
	else
		*v = (*v & ~(uint64_t)UINT32_MAX) | val;
}

static void write_status(struct fbk_virtio *v, uint32_t val)
{
	if (!val) {
		reset(v);
		return;
	}
	val &= 0xff;
	/* [VIRTIO 3.1.1]: features that were not offered, or a driver from before version 1, are refused. */
	if ((val & STATUS_FEATURES_OK) && !(v->status & STATUS_FEATURES_OK) &&
	    ((v->driver_features & ~features(v)) || !(v->driver_features & F_VERSION_1)))
		val &= ~STATUS_FEATURES_OK;
	/* Only a reset clears bits, the device's own above all. */
	v->status |= val & ~STATUS_NEEDS_RESET;
}

static void write_ready(struct fbk_virtio *v, uint32_t val)
{
	struct fbk_virtq *q = &v->queue;

	if (!(val & 1)) {
		q->ready = false;
		return;
	}
	if (q->ready)
		return;
	q->next_avail = 0;
	q->next_used = 0;
	q->ready = fbk_virtq_valid(q, v->host->gmem);
	if (!q->ready)
		needs_reset(v);
}

static void write_queue(struct fbk_virtio *v, uint64_t offset, uint32_t val)
{
	struct fbk_virtq *q = &v->queue;

	if (v->queue_sel != 0)
		return; /* there is but one queue */
	if (offset == QUEUE_READY) {
		write_ready(v, val);
		return;
	}
	if (q->ready)
		return; /* [VIRTIO 4.2.2.2]: not while it is in use */
	switch (offset) {
	case QUEUE_NUM:
		q->num = val;
		break;
	case QUEUE_DESC_LOW:
	case QUEUE_DESC_HIGH:
		set_half(&q->desc.addr, val, offset == QUEUE_DESC_HIGH);
		break;
	case QUEUE_DRIVER_LOW:
	case QUEUE_DRIVER_HIGH:
		set_half(&q->avail.addr, val, offset == QUEUE_DRIVER_HIGH);
		break;
	case QUEUE_DEVICE_LOW:
	case QUEUE_DEVICE_HIGH:
		set_half(&q->used.addr, val, offset == QUEUE_DEVICE_HIGH);
		break;
	}
}

static void write_reg(struct fbk_virtio *v, uint64_t offset, uint32_t val)
{
	switch (offset) {
	case DEVICE_FEATURES_SEL:
		v->device_features_sel = val;
		break;
	case DRIVER_FEATURES_SEL:
		v->driver_features_sel = val;
		break;
	case DRIVER_FEATURES:
		if (v->driver_features_sel <= 1 && !(v->status & STATUS_FEATURES_OK))
			set_half(&v->driver_features, val, v->driver_features_sel);
		break;
	case QUEUE_SEL:
		v->queue_sel = val;
		break;
	case QUEUE_NOTIFY:
		if (val == 0)
			serve(v);
		break;
	case INTERRUPT_ACK:
		set_isr(v, v->isr & ~val);
		break;
	case STATUS:
		write_status(v, val);
		break;
	default:
		write_queue(v, offset, val);
	}
}

void fbk_virtio_write(struct fbk_virtio *v, uint64_t offset, uint32_t len, uint64_t val)
{
	if (len != 4)
		return;
	pthread_mutex_lock(&v->lock);
	write_reg(v, offset, val);
	pthread_mutex_unlock(&v->lock);
}
