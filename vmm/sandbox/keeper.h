/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * keeper.h - a PID namespace for the monitor: the process that was started becomes its keeper, which waits for it, passes signals on
 * and ends as it ends. [pid_namespaces(7)]: a process does not enter such a namespace, its next child does.
 */
#ifndef FBK_VMM_KEEPER_H
#define FBK_VMM_KEEPER_H

#include <sys/types.h>

/*
 * Call it while there is one thread and nothing that only one process may have. Who lacks the privilege gets the namespace in a user
 * namespace of its own, as by fbk_jail_namespaces().
 *
 * Return:  0: this is the first process of the new namespace; 1: this was the keeper, and *ret_status is how it is to exit (it dies of
 *          the signal that the monitor died of).
 * Errors:  negative errno; the process is to end: it may have the namespace for its children already.
 */
int fbk_keeper_split(int *ret_status);

/*
 * The keeper's end is this process's end, even by SIGKILL. The kernel forgets that when credentials change: call it again then.
 * Without a keeper nothing is done. Errors: -ESRCH: it has ended already.
 */
int fbk_keeper_bind(void);

/* Stop as by SIGSTOP, the keeper as well: the first process of a namespace does not stop by a signal of its own. */
void fbk_keeper_stop(void);

/* The number by which the host's /proc knows this process. */
pid_t fbk_keeper_host_pid(void);

#endif
