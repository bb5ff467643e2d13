# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
#
# Private apt roots: one a suite, each with its own sources, lists, status and cache
# below the lab's cache, so that this machine gets neither a foreign architecture nor
# a new suite. The archive's address is the one this machine already uses.
# shellcheck shell=bash

APT_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# apt_mirrors: candidate archive addresses, best first, one a line. An entry counts
# when it carries component main of a Debian suite under its plain name; whether it
# really is Debian is decided by the signature when its index is fetched.
apt_mirrors()
{
	local etc=${FIREBREAK_APT_ETC:-/etc/apt} f

	if [ -n "${FIREBREAK_MIRROR:-}" ]; then
		printf '%s\n' "$FIREBREAK_MIRROR"
		return
	fi
	{
		for f in "$etc"/sources.list "$etc"/sources.list.d/*.list; do
			[ -r "$f" ] && apt_mirrors_list <"$f"
		done
		for f in "$etc"/sources.list.d/*.sources; do
			[ -r "$f" ] && apt_mirrors_deb822 <"$f"
		done
	} | sed 's,/*$,,' | awk '
		/^cdrom:/ || seen[$0]++ { next }
		/\/debian$/ { print; next }
		{ later[n++] = $0 }
		END { for (i = 0; i < n; i++) print later[i] }'
}

APT_SUITES='^(bookworm|trixie|forky|sid|stable|oldstable|testing|unstable)$'

apt_mirrors_list()
{
	awk -v suites="$APT_SUITES" '
		{ sub(/#.*/, "") }
		$1 == "deb" {
			i = 2
			if ($i ~ /^\[/) {
				while (i <= NF && $i !~ /\]$/)
					i++
				i++
			}
			for (j = i + 2; j <= NF; j++)
				if ($(i + 1) ~ suites && $j == "main") {
					print $i
					break
				}
		}'
}

apt_mirrors_deb822()
{
	awk -v suites="$APT_SUITES" '
		function flush(   u, s, n, m, i, ok) {
			n = split(v["suites"], s)
			for (i = 1; i <= n; i++)
				if (s[i] ~ suites)
					ok = 1
			if (ok && v["enabled"] !~ /no|false/ &&
			    " " v["types"] " " ~ / deb / && " " v["components"] " " ~ / main /) {
				m = split(v["uris"], u)
				for (i = 1; i <= m; i++)
					print u[i]
			}
			split("", v)
		}
		/^#/ { next }
		/^[ \t]*$/ { flush(); next }
		/^[ \t]/ { v[key] = v[key] " " $0; next }
		{
			key = tolower($0)
			sub(/[ \t]*:.*/, "", key)
			val = $0
			sub(/^[^:]*:[ \t]*/, "", val)
			v[key] = val
		}
		END { flush() }'
}

# apt_root SUITE: where the private root of SUITE lives
apt_root()
{
	printf '%s/apt/%s\n' "$LAB_CACHE" "$1"
}

# apt_write_root SUITE MIRROR
apt_write_root()
{
	local suite=$1 mirror=$2 root signed='' arches='"arm64";'

	root=$(apt_root "$suite")
	[ "$LAB_HOST_ARCH" = arm64 ] || [ "$suite" = bookworm ] || arches="$arches \"$LAB_HOST_ARCH\";"
	mkdir -p "$root/state/lists/partial" "$root/cache/archives/partial" "$root/empty" "$root/log" || return
	[ -r "$APT_KEYRING" ] && signed=" [signed-by=$APT_KEYRING]"
	: >"$root/status" || return
	echo "deb$signed $mirror $suite main" >"$root/sources.list" || return
	{
		# the machine's way to the network: proxies, time-outs, client certificates
		apt-config dump 2>/dev/null | grep -E '^Acquire::(http|https|tor|Retries|Check-Valid-Until|ForceIPv[46])\b' || :
		cat <<-END
		APT::Architecture "arm64";
		#clear APT::Architectures;
		APT::Architectures { $arches };
		APT::Sandbox::User "root";
		APT::Update::Error-Mode "any";
		APT::Get::Assume-Yes "true";
		Acquire::Languages "none";
		Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
		Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
		Dir::Etc::main "$root/empty/apt.conf";
		Dir::Etc::parts "$root/empty";
		Dir::Etc::preferences "$root/empty/preferences";
		Dir::Etc::preferencesparts "$root/empty";
		Dir::Etc::sourcelist "$root/sources.list";
		Dir::Etc::sourceparts "$root/empty";
		Dir::State "$root/state";
		Dir::State::status "$root/status";
		Dir::Cache "$root/cache";
		Dir::Log "$root/log";
		END
	} >"$root/apt.conf"
}

# in_apt SUITE COMMAND...: runs an apt tool inside the private root of SUITE
in_apt()
{
	local suite=$1

	shift
	APT_CONFIG="$(apt_root "$suite")/apt.conf" LC_ALL=C "$@"
}

# apt_update SUITE: fetches the suite's index from the first address that has it,
# signed by Debian
apt_update()
{
	local suite=$1 mirror root

	root=$(apt_root "$suite")
	for mirror in $(apt_mirrors); do
		apt_write_root "$suite" "$mirror" || return
		if in_apt "$suite" apt-get -q -o Acquire::Retries=1 -o Acquire::http::Timeout=20 \
				-o Acquire::https::Timeout=20 update >"$root/log/update" 2>&1 &&
		   grep -qs '^Origin: Debian' "$root"/state/lists/*Release; then
			return 0
		fi
	done
	return 1
}

# apt_closure SUITE PACKAGE PATTERN: PACKAGE and what it depends on, directly or not,
# as far as the names match PATTERN; real packages only
apt_closure()
{
	local suite=$1 todo=$2 pattern=$3 seen=' ' p

	while [ -n "$todo" ]; do
		p=${todo%% *}
		todo=${todo#"$p"}
		todo=${todo# }
		case $seen in *" $p "*) continue ;; esac
		seen="$seen$p "
		echo "$p"
		todo="$todo $(in_apt "$suite" apt-cache depends --no-recommends --no-suggests \
			--no-conflicts --no-breaks --no-replaces --no-enhances "$p" 2>/dev/null |
			sed -n 's/^ *|*\(Pre\)*Depends: \([a-z0-9][^ :]*\).*/\2/p' |
			grep -E "$pattern" | tr '\n' ' ')"
		todo=${todo# }
		todo=${todo% }
	done
}

# apt_version SUITE PACKAGE: its version in the suite, nothing when it has none
apt_version()
{
	in_apt "$1" apt-cache show --no-all-versions "$2" 2>/dev/null | sed -n 's/^Version: //p' | head -n 1
}

# apt_fetch SUITE DIR PACKAGE...: downloads (apt checks the hashes) into DIR
apt_fetch()
{
	local suite=$1 dir=$2

	shift 2
	mkdir -p "$dir" || return
	(cd "$dir" && in_apt "$suite" apt-get -q download "$@") >>"$dir/log" 2>&1
}

# apt_size SUITE PACKAGE...: bytes to download
apt_size()
{
	local suite=$1

	shift
	in_apt "$suite" apt-get -q download --print-uris "$@" 2>/dev/null | awk '{ n += $3 } END { print n + 0 }'
}

# apt_source SUITE DIR PACKAGE...: downloads source packages (apt checks the hashes) into DIR; their index is read for that alone
apt_source()
{
	local suite=$1 dir=$2 root

	shift 2
	root=$(apt_root "$suite")
	mkdir -p "$dir" "$root/source-lists/partial" || return
	sed 's/^deb\b/deb-src/' "$root/sources.list" >"$root/source.list" || return
	set -- "$suite" apt-get -q -o Dir::Etc::sourcelist="$root/source.list" -o Dir::State::lists="$root/source-lists" "$@"
	(cd "$dir" && in_apt "${@:1:7}" update && in_apt "${@:1:7}" source --download-only "${@:8}") >>"$dir/log" 2>&1
}
