/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * The lab's interface without a lab: on an arm64 machine with KVM the payload runs
 * right there.
 */
#ifndef FBK_LAB_NATIVE_H
#define FBK_LAB_NATIVE_H

#include "options.h"

/**
 * fbk_lab_native - run the payload on this machine
 * @opt: command line
 *
 * Return: the exit status of the program: the payload's, or one of enum fbk_lab_status.
 */
int fbk_lab_native(const struct fbk_lab_options *opt);

#endif
