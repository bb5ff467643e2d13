/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * control.h - the control API of --api on a running machine. All of it does nothing without.
 */
#ifndef FBK_VMM_CONTROL_H
#define FBK_VMM_CONTROL_H

struct fbk_monitor;
struct fbk_control;

/* Sockets and all memory, before a second thread runs; the road is open. Return: enum fbk_exit, told; 0: done. */
int fbk_control_open(struct fbk_monitor *m);

/* The API's thread: no client can hold up another one. Return: as above. */
int fbk_control_start(struct fbk_monitor *m);

/* Main thread, in each turn: do what was asked for. */
void fbk_control_tend(struct fbk_monitor *m);

/* The last answers, the thread's end, and the sockets' files removed. Any number of times. */
void fbk_control_close(struct fbk_monitor *m);

#endif
