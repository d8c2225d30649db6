#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The table of edges in contrib/doc/life-of-an-onion.md is the one of src/mirror/onion.c.
set -u
src=${top_srcdir:-$(dirname "$0")/..}
program=${top_builddir:-.}/tests/states/print-states
doc=$src/contrib/doc/life-of-an-onion.md
[ -x "$program" ] || { echo "not ok states: $program is not built"; exit 1; }
told=$(awk -F'|' '$2 ~ /^ [a-z]+ $/ && $3 ~ /^ [a-z]+ $/ && $2 !~ /^ (from|state) $/ { gsub(/ /, "", $2); gsub(/ /, "", $3); print $2, $3 }' "$doc" | sort)
coded=$("$program" | sort)
[ "$(echo "$coded" | wc -l)" -gt 10 ] || { echo "not ok states: the code has no edges"; exit 1; }
if [ "$told" != "$coded" ]; then
	echo "not ok states: $doc and src/mirror/onion.c differ:"
	for edge in $(echo "$told" | tr ' ' '-'); do
		echo "$coded" | grep -qx "$(echo "$edge" | tr '-' ' ')" || echo "  only in the document: $edge"
	done
	for edge in $(echo "$coded" | tr ' ' '-'); do
		echo "$told" | grep -qx "$(echo "$edge" | tr '-' ' ')" || echo "  only in the code: $edge"
	done
	exit 1
fi
echo "ok states: $(echo "$coded" | wc -l) edges, the same in document and code"
