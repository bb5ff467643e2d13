/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * vm.c - what one VM's and one vCPU's error handling are made of, and what is done for them beside the road (road.c): pages
 * healed, records pumped, counters read.
 */
#include <firebreak/kvm.h>
#include <firebreak/vm.h>

#include "../core/ledger_road.h"
#include "../core/policy_road.h"
#include "clock.h"
#include "kvm_uapi.h"
#include "notify.h"
#include "one_reg.h"
#include "retire.h"
#include "road.h"
#include "vm_state.h"

#include <errno.h>
#include <string.h>

/* Errors: -EINVAL the layout does not lie in guest RAM. */
static int find_blocks(const struct fbk_gmem *gmem, const struct fbk_ghes_layout *l, struct fbk_block *ret)
{
	uint32_t s;
	int err = 0;

	for (s = 0; s < FBK_GHES_NR_SOURCES && !err; s++)
		err = fbk_block_find(gmem, l, (enum fbk_ghes_source)s, &ret[s]);
	return err;
}

/* As many as there are, within reason. */
static uint32_t pages_of(const struct fbk_gmem *gmem)
{
	uint64_t pages = 0;
	uint32_t i;

	for (i = 0; i < gmem->nr_regions; i++)
		pages += gmem->region[i].len / FBK_PAGE_SIZE;
	return pages < FBK_VM_DEFAULT_PAGES ? (uint32_t)pages : FBK_VM_DEFAULT_PAGES;
}

int fbk_vm_create(const struct fbk_vm_config *cfg, struct fbk_vm **ret)
{
	struct fbk_block block[FBK_GHES_NR_SOURCES];
	struct fbk_vm *vm;
	uint32_t max_pages, s;
	size_t len;
	int err;

	if (!cfg || !ret || cfg->size != sizeof(*cfg) || !cfg->gmem || !cfg->ops)
		return -EINVAL;
	if ((cfg->policy && fbk_policy_check(cfg->policy)) || (cfg->cper & ~FBK_VM_CPER_PROCESSOR))
		return -EINVAL;
	if (cfg->ghes &&
	    (find_blocks(cfg->gmem, cfg->ghes, block) || !cfg->ops->raise_async || !cfg->ops->want_pump))
		return -EINVAL;
	max_pages = cfg->max_pages ? cfg->max_pages : pages_of(cfg->gmem);
	if (fbk_ledger_file_pages(cfg->ledger_file) > UINT32_MAX - max_pages)
		return -EINVAL;
	max_pages += fbk_ledger_file_pages(cfg->ledger_file);
	len = fbk_ledger_storage_len(max_pages);
	if (len == 0)
		return -EINVAL;

	vm = fbk_sys->calloc(1, sizeof(*vm));
	if (!vm)
		return -ENOMEM;
	vm->vm_fd = cfg->vm_fd;
	vm->gmem = cfg->gmem;
	vm->ops = cfg->ops;
	vm->opaque = cfg->opaque;
	memcpy(vm->id, cfg->id, sizeof(vm->id));
	vm->retire = cfg->retire;
	vm->tick_length = fbk_tick_length();
	if (cfg->policy)
		vm->policy = *cfg->policy;
	else
		fbk_policy_default(&vm->policy);
	vm->storm_gap_ns = fbk_policy_storm_gap_ns(&vm->policy);

	err = fbk_kvm_probe(cfg->vm_fd, &vm->kvm);
	if (err)
		goto free_vm;

	err = -ENOMEM;
	vm->ledger_len = len;
	vm->ledger_storage = fbk_sys->map(len);
	if (!vm->ledger_storage)
		goto free_vm;
	err = fbk_ledger_init(&vm->ledger, vm->ledger_storage, len, max_pages);
	if (err)
		goto free_ledger;

	for (s = 0; s < FBK_GHES_NR_SOURCES; s++)
		fbk_handshake_init(&vm->source[s]);
	if (cfg->ghes) {
		vm->has_ghes = 1;
		vm->tell_processor = !!(cfg->cper & FBK_VM_CPER_PROCESSOR);
		memcpy(vm->block, block, sizeof(block));
		err = fbk_cper_page_init(&vm->page_record);
		if (err)
			goto free_ledger;
		err = -ENOMEM;
		if (cfg->ops->acknowledged) {
			vm->acks = fbk_sys->calloc(FBK_ACKS, sizeof(*vm->acks));
			if (!vm->acks)
				goto free_ledger;
		}
		vm->queue_ranges = fbk_sys->calloc(FBK_QUEUE_RANGES, sizeof(*vm->queue_ranges));
		if (!vm->queue_ranges)
			goto free_acks;
		fbk_queue_init(&vm->queue, vm->queue_ranges, FBK_QUEUE_RANGES);
	}
	/* Last: from here on the file follows this ledger. */
	vm->ledger_file = cfg->ledger_file;
	err = vm->ledger_file ? fbk_ledger_file_load(vm->ledger_file, &vm->ledger) : 0;
	if (err)
		goto free_queue;
	/* What the file brings along this guest has not been told. */
	vm->rescan = vm->has_ghes && fbk_ledger_pages(&vm->ledger);
	*ret = vm;
	return 0;

free_queue:
	fbk_sys->free(vm->queue_ranges);
free_acks:
	fbk_sys->free(vm->acks);
free_ledger:
	fbk_sys->unmap(vm->ledger_storage, vm->ledger_len);
free_vm:
	fbk_sys->free(vm);
	return err;
}

void fbk_vm_destroy(struct fbk_vm *vm)
{
	if (!vm)
		return;
	fbk_sys->free(vm->queue_ranges);
	fbk_sys->free(vm->acks);
	fbk_sys->unmap(vm->ledger_storage, vm->ledger_len);
	fbk_sys->free(vm);
}

int fbk_vcpu_create(struct fbk_vm *vm, int vcpu_fd, struct kvm_run *run, uint32_t index, struct fbk_vcpu **ret)
{
	struct fbk_vcpu *vcpu;

	if (!vm || !run || !ret || index > INT32_MAX)
		return -EINVAL;
	vcpu = fbk_sys->calloc(1, sizeof(*vcpu));
	if (!vcpu)
		return -ENOMEM;
	vcpu->vm = vm;
	vcpu->fd = vcpu_fd;
	vcpu->run = run;
	vcpu->index = (int32_t)index;
	vcpu->ask_pstate = fbk_one_reg_question(FBK_REG_PSTATE, &vcpu->pstate);
	fbk_road_expect(vcpu);
	fbk_lock_take(&vm->lock);
	vcpu->next = vm->vcpus;
	vm->vcpus = vcpu;
	fbk_lock_release(&vm->lock);
	*ret = vcpu;
	return 0;
}

void fbk_vcpu_destroy(struct fbk_vcpu *vcpu)
{
	struct fbk_vcpu **at;

	if (!vcpu)
		return;
	fbk_lock_take(&vcpu->vm->lock);
	for (at = &vcpu->vm->vcpus; *at != vcpu; at = &(*at)->next)
		;
	*at = vcpu->next;
	fbk_counts_fold(&vcpu->vm->counts, &vcpu->counts);
	fbk_lock_release(&vcpu->vm->lock);
	fbk_sys->free(vcpu);
}

int fbk_vm_pump(struct fbk_vm *vm, uint64_t *ret_wait_ns)
{
	uint64_t wait;
	int err;

	if (!vm || !ret_wait_ns)
		return -EINVAL;
	err = fbk_notify_pump(vm, &wait);
	/* Records first, since the guest waits for those. */
	if (fbk_retire_tend(vm, !err) && !err && wait > FBK_RETIRE_TEND_NS)
		wait = FBK_RETIRE_TEND_NS;
	if (!err)
		*ret_wait_ns = wait;
	return err;
}

int fbk_vcpu_retry(struct fbk_vcpu *vcpu)
{
	return vcpu ? fbk_retire_raced(vcpu) : 0;
}

int fbk_vm_heal(struct fbk_vm *vm, uint32_t *ret_kept)
{
	if (!vm || !ret_kept)
		return -EINVAL;
	if (!vm->retire)
		return -EOPNOTSUPP;
	*ret_kept = fbk_retire_heal(vm);
	if (!vm->ledger_file)
		return 0;
	if (fbk_ledger_file_wants(vm->ledger_file) & FBK_LEDGER_FILE_WANTS_COMPACT)
		return fbk_ledger_file_compact(vm->ledger_file);
	return fbk_ledger_file_flush(vm->ledger_file);
}

int fbk_vm_reset(struct fbk_vm *vm)
{
	return vm ? fbk_notify_reset(vm) : -EINVAL;
}

int fbk_vm_left_out(struct fbk_vm *vm, struct fbk_gpa gpa, uint64_t len)
{
	uint64_t done;

	if (!vm || ((gpa.addr | len) & ~FBK_PAGE_MASK) || gpa.addr + len < gpa.addr)
		return -EINVAL;
	fbk_lock_take(&vm->lock);
	for (done = 0; done < len; done += FBK_PAGE_SIZE)
		fbk_ledger_tell_not(&vm->ledger, gpa.addr + done);
	fbk_lock_release(&vm->lock);
	return 0;
}

const struct fbk_ledger *fbk_vm_ledger(const struct fbk_vm *vm)
{
	return vm ? &vm->ledger : NULL;
}

uint32_t fbk_vm_kvm(const struct fbk_vm *vm)
{
	return vm ? vm->kvm : 0;
}

static void count_pages(const struct fbk_ledger *l, struct fbk_metrics *ret)
{
	uint32_t state;

	for (state = FBK_PAGE_POISONED; state <= FBK_PAGE_HEALED; state++)
		ret->pages[state] = fbk_ledger_in_state(l, (enum fbk_page_state)state);
	ret->capacity_pages = l->max_pages;
}

int fbk_vm_metrics(struct fbk_vm *vm, struct fbk_metrics *ret)
{
	struct fbk_metrics m = { .size = sizeof(m) };
	const struct fbk_vcpu *vcpu;
	uint32_t s;

	if (!vm || !ret || ret->size != sizeof(*ret))
		return -EINVAL;
	memcpy(m.vm, vm->id, sizeof(m.vm));
	fbk_lock_take(&vm->lock);
	fbk_counts_read(&vm->counts, &m);
	for (vcpu = vm->vcpus; vcpu; vcpu = vcpu->next)
		fbk_counts_read(&vcpu->counts, &m);
	for (s = 0; s < FBK_GHES_NR_SOURCES; s++) {
		m.written[s] = vm->told[s].written;
		m.acknowledged[s] = vm->told[s].acknowledged;
		m.withdrawn[s] = vm->told[s].withdrawn;
	}
	m.acks_untold = vm->acks_untold;
	m.queue_pages = fbk_queue_pages(&vm->queue);
	m.queue_overflow = (uint64_t)vm->rescan;
	count_pages(&vm->ledger, &m);
	fbk_lock_release(&vm->lock);
	m.has_file = vm->ledger_file != NULL;
	m.file_bytes = fbk_ledger_file_len(vm->ledger_file);
	*ret = m;
	return 0;
}
