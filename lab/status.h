/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * Exit statuses of the lab. A payload's own status 0 to 198 is handed through as it
 * is, so what the lab says of itself starts above; sh/common.sh repeats those that
 * lab/setup uses.
 */
#ifndef FBK_LAB_STATUS_H
#define FBK_LAB_STATUS_H

enum fbk_lab_status {
	FBK_LAB_PAYLOAD_MAX = 199, /* the payload's status was 199 or more */
	FBK_LAB_E_USAGE = 200, /* wrong command line */
	FBK_LAB_E_NETWORK = 201, /* nothing in the cache and no network */
	FBK_LAB_E_DISK = 202, /* disk full */
	FBK_LAB_E_PACKAGE = 203, /* Debian packages missing and not root */
	FBK_LAB_E_CORRUPT = 204, /* corrupt cache that could not be fetched again */
	FBK_LAB_E_QEMU = 205, /* QEMU missing or too old */
	FBK_LAB_E_NOKVM = 206, /* the host kernel has no KVM */
	FBK_LAB_E_NOSEA = 207, /* the host kernel lacks KVM_CAP_ARM_SEA_TO_USER */
	FBK_LAB_E_TIMEOUT = 208, /* the payload took too long */
	FBK_LAB_E_PANIC = 209, /* the lab's kernel panicked */
	FBK_LAB_E_DIED = 210, /* QEMU ended, or the lab went down, before the payload did */
	FBK_LAB_E_BOOT = 211, /* the lab did not reach the payload in time */
	FBK_LAB_E_FILE = 212, /* a file named on the command line cannot be used */
	FBK_LAB_E_OUT = 213, /* what the payload left in /out could not be brought back */
	FBK_LAB_E_SYSTEM = 214, /* the machine refused something else */
};

#endif
