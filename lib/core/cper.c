/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * cper.c - the record a guest finds in its error block: written field by field, and for one page kept ready.
 */
#include <firebreak/cper.h>

#include "calendar.h"
#include "cper_guid.h"
#include "cper_page.h"
#include "cursor.h"

#include <errno.h>

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

/* [UEFI "ARM Processor Error Section", Validation Bits; "ARM Processor Error Information Structure"] */
#define PROCESSOR_VALID_MPIDR (1u << 0)
#define PROCESSOR_VALID_RUNNING (1u << 2)
#define PROCESSOR_RUNNING 1
#define PROCESSOR_INFO_LEN 32
#define INFO_VALID_FLAGS (1u << 1)
#define INFO_VALID_ERROR (1u << 2)
#define INFO_VALID_VA (1u << 3)
#define INFO_VALID_PA (1u << 4)
#define INFO_CACHE_ERROR (1u << 1)
#define INFO_FIRST_AND_LAST 3
/* [UEFI "ARM Cache Error Structure"] */
#define CACHE_VALID_TRANSACTION (UINT64_C(1) << 0)
#define CACHE_VALID_CORRECTED (UINT64_C(1) << 4)
#define CACHE_VALID_PRECISE_PC (UINT64_C(1) << 5)
#define CACHE_TRANSACTION_SHIFT 16
#define CACHE_PRECISE_PC (UINT64_C(1) << 27)

#define SECOND_NS UINT64_C(1000000000)
#define DAY_NS (86400 * SECOND_NS)

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

/* [ACPI "Generic Error Data Entry"] */
static void entry(struct fbk_cursor *c, const struct fbk_cper *in, const uint8_t *type, uint32_t len)
{
	fbk_cursor_bytes(c, type, 16);		  /* Section Type */
	fbk_cursor_le32(c, SEVERITY_RECOVERABLE); /* Error Severity */
	fbk_cursor_le16(c, DATA_REVISION);	  /* Revision */
	fbk_cursor_u8(c, DATA_VALID_FRU_TEXT | DATA_VALID_TIMESTAMP);
	fbk_cursor_u8(c, 0);	   /* Flags */
	fbk_cursor_le32(c, len);   /* Error Data Length */
	fbk_cursor_zeros(c, 16);   /* FRU Id */
	fru_text(c, in->serial);   /* FRU Text */
	timestamp(c, in->time_ns); /* Timestamp */
}

static uint64_t transaction(enum fbk_abort_kind kind)
{
	switch (kind) {
	case FBK_ABORT_INSTRUCTION:
		return 0;
	case FBK_ABORT_DATA:
		return 1;
	default:
		return 2; /* generic */
	}
}

/* [UEFI "ARM Processor Error Section"] and in it [UEFI "ARM Processor Error Information Structure"] */
static void processor(struct fbk_cursor *c, const struct fbk_cper *in)
{
	const struct fbk_cper_processor *p = in->processor;
	uint32_t has_mpidr = p->flags & FBK_CPER_HAS_MPIDR, has_gva = p->flags & FBK_CPER_HAS_GVA;

	entry(c, in, fbk_cper_guid_arm, FBK_CPER_PROCESSOR_LEN);
	fbk_cursor_le32(c, PROCESSOR_VALID_RUNNING | (has_mpidr ? PROCESSOR_VALID_MPIDR : 0));
	fbk_cursor_le16(c, 1);			     /* ERR_INFO_NUM */
	fbk_cursor_le16(c, 0);			     /* CONTEXT_INFO_NUM */
	fbk_cursor_le32(c, FBK_CPER_PROCESSOR_LEN);  /* Section Length */
	fbk_cursor_zeros(c, 4);			     /* Error affinity level: not valid */
	fbk_cursor_le64(c, has_mpidr ? p->mpidr : 0); /* MPIDR_EL1 */
	fbk_cursor_le64(c, p->midr);		     /* MIDR_EL1 */
	fbk_cursor_le32(c, PROCESSOR_RUNNING);	     /* Running State */
	fbk_cursor_le32(c, 0);			     /* PSCI State */

	fbk_cursor_u8(c, 0); /* Version */
	fbk_cursor_u8(c, PROCESSOR_INFO_LEN);
	fbk_cursor_le16(c, INFO_VALID_FLAGS | INFO_VALID_ERROR | INFO_VALID_PA | (has_gva ? INFO_VALID_VA : 0));
	fbk_cursor_u8(c, INFO_CACHE_ERROR); /* Type */
	fbk_cursor_le16(c, 0);		    /* Multiple Error: not valid */
	fbk_cursor_u8(c, INFO_FIRST_AND_LAST);
	fbk_cursor_le64(c, CACHE_VALID_TRANSACTION | CACHE_VALID_CORRECTED | CACHE_VALID_PRECISE_PC |
				   transaction(p->kind) << CACHE_TRANSACTION_SHIFT | CACHE_PRECISE_PC);
	fbk_cursor_le64(c, has_gva ? p->gva.addr : 0);		   /* Virtual Fault Address */
	fbk_cursor_le64(c, in->pages[0].addr & FBK_PAGE_MASK); /* Physical Fault Address */
}

/* [UEFI "Memory Error Section"] */
static void memory(struct fbk_cursor *c, const struct fbk_cper *in, struct fbk_gpa page)
{
	entry(c, in, fbk_cper_guid_memory, FBK_CPER_MEMORY_LEN);
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
	uint32_t status, sections, data_len, i;

	if (!in || !in->pages || !buf || in->nr_pages == 0 || in->nr_pages > FBK_CPER_MAX_PAGES)
		return -EINVAL;
	/* All or nothing: on failure buf is as it was. */
	sections = in->nr_pages + !!in->processor;
	data_len = in->nr_pages * FBK_CPER_SECTION_LEN + (in->processor ? FBK_CPER_DATA_LEN + FBK_CPER_PROCESSOR_LEN : 0);
	if (len < FBK_CPER_STATUS_LEN + data_len)
		return -ENOSPC;

	status = STATUS_UNCORRECTABLE | sections << STATUS_COUNT_SHIFT;
	if (sections > 1)
		status |= STATUS_MULTIPLE_UNCORRECTABLE;

	/* [ACPI "Generic Error Status Block"] */
	fbk_cursor_init(&c, buf, len);
	fbk_cursor_le32(&c, status);				     /* Block Status */
	fbk_cursor_le32(&c, 0);					     /* Raw Data Offset */
	fbk_cursor_le32(&c, 0);					     /* Raw Data Length */
	fbk_cursor_le32(&c, data_len);				     /* Data Length */
	fbk_cursor_le32(&c, SEVERITY_RECOVERABLE);		     /* Error Severity */
	/* In front: what Linux makes of the last section is what it believes to have done. */
	if (in->processor)
		processor(&c, in);
	for (i = 0; i < in->nr_pages; i++)
		memory(&c, in, in->pages[i]);
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

/* Apart, since its calendar takes room on the stack that others need not guard. */
static __attribute__((noinline)) void set_time(struct fbk_cper_page *r, uint64_t time_ns)
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
