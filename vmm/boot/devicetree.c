/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* devicetree.c - see devicetree.h */
#include "devicetree.h"

#include <libfdt.h>

int fbk_devicetree_build(const struct fbk_devicetree_config *cfg, void *buf, size_t cap)
{
	int r = 0;

/* libfdt refuses every call after the first failure, so that one look at the end tells. */
#define TRY(call) (r = r ? r : (call))
	TRY(fdt_create(buf, cap));
	TRY(fdt_finish_reservemap(buf));
	TRY(fdt_begin_node(buf, ""));
	TRY(fdt_property_u32(buf, "#address-cells", 2));
	TRY(fdt_property_u32(buf, "#size-cells", 2));
	TRY(fdt_begin_node(buf, "chosen"));
	TRY(fdt_property_string(buf, "bootargs", cfg->bootargs));
	if (cfg->initrd_len) {
		TRY(fdt_property_u64(buf, "linux,initrd-start", cfg->initrd.addr));
		TRY(fdt_property_u64(buf, "linux,initrd-end", cfg->initrd.addr + cfg->initrd_len));
	}
	TRY(fdt_property_u64(buf, "linux,uefi-system-table", cfg->efi.system_table.addr));
	TRY(fdt_property_u64(buf, "linux,uefi-mmap-start", cfg->efi.memory_map.addr));
	TRY(fdt_property_u32(buf, "linux,uefi-mmap-size", cfg->efi.memory_map_len));
	TRY(fdt_property_u32(buf, "linux,uefi-mmap-desc-size", FBK_EFI_DESC_LEN));
	TRY(fdt_property_u32(buf, "linux,uefi-mmap-desc-ver", FBK_EFI_DESC_VERSION));
	/* 2: secure boot is off. Debian's kernels find no memory at all without it; mainline ignores it. */
	TRY(fdt_property_u32(buf, "linux,uefi-secure-boot", 2));
	if (cfg->kaslr_seed)
		TRY(fdt_property_u64(buf, "kaslr-seed", cfg->kaslr_seed));
	if (cfg->rng_seed_len)
		TRY(fdt_property(buf, "rng-seed", cfg->rng_seed, cfg->rng_seed_len));
	TRY(fdt_end_node(buf));
	TRY(fdt_end_node(buf));
	TRY(fdt_finish(buf));
#undef TRY
	return r ? -ENOSPC : (int)fdt_totalsize(buf);
}
