/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * retire.h - a lost page is taken out of the guest's and the monitor's reach, and its frame is not given back to the host.
 *
 * Without privilege: the page table entry that holds the bad frame moves to a place of its own, the graveyard, where nobody
 * reads it, and a poison marker (UFFDIO_POISON) takes its place in guest RAM. No data is touched. The next access meets the
 * marker: KVM_RUN with SIGBUS, as for a page that the host has lost; an error instead of data for system calls. The frame is
 * locked, and hidden from core dumps and children, by fbk_vm_pump() a moment later.
 *
 * With privilege the frame is then handed over to the host's kernel (hard_offline_page), off the road, by fbk_vm_pump().
 */
#ifndef FIREBREAK_RETIRE_H
#define FIREBREAK_RETIRE_H

#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fbk_retire;

/* What became of a page, in events. */
enum fbk_retired {
	FBK_RETIRED_NONE = 0,	     /* nobody asked: no fbk_retire, no guest physical address, the VM is at its end */
	FBK_RETIRED_DONE = 1,	     /* out of reach, by us, just now */
	FBK_RETIRED_ALREADY = 2,     /* it was out of reach before: whoever met it met our marker, or the host's */
	FBK_RETIRED_HOST = 3,	     /* the host's kernel has taken it away itself */
	FBK_RETIRED_LEFT = 4,	     /* left in the guest's reach on purpose: see struct fbk_retire_config */
	FBK_RETIRED_UNAVAILABLE = 5, /* no way to do it here, or no more room */
	FBK_RETIRED_FAILED = 6,	     /* the kernel refused half-way; the frame was not given back */
	FBK_RETIRED_LATER = 7,	     /* fbk_vm_pump() does it, when the guest has acknowledged the record */
};

#define FBK_RETIRE_ALWAYS (1u << 0) /* at once, whoever consumed it, and whether or not the guest listens; not in hugetlb */
#define FBK_RETIRE_FDS (1u << 1)    /* use the descriptors below, open nothing */
#define FBK_RETIRE_OFFLINE (1u << 2) /* hand frames over by the call below; nothing is opened for that */

/*
 * A page is retired when it was lost in user mode by a guest that acknowledges what it is told: its kernel takes the page
 * out of use as well, so that nobody will look for the rest of the page. A guest that has not acknowledged anything yet is
 * given a second to do so. What the guest's kernel itself consumed is left to it, since it goes on using the rest, and so
 * are pages of a guest that does not listen: it clears them and uses them again, which a marker would make fatal. hugetlb
 * memory is left too: a marker there costs the whole huge page. Left pages are dealt with at the guest's reset, but for those
 * in hugetlb memory that the host does not know to be bad.
 */
struct fbk_retire_config {
	uint32_t size;	    /* sizeof(struct fbk_retire_config) */
	uint32_t flags;	    /* FBK_RETIRE_* */
	uint32_t max_pages; /* room in the graveyard; 0: 4096 */
	/* With FBK_RETIRE_FDS, borrowed; -1: do without. */
	int uffd;	/* userfaultfd(2), fresh: UFFDIO_API is done here */
	int pagemap_fd; /* /proc/self/pagemap, opened with CAP_SYS_ADMIN */
	int offline_fd; /* /sys/devices/system/memory/hard_offline_page, for writing; the writer needs CAP_SYS_ADMIN, too */
	/*
	 * With FBK_RETIRE_OFFLINE, for a monitor that has given its privilege away: have the host's kernel take the frame under
	 * @page of this process. Called by fbk_vm_pump(), without a lock. Return: 0, or a negative errno; -EPERM ends the attempts.
	 */
	int (*offline)(void *opaque, const void *page);
	void *offline_opaque;
};

/**
 * fbk_retire_open - what it takes to retire pages of one VM, made ready before the guest runs
 * @cfg: borrowed during the call
 * @ret: the new object, closed with fbk_retire_close()
 *
 * Takes address space and bookkeeping for max_pages. What the host does not offer is no error: fbk_retire_can() tells.
 *
 * Return:  0.
 * Errors:  -EINVAL null argument, size or flags unknown, max_pages above 2^20; -ENOMEM.
 * Context: any thread of the process that maps the guest's RAM; not valid in a child made by fork().
 */
FBK_API FBK_MUST_CHECK int fbk_retire_open(const struct fbk_retire_config *cfg, struct fbk_retire **ret);

/*
 * After fbk_vm_destroy(). NULL allowed. A graveyard that holds frames stays mapped until the process ends: else they would
 * be good memory again.
 */
FBK_API void fbk_retire_close(struct fbk_retire *r);

/* Bits of fbk_retire_can(). */
#define FBK_RETIRE_CAN_POISON (1u << 0)	  /* UFFDIO_POISON is there: pages can be retired while the guest runs */
#define FBK_RETIRE_CAN_HAND_OVER (1u << 1) /* frames go to the host's kernel; cleared when it refuses for want of privilege */
#define FBK_RETIRE_CAN_LOCK (1u << 2) /* frames are kept locked, unreadable, out of core dumps and of children; cleared when the
					 kernel refuses a part of that for one of them */

/* FBK_RETIRE_CAN_* bits; 0 for null. Context: any thread. */
FBK_API uint32_t fbk_retire_can(const struct fbk_retire *r);

/* One stable word, as in events; "invalid" outside the enumeration. */
FBK_API const char *fbk_retired_name(enum fbk_retired retired);

FBK_EXTERN_C_END

#endif
