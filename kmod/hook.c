// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: The firebreak authors
/*
 * The way into KVM: kprobes that exist only while something is armed.
 *
 * kvm_handle_guest_abort(vcpu) sees every stage-2 fault. For a fault on an armed
 * page its probe sends the CPU to sea_handle_abort() instead: a probe's own
 * handler cannot sleep, and to read the guest's page tables one may have to. It
 * rewrites the fault registers that KVM saved and calls the real function, which
 * then goes its ordinary way for an external abort.
 *
 * kvm_pgtable_stage2_map() is where every mapping is made. A block around an
 * armed page, as a neighbour's fault on a transparent huge page or hugetlb would
 * make it, is cut down to the one page that faulted; an armed page itself is
 * answered with "try again", which leads back to the first probe. Where that one
 * page is mapped already and lacks a permission (data first, then a fetch), KVM's
 * map function would leave it as it is, since changing permissions alone belongs
 * to kvm_pgtable_stage2_relax_perms(): the call is sent there.
 *
 * apei_claim_sea() is answered with success for hits that the firmware claims.
 *
 * kvm_arch_destroy_vm() tells when a VM goes.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait_bit.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>

#include "internal.h"

static bool sea_log_hits = true;
module_param_named(log, sea_log_hits, bool, 0600);
MODULE_PARM_DESC(log, "a line in the kernel's log for each hit (default: yes)");

typedef int (*sea_abort_fn)(struct kvm_vcpu *vcpu);

/* One vCPU thread on its way to a claim in the name of the firmware. */
struct sea_claim {
	struct list_head node;
	struct task_struct *task;
	bool taken;
};

static sea_abort_fn sea_abort_real;
static unsigned long sea_relax_perms; /* kvm_pgtable_stage2_relax_perms() */
static atomic_t sea_inflight = ATOMIC_INIT(0);
static unsigned int sea_claiming; /* hits on their way to a claim; under sea_lock */
static LIST_HEAD(sea_claims);
static DEFINE_RAW_SPINLOCK(sea_claims_lock);
static DEFINE_RATELIMIT_STATE(sea_log_limit, 5 * HZ, 200);

/* Leave the probed function at once, with a result. */
static int sea_return(struct pt_regs *regs, unsigned long value)
{
	regs_set_return_value(regs, value);
	instruction_pointer_set(regs, procedure_link_pointer(regs));
	return 1;
}

/* Can this fault be the first touch of an armed page? Else KVM's business. */
static bool sea_fault_eligible(const struct kvm_vcpu *vcpu)
{
	/* A nested guest's addresses are its own hypervisor's, not ours. */
	if (vcpu->arch.hw_mmu != &vcpu->kvm->arch.mmu)
		return false;

	/* Translation, access flag and permission faults, at levels 0 to 3. */
	switch (vcpu->arch.fault.esr_el2 & ESR_ELx_FSC_TYPE) {
	case 0x04:
	case 0x08:
	case 0x0c:
		return true;
	default:
		return false;
	}
}

static gpa_t sea_fault_gpa(const struct kvm_vcpu *vcpu)
{
	return (vcpu->arch.fault.hpfar_el2 & GENMASK_ULL(47, 4)) << 8;
}

static void sea_log(const struct sea_page *page, const char *shape, u64 esr)
{
	if (!READ_ONCE(sea_log_hits))
		return;
	if (!__ratelimit(&sea_log_limit)) {
		sea_stats.unlogged++;
		return;
	}
	/* Documented in sea-inject(4): scripts read it. */
	pr_info("hit vm=%d gpa=0x%llx hva=0x%lx shape=%s esr=0x%08llx n=%llu\n",
		pid_nr(page->vm->pid), (u64)page->gfn << PAGE_SHIFT, page->hva, shape, esr,
		page->hits);
}

enum sea_verdict {
	SEA_HIT, /* fault registers rewritten */
	SEA_CLAIMED_HIT, /* the same, and the firmware claims it */
	SEA_RETRY, /* not armed after all: its last hit went to another vCPU, or disarmed */
	SEA_NOT_RAM, /* armed, but the VMM has taken the memory away from there */
};

static bool sea_is_ram(struct kvm *kvm, gfn_t gfn, unsigned long *ret_hva)
{
	struct kvm_memory_slot *slot;
	bool ram;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	slot = __gfn_to_memslot(kvm_memslots(kvm), gfn);
	ram = slot && !(slot->flags & KVM_MEMSLOT_INVALID);
	if (ram)
		*ret_hva = __gfn_to_hva_memslot(slot, gfn);
	srcu_read_unlock(&kvm->srcu, idx);
	return ram;
}

/* Decides and accounts. */
static enum sea_verdict sea_judge(struct kvm_vcpu *vcpu)
{
	struct kvm_vcpu_fault_info *fault = &vcpu->arch.fault;
	gfn_t gfn = sea_fault_gpa(vcpu) >> PAGE_SHIFT;
	char name[SEA_SHAPE_NAME_MAX];
	int level = SEA_NO_WALK;
	struct sea_page *page;
	bool guessed = false, atomic = false;
	enum sea_verdict verdict;
	unsigned long hva;
	u32 insn;

	if (!sea_is_ram(vcpu->kvm, gfn, &hva))
		return SEA_NOT_RAM;

	/* Before the lock: this may wait for the VMM to bring in a page. */
	if (fault->esr_el2 & ESR_ELx_S1PTW) {
		level = sea_walk_level(vcpu, fault->far_el2, gfn);
		guessed = level == SEA_NO_WALK;
		if (guessed)
			level = 3;
	}

	/*
	 * An atomic whose load would fault as well is reported as a load
	 * [ARM-ARM "ESR_EL2, WnR"], but not by every emulator of a CPU.
	 */
	if (ESR_ELx_EC(fault->esr_el2) == ESR_ELx_EC_DABT_LOW && level == SEA_NO_WALK &&
	    fault->esr_el2 & ESR_ELx_WNR && !(fault->esr_el2 & ESR_ELx_CM))
		atomic = sea_walk_insn(vcpu, &insn) && sea_insn_is_atomic(insn);

	mutex_lock(&sea_lock);
	page = sea_page_find(vcpu->kvm, gfn);
	if (!page) {
		mutex_unlock(&sea_lock);
		return SEA_RETRY;
	}
	page->hva = hva;
	page->hits++;
	sea_stats.hits++;
	sea_stats.guessed += guessed;
	if (atomic)
		fault->esr_el2 &= ~ESR_ELx_WNR;
	sea_shape_apply(&page->shape, level, fault);
	page->last_esr = fault->esr_el2;
	sea_shape_name(&page->shape, level, name, sizeof(name));
	sea_log(page, name, fault->esr_el2);
	verdict = SEA_HIT;
	if (page->shape.flags & SEA_INJECT_FIRMWARE) {
		verdict = SEA_CLAIMED_HIT;
		sea_claiming++;
	}
	if (page->hits == page->limit)
		sea_table_heal(page);
	mutex_unlock(&sea_lock);
	return verdict;
}

static void sea_claim_begin(struct sea_claim *claim)
{
	unsigned long flags;

	claim->task = current;
	claim->taken = false;
	raw_spin_lock_irqsave(&sea_claims_lock, flags);
	list_add(&claim->node, &sea_claims);
	raw_spin_unlock_irqrestore(&sea_claims_lock, flags);
}

static void sea_claim_end(struct sea_claim *claim)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&sea_claims_lock, flags);
	list_del(&claim->node);
	raw_spin_unlock_irqrestore(&sea_claims_lock, flags);

	mutex_lock(&sea_lock);
	sea_claiming--;
	sea_stats.claimed += claim->taken;
	sea_table_kick();
	mutex_unlock(&sea_lock);
}

/* Stands in for kvm_handle_guest_abort(); 1 means: back into the guest. */
static int sea_handle_abort(struct kvm_vcpu *vcpu)
{
	struct sea_claim claim;
	int ret = 1;

	/* The probe knows our calls by their return address: they must stay calls. */
	switch (sea_judge(vcpu)) {
	case SEA_CLAIMED_HIT:
		sea_claim_begin(&claim);
		ret = sea_abort_real(vcpu);
		sea_claim_end(&claim);
		break;
	case SEA_HIT:
	case SEA_NOT_RAM:
		ret = sea_abort_real(vcpu);
		break;
	case SEA_RETRY:
		/*
		 * Let the guest fault once more, on a page that is not armed
		 * now, rather than stay in the real function, where a fault may
		 * take arbitrarily long and would hold up our removal.
		 */
		break;
	}
	if (atomic_dec_and_test(&sea_inflight))
		wake_up_var(&sea_inflight);
	return ret;
}

static int sea_abort_pre(struct kprobe *p, struct pt_regs *regs)
{
	struct kvm_vcpu *vcpu = (struct kvm_vcpu *)regs->regs[0];

	if (within_module(procedure_link_pointer(regs), THIS_MODULE))
		return 0;
	if (!sea_fault_eligible(vcpu))
		return 0;

	guard(rcu)();
	if (!sea_page_find(vcpu->kvm, sea_fault_gpa(vcpu) >> PAGE_SHIFT))
		return 0;
	atomic_inc(&sea_inflight);
	instruction_pointer_set(regs, (unsigned long)sea_handle_abort);
	return 1;
}

/* int kvm_pgtable_stage2_map(pgt, addr, size, phys, prot, mc, flags) */
static int sea_map_pre(struct kprobe *p, struct pt_regs *regs)
{
	struct kvm_pgtable *pgt = (struct kvm_pgtable *)regs->regs[0];
	u64 addr = regs->regs[1], size = regs->regs[2], fault;
	struct kvm_vcpu *vcpu;
	struct sea_vm *vm;
	struct kvm *kvm;

	if (!pgt->mmu)
		return 0;
	kvm = kvm_s2_mmu_to_kvm(pgt->mmu);
	if (pgt->mmu != &kvm->arch.mmu)
		return 0;

	guard(rcu)();
	vm = sea_vm_find(kvm);
	if (!vm || !sea_page_any(vm, addr >> PAGE_SHIFT, (addr + size - 1) >> PAGE_SHIFT))
		return 0;
	if (size == PAGE_SIZE)
		return sea_return(regs, -EAGAIN);

	/* Blocks are made for a vCPU's fault alone, out of that vCPU's cache. */
	if (!regs->regs[5])
		return sea_return(regs, -EAGAIN);
	vcpu = container_of((struct kvm_mmu_memory_cache *)regs->regs[5], struct kvm_vcpu,
			    arch.mmu_page_cache);
	fault = sea_fault_gpa(vcpu);
	if (fault < addr || fault - addr >= size ||
	    sea_page_any(vm, fault >> PAGE_SHIFT, fault >> PAGE_SHIFT))
		return sea_return(regs, -EAGAIN);
	regs->regs[1] = fault;
	if ((vcpu->arch.fault.esr_el2 & ESR_ELx_FSC_TYPE) == ESR_ELx_FSC_PERM) {
		/* (pgt, addr, prot, flags); 6.12 has no flags, and does not look at them. */
		regs->regs[2] = regs->regs[4];
		regs->regs[3] = regs->regs[6];
		instruction_pointer_set(regs, sea_relax_perms);
		return 1;
	}
	regs->regs[2] = PAGE_SIZE;
	regs->regs[3] += fault - addr;
	return 0;
}

static int sea_claim_pre(struct kprobe *p, struct pt_regs *regs)
{
	struct sea_claim *claim;
	bool ours = false;

	raw_spin_lock(&sea_claims_lock);
	list_for_each_entry(claim, &sea_claims, node) {
		if (claim->task != current)
			continue;
		claim->taken = true;
		ours = true;
	}
	raw_spin_unlock(&sea_claims_lock);
	return ours ? sea_return(regs, 0) : 0;
}

static int sea_destroy_pre(struct kprobe *p, struct pt_regs *regs)
{
	guard(rcu)();
	sea_table_vm_died((struct kvm *)regs->regs[0]);
	return 0;
}

enum { SEA_PROBE_ABORT, SEA_PROBE_MAP, SEA_PROBE_DESTROY, SEA_PROBE_CLAIM, SEA_PROBES };

static const struct {
	const char *symbol;
	kprobe_pre_handler_t handler;
} sea_probe_of[SEA_PROBES] = {
	[SEA_PROBE_ABORT] = { "kvm_handle_guest_abort", sea_abort_pre },
	[SEA_PROBE_MAP] = { "kvm_pgtable_stage2_map", sea_map_pre },
	[SEA_PROBE_DESTROY] = { "kvm_arch_destroy_vm", sea_destroy_pre },
	[SEA_PROBE_CLAIM] = { "apei_claim_sea", sea_claim_pre },
};

static struct kprobe sea_probes[SEA_PROBES];
static bool sea_probe_on[SEA_PROBES];

static int sea_probe_install(unsigned int i)
{
	int err;

	if (sea_probe_on[i])
		return 0;
	sea_probes[i] = (struct kprobe){
		.symbol_name = sea_probe_of[i].symbol,
		.pre_handler = sea_probe_of[i].handler,
	};
	err = register_kprobe(&sea_probes[i]);
	if (err) {
		pr_err("no probe on %s: %d\n", sea_probe_of[i].symbol, err);
		/* A function that is not there, or not probeable: not our kind of kernel. */
		return err == -ENOMEM ? err : -EOPNOTSUPP;
	}
	sea_probe_on[i] = true;
	return 0;
}

/* Where a function is that the kernel does not export. */
static unsigned long sea_symbol(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	unsigned long addr;

	if (register_kprobe(&probe)) {
		pr_err("no function %s\n", name);
		return 0;
	}
	addr = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	return addr;
}

/* With sea_lock held, before the first page is armed. */
int sea_hook_install(bool firmware)
{
	/* The abort probe last: when it redirects, everything else is in place. */
	static const unsigned int order[] = { SEA_PROBE_DESTROY, SEA_PROBE_MAP, SEA_PROBE_ABORT };
	unsigned int i;
	int err = 0;

	if (is_protected_kvm_enabled())
		return -EOPNOTSUPP;
	if (!sea_relax_perms)
		sea_relax_perms = sea_symbol("kvm_pgtable_stage2_relax_perms");
	if (!sea_relax_perms)
		return -EOPNOTSUPP;
	if (firmware)
		err = sea_probe_install(SEA_PROBE_CLAIM);
	for (i = 0; i < ARRAY_SIZE(order) && !err; i++) {
		err = sea_probe_install(order[i]);
		if (!err && order[i] == SEA_PROBE_ABORT)
			WRITE_ONCE(sea_abort_real, (sea_abort_fn)sea_probes[order[i]].addr);
	}
	return err;
}

/* With sea_lock held. Threads already sent to sea_handle_abort() may still be in it. */
void sea_hook_remove(void)
{
	struct kprobe *probes[SEA_PROBES];
	unsigned int i;
	int n = 0;

	for (i = 0; i < SEA_PROBES; i++) {
		if (sea_probe_on[i])
			probes[n++] = &sea_probes[i];
		sea_probe_on[i] = false;
	}
	if (n)
		unregister_kprobes(probes, n);
}

/* With sea_lock held: is a hit, perhaps of the last page, still to be claimed? */
bool sea_hook_busy(void)
{
	return sea_claiming;
}

bool sea_hook_installed(void)
{
	return sea_probe_on[SEA_PROBE_ABORT];
}

void sea_hook_init(void)
{
	/* We count what is not logged; no need for the kernel's own line about it. */
	ratelimit_set_flags(&sea_log_limit, RATELIMIT_MSG_ON_RELEASE);
}

/* With nothing armed any more: wait for the hits that are on their way. */
void sea_hook_wait(void)
{
	wait_var_event(&sea_inflight, !atomic_read(&sea_inflight));
}

/* After sea_hook_wait() and sea_hook_remove(): wait until no thread runs our code. */
void sea_hook_drain(void)
{
	sea_hook_wait();
	/* The last instructions of sea_handle_abort(), which may be preempted. */
	synchronize_rcu_tasks();
	synchronize_rcu();
}
