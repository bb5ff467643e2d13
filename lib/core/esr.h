/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * esr.h - the syndrome register's fields for aborts [ARM-ARM "ESR_EL2, ISS for Data Abort", "... Instruction Abort"].
 */
#ifndef FBK_CORE_ESR_H
#define FBK_CORE_ESR_H

#include <stdint.h>

#define FBK_ESR_EC_SHIFT 26
#define FBK_ESR_EC(esr) ((uint32_t)((esr) >> FBK_ESR_EC_SHIFT) & 0x3f)
#define FBK_EC_IABT_LOW 0x20
#define FBK_EC_IABT_CUR 0x21
#define FBK_EC_DABT_LOW 0x24
#define FBK_EC_DABT_CUR 0x25

#define FBK_ESR_IL (UINT64_C(1) << 25)
#define FBK_ESR_SET(esr) ((uint32_t)((esr) >> 11) & 3)
#define FBK_ESR_SET_MASK (UINT64_C(3) << 11)
#define FBK_ESR_FNV (UINT64_C(1) << 10)
#define FBK_ESR_EA (UINT64_C(1) << 9)
#define FBK_ESR_CM (UINT64_C(1) << 8)
#define FBK_ESR_WNR (UINT64_C(1) << 6)
#define FBK_ESR_FSC(esr) ((uint32_t)(esr) & 0x3f)

#define FBK_FSC_SEA 0x10
#define FBK_FSC_SEA_WALK_0 0x14 /* on a walk, level 0; level -1 is one less */

#endif
