/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * region.h - which region of guest RAM an address lies in. Inline, since every copy asks.
 */
#ifndef FBK_HOST_REGION_H
#define FBK_HOST_REGION_H

#include <firebreak/gmem.h>

/* NULL: in none. */
static inline const struct fbk_gmem_region *fbk_region_of(const struct fbk_gmem *view, uint64_t gpa)
{
	uint32_t i;

	for (i = 0; i < view->nr_regions; i++)
		if (gpa - view->region[i].gpa.addr < view->region[i].len)
			return &view->region[i];
	return NULL;
}

/* Where this process has an address that lies in the region. */
static inline void *fbk_region_at(const struct fbk_gmem_region *r, uint64_t gpa)
{
	return (void *)(uintptr_t)(r->hva.addr + (gpa - r->gpa.addr));
}

#endif
