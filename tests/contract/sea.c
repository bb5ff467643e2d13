// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * SEA exits (sea_inject.ko): every syndrome that can leave the kernel. The helper loses nearly all of it, so the values
 * are the architecture's: the class by level and kind, and from the exit's syndrome what ESR_EL1 has, too. On a kernel that
 * takes the syndrome every row goes once more with it.
 */
#include "contract.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct row {
	const char *name;
	unsigned int base;
	enum vm_mmu mmu;
	const char *code;
	uint64_t addr, armed;
	uint32_t kind, flags, set;
	int32_t level;
	enum fbk_replay_method method;
	uint64_t esr;
	bool no_far; /* FnV: FAR_EL1 keeps what it had */
} rows[] = {
#define DATA PAGE_GPA + 0x18, PAGE_GPA
#define LOW PAGE_VA_LOW + 0x18
#define HIGH PAGE_VA_HIGH + 0x18
#define BY_HELPER FBK_REPLAY_HELPER
#define CORRECTED FBK_REPLAY_CORRECTED
	{ "EL1h load", 0, MMU_OFF, guest_load, DATA, 0, 0, 0, 0, BY_HELPER, 0x96000010, 0 },
	{ "EL1t load", 1, MMU_OFF, guest_load, DATA, 0, 0, 0, 0, BY_HELPER, 0x96000010, 0 },
	{ "EL0 load", 2, MMU_OFF, guest_load, DATA, 0, 0, 0, 0, BY_HELPER, 0x92000010, 0 },
	{ "A32 load", 3, MMU_OFF, guest_load_a32, DATA, 0, 0, 0, 0, BY_HELPER, 0x92000010, 0 },
	{ "T32 load", 4, MMU_OFF, guest_load_t32, DATA, 0, 0, 0, 0, BY_HELPER, 0x92000010, 0 },
	{ "EL1h store", 0, MMU_OFF, guest_store, DATA, 0, 0, 0, 0, CORRECTED, 0x96000050, 0 },
	{ "EL0 store", 2, MMU_OFF, guest_store, DATA, 0, 0, 0, 0, CORRECTED, 0x92000050, 0 },
	{ "A32 store", 3, MMU_OFF, guest_store_a32, DATA, 0, 0, 0, 0, CORRECTED, 0x92000050, 0 },
	{ "EL1h fetch", 0, MMU_OFF, NULL, DATA, 0, 0, 0, 0, CORRECTED, 0x86000010, 0 },
	{ "EL1t fetch", 1, MMU_OFF, NULL, DATA, 0, 0, 0, 0, CORRECTED, 0x86000010, 0 },
	{ "EL0 fetch", 2, MMU_OFF, NULL, DATA, 0, 0, 0, 0, CORRECTED, 0x82000010, 0 },
	{ "A32 fetch", 3, MMU_OFF, NULL, DATA, 0, 0, 0, 0, CORRECTED, 0x82000010, 0 },
	{ "EL0 fetch, MMU", 2, MMU_4K, NULL, PAGE_VA_LOW_EXEC + 8, PAGE_GPA, 0, 0, 0, 0, CORRECTED, 0x82000010, 0 },
	{ "EL1h load, MMU", 0, MMU_4K, guest_load, LOW, PAGE_GPA, 0, 0, 0, 0, BY_HELPER, 0x96000010, 0 },
	{ "EL1h load, upper half", 0, MMU_4K, guest_load, HIGH, PAGE_GPA, 0, 0, 0, 0, BY_HELPER, 0x96000010, 0 },
	{ "EL0 load, EA", 2, MMU_OFF, guest_load, DATA, 0, SEA_INJECT_EA, 0, 0, CORRECTED, 0x92000210, 0 },
	{ "EL1h load, SET reserved", 0, MMU_OFF, guest_load, DATA, 0, 0, 1, 0, CORRECTED, 0x96000810, 0 },
	{ "EL1h load, SET UC", 0, MMU_OFF, guest_load, DATA, 0, 0, 2, 0, CORRECTED, 0x96001010, 0 },
	{ "EL0 load, SET UEO", 2, MMU_OFF, guest_load, DATA, 0, 0, 3, 0, CORRECTED, 0x92001810, 0 },
	{ "EL0 fetch, SET UEO", 2, MMU_OFF, NULL, DATA, 0, 0, 3, 0, CORRECTED, 0x82001810, 0 },
	{ "EL1h load, FnV", 0, MMU_OFF, guest_load, DATA, 0, SEA_INJECT_FNV, 0, 0, CORRECTED, 0x96000410, 1 },
	{ "EL0 store, FnV, EA", 2, MMU_OFF, guest_store, DATA, 0, SEA_INJECT_FNV | SEA_INJECT_EA, 0, 0, CORRECTED, 0x92000650,
	  1 },
	{ "EL0 fetch, FnV", 2, MMU_OFF, NULL, DATA, 0, SEA_INJECT_FNV, 0, 0, CORRECTED, 0x82000410, 1 },
	{ "A32 load, FnV", 3, MMU_OFF, guest_load_a32, DATA, 0, SEA_INJECT_FNV, 0, 0, CORRECTED, 0x92000410, 1 },
	{ "EL1h load, no IPA", 0, MMU_OFF, guest_load, DATA, 0, SEA_INJECT_NO_IPA, 0, 0, BY_HELPER, 0x96000010, 0 },
	{ "EL1h load, parity", 0, MMU_OFF, guest_load, DATA, SEA_INJECT_KIND_PARITY, 0, 0, 0, CORRECTED, 0x96000018, 0 },
	{ "EL0 fetch, parity", 2, MMU_OFF, NULL, DATA, SEA_INJECT_KIND_PARITY, 0, 0, 0, CORRECTED, 0x82000018, 0 },
	{ "AT, level-2 table (CM)", 0, MMU_4K, guest_at, LOW, TABLE_LOW_GPA(2), 0, 0, 0, 0, CORRECTED, 0x96000156, 0 },
	{ "EL1h load, level-2 table", 0, MMU_4K, guest_load, LOW, TABLE_LOW_GPA(2), 0, 0, 0, 0, CORRECTED, 0x96000016, 0 },
	{ "EL0 load, level-3 table", 2, MMU_4K, guest_load, LOW, TABLE_LOW_GPA(3), 0, 0, 0, 0, CORRECTED, 0x92000017, 0 },
	{ "EL0 fetch, level-3 table", 2, MMU_4K, NULL, PAGE_VA_LOW_EXEC + 8, TABLE_LOW_GPA(3), 0, 0, 0, 0, CORRECTED,
	  0x82000017, 0 },
	{ "EL1h load, level-0 table", 0, MMU_4K, guest_load, HIGH, TABLE_HIGH_GPA(0), 0, 0, 0, 0, CORRECTED, 0x96000014, 0 },
	{ "EL1h load, level-1 table", 0, MMU_4K, guest_load, HIGH, TABLE_HIGH_GPA(1), 0, 0, 0, 0, CORRECTED, 0x96000015, 0 },
	{ "EL1h load, level-1 table, parity", 0, MMU_4K, guest_load, HIGH, TABLE_HIGH_GPA(1), SEA_INJECT_KIND_PARITY, 0, 0, 0,
	  CORRECTED, 0x9600001d, 0 },
	{ "EL1h load, level -1", 0, MMU_OFF, guest_load, DATA, 0, SEA_INJECT_WALK, 0, -1, CORRECTED, 0x96000013, 0 },
	{ "EL0 fetch, level -1, parity", 2, MMU_OFF, NULL, DATA, SEA_INJECT_KIND_PARITY, SEA_INJECT_WALK, 0, -1, CORRECTED,
	  0x8200001b, 0 },
};

#define STALE_FAR 0x5a5a5a5a5aULL /* as begin() leaves it */

static void arm(const struct row *row)
{
	struct sea_inject_arm in = {
		.size = sizeof(in), .by = SEA_INJECT_BY_GPA, .addr = row->armed, .pid = getpid(), .kind = row->kind,
		.flags = row->flags, .set = row->set, .level = row->level,
	};
	int err = inject_arm(&in);

	if (err)
		bail("cannot arm: %s", strerror(-err));
}

static void test_row(const struct row *row)
{
	/* 0: as kernels do that take no syndrome; 1: by registers; 2: with the syndrome. */
	const uint32_t bits[3] = { KVM_WITHOUT_SYNDROME, 0, kvm_bits };
	static struct regs at_vector[3];
	const struct base *b = &bases[row->base];
	struct vm *vm = vm_new(MEM_SMALL, true, NULL);
	enum fbk_replay_method method[3] = { FBK_REPLAY_NONE, FBK_REPLAY_NONE, FBK_REPLAY_NONE };
	enum fbk_replay_method want = row->method;
	uint64_t far = row->no_far ? STALE_FAR : row->addr;
	const char *diff;
	int vector[3], nr_ways = takes_syndrome() ? 3 : 2;
	char name[128];

	/* a fetch that says nothing else is the kernel's own affair where it can inject an instruction abort */
	if (!row->code && (row->esr & 0x1ffffff) == 0x10 && (kvm_bits & FBK_KVM_INJECT_EXT_IABT))
		want = FBK_REPLAY_HELPER;
	snprintf(name, sizeof(name), "SEA exit, %s", row->name);
	vm_set_mmu(vm, 0, row->mmu);
	arm(row);
	for (int way = 0; way < nr_ways; way++) {
		struct fbk_sea_exit in;
		struct fbk_abort a;
		struct outcome o;

		begin(vm, b, 0x600003c0, vm_get_reg(vm, 0, SYS_SCTLR), row->code, row->addr);
		o = vm_run(vm, 0);
		if (o.kind != OUT_SEA) {
			ok(false, name, "%s", outcome_text(&o));
			goto out;
		}
		if (fbk_sea_exit_read(FBK_ABI_MAINLINE, test_run_sea(vm->cpu[0].run), &in) || fbk_sea_decode(&in, &a))
			bail("%s: the library does not know the exit", name);
		if (inject(vm, bits[way], &a, &method[way]))
			bail("%s: the library refuses", name);
		vector[way] = run_to_vector(vm);
		regs_read(vm, &at_vector[way]);
	}
	diff = regs_diff(&at_vector[0], &at_vector[1], 0);
	ok(!diff && vector[0] == (int)b->vector && vector[1] == vector[0] && method[0] == want &&
		   method[1] == FBK_REPLAY_REGISTERS && regs_value(&at_vector[0], SYS_ESR) == row->esr &&
		   regs_value(&at_vector[0], SYS_FAR) == far,
	   name, "vectors %d/%d, %s/%s, esr 0x%llx, far 0x%llx, %s", vector[0], vector[1], fbk_replay_name(method[0]),
	   fbk_replay_name(method[1]), (unsigned long long)regs_value(&at_vector[0], SYS_ESR),
	   (unsigned long long)regs_value(&at_vector[0], SYS_FAR), diff ? diff : "all registers alike");
	methods_seen[AFTER_SEA] |= 1u << method[takes_syndrome() ? 2 : 0];
	if (nr_ways == 3) {
		snprintf(name, sizeof(name), "SEA exit, %s, kernel-syndrome", row->name);
		diff = regs_diff(&at_vector[1], &at_vector[2], 0);
		ok(!diff && vector[2] == (int)b->vector && method[2] == FBK_REPLAY_SYNDROME &&
			   regs_value(&at_vector[2], SYS_ESR) == row->esr && regs_value(&at_vector[2], SYS_FAR) == far,
		   name, "vector %d, %s, esr 0x%llx, far 0x%llx, %s", vector[2], fbk_replay_name(method[2]),
		   (unsigned long long)regs_value(&at_vector[2], SYS_ESR), (unsigned long long)regs_value(&at_vector[2], SYS_FAR),
		   diff ? diff : "all registers alike");
	}
out:
	inject_disarm_all_quiet();
	vm_free(vm);
}

void test_sea(const char *module_path)
{
	if (!has_sea)
		return;
	module_insert(module_path);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		test_row(&rows[i]);
	ok(module_remove() == 0, "the module unloads", "it does not");
}
