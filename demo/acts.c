/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The demo's four acts, on an arm64 KVM host. Each is a scenario with narration: what is told comes from the guest's
 * kernel, the guest's programs and the host, never from the monitor's own log. That one is shown at the end, as a
 * timeline, when all has been judged.
 *
 * usage: acts [--files DIR] [--out DIR] [--act N] [--colour]
 *
 * Exit status: 0 every promise held, 1 one did not, 2 usage.
 */
#include "tell.h"
#include "timeline.h"

#include "harness.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define NR_ACTS 4

/* What the table says of an act. */
static struct row {
	enum fbk_outcome outcome;
	bool played;
	char lost[48];	   /* what the error cost */
	char witness[120]; /* who says so */
} rows[NR_ACTS];

static struct row *row; /* of the act that plays */

static struct fbk_guest *boot(const struct fbk_guest_spec *spec)
{
	static pid_t last;
	struct fbk_guest *g;

	if (!last || !fbk_guest_there(spec))
		fbk_tell("host", "boots a Linux guest: %u vCPUs, 256 MiB, forwarding of errors %s", spec->cpus,
		     spec->sea_off ? "off" : "on");
	g = fbk_guest_get(spec);
	if (fbk_guest_pid(g) == last)
		fbk_tell("host", "the same guest goes on");
	last = fbk_guest_pid(g);
	return g;
}

static const struct fbk_guest_spec contained = { .kernel = "newest", .cpus = 2 };

static void yesterday(void)
{
	struct fbk_guest_spec spec = contained;
	struct fbk_guest *g;
	struct fbk_victim v;
	int status;

	spec.sea_off = true;
	g = boot(&spec);
	fbk_victim_start(&v, g, "anon");
	fbk_tell("guest", "process %d has data at %#llx, in guest page %#llx", v.pid, (unsigned long long)v.va,
	     (unsigned long long)v.gpa);
	fbk_inject(g, v.gpa, "");
	fbk_tell("hardware", "that page goes bad; the process reads it");
	fbk_victim_go(&v);
	fbk_tell("guest kernel", "%s", fbk_words(fbk_guest_expect(g, 60, "Kernel panic - not syncing: Asynchronous SError")));
	status = fbk_guest_wait(g, 60);
	fbk_tell("host", "the monitor has ended with status %d: the guest kernel panicked", status);
	FBK_CHECK_EQ(status, 10);
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: SIGBUS", v.pid));
	snprintf(row->lost, sizeof(row->lost), "the whole guest");
	snprintf(row->witness, sizeof(row->witness), "guest kernel: panic (SError)");
}

static void contain(void)
{
	struct fbk_guest *g = boot(&contained);
	long before = fbk_guest_meminfo(g, "HardwareCorrupted"), after, beats;
	int bystander = fbk_bystander_start(g), status = 0;
	struct fbk_victim v;

	fbk_victim_start(&v, g, "anon");
	fbk_tell("guest", "process %d has data at %#llx, in guest page %#llx; process %d computes beside it", v.pid,
	     (unsigned long long)v.va, (unsigned long long)v.gpa, bystander);
	fbk_inject(g, v.gpa, "");
	fbk_tell("hardware", "that page goes bad; the process reads it");
	fbk_victim_go(&v);
	fbk_victim_told(&v);
	fbk_tell("guest", "%s", fbk_words(fbk_guest_expect(g, 1, "victim[%d]: SIGBUS", v.pid)));
	FBK_CHECK_EQ(fbk_victim_wait(&v, &status), SIGBUS);
	FBK_CHECK_EQ(fbk_guest_count(g, "init[1]: exit pid="), 1);
	fbk_tell("guest", "process %d has died of SIGBUS, and nobody else", v.pid);
	fbk_tell("guest kernel", "%s", fbk_words(fbk_guest_expect(g, 60, "recovery action for")));
	FBK_CHECK(fbk_guest_isolated(g, v.gpa));
	after = fbk_guest_meminfo(g, "HardwareCorrupted");
	FBK_CHECK_EQ(after, before + 4);
	fbk_tell("guest kernel", "page %#llx is isolated, HardwareCorrupted %ld -> %ld kB", (unsigned long long)v.gpa,
	     before, after);
	beats = fbk_bystander_end(g, bystander);
	fbk_tell("guest", "process %d has summed up its memory %ld times and never missed a beat", bystander, beats);
	snprintf(row->lost, sizeof(row->lost), "one process");
	snprintf(row->witness, sizeof(row->witness), "BUS_MCEERR_AR at the right address; %ld sums right; %ld kB isolated", beats,
		 after - before);
}

static void nobody_dies(void)
{
	struct fbk_guest *g = boot(&contained);
	long before, after, kb = fbk_guest_meminfo(g, "HardwareCorrupted");
	struct fbk_victim v;
	const char *line;

	fbk_victim_start(&v, g, "clean 10");
	fbk_tell("guest", "process %d has a page of a file mapped at %#llx, in guest page %#llx", v.pid,
	     (unsigned long long)v.va, (unsigned long long)v.gpa);
	before = fbk_guest_reads(g);
	fbk_inject(g, v.gpa, "");
	fbk_tell("hardware", "that page goes bad; the process reads it");
	fbk_victim_go(&v);
	fbk_victim_lives(&v);
	after = fbk_guest_reads(g);
	line = fbk_guest_expect(g, 1, "victim[%d]: bytes", v.pid);
	fbk_tell("guest", "%s", fbk_words(line));
	FBK_CHECK_EQ(fbk_field(line, "before"), fbk_field(line, "after"));
	FBK_CHECK(!fbk_guest_said(g, "victim[%d]: SIGBUS", v.pid));
	fbk_tell("guest", "no signal came, the process has ended with status 0");
	FBK_CHECK_EQ(after, before + 1);
	fbk_tell("guest kernel", "reads of the disk %ld -> %ld: the page was simply read again", before, after);
	FBK_CHECK(fbk_guest_isolated(g, v.gpa));
	fbk_guest_expect_corrupted(g, kb + 4);
	snprintf(row->lost, sizeof(row->lost), "nothing");
	snprintf(row->witness, sizeof(row->witness), "no signal; same bytes; one disk read more");
}

static void before_anyone_looks(void)
{
	struct fbk_guest *g = boot(&contained);
	long kb = fbk_guest_meminfo(g, "HardwareCorrupted"), host = fbk_host_meminfo("HardwareCorrupted"), beats;
	int bystander = fbk_bystander_start(g);
	uint64_t gpa;

	fbk_guest_send(g, "free");
	gpa = fbk_field(fbk_guest_expect(g, 60, "init[1]: free"), "gpa");
	fbk_tell("guest kernel", "page %#llx is free", (unsigned long long)gpa);
	fbk_host_poison(g, gpa);
	FBK_CHECK_EQ(fbk_host_meminfo("HardwareCorrupted"), host + 4);
	fbk_tell("host", "finds that the memory under it is bad: its own HardwareCorrupted %ld -> %ld kB", host, host + 4);
	fbk_guest_expect_isolated(g, gpa);
	fbk_guest_expect_corrupted(g, kb + 4);
	fbk_tell("guest kernel", "page %#llx is out of use, HardwareCorrupted %ld -> %ld kB", (unsigned long long)gpa, kb,
	     kb + 4);
	beats = fbk_bystander_end(g, bystander);
	fbk_tell("guest", "nobody was touched; process %d has summed up its memory %ld times", bystander, beats);
	snprintf(row->lost, sizeof(row->lost), "nothing");
	snprintf(row->witness, sizeof(row->witness), "page isolated with nobody in it; %ld sums right", beats);
}

static const struct {
	const char *title;
	const char *promise;
	void (*play)(void);
} acts[NR_ACTS] = {
	{ "Yesterday", "one bad page costs the whole guest", yesterday },
	{ "Contained", "the same page costs one process", contain },
	{ "Nobody dies", "what can be read again is read again", nobody_dies },
	{ "Before anyone looks", "what nobody uses is taken out of use in time", before_anyone_looks },
};

static void play(unsigned int i)
{
	struct fbk_scenario s = { .name = acts[i].title, .run = acts[i].play };
	const char *why;
	unsigned int ms;

	printf("\n%sAct %u. %s%s: %s\n", fbk_bold(), i + 1, acts[i].title, fbk_plain(), acts[i].promise);
	fflush(stdout);
	row = &rows[i];
	row->played = true;
	row->outcome = fbk_harness_run(&s, &why, &ms);
	if (row->outcome == FBK_PASSED) {
		printf("  %s=> it is so%s (%u.%u s)\n", fbk_green(), fbk_plain(), ms / 1000, ms % 1000 / 100);
	} else {
		printf("  %s=> it is not so%s: %s\n", fbk_red(), fbk_plain(), why);
		snprintf(row->lost, sizeof(row->lost), "?");
		snprintf(row->witness, sizeof(row->witness), "%.110s", why);
	}
	fflush(stdout);
}

static void table(void)
{
	unsigned int i;

	printf("\n%sThe acts%s\n", fbk_bold(), fbk_plain());
	printf("  %-22s  %-16s  %-9s  %s\n", "act", "the error cost", "promise", "witness");
	for (i = 0; i < NR_ACTS; i++) {
		if (!rows[i].played)
			continue;
		printf("  %u %-20s  %-16s  %s%-9s%s  %s\n", i + 1, acts[i].title, rows[i].lost,
		       rows[i].outcome == FBK_PASSED ? fbk_green() : fbk_red(),
		       rows[i].outcome == FBK_PASSED ? "held" : "NOT HELD", fbk_plain(), rows[i].witness);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "files", required_argument, NULL, 'f' }, { "out", required_argument, NULL, 'o' },
		{ "act", required_argument, NULL, 'a' },   { "colour", no_argument, NULL, 'c' },
		{ 0 },
	};
	struct fbk_harness_config config = { .files = ".", .out = "/tmp/out", .note = fbk_tell_note };
	unsigned int only = 0, i;
	struct utsname uts;
	const char *why;
	bool held = true;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'f')
			config.files = optarg;
		else if (c == 'o')
			config.out = optarg;
		else if (c == 'c')
			fbk_tell_style.colour = true;
		else if (c == 'a' && (only = (unsigned int)atoi(optarg)) >= 1 && only <= NR_ACTS)
			continue;
		else
			return 2;
	}
	uname(&uts);
	printf("This is an arm64 KVM host, Linux %s, %u processors.\n", uts.release, fbk_host_cpus());
	fbk_harness_init(&config);
	for (i = 0; i < NR_ACTS; i++)
		if (!only || only == i + 1)
			play(i);
	if (fbk_harness_finish(&why) != FBK_PASSED) {
		printf("  %sthe guests did not end in order%s: %s\n", fbk_red(), fbk_plain(), why);
		held = false;
	}
	for (i = 0; i < NR_ACTS; i++)
		held = held && (!rows[i].played || rows[i].outcome == FBK_PASSED);
	table();
	printf("\n%sThe errors%s, as the monitors have recorded them\n", fbk_bold(), fbk_plain());
	if (!fbk_timeline(config.out))
		printf("  none: a host that does not forward errors tells nobody of them\n");
	printf("\n%s\n", held ? "Every promise held." : "NOT every promise held.");
	return held ? 0 : 1;
}
