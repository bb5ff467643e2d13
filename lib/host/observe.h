/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * observe.h - one picture of an error, whatever told of it.
 */
#ifndef FBK_HOST_OBSERVE_H
#define FBK_HOST_OBSERVE_H

#include <firebreak/event.h>
#include <firebreak/gmem.h>

#include "kvm_uapi.h"
#include "pattern.h"

#include <signal.h>
#include <string.h>

/*
 * Fills the event's what-was-learnt part.
 *
 * Errors: -EINVAL another exit; -EBADMSG not an external abort (ev->decode and raw_* are set).
 */
int fbk_observe_sea(const struct kvm_run *run, struct fbk_event *ev);

/*
 * The same, and whatever else the pattern knows beforehand, if the exit is of this pattern.
 *
 * Return: 1; 0 it is not, and nothing was filled in.
 */
static inline int fbk_observe_known(const struct kvm_run *run, const struct fbk_pattern *p, struct fbk_event *ev)
{
	const unsigned char *raw = (const unsigned char *)run + FBK_KVM_RUN_EXIT_OFFSET;
	const size_t half = offsetof(struct fbk_event, replay);
	uint64_t flags, esr, gva, gpa;

	/* The order of FBK_ABI_MAINLINE. */
	memcpy(&flags, raw, 8);
	memcpy(&esr, raw + 8, 8);
	memcpy(&gva, raw + 16, 8);
	memcpy(&gpa, raw + 24, 8);
	if (run->exit_reason != FBK_KVM_EXIT_ARM_SEA || esr != p->ev.raw_esr || flags != p->ev.raw_flags)
		return 0;
	/* In two parts: all at once would be a call. */
	memcpy(ev, &p->ev, half);
	memcpy((char *)ev + half, (const char *)&p->ev + half, sizeof(*ev) - half);
	if (p->ev.abort.flags & FBK_SEA_HAS_GVA)
		ev->abort.gva.addr = gva;
	if (p->ev.abort.flags & FBK_SEA_HAS_GPA)
		ev->abort.gpa.addr = gpa;
	return 1;
}

/* Guest pages that one host page's loss costs; where that is several runs of guest RAM, the first has the touched page. */
struct fbk_span {
	uint64_t page; /* GPA */
	uint32_t nr_pages;
	uint32_t shift; /* of the host's page around it, if that is larger and was told; else 0. In the first span only */
	const struct fbk_span *next; /* or NULL */
};

/*
 * The same for a memory-error SIGBUS; ev->source says which kind. The touched page is ev->abort.gpa; ret_span has room for
 * FBK_GMEM_MAX_REGIONS, and becomes the parts of the host page around it that are guest RAM, at most max_pages.
 *
 * Errors: -EINVAL no memory error; -ERANGE not guest RAM.
 */
int fbk_observe_sigbus(const struct fbk_gmem *gmem, const siginfo_t *si, uint32_t max_pages, struct fbk_event *ev,
		       struct fbk_span *ret_span);

/*
 * And for a KVM_RUN that failed with EHWPOISON. Without KVM_EXIT_MEMORY_FAULT no address is known, and there are no pages.
 * An address outside the view is believed: memory that is not mapped here need not be in it.
 */
void fbk_observe_memory_fault(const struct fbk_gmem *gmem, const struct kvm_run *run, uint32_t max_pages,
			      struct fbk_event *ev, struct fbk_span *ret_span);

#endif
