/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* net.c - see net.h */
#include "net.h"
#include "internal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NET_S 180
#define DATA "/tmp/firebreak-net.data"
/* of the file on the guests' disk (guest/mkinitrd) */
#define DISK_MD5 "d05853a26df0829c7a5687ee2c3845c2"
#define BACK "/tmp/firebreak-net.back"

const char *fbk_net_order(struct fbk_guest *g, const char *order, const char *word)
{
	char command[128];
	int pid;

	snprintf(command, sizeof(command), "net %s", order);
	pid = fbk_program_start(g, command);
	return fbk_guest_expect(g, NET_S, "net[%d]: %s", pid, word);
}

static void host(char *const argv[], char *ret_text, size_t len)
{
	int status = fbk_run(argv, ret_text, len);

	if (status)
		fbk_fail(__FILE__, __LINE__, "%s %s ended with status %d: %s", argv[0], argv[1], status, ret_text);
}

static void md5_of(const char *path, char ret_md5[33])
{
	char text[256];

	host((char *[]){ "/bin/md5sum", (char *)path, NULL }, text, sizeof(text));
	snprintf(ret_md5, 33, "%.32s", text);
}

/* One connection to a port: what @in has goes to it, what comes into @out. */
static pid_t listener(const char *port, int in, const char *out)
{
	int to = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	pid_t pid;

	FBK_CHECK(in >= 0 && to >= 0);
	pid = fbk_spawn((char *[]){ "/bin/nc", "-l", "-p", (char *)port, NULL }, in, to, STDERR_FILENO);
	close(to);
	FBK_CHECK(pid > 0);
	return pid;
}

static bool says(const char *path, const char *needle)
{
	char text[16384];
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	return strstr(text, needle);
}

static bool listens(void *port)
{
	char needle[16];

	snprintf(needle, sizeof(needle), ":%04X 0", atoi(port));
	return says("/proc/net/tcp", needle) || says("/proc/net/tcp6", needle);
}

static bool has_ended(void *pid)
{
	int status;

	return waitpid(*(pid_t *)pid, &status, WNOHANG) == *(pid_t *)pid;
}

void fbk_net_both_ways(struct fbk_guest *g, const char *addr)
{
	char md5[33], order[64], text[256];
	int nothing[2], in;
	const char *line;
	pid_t pid;

	snprintf(text, sizeof(text), "count=%d", FBK_NET_MIB);
	host((char *[]){ "/bin/dd", "if=/dev/urandom", "of=" DATA, "bs=1M", text, NULL }, order, sizeof(order));
	md5_of(DATA, md5);
	in = open(DATA, O_RDONLY | O_CLOEXEC);
	pid = listener("7001", in, "/dev/null");
	close(in);
	fbk_wait_until(30, "the host's server listens", listens, "7001");
	snprintf(order, sizeof(order), "get %s 7001", addr);
	line = fbk_net_order(g, order, "got");
	FBK_CHECK_EQ(fbk_field(line, "bytes"), FBK_NET_MIB << 20);
	if (!strstr(line, md5))
		fbk_fail(__FILE__, __LINE__, "other bytes than were sent (md5 %s): %s", md5, line);
	fbk_wait_until(30, "the host's server ends", has_ended, &pid);

	/* An end of input would end the connection: there is none, and nothing comes. */
	FBK_CHECK(!pipe2(nothing, O_CLOEXEC));
	pid = listener("7002", nothing[0], BACK);
	fbk_wait_until(30, "the host's server listens", listens, "7002");
	snprintf(order, sizeof(order), "put %s 7002 %d", addr, FBK_NET_MIB);
	line = fbk_net_order(g, order, "put");
	FBK_CHECK_EQ(fbk_field(line, "bytes"), FBK_NET_MIB << 20);
	fbk_wait_until(NET_S, "all has come", has_ended, &pid);
	close(nothing[0]);
	close(nothing[1]);
	md5_of(BACK, md5);
	if (!strstr(line, md5))
		fbk_fail(__FILE__, __LINE__, "other bytes than were sent (md5 %s): %s", md5, line);
	unlink(DATA);
	unlink(BACK);
}

pid_t fbk_net_listener(const char *port)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid = listener(port, in, "/dev/null");

	close(in);
	fbk_wait_until(30, "the host's server listens", listens, (char *)port);
	return pid;
}

void fbk_net_unlisten(pid_t server)
{
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
}

static bool fetched(void *url)
{
	char text[256];

	return !fbk_run((char *[]){ "/bin/wget", "-q", "-O", BACK, url, NULL }, text, sizeof(text));
}

void fbk_net_fetch(const char *authority)
{
	char url[128], md5[33];

	snprintf(url, sizeof(url), "http://%s/data", authority);
	fbk_wait_until(60, "the guest's web server answers", fetched, url);
	md5_of(BACK, md5);
	if (strcmp(md5, DISK_MD5))
		fbk_fail(__FILE__, __LINE__, "the guest's file has come otherwise (md5 %s)", md5);
	unlink(BACK);
}

void fbk_net_tap(const char *name, const char *addr)
{
	char text[256];

	fbk_host_module("tun", "/sys/class/misc/tun");
	host((char *[]){ "/bin/tunctl", "-t", (char *)name, NULL }, text, sizeof(text));
	host((char *[]){ "/bin/ip", "addr", "add", (char *)addr, "dev", (char *)name, NULL }, text, sizeof(text));
	host((char *[]){ "/bin/ip", "link", "set", (char *)name, "up", NULL }, text, sizeof(text));
}
