# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
#
# A set is a folder of the cache that was made in one go and never changes: a kernel,
# the userland, the sysroot. MANIFEST holds the hash of each of its files, STAT what
# tells quickly that nothing was touched (size, time, link target).
# shellcheck shell=bash

# what the sets look like; sets of another layout are made anew
LAB_LAYOUT=1

manifest_stat()
{
	(cd "$1" && find . \( -name MANIFEST -o -name 'STAT*' \) -prune -o \
		! -type d -printf '%p %y %s %T@ %l\n' | LC_ALL=C sort)
}

# manifest_write DIR: closes a set
manifest_write()
{
	echo "$LAB_LAYOUT" >"$1/layout" &&
	(cd "$1" && find . -type f ! -name MANIFEST ! -name STAT -print0 | LC_ALL=C sort -z |
		xargs -0 -r sha256sum >MANIFEST) &&
	manifest_stat "$1" >"$1/STAT"
}

# manifest_check DIR [full]: is the set whole? Times that moved (a copied cache) are
# settled by the hashes.
manifest_check()
{
	local dir=$1

	[ -s "$dir/MANIFEST" ] && [ -s "$dir/STAT" ] || return 1
	[ "$(cat "$dir/layout" 2>/dev/null)" = "$LAB_LAYOUT" ] || return 1
	if [ "${2:-}" != full ] && manifest_stat "$dir" | cmp -s - "$dir/STAT"; then
		return 0
	fi
	(cd "$dir" && sha256sum --check --strict --status MANIFEST) 2>/dev/null || return 1
	# the same files and links, whatever their times
	[ "$(manifest_stat "$dir" | awk '{ print $1, $2, $5 }')" = \
	  "$(awk '{ print $1, $2, $5 }' "$dir/STAT")" ] || return 1
	# in one step: a cache that shares this file by a hard link, or a reader, never sees half of it
	manifest_stat "$dir" 2>/dev/null >"$dir/STAT.new" && mv "$dir/STAT.new" "$dir/STAT" || rm -f "$dir/STAT.new"
}
