/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The header of an arm64 Image, the way into C for each vCPU, and the vectors.
 * [Linux "Documentation/arch/arm64/booting.rst"]
 */
#define STACK_SHIFT 14 /* traps.c counts on a stack for each of FBK_MAX_CPUS */

	.section .head, "ax"
	.globl head
head:
	b start
	nop
	.quad 0		// offset from a multiple of 2 MiB
	.quad image_len
	.quad 0xa	// little-endian, pages of 4 KiB
	.quad 0, 0, 0
	.ascii "ARM\x64"
	.long 0

start:
	mov x21, x0 // the device tree
	mov x20, #0
	adrp x1, bss_start
	adrp x2, image_end
1:	stp xzr, xzr, [x1], #16
	cmp x1, x2
	b.lo 1b
	adrp x1, stacks + (1 << STACK_SHIFT)
	mov sp, x1
	bl tables_build
	b with_tables

/* PSCI CPU_ON comes here, with the vCPU's number. */
	.globl secondary
secondary:
	mov x20, x0
	mov x21, #0
with_tables:
	adrp x1, stacks
	add x2, x20, #1
	add x1, x1, x2, lsl #STACK_SHIFT
	mov sp, x1
	msr tpidr_el1, x20
	adrp x1, vectors
	add x1, x1, :lo12:vectors
	msr vbar_el1, x1
	mov x1, #(3 << 20) // floating point is not trapped
	msr cpacr_el1, x1
	bl tables_use
	mov x0, x20
	mov x1, x21
	bl guest_main
1:	wfi
	b 1b

/* void jump(uint64_t to): returns from there, or because nothing could be fetched there. */
	.globl jump
jump:
	stp x29, x30, [sp, #-16]!
	blr x0
	ldp x29, x30, [sp], #16
	ret

	.macro vector n
	.balign 128
	sub sp, sp, #272
	stp x0, x1, [sp]
	mov x1, #\n
	b trapped
	.endm

	.balign 2048
	.globl vectors
vectors:
	.set n, 0
	.rept 16
	vector n
	.set n, n + 1
	.endr

trapped:
	stp x2, x3, [sp, #16]
	stp x4, x5, [sp, #32]
	stp x6, x7, [sp, #48]
	stp x8, x9, [sp, #64]
	stp x10, x11, [sp, #80]
	stp x12, x13, [sp, #96]
	stp x14, x15, [sp, #112]
	stp x16, x17, [sp, #128]
	stp x18, x19, [sp, #144]
	stp x29, x30, [sp, #232]
	mrs x2, elr_el1
	mrs x3, spsr_el1
	stp x2, x3, [sp, #256]
	mov x0, sp
	bl trap
	ldp x2, x3, [sp, #256]
	msr elr_el1, x2
	msr spsr_el1, x3
	ldp x2, x3, [sp, #16]
	ldp x4, x5, [sp, #32]
	ldp x6, x7, [sp, #48]
	ldp x8, x9, [sp, #64]
	ldp x10, x11, [sp, #80]
	ldp x12, x13, [sp, #96]
	ldp x14, x15, [sp, #112]
	ldp x16, x17, [sp, #128]
	ldp x18, x19, [sp, #144]
	ldp x29, x30, [sp, #232]
	ldp x0, x1, [sp]
	add sp, sp, #272
	eret

	.bss
	.balign 4096
	.globl stacks
stacks:
	.space 8 << STACK_SHIFT
	.section .note.GNU-stack, "", %progbits
