/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Drivers that give every device loops, lies and addresses of nothing, while other vCPUs change what it is reading: afterwards
 * each device does its work for a driver that means well.
 */
#include "hostile.h"
#include "net.h"

#include <stdio.h>

FBK_SCENARIO("86-hostile-drivers", "hostile", 30, FBK_HOSTILE_ORACLE);

static void all_devices(unsigned int seed, unsigned int cpus, const char *peer, const char *net, const char *console)
{
	struct fbk_hostile h;
	const char *devices;
	char orders[96];

	snprintf(orders, sizeof(orders), "mode=virtio rounds=80 seed=%u%s", seed, peer);
	fbk_hostile_boot(&h, orders, cpus, net, console);
	fbk_hostile_again(&h);
	fbk_hostile_done(&h);
	devices = fbk_guest_said(h.guest, "hostile: devices=");
	fbk_note("%s", devices);
	/* Some of it was understood, and some of it was too much. */
	FBK_CHECK_EQ(fbk_field(devices, "asked"), console ? 5 : 4);
	FBK_CHECK(!console || fbk_guest_said(h.guest, "hostile: by virtio"));
	FBK_CHECK(fbk_field(devices, "answered") > 4);
	FBK_CHECK(fbk_field(devices, "broken") > 20);
}

static void run(void)
{
	fbk_witness_start();
	all_devices(1, 2, "", NULL, NULL);
	all_devices(2, 2, "", NULL, NULL);
	all_devices(3, 3, "", NULL, NULL);
	all_devices(4, 1, "", NULL, "virtio");
	all_devices(7, 2, "", NULL, "virtio");
	fbk_net_tap("fbk1", "10.98.0.1/24");
	all_devices(5, 2, " peer=174194689", "tap=fbk1", NULL); /* 10.98.0.1 */
	all_devices(6, 1, " peer=174194689", "tap=fbk1", NULL);
	fbk_witness_end();
}
