/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * platform.h - the memory map and interrupt numbers of the virtual machine.
 *
 * Guest-visible: a change here changes the ABI that a running guest has seen.
 */
#ifndef FBK_VMM_PLATFORM_H
#define FBK_VMM_PLATFORM_H

#include <firebreak/ghes.h>
#include <stdint.h>

#define FBK_MAX_CPUS 8

#define FBK_GICD_BASE UINT64_C(0x08000000)
#define FBK_GICD_LEN UINT64_C(0x10000)
#define FBK_GICR_BASE UINT64_C(0x080a0000)
#define FBK_GICR_CPU_LEN UINT64_C(0x20000) /* RD and SGI frames of one CPU */

#define FBK_UART_BASE UINT64_C(0x09000000)
#define FBK_UART_LEN UINT64_C(0x1000)

/* One 64 KiB page for each transport, so that every guest page size maps them apart. */
#define FBK_VIRTIO_BASE UINT64_C(0x0a000000)
#define FBK_VIRTIO_STRIDE UINT64_C(0x10000)
#define FBK_VIRTIO_LEN UINT64_C(0x200)
#define FBK_MAX_DISKS 4
#define FBK_MAX_DISK_QUEUES 8
#define FBK_MAX_NETS 2
#define FBK_MAX_VIRTIO (1 + FBK_MAX_DISKS + FBK_MAX_NETS + 1)

/* GIC interrupt numbers as ACPI writes them: SPI n is 32 + n, PPI n is 16 + n. */
#define FBK_PPI_TIMER_SECURE 29
#define FBK_PPI_TIMER_PHYS 30
#define FBK_PPI_TIMER_VIRT 27
#define FBK_PPI_TIMER_HYP 26
#define FBK_SPI_UART 33
#define FBK_SPI_GED 34   /* the generic event device: a record in the asynchronous error source */
#define FBK_SPI_POWER 35 /* the same device: the power button was pressed */
#define FBK_SPI_VIRTIO 48
#define FBK_NR_IRQS 96 /* SGIs, PPIs and SPIs: a multiple of 32, at least 64 */

#define FBK_RAM_BASE UINT64_C(0x40000000)
#define FBK_RAM_GRANULE UINT64_C(0x10000) /* the largest guest page: no page may have two memory types */
#define FBK_RAM_MIN (UINT64_C(64) << 20)
#define FBK_RAM_MAX (UINT64_C(255) << 30) /* 40-bit guest physical addresses hold it on every CPU */

/* The first regions of RAM: what firmware would have left there. */
#define FBK_TABLES_GPA FBK_RAM_BASE
#define FBK_TABLES_LEN UINT64_C(0x10000)
#define FBK_RECORDS_GPA (FBK_TABLES_GPA + FBK_TABLES_LEN)
#define FBK_RECORDS_LEN FBK_GHES_AREA_LEN
#define FBK_FREE_GPA (FBK_RECORDS_GPA + FBK_RECORDS_LEN)
#define FBK_KERNEL_ALIGN UINT64_C(0x200000)

_Static_assert(FBK_RECORDS_GPA % FBK_RAM_GRANULE == 0, "error records share no guest page");
_Static_assert(FBK_TABLES_LEN % FBK_RAM_GRANULE == 0, "tables share no guest page");
_Static_assert(FBK_RECORDS_LEN % FBK_RAM_GRANULE == 0, "error records share no guest page");

#endif
