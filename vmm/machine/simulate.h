/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * simulate.h - a page of guest memory is made as bad as the host could find it, without a bad cell: what was in it is gone, and
 * the next access, by the guest or by a device, is one to poison. A host loses whole pages of its own: of memory in hugetlb all
 * that the huge page holds. Main thread; all vCPUs and devices are parked.
 */
#ifndef FBK_VMM_SIMULATE_H
#define FBK_VMM_SIMULATE_H

#include <firebreak/types.h>

struct fbk_monitor;

/* Where the host does not offer it, fbk_simulate() says so. Before a second thread runs. */
void fbk_simulate_open(struct fbk_monitor *m);

/* The host's page around @page. Errors: -ERANGE no guest memory; -EEXIST some of it is lost already; -EOPNOTSUPP this host cannot; others of the system calls. */
int fbk_simulate(struct fbk_monitor *m, struct fbk_gpa page);

/*
 * The page under a virtual address, as the vCPU's tables of the first stage say now. Errors: -EFAULT nothing is mapped there, or
 * the tables are none; negative errno of KVM_GET_ONE_REG.
 */
int fbk_simulate_find(struct fbk_monitor *m, unsigned int cpu, uint64_t address, struct fbk_gpa *ret);

#endif
