/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* devicetree.c - see devicetree.h */
#include "devicetree.h"
#include "platform.h"

#include <libfdt.h>
#include <stdio.h>

/* Written from front to back; the first failure sticks, and nothing is written behind it. */
struct tree {
	void *buf;
	int error; /* libfdt's */
};

#define TRY(t, call) ((t)->error = (t)->error ? (t)->error : (call))

static void open_node(struct tree *t, const char *name)
{
	TRY(t, fdt_begin_node(t->buf, name));
}

/* "name@address" */
static void open_unit(struct tree *t, const char *name, uint64_t address)
{
	char unit[48];

	snprintf(unit, sizeof(unit), "%s@%llx", name, (unsigned long long)address);
	open_node(t, unit);
}

static void close_node(struct tree *t)
{
	TRY(t, fdt_end_node(t->buf));
}

static void put_flag(struct tree *t, const char *name)
{
	TRY(t, fdt_property(t->buf, name, NULL, 0));
}

static void put_u32(struct tree *t, const char *name, uint32_t v)
{
	TRY(t, fdt_property_u32(t->buf, name, v));
}

static void put_u64(struct tree *t, const char *name, uint64_t v)
{
	TRY(t, fdt_property_u64(t->buf, name, v));
}

static void put_text(struct tree *t, const char *name, const char *text)
{
	TRY(t, fdt_property_string(t->buf, name, text));
}

/* A literal; several texts have a NUL between them. */
#define PUT_TEXTS(t, name, texts) TRY(t, fdt_property((t)->buf, name, texts, sizeof(texts)))

static void put_cells(struct tree *t, const char *name, const uint32_t *cell, unsigned int nr)
{
	void *at;

	TRY(t, fdt_property_placeholder(t->buf, name, 4 * nr, &at));
	for (unsigned int i = 0; !t->error && i < nr; i++)
		fdt32_st((char *)at + 4 * i, cell[i]);
}

#define PUT_CELLS(t, name, ...)                                                              \
	put_cells(t, name, (const uint32_t[]){ __VA_ARGS__ },                                \
		  sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
#define TWO_CELLS(v) (uint32_t)((uint64_t)(v) >> 32), (uint32_t)(v)

/* Three cells of an interrupt [arm,gic-v3]: shared or private, its number among those, and how it is triggered. */
enum { EDGE_RISING = 1, LEVEL_HIGH = 4, LEVEL_LOW = 8 };
#define SHARED(gsi, trigger) 0, (gsi) - 32, trigger
#define PRIVATE(gsi, trigger) 1, (gsi) - 16, trigger

enum { PHANDLE_GIC = 1, PHANDLE_CLOCK = 2 };

static void put_chosen(struct tree *t, const struct fbk_devicetree_config *cfg)
{
	char uart[24];

	open_node(t, "chosen");
	put_text(t, "bootargs", cfg->bootargs);
	if (cfg->initrd_len) {
		put_u64(t, "linux,initrd-start", cfg->initrd.addr);
		put_u64(t, "linux,initrd-end", cfg->initrd.addr + cfg->initrd_len);
	}
	if (cfg->efi) {
		put_u64(t, "linux,uefi-system-table", cfg->efi->system_table.addr);
		put_u64(t, "linux,uefi-mmap-start", cfg->efi->memory_map.addr);
		put_u32(t, "linux,uefi-mmap-size", cfg->efi->memory_map_len);
		put_u32(t, "linux,uefi-mmap-desc-size", FBK_EFI_DESC_LEN);
		put_u32(t, "linux,uefi-mmap-desc-ver", FBK_EFI_DESC_VERSION);
		/* 2: secure boot is off. Debian's kernels find no memory at all without it; mainline ignores it. */
		put_u32(t, "linux,uefi-secure-boot", 2);
	}
	if (cfg->machine) {
		snprintf(uart, sizeof(uart), "/serial@%llx", (unsigned long long)FBK_UART_BASE);
		put_text(t, "stdout-path", uart);
	}
	if (cfg->kaslr_seed)
		put_u64(t, "kaslr-seed", cfg->kaslr_seed);
	if (cfg->rng_seed_len)
		TRY(t, fdt_property(t->buf, "rng-seed", cfg->rng_seed, cfg->rng_seed_len));
	close_node(t);
}

/* What is bad is no memory: a hole is all that there is to be said of it. */
static void put_memory(struct tree *t, const struct fbk_devicetree_machine *m)
{
	unsigned int nr = 0;
	char *at;
	void *p;

	for (unsigned int i = 0; i < m->nr_ranges; i++)
		nr += m->range[i].type == FBK_EFI_CONVENTIONAL;
	open_unit(t, "memory", FBK_RAM_BASE);
	put_text(t, "device_type", "memory");
	TRY(t, fdt_property_placeholder(t->buf, "reg", 16 * nr, &p));
	at = p;
	for (unsigned int i = 0; !t->error && i < m->nr_ranges; i++) {
		if (m->range[i].type != FBK_EFI_CONVENTIONAL)
			continue;
		fdt64_st(at, m->range[i].start.addr);
		fdt64_st(at + 8, m->range[i].len);
		at += 16;
	}
	close_node(t);
}

static void put_cpus(struct tree *t, unsigned int nr)
{
	open_node(t, "cpus");
	put_u32(t, "#address-cells", 1);
	put_u32(t, "#size-cells", 0);
	for (unsigned int i = 0; i < nr; i++) {
		open_unit(t, "cpu", i);
		put_text(t, "device_type", "cpu");
		put_text(t, "compatible", "arm,armv8");
		put_u32(t, "reg", i); /* MPIDR: KVM's default is the vCPU's index */
		put_text(t, "enable-method", "psci");
		close_node(t);
	}
	close_node(t);

	open_node(t, "psci");
	PUT_TEXTS(t, "compatible", "arm,psci-1.0\0arm,psci-0.2");
	put_text(t, "method", "hvc");
	close_node(t);
}

static void put_gic_and_timer(struct tree *t, unsigned int nr_cpus)
{
	open_unit(t, "interrupt-controller", FBK_GICD_BASE);
	put_text(t, "compatible", "arm,gic-v3");
	PUT_CELLS(t, "reg", TWO_CELLS(FBK_GICD_BASE), TWO_CELLS(FBK_GICD_LEN), TWO_CELLS(FBK_GICR_BASE),
		  TWO_CELLS(FBK_GICR_CPU_LEN * nr_cpus));
	put_flag(t, "interrupt-controller");
	put_u32(t, "#interrupt-cells", 3);
	put_u32(t, "#address-cells", 0);
	put_u32(t, "phandle", PHANDLE_GIC);
	close_node(t);

	/* Level-triggered, active low, as KVM's timers are; the virtual one goes on in low-power states. */
	open_node(t, "timer");
	put_text(t, "compatible", "arm,armv8-timer");
	PUT_CELLS(t, "interrupts", PRIVATE(FBK_PPI_TIMER_SECURE, LEVEL_LOW), PRIVATE(FBK_PPI_TIMER_PHYS, LEVEL_LOW),
		  PRIVATE(FBK_PPI_TIMER_VIRT, LEVEL_LOW), PRIVATE(FBK_PPI_TIMER_HYP, LEVEL_LOW));
	put_flag(t, "always-on");
	close_node(t);
}

/* The driver wants clocks, whose rate means nothing here. */
static void put_uart(struct tree *t)
{
	open_node(t, "clock");
	put_text(t, "compatible", "fixed-clock");
	put_u32(t, "#clock-cells", 0);
	put_u32(t, "clock-frequency", 24000000);
	put_u32(t, "phandle", PHANDLE_CLOCK);
	close_node(t);

	open_unit(t, "serial", FBK_UART_BASE);
	PUT_TEXTS(t, "compatible", "arm,pl011\0arm,primecell");
	PUT_CELLS(t, "reg", TWO_CELLS(FBK_UART_BASE), TWO_CELLS(FBK_UART_LEN));
	PUT_CELLS(t, "interrupts", SHARED(FBK_SPI_UART, LEVEL_HIGH));
	PUT_CELLS(t, "clocks", PHANDLE_CLOCK, PHANDLE_CLOCK);
	PUT_TEXTS(t, "clock-names", "uartclk\0apb_pclk");
	close_node(t);
}

static void put_virtio(struct tree *t, unsigned int i)
{
	const uint64_t base = FBK_VIRTIO_BASE + i * FBK_VIRTIO_STRIDE;

	open_unit(t, "virtio_mmio", base);
	put_text(t, "compatible", "virtio,mmio");
	PUT_CELLS(t, "reg", TWO_CELLS(base), TWO_CELLS(FBK_VIRTIO_LEN));
	PUT_CELLS(t, "interrupts", SHARED(FBK_SPI_VIRTIO + i, EDGE_RISING));
	put_flag(t, "dma-coherent");
	close_node(t);
}

static void put_machine(struct tree *t, const struct fbk_devicetree_machine *m)
{
	put_memory(t, m);
	put_cpus(t, m->nr_cpus);
	put_gic_and_timer(t, m->nr_cpus);
	put_uart(t);
	for (unsigned int i = 0; i < m->nr_virtio; i++)
		put_virtio(t, i);
}

int fbk_devicetree_build(const struct fbk_devicetree_config *cfg, void *buf, size_t cap)
{
	struct tree t = { buf, 0 };

	TRY(&t, fdt_create(buf, cap));
	TRY(&t, fdt_finish_reservemap(buf));
	open_node(&t, "");
	if (cfg->machine) {
		/* The name under which Linux lists machines that are nothing but virtual. */
		put_text(&t, "compatible", "linux,dummy-virt");
		put_text(&t, "model", "firebreak");
		put_u32(&t, "interrupt-parent", PHANDLE_GIC);
	}
	put_u32(&t, "#address-cells", 2);
	put_u32(&t, "#size-cells", 2);
	put_chosen(&t, cfg);
	if (cfg->machine)
		put_machine(&t, cfg->machine);
	close_node(&t);
	TRY(&t, fdt_finish(buf));
	return t.error ? -ENOSPC : (int)fdt_totalsize(buf);
}
