/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * acpi.h - the guest's ACPI tables.
 */
#ifndef FBK_VMM_ACPI_H
#define FBK_VMM_ACPI_H

#include "bytes.h"

#include <firebreak/ghes.h>

#include <stdbool.h>

struct fbk_acpi_config {
	unsigned int nr_cpus;
	unsigned int nr_virtio;		    /* virtio-mmio transports, from number 0 */
	const struct fbk_ghes_layout *ghes; /* the error sources that HEST announces */
	bool uart_is_console;		    /* SPCR says so; without, there is none */
};

/**
 * fbk_acpi_build - append all tables to a blob
 * @out:      the blob; grows
 * @base:     the GPA of the blob's first byte (8-byte aligned)
 * @ret_rsdp: GPA of the RSDP
 *
 * Return:  0.
 * Errors:  -ENOSPC blob full; -EINVAL nonsense configuration.
 * Spec:    [ACPI 5.2]
 */
int fbk_acpi_build(const struct fbk_acpi_config *cfg, struct fbk_bytes *out, struct fbk_gpa base, struct fbk_gpa *ret_rsdp);

#endif
