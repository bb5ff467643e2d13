/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * devicetree.h - what x0 points to: one /chosen, and the machine where no ACPI table describes it.
 */
#ifndef FBK_VMM_DEVICETREE_H
#define FBK_VMM_DEVICETREE_H

#include "efi.h"

/* What the tree says of the machine; platform.h has the rest. */
struct fbk_devicetree_machine {
	unsigned int nr_cpus;
	unsigned int nr_virtio;		   /* virtio-mmio transports, from number 0 */
	const struct fbk_efi_range *range; /* memory is what is FBK_EFI_CONVENTIONAL of these */
	unsigned int nr_ranges;
};

struct fbk_devicetree_config {
	const char *bootargs;
	struct fbk_gpa initrd; /* with initrd_len 0: none */
	uint64_t initrd_len;
	uint64_t kaslr_seed; /* 0: none */
	const void *rng_seed;
	size_t rng_seed_len; /* 0: none */
	/* One of the two. Any node beside /chosen makes Linux prefer the tree to ACPI. */
	const struct fbk_efi_tables *efi;
	const struct fbk_devicetree_machine *machine;
};

/**
 * fbk_devicetree_build - write the tree
 *
 * Return:  its length in bytes.
 * Errors:  -ENOSPC does not fit into @cap.
 * Spec:    [Linux "Documentation/arch/arm/uefi.rst", "Documentation/devicetree/usage-model.rst"], [DT 2, 3], [Linux
 *          "Documentation/devicetree/bindings"]: of each node that of its "compatible"
 */
int fbk_devicetree_build(const struct fbk_devicetree_config *cfg, void *buf, size_t cap);

#endif
