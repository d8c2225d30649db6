#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# No function of src above 80 lines, from its opening to its closing brace, and no file above 600.
set -u
cd "${top_srcdir:-$(dirname "$0")/..}" || exit 1
files=$(find src include -name '*.[ch]' | sort)
[ "$(echo "$files" | wc -l)" -gt 20 ] || { echo "not ok sizes: no sources found"; exit 1; }
awk '
function bad(text) { print "not ok sizes: " text; failed = 1 }
FNR == 1 { if (lines > 600) bad(file ": " lines " lines"); body = 0; head = "" }
{ file = FILENAME; lines = FNR }
/^[a-z_].*\(/ { head = $0; sub(/\(.*/, "", head) }
/^\{/ { body = FNR }
/^\}/ && body {
	functions++
	length_of = FNR - body + 1
	if (length_of > longest) { longest = length_of; where = FILENAME ": " head }
	if (length_of > 80) bad(FILENAME ":" body ": " head " has " length_of " lines")
	body = 0
}
END {
	if (lines > 600) bad(file ": " lines " lines")
	if (functions < 100) bad("only " functions + 0 " functions found")
	if (!failed) print "ok sizes: " functions " functions, the longest has " longest " lines (" where ")"
	exit failed
}' $files
