/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* net-tap.c - see net-tap.h. [Linux Documentation/networking/tuntap.rst] */
#include "net-tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64 /* packets of one turn: the guest's own have their turn, too */
#define MTU_DEFAULT 1500
#define MTU_MIN 68
#define MTU_MAX 65535

static bool from_guest(void *opaque, const struct iovec *iov, int nr)
{
	struct fbk_net_tap *t = opaque;

	return writev(t->watch.fd, iov, nr) > 0;
}

/* What the host may leave to the guest: checksums to make, segments to cut up. */
static void negotiated(void *opaque, uint64_t features)
{
	struct fbk_net_tap *t = opaque;
	unsigned long offload = 0;

	if (features & FBK_NET_F_GUEST_CSUM) {
		offload |= TUN_F_CSUM;
		if (features & FBK_NET_F_GUEST_TSO4)
			offload |= TUN_F_TSO4;
		if (features & FBK_NET_F_GUEST_TSO6)
			offload |= TUN_F_TSO6;
	}
	/* Where it cannot be had, what comes is looked at all the same (fbk_net_deliver()). */
	(void)ioctl(t->watch.fd, TUNSETOFFLOAD, offload);
}

static void resume(void *opaque)
{
	struct fbk_net_tap *t = opaque;

	t->watch.events = POLLIN;
}

static void on_ready(void *opaque, short revents)
{
	struct fbk_net_tap *t = opaque;
	uint8_t header[FBK_NET_HEADER_LEN];
	const struct iovec iov[] = { { header, sizeof(header) }, { t->frame, sizeof(t->frame) } };

	for (int i = 0; i < BATCH; i++) {
		ssize_t n = readv(t->watch.fd, iov, 2);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			/* A device that was taken away would be ready for ever. */
			if (errno != EAGAIN)
				t->watch.events = 0;
			break;
		}
		if (n >= FBK_NET_HEADER_LEN && !fbk_net_deliver(t->net, header, t->frame, n - FBK_NET_HEADER_LEN)) {
			t->watch.events = 0;
			break;
		}
	}
	fbk_net_delivered(t->net);
}

static uint16_t mtu_of(const char *name)
{
	struct ifreq ifr = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	memcpy(ifr.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	r = ioctl(fd, SIOCGIFMTU, &ifr);
	close(fd);
	return !r && ifr.ifr_mtu >= MTU_MIN && ifr.ifr_mtu <= MTU_MAX ? ifr.ifr_mtu : MTU_DEFAULT;
}

/* Return: a descriptor, or a negative errno with @why. */
static int open_named(const char *name, char *why, size_t why_len)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd, r;

	/* Root would make one that is gone when we are. */
	if (strlen(name) >= IFNAMSIZ || !if_nametoindex(name)) {
		snprintf(why, why_len, "there is no device %.20s: `ip tuntap add %.20s mode tap user USER` makes one (as root)", name,
			 name);
		return -ENODEV;
	}
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		r = -errno;
		snprintf(why, why_len, "/dev/net/tun: %s%s", strerror(-r),
			 r == -ENOENT || r == -ENODEV ? ": `modprobe tun` (as root) brings it" : "");
		return r;
	}
	memcpy(ifr.ifr_name, name, strlen(name));
	if (!ioctl(fd, TUNSETIFF, &ifr))
		return fd;
	r = -errno;
	if (r == -EPERM)
		snprintf(why, why_len, "%.20s belongs to somebody else: `ip tuntap add %.20s mode tap user USER` makes one for USER (as "
			 "root)", name, name);
	else
		snprintf(why, why_len, "%.20s: %s", name,
			 r == -EBUSY  ? "another process uses it" :
			 r == -EINVAL ? "not a tap device with one queue (`ip tuntap` lists them)" :
					strerror(-r));
	close(fd);
	return r;
}

static int open_number(const char *digits, char *why, size_t why_len)
{
	char *end;
	long fd = strtol(digits, &end, 10);
	int flags = *digits && !*end && fd >= 0 && fd <= INT32_MAX ? fcntl(fd, F_GETFL) : -1;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC)) {
		snprintf(why, why_len, "fd:%.20s: not an open descriptor", digits);
		return -EBADF;
	}
	return fd;
}

int fbk_net_tap_open(struct fbk_net_tap *t, const char *what, struct fbk_virtio_net *net, char *why, size_t why_len)
{
	int header_len = FBK_NET_HEADER_LEN, fd, r;
	struct ifreq ifr;

	fd = strncmp(what, "fd:", 3) ? open_named(what, why, why_len) : open_number(what + 3, why, why_len);
	if (fd < 0)
		return fd;
	if (ioctl(fd, TUNGETIFF, &ifr) || (ifr.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)) != (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)) {
		snprintf(why, why_len, "%.20s: not a tap device that was opened with IFF_NO_PI and IFF_VNET_HDR", what);
		r = -EINVAL;
		goto failed;
	}
	if (ioctl(fd, TUNSETVNETHDRSZ, &header_len) || ioctl(fd, TUNSETOFFLOAD, 0ul)) {
		r = -errno;
		snprintf(why, why_len, "%.20s: setting it up: %s", what, strerror(-r));
		goto failed;
	}
	t->backend = (struct fbk_net_backend){
		.features = FBK_NET_F_CSUM | FBK_NET_F_GUEST_CSUM | FBK_NET_F_GUEST_TSO4 | FBK_NET_F_GUEST_TSO6 | FBK_NET_F_HOST_TSO4 |
			    FBK_NET_F_HOST_TSO6,
		.mtu = mtu_of(ifr.ifr_name),
		.send = from_guest,
		.from_guest = true,
		.negotiated = negotiated,
		.resume = resume,
		.opaque = t,
	};
	t->net = net;
	t->watch = (struct fbk_loop_watch){ fd, POLLIN, on_ready, t };
	return 0;
failed:
	close(fd);
	return r;
}

int fbk_net_tap_start(struct fbk_net_tap *t, struct fbk_loop *loop)
{
	return fbk_loop_watch(loop, &t->watch);
}
