/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The guest of minimal-vmm: a vector for its own synchronous aborts, and a program that twice reads a page. MMU off; runs
 * where it is loaded. It speaks by storing bytes to a device, and ends by PSCI SYSTEM_OFF.
 *
 * In: x0 the page to read, x19 the device.
 */
	.section .rodata
	.globl	guest_start, guest_end
	.balign	2048
guest_start:				/* the vectors: VBAR_EL1 wants 2 KiB */
	.org	guest_start + 0x200	/* current EL, SPx, synchronous */
	b	on_abort
	.org	guest_start + 0x800	/* entry, EL1, everything masked */
	mov	x20, x0
	adr	x0, guest_start
	msr	vbar_el1, x0
	isb
	mov	x21, #2
again:	adr	x0, text_reads
	bl	puts
	mov	x0, x20
	bl	puthex
	ldr	x0, [x20, #0x18]
	adr	x0, text_goes_on
	bl	puts
	subs	x21, x21, #1
	b.ne	again
	mov	x0, #0x0008		/* 0x84000008: SYSTEM_OFF */
	movk	x0, #0x8400, lsl #16
	hvc	#0
	b	.

on_abort:				/* the one load must not be repeated: it would abort again */
	adr	x0, text_esr
	bl	puts
	mrs	x0, esr_el1
	bl	puthex
	adr	x0, text_far
	bl	puts
	mrs	x0, far_el1
	bl	puthex
	mrs	x0, elr_el1
	add	x0, x0, #4
	msr	elr_el1, x0
	eret

puts:	ldrb	w1, [x0], #1
	cbz	w1, 1f
	strb	w1, [x19]
	b	puts
1:	ret

puthex:	mov	x2, #64
2:	sub	x2, x2, #4
	lsr	x1, x0, x2
	and	x1, x1, #15
	add	x3, x1, #('a' - 10)
	add	x1, x1, #'0'
	cmp	x1, #'9'
	csel	x1, x1, x3, le
	strb	w1, [x19]
	cbnz	x2, 2b
	ret

text_reads:	.asciz "guest: reads page "
text_esr:	.asciz "\nguest: abort, ESR_EL1="
text_far:	.asciz " FAR_EL1="
text_goes_on:	.asciz "\nguest: goes on\n"
guest_end:
	.section .note.GNU-stack, "", %progbits
