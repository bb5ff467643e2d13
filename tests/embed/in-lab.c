// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: The firebreak authors
/*
 * The minimal monitor of examples/, built as a user builds it, on a real KVM: its guest's page is broken from outside, by
 * sea_inject or by the host's hard_offline_page. The judge is the guest, which prints what its own vector has read.
 *
 * usage: embed-lab MONITOR MODULE    (root)
 */
#include "in-lab.h"
#include "kvm_sea.h"
#include "module.h"
#include "tap.h"
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MONITOR_PAGE 0x40010000
#define GUEST_READS "guest: reads page 0000000040010000\n"
#define GUEST_GOES_ON "guest: goes on\n"
#define GUEST_ABORT "guest: abort, ESR_EL1=0000000096000010 FAR_EL1=0000000040010018\n"
#define ABORTED GUEST_READS GUEST_ABORT GUEST_GOES_ON
#define QUIET GUEST_READS GUEST_GOES_ON

struct monitor {
	pid_t pid;
	int in;
	FILE *out;
	unsigned long gpa, hva;
};

static void monitor_start(struct monitor *m, const char *path, const char *errors)
{
	int in[2], out[2], pid;
	char line[256];

	if (pipe(in) || pipe(out))
		bail("pipe: %s", strerror(errno));
	m->pid = fork();
	if (m->pid < 0)
		bail("fork: %s", strerror(errno));
	if (!m->pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
		close(in[1]);
		close(out[0]);
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	m->in = in[1];
	m->out = fdopen(out[0], "r");
	if (!m->out || !fgets(line, sizeof(line), m->out) ||
	    sscanf(line, "ready: pid %d, guest page %lx, at %lx", &pid, &m->gpa, &m->hva) != 3 || pid != m->pid ||
	    m->gpa != MONITOR_PAGE)
		bail("the monitor does not say that it is ready");
}

/* Lets the guest run; what it said, and the monitor's last line. Returns the exit status, or minus the signal. */
static int monitor_finish(struct monitor *m, char *said, size_t len)
{
	size_t n;
	int status;

	alarm(60);
	if (write(m->in, "\n", 1) != 1)
		bail("the monitor does not listen");
	close(m->in);
	n = fread(said, 1, len - 1, m->out);
	said[n] = '\0';
	fclose(m->out);
	if (waitpid(m->pid, &status, 0) != m->pid)
		bail("waitpid: %s", strerror(errno));
	alarm(0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static unsigned int events_in(const char *path, const char *word)
{
	char line[4096];
	unsigned int n = 0;
	FILE *f = fopen(path, "r");

	if (!f)
		bail("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f))
		n += !strncmp(line, "event: {", 8) && strstr(line, word);
	fclose(f);
	return n;
}

static void break_by_module(const struct monitor *m)
{
	struct sea_inject_arm arm = { .size = sizeof(arm), .by = SEA_INJECT_BY_GPA, .addr = m->gpa, .pid = m->pid };
	int err = inject_arm(&arm);

	if (err)
		bail("cannot arm: %s", strerror(-err));
}

bool break_by_host(pid_t pid, uint64_t hva)
{
	char path[64], at[32];
	uint64_t entry;
	int fd, n;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &entry, sizeof(entry), (off_t)(hva / 4096 * sizeof(entry))) != sizeof(entry) ||
	    !(entry >> 63))
		bail("%s does not tell where the page is", path);
	close(fd);
	n = snprintf(at, sizeof(at), "%#llx", (unsigned long long)(entry & ((1ULL << 55) - 1)) * 4096);
	fd = open("/sys/devices/system/memory/hard_offline_page", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (write(fd, at, (size_t)n) != n)
		bail("hard_offline_page of %s: %s", at, strerror(errno));
	close(fd);
	return true;
}

enum way { NOT_AT_ALL, BY_MODULE, BY_HOST };

static void test(const char *name, const char *path, enum way way, const char *want, unsigned int events, const char *source)
{
	static char said[4096];
	struct monitor m;
	int status;

	monitor_start(&m, path, "/tmp/errors");
	if (way == BY_MODULE)
		break_by_module(&m);
	if (way == BY_HOST && !break_by_host(m.pid, m.hva)) {
		kill(m.pid, SIGKILL);
		waitpid(m.pid, &status, 0);
		skip(name, "this host's kernel has no hard_offline_page");
		return;
	}
	status = monitor_finish(&m, said, sizeof(said));
	ok(!status && !strcmp(said, want) && events_in("/tmp/errors", source) == events, name,
	   "status %d, %u events of %s, it said:\n%s", status, events_in("/tmp/errors", source), source, said);
	if (way == BY_MODULE)
		inject_disarm_all_quiet();
}

int main(int argc, char **argv)
{
	if (argc != 3)
		bail("usage: embed-lab MONITOR MODULE");
	setvbuf(stdout, NULL, _IOLBF, 0);
	module_insert(argv[2]);
	test("control: a good page, and nobody aborts", argv[1], NOT_AT_ALL, QUIET QUIET "powered off; bad pages: 0\n", 0, "");
	if (kvm_has_sea())
		test("a synchronous external abort, twice, and the guest goes on", argv[1], BY_MODULE,
		     ABORTED ABORTED "powered off; bad pages: 1\n", 2, "\"sea\"");
	else
		printf("# this kernel forwards no synchronous external aborts\n");
	test("a page that the host finds bad, twice, and the guest goes on", argv[1], BY_HOST,
	     ABORTED ABORTED "powered off; bad pages: 1\n", 2, "\"sigbus-ar\"");
	module_remove();
	test_no_handler("no handler: the signal is fetched after KVM_RUN");
	return tap_end();
}
