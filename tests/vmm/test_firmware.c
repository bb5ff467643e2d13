/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_firmware.c - the whole blob as a booting kernel reads it: device tree, EFI tables, memory map.
 */
#include "test.h"

#include "bytes.h"
#include "firmware.h"
#include "platform.h"

#include <libfdt.h>
#include <stdio.h>

#define MIB (UINT64_C(1) << 20)

static uint8_t blob[FBK_TABLES_LEN];
static struct fbk_ghes_layout ghes;

static struct fbk_firmware_config config(void)
{
	assert_int_equal(fbk_ghes_layout_init(&ghes, (struct fbk_gpa){ FBK_RECORDS_GPA }), 0);
	return (struct fbk_firmware_config){
		.ram_len = 256 * MIB,
		.nr_cpus = 2,
		.nr_virtio = 2,
		.ghes = &ghes,
		.bootargs = "panic=-1 quiet",
		.initrd = { 0x44000000 },
		.initrd_len = 12345,
		.kaslr_seed = 0x1122334455667788,
		.rng_seed = "0123456789abcdef",
		.rng_seed_len = 16,
	};
}

static uint64_t prop(const void *fdt, const char *name, int width)
{
	int chosen = fdt_path_offset(fdt, "/chosen"), len;
	const uint8_t *p = fdt_getprop(fdt, chosen, name, &len);
	uint64_t v = 0;

	if (!p || len != width)
		fail_msg("%s: missing, or of length %d", name, len);
	for (int i = 0; p && i < width; i++)
		v = v << 8 | p[i];
	return v;
}

static const uint8_t *at(uint64_t gpa)
{
	assert_in_range(gpa, FBK_TABLES_GPA, FBK_TABLES_GPA + sizeof(blob) - 1);
	return blob + (gpa - FBK_TABLES_GPA);
}

static const void *build(const struct fbk_firmware_config *cfg)
{
	struct fbk_gpa fdt;
	int len = fbk_firmware_build(cfg, blob, sizeof(blob), &fdt);

	assert_in_range(len, 1, sizeof(blob));
	assert_int_equal(fdt.addr % 8, 0);
	assert_int_equal(fdt_check_full(at(fdt.addr), blob + len - at(fdt.addr)), 0);
	return at(fdt.addr);
}

/* Any other node makes Linux prefer the device tree to ACPI. */
static void only_chosen(void **state)
{
	struct fbk_firmware_config cfg = config();
	const void *fdt = build(&cfg);
	int chosen = fdt_path_offset(fdt, "/chosen"), len;

	assert_int_equal(fdt_first_subnode(fdt, 0), chosen);
	assert_int_equal(fdt_next_subnode(fdt, chosen), -FDT_ERR_NOTFOUND);
	assert_string_equal(fdt_getprop(fdt, chosen, "bootargs", &len), cfg.bootargs);
	assert_int_equal(prop(fdt, "linux,initrd-start", 8), 0x44000000);
	assert_int_equal(prop(fdt, "linux,initrd-end", 8), 0x44000000 + 12345);
	assert_int_equal(prop(fdt, "linux,uefi-mmap-desc-size", 4), 48);
	assert_int_equal(prop(fdt, "linux,uefi-mmap-desc-ver", 4), 1);
	assert_int_equal(prop(fdt, "linux,uefi-secure-boot", 4), 2);
	assert_true(prop(fdt, "kaslr-seed", 8) == cfg.kaslr_seed);
	assert_memory_equal(fdt_getprop(fdt, chosen, "rng-seed", &len), cfg.rng_seed, 16);
}

static void no_initrd_no_seeds(void **state)
{
	struct fbk_firmware_config cfg = config();
	const void *fdt;
	int chosen, len;

	cfg.initrd_len = 0;
	cfg.kaslr_seed = 0;
	cfg.rng_seed_len = 0;
	fdt = build(&cfg);
	chosen = fdt_path_offset(fdt, "/chosen");
	assert_null(fdt_getprop(fdt, chosen, "linux,initrd-start", &len));
	assert_null(fdt_getprop(fdt, chosen, "kaslr-seed", &len));
	assert_null(fdt_getprop(fdt, chosen, "rng-seed", &len));
}

/* In front, so that the guest's own words win. */
static void a_virtio_console(void **state)
{
	static char args[FBK_BOOTARGS_MAX + 1];
	struct fbk_firmware_config cfg = config();
	const void *fdt;
	int len;

	cfg.virtio_console = true;
	memset(blob, 0, sizeof(blob));
	fdt = build(&cfg);
	assert_string_equal(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "bootargs", &len),
			    "earlycon=pl011,mmio32,0x9000000 console=hvc0 panic=-1 quiet");
	assert_null(memmem(blob, sizeof(blob), "SPCR", 4));
	memset(args, 'x', FBK_BOOTARGS_MAX - strlen(FBK_BOOTARGS_VIRTIO_CONSOLE));
	cfg.bootargs = args;
	build(&cfg);
	args[strlen(args)] = 'x';
	assert_int_equal(fbk_firmware_build(&cfg, blob, sizeof(blob), &(struct fbk_gpa){ 0 }), -EINVAL);
}

static void efi_tables(void **state)
{
	struct fbk_firmware_config cfg = config();
	const void *fdt = build(&cfg);
	const uint8_t *system = at(prop(fdt, "linux,uefi-system-table", 8)), *entry;

	assert_memory_equal(system, "IBI SYST", 8);
	assert_int_equal(fbk_get_le(system + 12, 4), 120);
	assert_int_equal(fbk_get_le(system + 88, 8), 0); /* runtime services */
	assert_int_equal(fbk_get_le(system + 96, 8), 0); /* boot services */
	assert_int_equal(fbk_get_le(system + 104, 8), 2);
	entry = at(fbk_get_le(system + 112, 8));
	assert_memory_equal(at(fbk_get_le(entry + 16, 8)), "RSD PTR ", 8);
	assert_int_equal(fbk_get_le(at(fbk_get_le(entry + 40, 8)), 4), 8 << 16 | 1); /* EFI_RT_PROPERTIES: none */
	assert_int_equal(fbk_get_le(at(fbk_get_le(entry + 40, 8)) + 4, 4), 0);
	assert_int_equal(fbk_get_le(at(fbk_get_le(system + 24, 8)), 2), 'f');
}

struct range {
	uint32_t type;
	uint64_t start, len;
};

/* The map as the guest sees it: gapless, write-back, whole granules. Return: how many ranges. */
static int read_map(const void *fdt, uint64_t ram_len, struct range *range, int max)
{
	const uint8_t *map = at(prop(fdt, "linux,uefi-mmap-start", 8));
	int nr = prop(fdt, "linux,uefi-mmap-size", 4) / 48;
	uint64_t next = FBK_RAM_BASE;

	assert_in_range(nr, 1, max);
	for (int i = 0; i < nr; i++) {
		range[i].type = fbk_get_le(map + 48 * i, 4);
		range[i].start = fbk_get_le(map + 48 * i + 8, 8);
		range[i].len = fbk_get_le(map + 48 * i + 24, 8) * 4096;
		assert_int_equal(fbk_get_le(map + 48 * i + 32, 8), 8);
		assert_int_equal(range[i].start, next);
		assert_int_equal(range[i].len % FBK_RAM_GRANULE, 0);
		assert_true(range[i].len > 0);
		next += range[i].len;
	}
	assert_int_equal(next, FBK_RAM_BASE + ram_len);
	return nr;
}

static void memory_map(void **state)
{
	struct fbk_firmware_config cfg = config();
	struct range r[8];

	assert_int_equal(read_map(build(&cfg), cfg.ram_len, r, 8), 3);
	assert_int_equal(r[0].type, 9);
	assert_int_equal(r[1].type, 10);
	assert_int_equal(r[1].start, FBK_RECORDS_GPA);
	assert_int_equal(r[2].type, 7);
}

static void bad_pages_are_unusable(void **state)
{
	/* A granule below RAM, one that ends among the free memory, a huge page, one that goes beyond the end, one outside. */
	static const struct fbk_bad bad[] = {
		{ { 0x1000000 }, 0x10000 },	       { { FBK_RECORDS_GPA }, FBK_RECORDS_LEN + 0x10000 },
		{ { 0x41000000 }, 2 * MIB },	       { { 0x4fff0000 }, 0x100000 },
		{ { 0x60000000 }, 0x10000 },
	};
	struct fbk_firmware_config cfg = config();
	struct range r[16];
	uint64_t lost = 0;
	int nr;

	cfg.bad = bad;
	cfg.nr_bad = ARRAY_SIZE(bad);
	nr = read_map(build(&cfg), cfg.ram_len, r, 16);
	for (int i = 0; i < nr; i++) {
		if (r[i].type != 8)
			continue;
		assert_true(r[i].start == FBK_FREE_GPA || r[i].start == 0x41000000 || r[i].start == 0x4fff0000);
		lost += r[i].len;
	}
	assert_int_equal(lost, 2 * MIB + 2 * FBK_RAM_GRANULE);
}

/* As much of all as there can be. */
static struct fbk_firmware_config the_most(struct fbk_firmware_config cfg)
{
	static struct fbk_bad bad[FBK_FIRMWARE_MAX_BAD];
	static char args[FBK_BOOTARGS_MAX + 1];

	for (unsigned int i = 0; i < FBK_FIRMWARE_MAX_BAD; i++)
		bad[i] = (struct fbk_bad){ { 0x41000000 + 2 * i * FBK_RAM_GRANULE }, FBK_RAM_GRANULE };
	memset(args, 'x', FBK_BOOTARGS_MAX);
	cfg.bad = bad;
	cfg.nr_bad = FBK_FIRMWARE_MAX_BAD;
	cfg.bootargs = args;
	cfg.nr_cpus = FBK_MAX_CPUS;
	cfg.nr_virtio = FBK_MAX_VIRTIO;
	cfg.ram_len = FBK_RAM_MAX;
	return cfg;
}

static void the_most_of_everything_fits(void **state)
{
	static struct range r[3 + 2 * FBK_FIRMWARE_MAX_BAD];
	struct fbk_firmware_config cfg = the_most(config());

	read_map(build(&cfg), cfg.ram_len, r, ARRAY_SIZE(r));
	cfg.nr_bad++;
	assert_int_equal(fbk_firmware_build(&cfg, blob, sizeof(blob), &(struct fbk_gpa){ 0 }), -EINVAL);
}

/* --- a device tree with the machine in it ----------------------------------------------------------------------------- */

static struct fbk_firmware_config without_acpi(void)
{
	struct fbk_firmware_config cfg = config();

	cfg.ghes = NULL;
	return cfg;
}

/* Cell @i of a property. */
static uint32_t cell(const void *fdt, int node, const char *name, int i)
{
	const fdt32_t *p;
	int len;

	p = fdt_getprop(fdt, node, name, &len);
	if (!p || len < 4 * (i + 1))
		fail_msg("%s: missing, or of length %d", name, len);
	return p ? fdt32_ld(p + i) : 0;
}

static uint64_t two_cells(const void *fdt, int node, const char *name, int i)
{
	return (uint64_t)cell(fdt, node, name, i) << 32 | cell(fdt, node, name, i + 1);
}

static int node_at(const void *fdt, const char *path)
{
	int node = fdt_path_offset(fdt, path);

	if (node < 0)
		fail_msg("%s: %s", path, fdt_strerror(node));
	return node;
}

static void the_machine(void **state)
{
	struct fbk_firmware_config cfg = without_acpi();
	const void *fdt;
	int node, gic, len;

	cfg.nr_cpus = FBK_MAX_CPUS;
	cfg.nr_virtio = FBK_MAX_VIRTIO;
	fdt = build(&cfg);
	assert_ptr_equal(fdt, blob);
	assert_string_equal(fdt_getprop(fdt, 0, "compatible", &len), "linux,dummy-virt");
	gic = node_at(fdt, "/interrupt-controller@8000000");
	assert_int_equal(fdt_get_phandle(fdt, gic), cell(fdt, 0, "interrupt-parent", 0));
	assert_true(two_cells(fdt, gic, "reg", 0) == FBK_GICD_BASE);
	assert_true(two_cells(fdt, gic, "reg", 4) == FBK_GICR_BASE);
	assert_true(two_cells(fdt, gic, "reg", 6) == FBK_MAX_CPUS * UINT64_C(0x20000));
	/* None for more CPUs than there are, and each under the number that KVM gives it. */
	node = node_at(fdt, "/cpus");
	assert_int_equal(cell(fdt, node_at(fdt, "/cpus/cpu@7"), "reg", 0), 7);
	len = 0;
	fdt_for_each_subnode(node, fdt, node_at(fdt, "/cpus"))
		len++;
	assert_int_equal(len, FBK_MAX_CPUS);
	assert_int_equal(fdt_node_check_compatible(fdt, node_at(fdt, "/psci"), "arm,psci-0.2"), 0);
	assert_string_equal(fdt_getprop(fdt, node_at(fdt, "/psci"), "method", &len), "hvc");
	node = node_at(fdt, "/timer");
	for (int i = 0; i < 4; i++)
		assert_int_equal(cell(fdt, node, "interrupts", 3 * i), 1);
	assert_int_equal(cell(fdt, node, "interrupts", 3 * 2 + 1), FBK_PPI_TIMER_VIRT - 16);
	node = node_at(fdt, fdt_getprop(fdt, node_at(fdt, "/chosen"), "stdout-path", &len));
	assert_int_equal(fdt_node_check_compatible(fdt, node, "arm,pl011"), 0);
	assert_int_equal(fdt_node_check_compatible(fdt, node, "arm,primecell"), 0);
	assert_int_equal(cell(fdt, node, "interrupts", 1), FBK_SPI_UART - 32);
	assert_int_equal(fdt_get_phandle(fdt, node_at(fdt, "/clock")), cell(fdt, node, "clocks", 0));
	for (unsigned int i = 0; i < FBK_MAX_VIRTIO; i++) {
		char path[40];

		snprintf(path, sizeof(path), "/virtio_mmio@%x", (unsigned int)(FBK_VIRTIO_BASE + i * FBK_VIRTIO_STRIDE));
		node = node_at(fdt, path);
		assert_true(two_cells(fdt, node, "reg", 0) == FBK_VIRTIO_BASE + i * FBK_VIRTIO_STRIDE);
		assert_int_equal(cell(fdt, node, "interrupts", 1), FBK_SPI_VIRTIO + i - 32);
		assert_int_equal(cell(fdt, node, "interrupts", 2), 1); /* an edge */
		assert_non_null(fdt_getprop(fdt, node, "dma-coherent", &len));
	}
}

/* The same words to the kernel, and nothing that would lead it to ACPI. */
static void chosen_without_acpi(void **state)
{
	struct fbk_firmware_config cfg = without_acpi();
	const void *fdt = build(&cfg);
	int chosen = node_at(fdt, "/chosen"), len;

	assert_string_equal(fdt_getprop(fdt, chosen, "bootargs", &len), cfg.bootargs);
	assert_int_equal(prop(fdt, "linux,initrd-start", 8), 0x44000000);
	assert_int_equal(prop(fdt, "linux,initrd-end", 8), 0x44000000 + 12345);
	assert_true(prop(fdt, "kaslr-seed", 8) == cfg.kaslr_seed);
	assert_memory_equal(fdt_getprop(fdt, chosen, "rng-seed", &len), cfg.rng_seed, 16);
	assert_null(fdt_getprop(fdt, chosen, "linux,uefi-system-table", &len));
}

static void memory_has_holes(void **state)
{
	static const struct fbk_bad bad[] = { { { FBK_RECORDS_GPA }, 0x10000 }, { { 0x41000000 }, 0x10000 }, { { 0x4fff0000 }, 0x10000 } };
	static const uint64_t want[] = { FBK_TABLES_GPA, FBK_RECORDS_GPA, FBK_RECORDS_GPA + 0x10000, 0x41000000, 0x41010000, 0x4fff0000 };
	struct fbk_firmware_config cfg = without_acpi();
	const void *fdt = build(&cfg);
	int node = node_at(fdt, "/memory@40000000"), len;

	assert_true(two_cells(fdt, node, "reg", 0) == FBK_RAM_BASE);
	assert_true(two_cells(fdt, node, "reg", 2) == cfg.ram_len);
	fdt_getprop(fdt, node, "reg", &len);
	assert_int_equal(len, 16);
	cfg.bad = bad;
	cfg.nr_bad = ARRAY_SIZE(bad);
	fdt = build(&cfg);
	node = node_at(fdt, "/memory@40000000");
	fdt_getprop(fdt, node, "reg", &len);
	assert_int_equal(len, 16 * 3);
	for (int i = 0; i < 3; i++) {
		assert_true(two_cells(fdt, node, "reg", 4 * i) == want[2 * i]);
		assert_true(two_cells(fdt, node, "reg", 4 * i + 2) == want[2 * i + 1] - want[2 * i]);
	}
}

static void the_most_of_a_device_tree_fits(void **state)
{
	struct fbk_firmware_config cfg = the_most(without_acpi());
	int len;

	build(&cfg);
	fdt_getprop(blob, node_at(blob, "/memory@40000000"), "reg", &len);
	assert_int_equal(len, 16 * (FBK_FIRMWARE_MAX_BAD + 1));
	cfg.nr_virtio++;
	assert_int_equal(fbk_firmware_build(&cfg, blob, sizeof(blob), &(struct fbk_gpa){ 0 }), -EINVAL);
}

static void shortage_of(struct fbk_firmware_config cfg)
{
	struct fbk_gpa fdt;
	int need = fbk_firmware_build(&cfg, blob, sizeof(blob), &fdt);

	for (int cap = 0; cap < need; cap++) {
		memset(blob + cap, 0xa5, 16);
		assert_int_equal(fbk_firmware_build(&cfg, blob, cap, &fdt), -ENOSPC);
		assert_int_equal(blob[cap], 0xa5);
	}
}

static void any_shortage_is_told(void **state)
{
	shortage_of(config());
	shortage_of(without_acpi());
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_chosen),
		cmocka_unit_test(no_initrd_no_seeds),
		cmocka_unit_test(a_virtio_console),
		cmocka_unit_test(efi_tables),
		cmocka_unit_test(memory_map),
		cmocka_unit_test(bad_pages_are_unusable),
		cmocka_unit_test(the_most_of_everything_fits),
		cmocka_unit_test(any_shortage_is_told),
		cmocka_unit_test(the_machine),
		cmocka_unit_test(chosen_without_acpi),
		cmocka_unit_test(memory_has_holes),
		cmocka_unit_test(the_most_of_a_device_tree_fits),
	};

	return cmocka_run_group_tests_name("vmm-firmware", tests, NULL, NULL);
}
