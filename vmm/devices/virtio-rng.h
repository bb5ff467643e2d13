/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * virtio-rng.h - random bytes of the host.
 */
#ifndef FBK_VMM_VIRTIO_RNG_H
#define FBK_VMM_VIRTIO_RNG_H

#include "virtio-mmio.h"

struct fbk_virtio_rng {
	struct fbk_virtq_chain chain; /* of the request that is being served */
};

extern const struct fbk_virtio_ops fbk_virtio_rng_ops; /* its device is a struct fbk_virtio_rng */

#endif
