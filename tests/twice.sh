# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
#
# twice CONSOLE OUTPUT COMMAND...: a lab's command, its output into a file; and once more, if the lab has stood still. One of its
# emulated processors has been seen to execute nothing any more (in bare guests' labs, once in some dozens of runs), which the other
# one's kernel calls a hard LOCKUP if it looks for such, and the lab a timeout. It is told, with the processors' places. To be
# sourced. Status: the last command's.
twice() {
	# names of its own: the command may be a function of the script, and sees them
	local twice_log=$1 twice_output=$2 twice_status; shift 2
	"$@" >"$twice_output" 2>&1
	twice_status=$?
	[ "$twice_status" -eq 208 ] || { [ "$twice_status" -ne 0 ] && grep -qs 'Watchdog detected hard LOCKUP' "$twice_log"; } ||
		return $twice_status
	mv "$twice_log" "$twice_log.stuck"
	mv "$twice_output" "$twice_output.stuck"
	"$@" >"$twice_output" 2>&1
	twice_status=$?
	{
		echo "# the lab before this one stood still: $twice_log.stuck, $twice_output.stuck"
		tail -n 1 "$twice_output.stuck" | sed 's/^/# its last line: /'
		grep -aE '^ PC=|^PSTATE=' "$twice_log.stuck" | sed 's/^/# /'
	} >>"$twice_output"
	return $twice_status
}
