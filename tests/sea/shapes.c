// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * Variants that a test asks for: severity, validity, limits, the firmware's claim,
 * forced walk levels; and memory in large pages.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests.h"

#define LOAD_ADDR (PAGE_GPA + 8)

/* One access of an armed page, MMU off. */
static struct outcome load_armed(struct vm *vm, uint32_t kind, uint32_t flags, uint32_t set,
				 uint64_t hits, int32_t level)
{
	struct sea_inject_arm arm = {
		.size = sizeof(arm),
		.by = SEA_INJECT_BY_GPA,
		.addr = PAGE_GPA,
		.pid = getpid(),
		.kind = kind,
		.flags = flags,
		.set = set,
		.level = level,
		.hits = hits,
	};
	int err = inject_arm(&arm);

	if (err)
		bail("cannot arm: %s", strerror(-err));
	vm_aim(vm, 0, 1, guest_load, LOAD_ADDR);
	return vm_run(vm, 0);
}

static struct outcome load_again(struct vm *vm, uint64_t addr)
{
	vm_aim(vm, 0, 1, guest_load, addr);
	return vm_run(vm, 0);
}

static const struct variant {
	const char *name;
	uint32_t kind, inject, set;
	int32_t level;
	uint64_t flags, esr, gva, gpa;
} variants[] = {
	{ "severity UER", 0, 0, SEA_INJECT_SET_UER, 0, 1, 0x92000010, LOAD_ADDR, PAGE_GPA },
	{ "severity, reserved value 1", 0, 0, 1, 0, 1, 0x92000810, LOAD_ADDR, PAGE_GPA },
	{ "severity UC", 0, 0, SEA_INJECT_SET_UC, 0, 1, 0x92001010, LOAD_ADDR, PAGE_GPA },
	{ "severity UEO", 0, 0, SEA_INJECT_SET_UEO, 0, 1, 0x92001810, LOAD_ADDR, PAGE_GPA },
	{ "severity UEO and slave error", 0, SEA_INJECT_EA, SEA_INJECT_SET_UEO, 0, 1, 0x92001a10,
	  LOAD_ADDR, PAGE_GPA },
	{ "without IPA", 0, SEA_INJECT_NO_IPA, 0, 0, 0, 0x92000010, LOAD_ADDR, 0 },
	{ "FnV: neither address", 0, SEA_INJECT_FNV, 0, 0, 0, 0x92000410, 0, 0 },
	{ "FnV, uncontainable", 0, SEA_INJECT_FNV, SEA_INJECT_SET_UC, 0, 0, 0x92001410, 0, 0 },
	{ "parity, without IPA", SEA_INJECT_KIND_PARITY, SEA_INJECT_NO_IPA, 0, 0, 0, 0x92000018,
	  LOAD_ADDR, 0 },
	{ "forced walk, level -1", 0, SEA_INJECT_WALK, 0, -1, 0, 0x92000013, LOAD_ADDR, 0 },
	{ "forced walk, level 0", 0, SEA_INJECT_WALK, 0, 0, 0, 0x92000014, LOAD_ADDR, 0 },
	{ "forced walk, level 3", 0, SEA_INJECT_WALK, 0, 3, 0, 0x92000017, LOAD_ADDR, 0 },
	{ "forced parity walk, level -1", SEA_INJECT_KIND_PARITY, SEA_INJECT_WALK, 0, -1, 0,
	  0x9200001b, LOAD_ADDR, 0 },
	{ "forced parity walk, level 2", SEA_INJECT_KIND_PARITY, SEA_INJECT_WALK, 0, 2, 0, 0x9200001e,
	  LOAD_ADDR, 0 },
};

static void test_variant(const struct variant *v)
{
	struct vm *vm = vm_new(MEM_SMALL, has_sea, NULL);
	struct outcome o = load_armed(vm, v->kind, v->inject, v->set, 0, v->level);
	bool pass;

	if (has_sea)
		pass = o.kind == OUT_SEA && test_sea_flags_are(&o.sea, v->flags) && o.sea.esr == v->esr &&
		       o.sea.gva == v->gva && o.sea.gpa == v->gpa;
	else
		pass = is_hit(&o, 0);
	ok(pass, v->name, "%s; wanted flags=%" PRIu64 " esr=0x%" PRIx64 " gva=0x%" PRIx64
	   " gpa=0x%" PRIx64, outcome_text(&o), v->flags, v->esr, v->gva, v->gpa);
	inject_disarm_all();
	vm_free(vm);
}

static void test_limit(void)
{
	struct vm *vm = vm_new(MEM_SMALL, has_sea, NULL);
	uint64_t healed = inject_state("healed");
	struct outcome o = load_armed(vm, 0, 0, 0, 3, 0);

	for (int i = 1; i < 3 && is_hit(&o, 0x92000010); i++)
		o = load_again(vm, LOAD_ADDR);
	ok(is_hit(&o, 0x92000010), "hit limit 3: the third access still fails", "%s",
	   outcome_text(&o));
	o = load_again(vm, LOAD_ADDR);
	ok(o.kind == OUT_DONE, "hit limit 3: the fourth succeeds", "%s", outcome_text(&o));
	ok(inject_state("healed") == healed + 1 && inject_state("armed") == 0 &&
		   inject_lists("gpa=0x40010000 state=healed hits=3 limit=3"),
	   "hit limit 3: the state says so", "it does not");
	ok(kprobes_of_module() == 0, "hit limit 3: no probe outlives the last healed page",
	   "%u do", kprobes_of_module());

	o = load_armed(vm, 0, 0, 0, 1, 0);
	ok(is_hit(&o, 0x92000010), "a healed page can be armed again", "%s", outcome_text(&o));
	inject_disarm_all();
	vm_free(vm);
}

static void test_firmware(void)
{
	struct vm *vm = vm_new(MEM_SMALL, has_sea, NULL);
	uint64_t claimed = inject_state("claimed"), hits = inject_state("hits");
	struct outcome o = load_armed(vm, 0, SEA_INJECT_FIRMWARE, 0, 2, 0);

	ok(o.kind == OUT_DONE, "claimed by the firmware: the guest goes on, and never knew", "%s",
	   outcome_text(&o));
	ok(inject_state("claimed") == claimed + 2 && inject_state("hits") == hits + 2,
	   "claimed by the firmware: twice, as the limit says", "%" PRIu64 " times",
	   inject_state("claimed") - claimed);
	ok(klog_has("shape=sea,firmware"), "claimed by the firmware: logged", "not logged");
	inject_disarm_all();

	/* The claim is the armed page's alone: the next ordinary error is not swallowed. */
	o = load_armed(vm, 0, 0, 0, 0, 0);
	ok(is_hit(&o, 0x92000010), "claimed by the firmware: the next error is not", "%s",
	   outcome_text(&o));
	inject_disarm_all();
	vm_free(vm);
}

static void log_switch(const char *value)
{
	FILE *f = fopen("/sys/module/sea_inject/parameters/log", "w");

	if (!f || fputs(value, f) < 0 || fclose(f))
		bail("cannot switch the log");
}

static void test_log(void)
{
	struct vm *vm = vm_new(MEM_SMALL, has_sea, NULL);
	struct outcome o = load_armed(vm, 0, SEA_INJECT_EA, SEA_INJECT_SET_UEO, 0, 0);
	char line[160];

	snprintf(line, sizeof(line),
		 "sea_inject: hit vm=%d gpa=0x40010000 hva=%p shape=sea,ea,set=ueo esr=0x92001a10 n=1\n",
		 getpid(), (void *)(vm->ram + (PAGE_GPA - RAM_GPA)));
	ok(is_hit(&o, 0x92001a10) && klog_has(line), "one documented log line per hit",
	   "no line '%s'", line);
	inject_disarm_all();

	/* A page that no other test arms, so that no older line can be its. */
	log_switch("0");
	arm_gpa(PAGE_GPA + 0x77000, 0, 0, 0, 0);
	o = load_again(vm, PAGE_GPA + 0x77000);
	log_switch("1");
	ok(is_hit(&o, 0x92000010) && inject_lists("gpa=0x40087000 hits=1") &&
		   !klog_has("gpa=0x40087000"),
	   "with log=0 a hit is counted but not logged", "%s", outcome_text(&o));
	inject_disarm_all();
	vm_free(vm);
}

/* Kilobytes of huge pages in this process's memory, of the kind named. */
static unsigned long huge_kb(const char *kind)
{
	unsigned long total = 0, kb;
	char line[256];
	FILE *f = fopen("/proc/self/smaps", "r");

	if (!f)
		bail("cannot open /proc/self/smaps");
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, kind, strlen(kind)) && sscanf(line + strlen(kind), " %lu", &kb) == 1)
			total += kb;
	fclose(f);
	return total;
}

/*
 * A page inside a block that stage 2 already maps; and one whose neighbours fault
 * first, and would bring it in again with a block.
 */
static void test_large(const char *what, enum vm_memory memory, const char *smaps)
{
	struct vm *vm = vm_new(memory, has_sea, NULL);
	uint64_t far_page = PAGE_GPA + 0x300000;
	struct sea_inject_arm arm = {
		.size = sizeof(arm), .by = SEA_INJECT_BY_GPA, .addr = far_page, .pid = getpid(),
	};
	struct outcome o;
	char name[128];

	memset(vm->ram + 0x200000, 0, 0x200000); /* fault it in whole */
	o = load_again(vm, far_page);
	if (o.kind != OUT_DONE || load_again(vm, LOAD_ADDR).kind != OUT_DONE)
		bail("cannot access healthy memory: %s", outcome_text(&o));
	snprintf(name, sizeof(name), "%s: the host does use large pages", what);
	ok(!smaps || huge_kb(smaps) >= 4096, name, "%lu kB", smaps ? huge_kb(smaps) : 0);

	o = load_armed(vm, 0, 0, 0, 0, 0);
	snprintf(name, sizeof(name), "%s: a mapped page is taken out", what);
	ok(is_hit(&o, 0x92000010), name, "%s", outcome_text(&o));

	if (inject_arm(&arm))
		bail("cannot arm");
	snprintf(name, sizeof(name), "%s: the neighbours of an armed page work", what);
	vm_aim(vm, 0, 1, guest_store, far_page - 0x1000);
	o = vm_run(vm, 0);
	if (o.kind == OUT_DONE)
		o = load_again(vm, far_page + 0x1000);
	ok(o.kind == OUT_DONE, name, "%s", outcome_text(&o));

	o = load_again(vm, far_page);
	snprintf(name, sizeof(name), "%s: a neighbour's fault does not bring it back", what);
	ok(is_hit(&o, 0x92000010), name, "%s", outcome_text(&o));

	/* Every page of two blocks, but for the armed ones. */
	vm_aim(vm, 0, 1, guest_sweep, far_page + 0x1000);
	vm_set_x(vm, 0, 3, 0xe0);
	o = vm_run(vm, 0);
	snprintf(name, sizeof(name), "%s: a sweep of the rest of the block", what);
	ok(o.kind == OUT_DONE, name, "%s", outcome_text(&o));
	o = load_again(vm, far_page);
	snprintf(name, sizeof(name), "%s: still armed after it", what);
	ok(is_hit(&o, 0x92000010), name, "%s", outcome_text(&o));

	inject_disarm_all();
	o = load_again(vm, far_page);
	snprintf(name, sizeof(name), "%s: works once disarmed", what);
	ok(o.kind == OUT_DONE, name, "%s", outcome_text(&o));
	vm_free(vm);
}

void test_shapes(void)
{
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		test_variant(&variants[i]);
	test_limit();
	test_firmware();
	test_log();
	test_large("4 KiB pages", MEM_SMALL, NULL);
	test_large("shared memory", MEM_SHARED, NULL);
	test_large("transparent huge pages", MEM_THP, "AnonHugePages:");
	test_large("hugetlb", MEM_HUGETLB, "Private_Hugetlb:");
}
