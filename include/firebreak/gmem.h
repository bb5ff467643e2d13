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
#if defined(__GLIBC__) && !defined(__siginfo_t_defined)
#include <bits/types/siginfo_t.h> /* siginfo_t, which strict C99 hides in <signal.h> */
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define FBK_GMEM_MAX_REGIONS 8

/* What a run of guest RAM is made of: what can be done about one of its pages. */
enum fbk_backing {
	FBK_BACKING_UNKNOWN = 0, /* not said: pages stay where they are */
	FBK_BACKING_ANON = 1,	 /* private anonymous memory, with or without transparent huge pages */
	FBK_BACKING_FILE = 2,	 /* a shared memfd, or another file in shmem: it keeps its frames */
	FBK_BACKING_HUGETLB = 3, /* hugetlb, anonymous or a file */
};

/*
 * The monitor will do with fresh anonymous memory in a place where the file cannot give any, until it maps the file anew;
 * and in hugetlb memory, private or a file's, with a fresh anonymous huge page.
 */
#define FBK_GMEM_REPLACE (1u << 0)

/* One run of guest RAM. base and len are multiples of FBK_PAGE_SIZE. */
struct fbk_gmem_region {
	struct fbk_gpa gpa;
	struct fbk_hva hva;
	uint64_t len;	  /* bytes */
	uint32_t backing; /* enum fbk_backing; only what retires pages asks */
	uint32_t flags;	  /* FBK_GMEM_* */
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
 * Errors:  -EINVAL null, not page-aligned, empty, wraps, no such backing or flag; -EEXIST overlaps an earlier run (by GPA or HVA);
 *          -ENOSPC FBK_GMEM_MAX_REGIONS reached.
 * Units:   bytes.
 * Context: before the guest runs; not thread-safe.
 */
FBK_API FBK_MUST_CHECK int fbk_gmem_add(struct fbk_gmem *view, const struct fbk_gmem_region *r);

/**
 * fbk_gmem_read, fbk_gmem_write - copy between guest RAM and the caller's buffer
 * @view:     the map (borrowed)
 * @gpa:      first byte in guest RAM; the range may cross runs that touch
 * @buf:      the caller's buffer, len bytes (borrowed)
 * @ret_done: how many leading bytes were copied, written on success and with -EHWPOISON; may be NULL
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -ERANGE any byte lies outside guest RAM (nothing copied);
 *          -EHWPOISON a page in the range is poisoned.
 * Units:   bytes.
 * Context: any thread; async-signal-safe; the process's SIGBUS handler must call fbk_gmem_sigbus() for -EHWPOISON to
 *          be reported.
 */
FBK_API FBK_MUST_CHECK int fbk_gmem_read(const struct fbk_gmem *view, struct fbk_gpa gpa, void *buf, size_t len,
					 size_t *ret_done);
FBK_API FBK_MUST_CHECK int fbk_gmem_write(const struct fbk_gmem *view, struct fbk_gpa gpa, const void *buf, size_t len,
					  size_t *ret_done);

/**
 * fbk_gmem_ptr - the HVA of a range that lies whole in one run of guest RAM
 * @len: bytes; 0 is outside
 *
 * For system calls that take the address and fail with an errno on poison (preadv, io_uring) and for
 * single aligned loads and stores under the caller's own fault handling; not for memcpy.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -ERANGE outside, or across two runs.
 * Context: any thread; async-signal-safe.
 */
FBK_API FBK_MUST_CHECK int fbk_gmem_ptr(const struct fbk_gmem *view, struct fbk_gpa gpa, uint64_t len, void **ret);

/**
 * fbk_gmem_load_acquire_u16, fbk_gmem_store_release_u16, ... - single accesses for rings and acknowledgements
 *
 * Little-endian guest value, naturally aligned, one access.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument or misaligned; -ERANGE; -EHWPOISON.
 * Context: as fbk_gmem_read().
 */
FBK_API FBK_MUST_CHECK int fbk_gmem_load_acquire_u16(const struct fbk_gmem *view, struct fbk_gpa gpa, uint16_t *ret);
FBK_API FBK_MUST_CHECK int fbk_gmem_store_release_u16(const struct fbk_gmem *view, struct fbk_gpa gpa, uint16_t val);
FBK_API FBK_MUST_CHECK int fbk_gmem_load_acquire_u64(const struct fbk_gmem *view, struct fbk_gpa gpa, uint64_t *ret);
FBK_API FBK_MUST_CHECK int fbk_gmem_store_release_u64(const struct fbk_gmem *view, struct fbk_gpa gpa, uint64_t val);
FBK_API FBK_MUST_CHECK int fbk_gmem_store_release_u32(const struct fbk_gmem *view, struct fbk_gpa gpa, uint32_t val);

/**
 * fbk_gmem_gpa - HVA to GPA
 *
 * Return:  0.
 * Errors:  -EINVAL null argument; -ERANGE not guest RAM.
 * Context: any thread; async-signal-safe.
 */
FBK_API FBK_MUST_CHECK int fbk_gmem_gpa(const struct fbk_gmem *view, struct fbk_hva hva, struct fbk_gpa *ret);

/**
 * fbk_gmem_sigbus - let an interrupted guest-memory copy fail instead of killing the process
 * @si:       what the process's SIGBUS handler got
 * @ucontext: its third argument (changed when 1 is returned)
 *
 * To be called first in the monitor's SA_SIGINFO SIGBUS handler. The handler then simply returns: no flag, no
 * signal mask and no jump is asked of it. Only the thread's interrupted program counter is looked at, so that it
 * costs the copies nothing.
 *
 * Return:  1 the signal hit one of this thread's guest-memory copies: on return from the handler that copy reports
 *          -EHWPOISON; 0 it is not ours.
 * Context: SIGBUS handler; async-signal-safe.
 */
FBK_API int fbk_gmem_sigbus(const siginfo_t *si, void *ucontext);

FBK_EXTERN_C_END

#endif
