/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * fuzz_arguments.c - a config file, and the options that its lines are: what is refused has a reason and a place, what is
 * accepted is in bounds.
 */
#include "fuzz.h"

#include "arguments.h"
#include "options.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char *argv[FBK_ARGUMENTS_MAX], *owned[FBK_ARGUMENTS_MAX];
	static struct fbk_argument_place place[FBK_ARGUMENTS_MAX];
	struct fbk_arguments a = { .argv = argv, .place = place, .owned = owned };
	struct fbk_run_options o;
	char why[320] = "", wrong[160] = "", *text = malloc(len ? len : 1);
	int at = -1, r;

	/* Exactly as long as the text: a step too far is seen. */
	memcpy(text, data, len);
	r = fbk_arguments_lines(&a, "file", text, len, why, sizeof(why));
	CHECK(a.argc <= FBK_ARGUMENTS_MAX && (unsigned int)a.argc == a.nr_owned);
	CHECK(!r == !*why && strlen(why) < sizeof(why));
	for (int i = 0; i < a.argc; i++)
		CHECK(!strncmp(argv[i], "--", 2) && strchr(argv[i], '=') && place[i].line && strncmp(argv[i], "--config=", 9));
	r = fbk_options_parse(a.argc, argv, &o, &at, wrong, sizeof(wrong));
	CHECK(!r == !*wrong && strlen(wrong) < sizeof(wrong));
	CHECK(at >= 0 ? at <= a.argc : !a.argc);
	if (!r && !o.help) {
		CHECK(o.kernel && o.nr_cpus >= 1 && o.nr_cpus <= FBK_MAX_CPUS);
		CHECK(o.memory.len >= FBK_RAM_MIN && o.memory.len <= FBK_RAM_MAX);
		CHECK(!o.memory.huge_len || (o.memory.len % o.memory.huge_len == 0 && o.memory.thp == FBK_THP_HOST));
		CHECK(o.nr_disks <= FBK_MAX_DISKS && o.nr_nets <= FBK_MAX_NETS);
		for (unsigned int i = 0; i < o.nr_nets; i++)
			CHECK(o.net[i].nr_forwards <= FBK_NET_FORWARDS);
	}
	for (unsigned int i = 0; i < a.nr_owned; i++)
		free(owned[i]);
	free(text);
	return 0;
}
