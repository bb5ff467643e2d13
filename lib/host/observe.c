/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * observe.c - one picture of an error, whatever told of it.
 */
#include "observe.h"

#include "kvm_uapi.h"

#include <errno.h>

int fbk_observe_sea(const struct kvm_run *run, struct fbk_event *ev)
{
	struct fbk_sea_exit exit;
	int err;

	if (run->exit_reason != FBK_KVM_EXIT_ARM_SEA)
		return -EINVAL;
	err = fbk_sea_exit_read(FBK_ABI_MAINLINE, (const unsigned char *)run + FBK_KVM_RUN_EXIT_OFFSET, &exit);
	if (err)
		return err;
	ev->source = FBK_SOURCE_SEA;
	ev->raw_flags = exit.flags;
	ev->raw_esr = exit.esr;
	ev->decode = fbk_sea_decode(&exit, &ev->abort);
	return ev->decode;
}

/* The guest pages in the host page of 1 << lsb bytes around hva, as far as they lie in the same run. */
static struct fbk_span host_page(const struct fbk_gmem *gmem, uint64_t hva, uint64_t gpa, uint32_t lsb, uint32_t max_pages)
{
	uint64_t page = gpa & FBK_PAGE_MASK;
	struct fbk_span s = { .page = page, .nr_pages = 1 };
	const struct fbk_gmem_region *r = NULL;
	uint64_t start, end, len, most;
	uint32_t i;

	if (lsb <= FBK_PAGE_SHIFT || lsb >= 48 || max_pages < 2)
		return s;
	for (i = 0; i < gmem->nr_regions && !r; i++)
		if (gpa - gmem->region[i].gpa.addr < gmem->region[i].len)
			r = &gmem->region[i];
	if (!r)
		return s;

	len = UINT64_C(1) << lsb;
	start = hva & ~(len - 1);
	end = start + len;
	if (start < r->hva.addr)
		start = r->hva.addr;
	if (end > r->hva.addr + r->len)
		end = r->hva.addr + r->len;

	/* Too many to tell: the touched page and those that follow it, then those before. */
	most = (uint64_t)max_pages * FBK_PAGE_SIZE;
	if (end - start > most) {
		uint64_t touched = hva & FBK_PAGE_MASK;

		if (end - touched >= most) {
			start = touched;
			end = touched + most;
		} else {
			start = end - most;
		}
	}
	s.page = r->gpa.addr + (start - r->hva.addr);
	s.nr_pages = (uint32_t)((end - start) / FBK_PAGE_SIZE);
	return s;
}

int fbk_observe_sigbus(const struct fbk_gmem *gmem, const siginfo_t *si, uint32_t max_pages, struct fbk_event *ev,
		       struct fbk_span *ret_span)
{
	struct fbk_hva hva;
	struct fbk_gpa gpa;
	int lsb, err;

	if (!si || si->si_signo != SIGBUS || (si->si_code != BUS_MCEERR_AR && si->si_code != BUS_MCEERR_AO))
		return -EINVAL;
	hva.addr = (uintptr_t)si->si_addr;
	err = fbk_gmem_gpa(gmem, hva, &gpa);
	if (err)
		return err;
	err = fbk_sea_poison(gpa, &ev->abort);
	if (err)
		return err;
	ev->hva = hva;
	lsb = si->si_addr_lsb;
	*ret_span = host_page(gmem, hva.addr, gpa.addr, lsb > 0 ? (uint32_t)lsb : 0, max_pages);
	return 0;
}
