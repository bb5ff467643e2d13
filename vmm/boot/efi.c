/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* efi.c - see efi.h. Section numbers are those of UEFI 2.10. */
#include "efi.h"

static const uint8_t acpi_20_guid[16] = { 0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11,
					  0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 };
static const uint8_t rt_properties_guid[16] = { 0x8a, 0x91, 0x66, 0xeb, 0xef, 0x7e, 0x2a, 0x40,
						0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9 };

static uint64_t align_put(struct fbk_bytes *b, struct fbk_gpa base, size_t to)
{
	fbk_put_zero(b, -b->len & (to - 1));
	return base.addr + b->len;
}

int fbk_efi_build(struct fbk_bytes *out, struct fbk_gpa base, struct fbk_gpa rsdp, const struct fbk_efi_range *range,
		  unsigned int nr_ranges, struct fbk_efi_tables *ret)
{
	uint64_t vendor, rt_properties, config, system, map;

	vendor = align_put(out, base, 8);
	for (const char *c = "firebreak"; *c; c++)
		fbk_put_u16(out, *c);
	fbk_put_u16(out, 0);

	/* 4.6.2: no runtime service is supported; without this table Linux calls one and oopses. */
	rt_properties = align_put(out, base, 8);
	fbk_put_u16(out, 1); /* version */
	fbk_put_u16(out, 8); /* length */
	fbk_put_u32(out, 0); /* services supported */

	config = align_put(out, base, 8);
	fbk_put(out, acpi_20_guid, sizeof(acpi_20_guid));
	fbk_put_u64(out, rsdp.addr);
	fbk_put(out, rt_properties_guid, sizeof(rt_properties_guid));
	fbk_put_u64(out, rt_properties);

	system = align_put(out, base, 8);
	fbk_put(out, "IBI SYST", 8);
	fbk_put_u32(out, 2 << 16 | 100); /* 2.10 */
	fbk_put_u32(out, 120);
	fbk_put_u32(out, 0); /* CRC: Linux does not check it */
	fbk_put_u32(out, 0);
	fbk_put_u64(out, vendor);
	fbk_put_u32(out, 1); /* firmware revision */
	fbk_put_u32(out, 0);
	fbk_put_zero(out, 3 * 16); /* console in, out, error: handle and protocol */
	fbk_put_u64(out, 0);	   /* runtime services */
	fbk_put_u64(out, 0);	   /* boot services */
	fbk_put_u64(out, 2);	   /* configuration tables */
	fbk_put_u64(out, config);

	map = align_put(out, base, 8);
	for (unsigned int i = 0; i < nr_ranges; i++) {
		enum { WRITE_BACK = 1 << 3 };

		fbk_put_u32(out, range[i].type);
		fbk_put_u32(out, 0);
		fbk_put_u64(out, range[i].start.addr);
		fbk_put_u64(out, 0); /* virtual start */
		fbk_put_u64(out, range[i].len / FBK_PAGE_SIZE);
		fbk_put_u64(out, WRITE_BACK);
		fbk_put_u64(out, 0); /* the stride is 48, the structure 40 */
	}
	if (out->error)
		return out->error;
	ret->system_table.addr = system;
	ret->memory_map.addr = map;
	ret->memory_map_len = nr_ranges * FBK_EFI_DESC_LEN;
	return 0;
}
