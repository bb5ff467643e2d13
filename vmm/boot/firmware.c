/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* firmware.c - see firmware.h */
#include "firmware.h"
#include "acpi.h"
#include "devicetree.h"
#include "efi.h"
#include "platform.h"

#include <stdio.h>

#define MAX_RANGES (3 + 2 * FBK_FIRMWARE_MAX_BAD)

/*
 * The memory map: what ACPI needs, and the rest around its unusable granules. A kernel keeps a device tree that it was given by
 * itself, so that it may lie in plain memory. Return: number of ranges, or -EINVAL.
 */
static int build_ranges(const struct fbk_firmware_config *cfg, struct fbk_efi_range range[MAX_RANGES])
{
	uint64_t at = cfg->ghes ? FBK_FREE_GPA : FBK_TABLES_GPA, end = FBK_RAM_BASE + cfg->ram_len;
	int nr = 0;

	if (cfg->nr_bad > FBK_FIRMWARE_MAX_BAD || end <= FBK_FREE_GPA)
		return -EINVAL;
	if (cfg->ghes) {
		range[nr++] = (struct fbk_efi_range){ FBK_EFI_ACPI_RECLAIM, { FBK_TABLES_GPA }, FBK_TABLES_LEN };
		range[nr++] = (struct fbk_efi_range){ FBK_EFI_ACPI_NVS, { FBK_RECORDS_GPA }, FBK_RECORDS_LEN };
	}
	for (unsigned int i = 0; i < cfg->nr_bad; i++) {
		uint64_t bad = cfg->bad[i].gpa.addr, behind = bad + cfg->bad[i].len;

		if (behind <= at || bad >= end)
			continue; /* no free memory */
		/* Some of it may lie under the tables, or behind the end. */
		bad = bad < at ? at : bad;
		behind = behind > end ? end : behind;
		if (bad > at)
			range[nr++] = (struct fbk_efi_range){ FBK_EFI_CONVENTIONAL, { at }, bad - at };
		range[nr++] = (struct fbk_efi_range){ FBK_EFI_UNUSABLE, { bad }, behind - bad };
		at = behind;
	}
	if (at < end)
		range[nr++] = (struct fbk_efi_range){ FBK_EFI_CONVENTIONAL, { at }, end - at };
	return nr;
}

/* ACPI and EFI tables, to which the tree's /chosen leads. */
static int build_tables(const struct fbk_firmware_config *cfg, const struct fbk_efi_range *range, unsigned int nr_ranges,
			struct fbk_bytes *out, struct fbk_efi_tables *ret)
{
	const struct fbk_acpi_config acpi = { .nr_cpus = cfg->nr_cpus, .nr_virtio = cfg->nr_virtio, .ghes = cfg->ghes,
					      .uart_is_console = !cfg->virtio_console };
	const struct fbk_gpa base = { FBK_TABLES_GPA };
	struct fbk_gpa rsdp;
	int r = fbk_acpi_build(&acpi, out, base, &rsdp);

	return r < 0 ? r : fbk_efi_build(out, base, rsdp, range, nr_ranges, ret);
}

int fbk_firmware_build(const struct fbk_firmware_config *cfg, void *buf, size_t cap, struct fbk_gpa *ret_fdt)
{
	struct fbk_efi_range range[MAX_RANGES];
	struct fbk_devicetree_machine machine = { .nr_cpus = cfg->nr_cpus, .nr_virtio = cfg->nr_virtio, .range = range };
	char bootargs[FBK_BOOTARGS_MAX + 1];
	struct fbk_devicetree_config fdt = {
		.bootargs = bootargs,
		.initrd = cfg->initrd,
		.initrd_len = cfg->initrd_len,
		.kaslr_seed = cfg->kaslr_seed,
		.rng_seed = cfg->rng_seed,
		.rng_seed_len = cfg->rng_seed_len,
	};
	struct fbk_efi_tables efi;
	struct fbk_bytes out;
	int r, nr;

	if (!cfg->nr_cpus || cfg->nr_cpus > FBK_MAX_CPUS || cfg->nr_virtio > FBK_MAX_VIRTIO)
		return -EINVAL;
	r = snprintf(bootargs, sizeof(bootargs), "%s%s", cfg->virtio_console ? FBK_BOOTARGS_VIRTIO_CONSOLE : "", cfg->bootargs);
	if (r >= (int)sizeof(bootargs))
		return -EINVAL;
	nr = build_ranges(cfg, range);
	if (nr < 0)
		return nr;
	fbk_bytes_init(&out, buf, cap);
	if (cfg->ghes) {
		r = build_tables(cfg, range, nr, &out, &efi);
		if (r < 0)
			return r;
		fdt.efi = &efi;
	} else {
		machine.nr_ranges = nr;
		fdt.machine = &machine;
	}
	fbk_put_zero(&out, -out.len & 7);
	if (out.error)
		return out.error;
	r = fbk_devicetree_build(&fdt, out.buf + out.len, out.cap - out.len);
	if (r < 0)
		return r;
	ret_fdt->addr = FBK_TABLES_GPA + out.len;
	return out.len + r;
}
