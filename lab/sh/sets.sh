# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
#
# Making the sets of the cache out of downloaded packages. Every function here works
# in a staging folder; the caller moves the result into place.
# shellcheck shell=bash

# unpack DIR OUT PATTERN...: unpacks the packages in DIR whose file names match
unpack()
{
	local dir=$1 out=$2 pattern f

	shift 2
	mkdir -p "$out" || return
	for pattern in "$@"; do
		for f in "$dir"/$pattern; do
			[ -e "$f" ] || continue
			dpkg-deb -x "$f" "$out" || return
		done
	done
}

# image_plain IN OUT: an arm64 Image, whatever it is wrapped in
image_plain()
{
	local in=$1 out=$2 tmp off len type

	case $(head -c 8 "$in" | od -An -tx1 | tr -d ' ') in
	1f8b*)
		gzip -dc "$in" >"$out" || return
		;;
	4d5a????7a696d67)	# EFI zboot: offset, length and compressor in its header
		off=$(od -An -tu4 -j8 -N4 "$in" | tr -d ' ')
		len=$(od -An -tu4 -j12 -N4 "$in" | tr -d ' ')
		type=$(dd if="$in" bs=1 skip=24 count=8 status=none | tr -d '\0')
		tmp=$out.z
		tail -c "+$((off + 1))" "$in" | head -c "$len" >"$tmp"
		case $type in
		gzip) gzip -dc "$tmp" >"$out" 2>/dev/null || [ -s "$out" ] ;;
		zstd*) zstd -dqc "$tmp" >"$out" ;;
		xz*) xz -dc "$tmp" >"$out" ;;
		*) false ;;
		esac || return
		rm -f "$tmp"
		;;
	*)
		cp "$in" "$out" || return
		;;
	esac
	[ "$(dd if="$out" bs=1 skip=56 count=4 status=none)" = ARMd ]
}

# module_find TREE NAME: the file of a module; - and _ are the same letter in names
module_find()
{
	find "$1" -type f -name "$(printf %s "$2" | sed 's/[-_]/[-_]/g').ko*" | head -n 1
}

# modules_take TREE OUT: the modules of lab/modules and their dependencies, plain and
# flat, with a list in loading order and a modules.dep for modprobe
modules_take()
{
	local tree=$1 out=$2 name

	mkdir -p "$out" && : >"$out/order" || return
	for name in $(sed 's/#.*//' "$LAB_DIR/modules"); do
		module_take "$tree" "$out" "$name" || return
	done
	awk '{ f = $1 ".ko:"; for (i = 2; i <= NF; i++) f = f " " $i ".ko"; print f }' \
		"$out/order" >"$out/modules.dep"
}

# module_take TREE OUT NAME: order gets a line "name dep dep..." (all dependencies,
# nearest last, as modules.dep wants them)
module_take()
{
	local tree=$1 out=$2 file base dep deps all=

	file=$(module_find "$tree" "$3")
	[ -n "$file" ] || return 0
	base=${file##*/}
	base=${base%%.ko*}
	[ -e "$out/$base.ko" ] && return 0
	case $file in
	*.xz) xz -dc "$file" ;;
	*.gz) gzip -dc "$file" ;;
	*.zst) zstd -dqc "$file" ;;
	*) cat "$file" ;;
	esac >"$out/$base.ko" || return
	deps=$(tr '\0' '\n' <"$out/$base.ko" | sed -n 's/^depends=//p' | tr ',' ' ')
	for dep in $deps; do
		module_take "$tree" "$out" "$dep" || return
		dep=$(awk -v d="$dep" 'BEGIN { gsub(/-/, "_", d) }
			{ n = $1; gsub(/-/, "_", n); if (n == d) { print; exit } }' "$out/order")
		all="$all $dep"
	done
	# shellcheck disable=SC2086 # the words are the point
	echo "$base" $(printf '%s\n' $all | awk '!seen[$0]++') >>"$out/order"
}

# headers_take ROOT OUT RELEASE: a kbuild tree that works wherever it lies
headers_take()
{
	local root=$1 out=$2 rel=$3 common kbuild

	common=$(find "$root/usr/src" -maxdepth 1 -name 'linux-headers-*-common' | head -n 1)
	kbuild=$(find "$root/usr/lib" -maxdepth 1 -name 'linux-kbuild-*' | head -n 1)
	[ -n "$common" ] && [ -n "$kbuild" ] || return
	rm -rf "$out"
	mv "$root/usr/src/linux-headers-$rel" "$out" &&
	mv "$common" "$out/common" &&
	mv "$kbuild" "$out/kbuild" || return
	find "$out/common/arch" -mindepth 1 -maxdepth 1 -type d ! -name arm ! -name arm64 -exec rm -rf {} + || return
	ln -sfn kbuild/scripts "$out/scripts" && ln -sfn kbuild/tools "$out/tools" &&
	ln -sfn ../kbuild/scripts "$out/common/scripts" && ln -sfn ../kbuild/tools "$out/common/tools" || return
	cat >"$out/Makefile" <<-'END' || return
	# works from wherever this folder lies
	fbk_headers := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
	KBUILD_OUTPUT := $(fbk_headers)
	include $(fbk_headers)/common/Makefile
	END
	cat >"$out/.kernelvariables" <<-END || return
	override ARCH = arm64
	override KERNELRELEASE = $rel
	CROSS_COMPILE ?= aarch64-linux-gnu-
	DEBIAN_KERNEL_NO_CC_VERSION_CHECK = y
	END
	hosttools_wrap "$out/kbuild"
}

# hosttools_wrap KBUILD: its programs may want a newer C library than this machine's:
# each runs through the loader unpacked beside it
hosttools_wrap()
{
	local kbuild=$1 f real

	find "$kbuild" -type f -perm -u+x ! -name '*.real-*' ! -name '*.so*' | while read -r f; do
		[ "$(head -c 4 "$f" | od -An -tx1 | tr -d ' ')" = 7f454c46 ] || continue
		real=$f.real-lsb-64	# the bi-arch programs keep one for each byte order
		[ -e "$real" ] || { real=$f.bin; mv "$f" "$real" || exit; }
		rm -f "$f"
		cat >"$f" <<-END && chmod 755 "$f" || exit
		#!/bin/sh
		me=\$(readlink -f "\$0")
		lib=\${me%/headers/kbuild/*}/headers/hostlib
		exec "\$lib/$LAB_LOADER" --library-path "\$lib" "\${me%/*}/${real##*/}" "\$@"
		END
	done
}

# hostlib_take ROOT OUT: the libraries for hosttools_wrap
hostlib_take()
{
	local root=$1 out=$2 lib

	mkdir -p "$out" || return
	for lib in "$LAB_LOADER" libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 \
		   libcrypto.so.3 libelf.so.1 libz.so.1 libzstd.so.1; do
		cp -L "$(find "$root" -name "$lib" | head -n 1)" "$out/$lib" || return
	done
}

# kernel_make DEBS STAGE HEADERS(yes|no): STAGE becomes a kernel set
kernel_make()
{
	local debs=$1 stage=$2 headers=$3 root=$2/.root image tree rel

	unpack "$debs" "$root" 'linux-image-*' 'linux-binary-*' 'linux-modules-*' || return
	image=$(find "$root" -type f -name 'vmlinuz*' | head -n 1)
	tree=$(find "$root" -type d -path '*/lib/modules/*/kernel' | head -n 1)
	[ -n "$image" ] && [ -n "$tree" ] || return
	rel=${tree%/kernel}
	rel=${rel##*/}
	echo "$rel" >"$stage/release" &&
	image_plain "$image" "$stage/Image" &&
	modules_take "$tree" "$stage/modules" || return
	if [ "$headers" = yes ]; then
		unpack "$debs" "$root" 'linux-headers-*' 'linux-kbuild-*' &&
		headers_take "$root" "$stage/headers" "$rel" &&
		mkdir "$root.host" &&
		unpack "$debs/host" "$root.host" '*.deb' &&
		hostlib_take "$root.host" "$stage/headers/hostlib" || return
	fi
	rm -rf "$root" "$root.host"
}

# userland_make DEBS STAGE
userland_make()
{
	unpack "$1" "$2/.root" '*.deb' &&
	cp "$2/.root/bin/busybox" "$2/busybox" || cp "$2/.root/usr/bin/busybox" "$2/busybox" || return
	chmod 755 "$2/busybox" && rm -rf "$2/.root"
}

# sysroot_make DEBS STAGE
sysroot_make()
{
	unpack "$1" "$2" '*.deb' && rm -rf "${2:?}/usr/share" || return
	slirp_build "$1/source" "$2"
}

# slirp_build SOURCE SYSROOT: libslirp.a, which Debian does not make; the header with its version is in the package that has the
# shared one. Without symbols for debuggers, which would be four fifths of it.
slirp_build()
{
	local tree=$1/slirp lib=$2/usr/lib/aarch64-linux-gnu f

	mkdir -p "$tree" && tar -xf "$(echo "$1"/libslirp_*.orig.tar.*)" -C "$tree" --strip-components=1 || return
	for f in "$tree"/src/*.c; do
		aarch64-linux-gnu-gcc -std=gnu99 -O2 -DG_LOG_DOMAIN='"Slirp"' -isystem "$2/usr/include/slirp" \
			-isystem "$2/usr/include/glib-2.0" -isystem "$lib/glib-2.0/include" -c "$f" -o "${f%.c}.o" || return
	done
	aarch64-linux-gnu-ar rcsD "$lib/libslirp.a" "$tree"/src/*.o
}

# bench_make DEBS STAGE: each program with the libraries that it loads, and nothing else of their packages
bench_make()
{
	local root=$2/.root lib=$2/lib/aarch64-linux-gnu todo file name

	unpack "$1" "$root" '*.deb' && mkdir -p "$lib" "$2/bin" &&
	cp "$root/usr/bin/qemu-system-aarch64" "$2/bin/" &&
	cp -L "$(find "$root" -name ld-linux-aarch64.so.1 | head -n 1)" "$2/lib/" || return
	todo=$2/bin/qemu-system-aarch64
	while [ -n "$todo" ]; do
		file=${todo%% *}
		todo=${todo#"$file"}
		todo=${todo# }
		for name in $(aarch64-linux-gnu-readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p'); do
			[ ! -e "$lib/$name" ] && [ ! -e "$2/lib/$name" ] || continue
			cp -L "$(find "$root" -name "$name" | head -n 1)" "$lib/$name" || return
			todo="$todo $lib/$name"
		done
	done
	rm -rf "$root"
}
