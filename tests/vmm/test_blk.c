/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_blk.c - the disk: requests good and bad, and pages that go bad under them.
 *
 * All of it by system calls, with "uring" again by io_uring where this machine has it; with "late" what depends on the order in
 * which requests are carried out, by a backend that the test answers for.
 */
#include "test.h"

#include "driver.h"
#include "virtio-blk.h"
#ifdef FBK_HAVE_URING
#include "uring.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GPA(offset) (FBK_RAM_BASE + (offset))
#define SECTORS 64
#define HEADER DRV_DATA
#define STATUS (DRV_DATA + 16)
#define BUFFER 0x5000

enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, WRITE_ZEROES = 13 };
enum { OK = 0, IOERR = 1, UNSUPP = 2, UNTOUCHED = 0xee };

static struct driver d;
static struct fbk_virtio_blk blk;
static char path[] = "/tmp/fbk-blk-XXXXXX";

static struct fbk_aio *aio = &fbk_aio_sync;
static struct fbk_loop loop;

static void open_disk(bool read_only)
{
	memset(&blk, 0, sizeof(blk));
	assert_int_equal(fbk_virtio_blk_open(&blk, path, read_only, 2, 0, aio), 0);
	driver_open(&d, &fbk_virtio_blk_ops, &blk);
}

/* What the I/O thread does, until nothing is under way. */
static void settle(void)
{
	uint64_t deadline = fbk_loop_now() + 20000000000ull;

	while (fbk_virtio_in_flight(&d.dev)) {
		assert_int_equal(fbk_loop_turn(&loop, deadline), 0);
		assert_true(fbk_loop_now() < deadline);
	}
}

static int setup(void **state)
{
	uint8_t sector[512];
	int fd;

	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	for (int i = 0; i < SECTORS; i++) {
		memset(sector, i, sizeof(sector));
		assert_int_equal(write(fd, sector, sizeof(sector)), sizeof(sector));
	}
	close(fd);
	open_disk(false);
	return 0;
}

static int teardown(void **state)
{
	driver_close(&d);
	close(blk.fd);
	unlink(path);
	return 0;
}

/* One request: header, one data buffer, status. Return: the status byte. */
static unsigned int request(uint32_t type, uint64_t sector, uint64_t data_gpa, uint32_t len)
{
	bool to_guest = type != OUT && type != DISCARD && type != WRITE_ZEROES;

	test_ram_put(&d.ram, HEADER, type, 4);
	test_ram_put(&d.ram, HEADER + 4, 0, 4);
	test_ram_put(&d.ram, HEADER + 8, sector, 8);
	test_ram_put(&d.ram, STATUS, UNTOUCHED, 1);
	driver_desc(&d, DRV_DESC, 0, GPA(HEADER), 16, DRV_NEXT, len ? 1 : 2);
	driver_desc(&d, DRV_DESC, 1, data_gpa, len, DRV_NEXT | (to_guest ? DRV_WRITE : 0), 2);
	driver_desc(&d, DRV_DESC, 2, GPA(STATUS), 1, DRV_WRITE, 0);
	driver_kick(&d, 0);
	settle();
	return test_ram_get(&d.ram, STATUS, 1);
}

static uint8_t disk_byte(uint64_t sector)
{
	uint8_t b;

	assert_int_equal(pread(blk.fd, &b, 1, sector * 512), 1);
	return b;
}

static void configuration(void **state)
{
	assert_int_equal(driver_read(&d, 8), 2);
	assert_int_equal(driver_read(&d, 0x100), SECTORS);
	assert_int_equal(driver_read(&d, 0x104), 0);
	assert_int_equal(driver_read(&d, 0x10c), 126);
	assert_int_equal(driver_read(&d, 0x114), 512);
	assert_int_equal(fbk_virtio_read(&d.dev, 0x100, 1), SECTORS);
	assert_int_equal(driver_read(&d, 0x1fc), 0);
}

static void reads(void **state)
{
	assert_int_equal(request(IN, 5, GPA(BUFFER), 1024), OK);
	assert_int_equal(d.ram.at[BUFFER], 5);
	assert_int_equal(d.ram.at[BUFFER + 1023], 6);
	assert_int_equal(d.ram.at[BUFFER + 1024], 0);
	assert_int_equal(driver_used_len(&d), 1025);
	assert_int_equal(request(IN, SECTORS - 1, GPA(BUFFER), 512), OK);
}

static void writes(void **state)
{
	memset(d.ram.at + BUFFER, 0xab, 1024);
	assert_int_equal(request(OUT, 7, GPA(BUFFER), 1024), OK);
	assert_int_equal(disk_byte(6), 6);
	assert_int_equal(disk_byte(7), 0xab);
	assert_int_equal(disk_byte(8), 0xab);
	assert_int_equal(disk_byte(9), 9);
	assert_int_equal(driver_used_len(&d), 1);
	assert_int_equal(request(FLUSH, 0, 0, 0), OK);
}

static void identifies(void **state)
{
	assert_int_equal(request(GET_ID, 0, GPA(BUFFER), 20), OK);
	assert_string_equal((char *)d.ram.at + BUFFER, "firebreak-0");
	assert_int_equal(request(GET_ID, 0, GPA(BUFFER), 4), OK);
}

/* Header and data in many pieces, the status at a piece's end. */
static void scattered(void **state)
{
	test_ram_put(&d.ram, HEADER, IN, 4);
	test_ram_put(&d.ram, HEADER + 0x100, 0, 4);
	test_ram_put(&d.ram, HEADER + 0x200, 9, 8);
	driver_desc(&d, DRV_TABLE, 0, GPA(HEADER), 4, DRV_NEXT, 1);
	driver_desc(&d, DRV_TABLE, 1, GPA(HEADER + 0x100), 4, DRV_NEXT, 2);
	driver_desc(&d, DRV_TABLE, 2, GPA(HEADER + 0x200), 8, DRV_NEXT, 3);
	driver_desc(&d, DRV_TABLE, 3, GPA(BUFFER), 100, DRV_NEXT | DRV_WRITE, 4);
	driver_desc(&d, DRV_TABLE, 4, GPA(BUFFER + 0x400), 413, DRV_WRITE, 0);
	driver_desc(&d, DRV_DESC, 0, GPA(DRV_TABLE), 80, DRV_INDIRECT, 0);
	driver_kick(&d, 0);
	settle();
	assert_int_equal(driver_used_len(&d), 513);
	assert_int_equal(d.ram.at[BUFFER + 99], 9);
	assert_int_equal(d.ram.at[BUFFER + 100], 0);
	assert_int_equal(d.ram.at[BUFFER + 0x400 + 411], 9);
	assert_int_equal(d.ram.at[BUFFER + 0x400 + 412], OK);
}

static void put_range(unsigned int i, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	test_ram_put(&d.ram, BUFFER + 16 * i, sector, 8);
	test_ram_put(&d.ram, BUFFER + 16 * i + 8, sectors, 4);
	test_ram_put(&d.ram, BUFFER + 16 * i + 12, flags, 4);
}

static long blocks(void)
{
	struct stat st;

	assert_int_equal(fstat(blk.fd, &st), 0);
	return st.st_blocks;
}

static void ranges(void **state)
{
	long before = blocks();
	struct stat st;

	if (!blk.can_discard) {
		print_message("# no holes in files of /tmp here: not tried\n");
		skip();
	}
	driver_write(&d, 0x14, 0);
	assert_int_equal(driver_read(&d, 0x10) >> 12 & 7, 7); /* MQ, DISCARD, WRITE_ZEROES */
	assert_int_equal(driver_read(&d, 0x124), 524288);
	assert_int_equal(driver_read(&d, 0x128), 16);
	assert_int_equal(driver_read(&d, 0x12c), 8);
	assert_int_equal(driver_read(&d, 0x130), 524288);
	assert_int_equal(driver_read(&d, 0x134), 16);
	assert_int_equal(fbk_virtio_read(&d.dev, 0x138, 1), 1);

	put_range(0, 8, 8, 0);
	put_range(1, 0, 0, 0);
	put_range(2, 24, 8, 0);
	assert_int_equal(request(DISCARD, 0, GPA(BUFFER), 48), OK);
	assert_int_equal(disk_byte(7), 7);
	assert_int_equal(disk_byte(8), 0);
	assert_int_equal(disk_byte(15), 0);
	assert_int_equal(disk_byte(16), 16);
	assert_int_equal(disk_byte(24), 0);
	assert_int_equal(disk_byte(32), 32);
	assert_true(blocks() < before);
	assert_int_equal(driver_used_len(&d), 1);

	put_range(0, 33, 2, 0);
	put_range(1, SECTORS - 1, 1, 1);
	assert_int_equal(request(WRITE_ZEROES, 0, GPA(BUFFER), 32), OK);
	assert_int_equal(disk_byte(32), 32);
	assert_int_equal(disk_byte(33), 0);
	assert_int_equal(disk_byte(34), 0);
	assert_int_equal(disk_byte(35), 35);
	assert_int_equal(disk_byte(SECTORS - 1), 0);
	assert_int_equal(fstat(blk.fd, &st), 0);
	assert_int_equal(st.st_size, SECTORS * 512);
}

/* The first range is good each time, and must not be touched. */
static void bad_ranges(void **state)
{
	static const struct {
		uint32_t type;
		uint64_t sector;
		uint32_t sectors, flags, len;
		unsigned int status;
	} rows[] = {
		{ DISCARD, SECTORS, 1, 0, 32, IOERR },
		{ DISCARD, SECTORS - 1, 2, 0, 32, IOERR },
		{ DISCARD, UINT64_MAX, 1, 0, 32, IOERR },
		{ DISCARD, UINT64_MAX >> 9, 2, 0, 32, IOERR },
		{ DISCARD, 1, UINT32_MAX, 0, 32, IOERR },
		{ DISCARD, 1, 1, 1, 32, UNSUPP }, /* [VIRTIO 5.2.6.2]: unmap is of write-zeroes alone */
		{ WRITE_ZEROES, 1, 1, 2, 32, UNSUPP },
		{ WRITE_ZEROES, SECTORS, 1, 1, 32, IOERR },
		{ WRITE_ZEROES, 1, 1, 0, 31, IOERR },
		{ DISCARD, 1, 1, 0, 0, IOERR },
		{ DISCARD, 1, 1, 0, 17 * 16, IOERR },
	};

	if (!blk.can_discard)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(d.ram.at + BUFFER, 0, 17 * 16);
		put_range(0, 5, 1, 0);
		put_range(1, rows[i].sector, rows[i].sectors, rows[i].flags);
		if (request(rows[i].type, 0, GPA(BUFFER), rows[i].len) != rows[i].status)
			fail_msg("row %zu: %u", i, d.ram.at[STATUS]);
		assert_int_equal(disk_byte(5), 5);
		assert_int_equal(disk_byte(1), 1);
	}
	assert_int_equal(driver_read(&d, 0x70), 15);
	/* What is not offered is not carried out. */
	blk.can_discard = blk.can_zero = false;
	put_range(0, 5, 1, 0);
	assert_int_equal(request(DISCARD, 0, GPA(BUFFER), 16), UNSUPP);
	assert_int_equal(request(WRITE_ZEROES, 0, GPA(BUFFER), 16), UNSUPP);
	assert_int_equal(disk_byte(5), 5);
	assert_int_equal(driver_read(&d, 0x124), 0);
}

static void bad_requests_get_an_error(void **state)
{
	assert_int_equal(request(IN, SECTORS, GPA(BUFFER), 512), IOERR);
	assert_int_equal(request(IN, SECTORS - 1, GPA(BUFFER), 1024), IOERR);
	assert_int_equal(request(IN, UINT64_MAX, GPA(BUFFER), 512), IOERR);
	assert_int_equal(request(IN, UINT64_MAX / 512, GPA(BUFFER), 512), IOERR);
	assert_int_equal(request(IN, 0, GPA(BUFFER), 511), IOERR);
	assert_int_equal(request(OUT, SECTORS, GPA(BUFFER), 512), IOERR);
	assert_int_equal(request(IN, 0, 0x1000, 512), IOERR);
	assert_int_equal(request(IN, 0, GPA(TEST_RAM_LEN - 256), 512), IOERR);
	assert_int_equal(request(OUT, 0, UINT64_MAX - 511, 512), IOERR);
	assert_int_equal(request(99, 0, GPA(BUFFER), 512), UNSUPP);
	assert_int_equal(disk_byte(0), 0);
	assert_int_equal(driver_used(&d), 10);
	assert_int_equal(driver_read(&d, 0x70), 15);
	assert_int_equal(d.nr_poisoned, 0);
}

static void no_room_for_a_status(void **state)
{
	driver_desc(&d, DRV_DESC, 0, GPA(HEADER), 16, 0, 0);
	driver_kick(&d, 0);
	assert_int_equal(driver_read(&d, 0x70) & 0x40, 0x40);
}

static void a_short_header(void **state)
{
	driver_desc(&d, DRV_DESC, 0, GPA(HEADER), 15, DRV_NEXT, 1);
	driver_desc(&d, DRV_DESC, 1, GPA(STATUS), 1, DRV_WRITE, 0);
	driver_kick(&d, 0);
	assert_int_equal(test_ram_get(&d.ram, STATUS, 1), IOERR);
}

static void read_only(void **state)
{
	driver_close(&d);
	close(blk.fd);
	open_disk(true);
	driver_write(&d, 0x14, 0);
	assert_int_equal(driver_read(&d, 0x10) & 1 << 5, 1 << 5);
	memset(d.ram.at + BUFFER, 0xab, 512);
	assert_int_equal(request(OUT, 3, GPA(BUFFER), 512), IOERR);
	assert_int_equal(driver_read(&d, 0x10) & 3 << 13, 0); /* neither DISCARD nor WRITE_ZEROES */
	put_range(0, 3, 1, 0);
	assert_int_equal(request(DISCARD, 0, GPA(BUFFER), 16), IOERR);
	assert_int_equal(request(WRITE_ZEROES, 0, GPA(BUFFER), 16), IOERR);
	assert_int_equal(disk_byte(3), 3);
	assert_int_equal(request(IN, 3, GPA(BUFFER), 512), OK);
}

/* The host's copy meets a bad page: an I/O error for the guest, the page told, the device alive. */
static void poisoned_buffers(void **state)
{
	unsigned int status;

	test_ram_cut(&d.ram, 0x8000);
	status = request(IN, 0, GPA(0x7e00), 1024);
	assert_int_equal(status, IOERR);
	assert_int_equal(d.nr_poisoned, 1);
	assert_in_range(d.poisoned.addr, GPA(0x7e00), GPA(0x8000));
	status = request(OUT, 0, GPA(0x8000), 512);
	assert_int_equal(status, IOERR);
	assert_int_equal(d.nr_poisoned, 2);
	assert_int_equal(d.poisoned.addr, GPA(0x8000));
	assert_int_equal(request(IN, 4, GPA(BUFFER), 512), OK);
	assert_int_equal(driver_read(&d, 0x70), 15);
}

static void unusable_images(void **state)
{
	static struct fbk_virtio_blk b;

	assert_int_equal(fbk_virtio_blk_open(&b, "/nonexistent", false, 1, 0, aio), -ENOENT);
	assert_int_equal(fbk_virtio_blk_open(&b, "/dev/null", false, 1, 0, aio), -EINVAL);
	assert_int_equal(fbk_virtio_blk_open(&b, "/tmp", true, 1, 0, aio), -EINVAL);
	assert_int_equal(truncate(path, 511), 0);
	assert_int_equal(fbk_virtio_blk_open(&b, path, false, 1, 0, aio), -EINVAL);
	assert_int_equal(truncate(path, 512), 0);
	close(blk.fd);
	blk.fd = -1;
	assert_int_equal(fbk_virtio_blk_open(&b, path, false, 1, 0, aio), 0);
	assert_int_equal(b.sectors, 1);
	close(b.fd);
}

static void locked(void **state)
{
	static struct fbk_virtio_blk b, c;

	assert_int_equal(fbk_virtio_blk_open(&b, path, false, 1, 0, aio), -EBUSY);
	assert_int_equal(fbk_virtio_blk_open(&b, path, true, 1, 0, aio), -EBUSY);
	close(blk.fd);
	blk.fd = -1;
	assert_int_equal(fbk_virtio_blk_open(&b, path, true, 1, 0, aio), 0);
	assert_int_equal(fbk_virtio_blk_open(&c, path, true, 1, 0, aio), 0);
	close(c.fd);
	assert_int_equal(fbk_virtio_blk_open(&c, path, false, 1, 0, aio), -EBUSY);
	close(b.fd);
	assert_int_equal(fbk_virtio_blk_open(&c, path, false, 1, 0, aio), 0);
	close(c.fd);
}

/* --- a backend that the test answers for --------------------------------------------------------------------------- */

#define CALLS_MAX (FBK_BLK_IN_FLIGHT + 1)

static struct {
	struct fbk_aio aio; /* first */
	struct fbk_aio_op *op[CALLS_MAX];
	unsigned int nr, flushed;
} fake;

static int64_t fake_start(struct fbk_aio *a, struct fbk_aio_op *op)
{
	assert_true(fake.nr < CALLS_MAX);
	fake.op[fake.nr++] = op;
	return FBK_AIO_LATER;
}

static void fake_flush(struct fbk_aio *a)
{
	fake.flushed++;
}

/* The i-th of those that wait; the others keep their order. */
static void fake_answer(unsigned int i, int64_t ret)
{
	struct fbk_aio_op *op = fake.op[i];

	assert_true(i < fake.nr);
	memmove(&fake.op[i], &fake.op[i + 1], (--fake.nr - i) * sizeof(fake.op[0]));
	op->done(op, ret);
}

static int setup_fake(void **state)
{
	int r;

	memset(&fake, 0, sizeof(fake));
	fake.aio = (struct fbk_aio){ fake_start, fake_flush };
	aio = &fake.aio;
	r = setup(state);
	aio = &fbk_aio_sync;
	return r;
}

/* Request @i of several: of one sector, with header, data and status of its own. */
static void put_request(unsigned int i, uint32_t type, uint64_t sector)
{
	uint64_t header = DRV_DATA + 32 * i, table = DRV_TABLE + 48 * i, data = BUFFER + 512 * i;

	test_ram_put(&d.ram, header, type, 4);
	test_ram_put(&d.ram, header + 8, sector, 8);
	test_ram_put(&d.ram, header + 16, UNTOUCHED, 1);
	driver_desc(&d, table, 0, GPA(header), 16, DRV_NEXT, 1);
	driver_desc(&d, table, 1, GPA(data), 512, DRV_NEXT | (type == IN ? DRV_WRITE : 0), 2);
	driver_desc(&d, table, 2, GPA(header + 16), 1, DRV_WRITE, 0);
	driver_desc(&d, DRV_DESC, i, GPA(table), 48, DRV_INDIRECT, 0);
}

static unsigned int status_of(unsigned int i)
{
	return d.ram.at[DRV_DATA + 32 * i + 16];
}

static void several_under_way(void **state)
{
	for (unsigned int i = 0; i < 4; i++) {
		put_request(i, i % 2 ? OUT : IN, 10 * i);
		driver_add(&d, i);
	}
	driver_write(&d, 0x50, 0);
	assert_int_equal(fake.nr, 4);
	assert_int_equal(fake.flushed, 1);
	assert_int_equal(driver_used(&d), 0);
	assert_int_equal(fbk_virtio_in_flight(&d.dev), 4);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(fake.op[i]->kind, i % 2 ? FBK_AIO_WRITE : FBK_AIO_READ);
		assert_int_equal(fake.op[i]->offset, 5120 * i);
		assert_int_equal(fake.op[i]->nr_iov, 1);
		assert_ptr_equal(fake.op[i]->iov->iov_base, d.ram.at + BUFFER + 512 * i);
		assert_int_equal(fake.op[i]->iov->iov_len, 512);
	}
	/* In an order of its own; one fails, and no other does. */
	fake_answer(2, 512);
	fake_answer(0, -EIO);
	fake_answer(1, 512);
	fake_answer(0, -ENOSPC);
	assert_int_equal(status_of(0), IOERR);
	assert_int_equal(status_of(1), IOERR);
	assert_int_equal(status_of(2), OK);
	assert_int_equal(status_of(3), OK);
	assert_int_equal(driver_used(&d), 4);
	assert_int_equal(test_ram_get(&d.ram, DRV_USED + 4, 4), 2);
	assert_int_equal(d.irqs, 4);
	assert_int_equal(blk.busy, 0);
}

static void short_counts(void **state)
{
	put_request(0, IN, 3);
	driver_kick(&d, 0);
	fake_answer(0, 100);
	assert_int_equal(fake.nr, 1);
	assert_int_equal(fake.op[0]->offset, 3 * 512 + 100);
	assert_ptr_equal(fake.op[0]->iov->iov_base, d.ram.at + BUFFER + 100);
	assert_int_equal(fake.op[0]->iov->iov_len, 412);
	fake_answer(0, -EINTR);
	assert_int_equal(fake.op[0]->iov->iov_len, 412);
	assert_int_equal(driver_used(&d), 0);
	fake_answer(0, 412);
	assert_int_equal(status_of(0), OK);
	assert_int_equal(driver_used_len(&d), 513);
	/* A file that has become shorter. */
	driver_kick(&d, 0);
	fake_answer(0, 0);
	assert_int_equal(status_of(0), IOERR);
	assert_int_equal(d.nr_poisoned, 0);
}

/* A short count up to the bad page, then EFAULT: the page is told, and nobody else is hurt. */
static void poison_under_load(void **state)
{
	for (unsigned int i = 0; i < 3; i++) {
		put_request(i, OUT, i);
		driver_add(&d, i);
	}
	driver_write(&d, 0x50, 0);
	fake_answer(1, 256);
	fake_answer(2, -EFAULT); /* it was started anew, behind the third */
	assert_int_equal(d.nr_poisoned, 1);
	assert_int_equal(d.poisoned.addr, GPA(BUFFER + 512 + 256));
	assert_int_equal(status_of(1), IOERR);
	fake_answer(1, 512);
	fake_answer(0, 512);
	assert_int_equal(status_of(0), OK);
	assert_int_equal(status_of(2), OK);
	assert_int_equal(driver_read(&d, 0x70), 15);
}

/* An image on a file system without FALLOC_FL_ZERO_RANGE gets holes instead, and is not asked twice. */
static void zeroes_without_zero_range(void **state)
{
	blk.can_discard = blk.can_zero = true;
	put_range(0, 4, 4, 0);
	test_ram_put(&d.ram, HEADER, WRITE_ZEROES, 4);
	driver_desc(&d, DRV_DESC, 0, GPA(HEADER), 16, DRV_NEXT, 1);
	driver_desc(&d, DRV_DESC, 1, GPA(BUFFER), 16, DRV_NEXT, 2);
	driver_desc(&d, DRV_DESC, 2, GPA(STATUS), 1, DRV_WRITE, 0);
	driver_kick(&d, 0);
	assert_int_equal(fake.op[0]->mode, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE);
	fake_answer(0, -EOPNOTSUPP);
	assert_int_equal(fake.nr, 1);
	assert_int_equal(fake.op[0]->mode, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	assert_int_equal(fake.op[0]->offset, 2048);
	assert_int_equal(fake.op[0]->len, 2048);
	fake_answer(0, 0);
	assert_int_equal(d.ram.at[STATUS], OK);
	driver_kick(&d, 0);
	assert_int_equal(fake.op[0]->mode, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	fake_answer(0, -EOPNOTSUPP);
	assert_int_equal(d.ram.at[STATUS], IOERR);
	assert_int_equal(fake.nr, 0);
}

/* More than the disk takes at a time, though all from one descriptor: the rest is not forgotten. */
static void more_than_fit(void **state)
{
	unsigned int total = 0, answered = 0;

	put_request(0, IN, 1);
	while (fake.nr < FBK_BLK_IN_FLIGHT) {
		driver_kick(&d, 0);
		total++;
	}
	for (int i = 0; i < 4; i++) {
		driver_kick(&d, 0);
		total++;
	}
	assert_int_equal(fake.nr, FBK_BLK_IN_FLIGHT);
	while (fake.nr) {
		fake_answer(fake.nr - 1, 512);
		answered++;
		driver_write(&d, 0x30, 0); /* what was kicked is looked at */
	}
	assert_int_equal(answered, total);
	assert_int_equal((uint16_t)total, driver_used(&d));
}

/* A driver that has reset the disk sets it up anew. */
static void starts_over(void)
{
	memset(d.ram.at, 0, BUFFER);
	d.avail_idx = 0;
	driver_start(&d, 0);
	put_request(0, IN, 1);
	driver_kick(&d, 0);
	fake_answer(0, 512);
	assert_int_equal(status_of(0), OK);
	assert_int_equal(driver_used(&d), 1);
}

/* The second queue's rings go bad while the first has a request under way: that one goes on, and a reset makes all well. */
static void a_bad_ring_under_load(void **state)
{
	driver_set_queue(&d, 1, 0x8000, 0x9000, 0xa000);
	put_request(0, IN, 1);
	driver_kick(&d, 0);
	test_ram_cut(&d.ram, 0x8000);
	driver_write(&d, 0x50, 1);
	assert_int_equal(d.nr_poisoned, 1);
	assert_int_equal(d.poisoned.addr, GPA(0x9000));
	assert_int_equal(driver_read(&d, 0x70), 15 | 0x40);
	fake_answer(0, 512);
	assert_int_equal(status_of(0), OK);
	assert_int_equal(driver_used(&d), 1);
	driver_kick(&d, 0);
	fake_answer(0, 512);
	assert_int_equal(driver_used(&d), 2);
	driver_write(&d, 0x50, 1); /* but not this one */
	assert_int_equal(fake.nr, 0);
	assert_int_equal(d.nr_poisoned, 1);
	starts_over();
}

static atomic_int reset_done;

static void *resetter(void *arg)
{
	fbk_virtio_write(&d.dev, 0x70, 4, 0);
	atomic_store(&reset_done, 1);
	return NULL;
}

/* And bind again: the driver starts over on the same disk. */
static void reset_waits(void **state)
{
	pthread_t thread;

	atomic_store(&reset_done, 0);
	put_request(0, IN, 1);
	put_request(1, IN, 2);
	driver_add(&d, 0);
	driver_kick(&d, 1);
	assert_int_equal(pthread_create(&thread, NULL, resetter, NULL), 0);
	fake_answer(0, 512);
	usleep(20000);
	assert_int_equal(atomic_load(&reset_done), 0);
	fake_answer(0, 512);
	pthread_join(thread, NULL);
	assert_int_equal(atomic_load(&reset_done), 1);
	assert_int_equal(driver_read(&d, 0x70), 0);
	starts_over();
}

static int run_all(const char *name)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(configuration),	    CASE(reads),		CASE(writes),
		CASE(identifies),	    CASE(scattered),		CASE(bad_requests_get_an_error),
		CASE(no_room_for_a_status), CASE(a_short_header),	CASE(read_only),
		CASE(poisoned_buffers),	    CASE(unusable_images),	CASE(ranges),
		CASE(bad_ranges),	    CASE(locked),
	};

	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(int argc, char **argv)
{
#define LATE(name) cmocka_unit_test_setup_teardown(name, setup_fake, teardown)
	static const struct CMUnitTest late[] = {
		LATE(several_under_way), LATE(short_counts),  LATE(poison_under_load), LATE(zeroes_without_zero_range),
		LATE(more_than_fit),	 LATE(reset_waits),   LATE(a_bad_ring_under_load),
	};
	int r;

	if (fbk_loop_init(&loop))
		return 1;
	if (argc < 2)
		return run_all("vmm-blk");
	if (!strcmp(argv[1], "late"))
		return cmocka_run_group_tests_name("vmm-blk-late", late, NULL, NULL);
#ifdef FBK_HAVE_URING
	static struct fbk_uring uring;

	r = fbk_uring_open(&uring, FBK_BLK_IN_FLIGHT, &loop);
	if (!r) {
		aio = &uring.aio;
		r = run_all("vmm-blk-uring");
		fbk_uring_close(&uring);
		return r;
	}
	printf("1..0 # SKIP io_uring: %s: what runs instead of it is what the other run of this program has tested\n", strerror(-r));
#else
	printf("1..0 # SKIP built without liburing\n");
#endif
	return 0;
}
