# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
# Raw figures to a table with ratios and aims. A figure that is missing ends the run.
function need(key) { if (!(key in v)) { print "bench: no figure for " key > "/dev/stderr"; missing = 1; exit 1 } return v[key] }
function row(what, figure, unit, aim, met) { printf "%-46s %10s %-18s %-12s %s\n", what, figure, unit, aim, met ? "met" : "MISSED" }
# The best of several is kept: what repeats is the same work, and only a disturbance makes it longer.
$1 == "step" { step[$2, $3] = $4 }
$1 == "ledger" { v[$2] = $3 }
$1 ~ /^gmem-/ { plain[$1, $2] = $3; v[$1 "," $2] = $4; }
$1 ~ /^(bare|library|library\+ghes)$/ && !(($1 "-user") in v && v[$1 "-user"] <= $5) { v[$1 "-user"] = $5 }
$1 ~ /^(ordinary|ordinary\+library|bare|library|library\+ghes|boot|start-and-end|resident|touch)$/ { if (!($1 in v) || $2 < v[$1]) { v[$1] = $2; more[$1] = $3 } }
END {
	if (missing) exit 1
	bare = need("bare"); lib = need("library"); ghes = need("library+ghes")
	printf "%-46s %10s %-18s %-12s\n", "what", "figure", "unit", "aim"
	printf "%-46s %10d %-18s\n", "SEA handled: bare handler", bare, "instructions"
	printf "%-46s %10d %-18s\n", "SEA handled: libfirebreak, no notification", lib, "instructions"
	row("", sprintf("%.2f", lib / bare), "x bare", "<= 1.30", lib / bare <= 1.3)
	printf "%-46s %10d %-18s\n", "SEA handled: libfirebreak, GHES record", ghes, "instructions"
	row("", sprintf("%.2f", ghes / bare), "x bare", "<= 2.00", ghes / bare <= 2)
	print "  its steps, the system calls in them included: no notification, GHES record"
	n = split("inspect notify record retire replay", names, " ")
	for (i = 1; i <= n; i++)
		if (step["library", names[i]] + step["library+ghes", names[i]])
			printf "%-46s %10d %-18s %d\n", "    " names[i], step["library", names[i]], "instructions", step["library+ghes", names[i]]
	printf "%-46s %10d %-18s\n", "  in user space: bare handler", need("bare-user"), "instructions"
	row("  in user space: no notification", need("library-user"), "instructions", "<= 500", v["library-user"] <= 500)
	row("  in user space: GHES record", need("library+ghes-user"), "instructions", "<= 2000", v["library+ghes-user"] <= 2000)
	printf "%-46s %10d %-18s\n", "device access, no error: without firebreak", need("ordinary"), "instructions"
	row("device access, no error: with it", need("ordinary+library"), "instructions", "<= 1.00 x", v["ordinary+library"] <= v["ordinary"] * 1.005)
	split("8 64 512 4096 65536", len, " ")
	for (i = 1; i in len; i++)
		printf "%-46s %10.1f %-18s %s\n", "read " len[i] " bytes of guest memory", need("gmem-read," len[i]), "instructions", sprintf("%.2f x checked memcpy (%.1f)", v["gmem-read," len[i]] / plain["gmem-read", len[i]], plain["gmem-read", len[i]])
	row("exec to guest init (256 MiB, 1 vCPU)", sprintf("%.3f", need("boot")), "virtual s", "<= 0.86", v["boot"] <= 0.86)
	printf "%-46s %10.3f %-18s\n", "  of it the monitor's own start and end", need("start-and-end"), "virtual s"
	printf "%-46s %10.3f %-18s\n", "exec to exit", more["boot"], "virtual s"
	row("resident beyond guest memory", sprintf("%.2f", need("resident") / 1000), "MB", "<= 1.2", v["resident"] <= 1200)
	row("touch to SIGBUS handler in the guest", sprintf("%.3f", need("touch") / 1e6), "virtual ms", "<= 0.13", v["touch"] <= 130000)
	print "by the clock of this machine, its disk included:"
	printf "%-46s %10d %-18s\n", "look up among 10 pages", need("lookup among 10 pages"), "ns"
	printf "%-46s %10d %-18s\n", "look up among 1000 pages", need("lookup among 1000 pages"), "ns"
	row("look up among 1000000 pages", need("lookup among 1000000 pages"), "ns", "<= 100", v["lookup among 1000000 pages"] <= 100)
	row("memory for 1000000 pages", need("memory for 1000000 pages"), "bytes a page", "<= 32", v["memory for 1000000 pages"] <= 32)
	printf "%-46s %10d %-18s %s\n", "append to the ledger, synced", need("append, synced"), "ns", sprintf("%.0f x not synced (%d)", v["append, synced"] / need("append, not synced"), v["append, not synced"])
	printf "%-46s %10d %-18s\n", "compact 1000000 pages", need("compact, 1000000 pages"), "ms"
	printf "%-46s %10d %-18s\n", "open and load 1000000 pages", need("open and load, 1000000 pages"), "ms"
}
