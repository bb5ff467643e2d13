// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * What genuine SEAs look like, row by row: the exit, and what the kernel's own
 * ext_dabt_pending then gives the guest.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests.h"

#define VA_OFFSET 0x18 /* an access inside the page: the gva is exact */

struct row {
	const char *name;
	const char *code;
	unsigned int el;
	enum vm_mmu mmu;
	uint64_t addr; /* where the guest aims */
	uint64_t armed; /* guest physical address of the broken page */
	uint32_t kind, inject;
	uint64_t flags, esr, gpa; /* of the exit; gva is always addr */
	uint64_t guest_esr;
	unsigned int vector;
};

#define LOAD guest_load, 1
#define STORE guest_store, 1
#define LDADD guest_ldadd, 1
#define FETCH guest_fetch, 1
#define AT guest_at, 1
#define LOAD_EL0 guest_load, 0
#define AT_PAGE PAGE_GPA, 0, 0
#define WITH_GPA(esr) TEST_SEA_GPA_VALID, esr, PAGE_GPA
#define WITHOUT_GPA(esr) 0, esr, 0
#define EL1_DABT 0x96000010, VECTOR_EL1_SYNC
#define LOW (PAGE_VA_LOW + VA_OFFSET)
#define LOW_EXEC (PAGE_VA_LOW_EXEC + VA_OFFSET)
#define HIGH (PAGE_VA_HIGH + VA_OFFSET)
#define HIGH_EXEC (PAGE_VA_HIGH_EXEC + VA_OFFSET)

static const struct row rows[] = {
	{ "load, MMU off", LOAD, MMU_OFF, PAGE_GPA + VA_OFFSET, AT_PAGE,
	  WITH_GPA(0x92000010), EL1_DABT },
	{ "load, slave error", LOAD, MMU_OFF, PAGE_GPA + VA_OFFSET, PAGE_GPA, 0, SEA_INJECT_EA,
	  WITH_GPA(0x92000210), EL1_DABT },
	{ "store", STORE, MMU_OFF, PAGE_GPA + VA_OFFSET, AT_PAGE, WITH_GPA(0x92000050), EL1_DABT },
	{ "load, MMU on, VA != IPA", LOAD, MMU_4K, LOW, AT_PAGE, WITH_GPA(0x92000010), EL1_DABT },
	{ "load, MMU on, upper half", LOAD, MMU_4K, HIGH, AT_PAGE, WITH_GPA(0x92000010), EL1_DABT },
	{ "store, MMU on", STORE, MMU_4K, LOW, AT_PAGE, WITH_GPA(0x92000050), EL1_DABT },
	{ "atomic (LDADD)", LDADD, MMU_4K, LOW, AT_PAGE, WITH_GPA(0x92000010), EL1_DABT },
	{ "load from EL0", LOAD_EL0, MMU_4K, LOW, AT_PAGE, WITH_GPA(0x92000010),
	  0x92000010, VECTOR_EL0_SYNC },
	{ "instruction fetch, MMU off", FETCH, MMU_OFF, PAGE_GPA + VA_OFFSET, AT_PAGE,
	  WITH_GPA(0x82000010), EL1_DABT },
	{ "instruction fetch, MMU on", FETCH, MMU_4K, LOW_EXEC, AT_PAGE, WITH_GPA(0x82000010),
	  EL1_DABT },
	{ "load, stage-1 level-2 table poisoned", LOAD, MMU_4K, LOW, TABLE_LOW_GPA(2), 0, 0,
	  WITHOUT_GPA(0x92000016), EL1_DABT },
	{ "instruction fetch, stage-1 level-2 table poisoned", FETCH, MMU_4K, LOW_EXEC,
	  TABLE_LOW_GPA(2), 0, 0, WITHOUT_GPA(0x82000016), EL1_DABT },
	{ "AT instruction, stage-1 level-2 table poisoned", AT, MMU_4K, LOW, TABLE_LOW_GPA(2), 0, 0,
	  WITHOUT_GPA(0x92000156), EL1_DABT },
	{ "load, stage-1 level-3 table poisoned", LOAD, MMU_4K, LOW, TABLE_LOW_GPA(3), 0, 0,
	  WITHOUT_GPA(0x92000017), EL1_DABT },
	{ "load, upper half, level-0 table poisoned", LOAD, MMU_4K, HIGH, TABLE_HIGH_GPA(0), 0, 0,
	  WITHOUT_GPA(0x92000014), EL1_DABT },
	{ "load, upper half, level-1 table poisoned", LOAD, MMU_4K, HIGH, TABLE_HIGH_GPA(1), 0, 0,
	  WITHOUT_GPA(0x92000015), EL1_DABT },
	{ "load, upper half, level-2 table poisoned", LOAD, MMU_4K, HIGH, TABLE_HIGH_GPA(2), 0, 0,
	  WITHOUT_GPA(0x92000016), EL1_DABT },
	{ "load, upper half, level-3 table poisoned", LOAD, MMU_4K, HIGH, TABLE_HIGH_GPA(3), 0, 0,
	  WITHOUT_GPA(0x92000017), EL1_DABT },
	{ "fetch, upper half, level-3 table poisoned", FETCH, MMU_4K, HIGH_EXEC, TABLE_HIGH_GPA(3),
	  0, 0, WITHOUT_GPA(0x82000017), EL1_DABT },
	{ "load, 64 KiB granule, level-1 table poisoned", LOAD, MMU_64K, HIGH, TABLE_HIGH_GPA(1), 0,
	  0, WITHOUT_GPA(0x92000015), EL1_DABT },
	{ "load, 64 KiB granule, level-2 table poisoned", LOAD, MMU_64K, HIGH, TABLE_HIGH_GPA(2), 0,
	  0, WITHOUT_GPA(0x92000016), EL1_DABT },
	{ "load, 64 KiB granule, level-3 table poisoned", LOAD, MMU_64K, HIGH, TABLE_HIGH_GPA(3), 0,
	  0, WITHOUT_GPA(0x92000017), EL1_DABT },
	{ "load, 16 KiB granule, level-0 table poisoned", LOAD, MMU_16K, HIGH, TABLE_HIGH_GPA(0), 0,
	  0, WITHOUT_GPA(0x92000014), EL1_DABT },
	{ "load, 16 KiB granule, level-3 table poisoned", LOAD, MMU_16K, HIGH, TABLE_HIGH_GPA(3), 0,
	  0, WITHOUT_GPA(0x92000017), EL1_DABT },
	{ "load, level-2 table poisoned, FnV (not defined on a walk)", LOAD, MMU_4K, LOW,
	  TABLE_LOW_GPA(2), 0, SEA_INJECT_FNV, WITHOUT_GPA(0x92000016), EL1_DABT },
	{ "load, parity", LOAD, MMU_4K, LOW, PAGE_GPA, SEA_INJECT_KIND_PARITY, 0,
	  WITH_GPA(0x92000018), EL1_DABT },
	{ "fetch, parity", FETCH, MMU_4K, LOW_EXEC, PAGE_GPA, SEA_INJECT_KIND_PARITY, 0,
	  WITH_GPA(0x82000018), EL1_DABT },
	{ "load, parity, level-0 table", LOAD, MMU_4K, HIGH, TABLE_HIGH_GPA(0),
	  SEA_INJECT_KIND_PARITY, 0, WITHOUT_GPA(0x9200001c), EL1_DABT },
	{ "load, parity, level-1 table", LOAD, MMU_4K, HIGH, TABLE_HIGH_GPA(1),
	  SEA_INJECT_KIND_PARITY, 0, WITHOUT_GPA(0x9200001d), EL1_DABT },
	{ "load, parity, level-2 table", LOAD, MMU_4K, HIGH, TABLE_HIGH_GPA(2),
	  SEA_INJECT_KIND_PARITY, 0, WITHOUT_GPA(0x9200001e), EL1_DABT },
	{ "load, parity, level-3 table", LOAD, MMU_4K, HIGH, TABLE_HIGH_GPA(3),
	  SEA_INJECT_KIND_PARITY, 0, WITHOUT_GPA(0x9200001f), EL1_DABT },
};

static bool same_exit(const struct outcome *o, const struct row *row)
{
	return o->kind == OUT_SEA && test_sea_flags_are(&o->sea, row->flags) && o->sea.esr == row->esr &&
	       o->sea.gva == row->addr && o->sea.gpa == row->gpa;
}

static void test_row(const struct row *row)
{
	struct vm *vm = vm_new(MEM_SMALL, true, NULL);
	char name[128];
	struct outcome o;
	uint64_t pc;
	int err;

	vm_set_mmu(vm, 0, row->mmu);
	vm_aim(vm, 0, row->el, row->code, row->addr);
	o = vm_run(vm, 0);
	snprintf(name, sizeof(name), "%s: succeeds while nothing is armed", row->name);
	if (!ok(o.kind == OUT_DONE, name, "%s", outcome_text(&o)))
		goto out;

	arm_gpa(row->armed, row->kind, row->inject, 0, 0);
	vm_aim(vm, 0, row->el, row->code, row->addr);
	o = vm_run(vm, 0);
	snprintf(name, sizeof(name), "%s: exit", row->name);
	if (!ok(same_exit(&o, row), name,
		"%s; wanted flags=%" PRIu64 " esr=0x%" PRIx64 " gva=0x%" PRIx64 " gpa=0x%" PRIx64,
		outcome_text(&o), row->flags, row->esr, row->addr, row->gpa))
		goto out;

	pc = vm_pc(vm, 0);
	o = vm_run(vm, 0);
	snprintf(name, sizeof(name), "%s: repeats at the same PC", row->name);
	ok(same_exit(&o, row) && vm_pc(vm, 0) == pc, name, "%s", outcome_text(&o));

	err = vm_inject_dabt(vm, 0);
	o = vm_run(vm, 0);
	snprintf(name, sizeof(name), "%s: what ext_dabt_pending gives", row->name);
	ok(!err && o.kind == OUT_VECTOR && o.vector == row->vector && o.esr_el1 == row->guest_esr &&
		   o.far_el1 == row->addr && o.elr_el1 == pc,
	   name, "error %d, %s; wanted vector %u esr=0x%" PRIx64 " far=0x%" PRIx64 " elr=0x%" PRIx64,
	   err, outcome_text(&o), row->vector, row->guest_esr, row->addr, pc);

	inject_disarm_all();
	vm_aim(vm, 0, row->el, row->code, row->addr);
	o = vm_run(vm, 0);
	snprintf(name, sizeof(name), "%s: succeeds once disarmed", row->name);
	ok(o.kind == OUT_DONE, name, "%s", outcome_text(&o));
out:
	inject_disarm_all_quiet();
	vm_free(vm);
}

/* "any, capability not enabled": no exit, an SError. True of kernels without it too. */
static void test_capability_off(void)
{
	static const struct {
		const char *name, *code;
		unsigned int el;
		uint64_t addr, armed;
		unsigned int vector;
	} accesses[] = {
		{ "load", LOAD, LOW, PAGE_GPA, VECTOR_EL1_SERROR },
		{ "store", STORE, LOW, PAGE_GPA, VECTOR_EL1_SERROR },
		{ "load from EL0", LOAD_EL0, LOW, PAGE_GPA, VECTOR_EL0_SERROR },
		{ "instruction fetch", FETCH, LOW_EXEC, PAGE_GPA, VECTOR_EL1_SERROR },
		{ "load, stage-1 level-2 table poisoned", LOAD, LOW, TABLE_LOW_GPA(2),
		  VECTOR_EL1_SERROR },
	};

	for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		struct vm *vm = vm_new(MEM_SMALL, false, NULL);
		struct outcome o;
		char name[128];

		vm_set_mmu(vm, 0, MMU_4K);
		vm_aim(vm, 0, accesses[i].el, accesses[i].code, accesses[i].addr);
		o = vm_run(vm, 0);
		if (o.kind != OUT_DONE)
			bail("cannot access healthy memory: %s", outcome_text(&o));
		arm_gpa(accesses[i].armed, 0, 0, 0, 0);
		vm_aim(vm, 0, accesses[i].el, accesses[i].code, accesses[i].addr);
		o = vm_run(vm, 0);
		snprintf(name, sizeof(name), "capability off, %s: SError", accesses[i].name);
		ok(o.kind == OUT_VECTOR && o.vector == accesses[i].vector && o.esr_el1 == 0xbf000000,
		   name, "%s", outcome_text(&o));
		inject_disarm_all();
		vm_free(vm);
	}
}

void test_rows(void)
{
	if (has_sea)
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			test_row(&rows[i]);
	test_capability_off();
}
