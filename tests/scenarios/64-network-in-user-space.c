/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * A card on a network in user space: an address, a server of the host reached, a port forwarded, and all of that again when the
 * driver was taken off the card and put back.
 */
#include "net.h"

#include <string.h>

FBK_SCENARIO("64-network-in-user-space", "network", 30,
	     "guest: busybox udhcpc, nc and md5sum, its kernel's card; host: busybox nc, wget and md5sum");

static void works(struct fbk_guest *g)
{
	const char *line = fbk_net_order(g, "up", "up");

	if (!strstr(line, "address=10.0.2.15 mac=52:54:00:12:34:56 mtu=1500"))
		fbk_fail(__FILE__, __LINE__, "the card has come up otherwise: %s", line);
	fbk_net_both_ways(g, "10.0.2.2");
}

static void run(void)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){
		.kernel = "newest", .cpus = 2, .net = "user,mac=52:54:00:12:34:56,forward=tcp:127.0.0.1:7080:80" });

	works(g);
	fbk_net_order(g, "rebind", "rebound");
	works(g);
	fbk_net_order(g, "serve /mnt", "serving");
	fbk_net_fetch("127.0.0.1:7080");
	fbk_guest_poweroff(g);
}
