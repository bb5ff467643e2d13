/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * programs.c - the programs that scenarios run in guests, spoken to through the guest's init.
 */
#include "internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM_S 120

uint64_t fbk_field(const char *line, const char *key)
{
	char needle[32];
	const char *p;

	snprintf(needle, sizeof(needle), " %s=", key);
	p = strstr(line, needle);
	if (!p)
		fbk_fail(__FILE__, __LINE__, "no %s in \"%s\"", key, line);
	return strtoull(p + strlen(needle), NULL, 0);
}

int fbk_program_start(struct fbk_guest *g, const char *command)
{
	const char *line;

	/* A pid is told once and never used again soon: what is looked for below is this program's. */
	fbk_guest_forget(g);
	fbk_guest_send(g, "run %s", command);
	line = fbk_guest_expect(g, PROGRAM_S, "init[1]: started");
	return (int)fbk_field(line, "pid");
}

void fbk_victim_start(struct fbk_victim *v, struct fbk_guest *g, const char *mode)
{
	char command[64];
	const char *line, *p;
	unsigned int n;

	memset(v, 0, sizeof(*v));
	v->guest = g;
	snprintf(command, sizeof(command), "victim %s", mode);
	v->pid = fbk_program_start(g, command);
	line = fbk_guest_expect(g, PROGRAM_S, "victim[%d]: ready", v->pid);
	v->va = fbk_field(line, "va");
	v->gpa = fbk_field(line, "gpa");
	/* Several pages come before that, many on a line. */
	for (n = 0; (line = fbk_guest_nth(g, n, "victim[%d]: pages", v->pid)); n++)
		for (p = line; (p = strstr(p, " gpa=")) && v->nr_pages < FBK_VICTIM_PAGES_MAX; p++)
			v->page[v->nr_pages++] = strtoull(p + 5, NULL, 0);
	if (!v->nr_pages)
		v->page[v->nr_pages++] = v->gpa;
}

void fbk_victim_go(struct fbk_victim *v)
{
	fbk_guest_send(v->guest, "go %d", v->pid);
}

int fbk_victim_wait(struct fbk_victim *v, int *ret_status)
{
	const char *line = fbk_guest_expect(v->guest, PROGRAM_S, "init[1]: exit pid=%d ", v->pid);

	if (strstr(line, " signal="))
		return (int)fbk_field(line, "signal");
	*ret_status = (int)fbk_field(line, "status");
	return 0;
}

void fbk_victim_told(struct fbk_victim *v)
{
	const char *line = fbk_guest_expect(v->guest, PROGRAM_S, "victim[%d]: SIGBUS", v->pid);
	uint64_t addr = fbk_field(line, "addr");

	if (!strstr(line, "code=BUS_MCEERR_AR"))
		fbk_fail(__FILE__, __LINE__, "the process was told something else: %s", line);
	/* Newer kernels tell the page, older ones the byte. */
	if (addr != v->va && addr != (v->va & ~(FBK_PAGE - 1)))
		fbk_fail(__FILE__, __LINE__, "si_addr is %#llx, the touch was at %#llx", (unsigned long long)addr,
			 (unsigned long long)v->va);
}

void fbk_victim_loses(struct fbk_victim *v)
{
	long before = fbk_guest_meminfo(v->guest, "HardwareCorrupted");
	int status = 0;

	fbk_victim_go(v);
	fbk_victim_told(v);
	FBK_CHECK_EQ(fbk_victim_wait(v, &status), SIGBUS);
	FBK_CHECK(fbk_guest_isolated(v->guest, v->gpa));
	FBK_CHECK_EQ(fbk_guest_meminfo(v->guest, "HardwareCorrupted"), before + 4);
	FBK_CHECK(fbk_guest_said(v->guest, "Memory failure: %#llx:", (unsigned long long)(v->gpa / FBK_PAGE)));
}

void fbk_victim_dies(struct fbk_victim *v)
{
	const char *line;
	int status = 0;

	fbk_victim_go(v);
	line = fbk_guest_expect(v->guest, PROGRAM_S, "victim[%d]: SIGBUS", v->pid);
	if (!strstr(line, "code=BUS_OBJERR"))
		fbk_fail(__FILE__, __LINE__, "the process was told something else: %s", line);
	FBK_CHECK_EQ(fbk_victim_wait(v, &status), SIGBUS);
}

void fbk_victim_host_loses(struct fbk_victim *v, struct fbk_guest *g)
{
	int status = 0;

	fbk_victim_start(v, g, "spin");
	fbk_victim_go(v);
	fbk_guest_expect(g, 60, "victim[%d]: spinning", v->pid);
	fbk_host_poison(g, v->gpa);
	fbk_victim_told(v);
	FBK_CHECK_EQ(fbk_victim_wait(v, &status), SIGBUS);
}

void fbk_victim_lives(struct fbk_victim *v)
{
	int status = 0;

	FBK_CHECK_EQ(fbk_victim_wait(v, &status), 0);
	FBK_CHECK_EQ(status, 0);
	FBK_CHECK(fbk_guest_said(v->guest, "victim[%d]: done data=right", v->pid));
}

const char *fbk_disk(struct fbk_guest *g, const char *fmt, ...)
{
	char words[64], command[80];
	const char *line;
	va_list ap;
	int pid;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	snprintf(command, sizeof(command), "disk %s", words);
	pid = fbk_program_start(g, command);
	line = fbk_guest_expect(g, PROGRAM_S, "disk[%d]: ", pid);
	FBK_CHECK(strstr(fbk_guest_expect(g, PROGRAM_S, "init[1]: exit pid=%d ", pid), " status=0"));
	return line;
}

int fbk_load_start(struct fbk_guest *g, const char *device, unsigned int sector, unsigned int threads)
{
	char command[80];
	int pid;

	snprintf(command, sizeof(command), "disk %s load %u %u", device, sector, threads);
	pid = fbk_program_start(g, command);
	fbk_guest_expect(g, PROGRAM_S, "disk[%d]: load", pid);
	return pid;
}

long fbk_load_end(struct fbk_guest *g, int pid)
{
	const char *line;
	long operations;

	fbk_guest_forget(g);
	fbk_guest_send(g, "kill %d 15", pid);
	line = fbk_guest_expect(g, PROGRAM_S, "disk[%d]: loaded", pid);
	operations = (long)fbk_field(line, "operations");
	FBK_CHECK_EQ(fbk_field(line, "failed"), 0);
	FBK_CHECK_EQ(fbk_field(line, "wrong"), 0);
	FBK_CHECK(strstr(fbk_guest_expect(g, PROGRAM_S, "init[1]: exit pid=%d ", pid), " status=0"));
	return operations;
}

int fbk_bystander_start(struct fbk_guest *g)
{
	int pid = fbk_program_start(g, "bystander");

	/* It is under way when it has accounted for some beats. */
	fbk_guest_expect(g, PROGRAM_S, "bystander[%d]: account", pid);
	return pid;
}

long fbk_bystander_end(struct fbk_guest *g, int pid)
{
	const char *line;
	long beats;

	fbk_guest_sync(g);
	if (fbk_guest_said(g, "bystander[%d]: DISTURBED", pid))
		fbk_fail(__FILE__, __LINE__, "the bystander was disturbed");
	fbk_guest_forget(g);
	fbk_guest_send(g, "kill %d 15", pid);
	line = fbk_guest_expect(g, PROGRAM_S, "bystander[%d]: account", pid);
	beats = (long)fbk_field(line, "beats");
	FBK_CHECK_EQ(fbk_field(line, "bad"), 0);
	line = fbk_guest_expect(g, PROGRAM_S, "init[1]: exit pid=%d ", pid);
	if (!strstr(line, " status=0"))
		fbk_fail(__FILE__, __LINE__, "the bystander did not end well: %s", line);
	return beats;
}
