/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * observe.c - one picture of an error, whatever told of it.
 */
#include "observe.h"

#include "kvm_uapi.h"

#include <errno.h>
#include <string.h>

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

/* A range of guest RAM by the addresses that the error came with: ours (HVA), or the guest's. */
struct lost {
	int by_hva;
	uint64_t touched; /* its page is among them */
	uint64_t start, end;
};

static uint64_t base_of(const struct lost *l, const struct fbk_gmem_region *r)
{
	return l->by_hva ? r->hva.addr : r->gpa.addr;
}

/* What of [start, end) lies in one run. Return: 0 nothing. */
static int clip(const struct lost *l, const struct fbk_gmem_region *r, uint64_t *ret_start, uint64_t *ret_end)
{
	uint64_t base = base_of(l, r);

	*ret_start = l->start > base ? l->start : base;
	*ret_end = l->end < base + r->len ? l->end : base + r->len;
	return *ret_start < *ret_end;
}

/* Too many to tell: the touched page and those that follow it, then those before. */
static void narrow(const struct lost *l, uint64_t most, uint64_t *start, uint64_t *end)
{
	uint64_t touched = l->touched & FBK_PAGE_MASK;

	if (*end - *start <= most)
		return;
	if (*end - touched >= most) {
		*start = touched;
		*end = touched + most;
	} else {
		*start = *end - most;
	}
}

static void set_span(struct fbk_span *s, uint64_t page, uint64_t len)
{
	*s = (struct fbk_span){ .page = page, .nr_pages = (uint32_t)(len / FBK_PAGE_SIZE) };
}

/* The guest pages in that range: the run that was touched, then the others. */
static void find_lost(const struct fbk_gmem *gmem, const struct lost *l, uint64_t gpa, uint32_t max_pages, struct fbk_span *ret)
{
	uint64_t left = (uint64_t)max_pages * FBK_PAGE_SIZE, start = l->start, end = l->end;
	const struct fbk_gmem_region *own = NULL;
	struct fbk_span *last = ret;
	uint32_t i;

	for (i = 0; i < gmem->nr_regions && !own; i++)
		if (l->touched - base_of(l, &gmem->region[i]) < gmem->region[i].len)
			own = &gmem->region[i];
	if (own)
		(void)clip(l, own, &start, &end);
	narrow(l, left, &start, &end);
	set_span(ret, (gpa & FBK_PAGE_MASK) - ((l->touched & FBK_PAGE_MASK) - start), end - start);
	left -= end - start;
	for (i = 0; own && i < gmem->nr_regions && left; i++) {
		const struct fbk_gmem_region *r = &gmem->region[i];

		if (r == own || !clip(l, r, &start, &end))
			continue;
		if (end - start > left)
			end = start + left;
		set_span(last + 1, r->gpa.addr + (start - base_of(l, r)), end - start);
		last->next = last + 1;
		last++;
		left -= end - start;
	}
}

static void one_page(uint64_t gpa, struct fbk_span *ret)
{
	set_span(ret, gpa & FBK_PAGE_MASK, FBK_PAGE_SIZE);
}

/* The host page of 1 << lsb bytes around hva; an lsb that no page has is not believed. */
static void host_page(const struct fbk_gmem *gmem, uint64_t hva, uint64_t gpa, int lsb, uint32_t max_pages, struct fbk_span *ret)
{
	struct lost l = { .by_hva = 1, .touched = hva };

	if (lsb <= FBK_PAGE_SHIFT || lsb >= 48) {
		one_page(gpa, ret);
		return;
	}
	l.start = hva & ~((UINT64_C(1) << lsb) - 1);
	l.end = l.start + (UINT64_C(1) << lsb);
	if (l.end < l.start)
		l.end = FBK_PAGE_MASK;
	if (max_pages < 2)
		one_page(gpa, ret);
	else
		find_lost(gmem, &l, gpa, max_pages, ret);
	ret->shift = (uint32_t)lsb;
}

int fbk_observe_sigbus(const struct fbk_gmem *gmem, const siginfo_t *si, uint32_t max_pages, struct fbk_event *ev,
		       struct fbk_span *ret_span)
{
	struct fbk_hva hva;
	struct fbk_gpa gpa;
	int err;

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
	host_page(gmem, hva.addr, gpa.addr, si->si_addr_lsb, max_pages, ret_span);
	return 0;
}

/* Where the monitor maps it, should it do so. */
static struct fbk_hva find_hva(const struct fbk_gmem *gmem, struct fbk_gpa gpa)
{
	struct fbk_hva hva = { 0 };
	void *p;

	if (fbk_gmem_ptr(gmem, gpa, 1, &p) == 0)
		hva.addr = (uintptr_t)p;
	return hva;
}

void fbk_observe_memory_fault(const struct fbk_gmem *gmem, const struct kvm_run *run, uint32_t max_pages,
			      struct fbk_event *ev, struct fbk_span *ret_span)
{
	struct fbk_kvm_memory_fault fault;
	struct lost l = { 0 };

	ev->source = FBK_SOURCE_MEMORY_FAULT;
	ev->abort.kind = FBK_ABORT_UNKNOWN;
	*ret_span = (struct fbk_span){ 0 };
	if (run->exit_reason != FBK_KVM_EXIT_MEMORY_FAULT)
		return;
	memcpy(&fault, (const unsigned char *)run + FBK_KVM_RUN_EXIT_OFFSET, sizeof(fault));
	ev->raw_flags = fault.flags;
	ev->abort.flags = FBK_SEA_HAS_GPA;
	ev->abort.gpa.addr = fault.gpa;
	ev->hva = find_hva(gmem, ev->abort.gpa);
	l.touched = fault.gpa;
	l.start = fault.gpa & FBK_PAGE_MASK;
	l.end = fault.gpa + fault.size;
	/* As far as the page behind the last one: a size of nothing is still one page, one that wraps ends where all does. */
	l.end = l.end < fault.gpa || l.end > FBK_PAGE_MASK ? FBK_PAGE_MASK : (l.end + FBK_PAGE_SIZE - 1) & FBK_PAGE_MASK;
	if (l.end <= l.start || l.end - l.start == FBK_PAGE_SIZE || max_pages < 2)
		one_page(fault.gpa, ret_span);
	else
		find_lost(gmem, &l, fault.gpa, max_pages, ret_span);
}
