// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: The firebreak authors
/*
 * The armed pages, by VM and guest frame number.
 *
 * Writers hold sea_lock. Readers in kprobe handlers are under RCU; objects are
 * freed only after a grace period. A VM is known by the address of its struct
 * kvm, without a reference (one would keep the guest's memory alive after its
 * VMM): hook.c tells us just before that struct goes away.
 */
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "internal.h"

/* Serialises every change of the armed pages, the statistics and the probes. */
DEFINE_MUTEX(sea_lock);
struct sea_stats sea_stats;

static LIST_HEAD(sea_vms);
static unsigned int sea_armed; /* pages armed */
static u64 sea_last_id;

static void sea_reap(struct work_struct *work);
static DECLARE_WORK(sea_reap_work, sea_reap);

unsigned int sea_table_armed(void)
{
	return sea_armed;
}

/* Under RCU or sea_lock. */
struct sea_vm *sea_vm_find(struct kvm *kvm)
{
	struct sea_vm *vm;

	list_for_each_entry_rcu(vm, &sea_vms, node, true)
		if (vm->kvm == kvm && !READ_ONCE(vm->dead))
			return vm;
	return NULL;
}

/* The armed page at @gfn, or NULL. Under RCU or sea_lock. */
struct sea_page *sea_page_find(struct kvm *kvm, gfn_t gfn)
{
	struct sea_vm *vm = sea_vm_find(kvm);
	struct sea_page *page = vm ? xa_load(&vm->pages, gfn) : NULL;

	return page && READ_ONCE(page->armed) ? page : NULL;
}

/* Is any page of first..last armed? Under RCU or sea_lock. */
bool sea_page_any(struct sea_vm *vm, gfn_t first, gfn_t last)
{
	unsigned long index = first;

	return xa_find(&vm->pages, &index, last, SEA_MARK_ARMED);
}

static struct sea_vm *sea_vm_get(const struct sea_vm_ref *ref)
{
	struct sea_vm *vm = sea_vm_find(ref->kvm);

	if (vm)
		return vm;
	vm = kzalloc_obj(*vm, GFP_KERNEL_ACCOUNT);
	if (!vm)
		return NULL;
	vm->kvm = ref->kvm;
	vm->pid = get_pid(ref->pid);
	vm->index = ref->index;
	xa_init(&vm->pages);
	list_add_tail_rcu(&vm->node, &sea_vms);
	return vm;
}

static void sea_page_drop(struct sea_page *page)
{
	xa_erase(&page->vm->pages, page->gfn);
	if (page->armed)
		sea_armed--;
	WRITE_ONCE(page->armed, false);
	kfree_rcu(page, rcu);
}

/* Frees the VMs that have no page left. */
static void sea_vms_trim(void)
{
	struct sea_vm *vm, *next;
	LIST_HEAD(gone);

	list_for_each_entry_safe(vm, next, &sea_vms, node) {
		if (!xa_empty(&vm->pages))
			continue;
		list_del_rcu(&vm->node);
		/* The list's own links must stay for readers: chain by hand. */
		synchronize_rcu();
		list_add(&vm->node, &gone);
	}
	list_for_each_entry_safe(vm, next, &gone, node) {
		xa_destroy(&vm->pages);
		put_pid(vm->pid);
		kfree(vm);
	}
}

/* All or nothing. The references in @spots are held by the caller. */
int sea_table_arm(const struct sea_spot *spots, unsigned int n, const struct sea_shape *shape,
		  u64 limit, u64 *ret_id)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < n; i++)
		if (sea_page_find(spots[i].ref->kvm, spots[i].gfn))
			return -EEXIST;
	if (n > SEA_INJECT_PAGES_MAX - sea_armed)
		return -ENOSPC;

	for (i = 0; i < n; i++) {
		struct sea_vm *vm = sea_vm_get(spots[i].ref);
		struct sea_page *page, *old;

		page = vm ? kzalloc_obj(*page, GFP_KERNEL_ACCOUNT) : NULL;
		if (!page) {
			err = -ENOMEM;
			break;
		}
		page->vm = vm;
		page->id = sea_last_id + 1;
		page->gfn = spots[i].gfn;
		page->hva = spots[i].hva;
		page->shape = *shape;
		page->limit = limit;
		page->armed = true;

		/* A healed page may be armed again; its record is replaced. */
		old = xa_load(&vm->pages, page->gfn);
		if (old)
			sea_page_drop(old);
		err = xa_err(xa_store(&vm->pages, page->gfn, page, GFP_KERNEL_ACCOUNT));
		if (err) {
			kfree(page);
			break;
		}
		xa_set_mark(&vm->pages, page->gfn, SEA_MARK_ARMED);
		sea_last_id++;
		sea_armed++;
		if (!i)
			*ret_id = page->id;
	}
	if (!err)
		return 0;
	while (i--)
		sea_page_drop(sea_page_find(spots[i].ref->kvm, spots[i].gfn));
	sea_vms_trim();
	return err;
}

void sea_table_heal(struct sea_page *page)
{
	WRITE_ONCE(page->armed, false);
	xa_clear_mark(&page->vm->pages, page->gfn, SEA_MARK_ARMED);
	sea_armed--;
	sea_stats.healed++;
	sea_table_kick();
}

static bool sea_match(const struct sea_page *page, const struct sea_inject_disarm *req,
		      struct pid *pid)
{
	if (req->match & SEA_INJECT_MATCH_ID && page->id != req->id)
		return false;
	if (req->match & SEA_INJECT_MATCH_PID && page->vm->pid != pid)
		return false;
	if (req->match & SEA_INJECT_MATCH_VM && page->vm->index != req->vm)
		return false;
	if (req->match & SEA_INJECT_MATCH_GPA && page->gfn != req->addr >> PAGE_SHIFT)
		return false;
	if (req->match & SEA_INJECT_MATCH_HVA && page->hva != (req->addr & PAGE_MASK))
		return false;
	return true;
}

/* Returns how many records were dropped; healed ones count too. */
unsigned int sea_table_disarm(const struct sea_inject_disarm *req, struct pid *pid)
{
	unsigned int n = 0;
	struct sea_vm *vm;

	list_for_each_entry(vm, &sea_vms, node) {
		struct sea_page *page;
		unsigned long gfn;

		xa_for_each(&vm->pages, gfn, page) {
			if (!sea_match(page, req, pid))
				continue;
			sea_page_drop(page);
			n++;
		}
	}
	sea_vms_trim();
	return n;
}

/* Undo sea_table_arm(): ids are given in one run. */
void sea_table_disarm_ids(u64 first, unsigned int n)
{
	struct sea_inject_disarm req = { .match = SEA_INJECT_MATCH_ID };

	for (req.id = first; req.id < first + n; req.id++)
		sea_table_disarm(&req, NULL);
}

/* In the kprobe handler that sees a VM's struct kvm go away: may not sleep. */
void sea_table_vm_died(struct kvm *kvm)
{
	struct sea_vm *vm = sea_vm_find(kvm);

	if (!vm)
		return;
	WRITE_ONCE(vm->dead, true);
	schedule_work(&sea_reap_work);
}

static void sea_vms_bury(bool all)
{
	struct sea_vm *vm;

	list_for_each_entry(vm, &sea_vms, node) {
		struct sea_page *page;
		unsigned long gfn;

		if (!vm->dead && !all)
			continue;
		if (vm->dead)
			sea_stats.dead_vms++;
		xa_for_each(&vm->pages, gfn, page)
			sea_page_drop(page);
	}
	sea_vms_trim();
}

/* Forgets dead VMs, and lets go of KVM when nothing is armed any more. */
static void sea_reap(struct work_struct *work)
{
	mutex_lock(&sea_lock);
	sea_vms_bury(false);
	sea_table_idle();
	mutex_unlock(&sea_lock);
}

/* With sea_lock held: inert as soon as nothing is armed. */
void sea_table_idle(void)
{
	if (!sea_armed && !sea_hook_busy())
		sea_hook_remove();
}

/* The same from a vCPU's thread, which must not wait for the probes to go. */
void sea_table_kick(void)
{
	if (!sea_armed)
		schedule_work(&sea_reap_work);
}

/* Without sea_lock: what was found dead or healed so far has had its consequences. */
void sea_table_settle(void)
{
	flush_work(&sea_reap_work);
}

/* Without sea_lock, when nothing can be armed again. */
void sea_table_exit(void)
{
	mutex_lock(&sea_lock);
	sea_vms_bury(true);
	mutex_unlock(&sea_lock);
	/* The hits of a moment ago still need their probes. */
	sea_hook_wait();
	mutex_lock(&sea_lock);
	sea_hook_remove();
	mutex_unlock(&sea_lock);
	cancel_work_sync(&sea_reap_work);
}

/* With sea_lock held. */
void sea_table_for_each(void (*fn)(const struct sea_page *page, void *arg), void *arg)
{
	struct sea_vm *vm;

	list_for_each_entry(vm, &sea_vms, node) {
		struct sea_page *page;
		unsigned long gfn;

		xa_for_each(&vm->pages, gfn, page)
			fn(page, arg);
	}
}
