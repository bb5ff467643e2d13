/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * monitor - what the whole monitor costs: exec to guest init, exec to exit, memory beyond the guest's, and touch to
 * SIGBUS handler inside the guest.
 *
 * Small setting: 256 MiB, 1 vCPU. Meant for the deterministic lab (--icount), where virtual time counts instructions.
 * Preconditions: root, sea_inject loaded. Output: tab-separated, name and figures.
 */
#include "vm.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUEST_MIB 256
#define PAGES_MAX 16

struct files {
	const char *monitor, *tool, *kernel, *initrd, *off;
};

static void guest_start(struct vm *g, const struct files *f, const char *append)
{
	const char *const argv[] = { f->monitor, "run", "--kernel", f->kernel, "--initrd", f->initrd, "--memory", "256M",
				     "--cpus", "1", "--sea=on", "--append", append, NULL };

	vm_start(g, argv);
}

static void arm(const struct files *f, pid_t vm, const char *gpa)
{
	char pid[16];
	int status;
	pid_t child = fork();

	if (child < 0)
		vm_die("fork");
	if (child == 0) {
		snprintf(pid, sizeof(pid), "%d", vm);
		if (!freopen("/dev/null", "w", stdout))
			_exit(126);
		execl(f->tool, "sea-inject", "arm", "--pid", pid, "--gpa", gpa, (char *)NULL);
		_exit(127);
	}
	if (waitpid(child, &status, 0) != child || status) {
		errno = 0;
		vm_die("sea-inject arm");
	}
}

/* A guest that ends before it has begun. */
static void start_and_end(struct files f)
{
	struct vm g;

	f.kernel = f.off;
	guest_start(&g, &f, "");
	vm_end(&g);
	printf("start-and-end\t%.4f\n", vm_now() - g.began);
}

static void boot(const struct files *f, const char *name)
{
	struct vm g;
	double init;

	guest_start(&g, f, "quiet fbk.boot");
	vm_line(&g, "init");
	init = vm_now() - g.began;
	vm_end(&g);
	printf("%s\t%.3f\t%.3f\n", name, init, vm_now() - g.began);
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
	struct vm g;
	char *line;

	/* What its kernel says of an error it keeps for itself: on the console a character takes longer than 10 us. */
	guest_start(&g, f, "loglevel=0");
	while (nr < PAGES_MAX) {
		line = vm_line(&g, "");
		if (sscanf(line, "page gpa=%31s", gpa[nr]) == 1)
			nr++;
		else if (!strncmp(line, "ready", 5))
			break;
	}
	printf("resident\t%ld\n", vm_resident_beyond_guest(&g, GUEST_MIB));
	for (i = 0; i < nr; i++)
		arm(f, g.pid, gpa[i]);
	vm_say(&g, "go");
	for (i = 0; i < nr; i++) {
		if (sscanf(vm_line(&g, "touch"), "touch ns=%llu", &ns[i]) != 1 || ns[i] == 0) {
			errno = 0;
			vm_die("a touch was not answered with BUS_MCEERR_AR");
		}
	}
	vm_end(&g);
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
