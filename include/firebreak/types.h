/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * types.h - the address spaces of one memory error, and what every header shares.
 *
 * A memory error has up to three names: where the guest's program saw it (GVA), where the
 * guest's memory has it (GPA) and where the monitor maps it (HVA). Each is a type of its own,
 * so that the compiler catches a swap.
 */
#ifndef FIREBREAK_TYPES_H
#define FIREBREAK_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define FBK_EXTERN_C_END }
#else
#define FBK_EXTERN_C_END
#endif

#if defined(__GNUC__)
#define FBK_API __attribute__((visibility("default")))
#define FBK_MUST_CHECK __attribute__((warn_unused_result))
#else
#define FBK_API
#define FBK_MUST_CHECK
#endif

/* The unit of loss: Linux isolates one 4 KiB page per CPER section, whatever the mask says. */
#define FBK_PAGE_SHIFT 12
#define FBK_PAGE_SIZE (UINT64_C(1) << FBK_PAGE_SHIFT)
#define FBK_PAGE_MASK (~(FBK_PAGE_SIZE - 1))

struct fbk_gpa {
	uint64_t addr; /* guest physical address, bytes */
};

struct fbk_gva {
	uint64_t addr; /* guest virtual address, bytes */
};

struct fbk_hva {
	uint64_t addr; /* host virtual address in the monitor, bytes */
};

/* Where an error was learnt. Values are stable: they are bit numbers in ledgers and words in events. */
enum fbk_source {
	FBK_SOURCE_SEA = 0,	  /* KVM_EXIT_ARM_SEA */
	FBK_SOURCE_SIGBUS_AR = 1, /* BUS_MCEERR_AR on a vCPU thread: the guest consumed it */
	FBK_SOURCE_SIGBUS_AO = 2, /* BUS_MCEERR_AO: the host knows, nobody consumed it */
	FBK_SOURCE_SIGBUS_IO = 3, /* BUS_MCEERR_AR on another thread of the monitor */
	FBK_SOURCE_MEMORY_FAULT = 4, /* KVM_RUN failed with EHWPOISON: the guest consumed it */
	FBK_NR_SOURCES
};

FBK_EXTERN_C_END

#endif
