/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A kernel that switches the machine off with its first instructions: what remains is the monitor's own start and end.
 * The header is that of an arm64 Image [BOOTING]; the call is PSCI SYSTEM_OFF by HVC [PSCI].
 */
	.section .text
	.globl	_start
_start:
	b	1f
	.long	0
	.quad	0			/* text_offset */
	.quad	_end - _start		/* image_size */
	.quad	0xa			/* flags: little-endian, 4K pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
1:	mov	w0, #0x0008
	movk	w0, #0x8400, lsl #16
	hvc	#0
	b	.
	.balign	4096
_end:
