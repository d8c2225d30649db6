#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The two tables of contrib/doc/life-of-an-onion.md, states and edges, are those of src/mirror/onion.c.
set -u
src=${top_srcdir:-$(dirname "$0")/..}
program=${top_builddir:-.}/tests/states/print-states
doc=$src/contrib/doc/life-of-an-onion.md
[ -x "$program" ] || { echo "not ok states: $program is not built"; exit 1; }
# A state is a line with one word, an edge one with two.
told=$(awk -F'|' '
	$2 ~ /^ `[a-z]+` $/ { gsub(/[ `]/, "", $2); print $2 }
	$2 ~ /^ [a-z]+ $/ && $3 ~ /^ [a-z]+ $/ && $2 !~ /^ (from|state) $/ { gsub(/ /, "", $2); gsub(/ /, "", $3); print $2, $3 }' "$doc" | sort)
coded=$("$program" | sort)
edges=$(echo "$coded" | grep -c ' ')
[ "$edges" -gt 10 ] || { echo "not ok states: the code has no edges"; exit 1; }
if [ "$told" != "$coded" ]; then
	echo "not ok states: $doc and src/mirror/onion.c differ:"
	echo "$told" | grep -vxF "$coded" | sed 's/^/  only in the document: /'
	echo "$coded" | grep -vxF "$told" | sed 's/^/  only in the code: /'
	echo "$told" | uniq -d | sed 's/^/  twice in the document: /'
	exit 1
fi
echo "ok states: $(($(echo "$coded" | wc -l) - edges)) states and $edges edges, the same in document and code"
