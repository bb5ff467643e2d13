/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * devicetree.h - the device tree: nothing but /chosen, so that Linux takes the machine's description from ACPI.
 */
#ifndef FBK_VMM_DEVICETREE_H
#define FBK_VMM_DEVICETREE_H

#include "efi.h"

struct fbk_devicetree_config {
	const char *bootargs;
	struct fbk_gpa initrd; /* with initrd_len 0: none */
	uint64_t initrd_len;
	struct fbk_efi_tables efi;
	uint64_t kaslr_seed; /* 0: none */
	const void *rng_seed;
	size_t rng_seed_len; /* 0: none */
};

/**
 * fbk_devicetree_build - write the tree
 *
 * Return:  its length in bytes.
 * Errors:  -ENOSPC does not fit into @cap.
 * Spec:    [Linux "Documentation/arch/arm/uefi.rst", "Documentation/devicetree/usage-model.rst"]
 */
int fbk_devicetree_build(const struct fbk_devicetree_config *cfg, void *buf, size_t cap);

#endif
