#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The units for systemd: it finds no fault in them, they are as confined as they can be, name what is installed, and no
# name that they use was forgotten.
set -u
src=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
build=$(cd "${top_builddir:-$src}" && pwd) || exit 1
command -v systemd-analyze > /dev/null || { echo "skip systemd: no systemd-analyze"; exit 77; }
[ -x "$build/onionmirrord" ] || { echo "skip systemd: no onionmirrord"; exit 77; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0
fail() { echo "not ok systemd: $*"; failed=1; }

made=$build/contrib/systemd
if grep -n '@[a-z]*@' "$made"/onionmirrord.service "$made"/onionmirrord@.service "$made"/onionmirror.tmpfiles; then
	fail "a name is left in what was made"
fi
# The programs of the build in place of those that would be installed: verify looks whether they are there.
for unit in onionmirrord.service onionmirrord@.service; do
	sed "s,^\(Exec[A-Za-z]*=\)[^ ]*/\(onionmirrord*\),\1$build/\2," "$made/$unit" > "$tmp/$unit"
done
cp "$src/contrib/systemd/onionmirrord-metrics.socket" "$tmp/"
cp "$tmp/onionmirrord@.service" "$tmp/onionmirrord@news.service"
for unit in onionmirrord.service onionmirrord@news.service onionmirrord-metrics.socket; do
	if ! systemd-analyze verify --man=no "$tmp/$unit" > "$tmp/out" 2>&1 || grep -q "$tmp" "$tmp/out"; then
		cat "$tmp/out"
		fail "systemd-analyze verify $unit"
	fi
done
# In tenths: 20 is an exposure of 2.0, which systemd calls OK.
for unit in onionmirrord.service onionmirrord@news.service; do
	if ! systemd-analyze security --offline=true --no-pager --threshold=20 "$tmp/$unit" > "$tmp/out" 2>&1; then
		grep -E '✗|Overall' "$tmp/out"
		fail "$unit is more exposed than it has to be"
	fi
done
[ $failed = 1 ] || echo "ok systemd: $(grep -c . "$tmp/onionmirrord.service") lines, $(sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/exposure \1/p' "$tmp/out")"
exit $failed
