/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * virtio-rng.h - random bytes of the host.
 */
#ifndef FBK_VMM_VIRTIO_RNG_H
#define FBK_VMM_VIRTIO_RNG_H

#include "virtio-mmio.h"

extern const struct fbk_virtio_ops fbk_virtio_rng_ops; /* the device has no state: dev is NULL */

#endif
