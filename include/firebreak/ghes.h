/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ghes.h - the guest's error blocks: where they lie, the HEST that announces them, how a record reaches the guest.
 *
 * Two ACPI GHESv2 sources: source 0 is read by the guest inside its abort handler (SEA notification), source 1
 * when the generic event device raises its interrupt (GED -> PNP0C33).
 */
#ifndef FIREBREAK_GHES_H
#define FIREBREAK_GHES_H

#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum fbk_ghes_source {
	FBK_GHES_SEA = 0,   /* error source id 0, notification type 8 (SEA) */
	FBK_GHES_ASYNC = 1, /* error source id 1, notification type 10 (GSIV, reached through GED -> PNP0C33) */
	FBK_GHES_NR_SOURCES
};

#define FBK_GHES_BLOCK_LEN 4096 /* bytes of one error status block */

/* Host-side copies of every address: the guest can overwrite its own, so they are never re-read. */
struct fbk_ghes_layout {
	struct {
		struct fbk_gpa pointer; /* u64 that holds block's address: HEST's Error Status Address */
		struct fbk_gpa ack;	/* u64 read-acknowledge register */
		struct fbk_gpa block;	/* error status block, FBK_GHES_BLOCK_LEN bytes */
	} source[FBK_GHES_NR_SOURCES];
};

/* Bytes of guest memory (ACPI NVS, 64 KiB-aligned for any guest page size) the two sources take. */
#define FBK_GHES_AREA_LEN 65536

/**
 * fbk_ghes_layout_init - place both sources in one area of guest memory
 * @l:    the layout
 * @base: GPA of FBK_GHES_AREA_LEN bytes that the guest's memory map calls ACPI NVS
 *
 * Return:  0.
 * Errors:  -EINVAL null argument, base is not 64 KiB-aligned, or the area wraps.
 * Context: pure.
 */
FBK_API FBK_MUST_CHECK int fbk_ghes_layout_init(struct fbk_ghes_layout *l, struct fbk_gpa base);

/**
 * fbk_ghes_area_build - the initial bytes of that area (pointers, ack = 1, empty blocks), for the boot image
 * @l:   a layout made by fbk_ghes_layout_init() (borrowed)
 * @buf: FBK_GHES_AREA_LEN bytes, all of which are written
 *
 * Return:  0.
 * Errors:  -EINVAL null argument, or a layout whose parts do not lie in one area; -ENOSPC len is smaller.
 * Context: pure.
 */
FBK_API FBK_MUST_CHECK int fbk_ghes_area_build(const struct fbk_ghes_layout *l, void *buf, size_t len);

/**
 * fbk_hest_build - the ACPI Hardware Error Source Table for these sources
 * @l:            the layout (borrowed)
 * @oem_id, @oem_table_id: 6 and 8 bytes, not terminated
 * @buf:          where to
 *
 * Return:  length of the table in bytes, checksum included.
 * Errors:  -EINVAL null argument; -ENOSPC buf too small.
 * Context: pure.
 * Spec:    [ACPI "Hardware Error Source Table", "Generic Hardware Error Source version 2"]
 */
FBK_API FBK_MUST_CHECK int fbk_hest_build(const struct fbk_ghes_layout *l, const char oem_id[6], const char oem_table_id[8],
					  void *buf, size_t len);

FBK_EXTERN_C_END

#endif
