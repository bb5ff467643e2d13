/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * monitor - what the whole monitor costs: exec to guest init, exec to exit, memory beyond the guest's, and touch to
 * SIGBUS handler inside the guest.
 *
 * Small setting: 256 MiB, 1 vCPU. Meant for the deterministic lab (--icount), where virtual time counts instructions.
 * Preconditions: root, sea_inject loaded. Output: tab-separated, name and figures.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GUEST_MIB 256
#define PAGES_MAX 16
#define LINE 512

struct files {
	const char *monitor, *tool, *kernel, *initrd, *off;
};

struct guest {
	pid_t pid;
	FILE *in, *out;
	double began;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "monitor: %s: %s\n", what, errno ? strerror(errno) : "not as expected");
	exit(1);
}

static void guest_start(struct guest *g, const struct files *f, const char *append)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		die("pipe");
	g->began = now();
	g->pid = fork();
	if (g->pid < 0)
		die("fork");
	if (g->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(f->monitor, "firebreak", "run", "--kernel", f->kernel, "--initrd", f->initrd, "--memory", "256M",
		      "--cpus", "1", "--sea=on", "--append", append, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	g->in = fdopen(in[1], "w");
	g->out = fdopen(out[0], "r");
	if (!g->in || !g->out)
		die("fdopen");
}

/* The next line that starts with @what. */
static char *guest_line(struct guest *g, const char *what)
{
	static char line[LINE];

	while (fgets(line, sizeof(line), g->out)) {
		if (!strncmp(line, "failed", 6))
			break;
		if (!strncmp(line, what, strlen(what)))
			return line;
	}
	errno = 0;
	fprintf(stderr, "monitor: the guest said '%.80s' instead of '%s'\n", line, what);
	exit(1);
}

static void guest_end(struct guest *g)
{
	char rest[LINE];
	int status;

	while (fgets(rest, sizeof(rest), g->out))
		;
	if (waitpid(g->pid, &status, 0) != g->pid || status) {
		errno = 0;
		die("the monitor's exit status");
	}
	fclose(g->in);
	fclose(g->out);
}

/* Resident memory of the monitor in kB: all of it, less the mapping that is the guest's RAM. */
static long resident_beyond_guest(pid_t pid)
{
	char path[64], line[LINE];
	unsigned long start, end;
	long rss, sum = 0;
	bool is_ram = false;
	FILE *smaps;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	smaps = fopen(path, "r");
	if (!smaps)
		die(path);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			is_ram = end - start >= GUEST_MIB * 1024ul * 1024;
		else if (!is_ram && sscanf(line, "Rss: %ld kB", &rss) == 1)
			sum += rss;
	}
	fclose(smaps);
	return sum;
}

static void arm(const struct files *f, pid_t vm, const char *gpa)
{
	char pid[16];
	int status;
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (child == 0) {
		snprintf(pid, sizeof(pid), "%d", vm);
		if (!freopen("/dev/null", "w", stdout))
			_exit(126);
		execl(f->tool, "sea-inject", "arm", "--pid", pid, "--gpa", gpa, (char *)NULL);
		_exit(127);
	}
	if (waitpid(child, &status, 0) != child || status) {
		errno = 0;
		die("sea-inject arm");
	}
}

/* A guest that ends before it has begun. */
static void start_and_end(struct files f)
{
	struct guest g;

	f.kernel = f.off;
	guest_start(&g, &f, "");
	guest_end(&g);
	printf("start-and-end\t%.4f\n", now() - g.began);
}

static void boot(const struct files *f, const char *name)
{
	struct guest g;
	double init;

	guest_start(&g, f, "quiet fbk.boot");
	guest_line(&g, "init");
	init = now() - g.began;
	guest_end(&g);
	printf("%s\t%.3f\t%.3f\n", name, init, now() - g.began);
	fflush(stdout);
}

static int ascending(const void *a, const void *b)
{
	unsigned long long x = *(const unsigned long long *)a, y = *(const unsigned long long *)b;

	return x < y ? -1 : x > y;
}

static void touch(const struct files *f)
{
	char gpa[PAGES_MAX][32];
	unsigned long long ns[PAGES_MAX];
	unsigned int nr = 0, i;
	struct guest g;
	char *line;

	guest_start(&g, f, "quiet");
	while (nr < PAGES_MAX) {
		line = guest_line(&g, "");
		if (sscanf(line, "page gpa=%31s", gpa[nr]) == 1)
			nr++;
		else if (!strncmp(line, "ready", 5))
			break;
	}
	printf("resident\t%ld\n", resident_beyond_guest(g.pid));
	for (i = 0; i < nr; i++)
		arm(f, g.pid, gpa[i]);
	fputs("go\n", g.in);
	fflush(g.in);
	for (i = 0; i < nr; i++) {
		if (sscanf(guest_line(&g, "touch"), "touch ns=%llu", &ns[i]) != 1 || ns[i] == 0) {
			errno = 0;
			die("a touch was not answered with BUS_MCEERR_AR");
		}
	}
	guest_end(&g);
	printf("touches");
	for (i = 0; i < nr; i++)
		printf("\t%llu", ns[i]);
	printf("\n");
	qsort(ns, nr, sizeof(ns[0]), ascending);
	printf("touch\t%llu\t%llu\t%llu\n", ns[nr / 2], ns[0], ns[nr - 1]);
}

int main(int argc, char **argv)
{
	struct files f;

	if (argc != 6) {
		fprintf(stderr, "usage: monitor FIREBREAK SEA-INJECT KERNEL INITRD OFF-KERNEL\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	f = (struct files){ argv[1], argv[2], argv[3], argv[4], argv[5] };
	start_and_end(f);
	start_and_end(f);
	boot(&f, "boot-cold");
	boot(&f, "boot");
	boot(&f, "boot");
	touch(&f);
	return 0;
}
