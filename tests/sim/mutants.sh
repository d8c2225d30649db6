#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Checks the checker: builds the simulator with the faults of src/base/mutant.h, switches on one after the other, and
# runs scenarios, then seeds, until one of them fails. All but one must be found.
# usage: mutants.sh [--build DIR] [NUMBER...]
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${TMPDIR:-/tmp}/onionmirror-mutants
if [ "${1:-}" = --build ]; then
	build=$2
	shift 2
fi
last=31
seeds=60
mkdir -p "$build" && cd "$build" || exit 1
if [ ! -e config.status ]; then
	"$top/configure" --disable-hardening --disable-tests --enable-mutants CC="${CC:-gcc}" CFLAGS="-O1 -g" > configure.log 2>&1 ||
		{ tail configure.log; exit 1; }
fi
make -j"$(nproc)" tests/sim/sim > build.log 2>&1 || { tail build.log; exit 1; }
sim=$build/tests/sim/sim

# Prints what fails first, and nothing if all is well.
first_failure() {
	for scenario in "$top"/tests/sim/scenarios/*.scn; do
		# A mutant may turn for ever.
		timeout 120 "$sim" $1 --scenarios "$scenario" > out.log 2> err.log && continue
		grep '^not ok' out.log | sed "s,^not ok $top/tests/sim/scenarios/,,"
		[ -s out.log ] || echo "$(basename "$scenario"): ended without a word"
		return
	done
	seed=1
	while [ $seed -le $seeds ]; do
		timeout 120 "$sim" $1 --seed $seed --days 3 --quiet > out.log 2> err.log || { head -n 1 out.log; return; }
		seed=$((seed + 1))
	done
}

what=$(first_failure "")
[ -z "$what" ] || { echo "not ok without any mutant: $what"; exit 1; }
[ $# -gt 0 ] || set -- $(seq 1 $last)
total=$#
killed=0
for n; do
	began=$(date +%s)
	what=$(first_failure "--mutant $n")
	text=$(sed -n "s/^ \\*.* $n  \\([a-zA-Z].*\\)/\\1/p" "$top/src/base/mutant.h" | sed 's/   *[0-9][0-9]  .*//')
	if [ -n "$what" ]; then
		killed=$((killed + 1))
		echo "# $n ($text): killed by $what ($(($(date +%s) - began)) s)"
	else
		echo "# $n ($text): SURVIVED ($(($(date +%s) - began)) s)"
	fi
done
if [ $((total - killed)) -le 1 ]; then
	echo "ok mutants: $killed of $total killed"
else
	echo "not ok mutants: only $killed of $total killed"
	exit 1
fi
