/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * hest.c - the ACPI Hardware Error Source Table [ACPI "Hardware Error Source Table"].
 */
#include <firebreak/cper.h>
#include <firebreak/ghes.h>

#include "cursor.h"

#include <errno.h>

#define HEADER_CHECKSUM 9
#define HEADER_LENGTH 4
#define HEST_REVISION 1

#define SOURCE_GHES_V2 10
#define NOTIFY_SEA 8
#define NOTIFY_GSIV 10
#define NOTIFY_LEN 28

#define SPACE_SYSTEM_MEMORY 0
#define ACCESS_QWORD 4

/* [ACPI "Generic Address Structure"]: a u64 in guest memory */
static void address(struct fbk_cursor *c, struct fbk_gpa gpa)
{
	fbk_cursor_u8(c, SPACE_SYSTEM_MEMORY); /* Address Space ID */
	fbk_cursor_u8(c, 64);		       /* Register Bit Width */
	fbk_cursor_u8(c, 0);		       /* Register Bit Offset */
	fbk_cursor_u8(c, ACCESS_QWORD);	       /* Access Size */
	fbk_cursor_le64(c, gpa.addr);	       /* Address */
}

/* [ACPI "Hardware Error Notification Structure"]: no vector, no polling, no thresholds */
static void notification(struct fbk_cursor *c, uint8_t type)
{
	fbk_cursor_u8(c, type);
	fbk_cursor_u8(c, NOTIFY_LEN);
	fbk_cursor_zeros(c, NOTIFY_LEN - 2);
}

/* [ACPI "Generic Hardware Error Source version 2"] */
static void source(struct fbk_cursor *c, const struct fbk_ghes_layout *l, uint16_t id)
{
	fbk_cursor_le16(c, SOURCE_GHES_V2);	    /* Type */
	fbk_cursor_le16(c, id);			    /* Source Id */
	fbk_cursor_le16(c, 0xffff);		    /* Related Source Id: none */
	fbk_cursor_u8(c, 0);			    /* Flags */
	fbk_cursor_u8(c, 1);			    /* Enabled */
	fbk_cursor_le32(c, 1);			    /* Number of Records To Pre-allocate */
	fbk_cursor_le32(c, FBK_CPER_MAX_PAGES); /* Max Sections Per Record */
	fbk_cursor_le32(c, FBK_GHES_BLOCK_LEN); /* Max Raw Data Length */
	address(c, l->source[id].pointer);	    /* Error Status Address */
	notification(c, id == FBK_GHES_SEA ? NOTIFY_SEA : NOTIFY_GSIV);
	fbk_cursor_le32(c, FBK_GHES_BLOCK_LEN); /* Error Status Block Length */
	address(c, l->source[id].ack);		    /* Read Ack Register */
	fbk_cursor_le64(c, ~UINT64_C(1));	    /* Read Ack Preserve */
	fbk_cursor_le64(c, 1);			    /* Read Ack Write */
}

int fbk_hest_build(const struct fbk_ghes_layout *l, const char oem_id[6], const char oem_table_id[8], void *buf, size_t len)
{
	struct fbk_cursor c;
	uint8_t sum = 0;
	uint16_t id;
	int end, i;

	if (!l || !oem_id || !oem_table_id || !buf)
		return -EINVAL;

	fbk_cursor_init(&c, buf, len);
	fbk_cursor_bytes(&c, "HEST", 4);
	fbk_cursor_le32(&c, 0); /* Length: below */
	fbk_cursor_u8(&c, HEST_REVISION);
	fbk_cursor_u8(&c, 0); /* Checksum: below */
	fbk_cursor_bytes(&c, oem_id, 6);
	fbk_cursor_bytes(&c, oem_table_id, 8);
	fbk_cursor_le32(&c, 1);		 /* OEM Revision */
	fbk_cursor_bytes(&c, "FBRK", 4); /* Creator ID */
	fbk_cursor_le32(&c, 1);		 /* Creator Revision */
	fbk_cursor_le32(&c, FBK_GHES_NR_SOURCES);
	for (id = 0; id < FBK_GHES_NR_SOURCES; id++)
		source(&c, l, id);

	end = fbk_cursor_end(&c);
	if (end < 0)
		return end;
	fbk_cursor_patch_le32(&c, HEADER_LENGTH, (uint32_t)end);
	for (i = 0; i < end; i++)
		sum = (uint8_t)(sum + c.buf[i]);
	fbk_cursor_patch_u8(&c, HEADER_CHECKSUM, (uint8_t)-sum);
	return end;
}
