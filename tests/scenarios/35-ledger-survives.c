/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* The monitor is killed the moment the victim has its SIGBUS: its ledger knows the page, and the next run goes on with it. */
#include "harness.h"
#include "internal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FBK_SCENARIO("35-ledger-survives", "ledger", 12,
	     "guest: victim's siginfo; host: the monitor's death by SIGKILL, the file's bytes, a monitor that is refused");

#define LEDGER "/tmp/firebreak-scenario.ledger"

static int show(const char *command, char *text, size_t len)
{
	char *argv[] = { fbk_path_files("firebreak"), "ledger", (char *)(command ? command : "show"), LEDGER, NULL };

	return fbk_run(argv, text, len);
}

/* The file itself, not our reader: a record that says FBR1 and, 24 bytes on, the page's address. */
static bool has_record(uint64_t gpa)
{
	unsigned char rec[64];
	bool found = false;
	FILE *f = fopen(LEDGER, "re");

	if (!f)
		fbk_fail(__FILE__, __LINE__, "%s: %m", LEDGER);
	while (!found && fread(rec, sizeof(rec), 1, f) == 1)
		found = !memcmp(rec, "FBR1", 4) && !memcmp(rec + 24, &gpa, sizeof(gpa));
	fclose(f);
	return found;
}

static void expect_line(const char *text, uint64_t gpa, const char *state, unsigned int errors)
{
	char row[64];
	const char *line;
	unsigned int count;
	char word[16];

	snprintf(row, sizeof(row), "0x%llx ", (unsigned long long)gpa);
	line = strstr(text, row);
	if (!line || sscanf(line, "%*s %15s %u", word, &count) != 2 || (state && strcmp(word, state)) || count != errors)
		fbk_fail(__FILE__, __LINE__, "not in the ledger: %s%s, %u error(s): %s", row, state ? state : "", errors, text);
}

static void run(void)
{
	struct fbk_guest_spec spec = { .kernel = "newest", .cpus = 2, .ledger = LEDGER };
	struct fbk_guest *g;
	struct fbk_victim v;
	char text[2048];
	uint64_t first;
	int status;

	unlink(LEDGER);
	g = fbk_guest_boot(&spec);
	FBK_CHECK_EQ(show(NULL, text, sizeof(text)), 0);
	FBK_CHECK(strstr(text, " 0 pages "));
	fbk_victim_start(&v, g, "anon");
	first = v.gpa;
	fbk_inject(g, v.gpa, "");
	fbk_victim_go(&v);
	fbk_victim_told(&v);
	kill(fbk_guest_pid(g), SIGKILL);
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), 128 + SIGKILL);
	FBK_CHECK(has_record(first));
	FBK_CHECK_EQ(show(NULL, text, sizeof(text)), 0);
	expect_line(text, first, NULL, 1);

	/* Fresh memory: what was is history, the next boot has all of its memory, and new errors come on top. */
	g = fbk_guest_boot(&spec);
	FBK_CHECK_EQ(show(NULL, text, sizeof(text)), 0);
	expect_line(text, first, "healed", 1);
	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "");
	fbk_victim_loses(&v);
	/* Read beside its owner; a second owner is refused. */
	FBK_CHECK_EQ(show("export", text, sizeof(text)), 0);
	FBK_CHECK(strstr(text, "\"pages\":["));
	status = show("repair", text, sizeof(text));
	if (status != 66)
		fbk_fail(__FILE__, __LINE__, "a second owner was let in: status %d: %s", status, text);
	fbk_guest_poweroff(g);
	FBK_CHECK_EQ(show(NULL, text, sizeof(text)), 0);
	if (v.gpa != first)
		expect_line(text, first, "healed", 1);
	/* Whether the acknowledgement was seen before the end is a matter of luck. */
	expect_line(text, v.gpa, NULL, v.gpa == first ? 2 : 1);
	unlink(LEDGER);
}
