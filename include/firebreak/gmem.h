/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * gmem.h - guest memory, only through range-checked copies that survive a poisoned page.
 *
 * The guest may change its memory at any time: copy once, decode the copy, never re-read.
 */
#ifndef FIREBREAK_GMEM_H
#define FIREBREAK_GMEM_H

#include <firebreak/types.h>

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FBK_GMEM_MAX_REGIONS 8

/* One run of guest RAM. base and len are multiples of FBK_PAGE_SIZE. */
struct fbk_gmem_region {
	struct fbk_gpa gpa;
	struct fbk_hva hva;
	uint64_t len; /* bytes */
};

/* The map from GPA to HVA; plain, caller-owned, read-only once the guest runs. */
struct fbk_gmem {
	uint32_t nr_regions;
	struct fbk_gmem_region region[FBK_GMEM_MAX_REGIONS]; /* ascending by gpa, disjoint */
};

/**
 * fbk_gmem_add - add a run of guest RAM to the map
 * @view: the map (zero-initialised before first use)
 * @r:    the run (copied)
 *
 * Return:  0.
 * Errors:  -EINVAL not page-aligned, empty, or wraps; -EEXIST overlaps an earlier run (by GPA or HVA);
 *          -ENOSPC FBK_GMEM_MAX_REGIONS reached.
 * Context: before the guest runs; not thread-safe.
 */
FBK_API FBK_MUST_CHECK int fbk_gmem_add(struct fbk_gmem *view, const struct fbk_gmem_region *r);

/**
 * fbk_gmem_read, fbk_gmem_write - copy between guest RAM and the caller's buffer
 *
 * Return:  0.
 * Errors:  -ERANGE any byte lies outside guest RAM (nothing copied);
 *          -EHWPOISON a page in the range is poisoned: *ret_done (may be NULL) tells how many leading bytes are good.
 * Context: any thread; the process's SIGBUS handler must call fbk_gmem_sigbus() for -EHWPOISON to be reported.
 */
FBK_API FBK_MUST_CHECK int fbk_gmem_read(const struct fbk_gmem *view, struct fbk_gpa gpa, void *buf, size_t len,
					 size_t *ret_done);
FBK_API FBK_MUST_CHECK int fbk_gmem_write(const struct fbk_gmem *view, struct fbk_gpa gpa, const void *buf, size_t len,
					  size_t *ret_done);

/**
 * fbk_gmem_ptr - the HVA of a range that lies whole in one run of guest RAM
 *
 * For system calls that take the address and fail with an errno on poison (preadv, io_uring) and for
 * single aligned loads and stores under the caller's own fault handling; not for memcpy.
 *
 * Errors:  -ERANGE.
 */
FBK_API FBK_MUST_CHECK int fbk_gmem_ptr(const struct fbk_gmem *view, struct fbk_gpa gpa, uint64_t len, void **ret);

/**
 * fbk_gmem_load_acquire_u16, fbk_gmem_store_release_u16, ... - single accesses for rings and acknowledgements
 *
 * Little-endian guest value, naturally aligned. Errors: -EINVAL misaligned, -ERANGE, -EHWPOISON.
 */
FBK_API FBK_MUST_CHECK int fbk_gmem_load_acquire_u16(const struct fbk_gmem *view, struct fbk_gpa gpa, uint16_t *ret);
FBK_API FBK_MUST_CHECK int fbk_gmem_store_release_u16(const struct fbk_gmem *view, struct fbk_gpa gpa, uint16_t val);
FBK_API FBK_MUST_CHECK int fbk_gmem_load_acquire_u64(const struct fbk_gmem *view, struct fbk_gpa gpa, uint64_t *ret);
FBK_API FBK_MUST_CHECK int fbk_gmem_store_release_u64(const struct fbk_gmem *view, struct fbk_gpa gpa, uint64_t val);
FBK_API FBK_MUST_CHECK int fbk_gmem_store_release_u32(const struct fbk_gmem *view, struct fbk_gpa gpa, uint32_t val);

/* HVA -> GPA. Errors: -ERANGE not guest RAM. Async-signal-safe. */
FBK_API FBK_MUST_CHECK int fbk_gmem_gpa(const struct fbk_gmem *view, struct fbk_hva hva, struct fbk_gpa *ret);

/**
 * fbk_gmem_sigbus - let an interrupted guest-memory copy fail instead of killing the process
 * @si:       what the process's SIGBUS handler got
 * @ucontext: its third argument
 *
 * To be called first in the monitor's SA_SIGINFO SIGBUS handler (which needs SA_NODEFER or must restore the mask).
 *
 * Return:  1 the signal hit one of this thread's guest-memory copies: on return from the handler that copy reports
 *          -EHWPOISON; 0 it is not ours.
 * Context: SIGBUS handler; async-signal-safe.
 */
FBK_API int fbk_gmem_sigbus(const siginfo_t *si, void *ucontext);

FBK_EXTERN_C_END

#endif
