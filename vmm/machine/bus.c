/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * bus.c - which device answers at which guest physical address.
 */
#include "bytes.h"
#include "monitor.h"

void fbk_bus_access(struct fbk_monitor *m, uint64_t gpa, uint8_t data[8], uint32_t len, int is_write)
{
	uint64_t val = 0;

	if (len > 8)
		len = 8;
	if (is_write)
		val = fbk_get_le(data, len);

	if (gpa - FBK_UART_BASE < FBK_UART_LEN) {
		if (is_write)
			fbk_console_write(&m->console, gpa - FBK_UART_BASE, val);
		else
			val = fbk_console_read(&m->console, gpa - FBK_UART_BASE);
	} else if (gpa - FBK_VIRTIO_BASE < m->nr_virtio * FBK_VIRTIO_STRIDE) {
		struct fbk_virtio *dev = &m->virtio[(gpa - FBK_VIRTIO_BASE) / FBK_VIRTIO_STRIDE];
		uint64_t offset = (gpa - FBK_VIRTIO_BASE) % FBK_VIRTIO_STRIDE;

		if (is_write)
			fbk_virtio_write(dev, offset, len, val);
		else
			val = fbk_virtio_read(dev, offset, len);
	}
	/* Where nothing is, reads give zero and writes vanish, as on a bus without error responses. */

	if (!is_write)
		for (uint32_t i = 0; i < len; i++)
			data[i] = val >> (8 * i);
}
