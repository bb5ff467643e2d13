/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * crc32c.h - the Castagnoli checksum, as iSCSI and ext4 use it (RFC 3720, appendix B.4).
 */
#ifndef FBK_CORE_CRC32C_H
#define FBK_CORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t fbk_crc32c(const void *data, size_t len);

#endif
