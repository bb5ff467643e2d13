/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_blk.c - the disk: requests good and bad, and pages that go bad under them.
 */
#include "test.h"

#include "driver.h"
#include "virtio-blk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GPA(offset) (FBK_RAM_BASE + (offset))
#define SECTORS 64
#define HEADER DRV_DATA
#define STATUS (DRV_DATA + 16)
#define BUFFER 0x5000

enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8 };
enum { OK = 0, IOERR = 1, UNSUPP = 2, UNTOUCHED = 0xee };

static struct driver d;
static struct fbk_virtio_blk blk;
static char path[] = "/tmp/fbk-blk-XXXXXX";

static void open_disk(bool read_only)
{
	assert_int_equal(fbk_virtio_blk_open(&blk, path, read_only, 0), 0);
	driver_open(&d, &fbk_virtio_blk_ops, &blk);
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
	bool to_guest = type != OUT;

	test_ram_put(&d.ram, HEADER, type, 4);
	test_ram_put(&d.ram, HEADER + 4, 0, 4);
	test_ram_put(&d.ram, HEADER + 8, sector, 8);
	test_ram_put(&d.ram, STATUS, UNTOUCHED, 1);
	driver_desc(&d, DRV_DESC, 0, GPA(HEADER), 16, DRV_NEXT, len ? 1 : 2);
	driver_desc(&d, DRV_DESC, 1, data_gpa, len, DRV_NEXT | (to_guest ? DRV_WRITE : 0), 2);
	driver_desc(&d, DRV_DESC, 2, GPA(STATUS), 1, DRV_WRITE, 0);
	driver_kick(&d, 0);
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
	assert_int_equal(driver_used_len(&d), 513);
	assert_int_equal(d.ram.at[BUFFER + 99], 9);
	assert_int_equal(d.ram.at[BUFFER + 100], 0);
	assert_int_equal(d.ram.at[BUFFER + 0x400 + 411], 9);
	assert_int_equal(d.ram.at[BUFFER + 0x400 + 412], OK);
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
	struct fbk_virtio_blk b;

	assert_int_equal(fbk_virtio_blk_open(&b, "/nonexistent", false, 0), -ENOENT);
	assert_int_equal(fbk_virtio_blk_open(&b, "/dev/null", false, 0), -EINVAL);
	assert_int_equal(fbk_virtio_blk_open(&b, "/tmp", true, 0), -EINVAL);
	assert_int_equal(truncate(path, 511), 0);
	assert_int_equal(fbk_virtio_blk_open(&b, path, false, 0), -EINVAL);
	assert_int_equal(truncate(path, 512), 0);
	assert_int_equal(fbk_virtio_blk_open(&b, path, false, 0), 0);
	assert_int_equal(b.sectors, 1);
	close(b.fd);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CASE(configuration),	    CASE(reads),		CASE(writes),
		CASE(identifies),	    CASE(scattered),		CASE(bad_requests_get_an_error),
		CASE(no_room_for_a_status), CASE(a_short_header),	CASE(read_only),
		CASE(poisoned_buffers),	    CASE(unusable_images),
	};

	return cmocka_run_group_tests_name("vmm-blk", tests, NULL, NULL);
}
