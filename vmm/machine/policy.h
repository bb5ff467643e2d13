/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * policy.h - a policy's file.
 */
#ifndef FBK_VMM_POLICY_H
#define FBK_VMM_POLICY_H

#include <firebreak/policy.h>

/**
 * fbk_policy_load - read a policy from a regular file
 * @what: the option or command in whose name trouble is told on standard error
 *
 * Return: enum fbk_exit, told; 0: done.
 */
int fbk_policy_load(const char *what, const char *path, struct fbk_policy *ret);

#endif
