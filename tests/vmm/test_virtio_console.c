/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_virtio_console.c - what a driver says and hears: through a host that takes little at a time, in bad buffers, and behind the
 * whole console, whose standard output is a pipe.
 */
#include "test.h"

#include "console.h"
#include "driver.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GPA(offset) (FBK_RAM_BASE + (offset))
#define TEXT DRV_DATA
#define BUFFER 0x6000

static struct driver d;
static struct fbk_virtio_console c;

/* The host: takes as many bytes as it is let. */
static char said[200000];
static size_t nr_said, takes;
static int waits, drains;

static size_t transmit(void *opaque, const uint8_t *buf, size_t len)
{
	if (len > takes)
		len = takes;
	assert_in_range(nr_said + len, 0, sizeof(said) - 1);
	memcpy(said + nr_said, buf, len);
	nr_said += len;
	takes -= len;
	return len;
}

static void wait(void *opaque)
{
	waits++;
}

static void drained(void *opaque)
{
	drains++;
}

static int setup(void **state)
{
	memset(&c, 0, sizeof(c));
	fbk_virtio_console_init(&c);
	c.v = &d.dev;
	c.transmit = transmit;
	c.wait = wait;
	c.drained = drained;
	nr_said = 0;
	waits = drains = 0;
	takes = SIZE_MAX;
	driver_open(&d, &fbk_virtio_console_ops, &c);
	driver_start_two(&d, 0);
	return 0;
}

static int teardown(void **state)
{
	driver_close(&d);
	return 0;
}

static void put_text(uint64_t at, const char *text)
{
	memcpy(d.ram.at + at, text, strlen(text));
}

/* One piece of text from descriptor @i on. */
static void say(unsigned int i, const char *text)
{
	put_text(TEXT + 0x100 * i, text);
	driver_desc(&d, DRV_DESC1, i, GPA(TEXT + 0x100 * i), strlen(text), 0, 0);
	driver_kick1(&d, i);
}

static void has_said(const char *text)
{
	assert_int_equal(nr_said, strlen(text));
	assert_memory_equal(said, text, nr_said);
}

static void give(unsigned int i, uint64_t gpa, uint32_t len)
{
	driver_desc(&d, DRV_DESC, i, gpa, len, DRV_WRITE, 0);
	driver_kick(&d, i);
}

static uint32_t used_len(unsigned int i)
{
	return test_ram_get(&d.ram, DRV_USED + 4 + 8 * i + 4, 4);
}

static void type(const char *text)
{
	fbk_virtio_console_type(&c, text, strlen(text));
	fbk_virtio_console_deliver(&c);
}

static void configuration(void **state)
{
	assert_int_equal(driver_read(&d, 8), 3);
	driver_write(&d, 0x14, 0);
	assert_int_equal(driver_read(&d, 0x10), 1u << 28); /* no port but one, no size, no EVENT_IDX */
	assert_int_equal(driver_read(&d, 0x100), 0);
	for (uint32_t queue = 0; queue < 4; queue++) {
		driver_write(&d, 0x30, queue);
		assert_int_equal(driver_read(&d, 0x34), queue < 2 ? FBK_VIRTQ_MAX : 0);
	}
}

static void says(void **state)
{
	say(0, "hello, ");
	assert_int_equal(driver_used1(&d), 1);
	assert_int_equal(d.irqs, 1);
	assert_int_equal(test_ram_get(&d.ram, DRV_USED1 + 8, 4), 0);
	/* Several pieces in one; what may be written does not count. */
	put_text(TEXT, "wo");
	put_text(TEXT + 0x800, "rld");
	driver_desc(&d, DRV_DESC1, 0, GPA(TEXT), 2, DRV_NEXT, 1);
	driver_desc(&d, DRV_DESC1, 1, GPA(TEXT + 0x800), 3, DRV_NEXT, 2);
	driver_desc(&d, DRV_DESC1, 2, GPA(BUFFER), 100, DRV_WRITE, 0);
	driver_kick1(&d, 0);
	has_said("hello, world");
	say(0, "");
	assert_int_equal(driver_used1(&d), 3);
	has_said("hello, world");
	assert_int_equal(waits, 0);
}

/* It comes in order and whole, however little is taken at a time, and nothing is held meanwhile. */
static void says_slowly(void **state)
{
	takes = 3;
	say(0, "abcdefgh");
	has_said("abc");
	assert_int_equal(waits, 1);
	assert_int_equal(driver_used1(&d), 0);
	assert_int_equal(fbk_virtio_in_flight(&d.dev), 0);
	say(1, "ijk");
	has_said("abc");
	takes = 4;
	fbk_virtio_console_resume(&c);
	has_said("abcdefg");
	takes = 2;
	fbk_virtio_console_resume(&c);
	has_said("abcdefghi");
	assert_int_equal(driver_used1(&d), 1);
	takes = SIZE_MAX;
	fbk_virtio_console_resume(&c);
	has_said("abcdefghijk");
	assert_int_equal(driver_used1(&d), 2);
	fbk_virtio_console_resume(&c);
	has_said("abcdefghijk");
}

/* What a driver that is gone had left to say is not the next one's. */
static void a_new_driver_begins_anew(void **state)
{
	takes = 3;
	say(0, "abcdefgh");
	driver_start_two(&d, 0);
	takes = SIZE_MAX;
	fbk_virtio_console_resume(&c);
	has_said("abc");
	say(0, "XYZ");
	has_said("abcXYZ");
	/* Likewise for one that takes away the queue alone. */
	takes = 1;
	say(1, "12");
	driver_write(&d, 0x30, 1);
	driver_write(&d, 0x44, 0);
	takes = SIZE_MAX;
	memset(d.ram.at + DRV_AVAIL1, 0, 0x1000);
	memset(d.ram.at + DRV_USED1, 0, 0x1000);
	d.avail_idx1 = 0;
	driver_set_queue(&d, 1, DRV_DESC1, DRV_AVAIL1, DRV_USED1);
	say(0, "345");
	has_said("abcXYZ1345");
}

/* A chain of any length takes a thread for a bounded time only. */
static void says_without_end(void **state)
{
	for (unsigned int i = 0; i < 4; i++)
		driver_desc(&d, DRV_DESC1, i, GPA(0), TEST_RAM_LEN, i < 3 ? DRV_NEXT : 0, i + 1);
	driver_kick1(&d, 0);
	assert_in_range(nr_said, 1, TEST_RAM_LEN);
	assert_int_equal(waits, 1);
	assert_int_equal(driver_used1(&d), 0);
	nr_said = 0;
	for (int turn = 0; turn < 5; turn++) {
		size_t before = nr_said;

		fbk_virtio_console_resume(&c);
		assert_in_range(nr_said - before, 0, TEST_RAM_LEN);
	}
	assert_int_equal(driver_used1(&d), 1);
}

/* What cannot be read is lost, the page told where there is one, and the rest goes on. */
static void bad_text(void **state)
{
	driver_desc(&d, DRV_DESC1, 0, 0x1000, 8, 0, 0);
	driver_kick1(&d, 0);
	driver_desc(&d, DRV_DESC1, 1, GPA(TEST_RAM_LEN - 4), 8, 0, 0);
	driver_kick1(&d, 1);
	driver_desc(&d, DRV_DESC1, 2, UINT64_MAX - 3, 8, 0, 0);
	driver_kick1(&d, 2);
	say(3, "alive");
	has_said("alive");
	assert_int_equal(driver_used1(&d), 4);
	assert_int_equal(driver_read(&d, 0x70), 15);
	assert_int_equal(d.nr_poisoned, 0);
	test_ram_cut(&d.ram, 0xf000);
	driver_desc(&d, DRV_DESC1, 0, GPA(0xf000), 8, 0, 0);
	driver_kick1(&d, 0);
	assert_int_equal(d.nr_poisoned, 1);
	assert_int_equal(d.poisoned.addr, GPA(0xf000));
	say(3, "!");
	has_said("alive!");
	assert_int_equal(driver_used1(&d), 6);
}

static void a_bad_ring(void **state)
{
	say(0, "one");
	test_ram_cut(&d.ram, DRV_AVAIL1);
	driver_write(&d, 0x50, 1);
	assert_int_equal(d.nr_poisoned, 1);
	assert_int_equal(driver_read(&d, 0x70), 15 | 64); /* DEVICE_NEEDS_RESET */
	driver_write(&d, 0x50, 1);
	fbk_virtio_console_resume(&c);
	assert_int_equal(d.nr_poisoned, 1);
	has_said("one");
}

static void hears(void **state)
{
	give(0, GPA(BUFFER), 100);
	assert_int_equal(driver_used(&d), 0);
	type("hello");
	assert_int_equal(driver_used(&d), 1);
	assert_int_equal(used_len(0), 5);
	assert_memory_equal(d.ram.at + BUFFER, "hello\0", 6);
	assert_int_equal(d.irqs, 1);
	/* Ahead of its buffers, and into several of them. */
	type("abcdef");
	assert_int_equal(driver_used(&d), 1);
	give(1, GPA(BUFFER + 0x100), 4);
	give(2, GPA(BUFFER + 0x200), 4);
	give(3, GPA(BUFFER + 0x300), 4);
	assert_int_equal(driver_used(&d), 3);
	assert_int_equal(used_len(1), 4);
	assert_int_equal(used_len(2), 2);
	assert_memory_equal(d.ram.at + BUFFER + 0x100, "abcd\0", 5);
	assert_memory_equal(d.ram.at + BUFFER + 0x200, "ef\0", 3);
	assert_int_equal(fbk_virtio_console_room(&c), FBK_CONSOLE_TYPED_MAX);
}

static void hears_later(void **state)
{
	char all[FBK_CONSOLE_TYPED_MAX + 1];

	memset(all, 'q', sizeof(all));
	driver_write(&d, 0x70, 0);
	type("early");
	driver_start_two(&d, 0);
	give(0, GPA(BUFFER), 100);
	assert_int_equal(used_len(0), 5);
	fbk_virtio_console_type(&c, all, sizeof(all)); /* one too many */
	assert_int_equal(fbk_virtio_console_room(&c), 0);
	assert_int_equal(drains, 0);
	give(1, GPA(BUFFER), 0x1000);
	assert_int_equal(used_len(1), FBK_CONSOLE_TYPED_MAX);
	assert_int_equal(drains, 1);
	type("forgotten");
	fbk_virtio_console_reset(&c);
	give(2, GPA(BUFFER), 100);
	assert_int_equal(driver_used(&d), 2);
}

/* No byte is lost to a buffer that cannot be written. */
static void bad_buffers(void **state)
{
	give(0, 0x1000, 100);
	give(1, GPA(TEST_RAM_LEN - 2), 100);
	driver_desc(&d, DRV_DESC, 2, GPA(BUFFER), 100, 0, 0); /* nothing that may be written */
	driver_kick(&d, 2);
	give(3, GPA(0xf000), 100);
	give(4, GPA(BUFFER), 100);
	test_ram_cut(&d.ram, 0xf000);
	type("hello");
	assert_int_equal(driver_used(&d), 5);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(used_len(i), 0);
	assert_int_equal(used_len(4), 5);
	assert_memory_equal(d.ram.at + BUFFER, "hello", 5);
	assert_int_equal(driver_read(&d, 0x70), 15);
	assert_int_equal(d.nr_poisoned, 1);
}

/* --- behind the whole console --------------------------------------------------------------------------------------- */

static struct fbk_console console;
static int out[2], real_out, wakes, panics;

static void on_irq(void *opaque, bool level)
{
}

static void on_panic(void *opaque)
{
	panics++;
}

static void on_wake(void *opaque)
{
	wakes++;
}

/* cmocka has standard output for itself again as soon as this is over. */
static int setup_console(void **state)
{
	setup(state);
	memset(&console, 0, sizeof(console));
	wakes = panics = 0;
	console.irq = on_irq;
	console.panicked = on_panic;
	console.wake = on_wake;
	assert_int_equal(fbk_console_init(&console), 0);
	fbk_console_use(&console, &c);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_in_range(fcntl(out[1], F_SETPIPE_SZ, 4096), 4096, 65536);
	return 0;
}

static int teardown_console(void **state)
{
	close(console.flush_fd);
	close(out[0]);
	close(out[1]);
	return teardown(state);
}

static void begin_output(void)
{
	fflush(stdout);
	real_out = dup(STDOUT_FILENO);
	dup2(out[1], STDOUT_FILENO);
}

static void end_output(void)
{
	dup2(real_out, STDOUT_FILENO);
	close(real_out);
}

static void lines_come_out_at_once(void **state)
{
	char text[64] = "";

	begin_output();
	say(0, "[ 1.0] Kernel panic - not ");
	say(1, "syncing: test\n");
	end_output();
	assert_int_equal(read(out[0], text, sizeof(text)), 40);
	assert_string_equal(text, "[ 1.0] Kernel panic - not syncing: test\n");
	assert_int_equal(panics, 1);
	assert_int_equal(wakes, 0);
}

/* A reader that does not read holds the driver up, loses nothing, and nobody waits in here. */
static void a_reader_that_does_not_read(void **state)
{
	char text[4096];
	size_t nr = 0, total = 3 * 4096;
	ssize_t n;

	memset(d.ram.at + TEXT, 'x', 4096);
	for (unsigned int i = 0; i < 3; i++)
		driver_desc(&d, DRV_DESC1, i, GPA(TEXT), 4096, i < 2 ? DRV_NEXT : 0, i + 1);
	begin_output();
	driver_kick1(&d, 0);
	end_output();
	assert_true(fbk_console_output_waits(&console));
	assert_int_equal(driver_used1(&d), 0);
	assert_int_equal(wakes, 1);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	while (nr < total) {
		while ((n = read(out[0], text, sizeof(text))) > 0)
			nr += n;
		begin_output();
		fbk_console_resume(&console);
		fbk_console_flush(&console);
		end_output();
	}
	assert_int_equal(nr, total);
	assert_int_equal(driver_used1(&d), 1);
	assert_false(fbk_console_output_waits(&console));
}

/* Somebody who types on the tap, and reads there. */
static void the_tap(void **state)
{
	char text[16] = "";

	fbk_console_attach(&console, true);
	console.tap.told = on_wake;
	give(0, GPA(BUFFER), 100);
	fbk_console_tap_type(&console, "ls\n", 3);
	assert_int_equal(fbk_console_feed(&console), 0);
	fbk_console_deliver(&console);
	assert_int_equal(used_len(0), 3);
	assert_memory_equal(d.ram.at + BUFFER, "ls\n", 3);
	begin_output();
	say(0, "files\n");
	end_output();
	assert_int_equal(fbk_console_tap_read(&console, text, sizeof(text)), 6);
	assert_string_equal(text, "files\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(configuration, setup, teardown),
		cmocka_unit_test_setup_teardown(says, setup, teardown),
		cmocka_unit_test_setup_teardown(says_slowly, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_driver_begins_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(says_without_end, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_text, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bad_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(hears, setup, teardown),
		cmocka_unit_test_setup_teardown(hears_later, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_buffers, setup, teardown),
		cmocka_unit_test_setup_teardown(lines_come_out_at_once, setup_console, teardown_console),
		cmocka_unit_test_setup_teardown(a_reader_that_does_not_read, setup_console, teardown_console),
		cmocka_unit_test_setup_teardown(the_tap, setup_console, teardown_console),
	};

	return cmocka_run_group_tests_name("vmm-virtio-console", tests, NULL, NULL);
}
