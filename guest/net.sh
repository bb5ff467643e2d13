#!/bin/sh
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
#
# What scenarios ask of a guest's network, done by busybox. Each order is answered in the kernel's log: "net[PID]: ...".
#
#   net up                 an address by DHCP              -> "net[N]: up address=A mac=M mtu=N"
#   net static ADDR/LEN    that address                    -> the same
#   net get ADDR PORT      all that is sent there          -> "net[N]: got bytes=N md5=..."
#   net put ADDR PORT MIB  random bytes to there           -> "net[N]: put bytes=N md5=..."
#   net serve DIR          a web server on port 80, which goes on -> "net[N]: serving"
#   net rebind             the driver off the card, and on it again -> "net[N]: rebound"
export PATH=/bin
me=$$

say() {
	echo "net[$me]: $*" >/dev/kmsg
}

b() {
	/bin/busybox "$@"
}

told() {
	say "up address=$(b ip -4 -o addr show dev eth0 | b sed -n 's,.* inet \([0-9.]*\)/.*,\1,p') mac=$(b cat /sys/class/net/eth0/address) mtu=$(b cat /sys/class/net/eth0/mtu)"
}

sum() { # file
	echo "bytes=$(b stat -c %s "$1") md5=$(b md5sum "$1" | b cut -c 1-32)"
}

case $1 in
up)
	b ip link set lo up
	b ip link set eth0 up
	b udhcpc -i eth0 -n -q -f -t 20 -T 1 -s /bin/net-lease >/dev/null 2>&1 || say "REFUSED an address"
	told
	;;
static)
	b ip link set eth0 up
	b ip addr add "$2" dev eth0
	told
	;;
get)
	# An end of input would be the other side's, too, and end the connection.
	b mkfifo /tmp/nothing.$me
	b nc "$2" "$3" <>/tmp/nothing.$me >/tmp/net.$me
	say "got $(sum /tmp/net.$me)"
	b rm /tmp/net.$me /tmp/nothing.$me
	;;
put)
	b dd if=/dev/urandom of=/tmp/net.$me bs=1M count="$4" 2>/dev/null
	say "put $(sum /tmp/net.$me)"
	b nc "$2" "$3" </tmp/net.$me
	b rm /tmp/net.$me
	;;
serve)
	say "serving"
	exec /bin/busybox httpd -f -p 80 -h "$2"
	;;
rebind)
	card=$(b basename "$(b readlink /sys/class/net/eth0/device)")
	echo "$card" >/sys/bus/virtio/drivers/virtio_net/unbind
	echo "$card" >/sys/bus/virtio/drivers/virtio_net/bind
	say "rebound"
	;;
esac
