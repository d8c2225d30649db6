#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Replays the seeds that are kept in tests/sim/seeds, each twice: no invariant breaks, and both runs give the same trace.
set -u
sim=${top_builddir:-.}/tests/sim/sim
[ -x "$sim" ] || { echo "not ok sim: $sim is not built"; exit 1; }
code=0
ran=0
while read -r seed days why; do
	case $seed in
	'' | '#'*) continue ;;
	esac
	ran=$((ran + 1))
	"$sim" --seed "$seed" --days "$days" --twice < /dev/null || { code=1; echo "# seed $seed is kept because: $why"; }
done < "${top_srcdir:-.}/tests/sim/seeds"
[ $ran -gt 0 ] || { echo "not ok sim: no seed was run"; exit 1; }
exit $code
