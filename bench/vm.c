/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* vm.c - see vm.h */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE 512

double vm_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void vm_die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, errno ? strerror(errno) : "not as expected");
	exit(1);
}

void vm_start(struct vm *vm, const char *const argv[])
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		vm_die("pipe");
	vm->began = vm_now();
	vm->pid = fork();
	if (vm->pid < 0)
		vm_die("fork");
	if (vm->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	vm->in = fdopen(in[1], "w");
	vm->out = fdopen(out[0], "r");
	if (!vm->in || !vm->out)
		vm_die("fdopen");
}

char *vm_line(struct vm *vm, const char *what)
{
	static char line[LINE];

	line[0] = '\0';
	while (fgets(line, sizeof(line), vm->out)) {
		if (!strncmp(line, "failed", 6))
			break;
		if (!strncmp(line, what, strlen(what)))
			return line;
	}
	fprintf(stderr, "bench: the guest said '%.160s' instead of '%s'\n", line, what);
	exit(1);
}

void vm_say(struct vm *vm, const char *line)
{
	fprintf(vm->in, "%s\n", line);
	fflush(vm->in);
}

void vm_end(struct vm *vm)
{
	char rest[LINE];
	int status;

	while (fgets(rest, sizeof(rest), vm->out))
		;
	if (waitpid(vm->pid, &status, 0) != vm->pid || status) {
		errno = 0;
		vm_die("the monitor's exit status");
	}
	fclose(vm->in);
	fclose(vm->out);
}

static long resident_of(pid_t pid, unsigned int guest_mib)
{
	char path[64], line[LINE];
	unsigned long start, end;
	long rss, sum = 0;
	bool is_ram = false;
	FILE *smaps;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	smaps = fopen(path, "r");
	if (!smaps)
		vm_die(path);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			is_ram = end - start >= guest_mib * 1024ul * 1024;
		else if (!is_ram && sscanf(line, "Rss: %ld kB", &rss) == 1)
			sum += rss;
	}
	fclose(smaps);
	return sum;
}

long vm_resident_beyond_guest(const struct vm *vm, unsigned int guest_mib)
{
	long sum = resident_of(vm->pid, guest_mib);
	char path[64];
	FILE *children;
	pid_t child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", vm->pid, vm->pid);
	children = fopen(path, "r");
	if (!children)
		vm_die(path);
	while (fscanf(children, "%d", &child) == 1)
		sum += resident_of(child, guest_mib);
	fclose(children);
	return sum;
}
