/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* Everything that the control API offers, by `firebreak ctl`, on a guest that runs. What it answers is judged afterwards. */
#include "harness.h"
#include "internal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FBK_SCENARIO("70-control", "control", 25,
	     "guest: does not answer while paused, nor does its clock run; victims' siginfo, /proc/kpageflags; boots anew; kernel hears the button; exit status 0");

#define API "/tmp/firebreak-scenario.api"
#define STILL_MS 3000

static char text[300000];

static int ctl(const char *verb, const char *a, const char *b, const char *c)
{
	return fbk_ctl(API, text, sizeof(text), verb, a, b, c, NULL);
}

/* Ask, and keep the answer for the judge of that kind of file. */
static void answers(struct fbk_guest *g, const char *verb, const char *kind)
{
	int fd = open(fbk_path_out("guest-%u-%s.%s", fbk_guest_id(g), verb, kind), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	FBK_CHECK_EQ(ctl(verb, NULL, NULL, NULL), 0);
	FBK_CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static bool has(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static bool has(const char *fmt, ...)
{
	char needle[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(needle, sizeof(needle), fmt, ap);
	va_end(ap);
	return strstr(text, needle);
}

static void refusals(struct fbk_guest *g)
{
	char *second[] = { fbk_path_files("firebreak"), "run", "--kernel", fbk_path_files("kernels/newest/Image"), "--api", API, NULL };
	struct stat st;

	FBK_CHECK(!stat(API, &st) && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0600);
	FBK_CHECK(!stat(API ".console", &st) && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0600);
	FBK_CHECK_EQ(fbk_run(second, text, sizeof(text)), 66);
	FBK_CHECK(has("another process listens there"));
	FBK_CHECK_EQ(ctl("simulate", "0x1000", NULL, NULL), 1);
	FBK_CHECK(has("no guest memory"));
	FBK_CHECK_EQ(ctl("simulate", "nonsense", NULL, NULL), 1);
	FBK_CHECK_EQ(ctl("simulate", "--cpu", "9", "0x1000"), 1);
	FBK_CHECK(has("there are 1"));
	FBK_CHECK(fbk_guest_alive(g));
}

static void pauses(struct fbk_guest *g)
{
	int pid = fbk_bystander_start(g);
	uint64_t until;
	const char *line;

	FBK_CHECK_EQ(ctl("pause", NULL, NULL, NULL), 0);
	FBK_CHECK(has("\"state\":\"paused\""));
	FBK_CHECK_EQ(ctl("pause", NULL, NULL, NULL), 0);
	fbk_guest_forget(g);
	fbk_guest_send(g, "echo paused");
	for (until = fbk_now_ms() + STILL_MS; fbk_now_ms() < until;)
		fbk_guests_pump(20);
	FBK_CHECK(!fbk_guest_said(g, "echo paused"));
	FBK_CHECK_EQ(ctl("status", NULL, NULL, NULL), 0);
	FBK_CHECK(has("\"state\":\"paused\",\"reason\":\"api\""));
	FBK_CHECK_EQ(ctl("resume", NULL, NULL, NULL), 0);
	FBK_CHECK(has("\"state\":\"running\""));
	fbk_guest_expect(g, 60, "echo paused");
	/* By its own clock it has missed nothing. */
	fbk_guest_send(g, "go %d", pid);
	line = fbk_guest_expect(g, 60, "bystander[%d]: account", pid);
	FBK_CHECK(fbk_field(line, "longest_ms") < STILL_MS);
	fbk_bystander_end(g, pid);
}

static void simulates(struct fbk_guest *g)
{
	long lost = fbk_guest_meminfo(g, "HardwareCorrupted");
	char at[32], va[32];
	struct fbk_victim v;
	const char *line;
	uint64_t until;
	int status = 0;

	fbk_victim_start(&v, g, "anon");
	snprintf(at, sizeof(at), "%#llx", (unsigned long long)v.gpa);
	FBK_CHECK_EQ(ctl("simulate", at, NULL, NULL), 0);
	FBK_CHECK(has("\"gpa\":\"%s\"", at));
	fbk_victim_loses(&v);
	FBK_CHECK_EQ(ctl("simulate", at, NULL, NULL), 1);
	FBK_CHECK(has("lost already"));

	/* By the address that the process knows, while it is that which runs. */
	fbk_victim_start(&v, g, "spin");
	fbk_victim_go(&v);
	fbk_guest_expect(g, 60, "victim[%d]: spinning", v.pid);
	snprintf(va, sizeof(va), "%#llx", (unsigned long long)v.va);
	until = fbk_now_ms() + 60000;
	while ((status = ctl("simulate", "--cpu", "0", va)) == 1 && has("nothing is mapped there") && fbk_now_ms() < until)
		;
	FBK_CHECK_EQ(status, 0);
	FBK_CHECK(has("\"gpa\":\"%#llx\"", (unsigned long long)v.gpa));
	fbk_victim_told(&v);
	FBK_CHECK_EQ(fbk_victim_wait(&v, &status), SIGBUS);
	fbk_guest_expect_isolated(g, v.gpa);

	/* Told before anybody meets it. */
	fbk_guest_send(g, "free");
	line = fbk_guest_expect(g, 60, "free gpa=");
	v.gpa = fbk_field(line, "gpa");
	snprintf(at, sizeof(at), "%#llx", (unsigned long long)v.gpa);
	FBK_CHECK_EQ(ctl("simulate", "--tell", at, NULL), 0);
	fbk_guest_expect_isolated(g, v.gpa);
	fbk_guest_expect_corrupted(g, lost + 12);
	FBK_CHECK_EQ(ctl("ledger", NULL, NULL, NULL), 0);
	FBK_CHECK(has("{\"gpa\":\"%s\"", at));
}

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .api = API });
	struct stat st;

	answers(g, "status", "api.json");
	FBK_CHECK(has("\"state\":\"running\",\"reason\":null"));
	refusals(g);
	pauses(g);
	simulates(g);
	fbk_guest_attach(g, API);
	answers(g, "devices", "api.json");
	FBK_CHECK(has("{\"transport\":1,\"kind\":\"disk\",\"address\":\"0xa010000\",\"driver\":\"running\""));
	answers(g, "errors", "api.json");
	answers(g, "ledger", "api.json");
	answers(g, "metrics", "prom");

	fbk_guest_forget(g);
	FBK_CHECK_EQ(ctl("reset", NULL, NULL, NULL), 0);
	fbk_guest_expect(g, 180, "init[1]: ready");
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), 0);

	FBK_CHECK_EQ(ctl("power", NULL, NULL, NULL), 0);
	fbk_guest_expect(g, 60, "init[1]: power button");
	FBK_CHECK_EQ(fbk_guest_wait(g, 60), 0);
	FBK_CHECK(stat(API, &st) && stat(API ".console", &st));
	FBK_CHECK_EQ(ctl("status", NULL, NULL, NULL), 66);
}
