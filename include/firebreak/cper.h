/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * cper.h - the record a guest finds in its error block: a generic error status block with one memory error
 * section per lost 4 KiB page.
 */
#ifndef FIREBREAK_CPER_H
#define FIREBREAK_CPER_H

#include <firebreak/ghes.h>
#include <firebreak/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FBK_CPER_STATUS_LEN 20	/* generic error status block */
#define FBK_CPER_DATA_LEN 72	/* generic error data entry, revision 0x300 */
#define FBK_CPER_MEMORY_LEN 80	/* platform memory error section, UEFI 2.3 and later */
#define FBK_CPER_SECTION_LEN (FBK_CPER_DATA_LEN + FBK_CPER_MEMORY_LEN)

/* Pages that fit in one error block. */
#define FBK_CPER_MAX_PAGES ((FBK_GHES_BLOCK_LEN - FBK_CPER_STATUS_LEN) / FBK_CPER_SECTION_LEN)

struct fbk_cper {
	const struct fbk_gpa *pages; /* borrowed; the page that holds each address is lost */
	uint32_t nr_pages;	     /* 1 to FBK_CPER_MAX_PAGES */
	uint32_t reserved;
	uint64_t time_ns; /* CLOCK_REALTIME of the record */
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
 * Return:  length of the record in bytes.
 * Errors:  -EINVAL; -ENOSPC buf is too small.
 * Context: pure.
 * Spec:    [ACPI "Generic Error Status Block", "Generic Error Data Entry"], [UEFI "Memory Error Section"]
 */
FBK_API FBK_MUST_CHECK int fbk_cper_encode(const struct fbk_cper *in, void *buf, size_t len);

FBK_EXTERN_C_END

#endif
