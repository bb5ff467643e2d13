/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* button.c - see button.h. [Linux "Documentation/userspace-api/netlink/intro.rst"] */
#include "button.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAMILY "acpi_event"
#define SOL_NETLINK 270

static const struct nlattr *attr_next(const struct nlattr *a)
{
	return (const void *)((const char *)a + NLA_ALIGN(a->nla_len));
}

/* The attribute of that type between two places, or NULL. */
static const struct nlattr *attr_find(const void *from, const void *to, unsigned int type)
{
	const struct nlattr *a;

	for (a = from; (const char *)(a + 1) <= (const char *)to && a->nla_len >= sizeof(*a); a = attr_next(a))
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return (const char *)a + a->nla_len <= (const char *)to ? a : NULL;
	return NULL;
}

static const void *attr_end(const struct nlattr *a)
{
	return (const char *)a + a->nla_len;
}

/* The number of the family's one multicast group. */
static int find_group(int fd, uint32_t *ret)
{
	struct {
		struct nlmsghdr h;
		struct genlmsghdr g;
		struct nlattr a;
		char name[NLA_ALIGN(sizeof(FAMILY))];
	} ask = {
		.h = { .nlmsg_len = sizeof(ask), .nlmsg_type = GENL_ID_CTRL, .nlmsg_flags = NLM_F_REQUEST },
		.g = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.a = { .nla_len = NLA_HDRLEN + sizeof(FAMILY), .nla_type = CTRL_ATTR_FAMILY_NAME },
		.name = FAMILY,
	};
	char buf[4096] __attribute__((aligned(8)));
	const struct nlmsghdr *h = (const void *)buf;
	const struct nlattr *a;
	ssize_t n;

	if (send(fd, &ask, sizeof(ask), 0) < 0)
		return -errno;
	n = recv(fd, buf, sizeof(buf), 0);
	if (n < (ssize_t)NLMSG_LENGTH(GENL_HDRLEN) || h->nlmsg_type != GENL_ID_CTRL)
		return -ENOENT;
	a = attr_find(buf + NLMSG_LENGTH(GENL_HDRLEN), buf + n, CTRL_ATTR_MCAST_GROUPS);
	if (a) /* a list; its first item, and in that the number */
		a = attr_find(a + 1, attr_end(a), 1);
	if (a)
		a = attr_find(a + 1, attr_end(a), CTRL_ATTR_MCAST_GRP_ID);
	if (!a)
		return -ENOENT;
	memcpy(ret, a + 1, sizeof(*ret));
	return 0;
}

int fbk_button_open(void)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), r;
	uint32_t group;

	if (fd < 0)
		return -errno;
	r = bind(fd, (struct sockaddr *)&at, sizeof(at)) ? -errno : find_group(fd, &group);
	if (!r && setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		r = -errno;
	if (r)
		close(fd);
	return r ? r : fd;
}

int fbk_button_pressed(int fd)
{
	char buf[4096] __attribute__((aligned(8)));
	const struct nlattr *a;
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n < (ssize_t)NLMSG_LENGTH(GENL_HDRLEN))
		return 0;
	/* The one attribute begins with the name of the device's class. */
	a = attr_find(buf + NLMSG_LENGTH(GENL_HDRLEN), buf + n, 1);
	return a && a->nla_len > NLA_HDRLEN + 12 && !strncmp((const char *)(a + 1), "button/power", 12);
}
