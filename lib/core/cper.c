/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * cper.c - the record a guest finds in its error block: written field by field, and for one page kept ready.
 */
#include <firebreak/cper.h>

#include "calendar.h"
#include "cper_page.h"
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
#define FRU_TEXT_PREFIX "firebreak "
#define SERIAL_DIGITS 9
_Static_assert(sizeof(FRU_TEXT_PREFIX) + SERIAL_DIGITS == FRU_TEXT_LEN, "with the NUL the field is full");

/* Where in a record of one page stands what differs from one to the next. */
#define FRU_TEXT_AT (FBK_CPER_STATUS_LEN + 44)
#define SERIAL_AT (FRU_TEXT_AT + sizeof(FRU_TEXT_PREFIX) - 1)
#define TIMESTAMP_AT (FRU_TEXT_AT + FRU_TEXT_LEN)
#define TIMESTAMP_LEN 8
#define PHYSICAL_ADDRESS_AT (FBK_CPER_STATUS_LEN + FBK_CPER_DATA_LEN + 16)

/* [UEFI "Memory Error Section", Validation Bits] */
#define MEMORY_VALID_PA (UINT64_C(1) << 1)
#define MEMORY_VALID_PA_MASK (UINT64_C(1) << 2)
#define MEMORY_VALID_TYPE (UINT64_C(1) << 14)
#define MEMORY_TYPE_UNKNOWN 0

#define SECOND_NS UINT64_C(1000000000)
#define DAY_NS (86400 * SECOND_NS)

/* Platform memory error section, a5bc1114-6f64-4ede-b863-3e83ed7c83b1, as it lies in memory. */
static const uint8_t memory_section[16] = { 0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e,
					    0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83, 0xb1 };

/* v below 100 */
static uint8_t bcd(uint32_t v)
{
	return (uint8_t)(v / 10 << 4 | v % 10);
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

static void put_digits(uint8_t *p, uint64_t serial)
{
	uint32_t rest = (uint32_t)(serial % 1000000000);
	size_t i;

	for (i = SERIAL_DIGITS; i-- > 0; rest /= 10)
		p[i] = (uint8_t)('0' + rest % 10);
}

/* "firebreak 000000042": Linux hands this field to readers that expect a NUL inside its 20 bytes. */
static void fru_text(struct fbk_cursor *c, uint64_t serial)
{
	uint8_t text[FRU_TEXT_LEN] = FRU_TEXT_PREFIX;

	put_digits(text + sizeof(FRU_TEXT_PREFIX) - 1, serial);
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

int fbk_cper_page_init(struct fbk_cper_page *r)
{
	const struct fbk_gpa none = { 0 };
	const struct fbk_cper in = { .pages = &none, .nr_pages = 1 };

	*r = (struct fbk_cper_page){ 0 };
	return fbk_cper_encode(&in, r->bytes, sizeof(r->bytes)) == FBK_CPER_PAGE_LEN ? 0 : -ENOTRECOVERABLE;
}

static int within(uint64_t time_ns, uint64_t start_ns, uint64_t len_ns)
{
	return time_ns >= start_ns && time_ns - start_ns < len_ns;
}

static void set_time(struct fbk_cper_page *r, uint64_t time_ns)
{
	uint8_t *stamp = r->bytes + TIMESTAMP_AT;
	uint32_t seconds;

	if (!within(time_ns, r->day_ns, DAY_NS)) {
		struct fbk_cursor c;

		fbk_cursor_init(&c, stamp, TIMESTAMP_LEN);
		timestamp(&c, time_ns);
		r->day_ns = time_ns - time_ns % DAY_NS;
		r->second_ns = time_ns - time_ns % SECOND_NS;
		return;
	}
	seconds = (uint32_t)((time_ns - r->day_ns) / SECOND_NS);
	stamp[0] = bcd(seconds % 60);
	stamp[1] = bcd(seconds / 60 % 60);
	stamp[2] = bcd(seconds / 3600);
	r->second_ns = r->day_ns + seconds * SECOND_NS;
}

/* The next number, as an odometer does it. */
static void count_up(uint8_t *digits)
{
	uint32_t i = SERIAL_DIGITS;

	while (i-- > 0) {
		if (digits[i] != '9') {
			digits[i]++;
			return;
		}
		digits[i] = '0';
	}
}

void fbk_cper_page_set(struct fbk_cper_page *r, struct fbk_gpa page, uint64_t time_ns, uint64_t serial)
{
	fbk_put_le64(r->bytes + PHYSICAL_ADDRESS_AT, page.addr & FBK_PAGE_MASK);
	if (!within(time_ns, r->second_ns, SECOND_NS))
		set_time(r, time_ns);
	if (serial == r->serial + 1)
		count_up(r->bytes + SERIAL_AT);
	else
		put_digits(r->bytes + SERIAL_AT, serial);
	r->serial = serial;
}
