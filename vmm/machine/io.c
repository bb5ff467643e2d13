/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* io.c - see io.h. [KVM-API 4.59 "KVM_IOEVENTFD"] */
#include "io.h"
#include "monitor.h"
#include "report.h"

#include <errno.h>
#include <linux/kvm.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void on_kick(void *opaque, short revents)
{
	struct fbk_io_queue *q = opaque;
	uint64_t count;

	/* Before it is looked at: what comes from now on notifies anew. */
	if (read(q->kick.fd, &count, sizeof(count)) == sizeof(count))
		fbk_virtio_notify(q->dev, q->queue);
}

static int add_queue(struct fbk_monitor *m, struct fbk_virtio *dev, unsigned int queue)
{
	struct fbk_io *io = &m->io;
	struct kvm_ioeventfd on_write = {
		.datamatch = queue,
		.addr = FBK_VIRTIO_BASE + dev->index * FBK_VIRTIO_STRIDE + FBK_VIRTIO_NOTIFY,
		.len = 4,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH,
	};
	struct fbk_io_queue *q;

	if (io->nr_queues == FBK_IO_QUEUES)
		return -ENOSPC;
	q = &io->queue[io->nr_queues];
	q->dev = dev;
	q->queue = queue;
	q->kick = (struct fbk_loop_watch){ eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), POLLIN, on_kick, q };
	if (q->kick.fd < 0)
		return -errno;
	on_write.fd = q->kick.fd;
	if (ioctl(m->vm_fd, KVM_IOEVENTFD, &on_write))
		return -errno;
	io->nr_queues++;
	return fbk_loop_watch(&io->loop, &q->kick);
}

static int prepared(int r)
{
	if (!r)
		return 0;
	fbk_say("preparing the devices' queues: %s", strerror(-r));
	return FBK_EXIT_HOST;
}

int fbk_io_init(struct fbk_monitor *m)
{
	struct fbk_io *io = &m->io;
	int r = fbk_loop_init(&io->loop);

	io->aio = &fbk_aio_sync;
	if (r || !m->opt.nr_disks)
		return prepared(r);
	r = fbk_uring_open(&io->uring, FBK_BLK_IN_FLIGHT * m->opt.nr_disks, &io->loop);
	if (!r)
		io->aio = &io->uring.aio;
	else
		fbk_say("io_uring: %s%s: the disks' requests are carried out one after another", strerror(-r),
			r == -EPERM ? " (sysctl kernel.io_uring_disabled, or a seccomp filter)" : "");
	return 0;
}

int fbk_io_open(struct fbk_monitor *m)
{
	int r = 0;

	for (unsigned int i = 0; i < m->nr_virtio; i++) {
		struct fbk_virtio *dev = &m->virtio[i];

		for (unsigned int q = 0; !r && dev->ops->threaded && q < FBK_VIRTIO_QUEUES; q++)
			if (dev->ops->queue_max(dev->dev, q))
				r = add_queue(m, dev, q);
	}
	return prepared(r);
}

void fbk_io_kick(struct fbk_monitor *m, unsigned int device, unsigned int queue)
{
	const uint64_t one = 1;

	for (unsigned int i = 0; i < m->io.nr_queues; i++) {
		const struct fbk_io_queue *q = &m->io.queue[i];

		/* A full counter tells as well as any. */
		if (q->dev->index == device && q->queue == queue && write(q->kick.fd, &one, sizeof(one)) < 0)
			return;
	}
}

static bool turn(struct fbk_monitor *m)
{
	int r = fbk_loop_turn(&m->io.loop, FBK_LOOP_NEVER);

	if (!r)
		return true;
	fbk_say("poll: %s", strerror(-r));
	fbk_monitor_end(m, FBK_END_HOST);
	return false;
}

static bool in_flight(struct fbk_monitor *m)
{
	for (unsigned int i = 0; i < m->nr_virtio; i++)
		if (fbk_virtio_in_flight(&m->virtio[i]))
			return true;
	return false;
}

static void *io_thread(void *arg)
{
	struct fbk_monitor *m = arg;
	struct fbk_io *io = &m->io;

	pthread_setname_np(pthread_self(), "io");
	fbk_confine_thread(m, FBK_ROLE_IO, "io");
	pthread_mutex_lock(&m->lock);
	for (;;) {
		io->parked = true;
		pthread_cond_signal(&m->parked_changed);
		while (io->state == FBK_STATE_PARK)
			pthread_cond_wait(&m->state_changed, &m->lock);
		if (io->state == FBK_STATE_LEAVE)
			break;
		io->parked = false;
		pthread_mutex_unlock(&m->lock);
		/* What was taken is given back before we park; what was not stays in its ring, and its eventfd stays readable. */
		while ((atomic_load(&io->state) == FBK_STATE_RUN || in_flight(m)) && turn(m))
			;
		pthread_mutex_lock(&m->lock);
		while (io->state == FBK_STATE_RUN)
			pthread_cond_wait(&m->state_changed, &m->lock); /* only after a failure, which ends the machine */
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

int fbk_io_start(struct fbk_monitor *m)
{
	pthread_attr_t attr;
	int r;

	if (!m->io.nr_queues)
		return 0;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, FBK_STACK_LEN);
	r = pthread_create(&m->io.thread, &attr, io_thread, m);
	pthread_attr_destroy(&attr);
	m->io.started = !r;
	if (!r)
		return 0;
	fbk_say("starting the I/O thread: %s", strerror(r));
	return FBK_EXIT_HOST;
}

static void set_state(struct fbk_monitor *m, enum fbk_state state)
{
	m->io.state = state;
	pthread_cond_broadcast(&m->state_changed);
	fbk_loop_wake(&m->io.loop);
}

void fbk_io_run(struct fbk_monitor *m)
{
	pthread_mutex_lock(&m->lock);
	set_state(m, FBK_STATE_RUN);
	pthread_mutex_unlock(&m->lock);
}

void fbk_io_park(struct fbk_monitor *m)
{
	pthread_mutex_lock(&m->lock);
	set_state(m, FBK_STATE_PARK);
	while (m->io.started && !m->io.parked)
		pthread_cond_wait(&m->parked_changed, &m->lock);
	pthread_mutex_unlock(&m->lock);
}

void fbk_io_leave(struct fbk_monitor *m)
{
	fbk_io_park(m);
	pthread_mutex_lock(&m->lock);
	set_state(m, FBK_STATE_LEAVE);
	pthread_mutex_unlock(&m->lock);
	if (m->io.started)
		pthread_join(m->io.thread, NULL);
	m->io.started = false;
}
