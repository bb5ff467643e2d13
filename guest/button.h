/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * button.h - the power button, as the kernel tells of it to an ACPI daemon (generic netlink, family "acpi_event").
 */
#ifndef FBK_GUEST_BUTTON_H
#define FBK_GUEST_BUTTON_H

/* Return: a descriptor that becomes readable with each ACPI event; -errno. */
int fbk_button_open(void);

/* Take one event. Return: 1: the power button was pressed; 0: something else. */
int fbk_button_pressed(int fd);

#endif
