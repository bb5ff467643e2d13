/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * test_net_user.c - the network in user space, with a guest that opens connections without end. The witness is the host's
 * network: what it was sent, and how many descriptors it took.
 */
#include "test.h"

#include "net-user.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <slirp/libslirp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ICMP = 1, TCP = 6, UDP = 17 };
enum { SYN = 2, ACK = 16 };
#define FLOOD 1500

static struct fbk_net_user user;
static struct fbk_virtio_net net;
static struct fbk_loop loop;
/* What the guest was sent: the latest of each. */
static uint32_t tcp_seq;
static unsigned int arp_replies, syn_acks, offers;

/* In the card's place. */
bool fbk_net_deliver(struct fbk_virtio_net *n, const uint8_t header[FBK_NET_HEADER_LEN], const void *frame, size_t len)
{
	const uint8_t *f = frame, *ip = f + 14;

	assert_ptr_equal(n, &net);
	if (f[12] == 8 && f[13] == 6 && f[21] == 2)
		arp_replies++;
	if (f[12] == 8 && f[13] == 0 && ip[9] == TCP && ip[33] == (SYN | ACK)) {
		tcp_seq = (uint32_t)ip[24] << 24 | ip[25] << 16 | ip[26] << 8 | ip[27];
		syn_acks++;
	}
	if (f[12] == 8 && f[13] == 0 && ip[9] == UDP && ip[21] == 67)
		offers++;
	return true;
}

void fbk_net_delivered(struct fbk_virtio_net *n)
{
}

static void turn(void)
{
	assert_int_equal(fbk_loop_turn(&loop, fbk_loop_now()), 0);
}

static bool got(const unsigned int *count, unsigned int want)
{
	uint64_t until = fbk_loop_now() + UINT64_C(10000000000);

	while (*count < want && fbk_loop_now() < until)
		turn();
	return *count == want;
}

static unsigned int descriptors(void)
{
	unsigned int nr = 0;
	DIR *d = opendir("/proc/self/fd");

	while (readdir(d))
		nr++;
	closedir(d);
	return nr;
}

/* --- what the guest sends -------------------------------------------------------------------------------------------- */

static void put16(uint8_t *at, unsigned int v)
{
	at[0] = v >> 8;
	at[1] = v;
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, v >> 16);
	put16(at + 2, v);
}

static unsigned int checksum(unsigned long sum, const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? at[i] : at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static bool send_frame(uint8_t *frame, size_t len)
{
	struct iovec iov[2] = { { NULL, 0 }, { frame, len } };
	bool r = user.backend.send(user.backend.opaque, iov, 2);

	turn();
	return r;
}

static bool send_arp(void)
{
	uint8_t f[42] = { 255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 2, 15,
			  0, 0, 0, 0, 0, 0, 10, 0, 2, 2 };

	return send_frame(f, sizeof(f));
}

struct ip {
	uint8_t protocol;
	unsigned int fragment;
	in_addr_t to;
	const uint8_t *body;
	size_t len;
};

static bool send_ip(const struct ip *p)
{
	uint8_t f[14 + 20 + 400] = { 0x52, 0x55, 10, 0, 2, 2, 2, 0, 0, 0, 0, 1, 8, 0 }, *ip = f + 14;

	ip[0] = 0x45;
	put16(ip + 2, 20 + p->len);
	put16(ip + 6, p->fragment);
	ip[8] = 64;
	ip[9] = p->protocol;
	memcpy(ip + 12, "\x0a\0\2\x0f", 4);
	memcpy(ip + 16, &p->to, 4);
	put16(ip + 10, checksum(0, ip, 20));
	memcpy(ip + 20, p->body, p->len);
	return send_frame(f, 34 + p->len);
}

#define HOST htonl(0x0a000202)

static bool send_udp(in_addr_t to, unsigned int from_port, unsigned int port, const void *data, size_t len)
{
	uint8_t udp[8 + 320] = { 0 };

	put16(udp, from_port);
	put16(udp + 2, port);
	put16(udp + 4, 8 + len);
	memcpy(udp + 8, data, len);
	return send_ip(&(struct ip){ UDP, 0, to, udp, 8 + len });
}

static bool send_tcp(unsigned int from_port, unsigned int port, unsigned int flags, uint32_t seq, uint32_t ack, const char *data)
{
	uint8_t tcp[20 + 64] = { 0 };
	size_t len = 20 + strlen(data);

	put16(tcp, from_port);
	put16(tcp + 2, port);
	put32(tcp + 4, seq);
	put32(tcp + 8, ack);
	tcp[12] = 5 << 4;
	tcp[13] = flags;
	put16(tcp + 14, 8192);
	memcpy(tcp + 20, data, len - 20);
	/* With the pseudo header: addresses, protocol, length. */
	put16(tcp + 16, checksum(0x0a00 + 0x020f + 0x0a00 + 0x0202 + TCP + len, tcp, len));
	return send_ip(&(struct ip){ TCP, 0, HOST, tcp, len });
}

/* --- what the host has ------------------------------------------------------------------------------------------------ */

static int host_socket(int type, unsigned int *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 16), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

/* From how many ports datagrams came. */
static unsigned int senders(int fd)
{
	static bool seen[65536];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	unsigned int nr = 0;
	char byte;

	while (recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &len) >= 0) {
		nr += !seen[ntohs(from.sin_port)];
		seen[ntohs(from.sin_port)] = true;
	}
	return nr;
}

static int setup(void **state)
{
	unsigned int forward;

	memset(&user, 0, sizeof(user));
	memset(&loop, 0, sizeof(loop));
	arp_replies = syn_acks = offers = 0;
	assert_int_equal(fbk_loop_init(&loop), 0);
	assert_int_equal(fbk_net_user_open(&user, 1500, FBK_NET_REACH_ALL, NULL, 0, &net, &forward), 0);
	assert_int_equal(fbk_net_user_start(&user, &loop), 0);
	assert_true(send_arp());
	assert_true(got(&arp_replies, 1));
	return 0;
}

static int teardown(void **state)
{
	slirp_cleanup(user.slirp);
	close(loop.wake_fd);
	return 0;
}

/* As many flows as there can be, to @port. Return: how many were let through. */
static unsigned int flood(unsigned int port)
{
	unsigned int sent = 0;

	for (unsigned int i = 0; i < FLOOD; i++)
		sent += send_udp(HOST, 2000 + i, port, "x", 1);
	return sent;
}

static void flows_are_bounded(void **state)
{
	unsigned int udp_port, tcp_port, before;
	int udp = host_socket(SOCK_DGRAM, &udp_port), tcp = host_socket(SOCK_STREAM, &tcp_port), conn;
	uint8_t discover[300] = { 1, 1, 6, 0 }, piece[24] = { 0 };
	char text[8] = "";

	/* A connection that was there before. */
	assert_true(send_tcp(1000, tcp_port, SYN, 7, 0, ""));
	assert_true(got(&syn_acks, 1));
	assert_true(send_tcp(1000, tcp_port, ACK, 8, tcp_seq + 1, ""));
	conn = accept(tcp, NULL, NULL);
	assert_true(conn >= 0);

	before = descriptors();
	assert_true(flood(udp_port) < FLOOD);
	assert_true(descriptors() > before);
	assert_true(descriptors() <= before + FBK_NET_USER_OPEN);
	assert_in_range(senders(udp), 2, FBK_NET_USER_OPEN);

	/* It goes on, and what needs no socket is answered. */
	assert_true(send_tcp(1000, tcp_port, ACK, 8, tcp_seq + 1, "data"));
	assert_int_equal(recv(conn, text, sizeof(text), 0), 4);
	assert_string_equal(text, "data");
	assert_true(send_arp());
	assert_true(got(&arp_replies, 2));
	memcpy(discover + 28, "\2\0\0\0\0\1", 6);
	memcpy(discover + 236, "\x63\x82\x53\x63\x35\1\1\xff", 8);
	assert_true(send_udp(INADDR_BROADCAST, 68, 67, discover, sizeof(discover)));
	assert_true(got(&offers, 1));

	/* What would open another is dropped, also where it does not look like it. */
	before = descriptors();
	assert_false(send_tcp(1001, tcp_port, SYN, 7, 0, ""));
	assert_false(send_udp(HOST, 68, 67, discover, sizeof(discover)));
	assert_false(send_ip(&(struct ip){ ICMP, 0, htonl(0x7f000002), piece, sizeof(piece) }));
	assert_false(send_ip(&(struct ip){ TCP, 0x2000, HOST, piece, 8 }));
	assert_false(send_ip(&(struct ip){ TCP, 0, HOST, piece, 8 }));
	assert_int_equal(descriptors(), before);
	assert_int_equal(accept(tcp, NULL, NULL), -1);
	close(conn);
	close(tcp);
	close(udp);
}

/* A datagram whole, and in two pieces. */
static void no_fragment_gets_through(void **state)
{
	unsigned int port;
	int udp = host_socket(SOCK_DGRAM, &port);
	uint8_t piece[24] = { 0 };

	put16(piece, 2000);
	put16(piece + 2, port);
	put16(piece + 4, sizeof(piece));
	assert_false(send_ip(&(struct ip){ UDP, 0x2000, HOST, piece, 16 }));
	assert_false(send_ip(&(struct ip){ UDP, 2, HOST, piece + 16, 8 }));
	assert_int_equal(senders(udp), 0);
	assert_true(send_ip(&(struct ip){ UDP, 0x4000, HOST, piece, sizeof(piece) }));
	assert_int_equal(senders(udp), 1);
	close(udp);
}

static void few_descriptors(void **state)
{
	unsigned int udp_port, before = descriptors();
	struct rlimit limit, saved;
	int udp = host_socket(SOCK_DGRAM, &udp_port);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	limit = saved;
	limit.rlim_cur = 4 * (before + 40);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(setup(NULL), 0);
	flood(udp_port);
	assert_in_range(senders(udp), 2, before + 40);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	close(udp);
	teardown(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(flows_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(no_fragment_gets_through, setup, teardown),
		cmocka_unit_test(few_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
