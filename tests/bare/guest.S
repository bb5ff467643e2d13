/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The bare guest: a vector table that tells which vector ran, and one access of
 * each kind. Position independent; the monitor copies it to the start of guest RAM.
 *
 * Registers, set by the monitor: x0 the address to access, x3 the number of pages
 * for guest_sweep, x9 a device address outside RAM. A 32-bit store to [x9] leaves
 * to the monitor: GUEST_DONE, or GUEST_VECTOR + the vector's number.
 */
#define GUEST_DONE 1
#define GUEST_VECTOR 0x100

	.section .rodata
	.balign 4096
	.globl guest_start
guest_start:
	.set vector, 0
	.rept 16
	.balign 128
	mov w10, #(GUEST_VECTOR + vector)
	str w10, [x9]
	b .
	.set vector, vector + 1
	.endr

	.balign 2048
	.globl guest_load, guest_store, guest_ldadd, guest_fetch, guest_at, guest_sweep
guest_load:
	ldr x1, [x0]
	b done
guest_store:
	str x1, [x0]
	b done
guest_ldadd:
	.arch armv8.1-a
	ldadd x1, x2, [x0]
	b done
guest_fetch:
	blr x0
	b done
guest_at:
	at s1e1r, x0
	isb
	mrs x1, par_el1
	b done
/* One load and one store in each of x3 pages, again and again. */
guest_sweep:
	mov x4, x0
	mov x5, x3
1:	ldr x1, [x4]
	str x1, [x4, #8]
	add x4, x4, #4096
	subs x5, x5, #1
	b.ne 1b
	mov w10, #GUEST_DONE
	str w10, [x9]
	b guest_sweep
/* Loads a word of the page at x0 without end; leaves only when it reads zero. */
	.globl guest_watch
guest_watch:
	ldr x1, [x0]
	cbnz x1, guest_watch
	b done
/* Fills x3 words from x0 on with x1, to which x2 is added after each; x4 times over. */
	.globl guest_fill
guest_fill:
	mov x5, x0
	mov x6, x3
1:	str x1, [x5], #8
	add x1, x1, x2
	subs x6, x6, #1
	b.ne 1b
	subs x4, x4, #1
	b.ne guest_fill
	b done
	.globl guest_load_a32, guest_store_a32, guest_load_t32, guest_store_t32
guest_load_a32:
	.inst 0xe5901000 // ldr r1, [r0]
guest_store_a32:
	.inst 0xe5801000 // str r1, [r0]
guest_load_t32:
	.short 0x6801 // ldr r1, [r0]
guest_store_t32:
	.short 0x6001 // str r1, [r0]
done:
	mov w10, #GUEST_DONE
	str w10, [x9]
	b .
	.globl guest_end
guest_end:
	.section .note.GNU-stack, "", %progbits
