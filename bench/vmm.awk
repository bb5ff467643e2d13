# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
# Raw figures of two monitors to a table. A figure that is missing ends the run.
function need(monitor, key) {
	if (!((monitor, key) in v)) { print "bench: no figure for " key " of " monitor > "/dev/stderr"; missing = 1; exit 1 }
	return v[monitor, key]
}
# @more: is more better? @most: an aim beside being ahead, or "".
function row(what, key, unit, digits, scale, more, most,    a, b, ahead, met) {
	a = need("firebreak", key) / scale; b = need("qemu", key) / scale
	ahead = more ? a / b : b / a
	met = ahead > 1 && (most == "" || a <= most)
	printf "%-42s %10.*f %10.*f %-11s %6.2f x   %s\n", what, digits, a, digits, b, unit, ahead, (met ? "met" : "MISSED") (most == "" ? "" : " (<= " most ")")
}
$2 == "version" { version = $3; next }
{ v[$1, $2] = $3 }
END {
	if (missing) exit 1
	printf "%-42s %10s %10s %-11s %8s   %s\n", "what", "firebreak", "QEMU " version, "unit", "ahead by", "aim: ahead"
	row("exec to guest init (256 MiB, 1 vCPU)", "init", "virtual s", 3, 1, 0, 0.86)
	row("  without tests of its ciphers", "init-untested", "virtual s", 3, 1, 0, "")
	row("exec to exit", "end", "virtual s", 3, 1, 0, "")
	row("resident beyond guest memory: idle", "resident-idle", "MB", 2, 1000, 0, 2)
	row("  after the work below", "resident", "MB", 2, 1000, 0, 2)
	row("device access, to the monitor and back", "exit", "virtual us", 2, 1000, 0, "")
	open = need("firebreak", "exit-open") / 1000; on = need("firebreak", "exit") / 1000
	printf "%-42s %10.2f %10s %-11s          its filter: %.2f us, %.1f %% of the access\n", "  with --sandbox=off", open, "", "virtual us", on - open, 100 * (on - open) / on
	row("4 KiB random read", "read-4k", "virtual us", 1, 1000, 0, "")
	row("  16 in flight", "read-4k-deep", "virtual us", 1, 1000, 0, "")
	row("4 KiB random write", "write-4k", "virtual us", 1, 1000, 0, "")
	row("  16 in flight", "write-4k-deep", "virtual us", 1, 1000, 0, "")
	row("sequential read, 128 KiB", "read-seq", "MB/s", 0, 1, 1, "")
	row("  16 in flight", "read-seq-deep", "MB/s", 0, 1, 1, "")
	row("sequential write, 128 KiB", "write-seq", "MB/s", 0, 1, 1, "")
	row("  16 in flight", "write-seq-deep", "MB/s", 0, 1, 1, "")
	row("TCP round trip, user-mode network", "round-trip", "virtual us", 1, 1000, 0, "")
	row("TCP to the host", "send", "MB/s", 1, 1, 1, "")
	row("TCP from the host", "receive", "MB/s", 1, 1, 1, "")
}
