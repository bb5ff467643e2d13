/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * efi.h - what UEFI firmware would have left in memory: system table, configuration tables, memory map.
 */
#ifndef FBK_VMM_EFI_H
#define FBK_VMM_EFI_H

#include "bytes.h"

#include <firebreak/types.h>

#define FBK_EFI_DESC_LEN 48 /* bytes of one memory descriptor; the stride that firmware uses */
#define FBK_EFI_DESC_VERSION 1

enum fbk_efi_memory {
	FBK_EFI_CONVENTIONAL = 7,
	FBK_EFI_UNUSABLE = 8,
	FBK_EFI_ACPI_RECLAIM = 9,
	FBK_EFI_ACPI_NVS = 10,
};

struct fbk_efi_range {
	enum fbk_efi_memory type;
	struct fbk_gpa start; /* page-aligned */
	uint64_t len;	      /* bytes, whole pages */
};

struct fbk_efi_tables {
	struct fbk_gpa system_table;
	struct fbk_gpa memory_map;
	uint32_t memory_map_len; /* bytes */
};

/**
 * fbk_efi_build - append the tables to a blob
 * @base: the GPA of the blob's first byte
 *
 * Errors:  -ENOSPC blob full.
 * Spec:    [UEFI 4.3, 4.6, 7.2.3]
 */
int fbk_efi_build(struct fbk_bytes *out, struct fbk_gpa base, struct fbk_gpa rsdp, const struct fbk_efi_range *range,
		  unsigned int nr_ranges, struct fbk_efi_tables *ret);

#endif
