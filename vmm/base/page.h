/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * page.h - a page of a ledger in words and as JSON, as `firebreak ledger export` and the control API tell it.
 */
#ifndef FBK_VMM_PAGE_H
#define FBK_VMM_PAGE_H

#include <firebreak/ledger.h>

/* RFC 3339. @digits: of the second's fraction. Return: @buf. */
const char *fbk_page_moment(uint64_t ns, int digits, char *buf, size_t len);

/* Who named it, with commas; each name between two of @quote. */
void fbk_page_sources(const struct fbk_ledger_entry *e, const char *quote, char *buf, size_t len);

#define FBK_PAGE_JSON_MAX 512

/* An item of "pages" in docs/formats/ledger.schema.json. Return: its length; FBK_PAGE_JSON_MAX bytes hold it. */
int fbk_page_json(const struct fbk_ledger_entry *e, char *buf, size_t len);

#endif
