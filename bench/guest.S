/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The bare guest of sea-cost: a program at EL0 that loads from one poisoned page for ever, above a kernel of two
 * vectors that does what a real one must do for the error and no more. MMU off; runs where it is loaded.
 *
 * In: x0 the poisoned page, x1 the SEA source's error block (0: none), x2 its acknowledge register.
 */
	.section .rodata
	.globl	fbk_bench_guest, fbk_bench_guest_end
	.balign 2048
fbk_bench_guest:
	/* Vectors first: VBAR_EL1 wants 2 KiB. */
	.org	fbk_bench_guest + 0x200		/* current EL, SPx, synchronous: a bug here */
	b	.
	.org	fbk_bench_guest + 0x400		/* EL0, AArch64, synchronous: the replayed abort */
	cbz	x1, 1f
	str	wzr, [x1]			/* block_status: consumed */
	dmb	ish
	mov	x9, #1
	str	x9, [x2]			/* and acknowledged */
1:	mrs	x9, elr_el1
	add	x9, x9, #4
	msr	elr_el1, x9
	eret
	.org	fbk_bench_guest + 0x800		/* entry, EL1 */
	adr	x9, fbk_bench_guest
	msr	vbar_el1, x9
	adr	x9, 2f
	msr	elr_el1, x9
	mov	x9, #0x3c0			/* EL0t, DAIF masked */
	msr	spsr_el1, x9
	eret
2:	ldr	x10, [x0]
	b	2b
fbk_bench_guest_end:
	.section .note.GNU-stack, "", %progbits
