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
# exposed UNIT MOST: in tenths, 5 is an exposure of 0.5; systemd calls what is below 2.0 safe.
exposed() {
	if ! systemd-analyze security --offline=true --no-pager --threshold="$2" "$tmp/$1" > "$tmp/out" 2>&1; then
		grep -E '✗|Overall' "$tmp/out"
		fail "$1 is more exposed than it has to be"
	fi
	exposure=$(sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p' "$tmp/out")
}
exposed onionmirrord@news.service 5
exposed onionmirrord.service 5
alone=$exposure
# With the drop-in for ports of loopback.
mkdir "$tmp/onionmirrord.service.d"
cp "$src/contrib/systemd/loopback.conf" "$tmp/onionmirrord.service.d/"
exposed onionmirrord.service 11
[ "$exposure" != "$alone" ] || fail "the drop-in was not read"
[ $failed = 1 ] || echo "ok systemd: $(grep -c . "$tmp/onionmirrord.service") lines, exposure $alone, with ports of loopback $exposure"
exit $failed
