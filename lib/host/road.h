/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/* road.h - what the road of one error wants done beforehand. */
#ifndef FBK_HOST_ROAD_H
#define FBK_HOST_ROAD_H

#include <firebreak/vm.h>

/* The vCPU's first SEA exit will be of the most common kind, if it is to cost no more than the next. */
void fbk_road_expect(struct fbk_vcpu *vcpu);

#endif
