#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Which lines and branches of src the tests reach: unit tests, fuzz corpora, simulator, and the real programs without tor.
set -u

usage() {
	cat <<'TEXT'
usage: coverage.sh [--build DIR]
  --build DIR  where to build (default: build-coverage in the source tree)
Prints lines and branches for each folder of src; exit code 0 if the goals are reached: 90 % of the lines of src,
98 % of src/proto and of src/mirror. The tests need not pass here: check.sh sees to that.
TEXT
}

top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build-coverage
while [ $# -gt 0 ]; do
	case $1 in
	--build)
		[ $# -ge 2 ] || { usage >&2; exit 2; }
		build=$2
		shift
		;;
	--help | -h) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
command -v gcovr > /dev/null || { echo "skip coverage: no gcovr"; exit 77; }
jobs=$(nproc 2>/dev/null || echo 2)
mkdir -p "$build" && cd "$build" || exit 1
build=$PWD
[ -x "$top/configure" ] || (cd "$top" && ./autogen.sh) > log 2>&1 || { tail -n 20 log; echo "not ok coverage: autogen"; exit 1; }
[ -e Makefile ] || "$top/configure" --enable-coverage --disable-shared CFLAGS=-g > log 2>&1 || { tail -n 20 log; echo "not ok coverage: configure"; exit 1; }
{ make -j"$jobs" && make -j"$jobs" check TESTS=; } > log 2>&1 || { tail -n 20 log; echo "not ok coverage: build"; exit 1; }
find . -name '*.gcda' -exec rm -f {} +
make -j"$jobs" -k check > check.log 2>&1
top_srcdir=$top
top_builddir=$build
export top_srcdir top_builddir
for test in "$top"/tests/system/*.py; do
	[ -x "$test" ] && ! grep -q '^# needs tor$' "$test" || continue
	timeout -k 60 480 python3 "$test" > "$(basename "$test").log" 2>&1
done
# A loop of counters may leave "taken -1", a fault of gcov.
gcovr --gcov-ignore-parse-errors -r "$top" --object-directory . -f "$top/src/" --csv -o lines.csv > gcovr.log 2>&1 || { tail -n 20 gcovr.log; echo "not ok coverage: gcovr"; exit 1; }
awk -F , '
	function line(name, goal) {
		share = lines[name] > 0 ? 100 * hit[name] / lines[name] : 0
		printf "%-12s %6d lines %5.1f %%  %6d branches %5.1f %%%s\n", name, lines[name], share, branches[name],
		    branches[name] > 0 ? 100 * taken[name] / branches[name] : 0, goal ? "  goal " goal " %" : ""
		missed += share < goal
	}
	function add(name) { lines[name] += $2; hit[name] += $3; branches[name] += $5; taken[name] += $6 }
	NR > 1 { split($1, part, "/"); add("src/" part[2]); add("src"); seen["src/" part[2]] = 1 }
	END {
		for (name in seen)
			if (name != "src/proto" && name != "src/mirror")
				line(name, 0)
		line("src/proto", 98)
		line("src/mirror", 98)
		line("src", 90)
		print (missed ? "not ok" : "ok") " coverage: " missed + 0 " of 3 goals missed"
		exit missed > 0
	}' lines.csv
