/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* acpi.c - see acpi.h. Section numbers are those of ACPI 6.3. */
#include "acpi.h"
#include "aml.h"
#include "platform.h"

#define OEM_ID "FBREAK"
#define OEM_TABLE_ID "FIREBRK1"
#define CREATOR_ID "FBRK"
#define HEADER_LEN 36

/* 5.2.6 System Description Table Header; length and checksum are filled in by end(). */
static size_t begin(struct fbk_bytes *b, const char *signature, uint8_t revision)
{
	size_t at;

	fbk_put_zero(b, -b->len & 7);
	at = b->len;
	fbk_put(b, signature, 4);
	fbk_put_u32(b, 0);
	fbk_put_u8(b, revision);
	fbk_put_u8(b, 0);
	fbk_put(b, OEM_ID, 6);
	fbk_put(b, OEM_TABLE_ID, 8);
	fbk_put_u32(b, 1);
	fbk_put(b, CREATOR_ID, 4);
	fbk_put_u32(b, 1);
	return at;
}

static uint8_t checksum(const uint8_t *p, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum += *p++;
	return -sum;
}

static void end(struct fbk_bytes *b, size_t at)
{
	size_t len = b->len - at;

	if (b->error)
		return;
	for (unsigned int i = 0; i < 4; i++)
		b->buf[at + 4 + i] = len >> (8 * i);
	b->buf[at + 9] = checksum(b->buf + at, len);
}

/* 5.2.3.2 Generic Address Structure */
static void put_gas(struct fbk_bytes *b, uint8_t bits, uint8_t access, uint64_t addr)
{
	fbk_put_u8(b, 0); /* system memory */
	fbk_put_u8(b, bits);
	fbk_put_u8(b, 0);
	fbk_put_u8(b, access);
	fbk_put_u64(b, addr);
}

/* 5.2.9 FADT: hardware-reduced, so that all but flags, boot architecture and the DSDT's address is zero. */
static void build_fadt(struct fbk_bytes *b, uint64_t dsdt_gpa)
{
	enum { WBINVD = 1 << 0, PWR_BUTTON = 1 << 4, SLP_BUTTON = 1 << 5, HW_REDUCED = 1 << 20 };
	enum { PSCI_COMPLIANT = 1 << 0, PSCI_USE_HVC = 1 << 1 };
	size_t at = begin(b, "FACP", 6);

	fbk_put_zero(b, 112 - HEADER_LEN);
	fbk_put_u32(b, WBINVD | PWR_BUTTON | SLP_BUTTON | HW_REDUCED);
	fbk_put_zero(b, 12);			      /* RESET_REG: PSCI resets */
	fbk_put_u8(b, 0);			      /* RESET_VALUE */
	fbk_put_u16(b, PSCI_COMPLIANT | PSCI_USE_HVC); /* ARM_BOOT_ARCH */
	fbk_put_u8(b, 3);			      /* minor version: 6.3 */
	fbk_put_u64(b, 0);			      /* X_FIRMWARE_CTRL: no FACS */
	fbk_put_u64(b, dsdt_gpa);
	fbk_put_zero(b, 8 * 12);		      /* X_PM1a_EVT_BLK .. X_GPE1_BLK */
	fbk_put_zero(b, 2 * 12);		      /* SLEEP_CONTROL_REG, SLEEP_STATUS_REG */
	fbk_put_u64(b, 0);			      /* Hypervisor Vendor Identity */
	end(b, at);
}

/* 5.2.12 MADT */
static void build_madt(struct fbk_bytes *b, unsigned int nr_cpus)
{
	size_t at = begin(b, "APIC", 5);

	fbk_put_u32(b, 0); /* local interrupt controller address */
	fbk_put_u32(b, 0); /* flags */

	fbk_put_u8(b, 12); /* 5.2.12.15 GICD */
	fbk_put_u8(b, 24);
	fbk_put_u16(b, 0);
	fbk_put_u32(b, 0);
	fbk_put_u64(b, FBK_GICD_BASE);
	fbk_put_u32(b, 0);
	fbk_put_u8(b, 3);
	fbk_put_zero(b, 3);

	for (unsigned int i = 0; i < nr_cpus; i++) {
		fbk_put_u8(b, 11); /* 5.2.12.14 GICC */
		fbk_put_u8(b, 80);
		fbk_put_u16(b, 0);
		fbk_put_u32(b, i); /* CPU interface number */
		fbk_put_u32(b, i); /* ACPI processor UID: the DSDT's _UID */
		fbk_put_u32(b, 1); /* enabled */
		fbk_put_u32(b, 0); /* parking protocol */
		fbk_put_u32(b, 0); /* performance interrupt: vCPUs have no PMU */
		fbk_put_u64(b, 0); /* parked address */
		fbk_put_u64(b, 0); /* CPU interface: system registers */
		fbk_put_u64(b, 0); /* GICV */
		fbk_put_u64(b, 0); /* GICH */
		fbk_put_u32(b, 0); /* maintenance interrupt */
		fbk_put_u64(b, 0); /* redistributor: the range below */
		fbk_put_u64(b, i); /* MPIDR: KVM's default is the vCPU's index */
		fbk_put_u8(b, 0);
		fbk_put_u8(b, 0);
		fbk_put_u16(b, 0); /* SPE interrupt */
	}

	fbk_put_u8(b, 14); /* 5.2.12.17 GICR */
	fbk_put_u8(b, 16);
	fbk_put_u16(b, 0);
	fbk_put_u64(b, FBK_GICR_BASE);
	fbk_put_u32(b, FBK_GICR_CPU_LEN * nr_cpus);
	end(b, at);
}

/* 5.2.24 GTDT */
static void build_gtdt(struct fbk_bytes *b)
{
	/* Level-triggered, active low, as KVM's timers are; the virtual one goes on in low-power states. */
	enum { ACTIVE_LOW = 1 << 1, ALWAYS_ON = 1 << 2 };
	static const uint32_t gsi[] = { FBK_PPI_TIMER_SECURE, FBK_PPI_TIMER_PHYS, FBK_PPI_TIMER_VIRT, FBK_PPI_TIMER_HYP };
	size_t at = begin(b, "GTDT", 2);

	fbk_put_u64(b, UINT64_MAX); /* CntControlBase: none */
	fbk_put_u32(b, 0);
	for (unsigned int i = 0; i < sizeof(gsi) / sizeof(gsi[0]); i++) {
		fbk_put_u32(b, gsi[i]);
		fbk_put_u32(b, ACTIVE_LOW | ALWAYS_ON);
	}
	fbk_put_u64(b, UINT64_MAX); /* CntReadBase: none */
	fbk_put_u32(b, 0);	    /* platform timers */
	fbk_put_u32(b, 0);
	end(b, at);
}

/* [SPCR] revision 2: the console; Linux picks it up without a parameter. */
static void build_spcr(struct fbk_bytes *b)
{
	size_t at = begin(b, "SPCR", 2);

	fbk_put_u8(b, 3); /* ARM PL011 */
	fbk_put_zero(b, 3);
	put_gas(b, 32, 3, FBK_UART_BASE);
	fbk_put_u8(b, 1 << 3); /* Arm GIC interrupt */
	fbk_put_u8(b, 0);
	fbk_put_u32(b, FBK_SPI_UART);
	fbk_put_u8(b, 7); /* 115200 baud */
	fbk_put_u8(b, 0); /* no parity */
	fbk_put_u8(b, 1); /* 1 stop bit */
	fbk_put_u8(b, 0); /* no flow control */
	fbk_put_u8(b, 0); /* VT100 */
	fbk_put_u8(b, 0);
	fbk_put_u16(b, 0xffff); /* no PCI device */
	fbk_put_u16(b, 0xffff);
	fbk_put_zero(b, 3 + 4 + 1 + 4);
	end(b, at);
}

/* 6.2.11 _OSC: firmware-first error reports are granted; every other bit that Linux asks for is refused. */
static void build_osc(struct fbk_aml *a)
{
	/* 0811b06e-4a27-44f9-8d60-3cbbc22e7b48, the platform-wide capabilities, in the byte order of ToUUID */
	static const uint8_t uuid[16] = { 0x6e, 0xb0, 0x11, 0x08, 0x27, 0x4a, 0xf9, 0x44,
					  0x8d, 0x60, 0x3c, 0xbb, 0xc2, 0x2e, 0x7b, 0x48 };
	enum { CAPABILITIES_MASKED = 1 << 4, APEI = 1 << 4 };

	fbk_aml_method(a, "_OSC", 4);
	fbk_aml_if_equal(a, 0, uuid, sizeof(uuid));
	fbk_aml_dword_field(a, 3, 0, "CDW1");
	fbk_aml_dword_field(a, 3, 4, "CDW2");
	fbk_aml_and(a, "CDW2", APEI);
	fbk_aml_or(a, "CDW1", CAPABILITIES_MASKED);
	fbk_aml_close(a);
	fbk_aml_return_arg(a, 3); /* APEI's own capabilities: all that is asked for */
	fbk_aml_close(a);
}

static void put_hid(struct fbk_aml *a, const char *hid, unsigned int uid)
{
	fbk_aml_name_string(a, "_HID", hid);
	fbk_aml_name_integer(a, "_UID", uid);
}

static void two_digits(char *name, const char *prefix, unsigned int n)
{
	memcpy(name, prefix, 2);
	name[2] = '0' + n / 10 % 10;
	name[3] = '0' + n % 10;
	name[4] = '\0';
}

static int build_dsdt(struct fbk_bytes *b, const struct fbk_acpi_config *cfg)
{
	size_t at = begin(b, "DSDT", 2);
	struct fbk_aml a;
	char name[5];
	int len;

	if (b->error)
		return b->error;
	fbk_aml_init(&a, b->buf + b->len, b->cap - b->len);
	fbk_aml_scope(&a, "\\_SB");
	build_osc(&a);

	for (unsigned int i = 0; i < cfg->nr_cpus; i++) {
		two_digits(name, "CP", i);
		fbk_aml_device(&a, name);
		put_hid(&a, "ACPI0007", i);
		fbk_aml_close(&a);
	}

	fbk_aml_device(&a, "COM0");
	put_hid(&a, "ARMH0011", 0);
	fbk_aml_crs_open(&a);
	fbk_aml_crs_memory32(&a, FBK_UART_BASE, FBK_UART_LEN);
	fbk_aml_crs_interrupt(&a, FBK_SPI_UART, 0);
	fbk_aml_crs_close(&a);
	fbk_aml_close(&a);

	for (unsigned int i = 0; i < cfg->nr_virtio; i++) {
		two_digits(name, "VR", i);
		fbk_aml_device(&a, name);
		put_hid(&a, "LNRO0005", i);
		fbk_aml_name_integer(&a, "_CCA", 1);
		fbk_aml_crs_open(&a);
		fbk_aml_crs_memory32(&a, FBK_VIRTIO_BASE + i * FBK_VIRTIO_STRIDE, FBK_VIRTIO_LEN);
		fbk_aml_crs_interrupt(&a, FBK_SPI_VIRTIO + i, 1);
		fbk_aml_crs_close(&a);
		fbk_aml_close(&a);
	}

	/* 18.3.2.7.2: the generic event device tells the error device that source 1 has a record. */
	fbk_aml_device(&a, "ERRD");
	fbk_aml_name_eisaid(&a, "_HID", "PNP0C33");
	fbk_aml_name_integer(&a, "_UID", 0);
	fbk_aml_close(&a);

	/* 4.8.2.2.1.2: a control method power button, which the FADT's flag promises. */
	fbk_aml_device(&a, "PWRB");
	fbk_aml_name_eisaid(&a, "_HID", "PNP0C0C");
	fbk_aml_name_integer(&a, "_UID", 0);
	fbk_aml_close(&a);

	/* 5.6.9: the argument of _EVT is the interrupt that came. */
	fbk_aml_device(&a, "GED0");
	put_hid(&a, "ACPI0013", 0);
	fbk_aml_crs_open(&a);
	fbk_aml_crs_interrupt(&a, FBK_SPI_GED, 1);
	fbk_aml_crs_interrupt(&a, FBK_SPI_POWER, 1);
	fbk_aml_crs_close(&a);
	fbk_aml_method(&a, "_EVT", 1);
	fbk_aml_if_integer(&a, 0, FBK_SPI_GED);
	fbk_aml_notify(&a, "ERRD", 0x80);
	fbk_aml_close(&a);
	fbk_aml_if_integer(&a, 0, FBK_SPI_POWER);
	fbk_aml_notify(&a, "PWRB", 0x80);
	fbk_aml_close(&a);
	fbk_aml_close(&a);
	fbk_aml_close(&a);

	fbk_aml_close(&a);
	len = fbk_aml_done(&a);
	if (len < 0)
		return len;
	b->len += len;
	end(b, at);
	return 0;
}

static int build_hest(struct fbk_bytes *b, const struct fbk_ghes_layout *ghes)
{
	int len;

	fbk_put_zero(b, -b->len & 7);
	if (b->error)
		return b->error;
	len = fbk_hest_build(ghes, OEM_ID, OEM_TABLE_ID, b->buf + b->len, b->cap - b->len);
	if (len < 0)
		return len;
	b->len += len;
	return 0;
}

int fbk_acpi_build(const struct fbk_acpi_config *cfg, struct fbk_bytes *out, struct fbk_gpa base, struct fbk_gpa *ret_rsdp)
{
	uint64_t table[6];
	unsigned int nr = 0;
	uint64_t dsdt, xsdt;
	size_t at;
	int r;

	if (!cfg->nr_cpus || cfg->nr_cpus > FBK_MAX_CPUS || cfg->nr_virtio > FBK_MAX_VIRTIO)
		return -EINVAL;

	fbk_put_zero(out, -out->len & 7);
	dsdt = base.addr + out->len;
	r = build_dsdt(out, cfg);
	if (r < 0)
		return r;

/* Each table begins 8-byte aligned behind the last. */
#define NEXT_TABLE() (base.addr + ((out->len + 7) & ~(size_t)7))
	table[nr++] = NEXT_TABLE(); /* 5.2.9: the FADT comes first */
	build_fadt(out, dsdt);
	table[nr++] = NEXT_TABLE();
	build_madt(out, cfg->nr_cpus);
	table[nr++] = NEXT_TABLE();
	build_gtdt(out);
	/* Linux takes what it names for a console beside those of its command line: all would be said twice. */
	if (cfg->uart_is_console) {
		table[nr++] = NEXT_TABLE();
		build_spcr(out);
	}
	if (cfg->ghes) {
		table[nr++] = NEXT_TABLE();
		r = build_hest(out, cfg->ghes);
		if (r < 0)
			return r;
	}

	xsdt = NEXT_TABLE(); /* 5.2.8 */
#undef NEXT_TABLE
	at = begin(out, "XSDT", 1);
	for (unsigned int i = 0; i < nr; i++)
		fbk_put_u64(out, table[i]);
	end(out, at);

	fbk_put_zero(out, -out->len & 15);
	at = out->len; /* 5.2.5.3 RSDP */
	fbk_put(out, "RSD PTR ", 8);
	fbk_put_u8(out, 0);
	fbk_put(out, OEM_ID, 6);
	fbk_put_u8(out, 2);
	fbk_put_u32(out, 0); /* no RSDT */
	fbk_put_u32(out, 36);
	fbk_put_u64(out, xsdt);
	fbk_put_u8(out, 0);
	fbk_put_zero(out, 3);
	if (out->error)
		return out->error;
	out->buf[at + 8] = checksum(out->buf + at, 20);
	out->buf[at + 32] = checksum(out->buf + at, 36);
	ret_rsdp->addr = base.addr + at;
	return 0;
}
