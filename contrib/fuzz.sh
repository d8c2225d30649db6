#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Runs the fuzz targets with libFuzzer, AddressSanitizer and UBSan, one after the other.
set -u

usage() {
	cat <<'TEXT'
usage: fuzz.sh [--build DIR] [--total SECONDS | --each SECONDS] [--merge] [NAME...]
  --build DIR      where to build (default: build-fuzz in the source tree)
  --total SECONDS  for all targets together (default 60)
  --each SECONDS   for each target; 600 before a release
  --merge          afterwards add to tests/fuzz/corpus what covers more than it does
NAME: reply, session, ... (default: all). New inputs stay in DIR/new/NAME, what broke a target in DIR/found.
TEXT
}

top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build-fuzz
total=60
each=
merge=no
while [ $# -gt 0 ]; do
	case $1 in
	--build | --total | --each)
		[ $# -ge 2 ] || { usage >&2; exit 2; }
		case $1 in
		--build) build=$2 ;;
		--total) total=$2 ;;
		--each) each=$2 ;;
		esac
		shift
		;;
	--merge) merge=yes ;;
	--help | -h) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) break ;;
	esac
	shift
done
case $total$each in
*[!0-9]*) usage >&2; exit 2 ;;
esac
case $build in
/*) ;;
*) build=$PWD/$build ;;
esac
names=$*
[ -n "$names" ] || names=$(sed -n 's/^	tests.fuzz.fuzz_\([a-z_]*\).*/\1/p' "$top/tests/fuzz/local.mk")
clang=$(command -v clang-14 || command -v clang) || { echo "skip fuzz: no clang"; exit 77; }

programs=
count=0
for name in $names; do
	programs="$programs tests/fuzz/fuzz_$name"
	count=$((count + 1))
done
mkdir -p "$build/found" && cd "$build" || exit 1
if [ ! -e Makefile ]; then
	"$top/configure" CC="$clang" --enable-fuzzing --enable-sanitizers --disable-tests --disable-shared CFLAGS='-O1 -g' > build.log 2>&1 ||
		{ tail -n 20 build.log; echo "not ok fuzz: configure"; exit 1; }
fi
make -j"$(nproc 2>/dev/null || echo 2)" $programs > build.log 2>&1 || { tail -n 20 build.log; echo "not ok fuzz: build"; exit 1; }

[ -n "$each" ] || each=$((total / count))
[ "$each" -ge 1 ] || each=1
top_srcdir=$top
export top_srcdir
code=0
for name in $names; do
	case $name in
	bundle | walk | canon | doc) dict=list ;;
	*) dict=$name ;;
	esac
	dict=$top/tests/fuzz/dict/$dict.dict
	[ ! -e "$dict" ] || dict=-dict=$dict
	case $dict in -dict=*) ;; *) dict=-verbosity=1 ;; esac
	mkdir -p "new/$name"
	if nice -n 5 "tests/fuzz/fuzz_$name" -max_total_time="$each" -timeout=20 -print_final_stats=1 -artifact_prefix="$build/found/$name-" "$dict" \
		"new/$name" "$top/tests/fuzz/corpus/$name" > "$name.log" 2>&1; then
		echo "ok fuzz_$name: $(sed -n 's/^stat::number_of_executed_units: //p' "$name.log") inputs," \
			"$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$name.log" | tail -n 1) edges"
	else
		code=1
		grep -E 'does not hold|^SUMMARY|written to' "$name.log" | head -n 5
		echo "not ok fuzz_$name (whole log: $build/$name.log)"
	fi
	[ $merge = no ] || "tests/fuzz/fuzz_$name" -merge=1 "$top/tests/fuzz/corpus/$name" "new/$name" > merge.log 2>&1 || code=1
done
exit $code
