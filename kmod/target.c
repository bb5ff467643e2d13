// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: The firebreak authors
/*
 * From what the user names (process and address, or host address) to pages of
 * VMs, and those pages out of stage 2.
 *
 * A VM is found through the descriptors of its process, so nothing of the VMM
 * is needed but that it runs. Descriptors inherited by a child do not count:
 * KVM ties a VM to one address space, and so do we.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/irqflags.h>
#include <linux/kvm_host.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pgtable.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "internal.h"

struct sea_collect {
	struct list_head *refs;
	struct mm_struct *mm;
	struct pid *pid;
	u32 index;
};

/* The VM behind a descriptor; a vCPU's keeps the VM alive as well. */
static struct kvm *sea_kvm_of_file(struct file *file)
{
	const char *name = file->f_path.dentry->d_name.name;

	if (file_inode(file)->i_sb->s_magic != ANON_INODE_FS_MAGIC)
		return NULL;
	if (!strcmp(name, "kvm-vm"))
		return file->private_data;
	if (!strncmp(name, "kvm-vcpu:", strlen("kvm-vcpu:")))
		return ((struct kvm_vcpu *)file->private_data)->kvm;
	return NULL;
}

/* Called under the file table's lock: the file cannot go away, nor we sleep. */
static int sea_collect_fd(const void *arg, struct file *file, unsigned int fd)
{
	struct sea_collect *c = (struct sea_collect *)arg;
	struct kvm *kvm = sea_kvm_of_file(file);
	struct sea_vm_ref *ref;

	if (!kvm || kvm->mm != c->mm)
		return 0;
	list_for_each_entry(ref, c->refs, node)
		if (ref->kvm == kvm)
			return 0;

	ref = kzalloc_obj(*ref, GFP_ATOMIC);
	if (!ref)
		return -ENOMEM;
	if (!kvm_get_kvm_safe(kvm)) {
		kfree(ref);
		return 0;
	}
	ref->kvm = kvm;
	ref->pid = get_pid(c->pid);
	ref->index = c->index++;
	list_add_tail(&ref->node, c->refs);
	return 0;
}

static int sea_collect_task(struct task_struct *task, struct list_head *refs)
{
	struct sea_collect c = { .refs = refs };
	int err = 0;

	task_lock(task);
	c.mm = task->mm;
	c.pid = task_tgid(task);
	if (c.mm && task->files)
		err = iterate_fd(task->files, 0, sea_collect_fd, &c);
	task_unlock(task);
	return err;
}

/* Drop what sea_vms_of_*() gave. May destroy a VM: not under sea_lock. */
void sea_vms_put(struct list_head *refs)
{
	struct sea_vm_ref *ref, *next;

	list_for_each_entry_safe(ref, next, refs, node) {
		list_del(&ref->node);
		put_pid(ref->pid);
		kvm_put_kvm(ref->kvm);
		kfree(ref);
	}
}

int sea_vms_of_pid(pid_t nr, struct list_head *refs)
{
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	int err;

	put_pid(pid);
	if (!task)
		return -ESRCH;
	err = sea_collect_task(task, refs);
	put_task_struct(task);
	if (!err && list_empty(refs))
		err = -ENODEV;
	if (err)
		sea_vms_put(refs);
	return err;
}

int sea_vms_of_host(struct list_head *refs)
{
	struct task_struct *task;
	int err = 0;

	rcu_read_lock();
	for_each_process(task) {
		err = sea_collect_task(task, refs);
		if (err)
			break;
	}
	rcu_read_unlock();
	if (err)
		sea_vms_put(refs);
	return err;
}

/* Is @slot memory that we can take out of stage 2? */
static int sea_slot_check(const struct kvm_memory_slot *slot)
{
	if (!slot || slot->flags & KVM_MEMSLOT_INVALID)
		return -ERANGE;
	if (slot->flags & KVM_MEM_GUEST_MEMFD)
		return -EOPNOTSUPP;
	return 0;
}

/* With mmap_lock held. Device memory and holes are no guest memory. */
static int sea_vma_check(struct mm_struct *mm, struct sea_spot *spot)
{
	struct vm_area_struct *vma = find_vma(mm, spot->hva);

	if (!vma || spot->hva < vma->vm_start || vma->vm_flags & (VM_PFNMAP | VM_IO))
		return -ERANGE;
	spot->block = PMD_SIZE;
	if (is_vm_hugetlb_page(vma))
		spot->block = max(PMD_SIZE, huge_page_size(hstate_vma(vma)));
	return 0;
}

static int sea_spot_by_gfn(struct sea_vm_ref *ref, gfn_t gfn, struct sea_spot *spot)
{
	struct kvm_memory_slot *slot;
	int idx, err;

	idx = srcu_read_lock(&ref->kvm->srcu);
	slot = __gfn_to_memslot(kvm_memslots(ref->kvm), gfn);
	err = sea_slot_check(slot);
	if (!err) {
		spot->ref = ref;
		spot->gfn = gfn;
		spot->hva = __gfn_to_hva_memslot(slot, gfn);
		err = sea_vma_check(ref->kvm->mm, spot);
	}
	srcu_read_unlock(&ref->kvm->srcu, idx);
	return err;
}

/* The VM process's memory, held and locked for reading, or -ESRCH if it exits. */
static int sea_mm_enter(struct kvm *kvm)
{
	int err;

	if (!mmget_not_zero(kvm->mm))
		return -ESRCH;
	err = mmap_read_lock_killable(kvm->mm);
	if (err)
		mmput(kvm->mm);
	return err;
}

static void sea_mm_leave(struct kvm *kvm)
{
	mmap_read_unlock(kvm->mm);
	mmput(kvm->mm);
}

int sea_spots_by_gpa(struct sea_vm_ref *ref, gpa_t gpa, u64 pages, struct sea_spot **ret,
		     unsigned int *ret_n)
{
	struct sea_spot *spots;
	unsigned int i;
	int err;

	spots = kvcalloc(pages, sizeof(*spots), GFP_KERNEL_ACCOUNT);
	if (!spots)
		return -ENOMEM;
	err = sea_mm_enter(ref->kvm);
	if (err)
		goto out_free;
	for (i = 0; i < pages && !err; i++)
		err = sea_spot_by_gfn(ref, (gpa >> PAGE_SHIFT) + i, &spots[i]);
	sea_mm_leave(ref->kvm);
	if (err)
		goto out_free;
	*ret = spots;
	*ret_n = pages;
	return 0;
out_free:
	kvfree(spots);
	return err;
}

/* A growing array of spots. */
struct sea_found {
	struct sea_spot *spots;
	unsigned int n;
	unsigned int room;
};

static int sea_found_add(struct sea_found *found, const struct sea_spot *spot)
{
	if (found->n == found->room) {
		unsigned int room = found->room ? 2 * found->room : 16;
		struct sea_spot *more;

		if (room > 2 * SEA_INJECT_PAGES_MAX)
			return -ENOSPC;
		more = kvcalloc(room, sizeof(*more), GFP_KERNEL_ACCOUNT);
		if (!more)
			return -ENOMEM;
		if (found->n)
			memcpy(more, found->spots, found->n * sizeof(*more));
		kvfree(found->spots);
		found->spots = more;
		found->room = room;
	}
	found->spots[found->n++] = *spot;
	return 0;
}

/* Every guest page that shows the host page at @hva; memory slots may overlap in it. */
static int sea_found_by_hva(struct sea_vm_ref *ref, unsigned long hva, struct sea_found *found)
{
	struct kvm_memory_slot *slot;
	bool any = false;
	int bkt, idx, err = 0;

	idx = srcu_read_lock(&ref->kvm->srcu);
	kvm_for_each_memslot(slot, bkt, kvm_memslots(ref->kvm)) {
		struct sea_spot spot = { .ref = ref, .hva = hva };

		if (hva < slot->userspace_addr ||
		    hva - slot->userspace_addr >= slot->npages << PAGE_SHIFT)
			continue;
		err = sea_slot_check(slot);
		if (!err)
			err = sea_vma_check(ref->kvm->mm, &spot);
		if (err)
			break;
		spot.gfn = slot->base_gfn + ((hva - slot->userspace_addr) >> PAGE_SHIFT);
		err = sea_found_add(found, &spot);
		if (err)
			break;
		any = true;
	}
	srcu_read_unlock(&ref->kvm->srcu, idx);
	return err ?: any ? 0 : -ERANGE;
}

int sea_spots_by_hva(struct sea_vm_ref *ref, unsigned long hva, u64 pages, struct sea_spot **ret,
		     unsigned int *ret_n)
{
	struct sea_found found = {};
	u64 i;
	int err;

	err = sea_mm_enter(ref->kvm);
	if (err)
		return err;
	for (i = 0; i < pages && !err; i++)
		err = sea_found_by_hva(ref, (hva & PAGE_MASK) + i * PAGE_SIZE, &found);
	sea_mm_leave(ref->kvm);
	if (err) {
		kvfree(found.spots);
		return err;
	}
	*ret = found.spots;
	*ret_n = found.n;
	return 0;
}

/*
 * The host frame at @addr, or 0; *ret_next is where the search goes on. With
 * mmap_lock held for reading, page tables can still be freed, but not while this
 * CPU has its interrupts off (the rule of lockless page-table walks); entries can
 * change, so each is read once.
 */
static unsigned long sea_host_pfn(struct mm_struct *mm, unsigned long addr,
				  unsigned long *ret_next)
{
	unsigned long pfn = 0, flags;
	pgd_t *pgdp, pgd;
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;
	pmd_t *pmdp, pmd;
	pte_t pte;

	local_irq_save(flags);
	*ret_next = ALIGN(addr + 1, PGDIR_SIZE);
	pgdp = pgd_offset(mm, addr);
	pgd = READ_ONCE(*pgdp);
	if (pgd_none(pgd))
		goto out;
	*ret_next = ALIGN(addr + 1, P4D_SIZE);
	p4dp = p4d_offset(pgdp, addr);
	p4d = READ_ONCE(*p4dp);
	if (p4d_none(p4d))
		goto out;
	*ret_next = ALIGN(addr + 1, PUD_SIZE);
	pudp = pud_offset(p4dp, addr);
	pud = READ_ONCE(*pudp);
	if (!pud_present(pud))
		goto out;
	if (pud_leaf(pud)) {
		*ret_next = addr + PAGE_SIZE;
		pfn = pud_pfn(pud) + ((addr & ~PUD_MASK) >> PAGE_SHIFT);
		goto out;
	}
	*ret_next = ALIGN(addr + 1, PMD_SIZE);
	pmdp = pmd_offset(pudp, addr);
	pmd = READ_ONCE(*pmdp);
	if (!pmd_present(pmd))
		goto out;
	*ret_next = addr + PAGE_SIZE;
	if (pmd_leaf(pmd)) {
		pfn = pmd_pfn(pmd) + ((addr & ~PMD_MASK) >> PAGE_SHIFT);
		goto out;
	}
	pte = READ_ONCE(*((pte_t *)pmd_page_vaddr(pmd) + pte_index(addr)));
	if (pte_present(pte))
		pfn = pte_pfn(pte);
out:
	local_irq_restore(flags);
	return pfn;
}

static int sea_found_by_pfn(struct sea_vm_ref *ref, unsigned long pfn, struct sea_found *found)
{
	struct kvm_memory_slot *slot;
	int bkt, idx, err;

	err = sea_mm_enter(ref->kvm);
	if (err == -ESRCH)
		return 0; /* exits: not its memory any more */
	if (err)
		return err;

	idx = srcu_read_lock(&ref->kvm->srcu);
	kvm_for_each_memslot(slot, bkt, kvm_memslots(ref->kvm)) {
		unsigned long addr = slot->userspace_addr;
		unsigned long end = addr + (slot->npages << PAGE_SHIFT);
		unsigned long next;

		if (sea_slot_check(slot))
			continue;
		for (; addr < end; addr = next) {
			struct sea_spot spot = { .ref = ref, .hva = addr };

			if (fatal_signal_pending(current)) {
				err = -EINTR;
			} else if (sea_host_pfn(ref->kvm->mm, addr, &next) == pfn &&
				 !sea_vma_check(ref->kvm->mm, &spot)) {
				spot.gfn = slot->base_gfn +
					   ((addr - slot->userspace_addr) >> PAGE_SHIFT);
				err = sea_found_add(found, &spot);
			}
			if (err)
				goto out;
			cond_resched();
		}
	}
out:
	srcu_read_unlock(&ref->kvm->srcu, idx);
	sea_mm_leave(ref->kvm);
	return err;
}

/* Every page of every VM that is backed by this host page now. */
int sea_spots_by_hpa(struct list_head *refs, phys_addr_t hpa, struct sea_spot **ret,
		     unsigned int *ret_n)
{
	struct sea_found found = {};
	struct sea_vm_ref *ref;
	int err = 0;

	/* Frame 0 stands for "nothing there" above, and is never a guest's. */
	if (!(hpa >> PAGE_SHIFT))
		return -ERANGE;
	list_for_each_entry(ref, refs, node) {
		err = sea_found_by_pfn(ref, hpa >> PAGE_SHIFT, &found);
		if (err)
			break;
	}
	if (!err && !found.n)
		err = -ERANGE;
	if (err) {
		kvfree(found.spots);
		return err;
	}
	*ret = found.spots;
	*ret_n = found.n;
	return 0;
}

/*
 * Take pages out of stage 2, in the way in which the host's memory management
 * does: KVM drops what maps that range of the VMM, flushes the TLBs, and makes
 * faults in flight start again. The range is that of the largest block mapping,
 * since a block goes as a whole.
 */
int sea_drop_stage2(const struct sea_spot *spots, unsigned int n)
{
	unsigned long start, end = 0;
	struct kvm *kvm = NULL;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct mmu_notifier_range range;

		/* Neighbours share a block: once is enough. */
		if (spots[i].ref->kvm == kvm && spots[i].hva >= start && spots[i].hva < end)
			continue;
		kvm = spots[i].ref->kvm;
		start = ALIGN_DOWN(spots[i].hva, spots[i].block);
		end = start + spots[i].block;

		if (!mmget_not_zero(kvm->mm))
			return -ESRCH;
		mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, kvm->mm, start, end);
		kvm->mmu_notifier.ops->invalidate_range_start(&kvm->mmu_notifier, &range);
		kvm->mmu_notifier.ops->invalidate_range_end(&kvm->mmu_notifier, &range);
		mmput(kvm->mm);
		cond_resched();
	}
	return 0;
}
