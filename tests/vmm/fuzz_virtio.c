/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_virtio.c - a hostile driver: any register access, any bytes in the rings, on a disk, the entropy device, or one with
 * several queues that answers later and in any order.
 */
#include "fuzz_driver.h"

#include "virtio-blk.h"
#include "virtio-rng.h"
#include <unistd.h>

#define RAM_LEN 0x10000
#define SECTORS 32

static int disk_fd = -1;

/* --- the device that answers later -------------------------------------------------------------------------------- */

#define SLOW_QUEUES 3
#define SLOTS 4

static struct slow {
	struct slot {
		bool taken;
		unsigned int queue;
		struct fbk_virtq_chain chain;
	} slot[SLOTS];
} slow;

static uint32_t slow_queue_max(void *dev, unsigned int queue)
{
	return queue < SLOW_QUEUES ? 2u << queue : 0;
}

static uint8_t slow_config(void *dev, uint32_t offset)
{
	return offset;
}

static void slow_notify(void *dev, struct fbk_virtio *d, unsigned int queue)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		struct slot *s = &slow.slot[i];

		if (s->taken || !fbk_virtio_pop(d, queue, &s->chain))
			continue;
		CHECK(s->chain.nr_readable <= s->chain.nr_segs && s->chain.nr_segs <= FBK_VIRTQ_MAX);
		s->taken = true;
		s->queue = queue;
	}
}

static void slow_answer(struct slot *s, int64_t len)
{
	if (!s->taken)
		return;
	s->taken = false;
	fbk_virtio_push(&v, s->queue, &s->chain, len);
	fbk_virtio_interrupt(&v, s->queue);
}

static void slow_answer_all(void)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		slow_answer(&slow.slot[i], 0);
}

static const struct fbk_virtio_ops slow_ops = {
	.device_id = 42,
	.threaded = true,
	.queue_max = slow_queue_max,
	.config = slow_config,
	.notify = slow_notify,
};

/* --- the driver --------------------------------------------------------------------------------------------------- */

static void open_once(void)
{
	if (disk_fd >= 0)
		return;
	disk_fd = memfd_create("disk", MFD_CLOEXEC);
	CHECK(disk_fd >= 0);
}

static void write_reg(uint64_t reg, uint32_t len, uint64_t val)
{
	/* These wait for what is in flight, and there is no other thread here that would answer. */
	if (reg == 0x44 || reg == 0x70)
		slow_answer_all();
	fbk_virtio_write(&v, reg, len, val);
	serve();
}

/* What a decent driver does, so that the input need not spell it out. */
static void set_up(uint32_t num, uint32_t queue, bool event_idx)
{
	slow_answer_all();
	negotiate(event_idx ? 1u << 29 : 0);
	for (;; queue = 0) {
		set_queue(queue, num, 0);
		if (!queue)
			break;
	}
	write4(0x70, 15);
}

static void step(struct fuzz *f)
{
	uint64_t a, b;

	switch (fuzz_take(f, 1) % 9) {
	case 0:
		a = fuzz_take(f, 2);
		write_reg(a, 4, fuzz_take(f, 4));
		break;
	case 1:
		a = fuzz_take(f, 8);
		b = fuzz_take(f, 1) % 9;
		write_reg(a, b, fuzz_take(f, 8));
		break;
	case 2:
		a = fuzz_take(f, 2);
		fbk_virtio_read(&v, a, fuzz_take(f, 1) % 9);
		break;
	case 3:
		a = fuzz_take(f, 2);
		put(a, fuzz_take(f, 8), 8);
		break;
	case 4:
		a = fuzz_take(f, 1);
		set_up(1u << a % 8, a / 8 % 4, a & 0x80);
		break;
	case 5: /* a descriptor in RAM */
		a = 16 * (fuzz_take(f, 1) % 128);
		any_descriptor(f, a + FUZZ_DESC(fuzz_take(f, 1) % 2));
		break;
	case 6: /* one more available */
		a = v.queue[0].num ? v.queue[0].num : 1;
		b = ram[0x1002] | ram[0x1003] << 8;
		put(0x1004 + 2 * (b % a), fuzz_take(f, 1), 2);
		put(0x1002, b + 1, 2);
		write4(0x50, fuzz_take(f, 1) % 4);
		break;
	case 7: /* a request's header */
		a = fuzz_take(f, 2);
		put(a, fuzz_take(f, 1) % 16, 4);
		put(a + 8, fuzz_take(f, 1), 8);
		break;
	case 8: /* one of the late answers */
		a = fuzz_take(f, 1);
		slow_answer(&slow.slot[a % SLOTS], (int8_t)fuzz_take(f, 1));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	static struct fbk_virtio_blk blk;
	static const uint8_t zeros[SECTORS * 512];
	static uint8_t disk[SECTORS * 512];
	static struct fbk_virtio_rng rng;
	unsigned int kind = fuzz_take(&f, 1) % 4;

	open_once();
	memset(&slow, 0, sizeof(slow));
	memset(&rng, 0, sizeof(rng));
	CHECK(!ftruncate(disk_fd, 0) && !ftruncate(disk_fd, sizeof(disk)));
	/* All but the requests, which are large and need no clearing. */
	memset(&blk, 0, offsetof(struct fbk_virtio_blk, request));
	blk.fd = disk_fd;
	blk.sectors = SECTORS;
	blk.read_only = kind == 1;
	blk.can_discard = blk.can_zero = !blk.read_only;
	blk.nr_queues = 2;
	blk.aio = &fbk_aio_sync;
	strcpy(blk.id, "fuzz");
	if (kind == 2)
		fuzz_open(RAM_LEN, &fbk_virtio_rng_ops, &rng);
	else if (kind == 3)
		fuzz_open(RAM_LEN, &slow_ops, &slow);
	else
		fuzz_open(RAM_LEN, &fbk_virtio_blk_ops, &blk);

	while (f.len) {
		uint32_t taken = 0;

		step(&f);
		for (unsigned int i = 0; i < FBK_VIRTIO_QUEUES; i++)
			CHECK(!v.queue[i].ready || (fbk_virtq_valid(&v.queue[i], &gmem) &&
						    v.queue[i].num <= v.ops->queue_max(v.dev, i)));
		CHECK(!blk.busy);
		CHECK(rng.chain.nr_readable <= rng.chain.nr_segs && rng.chain.nr_segs <= FBK_VIRTQ_MAX);
		for (unsigned int i = 0; i < SLOTS; i++)
			taken += slow.slot[i].taken;
		CHECK(fbk_virtio_in_flight(&v) == taken);
	}
	CHECK(lseek(disk_fd, 0, SEEK_END) == sizeof(disk));
	if (blk.read_only) {
		CHECK(pread(disk_fd, disk, sizeof(disk), 0) == sizeof(disk));
		CHECK(!memcmp(disk, zeros, sizeof(disk)));
	}
	slow_answer_all();
	fbk_virtio_reset(&v);
	CHECK(!v.isr && !v.status && !v.queue[0].ready);
	return 0;
}
