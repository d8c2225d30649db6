#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# libonionmirror exports om_* and nothing else, and everything that its header declares.
set -u
src=${top_srcdir:-$(dirname "$0")/..}
build=${top_builddir:-$src}
lib=$build/.libs/libonionmirror.so
[ -e "$lib" ] || { echo "skip exports: no $lib"; exit 77; }
symbols=$(nm -D --defined-only "$lib" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u)
failed=0
others=$(echo "$symbols" | grep -v '^om_')
if [ -n "$others" ]; then
	echo "not ok exports: these too:" $others
	failed=1
else
	echo "ok exports: only om_* ($(echo "$symbols" | wc -l) names)"
fi
declared=$(grep -ho '[^A-Za-z0-9_]om_[a-z0-9_]*(' "$src"/include/onionmirror/*.h | tr -d ' *(\t' | sort -u)
[ -n "$declared" ] || { echo "not ok exports: the header declares nothing"; exit 1; }
for name in $declared; do
	echo "$symbols" | grep -qx "$name" && continue
	grep -q "typedef.*$name" "$src"/include/onionmirror/*.h && continue
	echo "not ok exports: $name is declared but not exported"
	failed=1
done
[ $failed = 1 ] || echo "ok exports: everything declared is there"
exit $failed
