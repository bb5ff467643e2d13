/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * sea.h - what a KVM_EXIT_ARM_SEA says: class, which addresses are valid, how severe.
 */
#ifndef FIREBREAK_SEA_H
#define FIREBREAK_SEA_H
/* TO BE DESIGNED (fbk_sea_decode, struct fbk_sea_exit, struct fbk_abort, names of codes in words) */
#include <firebreak/types.h>
#endif
