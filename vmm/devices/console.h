/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * console.h - between the guest's consoles and standard input and output: batching, end of file, the panic message.
 *
 * There is always a PL011. Where there is a virtio console, too, what is typed goes to that, and what both say comes out in the
 * order in which they say it.
 */
#ifndef FBK_VMM_CONSOLE_H
#define FBK_VMM_CONSOLE_H

#include "panic.h"
#include "pl011.h"
#include "terminal.h"
#include "virtio-console.h"

#include <pthread.h>
#include <stdatomic.h>

#define FBK_TAP_OUT 8192 /* what a reader who is not there at once still gets */
#define FBK_TAP_IN 256

/*
 * Somebody beside standard input and output who reads and types, too, on a thread of its own. Nobody waits for it: what it does
 * not read in time is dropped, the oldest first.
 */
struct fbk_console_tap {
	atomic_bool attached;
	pthread_mutex_t lock; /* held for a copy only, while nothing else is waited for */
	uint32_t out_head, out_len, in_head, in_len;
	uint8_t out[FBK_TAP_OUT], in[FBK_TAP_IN];
	void (*told)(void *opaque); /* there is output, or room for input; any thread */
	void *opaque;
};

struct fbk_console {
	pthread_mutex_t lock;
	struct fbk_pl011 uart;
	struct fbk_virtio_console *virtio; /* NULL: none */
	atomic_bool output_waits;	   /* its, for standard output */
	struct fbk_panic_scan scan;
	struct fbk_escape escape;
	uint8_t out[256];
	uint32_t out_len;
	int flush_fd;	 /* timerfd: an unfinished line has waited long enough */
	bool flush_armed;
	bool in_open, in_terminal;
	void (*irq)(void *opaque, bool level);
	void (*panicked)(void *opaque); /* the message was seen; called once between resets */
	void (*wake)(void *opaque); /* the main thread: there is room for input, or output that waits */
	void *opaque;
	struct fbk_console_tap tap;
};

/* Errors: negative errno of timerfd_create(). */
int fbk_console_init(struct fbk_console *c);
void fbk_console_use(struct fbk_console *c, struct fbk_virtio_console *dev); /* it is the guest's console, and not the PL011 */
void fbk_console_open(struct fbk_console *c); /* take standard input, and the terminal if it is one */

/* MMIO; any thread. */
uint32_t fbk_console_read(struct fbk_console *c, uint64_t offset);
void fbk_console_write(struct fbk_console *c, uint64_t offset, uint32_t val);

/* Main thread; none of these waits for a reader of standard output. */
int fbk_console_wants_input(struct fbk_console *c); /* 1, 0, or -EAGAIN: ask again soon */
enum fbk_terminal_key fbk_console_input(struct fbk_console *c); /* standard input is readable */
void fbk_console_flush(struct fbk_console *c);
int fbk_console_feed(struct fbk_console *c); /* what the tap has typed. 0, or -EAGAIN: call again soon */

/* Main thread, while the guest's memory may be touched; for a virtio console. */
bool fbk_console_output_waits(struct fbk_console *c); /* until standard output is writable */
void fbk_console_resume(struct fbk_console *c);	      /* it is */
void fbk_console_deliver(struct fbk_console *c);      /* what was typed */

/* The tap's thread. */
void fbk_console_attach(struct fbk_console *c, bool attached); /* what was said and typed before is forgotten */
size_t fbk_console_tap_read(struct fbk_console *c, void *buf, size_t len);
size_t fbk_console_tap_room(struct fbk_console *c);
void fbk_console_tap_type(struct fbk_console *c, const void *buf, size_t len); /* at most as there is room */

/* While no vCPU runs. */
void fbk_console_reset(struct fbk_console *c);
void fbk_console_close(struct fbk_console *c); /* the last output, waiting a little for a slow reader */

#endif
