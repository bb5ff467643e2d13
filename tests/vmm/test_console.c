/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_console.c - the UART's registers, the escape key, and the search for the panic message.
 */
#include "test.h"

#include "panic.h"
#include "pl011.h"
#include "terminal.h"

#include <string.h>

enum { DR = 0, FR = 0x18, IMSC = 0x38, RIS = 0x3c, MIS = 0x40, ICR = 0x44 };
enum { RXFE = 0x10, RXFF = 0x40, RX = 0x10, TX = 0x20, RT = 0x40 };

static char sent[64];
static size_t nr_sent;
static int irq_level, irq_changes, drains;

static void transmit(void *opaque, uint8_t byte)
{
	sent[nr_sent++] = byte;
}

static void irq(void *opaque, bool level)
{
	assert_int_not_equal(irq_level, level); /* changes only */
	irq_level = level;
	irq_changes++;
}

static void drained(void *opaque)
{
	drains++;
}

static const struct fbk_pl011_ops ops = { transmit, irq, drained };
static struct fbk_pl011 u;

static int setup(void **state)
{
	nr_sent = 0;
	irq_level = irq_changes = drains = 0;
	fbk_pl011_init(&u, &ops, NULL);
	return 0;
}

static void transmits_at_once(void **state)
{
	fbk_pl011_write(&u, IMSC, TX);
	assert_int_equal(irq_level, 0);
	fbk_pl011_write(&u, DR, 'a');
	assert_int_equal(nr_sent, 1);
	assert_int_equal(sent[0], 'a');
	assert_int_equal(irq_level, 1);
	fbk_pl011_write(&u, ICR, TX);
	assert_int_equal(irq_level, 0);
}

static void receives_in_order(void **state)
{
	assert_int_equal(fbk_pl011_read(&u, FR) & RXFE, RXFE);
	fbk_pl011_receive(&u, "xyz", 3);
	assert_int_equal(irq_level, 0); /* masked */
	fbk_pl011_write(&u, IMSC, RX | RT);
	assert_int_equal(irq_level, 1);
	fbk_pl011_write(&u, ICR, 0x7ff); /* while bytes wait, the interrupt stays */
	assert_int_equal(irq_level, 1);
	assert_int_equal(fbk_pl011_read(&u, DR), 'x');
	assert_int_equal(fbk_pl011_read(&u, DR), 'y');
	assert_int_equal(fbk_pl011_read(&u, MIS), RX | RT);
	assert_int_equal(fbk_pl011_read(&u, DR), 'z');
	assert_int_equal(irq_level, 0);
	assert_int_equal(fbk_pl011_read(&u, DR), 0);
	assert_int_equal(fbk_pl011_read(&u, FR) & RXFE, RXFE);
}

static void full_and_wrapped(void **state)
{
	char buf[FBK_PL011_RX_LEN + 4];

	memset(buf, 'q', sizeof(buf));
	fbk_pl011_receive(&u, "ab", 2);
	fbk_pl011_read(&u, DR);
	fbk_pl011_read(&u, DR);
	fbk_pl011_receive(&u, buf, sizeof(buf)); /* four too many */
	assert_int_equal(fbk_pl011_room(&u), 0);
	assert_int_equal(fbk_pl011_read(&u, FR) & RXFF, RXFF);
	assert_int_equal(drains, 0);
	for (int i = 0; i < FBK_PL011_RX_LEN; i++)
		assert_int_equal(fbk_pl011_read(&u, DR), 'q');
	assert_int_equal(drains, 1);
	assert_int_equal(fbk_pl011_read(&u, DR), 0);
}

static void reset_lowers_the_interrupt(void **state)
{
	fbk_pl011_write(&u, IMSC, RX);
	fbk_pl011_receive(&u, "x", 1);
	assert_int_equal(irq_level, 1);
	fbk_pl011_reset(&u);
	assert_int_equal(irq_level, 0);
	assert_int_equal(fbk_pl011_read(&u, IMSC), 0);
	assert_int_equal(fbk_pl011_room(&u), FBK_PL011_RX_LEN);
}

static void identity_and_holes(void **state)
{
	assert_int_equal(fbk_pl011_read(&u, 0xfe0), 0x11);
	assert_int_equal(fbk_pl011_read(&u, 0xffc), 0xb1);
	assert_int_equal(fbk_pl011_read(&u, 0xffd), 0);
	assert_int_equal(fbk_pl011_read(&u, 0x800), 0);
	assert_int_equal(fbk_pl011_read(&u, UINT64_MAX), 0);
	fbk_pl011_write(&u, UINT64_MAX, 1);
	fbk_pl011_write(&u, RIS, UINT32_MAX);
	assert_int_equal(fbk_pl011_read(&u, RIS), 0);
}

static void escapes(void **state)
{
	static const struct {
		const char *in, *out;
		enum fbk_terminal_key key;
	} rows[] = {
		{ "plain", "plain", FBK_KEY_NONE },	 { "a\x01xb", "a", FBK_KEY_QUIT },
		{ "\x01X", "", FBK_KEY_QUIT },		 { "a\x01" "ab", "a\x01" "b", FBK_KEY_NONE },
		{ "\x01\x01", "\x01", FBK_KEY_NONE },	 { "a\x01hb", "ab", FBK_KEY_HELP },
		{ "a\x01?b", "ab", FBK_KEY_HELP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fbk_escape e = { 0 };
		unsigned char buf[16];
		size_t len = strlen(rows[i].in);

		memcpy(buf, rows[i].in, len);
		assert_int_equal(fbk_escape_filter(&e, buf, &len), rows[i].key);
		assert_int_equal(len, strlen(rows[i].out));
		assert_memory_equal(buf, rows[i].out, len);
	}
}

/* The key and its command may come in two reads. */
static void an_escape_in_two_parts(void **state)
{
	struct fbk_escape e = { 0 };
	unsigned char buf[4] = "b\x01";
	size_t len = 2;

	assert_int_equal(fbk_escape_filter(&e, buf, &len), FBK_KEY_NONE);
	assert_int_equal(len, 1);
	buf[0] = 'x';
	len = 1;
	assert_int_equal(fbk_escape_filter(&e, buf, &len), FBK_KEY_QUIT);
	assert_int_equal(len, 0);
}

static bool scan(struct fbk_panic_scan *s, const char *text)
{
	bool seen = false;

	for (; *text; text++)
		seen |= fbk_panic_scan(s, *text);
	return seen;
}

static void panics(void **state)
{
	struct fbk_panic_scan s = { 0 };

	assert_false(scan(&s, "Kernel panic - not synching\n"));
	assert_false(scan(&s, "Kernel panic - not syncin"));
	assert_true(scan(&s, "KKernel panic - not syncing: Fatal\n"));
	assert_false(scan(&s, "Kernel panic - not syncing")); /* told once */

	s = (struct fbk_panic_scan){ 0 };
	assert_true(scan(&s, "[ 1.0] Kernel Kernel panic - not syncing"));
	s = (struct fbk_panic_scan){ 0 };
	assert_false(scan(&s, "kernel panic - not syncing\x80\xff"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(transmits_at_once, setup),
		cmocka_unit_test_setup(receives_in_order, setup),
		cmocka_unit_test_setup(full_and_wrapped, setup),
		cmocka_unit_test_setup(reset_lowers_the_interrupt, setup),
		cmocka_unit_test_setup(identity_and_holes, setup),
		cmocka_unit_test(escapes),
		cmocka_unit_test(an_escape_in_two_parts),
		cmocka_unit_test(panics),
	};

	return cmocka_run_group_tests_name("vmm-console", tests, NULL, NULL);
}
