/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_console.c - a hostile driver of a virtio console, whose host takes as much as it likes: any rings, any text, typed at any
 * time.
 *
 * Whatever came before, a new and decent driver is then understood to the letter, and hears what was typed. Built with PLANTED_BUG
 * the device remembers how far it had come with what the last driver said, and must be caught at it.
 */
#include "fuzz_driver.h"

#include "virtio-console.h"

#define RAM_LEN 0x10000
#define TEXT 0x8000
#define BUFFER 0x9000

static struct fbk_virtio_console console;
static size_t takes;
static bool waits;

/* What was said since that was forgotten. */
static uint8_t said[64];
static size_t nr_said;

static size_t transmit(void *opaque, const uint8_t *buf, size_t len)
{
	static uint8_t all[256];

	CHECK(len && len <= sizeof(all));
	memcpy(all, buf, len);
	if (len > takes)
		len = takes;
	takes -= len;
	for (size_t i = 0; i < len && nr_said < sizeof(said); i++)
		said[nr_said++] = all[i];
	return len;
}

static void on_wait(void *opaque)
{
	waits = true;
}

static void on_drained(void *opaque)
{
	CHECK(fbk_virtio_console_room(&console));
}

static void resume(void)
{
	waits = false;
	fbk_virtio_console_resume(&console);
}

static void type(struct fuzz *f, size_t len)
{
	uint8_t buf[FBK_CONSOLE_TYPED_MAX];
	size_t room = fbk_virtio_console_room(&console);

	for (size_t i = 0; i < len; i++)
		buf[i] = fuzz_take(f, 1);
	fbk_virtio_console_type(&console, buf, len);
	CHECK(fbk_virtio_console_room(&console) == (len < room ? room - len : 0));
	fbk_virtio_console_deliver(&console);
}

static void step(struct fuzz *f)
{
	unsigned int number = fuzz_take(f, 1) % 7;
	uint64_t a;

	if (driver_step(f, number))
		return;
	switch (number) {
	case 1:
		a = fuzz_take(f, 1);
		fuzz_start(2, 1u << a % 8, a & 0x80 ? 1u << 28 : 0);
		break;
	case 5:
		type(f, fuzz_take(f, 1) % FBK_CONSOLE_TYPED_MAX);
		break;
	case 6:
		takes = fuzz_take(f, 2);
		resume();
		break;
	}
}

static void put_desc(uint32_t at, uint64_t gpa, uint32_t len, uint16_t flags)
{
	put(at, gpa, 8);
	put(at + 8, len, 4);
	put(at + 12, flags, 2);
	put(at + 14, 0, 2);
}

/* A driver that does all as it should. */
static void decent(void)
{
	static const char text[] = "What is said is said.";
	uint32_t typed;

	memset(ram, 0, RAM_LEN);
	fuzz_start(2, 8, 1u << 28);
	CHECK(fbk_virtio_read(&v, 0x70, 4) == 15);
	takes = 5;
	nr_said = 0;
	memcpy(ram + TEXT, text, sizeof(text));
	put_desc(FUZZ_DESC(1), FBK_RAM_BASE + TEXT, sizeof(text), 0);
	make_available(1, 0);
	for (int turns = 0; waits; turns++) {
		CHECK(turns < 100);
		takes = 5;
		resume();
	}
	CHECK(nr_said == sizeof(text) && !memcmp(said, text, sizeof(text)));
	CHECK(ram[FUZZ_USED(1) + 2] == 1);

	fbk_virtio_console_type(&console, "x", 1);
	typed = console.typed_len;
	put_desc(FUZZ_DESC(0), FBK_RAM_BASE + BUFFER, 2 * FBK_CONSOLE_TYPED_MAX, 2);
	make_available(0, 0);
	CHECK(ram[FUZZ_USED(0) + 2] == 1);
	CHECK((ram[FUZZ_USED(0) + 8] | ram[FUZZ_USED(0) + 9] << 8) == (int)typed);
	CHECK(typed == FBK_CONSOLE_TYPED_MAX || ram[BUFFER + typed - 1] == 'x');
	CHECK(!console.typed_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct fbk_virtio_ops ops;
	struct fuzz f = { data, len };

	ops = fbk_virtio_console_ops;
#ifdef PLANTED_BUG
	ops.forget = NULL;
#endif
	memset(&console, 0, sizeof(console));
	fbk_virtio_console_init(&console);
	console.v = &v;
	console.transmit = transmit;
	console.wait = on_wait;
	console.drained = on_drained;
	takes = 100;
	waits = false;
	fuzz_open(RAM_LEN, &ops, &console);
	while (f.len) {
		step(&f);
		/* Nothing is held that a reset would wait for, and what is typed is whole. */
		CHECK(!fbk_virtio_in_flight(&v));
		CHECK(console.typed_len <= FBK_CONSOLE_TYPED_MAX && console.typed_head < FBK_CONSOLE_TYPED_MAX);
	}
	decent();
	return 0;
}
