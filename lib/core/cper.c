/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * cper.c - the record a guest finds in its error block.
 */
#include <firebreak/cper.h>

#include "calendar.h"
#include "cursor.h"

#include <errno.h>
#include <string.h>

/* [ACPI "Generic Error Status Block", Block Status] */
#define STATUS_UNCORRECTABLE (1u << 0)
#define STATUS_MULTIPLE_UNCORRECTABLE (1u << 2)
#define STATUS_COUNT_SHIFT 4

#define SEVERITY_RECOVERABLE 0

/* [ACPI "Generic Error Data Entry"] */
#define DATA_REVISION 0x300
#define DATA_VALID_FRU_TEXT (1u << 1)
#define DATA_VALID_TIMESTAMP (1u << 2)
#define FRU_TEXT_LEN 20

/* [UEFI "Memory Error Section", Validation Bits] */
#define MEMORY_VALID_PA (UINT64_C(1) << 1)
#define MEMORY_VALID_PA_MASK (UINT64_C(1) << 2)
#define MEMORY_VALID_TYPE (UINT64_C(1) << 14)
#define MEMORY_TYPE_UNKNOWN 0

/* Platform memory error section, a5bc1114-6f64-4ede-b863-3e83ed7c83b1, as it lies in memory. */
static const uint8_t memory_section[16] = { 0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,
					    0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1 };

static uint8_t bcd(uint32_t v)
{
	return (uint8_t)((v / 10 % 10) << 4 | v % 10);
}

/* [UEFI "Error record header", Timestamp] */
static void timestamp(struct fbk_cursor *c, uint64_t time_ns)
{
	struct fbk_calendar t;

	fbk_calendar_from_ns(time_ns, &t);
	fbk_cursor_u8(c, bcd(t.second));
	fbk_cursor_u8(c, bcd(t.minute));
	fbk_cursor_u8(c, bcd(t.hour));
	fbk_cursor_u8(c, 1); /* precise: the moment of the error itself */
	fbk_cursor_u8(c, bcd(t.day));
	fbk_cursor_u8(c, bcd(t.month));
	fbk_cursor_u8(c, bcd(t.year % 100));
	fbk_cursor_u8(c, bcd(t.year / 100));
}

/* "firebreak 000000042": Linux hands this field to readers that expect a NUL inside its 20 bytes. */
static void fru_text(struct fbk_cursor *c, uint64_t serial)
{
	char text[FRU_TEXT_LEN] = "firebreak 000000000";
	size_t i;

	for (i = FRU_TEXT_LEN - 2; text[i] != ' '; i--) {
		text[i] = (char)('0' + serial % 10);
		serial /= 10;
	}
	fbk_cursor_bytes(c, text, sizeof(text));
}

/* [ACPI "Generic Error Data Entry"] and, in it, [UEFI "Memory Error Section"] */
static void section(struct fbk_cursor *c, const struct fbk_cper *in, struct fbk_gpa page)
{
	fbk_cursor_bytes(c, memory_section, sizeof(memory_section)); /* Section Type */
	fbk_cursor_le32(c, SEVERITY_RECOVERABLE);		     /* Error Severity */
	fbk_cursor_le16(c, DATA_REVISION);			     /* Revision */
	fbk_cursor_u8(c, DATA_VALID_FRU_TEXT | DATA_VALID_TIMESTAMP);
	fbk_cursor_u8(c, 0);			  /* Flags */
	fbk_cursor_le32(c, FBK_CPER_MEMORY_LEN); /* Error Data Length */
	fbk_cursor_zeros(c, 16);		  /* FRU Id */
	fru_text(c, in->serial);		  /* FRU Text */
	timestamp(c, in->time_ns);		  /* Timestamp */

	fbk_cursor_le64(c, MEMORY_VALID_PA | MEMORY_VALID_PA_MASK | MEMORY_VALID_TYPE);
	fbk_cursor_le64(c, 0);				   /* Error Status */
	fbk_cursor_le64(c, page.addr & FBK_PAGE_MASK);	   /* Physical Address */
	fbk_cursor_le64(c, FBK_PAGE_MASK);		   /* Physical Address Mask */
	fbk_cursor_zeros(c, 8 * 2 + 3 * 8);		   /* Node to Target ID: not valid */
	fbk_cursor_u8(c, MEMORY_TYPE_UNKNOWN);		   /* Memory Error Type */
	fbk_cursor_zeros(c, 1 + 3 * 2);			   /* Extended, Rank, Card and Module Handle: not valid */
}

int fbk_cper_encode(const struct fbk_cper *in, void *buf, size_t len)
{
	struct fbk_cursor c;
	uint32_t status, i;

	if (!in || !in->pages || !buf || in->nr_pages == 0 || in->nr_pages > FBK_CPER_MAX_PAGES)
		return -EINVAL;
	/* All or nothing: on failure buf is as it was. */
	if (len < FBK_CPER_STATUS_LEN + in->nr_pages * FBK_CPER_SECTION_LEN)
		return -ENOSPC;

	status = STATUS_UNCORRECTABLE | in->nr_pages << STATUS_COUNT_SHIFT;
	if (in->nr_pages > 1)
		status |= STATUS_MULTIPLE_UNCORRECTABLE;

	/* [ACPI "Generic Error Status Block"] */
	fbk_cursor_init(&c, buf, len);
	fbk_cursor_le32(&c, status);				     /* Block Status */
	fbk_cursor_le32(&c, 0);					     /* Raw Data Offset */
	fbk_cursor_le32(&c, 0);					     /* Raw Data Length */
	fbk_cursor_le32(&c, in->nr_pages * FBK_CPER_SECTION_LEN); /* Data Length */
	fbk_cursor_le32(&c, SEVERITY_RECOVERABLE);		     /* Error Severity */
	for (i = 0; i < in->nr_pages; i++)
		section(&c, in, in->pages[i]);
	return fbk_cursor_end(&c);
}
