/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * gmem_copy.S - see gmem_copy.h.
 */
	.text

	.macro	ENTRY name
	.globl	\name
	.hidden	\name
	.type	\name, %function
	.balign	16
\name:
	.cfi_startproc
	.endm

	.macro	END name
	.cfi_endproc
	.size	\name, . - \name
	.endm

	.macro	LABEL name
	.globl	\name
	.hidden	\name
\name:
	.endm

	.balign	16
	LABEL	fbk_gmem_text_start

#if defined(__aarch64__)

	/*
	 * x0 dst, x1 src, x2 bytes left: all chunks of 64 and 16 bytes, then of 8. x2 changes once a chunk is copied: x6 is
	 * what it will be then.
	 */
	.macro	CHUNKS
	subs	x6, x2, #64
	b.lo	2f
1:	ldp	q0, q1, [x1], #32
	ldp	q2, q3, [x1], #32
	stp	q0, q1, [x0], #32
	stp	q2, q3, [x0], #32
	mov	x2, x6
	subs	x6, x6, #64
	b.hs	1b
2:	subs	x6, x2, #16
	b.lo	4f
3:	ldr	q0, [x1], #16
	str	q0, [x0], #16
	mov	x2, x6
	subs	x6, x6, #16
	b.hs	3b
4:	tbz	x2, #3, 5f
	ldr	x3, [x1], #8
	str	x3, [x0], #8
	sub	x2, x2, #8
5:
	.endm

	ENTRY	fbk_gmem_copy
	CHUNKS
	b	fbk_gmem_copy_bytes
	END	fbk_gmem_copy

	/* x0 block, x1 record, x2 its length, x3 acknowledgement; x4 block's first word, x5 what is to go there */
	ENTRY	fbk_gmem_post
	mov	x4, x0
	str	wzr, [x4]
	str	xzr, [x3]
	dmb	ishst
	ldr	w5, [x1], #4
	add	x0, x0, #4
	sub	x2, x2, #4
	CHUNKS
	mov	x2, #1
	stlr	w5, [x4]
	mov	x0, #0
	ret
	END	fbk_gmem_post

	ENTRY	fbk_gmem_copy_bytes
1:	cbz	x2, fbk_gmem_fixup
	ldrb	w3, [x1]
	strb	w3, [x0]
	add	x1, x1, #1
	add	x0, x0, #1
	sub	x2, x2, #1
	b	1b
	END	fbk_gmem_copy_bytes

	.macro	LOAD name, insn, store, reg
	ENTRY	\name
	mov	x2, #1
	\insn	\reg, [x0]
	\store	\reg, [x1]
	mov	x0, #0
	ret
	END	\name
	.endm

	.macro	STORE name, insn, reg
	ENTRY	\name
	mov	x2, #1
	\insn	\reg, [x0]
	mov	x0, #0
	ret
	END	\name
	.endm

	LOAD	fbk_gmem_load_u16, ldarh, strh, w3
	LOAD	fbk_gmem_load_u64, ldar, str, x3
	STORE	fbk_gmem_store_u16, stlrh, w1
	STORE	fbk_gmem_store_u32, stlr, w1
	STORE	fbk_gmem_store_u64, stlr, x1

	LABEL	fbk_gmem_text_end
	.cfi_startproc
	LABEL	fbk_gmem_fixup
	mov	x0, x2
	ret
	.cfi_endproc

#elif defined(__x86_64__)

	/* rdi dst, rsi src, rcx bytes left; an interrupted rep movsb leaves them exact */
	ENTRY	fbk_gmem_copy
	mov	%rdx, %rcx
	rep movsb
	mov	%rcx, %rax
	ret
	END	fbk_gmem_copy

	/* rdi block, rsi record, rdx its length, rcx acknowledgement; stores are seen in the order of the program */
	ENTRY	fbk_gmem_post
	mov	%rcx, %r8
	mov	%rdx, %rcx
	mov	%rdi, %r9
	movl	$0, (%r9)
	movq	$0, (%r8)
	mov	(%rsi), %r10d
	add	$4, %rsi
	add	$4, %rdi
	sub	$4, %rcx
	rep movsb
	mov	$1, %ecx
	mov	%r10d, (%r9)
	xor	%eax, %eax
	ret
	END	fbk_gmem_post

	ENTRY	fbk_gmem_copy_bytes
	mov	%rdx, %rcx
	rep movsb
	mov	%rcx, %rax
	ret
	END	fbk_gmem_copy_bytes

	.macro	LOAD name, reg
	ENTRY	\name
	mov	$1, %ecx
	mov	(%rdi), %\reg
	mov	%\reg, (%rsi)
	xor	%eax, %eax
	ret
	END	\name
	.endm

	.macro	STORE name, reg
	ENTRY	\name
	mov	$1, %ecx
	mov	%\reg, (%rdi)
	xor	%eax, %eax
	ret
	END	\name
	.endm

	LOAD	fbk_gmem_load_u16, ax
	LOAD	fbk_gmem_load_u64, rax
	STORE	fbk_gmem_store_u16, si
	STORE	fbk_gmem_store_u32, esi
	STORE	fbk_gmem_store_u64, rsi

	LABEL	fbk_gmem_text_end
	.cfi_startproc
	LABEL	fbk_gmem_fixup
	mov	%rcx, %rax
	ret
	.cfi_endproc

#else
#error "guest-memory copies are written for arm64 and x86-64"
#endif

	.section .note.GNU-stack, "", %progbits
