/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * ledger.h - the set of poisoned guest pages: source, count, first and last time, state.
 */
#ifndef FIREBREAK_LEDGER_H
#define FIREBREAK_LEDGER_H
/* TO BE DESIGNED (caller-provided storage, lock-free lookup) */
#include <firebreak/types.h>
#define FBK_LEDGER_DEFAULT_PAGES 4096
struct fbk_ledger;
#endif
