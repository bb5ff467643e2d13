/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* A card on a tap device of the host, whose stack leaves checksums and segmentation to it. */
#include "net.h"

#include <string.h>

FBK_SCENARIO("65-network-by-tap", "network", 20,
	     "guest: busybox nc and md5sum, its kernel's card; host: its kernel's tap device, busybox nc, wget and md5sum");

static void run(void)
{
	struct fbk_guest *g;
	const char *line;

	fbk_net_tap("fbk0", "10.99.0.1/24");
	g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2, .net = "tap=fbk0,mac=52:54:00:12:34:57" });
	line = fbk_net_order(g, "static 10.99.0.2/24", "up");
	if (!strstr(line, "address=10.99.0.2 mac=52:54:00:12:34:57 mtu=1500"))
		fbk_fail(__FILE__, __LINE__, "the card has come up otherwise: %s", line);
	fbk_net_both_ways(g, "10.99.0.1");
	fbk_net_order(g, "rebind", "rebound");
	fbk_net_order(g, "static 10.99.0.2/24", "up");
	fbk_net_both_ways(g, "10.99.0.1");
	fbk_net_order(g, "serve /mnt", "serving");
	fbk_net_fetch("10.99.0.2");
	fbk_guest_poweroff(g);
}
