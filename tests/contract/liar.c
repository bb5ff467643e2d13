// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * A guest that lies: it scribbles over its error blocks, moves their pointers, acknowledges always, never, or what it has
 * not read, between errors and while one is handled. Whatever it does the library writes its blocks and acknowledgements
 * and nothing else, each abort is replayed, and an honest guest that comes after it learns of every page.
 *
 * The guest's stores are a vCPU's. The errors are SEA exits of sea_inject.ko; where the kernel forwards none, and while the
 * other vCPU runs beside it, what such an exit leaves is written into kvm_run.
 */
#include "contract.h"

#include <firebreak/vm.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AREA_GPA 0x40400000ULL
#define AREA_USED 0x3000 /* registers and two blocks */
#define LOST_GPA 0x40500000ULL
#define MAX_LOST 128
#define ANY 0x9e3779b97f4a7c15ULL /* added up: any 64 bits, odd and even in turn */

struct world {
	struct vm *vm;
	struct fbk_gmem gmem;
	struct fbk_ghes_layout layout;
	struct fbk_vm *road;
	struct fbk_vcpu *vcpu;
	struct fbk_event ev;
	unsigned char *before; /* all of guest RAM */
	unsigned int nr_errors, nr_lost, strays, strange;
	uint64_t stray_gpa;
	bool racing; /* the guest itself writes all that is used of its area meanwhile */
};

static void on_event(void *opaque, const struct fbk_event *ev)
{
	((struct world *)opaque)->ev = *ev;
}

static int on_raise(void *opaque)
{
	(void)opaque;
	return 0;
}

static void on_pump(void *opaque)
{
	(void)opaque;
}

static const struct fbk_vm_ops ops = { .event = on_event, .raise_async = on_raise, .want_pump = on_pump };

static unsigned char *at(const struct world *w, uint64_t gpa)
{
	return w->vm->ram + (gpa - RAM_GPA);
}

static void area_as_at_boot(struct world *w)
{
	if (fbk_ghes_area_build(&w->layout, at(w, AREA_GPA), FBK_GHES_AREA_LEN))
		bail("cannot build the area");
}

static void world_open(struct world *w)
{
	struct fbk_policy policy;
	struct fbk_vm_config cfg = { .size = sizeof(cfg), .gmem = &w->gmem, .ghes = &w->layout, .policy = &policy, .ops = &ops,
				     .opaque = w };
	struct fbk_gmem_region region = { .gpa = { RAM_GPA }, .len = RAM_LEN };

	memset(w, 0, sizeof(*w));
	w->vm = vm_new(MEM_SMALL, has_sea, NULL);
	w->before = malloc(RAM_LEN);
	region.hva.addr = (uintptr_t)w->vm->ram;
	cfg.vm_fd = w->vm->fd;
	fbk_policy_default(&policy);
	policy.ack_wait_us = 2000;
	if (!w->before || fbk_gmem_add(&w->gmem, &region) || fbk_ghes_layout_init(&w->layout, (struct fbk_gpa){ AREA_GPA }) ||
	    fbk_vm_create(&cfg, &w->road) || fbk_vcpu_create(w->road, w->vm->cpu[0].fd, w->vm->cpu[0].run, 0, &w->vcpu))
		bail("cannot make the road");
	memset(at(w, LOST_GPA), 0x5a, MAX_LOST * 4096);
	area_as_at_boot(w);
}

static void world_close(struct world *w)
{
	fbk_vcpu_destroy(w->vcpu);
	fbk_vm_destroy(w->road);
	vm_free(w->vm);
	free(w->before);
}

/* --- what the guest writes, by its second vCPU ------------------------------------------------------------------------ */

static void fill(struct world *w, uint64_t gpa, uint64_t words, uint64_t value, uint64_t step, uint64_t times)
{
	vm_aim(w->vm, 1, 1, guest_fill, gpa);
	vm_set_x(w->vm, 1, 1, value);
	vm_set_x(w->vm, 1, 2, step);
	vm_set_x(w->vm, 1, 3, words);
	vm_set_x(w->vm, 1, 4, times);
	if (vm_run(w->vm, 1).kind != OUT_DONE)
		bail("the guest cannot write");
}

static void put(struct world *w, struct fbk_gpa gpa, uint64_t value)
{
	fill(w, gpa.addr, 1, value, 0, 1);
}

/* --- what the library writes ------------------------------------------------------------------------------------------ */

static bool may_write(const struct world *w, uint64_t gpa)
{
	if (w->racing && gpa >= AREA_GPA && gpa < AREA_GPA + AREA_USED)
		return true;
	for (unsigned int s = 0; s < FBK_GHES_NR_SOURCES; s++)
		if (gpa - w->layout.source[s].ack.addr < 8 || gpa - w->layout.source[s].block.addr < FBK_GHES_BLOCK_LEN)
			return true;
	return false;
}

static void look_for_strays(struct world *w)
{
	for (uint64_t page = 0; page < RAM_LEN; page += 4096) {
		if (!memcmp(w->before + page, w->vm->ram + page, 4096))
			continue;
		for (uint64_t i = page; i < page + 4096; i++) {
			if (w->before[i] == w->vm->ram[i] || may_write(w, RAM_GPA + i))
				continue;
			w->strays++;
			w->stray_gpa = RAM_GPA + i;
		}
	}
}

/* --- errors ------------------------------------------------------------------------------------------------------------ */

/* Of each four the second is of kernel mode, where there are exits of either, and the last on the page before it. */
static void lose(struct world *w)
{
	const bool real = has_sea && !w->racing;
	const struct base *b = real && w->nr_errors % 4 == 1 ? BASE_EL1H : BASE_EL0;
	struct fbk_verdict v = { 0 };
	uint64_t gpa, wait;

	if (w->nr_errors++ % 4 != 3)
		w->nr_lost++;
	gpa = LOST_GPA + (w->nr_lost - 1) * 4096 + 0x18;
	if (w->nr_lost > MAX_LOST)
		bail("too many pages are lost");
	memcpy(w->before, w->vm->ram, RAM_LEN);
	if (real) {
		arm_gpa(gpa & ~0xfffULL, 0, 0, 0, 0);
		begin(w->vm, b, 0x3c0, 0x30d00800, guest_load, gpa);
		if (vm_run(w->vm, 0).kind != OUT_SEA)
			bail("no SEA at 0x%llx", (unsigned long long)gpa);
		inject_disarm_all();
	} else {
		plant_sea(w->vm, gpa);
	}
	if (fbk_vcpu_sea(w->vcpu, &v) || v.action != FBK_VERDICT_REPLAY || run_to_vector(w->vm) != (int)b->vector ||
	    (real && vm_get_reg(w->vm, 0, SYS_FAR) != gpa) || fbk_vm_pump(w->road, &wait))
		w->strange++;
	look_for_strays(w);
}

/* --- the honest guest --------------------------------------------------------------------------------------------------- */

static uint64_t le(const unsigned char *p, unsigned int len)
{
	uint64_t v = 0;

	while (len--)
		v = v << 8 | p[len];
	return v;
}

/* [ACPI "Generic Error Status Block"], [UEFI "Memory Error Section"]. Return: was there a record? */
static bool read_record(struct world *w, unsigned int s, unsigned int *told)
{
	const unsigned char *block = at(w, w->layout.source[s].block.addr), *p = block + 20;
	uint64_t len = le(block + 12, 4);

	if (!le(block, 4))
		return false;
	for (; len <= 4096 - 20 && p + 72 + 80 <= block + 20 + len; p += 72 + le(p + 24, 4)) {
		uint64_t nr = (le(p + 72 + 16, 8) - LOST_GPA) / 4096;

		if (nr < MAX_LOST)
			told[nr]++;
		else
			w->strange++;
	}
	put(w, w->layout.source[s].block, 0);
	put(w, w->layout.source[s].ack, 1);
	return true;
}

/* Reads what there is until nothing is to come. Return: how many pages of those that are lost it was not told of. */
static unsigned int honest(struct world *w, bool once)
{
	unsigned int told[MAX_LOST] = { 0 }, missing = 0;
	uint64_t wait = 0;

	/* Whoever lied before it may have left anything there; a driver that starts reads that, and says that it is there. */
	for (unsigned int s = 0; s < FBK_GHES_NR_SOURCES; s++)
		if (!read_record(w, s, told))
			put(w, w->layout.source[s].ack, 1);
	for (unsigned int i = 0; i < 1000 && wait != UINT64_MAX; i++) {
		struct timespec ts = { .tv_nsec = 1000000 };

		if (fbk_vm_pump(w->road, &wait))
			bail("the pump fails");
		for (unsigned int s = 0; s < FBK_GHES_NR_SOURCES; s++)
			if (read_record(w, s, told))
				wait = 0;
		if (wait && wait != UINT64_MAX)
			nanosleep(&ts, NULL);
	}
	for (unsigned int i = 0; i < w->nr_lost; i++)
		missing += once ? told[i] != 1 : !told[i];
	return missing;
}

static void judge(struct world *w, const char *name)
{
	unsigned int missing;
	char what[128];

	snprintf(what, sizeof(what), "lying guest, %s: blocks and acknowledgements are written, and nothing else", name);
	ok(!w->strays, what, "%u other bytes, the last at 0x%llx", w->strays, (unsigned long long)w->stray_gpa);
	snprintf(what, sizeof(what), "lying guest, %s: each abort is replayed, and arrives", name);
	ok(w->nr_errors && !w->strange, what, "%u of %u do not; the last: %s", w->strange, w->nr_errors,
	   w->ev.verdict.text ? w->ev.verdict.text : "-");
	area_as_at_boot(w);
	if (fbk_vm_reset(w->road))
		bail("the reset fails");
	w->strange = 0;
	missing = honest(w, true);
	snprintf(what, sizeof(what), "lying guest, %s: an honest one after it is told of each page, once", name);
	ok(w->nr_lost && !missing && !w->strange, what, "not of %u of %u pages; of %u others", missing, w->nr_lost, w->strange);
	printf("# %s: %u errors on %u pages\n", name, w->nr_errors, w->nr_lost);
}

/* --- cases -------------------------------------------------------------------------------------------------------------- */

static const struct {
	uint64_t value, step;
} scribbles[] = {
	{ 0, 0 },
	{ ~0ULL, 0 },
	{ ANY, ANY },
	{ RAM_GPA, 0 }, /* its own code */
	{ RAM_GPA + 0x11, 4096 }, /* pointers that move through all of RAM */
};
#define NR_SCRIBBLES (sizeof(scribbles) / sizeof(scribbles[0]))

static const struct lie {
	const char *name;
	bool says; /* else the acknowledgement is what was scribbled */
	uint64_t ack;
	bool blocks_spared; /* so that what was not acknowledged can still be read */
} lies[] = {
	{ "which never acknowledges", true, 0, true },
	{ "which never acknowledges, with other bits", true, ~1ULL, false },
	{ "which always acknowledges", true, 1, false },
	{ "which always acknowledges, with all bits", true, ~0ULL, false },
	{ "which acknowledges with what it scribbles", false, 0, false },
};

static void test_lie(const struct lie *lie)
{
	struct world w;
	char what[128];

	world_open(&w);
	for (unsigned int i = 0; i < 4 * NR_SCRIBBLES; i++) {
		uint64_t value = scribbles[i / 4].value + i * scribbles[i / 4].step, step = scribbles[i / 4].step;

		if (lie->blocks_spared) {
			for (unsigned int s = 0; s < FBK_GHES_NR_SOURCES; s++)
				put(&w, w.layout.source[s].pointer, value);
			fill(&w, AREA_GPA + AREA_USED, (FBK_GHES_AREA_LEN - AREA_USED) / 8, value, step, 1);
		} else {
			fill(&w, AREA_GPA, FBK_GHES_AREA_LEN / 8, value, step, 1);
		}
		for (unsigned int s = 0; lie->says && s < FBK_GHES_NR_SOURCES; s++)
			put(&w, w.layout.source[s].ack, lie->ack);
		lose(&w);
	}
	if (lie->blocks_spared) {
		unsigned int missing = honest(&w, false);

		snprintf(what, sizeof(what), "lying guest, %s: it is told of each page when it begins to", lie->name);
		ok(!missing, what, "not of %u of %u pages", missing, w.nr_lost);
	}
	judge(&w, lie->name);
	world_close(&w);
}

static const struct race {
	const char *name;
	uint64_t from, words, value, step;
} races[] = {
	{ "which scribbles over its registers meanwhile", 0, 4, ANY, ANY },
	{ "which scribbles over all of it meanwhile", 0, AREA_USED / 8, ANY, ANY },
	{ "which acknowledges at once", 8, 1, 1, 0 },
	{ "which takes its acknowledgements back", 0, 4, 0, 0 },
};

struct racer {
	struct world w;
	const struct race *race;
	atomic_int stop, rounds;
};

static void *scribble(void *arg)
{
	struct racer *r = arg;

	while (!r->stop) {
		fill(&r->w, AREA_GPA + r->race->from, r->race->words, r->race->value + (uint64_t)r->rounds * r->race->step,
		     r->race->step, 2000 / r->race->words + 1);
		r->rounds++;
	}
	return NULL;
}

static void test_while(const struct race *race)
{
	struct racer r = { .race = race };
	pthread_t thread;

	world_open(&r.w);
	r.w.racing = true;
	if (pthread_create(&thread, NULL, scribble, &r))
		bail("no threads");
	while (!r.rounds)
		sched_yield();
	for (unsigned int i = 0; i < 32; i++)
		lose(&r.w);
	r.stop = 1;
	pthread_join(thread, NULL);
	r.w.racing = false;
	judge(&r.w, race->name);
	printf("# %d rounds of scribbling\n", r.rounds);
	world_close(&r.w);
}

/* Would it be noticed? One byte beside each thing that may be written. */
static void test_control(void)
{
	struct world w;
	unsigned int noticed = 0, edges = 0;

	world_open(&w);
	memcpy(w.before, w.vm->ram, RAM_LEN);
	for (unsigned int s = 0; s < FBK_GHES_NR_SOURCES; s++) {
		const uint64_t edge[] = { w.layout.source[s].ack.addr - 1, w.layout.source[s].ack.addr + 8 };

		for (unsigned int i = 0; i < 2; i++) {
			w.strays = 0;
			*at(&w, edge[i]) ^= 1;
			look_for_strays(&w);
			noticed += w.strays == 1 && w.stray_gpa == edge[i];
			*at(&w, edge[i]) ^= 1;
			edges++;
		}
	}
	w.strays = 0;
	*at(&w, w.layout.source[0].block.addr + 0x2000) ^= 1; /* behind both */
	look_for_strays(&w);
	ok(noticed == edges && w.strays == 1, "lying guest, control: a byte written elsewhere is noticed", "%u of %u are, then %u", noticed,
	   edges, w.strays);
	world_close(&w);
}

void test_liar(const char *module_path)
{
	if (has_sea)
		module_insert(module_path);
	test_control();
	for (unsigned int i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		test_lie(&lies[i]);
	for (unsigned int i = 0; i < sizeof(races) / sizeof(races[0]); i++)
		test_while(&races[i]);
	if (has_sea)
		ok(module_remove() == 0, "lying guest: the module unloads", "it does not");
}
