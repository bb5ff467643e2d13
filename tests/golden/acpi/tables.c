/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * tables.c - write the guest's ACPI tables to files, one a table: what the golden test compares and iasl judges.
 *
 * usage: acpi-tables FOLDER; makes FOLDER/CONFIG-SIGNATURE.aml for each configuration and table.
 */
#include "acpi.h"
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t blob[FBK_TABLES_LEN];

static int write_table(const char *folder, const char *config, const char *signature, const uint8_t *table, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s-%.4s.aml", folder, config, signature);
	f = fopen(path, "wb");
	if (!f || fwrite(table, 1, len, f) != len || fclose(f)) {
		perror(path);
		return 1;
	}
	return 0;
}

/* Walks as a guest would: RSDP, XSDT, FADT's DSDT. The blob's bounds are checked, its pointers are not trusted. */
static const uint8_t *table_at(uint64_t gpa, size_t len)
{
	if (gpa < FBK_TABLES_GPA || gpa - FBK_TABLES_GPA > sizeof(blob) - 36)
		return NULL;
	if (len < 36)
		len = fbk_get_le(blob + (gpa - FBK_TABLES_GPA) + 4, 4);
	if (len < 36 || len > sizeof(blob) - (gpa - FBK_TABLES_GPA))
		return NULL;
	return blob + (gpa - FBK_TABLES_GPA);
}

static int write_one(const char *folder, const char *config, uint64_t gpa)
{
	const uint8_t *t = table_at(gpa, 0);

	if (!t) {
		fprintf(stderr, "%s: no table at 0x%llx\n", config, (unsigned long long)gpa);
		return 1;
	}
	return write_table(folder, config, (const char *)t, t, fbk_get_le(t + 4, 4));
}

static int write_config(const char *folder, const char *config, unsigned int nr_cpus, unsigned int nr_virtio)
{
	struct fbk_acpi_config cfg = { .nr_cpus = nr_cpus, .nr_virtio = nr_virtio, .uart_is_console = true };
	struct fbk_ghes_layout ghes;
	struct fbk_bytes out;
	struct fbk_gpa rsdp;
	const uint8_t *t, *xsdt;
	int bad = 0;

	cfg.ghes = &ghes;
	fbk_bytes_init(&out, blob, sizeof(blob));
	if (fbk_ghes_layout_init(&ghes, (struct fbk_gpa){ FBK_RECORDS_GPA }) ||
	    fbk_acpi_build(&cfg, &out, (struct fbk_gpa){ FBK_TABLES_GPA }, &rsdp)) {
		fprintf(stderr, "%s: the tables cannot be built\n", config);
		return 1;
	}
	t = table_at(rsdp.addr, 36);
	if (!t)
		return 1;
	bad |= write_table(folder, config, "RSDP", t, 36);
	bad |= write_one(folder, config, fbk_get_le(t + 24, 8));
	xsdt = table_at(fbk_get_le(t + 24, 8), 0);
	for (size_t at = 36; xsdt && at < fbk_get_le(xsdt + 4, 4); at += 8) {
		uint64_t gpa = fbk_get_le(xsdt + at, 8);

		bad |= write_one(folder, config, gpa);
		t = table_at(gpa, 0);
		if (t && !memcmp(t, "FACP", 4))
			bad |= write_one(folder, config, fbk_get_le(t + 140, 8));
	}
	return bad;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: acpi-tables FOLDER\n", stderr);
		return 2;
	}
	return write_config(argv[1], "least", 1, 1) | write_config(argv[1], "most", FBK_MAX_CPUS, FBK_MAX_VIRTIO);
}
