# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
#
# Sources of kernels in the cache: sources/PACKAGE/VERSION/ with Debian's archive of them (linux.tar.xz) and, once it
# was needed, the tree out of it. Trees that are built in share its files by hard links.
# shellcheck shell=bash

# what no kernel here is built from, and what takes half of the room
SOURCES_LEFT_OUT=('*/drivers/gpu/drm/amd/include' '*/boot/dts' '*/Documentation/devicetree' '*/Documentation/translations')

# sources_pattern SERIES-DIR: the names of the packages that it may be built from
sources_pattern()
{
	local v

	case ${1##*/linux-} in
	*.x) v=${1##*/linux-}; echo "linux-source-${v%.x}\.[0-9]*" ;;
	*) echo "linux-source-${1##*/linux-}" ;;
	esac
}

# sources_suite SERIES-DIR: long-term kernels are in the stable suite, the moving one in its backports
sources_suite()
{
	case $1 in
	*.x) echo trixie-backports ;;
	*) echo trixie ;;
	esac
}

# sources_cached PATTERN: "PACKAGE VERSION", the newest that is in the cache
sources_cached()
{
	(cd "$LAB_CACHE/sources" 2>/dev/null && find . -mindepth 3 -maxdepth 3 -name linux.tar.xz -printf '%P\n') |
		sed -n "s,^\($1\)/\(.*\)/linux.tar.xz\$,\1 \2,p" | sort -V | tail -n 1
}

# sources_offered SUITE PATTERN: "PACKAGE VERSION", the newest of the archive
sources_offered()
{
	local p

	p=$(in_apt "$1" apt-cache pkgnames linux-source- 2>/dev/null | grep -x "$2" | sort -V | tail -n 1)
	[ -z "$p" ] || echo "$p $(apt_version "$1" "$p")"
}

# sources_find SERIES-DIR: sets package, version, base_version and sources; fetches what is not in the cache
sources_find()
{
	local pattern suite found

	pattern=$(sources_pattern "$1")
	suite=$(sources_suite "$1")
	read -r _ base_version <"$1/BASE"
	found=$(sources_cached "$pattern")
	if [ -z "$found" ] || [ -n "${opt_update:-}" ]; then
		(
			exec 9>"$LAB_CACHE/lock" || fail_io "cannot write to $LAB_CACHE"
			flock 9
			sources_fetch "$suite" "$pattern"
		) || exit
		found=$(sources_cached "$pattern")
	fi
	read -r package version <<<"$found"
	sources=$LAB_CACHE/sources/$package/$version
}

# sources_fetch SUITE PATTERN
sources_fetch()
{
	local suite=$1 offered p v stage=$LAB_CACHE/stage.$BASHPID deb

	# shellcheck disable=SC2064 # what the names are now: they are gone when the trap runs
	trap "rm -rf '$stage' '$LAB_CACHE/apt'" EXIT
	command -v apt-get >/dev/null || die $LAB_E_SYSTEM "apt-get is missing: the sources are fetched from a Debian archive"
	[ -n "$(apt_mirrors)" ] || die $LAB_E_SYSTEM "the apt sources of this machine name no Debian archive; set FIREBREAK_MIRROR to the address of one"
	say "reading the index of $suite"
	apt_update "$suite" 9>&- ||
		die $LAB_E_NETWORK "no network: the sources ${2//\\/} of $suite cannot be looked for ($(grep -m 1 '^[EW]:' "$(apt_root "$suite")/log/update" | cut -c 4-163))"
	offered=$(sources_offered "$suite" "$2")
	[ -n "$offered" ] || die $LAB_E_SYSTEM "the index of $suite has no package ${2//\\/}"
	read -r p v <<<"$offered"
	[ ! -e "$LAB_CACHE/sources/$p/$v/linux.tar.xz" ] || return 0
	need_space 8000
	say "fetching $p $v ($(($(apt_size "$suite" "$p") / 1000000)) MB)"
	mkdir -p "$stage/set" || fail_io "cannot write to $LAB_CACHE"
	apt_fetch "$suite" "$stage/debs" "$p" 9>&- ||
		die $LAB_E_NETWORK "$p could not be fetched: $(grep -m 1 '^E:' "$stage/debs/log" | cut -c 4-163)"
	deb=$(echo "$stage"/debs/*.deb)
	# the package's own time is the build's
	dpkg-deb --fsys-tarfile "$deb" | tar -x -O -f - --wildcards '*/linux-source-*.tar.xz' >"$stage/set/linux.tar.xz" &&
	dpkg-deb --fsys-tarfile "$deb" | LC_ALL=C TZ=UTC tar -t -v -f - --wildcards '*/linux-source-*.tar.xz' | awk '{ print $4, $5 }' >"$stage/set/date" &&
	mkdir -p "$LAB_CACHE/sources/$p" && mv "$stage/set" "$LAB_CACHE/sources/$p/$v" || fail_io "cannot unpack $p"
}

# sources_unpack: the tree of $sources
sources_unpack()
{
	local x args=()

	[ ! -e "$sources/tree/MAINTAINERS" ] || return 0
	exec 9>"$sources.lock" && flock 9 || fail_io "cannot write to $sources.lock"
	[ ! -e "$sources/tree/MAINTAINERS" ] || { exec 9>&-; return 0; }
	say "unpacking $package $version"
	need_space 6000
	for x in "${SOURCES_LEFT_OUT[@]}"; do
		args+=("--exclude=$x")
	done
	rm -rf "$sources/tree" "$sources/tree.part"
	mkdir -p "$sources/tree.part" &&
	tar -x -J -f "$sources/linux.tar.xz" -C "$sources/tree.part" --strip-components=1 "${args[@]}" &&
	mv "$sources/tree.part" "$sources/tree" || fail_io "cannot unpack $package $version"
	exec 9>&-
}

# sources_prune: all but the newest of each package that a series is built from
sources_prune()
{
	local series keep=' ' dir

	for series in "$KERNEL_DIR"/linux-*/; do
		series=${series%/}
		keep="$keep$(sources_cached "$(sources_pattern "$series")" | tr ' ' /) "
	done
	for dir in "$LAB_CACHE"/sources/*/*/; do
		dir=${dir%/}
		[ -d "$dir" ] || continue
		case "$keep" in *" ${dir#"$LAB_CACHE/sources/"} "*) continue ;; esac
		say "removing $dir"
		rm -rf "$dir"
	done
}
