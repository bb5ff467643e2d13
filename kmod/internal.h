/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * What the parts of sea_inject share.
 *
 * One mutex, sea_lock, serialises every change. The kprobe handlers cannot
 * sleep: they only look pages up, under RCU, and leave the rest to a function
 * that runs in the vCPU thread's ordinary context (see hook.c).
 */
#ifndef SEA_INJECT_INTERNAL_H
#define SEA_INJECT_INTERNAL_H

#include <linux/kvm_host.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "sea_inject.h"

/* Kernels before 7.0 do not have it. */
#ifndef kzalloc_obj
#define kzalloc_obj(obj, gfp) kzalloc(sizeof(obj), gfp)
#endif

/* Pages that are armed, as opposed to healed ones that are only remembered. */
#define SEA_MARK_ARMED XA_MARK_0

/* What an access to the page becomes. */
struct sea_shape {
	u32 kind;
	u32 flags;
	u32 set;
	s32 level;
};

/* A VM that has, or had, armed pages. Freed with its last page. */
struct sea_vm {
	struct list_head node;
	struct kvm *kvm; /* identifies the VM; valid while !dead */
	struct pid *pid;
	u32 index;
	bool dead; /* its struct kvm is going away: match nothing any more */
	struct xarray pages; /* by gfn */
};

struct sea_page {
	struct sea_vm *vm;
	u64 id;
	gfn_t gfn;
	unsigned long hva;
	struct sea_shape shape;
	u64 limit; /* hits until it heals; 0: never */
	u64 hits;
	u64 last_esr;
	bool armed;
	struct rcu_head rcu;
};

/* A VM of a process, with a reference on it. */
struct sea_vm_ref {
	struct list_head node;
	struct kvm *kvm;
	struct pid *pid;
	u32 index;
};

/* One page of one VM, found but not yet armed. */
struct sea_spot {
	struct sea_vm_ref *ref;
	gfn_t gfn;
	unsigned long hva;
	unsigned long block; /* bytes of the largest stage-2 mapping that may cover it */
};

struct sea_stats {
	u64 hits; /* accesses turned into an abort */
	u64 claimed; /* of these, claimed in the name of the firmware */
	u64 healed; /* pages that reached their hit limit */
	u64 guessed; /* walks whose level could not be found: reported as 3 */
	u64 unlogged; /* hits whose log line was held back by the rate limit */
	u64 dead_vms; /* VMs that went away while armed */
};

extern struct mutex sea_lock;
extern struct sea_stats sea_stats;

/* main.c */
int sea_arm(struct sea_inject_arm *req);

/* einj.c: the kernel's own interface for errors on request, as a stand-in */
int sea_einj_init(void);
void sea_einj_exit(void);

/* target.c: from what the user names to pages of VMs */
int sea_vms_of_pid(pid_t nr, struct list_head *refs);
int sea_vms_of_host(struct list_head *refs);
void sea_vms_put(struct list_head *refs);
int sea_spots_by_gpa(struct sea_vm_ref *ref, gpa_t gpa, u64 pages, struct sea_spot **ret,
		     unsigned int *ret_n);
int sea_spots_by_hva(struct sea_vm_ref *ref, unsigned long hva, u64 pages, struct sea_spot **ret,
		     unsigned int *ret_n);
int sea_spots_by_hpa(struct list_head *refs, phys_addr_t hpa, struct sea_spot **ret,
		     unsigned int *ret_n);
int sea_drop_stage2(const struct sea_spot *spots, unsigned int n);

/* table.c: the armed pages */
struct sea_vm *sea_vm_find(struct kvm *kvm);
struct sea_page *sea_page_find(struct kvm *kvm, gfn_t gfn);
bool sea_page_any(struct sea_vm *vm, gfn_t first, gfn_t last);
int sea_table_arm(const struct sea_spot *spots, unsigned int n, const struct sea_shape *shape,
		  u64 limit, u64 *ret_id);
unsigned int sea_table_disarm(const struct sea_inject_disarm *req, struct pid *pid);
void sea_table_disarm_ids(u64 first, unsigned int n);
void sea_table_heal(struct sea_page *page);
void sea_table_vm_died(struct kvm *kvm);
void sea_table_idle(void);
void sea_table_kick(void);
void sea_table_settle(void);
void sea_table_exit(void);
unsigned int sea_table_armed(void);
void sea_table_for_each(void (*fn)(const struct sea_page *page, void *arg), void *arg);

/* hook.c: the way into KVM */
void sea_hook_init(void);
int sea_hook_install(bool firmware);
void sea_hook_remove(void);
bool sea_hook_busy(void);
bool sea_hook_installed(void);
void sea_hook_wait(void);
void sea_hook_drain(void);

/* shape.c: from a shape and an access to a syndrome */
#define SEA_NO_WALK S8_MIN
bool sea_insn_is_atomic(u32 insn);
int sea_shape_check(const struct sea_inject_arm *req);
void sea_shape_apply(const struct sea_shape *shape, int walk_level,
		     struct kvm_vcpu_fault_info *fault);
size_t sea_shape_name(const struct sea_shape *shape, int walk_level, char *buf, size_t len);
#define SEA_SHAPE_NAME_MAX 64

/* walk.c: the guest's stage-1 tables */
int sea_walk_level(struct kvm_vcpu *vcpu, u64 va, gfn_t table_gfn);
bool sea_walk_insn(struct kvm_vcpu *vcpu, u32 *ret);

#endif
