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
	QUEUE_NOTIFY = FBK_VIRTIO_NOTIFY,
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
#define F_EVENT_IDX (UINT64_C(1) << 29)
#define F_VERSION_1 (UINT64_C(1) << 32)

static uint64_t features(const struct fbk_virtio *v)
{
	return (v->ops->features ? v->ops->features(v->dev) : 0) | F_VERSION_1 | F_INDIRECT_DESC |
	       (v->ops->threaded ? F_EVENT_IDX : 0);
}

static uint32_t queue_max(const struct fbk_virtio *v, uint32_t queue)
{
	return queue < FBK_VIRTIO_QUEUES ? v->ops->queue_max(v->dev, queue) : 0;
}

void fbk_virtio_init(struct fbk_virtio *v, unsigned int index, const struct fbk_virtio_ops *ops, void *dev,
		     const struct fbk_virtio_host *host)
{
	pthread_mutex_init(&v->serving, NULL);
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->idle, NULL);
	v->index = index;
	v->ops = ops;
	v->dev = dev;
	v->host = host;
}

/* --- with the lock held ------------------------------------------------------------------------------------------ */

/* Each is an edge, also where the bit was set: the driver may have read it and not yet acknowledged. */
static void raise_irq(struct fbk_virtio *v, uint32_t isr)
{
	v->isr |= isr;
	v->host->irq(v->host->opaque, v->index);
}

static bool live(const struct fbk_virtio *v)
{
	return (v->status & STATUS_DRIVER_OK) && !v->resetting;
}

/*
 * [VIRTIO 2.1.2]: the driver, or a page that it trusted, broke the queue. It is closed; the others go on, for the sake of drivers that
 * do not listen: Linux's console waits for its text to be taken with interrupts off.
 */
static void needs_reset(struct fbk_virtio *v, struct fbk_virtq *q)
{
	q->ready = false;
	v->status |= STATUS_NEEDS_RESET;
	if (v->status & STATUS_DRIVER_OK)
		raise_irq(v, ISR_CONFIG);
}

static void wait_idle(struct fbk_virtio *v, unsigned int queue)
{
	while (v->in_flight[queue])
		pthread_cond_wait(&v->idle, &v->lock);
}

/* Once nothing of it is in flight. */
static void forget(struct fbk_virtio *v, unsigned int queue)
{
	if (v->ops->forget && queue_max(v, queue))
		v->ops->forget(v->dev, queue);
}

static void reset(struct fbk_virtio *v)
{
	v->resetting++;
	for (unsigned int i = 0; i < FBK_VIRTIO_QUEUES; i++)
		wait_idle(v, i);
	v->resetting--;
	v->driver_features = 0;
	v->device_features_sel = 0;
	v->driver_features_sel = 0;
	v->queue_sel = 0;
	v->status = 0;
	v->isr = 0;
	for (unsigned int i = 0; i < FBK_VIRTIO_QUEUES; i++) {
		v->queue[i] = (struct fbk_virtq){ 0 };
		forget(v, i);
	}
}

/* --- queues ------------------------------------------------------------------------------------------------------ */

void fbk_virtio_reset(struct fbk_virtio *v)
{
	pthread_mutex_lock(&v->lock);
	reset(v);
	pthread_mutex_unlock(&v->lock);
}

void fbk_virtio_look(struct fbk_virtio *v, struct fbk_virtio_view *ret)
{
	*ret = (struct fbk_virtio_view){ .device_id = v->ops->device_id };
	pthread_mutex_lock(&v->lock);
	ret->status = v->status;
	for (unsigned int i = 0; i < FBK_VIRTIO_QUEUES; i++) {
		const struct fbk_virtq *q = &v->queue[i];

		ret->queue[i].num = q->num;
		ret->queue[i].in_flight = v->in_flight[i];
		ret->queue[i].ready = q->ready;
		ret->queue[i].desc = q->desc;
		ret->queue[i].avail = q->avail;
		ret->queue[i].used = q->used;
	}
	pthread_mutex_unlock(&v->lock);
}

uint32_t fbk_virtio_in_flight(struct fbk_virtio *v)
{
	uint32_t all = 0;

	pthread_mutex_lock(&v->lock);
	for (unsigned int i = 0; i < FBK_VIRTIO_QUEUES; i++)
		all += v->in_flight[i];
	pthread_mutex_unlock(&v->lock);
	return all;
}

/* Unlocks. @r: what has become of an access to the rings. */
static void done_with(struct fbk_virtio *v, struct fbk_virtq *q, int r, struct fbk_gpa poison)
{
	if (r < 0)
		needs_reset(v, q);
	pthread_mutex_unlock(&v->lock);
	if (r == -EHWPOISON)
		v->host->poisoned(v->host->opaque, poison);
}

bool fbk_virtio_pop(struct fbk_virtio *v, unsigned int queue, struct fbk_virtq_chain *ret)
{
	struct fbk_virtq *q = &v->queue[queue];
	struct fbk_gpa poison = { 0 };
	int r = 0;

	pthread_mutex_lock(&v->lock);
	if (live(v) && q->ready)
		r = fbk_virtq_pop(q, v->host->gmem, ret, &poison);
	if (r > 0)
		v->in_flight[queue]++;
	done_with(v, q, r, poison);
	return r > 0;
}

void fbk_virtio_push(struct fbk_virtio *v, unsigned int queue, const struct fbk_virtq_chain *c, int64_t len)
{
	struct fbk_virtq *q = &v->queue[queue];
	struct fbk_gpa poison = { 0 };
	int r = 0;

	pthread_mutex_lock(&v->lock);
	if (len < 0)
		r = len == -EHWPOISON ? -EBADMSG : len; /* the device has told of the poison */
	else if (q->ready) /* else the driver, or an error, has closed it meanwhile */
		r = fbk_virtq_push(q, v->host->gmem, c->head, len, &poison);
	if (!--v->in_flight[queue])
		pthread_cond_broadcast(&v->idle);
	done_with(v, q, r, poison);
}

void fbk_virtio_put_back(struct fbk_virtio *v, unsigned int queue, unsigned int nr)
{
	pthread_mutex_lock(&v->lock);
	v->queue[queue].next_avail -= nr;
	v->in_flight[queue] -= nr;
	if (!v->in_flight[queue])
		pthread_cond_broadcast(&v->idle);
	pthread_mutex_unlock(&v->lock);
}

uint64_t fbk_virtio_driver_features(struct fbk_virtio *v)
{
	uint64_t now;

	pthread_mutex_lock(&v->lock);
	now = live(v) ? v->driver_features : 0;
	pthread_mutex_unlock(&v->lock);
	return now;
}

void fbk_virtio_interrupt(struct fbk_virtio *v, unsigned int queue)
{
	pthread_mutex_lock(&v->lock);
	if ((v->status & STATUS_DRIVER_OK) && fbk_virtq_wants_irq(&v->queue[queue], v->host->gmem))
		raise_irq(v, ISR_QUEUE);
	pthread_mutex_unlock(&v->lock);
}

void fbk_virtio_serve(struct fbk_virtio *v, unsigned int queue, struct fbk_virtq_chain *c,
		      int64_t (*request)(void *dev, struct fbk_virtio *v, const struct fbk_virtq_chain *c))
{
	uint32_t most = queue_max(v, queue), nr = 0;

	while (nr < most && fbk_virtio_pop(v, queue, c)) {
		fbk_virtio_push(v, queue, c, request(v->dev, v, c));
		nr++;
	}
	fbk_virtio_interrupt(v, queue);
	/* A driver with EVENT_IDX was not told that we stopped, so we come back unasked; any other notifies of what it adds. */
	if (nr == most && v->ops->threaded)
		v->host->kick(v->host->opaque, v->index, queue);
}

void fbk_virtio_notify(struct fbk_virtio *v, unsigned int queue)
{
	pthread_mutex_lock(&v->serving);
	v->ops->notify(v->dev, v, queue);
	pthread_mutex_unlock(&v->serving);
}

/* --- registers --------------------------------------------------------------------------------------------------- */

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
		return queue_max(v, v->queue_sel);
	case QUEUE_READY:
		return queue_max(v, v->queue_sel) && v->queue[v->queue_sel].ready;
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

static void write_ready(struct fbk_virtio *v, struct fbk_virtq *q, uint32_t val)
{
	if (!(val & 1)) {
		q->ready = false;
		wait_idle(v, v->queue_sel);
		forget(v, v->queue_sel);
		return;
	}
	if (q->ready || v->in_flight[v->queue_sel])
		return;
	q->next_avail = 0;
	q->next_used = 0;
	q->decided_used = 0;
	q->event_idx = v->driver_features & F_EVENT_IDX;
	q->ready = q->num <= queue_max(v, v->queue_sel) && fbk_virtq_valid(q, v->host->gmem);
	if (!q->ready)
		needs_reset(v, q);
}

static void write_queue(struct fbk_virtio *v, uint64_t offset, uint32_t val)
{
	struct fbk_virtq *q;

	if (!queue_max(v, v->queue_sel))
		return;
	q = &v->queue[v->queue_sel];
	if (offset == QUEUE_READY) {
		write_ready(v, q, val);
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
	case INTERRUPT_ACK:
		v->isr &= ~val;
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
	if (offset == QUEUE_NOTIFY) {
		if (!queue_max(v, val))
			return;
		if (v->ops->threaded)
			v->host->kick(v->host->opaque, v->index, val);
		else
			fbk_virtio_notify(v, val);
		return;
	}
	pthread_mutex_lock(&v->lock);
	write_reg(v, offset, val);
	pthread_mutex_unlock(&v->lock);
}
