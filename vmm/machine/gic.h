/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * gic.h - the in-kernel GICv3.
 */
#ifndef FBK_VMM_GIC_H
#define FBK_VMM_GIC_H

/* After all vCPUs were created. Return: the device's descriptor. Errors: negative errno of the failing ioctl. */
int fbk_gic_create(int vm_fd, unsigned int nr_cpus);

/* Registers as at power-on; no vCPU may run. Errors: negative errno of the failing ioctl. */
int fbk_gic_reset(int gic_fd, unsigned int nr_cpus);

/* The level of a shared interrupt (ACPI's number). Any thread. Errors: negative errno. */
int fbk_gic_irq(int vm_fd, unsigned int gsi, int level);

#endif
