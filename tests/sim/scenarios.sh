#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every scenario of the simulator, in two processes, one line each; and that a mistake in one is told with its line.
set -u
dir=$(cd "$(dirname "$0")" && pwd)/scenarios
sim=${top_builddir:-.}/tests/sim/sim
set -- "$dir"/*.scn
[ $# -ge 40 ] || { echo "not ok scenarios: only $# of them in $dir"; exit 1; }
bad=$(mktemp) || exit 1
trap 'rm -f "$bad"' EXIT
for line in 'at 00:10 tor fly' 'at 25:00 look' 'expect north rich' 'expect list > 3' 'backend north stop' 'at 00:10 backend nobody stop' \
	'expect north listed within soon' 'at 00:10 hsdirs lose 150%' 'mirrors' '# nothing expected'; do
	printf '# a scenario\n%s\n' "$line" > "$bad"
	case $("$sim" --scenarios "$bad" 2>&1) in
	"not ok $bad:2: "*) ;;
	*) echo "not ok a scenario with \"$line\" was not refused at its line"; exit 1 ;;
	esac
done
echo "ok mistakes in a scenario are told with their line"
"$sim" --jobs 2 --scenarios "$@"
