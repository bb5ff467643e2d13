/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * net.h - the host's end of a guest's network, by busybox.
 */
#ifndef FBK_SCENARIO_NET_H
#define FBK_SCENARIO_NET_H

#include "harness.h"

#define FBK_NET_MIB 3

/* An order to the guest's /bin/net; the line that answers with @word, valid until the scenario ends. */
const char *fbk_net_order(struct fbk_guest *g, const char *order, const char *word);

/* FBK_NET_MIB of random bytes each way between a guest and a server of the host, which it sees at @addr. */
void fbk_net_both_ways(struct fbk_guest *g, const char *addr);

/* A server of the host, up, that says nothing and ends with its first connection; ended, if it has not. */
pid_t fbk_net_listener(const char *port);
void fbk_net_unlisten(pid_t server);

/* The file of the guest's disk, from its web server. Tries again while nobody listens. */
void fbk_net_fetch(const char *authority);

/* A tap device of the host's, up, with that address. */
void fbk_net_tap(const char *name, const char *addr);

#endif
