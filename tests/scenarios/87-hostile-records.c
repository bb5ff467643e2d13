/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A guest that overwrites its error records, and acknowledges what it pleases, while its memory breaks in three ways and it goes
 * on touching it: it harms itself alone, and the policy has the last word.
 */
#include "hostile.h"
#include "internal.h"

#include <stdio.h>
#include <string.h>

FBK_SCENARIO("87-hostile-records", "hostile", 15, FBK_HOSTILE_ORACLE);

#define VICTIMS_GPA 0x43000000ull /* as tests/hostile/hostile.h has it */
#define NR_VICTIMS 16

static unsigned int events(struct fbk_guest *g)
{
	FILE *f = fopen(fbk_guest_events(g), "re");
	unsigned int nr = 0;
	char line[4096];

	while (f && fgets(line, sizeof(line), f))
		nr++;
	if (f)
		fclose(f);
	return nr;
}

struct more {
	struct fbk_guest *guest;
	unsigned int than;
};

static bool has_more(void *arg)
{
	struct more *m = arg;

	return events(m->guest) > m->than || !fbk_guest_alive(m->guest);
}

static void lies(unsigned int seed, unsigned int cpus)
{
	struct fbk_hostile h;
	struct more more;
	char orders[64], at[32];
	const char *line;

	snprintf(orders, sizeof(orders), "mode=ghes seed=%u", seed);
	fbk_hostile_boot(&h, orders, cpus, NULL, NULL);
	for (unsigned int i = 0; i < NR_VICTIMS; i++) {
		uint64_t gpa = VICTIMS_GPA + i * FBK_PAGE;

		more = (struct more){ h.guest, events(h.guest) };
		snprintf(at, sizeof(at), "%#llx", (unsigned long long)gpa);
		if (i % 3 == 0)
			fbk_inject(h.guest, gpa, "--hits 2");
		else if (i % 3 == 1)
			FBK_CHECK_EQ(fbk_hostile_ctl("simulate", at, NULL), 0);
		else
			FBK_CHECK_EQ(fbk_hostile_ctl("simulate", "--tell", at), 0);
		fbk_wait_until(60, "the error has become an event", has_more, &more);
	}
	FBK_CHECK(fbk_guest_alive(h.guest));
	fbk_guest_send(h.guest, "q");
	line = fbk_hostile_done(&h);
	FBK_CHECK(fbk_field(line, "sea") + fbk_field(line, "serror") >= NR_VICTIMS / 2);
}

static void run(void)
{
	fbk_witness_start();
	lies(1, 1);
	lies(2, 3);
	fbk_witness_end();
}
