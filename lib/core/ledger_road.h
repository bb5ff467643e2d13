/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ledger_road.h - what the road of one error asks of the ledger while a vCPU waits: no more than it needs.
 */
#ifndef FBK_CORE_LEDGER_ROAD_H
#define FBK_CORE_LEDGER_ROAD_H

#include <firebreak/ledger.h>

/*
 * fbk_ledger_record() for callers that only count.
 *
 * @page: page-aligned
 * Return: errors on the page so far, this one included: 1 it is new. 0: it would be new and the ledger is full.
 */
uint32_t fbk_ledger_count(struct fbk_ledger *l, uint64_t page, enum fbk_source source, uint64_t now_ns);

/*
 * The guest acknowledged a record of the page. Poisoned becomes reported; a page that is not in the ledger (it may have
 * been full) stays out, and one that is isolated or healed already is more than reported.
 */
void fbk_ledger_reported(struct fbk_ledger *l, struct fbk_gpa gpa);

/* The state of a page (aligned); 0: it is not in the ledger. Any thread; lock-free. */
uint32_t fbk_ledger_state(const struct fbk_ledger *l, uint64_t page);

#endif
