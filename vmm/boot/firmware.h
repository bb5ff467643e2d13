/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * firmware.h - one blob of everything that firmware would have left: ACPI, EFI and a device tree with no more than /chosen; or a
 * device tree with the machine in it.
 */
#ifndef FBK_VMM_FIRMWARE_H
#define FBK_VMM_FIRMWARE_H

#include "image.h"

#include <firebreak/ghes.h>
#include <firebreak/types.h>

#include <stdbool.h>

#define FBK_FIRMWARE_MAX_BAD 256
#define FBK_BOOTARGS_MAX 2047 /* arm64's COMMAND_LINE_SIZE without the NUL */
/*
 * In front of a guest's own, so that these come last and win: its console is virtio's. Until the driver of that is there the PL011
 * says what the kernel has to say, a panic above all.
 */
#define FBK_BOOTARGS_VIRTIO_CONSOLE "earlycon=pl011,mmio32,0x9000000 console=hvc0 "

struct fbk_firmware_config {
	uint64_t ram_len;
	unsigned int nr_cpus;
	unsigned int nr_virtio;
	const struct fbk_ghes_layout *ghes; /* the error sources of the ACPI tables; NULL: no ACPI, the device tree has all */
	const char *bootargs;	/* at most FBK_BOOTARGS_MAX with what comes in front */
	bool virtio_console;	/* the guest's console; else the PL011 is */
	struct fbk_gpa initrd;
	uint64_t initrd_len;
	uint64_t kaslr_seed;
	const void *rng_seed;
	size_t rng_seed_len;
	const struct fbk_bad *bad; /* the EFI memory map calls it unusable, a device tree has holes there */
	unsigned int nr_bad;
};

/**
 * fbk_firmware_build - the bytes that lie at FBK_TABLES_GPA when the guest starts
 * @ret_fdt: where x0 of the boot CPU points
 *
 * Return:  the blob's length.
 * Errors:  -ENOSPC more than @cap bytes; -EINVAL nonsense configuration, boot arguments that are too long among it.
 */
int fbk_firmware_build(const struct fbk_firmware_config *cfg, void *buf, size_t cap, struct fbk_gpa *ret_fdt);

#endif
