/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* A guest that may not reach the host's loopback, and one that may reach nothing: they do not, and forwards work all the same. */
#include "internal.h"
#include "net.h"

#include <sys/wait.h>

FBK_SCENARIO("76-network-kept-apart", "network", 30,
	     "host: busybox nc, which waits for a connection until the end, wget and md5sum; guest: busybox nc has got nothing");

static void kept_apart(const char *net)
{
	struct fbk_guest *g = fbk_guest_boot(&(struct fbk_guest_spec){ .kernel = "newest", .cpus = 2, .net = net });
	pid_t server;
	int status;

	fbk_net_order(g, "up", "up address=10.0.2.15");
	server = fbk_net_listener("7003");
	fbk_net_order(g, "get 10.0.2.2 7003", "got bytes=0");
	/* Had it been reached, it would have ended with that connection. */
	FBK_CHECK_EQ(waitpid(server, &status, WNOHANG), 0);
	fbk_net_order(g, "serve /mnt", "serving");
	fbk_net_fetch("127.0.0.1:7081");
	fbk_guest_poweroff(g);
	fbk_net_unlisten(server);
}

static void run(void)
{
	kept_apart("user,reach=outside,forward=tcp::7081:80");
	kept_apart("user,reach=none,forward=tcp::7081:80");
}
