/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * cper_page.h - the record of one page, kept ready: it is written while a vCPU waits, and from one error to the next
 * only the address, the serial number and the time of day change.
 */
#ifndef FBK_CORE_CPER_PAGE_H
#define FBK_CORE_CPER_PAGE_H

#include <firebreak/cper.h>

#define FBK_CPER_PAGE_LEN (FBK_CPER_STATUS_LEN + FBK_CPER_SECTION_LEN)

struct fbk_cper_page {
	uint64_t day_ns;    /* CLOCK_REALTIME at which the day in the record began */
	uint64_t second_ns; /* and the second */
	uint64_t serial;    /* in the record */
	uint8_t bytes[FBK_CPER_PAGE_LEN];
};

/* Errors: -ENOTRECOVERABLE fbk_cper_encode() fails, which it cannot. */
int fbk_cper_page_init(struct fbk_cper_page *r);

/* Makes bytes what fbk_cper_encode() writes for this one page, time and serial number. Serial numbers do not wrap. */
void fbk_cper_page_set(struct fbk_cper_page *r, struct fbk_gpa page, uint64_t time_ns, uint64_t serial);

#endif
