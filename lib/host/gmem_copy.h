/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * gmem_copy.h - the only instructions of the library that touch guest memory.
 *
 * They use no stack and keep what is left to do in one register. When one of them takes a SIGBUS, the handler moves the
 * program counter to fbk_gmem_fixup, which returns that register: the call then says how much was not done.
 */
#ifndef FBK_HOST_GMEM_COPY_H
#define FBK_HOST_GMEM_COPY_H

#include <stddef.h>
#include <stdint.h>

/* Return: bytes not copied; exact on x86-64, on arm64 up to 63 too many. */
size_t fbk_gmem_copy(void *dst, const void *src, size_t len);
/* The same byte by byte, exact everywhere. */
size_t fbk_gmem_copy_bytes(void *dst, const void *src, size_t len);

/*
 * A record into an error block: first word 0, acknowledgement 0, the rest, and the first word last. The guest on another
 * processor sees them in this order. A guest that acknowledged without clearing the block would else read half of it.
 *
 * len: 4 and a multiple of 8. Return: 0, or not 0 when an access failed.
 */
size_t fbk_gmem_post(void *block, const void *record, size_t len, void *ack);

/* One access each, acquire and release. Return: 0, or 1 when it failed. */
size_t fbk_gmem_load_u16(const void *src, uint16_t *ret);
size_t fbk_gmem_load_u64(const void *src, uint64_t *ret);
size_t fbk_gmem_store_u16(void *dst, uint16_t v);
size_t fbk_gmem_store_u32(void *dst, uint32_t v);
size_t fbk_gmem_store_u64(void *dst, uint64_t v);

/* First and one past the last of those instructions, and where to go on after a fault. Addresses only. */
extern const char fbk_gmem_text_start[], fbk_gmem_text_end[], fbk_gmem_fixup[];

#endif
