/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * cper.h - the record a guest finds in its error block: a generic error status block with one memory error
 * section per lost 4 KiB page and, if wanted, one about the processor that took the abort.
 */
#ifndef FIREBREAK_CPER_H
#define FIREBREAK_CPER_H

#include <firebreak/ghes.h>
#include <firebreak/sea.h>
#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FBK_CPER_STATUS_LEN 20	/* generic error status block */
#define FBK_CPER_DATA_LEN 72	/* generic error data entry, revision 0x300 */
#define FBK_CPER_MEMORY_LEN 80	/* platform memory error section, UEFI 2.3 and later */
#define FBK_CPER_SECTION_LEN (FBK_CPER_DATA_LEN + FBK_CPER_MEMORY_LEN)

#define FBK_CPER_PROCESSOR_LEN 72 /* ARM processor error section with one error information structure */

/* Pages that fit in one error block, without a processor's section. */
#define FBK_CPER_MAX_PAGES ((FBK_GHES_BLOCK_LEN - FBK_CPER_STATUS_LEN) / FBK_CPER_SECTION_LEN)

/* The processor that took the abort. */
struct fbk_cper_processor {
	uint32_t flags;		  /* FBK_CPER_HAS_* */
	enum fbk_abort_kind kind; /* what it did */
	uint64_t mpidr;		  /* MPIDR_EL1, with FBK_CPER_HAS_MPIDR */
	uint64_t midr;		  /* MIDR_EL1; 0: not known */
	struct fbk_gva gva;	  /* with FBK_CPER_HAS_GVA */
};

#define FBK_CPER_HAS_MPIDR (1u << 0)
#define FBK_CPER_HAS_GVA (1u << 1)

struct fbk_cper {
	const struct fbk_gpa *pages; /* borrowed; the page that holds each address is lost */
	uint32_t nr_pages;	     /* 1 to FBK_CPER_MAX_PAGES */
	uint32_t reserved;
	uint64_t time_ns; /* CLOCK_REALTIME of the record */
	const struct fbk_cper_processor *processor; /* borrowed; NULL: no such section */
	uint64_t serial;  /* differs from every recent record's: Linux drops byte-identical records for 10 s */
};

/**
 * fbk_cper_encode - write the record
 * @in:  what is to be told
 * @buf: where to; bytes after the record are left alone
 *
 * Severity is "recoverable" throughout: anything graver makes the guest panic. The timestamp has whole seconds, so
 * the serial number goes into the FRU text ("firebreak 000000042") and makes each record unlike the others.
 *
 * A processor's section comes first and calls the error a cache error at the first page's address: the one kind of which
 * Linux takes an address out of such a section. Kernels before 6.19 number the kinds otherwise, read "bus error" and warn;
 * they, and all others, act on the memory sections behind it.
 *
 * Return:  length of the record in bytes.
 * Errors:  -EINVAL; -ENOSPC buf is too small.
 * Context: pure.
 * Spec:    [ACPI "Generic Error Status Block", "Generic Error Data Entry"], [UEFI "Memory Error Section", "ARM Processor
 *          Error Section"]
 */
FBK_API FBK_MUST_CHECK int fbk_cper_encode(const struct fbk_cper *in, void *buf, size_t len);

FBK_EXTERN_C_END

#endif
