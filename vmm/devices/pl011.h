/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * pl011.h - the console: the subset of a PL011 that the SBSA generic UART has, and all that Linux's driver needs.
 *
 * The device only keeps registers and FIFOs; its host moves the bytes and wires the interrupt.
 */
#ifndef FBK_VMM_PL011_H
#define FBK_VMM_PL011_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FBK_PL011_RX_LEN 32 /* a power of two */

struct fbk_pl011_ops {
	void (*transmit)(void *opaque, uint8_t byte);
	void (*irq)(void *opaque, bool level); /* called on changes only */
	void (*drained)(void *opaque);	       /* a full receive FIFO has room again */
};

struct fbk_pl011 {
	const struct fbk_pl011_ops *ops;
	void *opaque;
	uint8_t rx[FBK_PL011_RX_LEN];
	uint32_t rx_head, rx_count;
	uint32_t ris; /* latched raw interrupts, without the receive ones, which follow the FIFO */
	uint32_t imsc, ibrd, fbrd, lcrh, cr, ifls;
	bool level;
};

void fbk_pl011_init(struct fbk_pl011 *u, const struct fbk_pl011_ops *ops, void *opaque);
void fbk_pl011_reset(struct fbk_pl011 *u); /* registers and FIFOs as after power-on; lowers the interrupt */

/* Register accesses at any offset and width: what is not there reads as zero and ignores writes. */
uint32_t fbk_pl011_read(struct fbk_pl011 *u, uint64_t offset);
void fbk_pl011_write(struct fbk_pl011 *u, uint64_t offset, uint32_t val);

size_t fbk_pl011_room(const struct fbk_pl011 *u);		/* bytes that fbk_pl011_receive() would take */
void fbk_pl011_receive(struct fbk_pl011 *u, const void *buf, size_t len); /* what exceeds the room is lost */

#endif
