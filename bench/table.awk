# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
# Raw figures to a table with ratios and aims. A figure that is missing ends the run.
function need(key) { if (!(key in v)) { print "bench: no figure for " key > "/dev/stderr"; missing = 1; exit 1 } return v[key] }
function row(what, figure, unit, aim, met) { printf "%-46s %10s %-18s %-12s %s\n", what, figure, unit, aim, met ? "met" : "MISSED" }
# The best of several is kept: what repeats is the same work, and only a disturbance makes it longer.
$1 ~ /^(bare|library|library\+ghes|boot|start-and-end|resident|touch)$/ { if (!($1 in v) || $2 < v[$1]) { v[$1] = $2; more[$1] = $3 } }
END {
	if (missing) exit 1
	bare = need("bare"); lib = need("library"); ghes = need("library+ghes")
	printf "%-46s %10s %-18s %-12s\n", "what", "figure", "unit", "aim"
	printf "%-46s %10d %-18s\n", "SEA handled: bare handler", bare, "instructions"
	printf "%-46s %10d %-18s\n", "SEA handled: libfirebreak, no notification", lib, "instructions"
	row("", sprintf("%.2f", lib / bare), "x bare", "<= 1.30", lib / bare <= 1.3)
	printf "%-46s %10d %-18s\n", "SEA handled: libfirebreak, GHES record", ghes, "instructions"
	row("", sprintf("%.2f", ghes / bare), "x bare", "<= 2.00", ghes / bare <= 2)
	row("exec to guest init (256 MiB, 1 vCPU)", sprintf("%.3f", need("boot")), "virtual s", "<= 0.86", v["boot"] <= 0.86)
	printf "%-46s %10.3f %-18s\n", "  of it the monitor's own start and end", need("start-and-end"), "virtual s"
	printf "%-46s %10.3f %-18s\n", "exec to exit", more["boot"], "virtual s"
	row("resident beyond guest memory", sprintf("%.2f", need("resident") / 1000), "MB", "<= 1.2", v["resident"] <= 1200)
	row("touch to SIGBUS handler in the guest", sprintf("%.3f", need("touch") / 1e6), "virtual ms", "<= 0.13", v["touch"] <= 130000)
}
