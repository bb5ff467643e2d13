/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_virtio.c - a hostile driver: any register access, any bytes in the rings, on a disk or the entropy device.
 *
 * Guest memory lies between guard pages, and none of it is bad: a copy that fails has left it.
 */
#include "fuzz.h"

#include "platform.h"
#include "virtio-blk.h"
#include "virtio-rng.h"

#include <sys/mman.h>
#include <unistd.h>

#define RAM_LEN 0x10000
#define GUARD 0x10000
#define SECTORS 32

static uint8_t *ram;
static struct fbk_gmem gmem;
static int disk_fd = -1, level;

static void irq(void *opaque, unsigned int index, bool l)
{
	CHECK(l != level);
	level = l;
}

static void poisoned(void *opaque, struct fbk_gpa gpa)
{
	CHECK(!"a copy left guest memory");
}

static const struct fbk_virtio_host host = { irq, poisoned, &gmem, NULL };

static void open_once(void)
{
	struct fbk_gmem_region region = { .gpa = { FBK_RAM_BASE }, .len = RAM_LEN };
	uint8_t *all;

	if (ram)
		return;
	all = mmap(NULL, RAM_LEN + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(all != MAP_FAILED);
	ram = all + GUARD;
	CHECK(!mprotect(ram, RAM_LEN, PROT_READ | PROT_WRITE));
	region.hva.addr = (uintptr_t)ram;
	CHECK(!fbk_gmem_add(&gmem, &region));
	disk_fd = memfd_create("disk", MFD_CLOEXEC);
	CHECK(disk_fd >= 0);
}

static void write4(struct fbk_virtio *v, uint64_t reg, uint32_t val)
{
	fbk_virtio_write(v, reg, 4, val);
}

/* What a decent driver does, so that the input need not spell it out. */
static void set_up(struct fbk_virtio *v, uint32_t num)
{
	write4(v, 0x70, 0);
	write4(v, 0x70, 3);
	write4(v, 0x24, 1);
	write4(v, 0x20, 1);
	write4(v, 0x70, 11);
	write4(v, 0x30, 0);
	write4(v, 0x38, num);
	write4(v, 0x80, FBK_RAM_BASE);
	write4(v, 0x84, 0);
	write4(v, 0x90, FBK_RAM_BASE + 0x1000);
	write4(v, 0x94, 0);
	write4(v, 0xa0, FBK_RAM_BASE + 0x2000);
	write4(v, 0xa4, 0);
	write4(v, 0x44, 1);
	write4(v, 0x70, 15);
}

static void put(uint32_t offset, uint64_t val, unsigned int width)
{
	for (unsigned int i = 0; i < width; i++)
		ram[(offset + i) % RAM_LEN] = val >> (8 * i);
}

static void step(struct fuzz *f, struct fbk_virtio *v)
{
	uint64_t a, b;

	switch (fuzz_take(f, 1) % 8) {
	case 0:
		a = fuzz_take(f, 2);
		fbk_virtio_write(v, a, 4, fuzz_take(f, 4));
		break;
	case 1:
		a = fuzz_take(f, 8);
		fbk_virtio_write(v, a, fuzz_take(f, 1) % 9, fuzz_take(f, 8));
		break;
	case 2:
		a = fuzz_take(f, 2);
		fbk_virtio_read(v, a, fuzz_take(f, 1) % 9);
		break;
	case 3:
		a = fuzz_take(f, 2);
		put(a, fuzz_take(f, 8), 8);
		break;
	case 4:
		set_up(v, 1u << fuzz_take(f, 1) % 8);
		break;
	case 5: /* a descriptor in RAM */
		a = 16 * (fuzz_take(f, 1) % 128) + 0x3000 * (fuzz_take(f, 1) % 2);
		put(a, FBK_RAM_BASE + fuzz_take(f, 2), 8);
		put(a + 8, fuzz_take(f, 2), 4);
		put(a + 12, fuzz_take(f, 1), 2);
		put(a + 14, fuzz_take(f, 1), 2);
		break;
	case 6: /* one more available */
		a = v->queue.num ? v->queue.num : 1;
		b = ram[0x1002] | ram[0x1003] << 8;
		put(0x1004 + 2 * (b % a), fuzz_take(f, 1), 2);
		put(0x1002, b + 1, 2);
		write4(v, 0x50, 0);
		break;
	case 7: /* a request's header */
		a = fuzz_take(f, 2);
		put(a, fuzz_take(f, 1) % 16, 4);
		put(a + 8, fuzz_take(f, 1), 8);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz f = { data, len };
	struct fbk_virtio_blk blk = { .sectors = SECTORS, .id = "fuzz" };
	static struct fbk_virtio v;
	unsigned int kind = fuzz_take(&f, 1) % 3;
	uint8_t byte;

	open_once();
	memset(ram, 0, RAM_LEN);
	memset(&v, 0, sizeof(v));
	level = 0;
	CHECK(!ftruncate(disk_fd, 0) && !ftruncate(disk_fd, SECTORS * 512));
	blk.fd = disk_fd;
	blk.read_only = kind == 1;
	fbk_virtio_init(&v, 0, kind == 2 ? &fbk_virtio_rng_ops : fbk_virtio_blk_ops(&blk), &blk, &host);

	while (f.len) {
		step(&f, &v);
		CHECK(level == !!v.isr);
		CHECK(!v.queue.ready || fbk_virtq_valid(&v.queue, &gmem));
		CHECK(v.chain.nr_readable <= v.chain.nr_segs && v.chain.nr_segs <= FBK_VIRTQ_MAX);
	}
	CHECK(lseek(disk_fd, 0, SEEK_END) == SECTORS * 512);
	for (int i = 0; blk.read_only && i < SECTORS; i++)
		CHECK(pread(disk_fd, &byte, 1, 512 * i) == 1 && byte == 0);
	fbk_virtio_reset(&v);
	CHECK(!level);
	return 0;
}
