#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The table of src/daemon/metrics.c is that of onionmirror-metrics(7), and rules and dashboard name nothing else.
set -u
src=${top_srcdir:-$(dirname "$0")/..}
program=${top_builddir:-.}/tests/metrics/print-metrics
page=$src/src/daemon/onionmirror-metrics.7
[ -x "$program" ] || { echo "not ok metrics: $program is not built"; exit 1; }
failed=0
coded=$("$program")
[ "$(echo "$coded" | wc -l)" -ge 20 ] || { echo "not ok metrics: the code has no table"; exit 1; }

# ".It Ic NAME Brq Ar label , Ar label", and the type is the first word of the next line.
told=$(awk '
$1 == ".It" && $2 == "Ic" && $3 ~ /^(onionmirror|onion_service)_/ {
	labels = ""
	for (i = 4; i <= NF; i++)
		if ($i !~ /^(Brq|Ar|,)$/) labels = labels " " $i
	name = $3
	next
}
name != "" { sub(/[.,:].*/, "", $1); print name, tolower($1) labels; name = "" }' "$page")
if [ "$told" != "$coded" ]; then
	echo "not ok metrics: $page and src/daemon/metrics.c differ (names, types, labels, order):"
	printf '%s\n' "$told" > told.$$
	printf '%s\n' "$coded" > coded.$$
	diff told.$$ coded.$$ | sed -n 's/^</  only in the page:/p; s/^>/  only in the code:/p'
	rm -f told.$$ coded.$$
	failed=1
else
	echo "ok metrics: $(echo "$coded" | wc -l) of them, the same in page and code"
fi

names=$(echo "$coded" | awk '{ print $1 } $2 == "histogram" { print $1 "_bucket"; print $1 "_sum"; print $1 "_count" }')
for file in contrib/prometheus/onionmirror.rules.yml contrib/prometheus/onionmirror.rules.test.yml contrib/grafana/onionmirror.json; do
	used=$(grep -oE '\b(onionmirror|onion_service)_[a-z_]+' "$src/$file" | sort -u)
	[ "$(echo "$used" | wc -l)" -ge 8 ] || { echo "not ok metrics: $file names hardly any"; failed=1; continue; }
	wrong=0
	for name in $used; do
		echo "$names" | grep -qx "$name" || { echo "not ok metrics: $file names $name, which there is not"; wrong=1; failed=1; }
	done
	[ $wrong = 1 ] || echo "ok metrics: $(echo "$used" | wc -l) names in $file"
done
exit $failed
