/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Runs scenarios on an arm64 KVM host and tells the results as TAP.
 *
 * usage: scenarios [--files DIR] [--out DIR] [--part I/N] [--only NAME]... [--list]
 *
 * Exit status: 0 all passed (or were skipped), 1 something failed, 2 usage.
 */
#include "harness.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SCENARIOS 128
#define MAX_PARTS 8

extern const struct fbk_scenario *const __start_fbk_scenarios[];
extern const struct fbk_scenario *const __stop_fbk_scenarios[];

static const struct fbk_scenario *all[MAX_SCENARIOS];
static size_t nr_all;

static void tap_note(const char *text)
{
	printf("# %s\n", text);
	fflush(stdout);
}

static int by_name(const void *a, const void *b)
{
	const struct fbk_scenario *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/*
 * Which part a group is in: the groups in the order of their cost, each to the part that has the least to do. Every
 * part comes to the same answer by itself.
 */
static unsigned int part_of(const char *group, unsigned int parts)
{
	struct {
		const char *name;
		unsigned int cost;
	} groups[MAX_SCENARIOS];
	unsigned int load[MAX_PARTS] = { 0 }, best;
	size_t nr = 0, i, j;

	for (i = 0; i < nr_all; i++) {
		for (j = 0; j < nr && strcmp(groups[j].name, all[i]->group); j++)
			;
		if (j == nr) {
			groups[nr].name = all[i]->group;
			groups[nr++].cost = 0;
		}
		groups[j].cost += all[i]->cost;
	}
	while (nr) {
		size_t most = 0;

		for (i = 1; i < nr; i++)
			if (groups[i].cost > groups[most].cost)
				most = i;
		best = 0;
		for (i = 1; i < parts; i++)
			if (load[i] < load[best])
				best = (unsigned int)i;
		if (!strcmp(groups[most].name, group))
			return best;
		load[best] += groups[most].cost;
		groups[most] = groups[--nr];
	}
	return 0;
}

/* "anonymous" and "01-anonymous" both name 01-anonymous. */
static bool is_called(const struct fbk_scenario *s, const char *name)
{
	const char *bare = strchr(s->name, '-');

	return !strcmp(s->name, name) || (bare && !strcmp(bare + 1, name));
}

/* Return: false: there is none of that name. */
static bool keep_only(const char *const only[], size_t nr_only)
{
	size_t nr = 0, i, j;

	for (i = 0; i < nr_only; i++) {
		for (j = 0; j < nr_all && !is_called(all[j], only[i]); j++)
			;
		if (j == nr_all) {
			fprintf(stderr, "scenarios: there is no scenario '%s'\n", only[i]);
			return false;
		}
	}
	for (i = 0; i < nr_all; i++) {
		for (j = 0; j < nr_only && !is_called(all[i], only[j]); j++)
			;
		if (j < nr_only)
			all[nr++] = all[i];
	}
	nr_all = nr;
	return true;
}

static void usage(FILE *f)
{
	fputs("usage: scenarios [--files DIR] [--out DIR] [--part I/N] [--only NAME]... [--list]\n", f);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "files", required_argument, NULL, 'f' }, { "out", required_argument, NULL, 'o' },
		{ "part", required_argument, NULL, 'p' },  { "only", required_argument, NULL, 'n' },
		{ "list", no_argument, NULL, 'l' },	   { "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct fbk_harness_config config = { .files = ".", .out = "/tmp/out", .note = tap_note };
	const struct fbk_scenario *todo[MAX_SCENARIOS];
	const struct fbk_scenario *const *entry;
	const char *only[MAX_SCENARIOS], *why;
	unsigned int part = 1, parts = 1, ms, failed = 0;
	size_t nr_only = 0, nr = 0, i;
	bool list = false;
	int c;

	for (entry = __start_fbk_scenarios; entry < __stop_fbk_scenarios && nr_all < MAX_SCENARIOS; entry++)
		all[nr_all++] = *entry;
	qsort(all, nr_all, sizeof(all[0]), by_name);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			config.files = optarg;
			break;
		case 'o':
			config.out = optarg;
			break;
		case 'p':
			if (sscanf(optarg, "%u/%u", &part, &parts) != 2 || !part || part > parts || parts > MAX_PARTS) {
				usage(stderr);
				return 2;
			}
			break;
		case 'n':
			if (nr_only < MAX_SCENARIOS)
				only[nr_only++] = optarg;
			break;
		case 'l':
			list = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (nr_only && !keep_only(only, nr_only))
		return 2;
	for (i = 0; i < nr_all; i++)
		if (part_of(all[i]->group, parts) == part - 1)
			todo[nr++] = all[i];
	if (list) {
		for (i = 0; i < nr; i++)
			printf("%s: %s\n", todo[i]->name, todo[i]->oracle);
		return 0;
	}

	/* For who must know what was still to come, should this lab end before its time. */
	printf("# to come:");
	for (i = 0; i < nr; i++)
		printf(" %s", todo[i]->name);
	printf("\n");
	/* The last one: the guests that scenarios shared must end in order, too. */
	printf("1..%zu\n", nr + 1);
	fbk_harness_init(&config);
	for (i = 0; i < nr; i++) {
		enum fbk_outcome outcome = fbk_harness_run(todo[i], &why, &ms);

		if (outcome == FBK_FAILED)
			printf("# %s: %s\n", todo[i]->name, why);
		printf("# %s: %u.%u s; witness: %s\n", todo[i]->name, ms / 1000, ms % 1000 / 100, todo[i]->oracle);
		printf("%sok %zu - %s%s%s\n", outcome == FBK_FAILED ? "not " : "", i + 1, todo[i]->name,
		       outcome == FBK_SKIPPED ? " # SKIP " : "", outcome == FBK_SKIPPED ? why : "");
		fflush(stdout);
		failed += outcome == FBK_FAILED;
	}
	if (fbk_harness_finish(&why) == FBK_FAILED) {
		printf("# %s\nnot ", why);
		failed++;
	}
	printf("ok %zu - shared guests end in order (part %u)\n", nr + 1, part);
	return failed ? 1 : 0;
}
