/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Real work: a Debian guest with systemd, a Redis server that loses memory, an nginx beside it, and clients that want
 * answers from both. What is told and judged comes from these clients, the guest's journal and the database of
 * its rasdaemon; what the monitor has recorded is shown at the end, when all has been judged.
 *
 * usage: debian [--files DIR] [--out DIR] [--packages N] [--colour] [--tap]
 *
 * The guest's root file system is the first disk of this machine.
 *
 * Exit status: 0 every promise held, 1 one did not, 2 usage.
 */
#include "clients.h"
#include "tell.h"
#include "timeline.h"

#include "harness.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define REDIS 16379
#define HTTP 18080
#define SHELL 12000
#define AIM "/run/firebreak/aim"
/* An emulated machine is slow, and slower beside others: deadlines are for what will never come. */
#define EVENT_S 600

#define NR_EACH 2 /* errors of each kind */
/* A value of some pages: a text that tells whose it is, over and over. */
#define VALUE_LEN 16384
#define TEXT "<customer:%u ok!>"
#define TEXT_LEN 16

static const struct fbk_guest_spec spec = {
	.kernel = "6.12", /* that of the same Debian */
	.cpus = 2,
	.memory_mib = 512,
	.root = "/dev/vda",
	/* Limits that make sense on a machine of normal speed. */
	.append = "systemd.getty_auto=no systemd.service_watchdogs=no systemd.default_timeout_start_sec=900",
	.net = "user,forward=tcp::16379:6379,forward=tcp::18080:80,forward=tcp::12000:2000",
};

static struct fbk_guest *guest;
static struct fbk_load *commits, *pages;
static const char *packages = "";
static uint64_t hit[3 * NR_EACH]; /* the guest pages that were lost */
static unsigned int nr_hit, nr_dirty;
static char boot_id[64], nginx_pid[16];

/* --- What was promised -------------------------------------------------------------------------------------- */

enum { DIES_ONCE, NOTHING_LOST, ALL_ANSWERED, ALL_RECORDED, RUNS_ON, NR_PROMISES };

static struct promise {
	const char *text;
	bool held;
	char witness[160];
} promises[NR_PROMISES] = {
	[DIES_ONCE] = { "redis dies at most once for each dirty page, and its unit starts it again", false, "not judged" },
	[NOTHING_LOST] = { "no committed transaction is lost", false, "not judged" },
	[ALL_ANSWERED] = { "nginx answers every request", false, "not judged" },
	[ALL_RECORDED] = { "rasdaemon has recorded each error with its physical address", false, "not judged" },
	[RUNS_ON] = { "the guest runs on", false, "not judged" },
};

static void judge(unsigned int i, bool held, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void judge(unsigned int i, bool held, const char *fmt, ...)
{
	va_list ap;

	promises[i].held = held;
	va_start(ap, fmt);
	vsnprintf(promises[i].witness, sizeof(promises[i].witness), fmt, ap);
	va_end(ap);
}

/* --- Waiting, and asking ------------------------------------------------------------------------------------ */

static pid_t ticker;

/* Shows that there is life, every so many seconds, until ticker_end(). */
static void ticker_start(const char *what, unsigned int every_s)
{
	fflush(NULL);
	ticker = fork();
	if (ticker)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int s = every_s;; s += every_s) {
		poll(NULL, 0, (int)every_s * 1000);
		fbk_tell("", "... %s, %u s", what, s);
	}
}

static void ticker_end(void)
{
	if (ticker <= 0)
		return;
	kill(ticker, SIGKILL);
	waitpid(ticker, NULL, 0);
	ticker = 0;
}

#define ask(...) fbk_operator(SHELL, EVENT_S, __VA_ARGS__)

static unsigned int ask_number(const char *command)
{
	return (unsigned int)strtoul(ask("%s", command), NULL, 10);
}

static const char *redis_pid(void)
{
	return ask("systemctl show -P MainPID redis-server");
}

static unsigned int redis_restarts(void)
{
	return ask_number("systemctl show -P NRestarts redis-server");
}

struct more {
	struct fbk_load *load;
	unsigned int than;
};

static bool is_more(void *arg)
{
	const struct more *more = arg;

	return more->load->done > more->than;
}

/* Both loads get ahead, from here on. */
static void work_goes_on(void)
{
	struct more transactions = { commits, commits->done + 3 }, requests = { pages, pages->done + 3 };

	fbk_wait_until(EVENT_S, "more transactions are committed", is_more, &transactions);
	fbk_wait_until(EVENT_S, "more requests are answered", is_more, &requests);
}

/* The guest looks again and again by itself: each question from outside is a unit more that it has to start. */
static bool is_poisoned(void *arg)
{
	return strstr(ask("for n in 1 2 3 4 5 6 7 8 9; do " AIM " page %#llx | grep poisoned && break; sleep 1; done",
			  (unsigned long long)*(uint64_t *)arg), " poisoned");
}

static const char *last_death(void)
{
	return ask("journalctl -b -u redis-server -o cat | grep 'Main process exited' | tail -n 1");
}

static const char *memory_failure(uint64_t gpa)
{
	return ask("journalctl -b -k -o cat | grep 'Memory failure: %#llx: recovery' | tail -n 1", (unsigned long long)gpa / 4096);
}

/* --- The acts ----------------------------------------------------------------------------------------------- */

static const char *key_of(unsigned int i)
{
	static char key[16];

	snprintf(key, sizeof(key), "customer:%u", i + 1);
	return key;
}

static void begin(void)
{
	char text[TEXT_LEN + 1];
	struct more some;

	if (access(spec.root, F_OK) && system("modprobe virtio_blk"))
		fbk_fail(__FILE__, __LINE__, "this machine has no driver for its disk");
	fbk_tell("host", "boots a Debian guest from its disk: 2 vCPUs, 512 MiB%s%s%s", *packages ? ", " : "", packages,
		 *packages ? " packages" : "");
	ticker_start("it boots", 15);
	guest = fbk_guest_get(&spec);
	fbk_tell("guest", "%s", ask(". /etc/os-release; echo \"$PRETTY_NAME, Linux $(uname -r), systemd is"
				    " $(systemctl is-system-running --wait)\""));
	ticker_end();
	if (strcmp(ask("echo $(systemctl is-active redis-server nginx rasdaemon)"), "active active active"))
		fbk_fail(__FILE__, __LINE__, "not all servers are active: %s",
			 ask("echo $(systemctl is-active redis-server nginx rasdaemon); systemctl --failed --no-legend"));
	fbk_tell("guest", "redis-server, nginx and rasdaemon are active");
	snprintf(boot_id, sizeof(boot_id), "%s", ask("cat /proc/sys/kernel/random/boot_id"));
	snprintf(nginx_pid, sizeof(nginx_pid), "%s", ask("systemctl show -P MainPID nginx"));
	for (unsigned int i = 0; i < NR_EACH; i++) {
		snprintf(text, sizeof(text), TEXT, i + 1);
		FBK_CHECK_EQ(fbk_redis_fill(REDIS, key_of(i), text, VALUE_LEN), 0);
	}
	commits = fbk_load_transactions(REDIS);
	pages = fbk_load_requests(HTTP);
	some = (struct more){ commits, 9 };
	fbk_wait_until(EVENT_S, "ten transactions are committed", is_more, &some);
	some = (struct more){ pages, 9 };
	fbk_wait_until(EVENT_S, "ten requests are answered", is_more, &some);
	fbk_tell("clients", "one commits transactions in redis, another asks nginx for its page, without end");
}

static bool is_restarted(void *arg)
{
	return strstr(ask("for n in 1 2 3 4 5 6 7 8 9; do "
			  "[ \"$(echo $(systemctl show -P NRestarts redis-server) $(systemctl is-active redis-server))\" = '%u active' ] && "
			  "echo yes && break; sleep 2; done",
			  *(unsigned int *)arg), "yes");
}

static bool is_there(void *arg)
{
	unsigned int i = *(unsigned int *)arg;
	char got[VALUE_LEN + 64], text[TEXT_LEN + 1];
	bool all;

	snprintf(text, sizeof(text), TEXT, i + 1);
	all = !fbk_redis_get(REDIS, key_of(i), got, sizeof(got)) && strlen(got) == VALUE_LEN;
	for (size_t at = 0; all && at < VALUE_LEN; at += TEXT_LEN)
		all = !memcmp(got + at, text, TEXT_LEN);
	return all;
}

static void heap(void)
{
	char got[VALUE_LEN + 64];

	guest = fbk_guest_get(&spec);
	for (unsigned int i = 0; i < NR_EACH; i++) {
		const char *key = key_of(i);
		unsigned int restarts = redis_restarts() + 1;
		const char *pid = redis_pid(), *aim;
		uint64_t gpa;

		aim = ask(AIM " data %s '" TEXT "'", pid, i + 1);
		gpa = fbk_field(aim, "gpa");
		fbk_tell("guest", "redis-server, process %s, has the value of %s at %#llx, in guest page %#llx", pid, key,
			 (unsigned long long)fbk_field(aim, "va"), (unsigned long long)gpa);
		fbk_inject(guest, gpa, "");
		hit[nr_hit++] = gpa;
		nr_dirty++;
		fbk_tell("hardware", "that page goes bad; a client asks for %s", key);
		FBK_CHECK_EQ(fbk_redis_get(REDIS, key, got, sizeof(got)), -EPIPE);
		ticker_start("the unit starts it again", 15);
		fbk_wait_until(EVENT_S, "redis-server has been started again", is_restarted, &restarts);
		ticker_end();
		fbk_tell("guest kernel", "%s", memory_failure(gpa));
		fbk_tell("journal", "%s", last_death());
		FBK_CHECK(is_poisoned(&gpa));
		fbk_wait_until(EVENT_S, "the value is there again", is_there, &i);
		fbk_tell("client", "redis-server, now process %s, gives the value of %s, whole", redis_pid(), key);
		work_goes_on();
	}
}

static void code(void)
{
	guest = fbk_guest_get(&spec);
	for (unsigned int i = 0; i < NR_EACH; i++) {
		unsigned int restarts = redis_restarts();
		char pid[16];
		const char *aim;
		uint64_t gpa;

		snprintf(pid, sizeof(pid), "%s", redis_pid());
		aim = ask("for n in 1 2 3 4 5 6 7 8 9; do " AIM " code %s && break; done", pid);
		gpa = fbk_field(aim, "gpa");
		fbk_tell("guest", "redis-server, process %s, waits for requests in its code at %#llx, in guest page %#llx", pid,
			 (unsigned long long)fbk_field(aim, "va"), (unsigned long long)gpa);
		fbk_inject(guest, gpa, "");
		hit[nr_hit++] = gpa;
		fbk_tell("hardware", "that page goes bad; the next request comes");
		fbk_wait_until(EVENT_S, "the guest's kernel has marked the page as poisoned", is_poisoned, &gpa);
		work_goes_on();
		fbk_tell("guest kernel", "%s", memory_failure(gpa));
		if (strcmp(pid, redis_pid()) || redis_restarts() != restarts)
			fbk_fail(__FILE__, __LINE__, "redis-server is another process than before: %s", last_death());
		fbk_tell("guest", "it is still process %s: the page was read from the disk again", pid);
	}
}

static void unused(void)
{
	guest = fbk_guest_get(&spec);
	for (unsigned int i = 0; i < NR_EACH; i++) {
		uint64_t gpa = fbk_field(ask("for n in 1 2 3 4 5 6 7 8 9; do " AIM " free && break; done"), "gpa");

		fbk_tell("guest kernel", "page %#llx is free", (unsigned long long)gpa);
		fbk_host_poison(guest, gpa);
		hit[nr_hit++] = gpa;
		fbk_tell("host", "finds that the memory under it is bad");
		fbk_wait_until(EVENT_S, "the guest's kernel has marked the page as poisoned", is_poisoned, &gpa);
		fbk_tell("guest kernel", "%s", memory_failure(gpa));
		work_goes_on();
	}
}

/* --- The reckoning ------------------------------------------------------------------------------------------ */

static void judge_redis(void)
{
	unsigned int deaths = ask_number("journalctl -b -u redis-server -o cat | grep -c 'Main process exited'");
	unsigned int by_sigbus = ask_number("journalctl -b -u redis-server -o cat | grep -c 'Main process exited.*status=7/BUS'");
	unsigned int restarts = redis_restarts();
	const char *state = ask("systemctl is-active redis-server");

	judge(DIES_ONCE, deaths <= nr_dirty && by_sigbus == deaths && restarts == deaths && !strcmp(state, "active"),
	      "journal: died %u times for %u dirty pages, by SIGBUS %u times; its unit: restarted %u times, %s", deaths, nr_dirty,
	      by_sigbus, restarts, state);
}

static void judge_transactions(void)
{
	char first[256];
	unsigned int committed = commits->done, kept;

	ticker_start("a client looks for every transaction", 15);
	kept = fbk_transactions_kept(REDIS, committed, first, sizeof(first));
	ticker_end();
	judge(NOTHING_LOST, committed && kept == committed && !commits->wrong, "client: %u of %u transactions are there%s%s", kept,
	      committed, commits->wrong || first[0] ? "; " : "", commits->wrong ? commits->first : first);
}

static void judge_nginx(void)
{
	unsigned int logged = ask_number("grep -c '\"GET / HTTP/1.0\" 200 ' /var/log/nginx/access.log");
	bool same = !strcmp(nginx_pid, ask("systemctl show -P MainPID nginx"));

	judge(ALL_ANSWERED, pages->done && !pages->wrong && logged == pages->done && same,
	      "client: %u of %u answered with the whole page%s%s; nginx's log: %u; %s process since the start", pages->done,
	      pages->done + pages->wrong, pages->wrong ? ", " : "", pages->first, logged, same ? "the same" : "ANOTHER");
}

static void judge_rasdaemon(void)
{
	/* A record is written after the page has been taken out of use. */
	const char *rows = ask("for n in 1 2 3 4 5 6; do "
			       "[ $(sqlite3 /var/lib/rasdaemon/ras-mc_event.db 'select count(*) from memory_failure_event') -ge %u ] && break; "
			       "sleep 5; done; "
			       "sqlite3 /var/lib/rasdaemon/ras-mc_event.db 'select pfn, page_type, action_result from memory_failure_event'",
			       nr_hit);
	unsigned int found = 0;
	char missing[64] = "", pfn[32];

	for (unsigned int i = 0; i < nr_hit; i++) {
		snprintf(pfn, sizeof(pfn), "%#llx|", (unsigned long long)hit[i] / 4096);
		if (strstr(rows, pfn))
			found++;
		else
			snprintf(missing, sizeof(missing), "; %#llx is missing", (unsigned long long)hit[i]);
	}
	judge(ALL_RECORDED, nr_hit && found == nr_hit, "its database: %u of %u pages%s", found, nr_hit, missing);
	for (char *save, *row = strtok_r((char *)rows, "\n", &save); row; row = strtok_r(NULL, "\n", &save))
		fbk_tell("rasdaemon", "%s", row);
}

static void judge_guest(void)
{
	bool same = !strcmp(boot_id, ask("cat /proc/sys/kernel/random/boot_id"));
	unsigned int kb = ask_number("sed -n 's/^HardwareCorrupted: *//p' /proc/meminfo");
	unsigned int deaths = ask_number("journalctl -b -o cat | grep -c 'Main process exited'");
	unsigned int redis = ask_number("journalctl -b -u redis-server -o cat | grep -c 'Main process exited'");
	const char *state = ask("systemctl is-system-running");
	const char *up = ask("cut -d . -f 1 /proc/uptime");

	judge(RUNS_ON, same && kb == 4 * nr_hit && deaths == redis && !strcmp(state, "running"),
	      "%s boot, up for %s s, systemd: %s; HardwareCorrupted %u kB for %u pages; no other unit's process died%s",
	      same ? "the same" : "ANOTHER", up, state, kb, nr_hit, deaths == redis ? "" : ": NOT SO");
}

static void reckon(void)
{
	bool ended = fbk_load_stop(commits) & fbk_load_stop(pages);

	FBK_CHECK(ended);
	fbk_tell("clients", "%u transactions committed, the connection broke %u times; %u requests answered, %u not", commits->done,
		 commits->broken, pages->done, pages->wrong);
	judge_redis();
	judge_transactions();
	judge_nginx();
	judge_rasdaemon();
	judge_guest();
}

static const struct {
	const char *title;
	void (*play)(void);
} acts[] = {
	{ "A Debian guest at work", begin },
	{ "Pages of redis's heap", heap },
	{ "Pages of redis's code", code },
	{ "Pages that nobody uses", unused },
	{ "The reckoning", reckon },
};

#define NR_ACTS (sizeof(acts) / sizeof(acts[0]))

static bool play(unsigned int i)
{
	struct fbk_scenario s = { .name = acts[i].title, .run = acts[i].play };
	enum fbk_outcome outcome;
	const char *why;
	unsigned int ms;

	printf("%s\n%s%s%u. %s%s\n", fbk_margin(), fbk_margin(), fbk_bold(), i + 1, acts[i].title, fbk_plain());
	fflush(stdout);
	outcome = fbk_harness_run(&s, &why, &ms);
	ticker_end();
	if (outcome == FBK_PASSED)
		printf("%s  (%u.%u s)\n", fbk_margin(), ms / 1000, ms % 1000 / 100);
	else
		printf("%s  %sit did not go so%s: %s\n", fbk_margin(), fbk_red(), fbk_plain(), why);
	fflush(stdout);
	return outcome == FBK_PASSED;
}

static void verdicts(void)
{
	printf("\n%sThe promises%s\n", fbk_bold(), fbk_plain());
	for (unsigned int i = 0; i < NR_PROMISES; i++)
		printf("  %s%-8s%s  %s\n            %s\n", promises[i].held ? fbk_green() : fbk_red(),
		       promises[i].held ? "held" : "NOT HELD", fbk_plain(), promises[i].text, promises[i].witness);
	printf("\n%sThe errors%s, as the monitor has recorded them\n", fbk_bold(), fbk_plain());
}

static void results(unsigned int played)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < NR_ACTS; i++)
		printf("%sok %u - debian: %s\n", i < played ? "" : "not ", ++nr, acts[i].title);
	for (unsigned int i = 0; i < NR_PROMISES; i++)
		printf("# %s\n%sok %u - debian: %s\n", promises[i].witness, promises[i].held ? "" : "not ", ++nr, promises[i].text);
	printf("1..%u\n", nr);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "files", required_argument, NULL, 'f' },    { "out", required_argument, NULL, 'o' },
		{ "packages", required_argument, NULL, 'p' }, { "colour", no_argument, NULL, 'c' },
		{ "tap", no_argument, NULL, 't' },	      { 0 },
	};
	struct fbk_harness_config config = { .files = ".", .out = "/tmp/out", .note = fbk_tell_note };
	unsigned int played = 0;
	struct utsname uts;
	bool held = true;
	const char *why;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'f')
			config.files = optarg;
		else if (c == 'o')
			config.out = optarg;
		else if (c == 'p')
			packages = optarg;
		else if (c == 'c')
			fbk_tell_style.colour = true;
		else if (c == 't')
			fbk_tell_style.comment = true;
		else
			return 2;
	}
	uname(&uts);
	printf("%sThis is an arm64 KVM host, Linux %s, %u processors.\n", fbk_margin(), uts.release, fbk_host_cpus());
	fbk_harness_init(&config);
	while (played < NR_ACTS && play(played))
		played++;
	if (played == NR_ACTS) {
		ticker_start("the guest powers itself off", 15);
		if (fbk_harness_finish(&why) != FBK_PASSED)
			judge(RUNS_ON, false, "the guest did not end in order: %s", why);
		ticker_end();
	}
	for (unsigned int i = 0; i < NR_PROMISES; i++)
		held = held && promises[i].held;
	if (fbk_tell_style.comment) {
		results(played);
		return held ? 0 : 1;
	}
	verdicts();
	fbk_timeline(config.out);
	printf("\n%s\n", held ? "Every promise held." : "NOT every promise held.");
	return held ? 0 : 1;
}
