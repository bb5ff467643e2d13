/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * jail.h - namespaces, an empty root, another user, no capabilities: before the first further thread is made.
 * [namespaces(7), pivot_root(2), capabilities(7)]
 */
#ifndef FBK_VMM_JAIL_H
#define FBK_VMM_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Own mount, IPC and UTS namespaces, and without @keep_network an own, empty network: those of them that the kernel has. Who lacks
 * the privilege gets them in a user namespace of its own, in which it has the number that it has. Errors: negative errno;
 * what was made by then stays, and gives nobody anything.
 */
int fbk_jail_namespaces(bool keep_network);

/* The next child, and those after it, are in a PID namespace of their own; else as above. Errors: negative errno. */
int fbk_jail_pid_namespace(void);

/* Why one of the above failed, in words for an operator. @err: what it has returned. */
const char *fbk_jail_why_not(int err);

/*
 * In them: the root folder becomes an empty one that cannot be written. What is open stays open. @resolv_conf: what the one file
 * in it says, /etc/resolv.conf; NULL: there is none. Errors: negative errno; the root is what it was.
 */
int fbk_jail_root(const char *resolv_conf);

/* What /etc/resolv.conf says of name servers with IPv4 addresses, as such a file. @ret: @len bytes, cut at a line's end. */
void fbk_jail_name_servers(char *ret, size_t len);

/* "65534", "65534:65534", or a name of /etc/passwd. Errors: -EINVAL neither; -ENOENT no such name; -EPERM it is root. */
int fbk_jail_find_user(const char *text, uid_t *ret_uid, gid_t *ret_gid);

/* Can that user put a new file in the place of one in a folder? Asked by root; afterwards it has no supplementary groups. */
bool fbk_jail_user_replaces(uid_t uid, gid_t gid, int dirfd, const char *name);

/* Become that user, for good, without supplementary groups. Errors: negative errno. */
int fbk_jail_become(uid_t uid, gid_t gid);

/* Of the capabilities that there are, one. Errors: -EPERM: it was not there. */
int fbk_jail_keep_only(int cap);

/* No capability is left, nor can any come back. Errors: negative errno. */
int fbk_jail_drop_capabilities(void);

#endif
