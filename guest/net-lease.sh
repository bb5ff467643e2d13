#!/bin/sh
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
#
# What udhcpc calls with a lease.
[ "$1" = bound ] || exit 0
/bin/busybox ip addr add "$ip/$mask" dev "$interface"
/bin/busybox ip route add default via "$router"
