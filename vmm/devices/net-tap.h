/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * net-tap.h - a tap device of the host: the guest's packets go to the host's own network stack, checksums and segmentation left to
 * it. The device is the operator's to make; that it is ours to use is all the privilege this needs.
 */
#ifndef FBK_VMM_NET_TAP_H
#define FBK_VMM_NET_TAP_H

#include "loop.h"
#include "virtio-net.h"

struct fbk_net_tap {
	struct fbk_net_backend backend;
	struct fbk_virtio_net *net;
	struct fbk_loop_watch watch;
	uint8_t frame[FBK_NET_FRAME_MAX];
};

/*
 * @what: name of the device, or fd:N, a descriptor that another program has opened. @why: on failure, a sentence without a full
 * stop. Errors: negative errno.
 */
int fbk_net_tap_open(struct fbk_net_tap *t, const char *what, struct fbk_virtio_net *net, char *why, size_t why_len);

/* The I/O thread's loop is there, and does not run yet. Errors: -ENOSPC. */
int fbk_net_tap_start(struct fbk_net_tap *t, struct fbk_loop *loop);

#endif
