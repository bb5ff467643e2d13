/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Guests that boot by device tree. They have all devices, and no ACPI: an abort costs the process that takes it, and nobody tells
 * their kernel of a page. What was lost is good again after a reset, or no memory any more.
 */
#include "internal.h"
#include "net.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

FBK_SCENARIO("67-device-tree", "device-tree", 45,
	     "guest: /proc/device-tree, /sys, victims' siginfo (BUS_OBJERR) and exit, bystander, /proc/kpageflags, MemTotal, disk, busybox nc; exit statuses 0 and 143");

#define API "/tmp/firebreak-device-tree.api"
/* [Linux include/linux/kernel-page-flags.h]: what is no memory, in the midst of memory, has pages that nobody may use. */
#define KPF_RESERVED (UINT64_C(1) << 32)

static bool is_memory(struct fbk_guest *g, uint64_t gpa)
{
	const char *line;

	fbk_guest_forget(g);
	fbk_guest_send(g, "page %#llx", (unsigned long long)gpa);
	line = fbk_guest_expect(g, 60, "init[1]: page gpa=%#llx", (unsigned long long)gpa);
	return !(fbk_field(line, "flags") & KPF_RESERVED);
}

static void has_devices(struct fbk_guest *g)
{
	const char *line;

	fbk_guest_send(g, "show /proc/device-tree/model");
	fbk_guest_expect(g, 60, "show /proc/device-tree/model firebreak");
	fbk_guest_send(g, "list /sys/firmware");
	line = fbk_guest_expect(g, 60, "init[1]: list /sys/firmware");
	FBK_CHECK(strstr(line, " devicetree") && !strstr(line, " acpi") && !strstr(line, " efi"));
	fbk_guest_send(g, "show /sys/devices/system/cpu/online");
	fbk_guest_expect(g, 60, "show /sys/devices/system/cpu/online 0-1");
	fbk_guest_send(g, "show /sys/class/misc/hw_random/rng_current");
	fbk_guest_expect(g, 60, "show /sys/class/misc/hw_random/rng_current virtio_rng.0");
	line = fbk_disk(g, "/dev/vda read 0 8");
	FBK_CHECK_EQ(fbk_field(line, "returned"), 4096);
}

/* A guest that lost pages in user mode, and lives. */
static void loses(struct fbk_guest *g)
{
	int pid = fbk_bystander_start(g);
	struct fbk_victim v;

	fbk_victim_start(&v, g, "anon");
	/* Once, as its kernel will give that page to somebody else. */
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_dies(&v);
	FBK_CHECK(!fbk_guest_isolated(g, v.gpa));
	FBK_CHECK_EQ(fbk_guest_meminfo(g, "HardwareCorrupted"), 0);
	fbk_bystander_end(g, pid);
}

static bool was_reported(void *g)
{
	return fbk_guest_monitor_said(g, "guest told: none");
}

static void everything(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){
		.kernel = "newest", .cpus = 2, .firmware = "dt", .net = "user", .api = API });
	long memory = fbk_guest_meminfo(g, "MemTotal");
	struct fbk_victim v;
	char text[512];

	has_devices(g);
	fbk_net_order(g, "up", "up address=10.0.2.15");
	fbk_net_both_ways(g, "10.0.2.2");
	loses(g);
	FBK_CHECK_EQ(fbk_ctl(API, text, sizeof(text), "power", NULL), 1);
	FBK_CHECK(strstr(text, "no power button"));

	/* One that the host finds, and that nobody touches. */
	fbk_victim_start(&v, g, "anon");
	fbk_host_poison(g, v.gpa);
	fbk_wait_until(60, "the monitor has told its operator of the page", was_reported, g);
	FBK_CHECK(!fbk_guest_isolated(g, v.gpa));

	fbk_guest_forget(g);
	fbk_guest_send(g, "reboot");
	fbk_guest_expect(g, 180, "init[1]: ready");
	FBK_CHECK(is_memory(g, v.gpa));
	FBK_CHECK(fbk_guest_meminfo(g, "MemTotal") > memory - 32);
	loses(g);
	fbk_guest_poweroff(g);
}

/* Without replacement the next boot's memory has a hole. */
static void a_hole(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "6.12", .firmware = "dt", .retire = "off" });
	struct fbk_victim v;

	fbk_victim_start(&v, g, "anon");
	fbk_inject(g, v.gpa, "--hits 1");
	fbk_victim_dies(&v);
	FBK_CHECK(is_memory(g, v.gpa));
	fbk_guest_forget(g);
	fbk_guest_send(g, "reboot");
	fbk_guest_expect(g, 180, "init[1]: ready");
	for (uint64_t page = v.gpa & ~UINT64_C(0xffff); page <= (v.gpa | 0xffff); page += 0x1000)
		FBK_CHECK(!is_memory(g, page));
	FBK_CHECK(is_memory(g, (v.gpa | 0xffff) + 1));
	fbk_guest_poweroff(g);
}

/* Nobody hears a button that is not there. */
static void ends_at_once(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "6.1", .cpus = 2, .firmware = "dt" });

	loses(g);
	kill(fbk_guest_pid(g), SIGTERM);
	FBK_CHECK_EQ(fbk_guest_wait(g, 25), 128 + SIGTERM);
	FBK_CHECK(fbk_guest_monitor_said(g, "has no power button"));
}

static void run(void)
{
	everything();
	a_hole();
	ends_at_once();
}
