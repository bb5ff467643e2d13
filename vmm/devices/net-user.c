/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * net-user.c - see net-user.h
 *
 * libslirp is asked at the end of each turn in which something came for it what to wait for next. A timer does that: the loop
 * looks at those last.
 */
#include "net-user.h"

#include <errno.h>
#include <slirp/libslirp.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>

#define NS_PER_MS UINT64_C(1000000)

static ssize_t to_guest(const void *frame, size_t len, void *opaque)
{
	struct fbk_net_user *u = opaque;

	/* What finds no room is lost, as on a network. */
	fbk_net_deliver(u->net, NULL, frame, len);
	return len;
}

static void guest_error(const char *msg, void *opaque)
{
	/* The guest can do that as often as it likes: nothing is said of it. */
}

static int64_t clock_ns(void *opaque)
{
	return fbk_loop_now();
}

/* Of IPv6 alone, which is off. */
static void *timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
	return NULL;
}

static void timer_free(void *timer, void *opaque)
{
}

static void timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
}

static void socket_opened(int fd, void *opaque)
{
	struct fbk_net_user *u = opaque;

	u->nr_open++;
}

static void socket_closed(int fd, void *opaque)
{
	struct fbk_net_user *u = opaque;

	u->nr_open--;
}

static void notify(void *opaque)
{
	struct fbk_net_user *u = opaque;

	u->timer.at_ns = 0;
}

static const SlirpCb callbacks = {
	.send_packet = to_guest,
	.guest_error = guest_error,
	.clock_get_ns = clock_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = socket_opened,
	.unregister_poll_fd = socket_closed,
	.notify = notify,
};

static unsigned int be16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

enum { ETHER_LEN = 14, ETHER_IPV4 = 0x0800, IPV4_LEN = 20, IPV4_FRAGMENT = 0x3fff, TCP = 6, TCP_FLAGS = 13, TCP_SYN = 2, UDP = 17 };
enum { PORT_DHCP = 67 };

static bool is_ipv4(const uint8_t *frame, size_t len)
{
	return len >= ETHER_LEN + IPV4_LEN && be16(frame + 12) == ETHER_IPV4;
}

/*
 * libslirp 4.7 follows a link that lies in the first fragment's own buffer, and a hostile guest's fragments have had it follow
 * one to nowhere (ip_reass(); seen by scenario 86). None gets that far: who sends more than fits into a frame is lost, as behind
 * many a firewall. [RFC 791 3.2]
 */
static bool is_fragment(const uint8_t *frame, size_t len)
{
	return is_ipv4(frame, len) && (be16(frame + ETHER_LEN + 6) & IPV4_FRAGMENT);
}

/*
 * May libslirp open a socket for that frame? Of IPv4, which is all it is asked to know, everything but what is certainly part of
 * a connection, or for its own DHCP server. [RFC 791 3.1, RFC 9293 3.1, RFC 768]
 */
static bool may_open(const uint8_t *frame, size_t len)
{
	const uint8_t *ip = frame + ETHER_LEN;
	size_t l4 = ETHER_LEN + 4 * (len > ETHER_LEN ? ip[0] & 15 : 0);

	if (!is_ipv4(frame, len))
		return false;
	if (l4 < ETHER_LEN + IPV4_LEN || len <= l4 + TCP_FLAGS)
		return true;
	if (ip[9] == UDP)
		return be16(frame + l4 + 2) != PORT_DHCP || memcmp(ip + 16, "\xff\xff\xff\xff", 4);
	return ip[9] != TCP || (frame[l4 + TCP_FLAGS] & TCP_SYN);
}

static bool from_guest(void *opaque, const struct iovec *iov, int nr)
{
	struct fbk_net_user *u = opaque;

	if (is_fragment(iov[1].iov_base, iov[1].iov_len))
		return false;
	/* A guest that opens without end would leave no descriptor to those who ask for its status. */
	if (u->nr_open >= u->most_open && may_open(iov[1].iov_base, iov[1].iov_len))
		return false;
	slirp_input(u->slirp, iov[1].iov_base, iov[1].iov_len);
	/* There may be new sockets. */
	u->timer.at_ns = 0;
	return true;
}

/* --- what libslirp waits for -------------------------------------------------------------------------------------- */

static const struct {
	int slirp;
	short poll;
} events[] = {
	{ SLIRP_POLL_IN, POLLIN },   { SLIRP_POLL_OUT, POLLOUT }, { SLIRP_POLL_PRI, POLLPRI },
	{ SLIRP_POLL_ERR, POLLERR }, { SLIRP_POLL_HUP, POLLHUP },
};

static int add_poll(int fd, int wanted, void *opaque)
{
	struct fbk_net_user *u = opaque;
	struct fbk_net_socket *s;

	if (u->nr_sockets == FBK_NET_USER_SOCKETS)
		return -1;
	s = &u->socket[u->nr_sockets];
	if (u->nr_sockets == u->nr_watched) {
		if (fbk_loop_watch(u->loop, &s->watch))
			return -1;
		u->nr_watched++;
	}
	s->revents = 0;
	s->watch.fd = fd;
	s->watch.events = 0;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (wanted & events[i].slirp)
			s->watch.events |= events[i].poll;
	return u->nr_sockets++;
}

static int get_revents(int idx, void *opaque)
{
	struct fbk_net_user *u = opaque;
	int found = 0;

	for (size_t i = 0; idx >= 0 && idx < u->nr_sockets && i < sizeof(events) / sizeof(events[0]); i++)
		if (u->socket[idx].revents & events[i].poll)
			found |= events[i].slirp;
	return found;
}

static void on_ready(void *opaque, short revents)
{
	struct fbk_net_socket *s = opaque;

	s->revents = revents;
	s->user->timer.at_ns = 0;
}

static void on_turn(void *opaque)
{
	struct fbk_net_user *u = opaque;
	uint32_t timeout_ms = UINT32_MAX;

	slirp_pollfds_poll(u->slirp, 0, get_revents, u);
	u->nr_sockets = 0;
	slirp_pollfds_fill(u->slirp, &timeout_ms, add_poll, u);
	for (int i = u->nr_sockets; i < u->nr_watched; i++)
		u->socket[i].watch.events = 0;
	u->timer.at_ns = timeout_ms == UINT32_MAX ? FBK_LOOP_NEVER : fbk_loop_now() + timeout_ms * NS_PER_MS;
	fbk_net_delivered(u->net);
}

/* --- open --------------------------------------------------------------------------------------------------------- */

int fbk_net_user_open(struct fbk_net_user *u, uint16_t mtu, enum fbk_net_reach reach, const struct fbk_net_forward *forward,
		      unsigned int nr_forwards, struct fbk_virtio_net *net, unsigned int *ret_forward)
{
	const SlirpConfig config = {
		.version = 3,
		.restricted = reach == FBK_NET_REACH_NONE,
		.in_enabled = true,
		.vnetwork.s_addr = htonl(0x0a000200),
		.vnetmask.s_addr = htonl(0xffffff00),
		.vhost.s_addr = htonl(0x0a000202),
		.vnameserver.s_addr = htonl(0x0a000203),
		.vdhcp_start.s_addr = htonl(0x0a00020f),
		.if_mtu = mtu,
		.if_mru = mtu,
		.disable_host_loopback = reach == FBK_NET_REACH_OUTSIDE,
	};
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	u->most_open = limit.rlim_cur / 4 < FBK_NET_USER_OPEN ? limit.rlim_cur / 4 : FBK_NET_USER_OPEN;
	u->backend = (struct fbk_net_backend){ .mtu = mtu, .send = from_guest, .opaque = u };
	u->net = net;
	u->timer = (struct fbk_loop_timer){ 0, on_turn, u };
	for (int i = 0; i < FBK_NET_USER_SOCKETS; i++) {
		u->socket[i].user = u;
		u->socket[i].watch = (struct fbk_loop_watch){ -1, 0, on_ready, &u->socket[i] };
	}
	u->slirp = slirp_new(&config, &callbacks, u);
	if (!u->slirp)
		return -ENOMEM;
	for (unsigned int i = 0; i < nr_forwards; i++) {
		errno = 0;
		if (!slirp_add_hostfwd(u->slirp, forward[i].udp, forward[i].host, forward[i].host_port, config.vdhcp_start,
				       forward[i].guest_port))
			continue;
		*ret_forward = i;
		return errno ? -errno : -EINVAL;
	}
	return 0;
}

int fbk_net_user_start(struct fbk_net_user *u, struct fbk_loop *loop)
{
	u->loop = loop;
	return fbk_loop_timer(loop, &u->timer);
}
