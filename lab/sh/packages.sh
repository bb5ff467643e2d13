# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
#
# The Debian packages that a native build needs: listed, and installed when root.
# shellcheck shell=bash

# packages_missing SECTION...: those not installed
packages_missing()
{
	local section p have

	# shellcheck disable=SC2016 # dpkg's own format
	have=" $(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null |
		awk '$1 == "ii" || $1 == "hi" { print $2 }' | tr '\n' ' ')"
	for section in "$@"; do
		for p in $(section "$section"); do
			case $have in *" $p "*) ;; *) echo "$p" ;; esac
		done
	done
}

# packages_install SECTION...
packages_install()
{
	local missing log

	missing=$(packages_missing "$@" | tr '\n' ' ')
	missing=${missing% }
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		die $LAB_E_PACKAGE "Debian packages are missing and only root can install them; run: apt-get install --no-install-recommends $missing"
	fi
	say "installing Debian packages: $missing"
	log=$(mktemp) || fail_io "cannot write a temporary file"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086 # package names are words
	if ! packages_apt "$log" install -y --no-install-recommends $missing; then
		# the machine's lists may be absent or stale
		say "reading the package lists of this machine"
		packages_apt "$log" update
		if ! packages_apt "$log" install -y --no-install-recommends $missing; then
			grep '^[EW]:' "$log" | tail -n 3 >&2
			if grep -qi 'no space left\|enough free space' "$log"; then
				rm -f "$log"
				die $LAB_E_DISK "disk full: the Debian packages could not be installed"
			fi
			if grep -q 'Failed to fetch\|Could not resolve\|nable to connect' "$log"; then
				rm -f "$log"
				die $LAB_E_NETWORK "no network: these Debian packages are missing and could not be fetched: $missing"
			fi
			rm -f "$log"
			die $LAB_E_PACKAGE "apt-get could not install: $missing (above: why)"
		fi
	fi
	rm -f "$log"
}

packages_apt()
{
	local log=$1 rc

	shift
	LC_ALL=C apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1 </dev/null &
	local pid=$! n=0
	while kill -0 $pid 2>/dev/null; do
		sleep 1
		n=$((n + 1))
		[ $((n % 5)) -ne 0 ] || say "  $(grep -E '^(Get:|Unpacking|Setting up|Fetched)' "$log" | tail -n 1 | cut -c -70)"
	done
	wait $pid
	rc=$?
	return $rc
}
