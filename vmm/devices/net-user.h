/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * net-user.h - a network in user space (libslirp): the guest's connections become sockets of this process. Needs no privilege.
 *
 * The guest is 10.0.2.15 (DHCP), the host 10.0.2.2, the name server 10.0.2.3.
 */
#ifndef FBK_VMM_NET_USER_H
#define FBK_VMM_NET_USER_H

#include "loop.h"
#include "virtio-net.h"

#include <netinet/in.h>

#define FBK_NET_USER_SOCKETS 96	      /* that are looked at at once; those beyond wait until one closes */
#define FBK_NET_USER_OPEN 256	      /* that a guest can have open, and a quarter of this process's descriptors at most */
#define FBK_NET_USER_MTU_MAX 65520    /* the largest that libslirp takes, rounded down */
#define FBK_NET_FORWARDS 16

/* Connections, or datagrams, to a port of the host go to one of the guest. */
struct fbk_net_forward {
	bool udp;
	struct in_addr host;
	uint16_t host_port, guest_port;
};

/* What the guest can begin a connection to; forwards bring others to it whatever that is. */
enum fbk_net_reach {
	FBK_NET_REACH_ALL,     /* what this process can reach; 10.0.2.2 is the host's loopback */
	FBK_NET_REACH_OUTSIDE, /* the same, but for the host's loopback */
	FBK_NET_REACH_NONE,    /* nothing; no name server either */
};

struct fbk_net_user {
	struct fbk_net_backend backend;
	struct fbk_virtio_net *net;
	struct Slirp *slirp;
	struct fbk_loop *loop;
	struct fbk_loop_timer timer;
	struct fbk_net_socket {
		struct fbk_loop_watch watch;
		struct fbk_net_user *user;
		short revents;
	} socket[FBK_NET_USER_SOCKETS];
	int nr_sockets;  /* of this turn */
	int nr_watched;  /* that the loop knows */
	unsigned int nr_open, most_open;
};

/*
 * The forwards' ports are taken here. @net: whom packets are for; it is not used before fbk_net_user_start().
 * @ret_forward: with -errno of a forward, its number. Errors: -ENOMEM; negative errno of bind() and listen().
 */
int fbk_net_user_open(struct fbk_net_user *u, uint16_t mtu, enum fbk_net_reach reach, const struct fbk_net_forward *forward,
		      unsigned int nr_forwards, struct fbk_virtio_net *net, unsigned int *ret_forward);

/* The I/O thread's loop is there, and does not run yet. Errors: -ENOSPC. */
int fbk_net_user_start(struct fbk_net_user *u, struct fbk_loop *loop);

#endif
