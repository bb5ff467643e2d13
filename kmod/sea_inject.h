/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * User interface of the sea_inject module: the character device
 * /dev/sea_inject. See sea-inject(4).
 *
 * Every request is a struct that begins with its own size. A caller built
 * against an older, shorter struct goes on working; a longer one is accepted as
 * long as the bytes this kernel does not know are zero (else E2BIG).
 */
#ifndef SEA_INJECT_H
#define SEA_INJECT_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SEA_INJECT_DEVICE "/dev/sea_inject"

/* How sea_inject_arm.addr names a page. */
#define SEA_INJECT_BY_GPA 1 /* guest physical address in a VM of .pid */
#define SEA_INJECT_BY_HVA 2 /* virtual address in process .pid, which runs a VM */
#define SEA_INJECT_BY_HPA 3 /* host physical address, whatever VMs use it */

/* What is broken: the class of the fault status code. */
#define SEA_INJECT_KIND_EXTERNAL 0 /* external abort: 0x10, or 0x14 + level on a walk */
#define SEA_INJECT_KIND_PARITY 1 /* parity or ECC: 0x18, or 0x1c + level on a walk */

#define SEA_INJECT_EA 0x01U /* ESR_ELx.EA, bit 9: slave error */
#define SEA_INJECT_FNV 0x02U /* ESR_ELx.FnV, bit 10: no address at all */
#define SEA_INJECT_NO_IPA 0x04U /* HPFAR_EL2 is not valid: no guest physical address */
#define SEA_INJECT_FIRMWARE 0x08U /* the host's firmware tables (APEI) claim the error */
#define SEA_INJECT_WALK 0x10U /* pretend a walk at .level, whatever the access was */

/* ESR_ELx.SET, bits 12:11. 1 is reserved by the architecture, and allowed here. */
#define SEA_INJECT_SET_UER 0 /* recoverable */
#define SEA_INJECT_SET_UC 2 /* uncontainable */
#define SEA_INJECT_SET_UEO 3 /* restartable */

/* At most this many pages are armed at one time. */
#define SEA_INJECT_PAGES_MAX 65536

/**
 * struct sea_inject_arm - argument of SEA_INJECT_ARM
 * @size:      sizeof(struct sea_inject_arm)
 * @by:        SEA_INJECT_BY_*
 * @addr:      address of any byte of the first page
 * @pages:     number of 4 KiB pages from there; 0 means 1; with BY_HPA at most 1
 * @pid:       the VM process, in the caller's pid namespace; 0 with BY_HPA
 * @vm:        which of the process's VMs, in the order of its file descriptors
 * @kind:      SEA_INJECT_KIND_*
 * @flags:     SEA_INJECT_EA and so on
 * @set:       SEA_INJECT_SET_*
 * @level:     with SEA_INJECT_WALK: level of the stage-1 walk, -1 to 3
 * @hits:      heal after so many hits; 0 means never, and is refused with FIRMWARE
 * @ret_id:    out: id of the first page armed; the others follow on
 * @ret_gpa:   out: guest physical address of the first page armed
 * @ret_hva:   out: its address in the VM process
 * @ret_pages: out: pages armed (BY_HVA and BY_HPA may find one page several times)
 * @pad:       zero
 *
 * All pages are armed or none is.
 */
struct sea_inject_arm {
	__u32 size;
	__u32 by;
	__u64 addr;
	__u64 pages;
	__s32 pid;
	__u32 vm;
	__u32 kind;
	__u32 flags;
	__u32 set;
	__s32 level;
	__u64 hits;
	__u64 ret_id;
	__u64 ret_gpa;
	__u64 ret_hva;
	__u32 ret_pages;
	__u32 pad;
};

/* Which fields of struct sea_inject_disarm must match. None: every page. */
#define SEA_INJECT_MATCH_ID 0x01U
#define SEA_INJECT_MATCH_PID 0x02U
#define SEA_INJECT_MATCH_VM 0x04U
#define SEA_INJECT_MATCH_GPA 0x08U
#define SEA_INJECT_MATCH_HVA 0x10U

/**
 * struct sea_inject_disarm - argument of SEA_INJECT_DISARM
 * @size:      sizeof(struct sea_inject_disarm)
 * @match:     SEA_INJECT_MATCH_*
 * @id:        a page's id
 * @addr:      any byte of the page, with MATCH_GPA or MATCH_HVA
 * @pid:       VM process
 * @vm:        VM index in it
 * @ret_pages: out: records dropped
 * @pad:       zero
 */
struct sea_inject_disarm {
	__u32 size;
	__u32 match;
	__u64 id;
	__u64 addr;
	__s32 pid;
	__u32 vm;
	__u32 ret_pages;
	__u32 pad;
};

/*
 * Errors of SEA_INJECT_ARM, each with one meaning:
 *   EPERM       the caller has no CAP_SYS_ADMIN
 *   EFAULT      the argument cannot be read or written
 *   E2BIG       the struct is longer than this kernel's and says more
 *   EINVAL      the fields contradict each other, or one is out of its bounds
 *   EDOM        unknown shape: kind, set, level or a flag that does not exist
 *   ESRCH       no such process
 *   ENODEV      the process runs no VM, or not so many
 *   ERANGE      the address is not in guest memory
 *   EEXIST      a page of the range is armed already
 *   ENOSPC      more than SEA_INJECT_PAGES_MAX pages
 *   EOPNOTSUPP  the VM's memory (guest_memfd, protected) or this kernel is out of reach
 *   ENOMEM      no memory
 *   EINTR       a signal came
 * of SEA_INJECT_DISARM: EPERM, EFAULT, E2BIG, EINVAL, EINTR and
 *   ENOENT      no armed page matches
 */
#define SEA_INJECT_ARM _IOWR('S', 0xe0, struct sea_inject_arm)
#define SEA_INJECT_DISARM _IOWR('S', 0xe1, struct sea_inject_disarm)

#endif
