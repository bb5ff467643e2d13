#!/bin/sh
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
# Runs inside the lab; its output is the raw figures.
set -eu
cd /payload
# A line on the console would be counted as part of what is being measured.
dmesg -n 1
insmod sea_inject.ko
echo 0 >/sys/module/sea_inject/parameters/log
./sea-cost ./sea-inject
./gmem-cost
# Nor is the way of the monitor's account to that console: it goes to a file meanwhile.
r=0
./monitor ./firebreak ./sea-inject Image guest.cpio off.image 2>/tmp/account || r=$?
cat /tmp/account >&2
exit $r
