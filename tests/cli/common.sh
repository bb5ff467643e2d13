# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
#
# What the tests of the commands share. Sourced with $1 the program; leaves the test in a fresh folder.

firebreak=$(realpath "${1:?usage: ... FIREBREAK}") || exit 1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
new=$(mktemp -d) || exit 1
trap 'rm -rf "$new"' EXIT
cd "$new" || exit 1

# Another Python may come first in PATH than the one that Debian's package belongs to.
for python in python3 /usr/bin/python3; do
	"$python" -c 'import jsonschema' 2>/dev/null && break
done
"$python" -c 'import jsonschema' || { echo "Bail out! python3-jsonschema is missing"; exit 1; }

number=0 failed=0
result() { # status name
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; failed=1; fi
}

# Ends with that status, within the time, and says that on either output. What it printed stays in out and err.
run() { # status words name arguments...
	local want=$1 words=$2 name=$3 got
	shift 3
	timeout 20 "$firebreak" "$@" >out 2>err </dev/null
	got=$?
	if [ "$got" -eq "$want" ] && grep -qF -- "$words" out err; then
		result 0 "$name"
	else
		echo "# status $got, not $want, or nothing about: $words"
		sed 's/^/# /' out err
		result 1 "$name"
	fi
}

# A word before a command that may not read everything; empty if that cannot be had.
unprivileged=
if [ "$(id -u)" -eq 0 ]; then
	setpriv --reuid 65534 --clear-groups true 2>/dev/null && unprivileged='setpriv --reuid 65534 --clear-groups'
fi

json_is() { # schema file name
	"$python" -W ignore - "$1" "$2" <<-'end' 2>&1 | sed 's/^/# /'
		import json, sys, jsonschema
		schema, instance = (json.load(open(p)) for p in sys.argv[1:])
		jsonschema.Draft202012Validator.check_schema(schema)
		jsonschema.Draft202012Validator(schema).validate(instance)
	end
	result "${PIPESTATUS[0]}" "$3"
}

finish() {
	echo "1..$number"
	exit $failed
}
