/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* pl011.c - see pl011.h. Registers: [PL011 3.2]. */
#include "pl011.h"

enum {
	DR = 0x000,
	RSR = 0x004,
	FR = 0x018,
	ILPR = 0x020,
	IBRD = 0x024,
	FBRD = 0x028,
	LCRH = 0x02c,
	CR = 0x030,
	IFLS = 0x034,
	IMSC = 0x038,
	RIS = 0x03c,
	MIS = 0x040,
	ICR = 0x044,
	DMACR = 0x048,
	ID = 0xfe0,
	ID_END = 0x1000,
};

enum { FR_RXFE = 1 << 4, FR_RXFF = 1 << 6, FR_TXFE = 1 << 7 };
enum { INT_RX = 1 << 4, INT_TX = 1 << 5, INT_RT = 1 << 6, INT_ALL = 0x7ff };
enum { CR_RESET = 0x300, IFLS_RESET = 0x12 };

/*
 * The receive interrupts follow the FIFO and cannot be cleared while it holds bytes: input that arrives while the
 * driver starts up would otherwise be stuck until the next key.
 */
static uint32_t raw(const struct fbk_pl011 *u)
{
	return u->ris | (u->rx_count ? INT_RX | INT_RT : 0);
}

static void update(struct fbk_pl011 *u)
{
	bool level = raw(u) & u->imsc;

	if (level == u->level)
		return;
	u->level = level;
	u->ops->irq(u->opaque, level);
}

void fbk_pl011_init(struct fbk_pl011 *u, const struct fbk_pl011_ops *ops, void *opaque)
{
	*u = (struct fbk_pl011){ .ops = ops, .opaque = opaque, .cr = CR_RESET, .ifls = IFLS_RESET };
}

void fbk_pl011_reset(struct fbk_pl011 *u)
{
	bool level = u->level;

	fbk_pl011_init(u, u->ops, u->opaque);
	if (level)
		u->ops->irq(u->opaque, false);
}

static uint32_t pop(struct fbk_pl011 *u)
{
	uint32_t byte;

	if (!u->rx_count)
		return 0;
	byte = u->rx[u->rx_head];
	u->rx_head = (u->rx_head + 1) % FBK_PL011_RX_LEN;
	if (u->rx_count-- == FBK_PL011_RX_LEN)
		u->ops->drained(u->opaque);
	update(u);
	return byte;
}

uint32_t fbk_pl011_read(struct fbk_pl011 *u, uint64_t offset)
{
	/* PeriphID 0-3 and PCellID 0-3: part 0x011, designer 0x41, revision 3. */
	static const uint8_t id[] = { 0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	switch (offset) {
	case DR:
		return pop(u);
	case FR:
		return FR_TXFE | (u->rx_count ? 0 : FR_RXFE) | (u->rx_count == FBK_PL011_RX_LEN ? FR_RXFF : 0);
	case IBRD:
		return u->ibrd;
	case FBRD:
		return u->fbrd;
	case LCRH:
		return u->lcrh;
	case CR:
		return u->cr;
	case IFLS:
		return u->ifls;
	case IMSC:
		return u->imsc;
	case RIS:
		return raw(u);
	case MIS:
		return raw(u) & u->imsc;
	default:
		if (offset >= ID && offset < ID_END && !(offset & 3))
			return id[(offset - ID) / 4];
		return 0;
	}
}

void fbk_pl011_write(struct fbk_pl011 *u, uint64_t offset, uint32_t val)
{
	switch (offset) {
	case DR:
		u->ops->transmit(u->opaque, val);
		u->ris |= INT_TX; /* the byte is gone at once: the transmit FIFO has just become empty */
		break;
	case IBRD:
		u->ibrd = val & 0xffff;
		break;
	case FBRD:
		u->fbrd = val & 0x3f;
		break;
	case LCRH:
		u->lcrh = val & 0xff;
		break;
	case CR:
		u->cr = val & 0xffff;
		break;
	case IFLS:
		u->ifls = val & 0x3f;
		break;
	case IMSC:
		u->imsc = val & INT_ALL;
		break;
	case ICR:
		u->ris &= ~val;
		break;
	}
	update(u);
}

size_t fbk_pl011_room(const struct fbk_pl011 *u)
{
	return FBK_PL011_RX_LEN - u->rx_count;
}

void fbk_pl011_receive(struct fbk_pl011 *u, const void *buf, size_t len)
{
	const uint8_t *byte = buf;

	while (len-- && u->rx_count < FBK_PL011_RX_LEN) {
		u->rx[(u->rx_head + u->rx_count) % FBK_PL011_RX_LEN] = *byte++;
		u->rx_count++;
	}
	update(u);
}
