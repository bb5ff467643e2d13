/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_uart.c - any register accesses and any typed input: the FIFO keeps its order, the interrupt its truth, and no
 * escape sequence lets a byte through that was not typed.
 */
#include "fuzz.h"

#include "panic.h"
#include "pl011.h"
#include "terminal.h"

static bool level;
static size_t sent;

static void transmit(void *opaque, uint8_t byte)
{
	sent++;
}

static void irq(void *opaque, bool l)
{
	CHECK(l != level);
	level = l;
}

static void drained(void *opaque)
{
}

static void type(struct fbk_pl011 *u, struct fbk_escape *e, struct fuzz *f)
{
	unsigned char buf[64];
	size_t typed = fuzz_take(f, 1) % sizeof(buf), len = typed, room = fbk_pl011_room(u);

	for (size_t i = 0; i < typed; i++)
		buf[i] = fuzz_take(f, 1);
	fbk_escape_filter(e, buf, &len);
	CHECK(len <= typed);
	fbk_pl011_receive(u, buf, len);
	CHECK(fbk_pl011_room(u) == (len < room ? room - len : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct fbk_pl011_ops ops = { transmit, irq, drained };
	struct fbk_panic_scan scan = { 0 };
	struct fuzz f = { data, len };
	struct fbk_escape escape = { 0 };
	struct fbk_pl011 u;
	bool panicked = false;

	level = false;
	fbk_pl011_init(&u, &ops, NULL);
	while (f.len) {
		uint64_t offset;

		switch (fuzz_take(&f, 1) % 5) {
		case 0:
			offset = fuzz_take(&f, 2);
			fbk_pl011_write(&u, offset, fuzz_take(&f, 4));
			break;
		case 1:
			fbk_pl011_read(&u, fuzz_take(&f, 2));
			break;
		case 2:
			fbk_pl011_read(&u, fuzz_take(&f, 8));
			break;
		case 3:
			type(&u, &escape, &f);
			break;
		case 4:
			for (int i = fuzz_take(&f, 1) % 32; i; i--)
				panicked |= fbk_panic_scan(&scan, fuzz_take(&f, 1));
			break;
		}
		CHECK(u.rx_count <= FBK_PL011_RX_LEN && u.rx_head < FBK_PL011_RX_LEN);
		CHECK(level == !!fbk_pl011_read(&u, 0x40));
		CHECK(panicked == scan.seen);
		CHECK(!panicked || memmem(data, len, "K", 1));
	}
	fbk_pl011_reset(&u);
	CHECK(!level);
	return 0;
}
