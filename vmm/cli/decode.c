/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * decode.c - `firebreak decode`: a syndrome, an exit, an error record or events in words. On any machine.
 */
#include "decode.h"
#include "command.h"
#include "options.h"
#include "report.h"

#include <stdio.h>
#include <string.h>

const char fbk_decode_help[] =
	"firebreak decode - a syndrome, an exit, an error record or events, in words\n"
	"\n"
	"  firebreak decode esr VALUE               ESR_EL1 or ESR_EL2, field by field\n"
	"  firebreak decode exit FLAGS ESR GVA GPA  what libfirebreak makes of a KVM_EXIT_ARM_SEA\n"
	"  firebreak decode cper FILE               an error status block or a CPER record, binary or as hexadecimal text;\n"
	"                                           - is standard input\n"
	"  firebreak decode event FILE              lines of events, as run --events writes them: a paragraph for each;\n"
	"                                           - is standard input\n"
	"\n"
	"  --json    one JSON object; a record's has the shape of OpenBMC's libcper. Not for events, which are JSON\n"
	"\n"
	"Numbers are decimal, or hexadecimal behind 0x.\n";

#define MAX_WORDS 4

static int usage(const char *why, const char *what)
{
	fbk_say("decode: %s%.80s; `firebreak decode --help` tells more", why, what);
	return FBK_EXIT_USAGE;
}

static int decode_esr(uint64_t esr, bool json)
{
	struct fbk_esr_words words;

	fbk_esr_explain(esr, &words);
	if (json) {
		putchar('{');
		fbk_esr_print_json(&words, esr);
		puts("}");
	} else {
		fbk_esr_print(&words, esr);
	}
	return words.external ? FBK_EXIT_OFF : FBK_EXIT_LACKING;
}

static int decode_numbers(const char *what, int argc, char **words, bool json)
{
	bool exit = !strcmp(what, "exit");
	int want = exit ? 4 : 1;
	uint64_t v[MAX_WORDS];

	if (argc != want)
		return usage(exit ? "exit wants FLAGS ESR GVA GPA" : "esr wants one VALUE", "");
	for (int i = 0; i < want; i++)
		if (fbk_number_parse(words[i], &v[i]))
			return usage("not a number below 2^64: ", words[i]);
	return exit ? fbk_decode_exit(v[0], v[1], v[2], v[3], json) : decode_esr(v[0], json);
}

int fbk_command_decode(int argc, char **argv)
{
	const char *what = argc ? argv[0] : "";
	char *words[MAX_WORDS];
	bool json = false;
	int nr = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return fbk_command_help("decode", NULL);
		if (!strcmp(argv[i], "--json"))
			json = true;
		else if (argv[i][0] == '-' && argv[i][1])
			return usage("no such option: ", argv[i]);
		else if (nr == MAX_WORDS)
			return usage("one too many: ", argv[i]);
		else
			words[nr++] = argv[i];
	}
	if (!strcmp(what, "esr") || !strcmp(what, "exit"))
		return decode_numbers(what, nr, words, json);
	if (!strcmp(what, "event")) {
		if (json)
			return usage("event: the lines are JSON already", "");
		return nr == 1 ? fbk_decode_event(words[0]) : usage("event wants one FILE", "");
	}
	if (strcmp(what, "cper"))
		return usage(*what ? "esr, exit, cper or event, not " : "esr, exit, cper or event", what);
	return nr == 1 ? fbk_decode_cper(words[0], json) : usage("cper wants one FILE", "");
}
