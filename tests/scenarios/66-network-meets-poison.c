/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Not a vCPU but the network card meets the bad page: a web server sends a file out of the page cache, in a guest that has not
 * heard of the error. That connection has lost its bytes; all others go on, and the error is told.
 */
#include "harness.h"
#include "internal.h"
#include "net.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

FBK_SCENARIO("66-network-meets-poison", "network", 25,
	     "host: busybox wget never gets the file; busybox nc and md5sum at both ends of the connections beside it");

static unsigned int errors(struct fbk_guest *g)
{
	FILE *f = fopen(fbk_guest_events(g), "re");
	unsigned int n = 0;
	char line[4096];

	while (f && fgets(line, sizeof(line), f))
		n += !strncmp(line, "{\"kind\":\"error\"", 15);
	if (f)
		fclose(f);
	return n;
}

static unsigned int before;

static bool another(void *g)
{
	return errors(g) > before;
}

static bool ended(void *pid)
{
	return waitpid(*(pid_t *)pid, NULL, WNOHANG) == *(pid_t *)pid;
}

static void run(void)
{
	struct fbk_victim v;
	struct fbk_guest *g;
	int null;
	pid_t pid;

	fbk_net_tap("fbk1", "10.99.1.1/24");
	g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2, .append = "hest_disable",
						     .net = "tap=fbk1,mac=52:54:00:12:34:58" });
	fbk_net_order(g, "static 10.99.1.2/24", "up");
	fbk_net_order(g, "serve /mnt", "serving");
	fbk_net_fetch("10.99.1.2");
	fbk_victim_start(&v, g, "clean 50");
	fbk_host_poison(g, v.gpa);
	fbk_host_poison_settle(g);
	before = errors(g);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid = fbk_spawn((char *[]){ "/bin/wget", "-q", "-O", "/dev/null", "http://10.99.1.2/data", NULL }, null, null, null);
	close(null);
	FBK_CHECK(pid > 0);
	fbk_wait_until(60, "the card's error is told", another, g);
	fbk_net_both_ways(g, "10.99.1.1");
	FBK_CHECK(!ended(&pid));
	kill(pid, SIGKILL);
	fbk_wait_until(30, "the client ends", ended, &pid);
	fbk_guest_send(g, "kill %d 9", v.pid);
	fbk_guest_poweroff(g);
}
