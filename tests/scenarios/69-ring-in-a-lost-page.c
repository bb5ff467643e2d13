/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A ring of a device lies in a page that is lost, and the device is the first to touch it: that queue stops, everything else
 * goes on, the guest's kernel takes the page out of use, and the device works again when its driver was taken off and put back. Where the
 * driver itself would have to touch the page for that, a reset of the guest helps.
 */
#include "internal.h"
#include "net.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

FBK_SCENARIO("69-ring-in-a-lost-page", "rings", 60,
	     "guest: /proc/kpageflags, HardwareCorrupted, bystander, disk, busybox udhcpc and nc, what it says and obeys; exit status 0");

#define API "/tmp/firebreak-rings.api"
#define PORT "7081"

/* What `ctl devices` says of the device of that kind, up to the next one. */
static char *device(const char *kind)
{
	static char text[16384];
	char needle[64], *at, *end;

	FBK_CHECK_EQ(fbk_ctl(API, text, sizeof(text), "devices", NULL), 0);
	snprintf(needle, sizeof(needle), "\"kind\":\"%s\"", kind);
	at = strstr(text, needle);
	FBK_CHECK(at);
	end = strstr(at, "\"transport\"");
	if (end)
		*end = '\0';
	return at;
}

/* The page in which the receive queue has its used ring, or its descriptors. */
static uint64_t ring_page(const char *kind, const char *ring)
{
	char needle[32], *at;

	snprintf(needle, sizeof(needle), "\"%s\":\"", ring);
	/* The first one is queue 0's. */
	at = strstr(device(kind), needle);
	FBK_CHECK(at);
	return strtoull(at + strlen(needle), NULL, 16) & ~UINT64_C(0xfff);
}

static bool needs_reset(void *kind)
{
	return strstr(device(kind), "\"driver\":\"needs-reset\"");
}

static void lose(uint64_t gpa)
{
	char at[32], text[512];

	snprintf(at, sizeof(at), "%#llx", (unsigned long long)gpa);
	FBK_CHECK_EQ(fbk_ctl(API, text, sizeof(text), "simulate", at, NULL), 0);
}

static void others_go_on(struct fbk_guest *g)
{
	const char *line = fbk_disk(g, "/dev/vda read 0 8");

	FBK_CHECK_EQ(fbk_field(line, "returned"), 4096);
	fbk_guest_sync(g);
}

/* Somebody of the host calls the guest, which brings a packet to its card. */
static void call(struct fbk_guest *g)
{
	int in[2], status;
	pid_t pid;

	FBK_CHECK(!pipe2(in, O_CLOEXEC));
	pid = fbk_spawn((char *[]){ "/bin/nc", "127.0.0.1", PORT, NULL }, in[0], STDERR_FILENO, STDERR_FILENO);
	close(in[0]);
	FBK_CHECK(pid > 0);
	fbk_wait_until(60, "the card needs a reset", needs_reset, "network");
	kill(pid, SIGKILL);
	FBK_CHECK_EQ(waitpid(pid, &status, 0), pid);
	close(in[1]);
}

static void works(struct fbk_guest *g)
{
	fbk_net_order(g, "up", "up address=10.0.2.15");
	fbk_net_both_ways(g, "10.0.2.2");
}

static void network(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){
		.kernel = "newest", .cpus = 2, .api = API, .net = "user,forward=tcp:127.0.0.1:" PORT ":80" });
	int pid = fbk_bystander_start(g);
	uint64_t page;

	works(g);
	page = ring_page("network", "used");
	lose(page);
	call(g);
	fbk_guest_expect_isolated(g, page);
	fbk_guest_expect_corrupted(g, 4);
	others_go_on(g);
	fbk_net_order(g, "rebind", "rebound");
	FBK_CHECK(ring_page("network", "used") != page);
	works(g);

	page = ring_page("network", "descriptors");
	lose(page);
	call(g);
	fbk_guest_expect_isolated(g, page);
	others_go_on(g);
	fbk_bystander_end(g, pid);
	fbk_guest_forget(g);
	FBK_CHECK_EQ(fbk_ctl(API, (char[512]){ 0 }, 512, "reset", NULL), 0);
	fbk_guest_expect(g, 180, "init[1]: ready");
	works(g);
	fbk_guest_poweroff(g);
}

/* Nothing can be said to the guest any more. It was told before what to do when its kernel knows of the page. */
static void console(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2, .api = API, .console = "virtio" });
	uint64_t page = ring_page("console", "used");

	fbk_guest_send(g, "rebind virtio_console virtio2 lost");
	fbk_guest_expect(g, 60, "init[1]: waits");
	lose(page);
	fbk_guest_send(g, "and what is typed now meets it");
	fbk_guest_expect(g, 120, "init[1]: rebound virtio2");
	fbk_guest_expect_isolated(g, page);
	FBK_CHECK(ring_page("console", "used") != page);
	others_go_on(g);
	fbk_guest_poweroff(g);
}

static void run(void)
{
	network();
	console();
}
