# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
#
# Ground of the lab's shell programs: messages, exit statuses, places.
# The statuses are those of lab/status.h; tests/lab compares the two.

# shellcheck shell=bash disable=SC2034
LAB_E_USAGE=200
LAB_E_NETWORK=201
LAB_E_DISK=202
LAB_E_PACKAGE=203
LAB_E_CORRUPT=204
LAB_E_SYSTEM=214

LAB_CACHE=${FIREBREAK_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/firebreak}
LAB_SETS=(bookworm trixie trixie-backports)

say()
{
	[ -n "${LAB_QUIET:-}" ] || printf 'lab: %s\n' "$*" >&2
}

warn()
{
	printf 'lab: %s\n' "$*" >&2
}

# die STATUS SENTENCE
die()
{
	local status=$1

	shift
	warn "$*"
	exit "$status"
}

# avail_mb DIR: free space of the file system of DIR, in MiB
avail_mb()
{
	local dir=$1

	while [ ! -d "$dir" ]; do
		dir=$(dirname "$dir")
	done
	df -Pm "$dir" | awk 'NR == 2 { print $4 }'
}

# fail_disk SENTENCE: something did not fit, whatever has been freed since
fail_disk()
{
	die $LAB_E_DISK "the disk of $LAB_CACHE is full ($(avail_mb "$LAB_CACHE") MB free now): $*"
}

# fail_io SENTENCE: something could not be written; says whether the disk is why
fail_io()
{
	local avail

	avail=$(avail_mb "$LAB_CACHE")
	if [ "${avail:-0}" -lt 16 ]; then
		fail_disk "$@"
	fi
	die $LAB_E_SYSTEM "$*"
}

# need_space MB: refuses to start what cannot be finished
need_space()
{
	local avail

	avail=$(avail_mb "$LAB_CACHE")
	if [ "$avail" -lt "$1" ]; then
		die $LAB_E_DISK "not enough disk space in $LAB_CACHE: $avail MB free, $1 MB needed (FIREBREAK_CACHE names another place)"
	fi
}

# end_tree PID: ends a process of ours and all below it
end_tree()
{
	local p

	for p in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		end_tree "$p"
	done
	kill "$1" 2>/dev/null
}

# section NAME: the packages of one section of lab/packages
section()
{
	awk -v s="$1" -v no="!$(dpkg --print-architecture)" '$1 == s && $3 != no { print $2 }' "$LAB_DIR/packages"
}
