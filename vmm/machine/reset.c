/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * reset.c - the machine as at power-on: at the start, and again when the guest resets itself.
 */
#include "firmware.h"
#include "gic.h"
#include "monitor.h"
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* What the ledger knows, ascending. */
struct lost_pages {
	struct fbk_memory_lost *lost;
	unsigned int nr;
};

static int by_address(const void *a, const void *b)
{
	const struct fbk_memory_lost *x = a, *y = b;

	return x->page.addr < y->page.addr ? -1 : x->page.addr > y->page.addr;
}

static int collect(struct fbk_monitor *m, struct lost_pages *ret)
{
	const struct fbk_ledger *ledger = m->road ? fbk_vm_ledger(m->road) : NULL;
	struct fbk_ledger_entry e;
	uint32_t cursor = 0, nr = ledger ? fbk_ledger_pages(ledger) : 0;

	*ret = (struct lost_pages){ 0 };
	if (!nr)
		return 0;
	ret->lost = calloc(nr, sizeof(*ret->lost));
	if (!ret->lost)
		return -ENOMEM;
	while (ret->nr < nr && !fbk_ledger_next(ledger, &cursor, &e))
		ret->lost[ret->nr++] = (struct fbk_memory_lost){ e.gpa, e.state == FBK_PAGE_HEALED };
	qsort(ret->lost, ret->nr, sizeof(*ret->lost), by_address);
	return 0;
}

/* The granules that hold them: what the memory map can say. Return: how many stretches, at most @max. */
static unsigned int bad_stretches(const struct lost_pages *pages, struct fbk_bad *ret, unsigned int max)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < pages->nr; i++) {
		struct fbk_gpa granule = { pages->lost[i].page.addr & ~(FBK_RAM_GRANULE - 1) };
		uint64_t behind = nr ? ret[nr - 1].gpa.addr + ret[nr - 1].len : 0;

		if (pages->lost[i].healed || granule.addr < behind)
			continue;
		if (granule.addr == behind) {
			ret[nr - 1].len += FBK_RAM_GRANULE;
			continue;
		}
		if (nr == max) {
			fbk_say("more than %u bad places in guest memory: the guest is told of the lowest only", max);
			break;
		}
		ret[nr++] = (struct fbk_bad){ granule, FBK_RAM_GRANULE };
	}
	return nr;
}

/* Bytes at @gpa, without their trailing zeros: memory is zero already. */
static int write_blob(struct fbk_monitor *m, struct fbk_gpa gpa, const char *blob, size_t len)
{
	while (len && !blob[len - 1])
		len--;
	return len ? fbk_gmem_write(&m->gmem, gpa, blob, len, NULL) : 0;
}

static int build(struct fbk_monitor *m, char *blob, struct fbk_placement *at, const struct fbk_bad *bad, unsigned int nr_bad)
{
	struct fbk_firmware_config fw = {
		.ram_len = m->opt.memory.len,
		.nr_cpus = m->opt.nr_cpus,
		.nr_virtio = m->nr_virtio,
		.ghes = fbk_monitor_ghes(m),
		.bootargs = m->opt.append,
		.virtio_console = m->opt.virtio_console,
		.bad = bad,
		.nr_bad = nr_bad,
	};
	uint8_t seed[64];
	int r;

	r = fbk_image_place(&m->boot.image, m->boot.initrd.len, m->opt.memory.len, bad, nr_bad, at);
	if (r < 0) {
		fbk_say("%s does not fit into %llu MiB of guest memory: more --memory is needed",
			r == -E2BIG ? "the initrd, behind the kernel," : "the kernel",
			(unsigned long long)(m->opt.memory.len >> 20));
		return FBK_EXIT_INPUT;
	}
	fw.initrd = at->initrd;
	fw.initrd_len = m->boot.initrd.len;
	if (getrandom(&fw.kaslr_seed, sizeof(fw.kaslr_seed), 0) == sizeof(fw.kaslr_seed) &&
	    getrandom(seed, sizeof(seed), 0) == sizeof(seed)) {
		fw.rng_seed = seed;
		fw.rng_seed_len = sizeof(seed);
	}
	r = fbk_firmware_build(&fw, blob, FBK_TABLES_LEN, &m->boot.fdt);
	if (r < 0) {
		fbk_say("building the guest's tables: %s", strerror(-r));
		return FBK_EXIT_HOST;
	}
	r = write_blob(m, (struct fbk_gpa){ FBK_TABLES_GPA }, blob, r);
	if (!r && fw.ghes) {
		r = fbk_ghes_area_build(&m->ghes, blob, FBK_RECORDS_LEN);
		if (r >= 0)
			r = write_blob(m, (struct fbk_gpa){ FBK_RECORDS_GPA }, blob, FBK_RECORDS_LEN);
	}
	if (r < 0) {
		fbk_say("writing the guest's tables: %s%s", strerror(-r),
			r == -EHWPOISON ? ": they have no other place, so this guest cannot start again" : "");
		return r == -EHWPOISON ? FBK_EXIT_STOPPED : FBK_EXIT_HOST;
	}
	m->boot.entry = at->kernel;
	return 0;
}

static int load(struct fbk_monitor *m, const struct fbk_bad *bad, unsigned int nr_bad)
{
	struct fbk_placement at;
	char *blob;
	int r;

	blob = calloc(1, FBK_TABLES_LEN > FBK_RECORDS_LEN ? FBK_TABLES_LEN : FBK_RECORDS_LEN);
	if (!blob) {
		fbk_say("building the guest's tables: out of memory");
		return FBK_EXIT_HOST;
	}
	r = build(m, blob, &at, bad, nr_bad);
	free(blob);
	if (!r)
		r = fbk_boot_load(&m->boot, &m->gmem, &at);
	for (unsigned int i = 0; i < m->opt.nr_cpus && !r; i++)
		r = fbk_cpu_reset(&m->cpu[i]);
	return r;
}

int fbk_monitor_load(struct fbk_monitor *m)
{
	return load(m, NULL, 0);
}

/* Good memory for what was lost. What cannot be had stays in the ledger as bad, and out of the next boot's memory. */
static void heal(struct fbk_monitor *m)
{
	uint32_t kept = 0;
	int r;

	if (!m->retire)
		return;
	r = fbk_vm_heal(m->road, &kept);
	if (r < 0)
		fbk_say("--ledger %s: could not be written yet: %s", m->opt.ledger, strerror(-r));
	if (kept)
		fbk_say("%u bad page%s could not be replaced: the guest goes on without", kept, kept == 1 ? "" : "s");
}

int fbk_monitor_reset(struct fbk_monitor *m)
{
	struct fbk_bad bad[FBK_FIRMWARE_MAX_BAD];
	struct lost_pages pages;
	unsigned int nr_bad = 0;
	int r;

	fbk_console_reset(&m->console);
	for (unsigned int i = 0; i < m->nr_virtio; i++) {
		fbk_virtio_reset(&m->virtio[i]);
		/* Edges leave the line high; a guest that takes it for a level would see one. */
		(void)fbk_gic_irq(m->vm_fd, FBK_SPI_VIRTIO + i, 0);
	}
	atomic_store(&m->panicked, false);

	heal(m);
	r = collect(m, &pages);
	if (!r)
		r = fbk_gic_reset(m->gic_fd, m->opt.nr_cpus);
	if (!r)
		r = fbk_memory_clear(&m->memory, pages.lost, pages.nr);
	if (r < 0) {
		fbk_say("resetting the machine: %s", strerror(-r));
		r = FBK_EXIT_HOST;
	} else {
		nr_bad = bad_stretches(&pages, bad, FBK_FIRMWARE_MAX_BAD);
		r = load(m, bad, nr_bad);
	}
	free(pages.lost);
	if (r)
		return r;
	r = fbk_vm_reset(m->road);
	/* Its memory map has told it. */
	for (unsigned int i = 0; i < nr_bad && !r; i++)
		r = fbk_vm_left_out(m->road, bad[i].gpa, bad[i].len);
	if (r < 0) {
		fbk_say("resetting the error records: %s", strerror(-r));
		return FBK_EXIT_HOST;
	}
	return 0;
}
