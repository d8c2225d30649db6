#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Installs what is missing, builds with sanitizers, runs every test, closes with "N passed, N failed".
# Exit code 0 only if something was run and nothing failed.
set -u

usage() {
	cat <<'TEXT'
usage: check.sh [--quick | --full] [--build DIR] [--seeds N]
  --quick      leave out the tests on a private network of real tor processes
  --full       also count which faults on purpose the simulator finds (tests/sim/mutants.sh), let it die a second time
               nearly everywhere in each recovery (tests/sim/crashes.sh), torture the daemon at each place (tests/system/torture.py),
               count covered lines (contrib/coverage.sh), flip each byte of a store, and soak the daemon in faults for half an hour
               (tests/system/soak.py): some hours
  --seeds N    how many fresh seeds the simulator runs, 7 virtual days each (default 1000; with --quick 50)
  --build DIR  where to build (default: build-check in the source tree; it stays for the next run)
Runs: unit tests, replay of the fuzz corpora and structure checks (make check, gcc, ASan, UBSan, leaks
are failures), the tests in tests/system, the simulator on fresh seeds, static analysis, the fuzz targets, then the tarball: unpacked and built with hardening.
CC, CFLAGS and MAKEFLAGS are taken from the environment if set.
TEXT
}

top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build-check
quick=no
full=no
seeds=
while [ $# -gt 0 ]; do
	case $1 in
	--quick) quick=yes ;;
	--full) full=yes ;;
	--build)
		[ $# -ge 2 ] || { usage >&2; exit 2; }
		shift
		build=$1
		;;
	--seeds)
		[ $# -ge 2 ] || { usage >&2; exit 2; }
		shift
		seeds=$1
		;;
	--help | -h) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
[ -n "$seeds" ] || { [ $quick = yes ] && seeds=50 || seeds=1000; }
case $seeds in
*[!0-9]* | 0) usage >&2; exit 2 ;;
esac
case $build in
/*) ;;
*) build=$PWD/$build ;;
esac
PATH=$PATH:/usr/sbin:/sbin
jobs=$(nproc 2>/dev/null || echo 2)
passed=0
failed=0
skipped=0
began=$(date +%s)
lane=

step() { echo "== $* ($(($(date +%s) - began)) s)"; }

finish() {
	[ $skipped = 0 ] || echo "$skipped skipped"
	[ $((passed + failed)) -gt 0 ] || failed=1
	echo "$passed passed, $failed failed"
	[ $failed = 0 ] || exit 1
	exit 0
}

# Ends the tests that run beside the rest.
stop_tests() {
	[ -z "$lane" ] || kill "$lane" 2>/dev/null
	for pid in "$build"/logs/*.pid; do
		[ ! -e "$pid" ] || kill "$(cat "$pid")" 2>/dev/null
	done
}

# give_up WHAT LOG: something that everything else needs has failed.
give_up() {
	tail -n 40 "$2"
	echo "not ok $1 (whole log: $2)"
	failed=$((failed + 1))
	stop_tests
	finish
}

# count LOG CODE NAME: the cases that a test wrote to LOG. A test that ended with CODE other than 0
# without naming a failed case counts as one, and so does one that ran no case.
count() {
	set -- "$1" "$2" "$3" $(sed 's/\x1b\[[0-9;]*m//g' "$1" | awk -F '[|:]' '
		/\[====\] Synthesis:/ {
			for (i = 2; i < NF; i++) {
				name = $i
				gsub(/[^A-Za-z]/, "", name)
				if (name == "Passing") good += $(i + 1)
				if (name == "Failing" || name == "Crashing") bad += $(i + 1)
			}
		}
		/^ok / { good++ }
		/^not ok / { bad++ }
		/^skip / { out++ }
		END { print good + 0, bad + 0, out + 0 }')
	good=$4
	bad=$5
	if [ "$2" = 77 ]; then
		skipped=$((skipped + 1))
		return
	fi
	if [ "$2" != 0 ] && [ "$bad" = 0 ]; then
		bad=1
		tail -n 30 "$1"
		echo "not ok $3: ended with $2"
	elif [ "$bad" != 0 ]; then
		sed 's/\x1b\[[0-9;]*m//g' "$1" | grep -E '^(not ok|\[(----|FAIL|CRASH|ERR))' | head -n 40
		echo "not ok $3: $bad failed (whole log: $1)"
	elif [ "$good" = 0 ]; then
		good=1
	fi
	passed=$((passed + good))
	failed=$((failed + bad))
	skipped=$((skipped + $6))
}

step "packages"
sets="build test"
[ $quick = yes ] || sets="$sets net demo browser"
sh "$top/contrib/install-deps.sh" $sets || { failed=1; finish; }

step "build in $build"
if [ -e "$top/config.status" ]; then
	echo "not ok build: $top is configured itself; run 'make distclean' there first"
	failed=1
	finish
fi
mkdir -p "$build/logs" || { failed=1; finish; }
log=$build/logs/build.log
if [ ! -x "$top/configure" ] || [ -n "$(find "$top/configure.ac" "$top/contrib/m4" -newer "$top/configure" -name '*om_*.m4' -o -newer "$top/configure" -name configure.ac)" ]; then
	(cd "$top" && ./autogen.sh) > "$log" 2>&1 || give_up autogen "$log"
fi
cd "$build" || exit 1
if [ ! -e Makefile ] || [ -n "$(find "$top/configure" -newer config.status)" ]; then
	"$top/configure" --enable-werror --enable-sanitizers --enable-tests CC="${CC:-gcc}" \
		CFLAGS="${CFLAGS:--O1 -g}" > "$log" 2>&1 || give_up configure "$log"
fi
make -j"$jobs" > "$log" 2>&1 || give_up build "$log"
make -j"$jobs" check TESTS= >> "$log" 2>&1 || give_up "build of the tests" "$log"

step "make check"
find tests -name '*.trs' -exec rm -f {} +
make -j"$jobs" -k check > logs/check.log 2>&1
code=$?
before=$failed
ran=0
for trs in $(find tests -name '*.trs' | sort); do
	ran=$((ran + 1))
	case $(sed -n 's/^:test-result: //p' "$trs") in
	PASS) result=0 ;;
	SKIP) result=77 ;;
	*) result=1 ;;
	esac
	count "${trs%.trs}.log" $result "${trs%.trs}"
done
if [ $ran = 0 ] || { [ $code != 0 ] && [ $failed = $before ]; }; then
	give_up "make check" "$build/logs/check.log"
fi

# Those on real tor mostly wait, so they go on by themselves while the processors do the rest.
top_srcdir=$top
top_builddir=$build
export top_srcdir top_builddir
run_test() {
	log=$build/logs/$(basename "$1").log
	case $1 in
	*.py) timeout -k 60 480 sh "$top/tests/sanitized.sh" python3 "$1" > "$log" 2>&1 & ;;
	*) timeout -k 60 480 sh "$1" > "$log" 2>&1 & ;;
	esac
	echo $! > "$log.pid"
	wait $!
	echo $? > "$log.code"
	rm -f "$log.pid"
}
report_test() {
	log=$build/logs/$(basename "$1").log
	grep -E '^(ok|not ok|skip|#) ' "$log"
	count "$log" "$(cat "$log.code")" "$(basename "$1")"
}
on_tor= here=
for test in "$top"/tests/system/*.sh "$top"/tests/system/*.py; do
	# Support modules say so by not being executable.
	[ -x "$test" ] || continue
	if grep -q '^# needs tor$' "$test"; then on_tor="$on_tor $test"; else here="$here $test"; fi
done
[ $quick = no ] || on_tor=
rm -f "$build"/logs/*.code "$build"/logs/*.pid
trap 'stop_tests; exit 130' INT TERM HUP
if [ -n "$on_tor" ]; then
	(for test in $on_tor; do run_test "$test"; done) &
	lane=$!
fi
for test in $here; do
	step "$(basename "$test")"
	run_test "$test"
	report_test "$test"
done

step "simulator: $seeds fresh seeds x 7 days"
# Its own tree, optimised and without sanitizers; the seeds kept in tests/sim/seeds ran under them above.
log=$build/logs/sim.log
simulate() {
	mkdir -p "$build/sim" && cd "$build/sim" || return 1
	if [ ! -e Makefile ] || [ -n "$(find "$top/configure" -newer config.status)" ]; then
		"$top/configure" --disable-tests --disable-hardening --disable-shared CC="${CC:-gcc}" CFLAGS=-O2 || return 1
	fi
	make -j"$jobs" tests/sim/sim
}
if (simulate) > "$log" 2>&1; then
	# Others every day, so that a second look at a failure finds it again; sim --seeds A..B runs the same.
	base=$(($(date +%s) / 86400 * 10000))
	# With an allocator made for many small pieces a world takes an eighth less time.
	fast=$(find /usr/lib /usr/local/lib -name libjemalloc.so.2 2>/dev/null | head -n 1)
	LD_PRELOAD=$fast nice -n 10 timeout -k 10 900 "$build/sim/tests/sim/sim" --seeds $base..$((base + seeds - 1)) --days 7 --jobs "$jobs" --quiet > "$log" 2>&1
	code=$?
	grep -A 1 -E '^(ok|not ok) ' "$log" | cut -c 1-400
	count "$log" $code sim
	# Each seed is a case.
	good=$(sed -n 's/^ok sim: \([0-9]*\) of .*/\1/p' "$log")
	[ -z "$good" ] || passed=$((passed + good - 1))
else
	give_up "build of the simulator" "$log"
fi

step "simulator: death at every side effect"
log=$build/logs/crashes.log
# Second deaths during the recovery: some of them, or all but a few.
again=997
[ $full = no ] || again=5
nice -n 10 timeout -k 10 7200 sh "$top/tests/sim/crashes.sh" "$build/sim/tests/sim/sim" $again "$jobs" > "$log" 2>&1
code=$?
grep -E '^(ok|not ok|#) ' "$log"
count "$log" $code crashes

step "torture, and meanwhile static analysis and 60 s of fuzzing"
# Killed and without memory: its shim can be loaded only into a daemon without sanitizers, so into that of the simulator's tree.
# It mostly waits.
log=$build/logs/torture.log
more=
[ $full = no ] || more=--full
make -C "$build/sim" -j"$jobs" onionmirrord onionmirror > "$log" 2>&1 || give_up "build of the daemon without sanitizers" "$log"
top_builddir=$build/sim timeout -k 60 7200 python3 "$top/tests/system/torture.py" $more > "$log" 2>&1 &
torturing=$!
echo $torturing > "$log.pid"
log=$build/logs/analyse.log
sh "$top/contrib/analyse.sh" --build "$build" > "$log" 2>&1
code=$?
grep -E '^(ok|not ok) ' "$log"
count "$log" $code analyse
log=$build/logs/fuzz.log
sh "$top/contrib/fuzz.sh" --build "$build/fuzz" --total 60 > "$log" 2>&1
code=$?
grep -E '^(not ok|skip) ' "$log"
count "$log" $code fuzz
log=$build/logs/torture.log
wait $torturing
code=$?
rm -f "$log.pid"
grep -E '^(ok|not ok|#) ' "$log"
count "$log" $code torture
if [ $full = yes ]; then
	step "each byte of a store flipped"
	log=$build/logs/flips.log
	(cd "$build" && OM_TEST_FULL=1 sh "$top/tests/sanitized.sh" tests/unit/store/unit-store --filter 'store_damage/*') > "$log" 2>&1
	count "$log" $? flips
fi
if [ $full = yes ]; then
	step "coverage"
	log=$build/logs/coverage.log
	sh "$top/contrib/coverage.sh" --build "$build/coverage" > "$log" 2>&1
	code=$?
	cat "$log"
	count "$log" $code coverage
	step "mutants"
	log=$build/logs/mutants.log
	sh "$top/tests/sim/mutants.sh" --build "$build/mutants" > "$log" 2>&1
	code=$?
	grep -E '^(ok|not ok|#) ' "$log"
	count "$log" $code mutants
fi

step "tarball"
log=$build/logs/dist.log
dist=$(mktemp -d)
trap 'rm -rf "$dist"' EXIT
tarball() {
	make dist && mv onionmirror-*.tar.xz "$dist/" && cd "$dist" && tar xf onionmirror-*.tar.xz && mkdir b &&
		cd b && ../onionmirror-*/configure --enable-werror --disable-tests CC="${CC:-gcc}" &&
		make -j"$jobs" && make -j"$jobs" install DESTDIR="$dist/root" &&
		make check TESTS="tests/check-layers.sh tests/check-headers.sh tests/check-exports.sh tests/check-resolver.sh tests/check-sizes.sh tests/check-install.sh" &&
		export top_srcdir="$(echo "$dist"/onionmirror-*/)" top_builddir="$dist/b" && python3 "$top_srcdir/tests/system/reader.py" &&
		python3 "$top_srcdir/tests/system/verbs.py" a_client_that_never_reads_costs_less_than_512_KiB | grep '^ok '
}
if (tarball) > "$log" 2>&1; then
	echo "ok the tarball builds with hardening, passes the structure checks and installs; fetch and the control socket keep within their memory"
	passed=$((passed + 1))
else
	give_up tarball "$log"
fi
if [ -n "$lane" ]; then
	step "the tests on real tor, which ran meanwhile"
	wait "$lane"
	for test in $on_tor; do
		echo "# $(basename "$test")"
		report_test "$test"
	done
fi
if [ $full = yes ] && [ $quick = no ]; then
	step "soak: 30 minutes"
	# Without sanitizers, for their bookkeeping of memory would be measured too.
	log=$build/logs/soak.log
	top_builddir=$build/sim timeout -k 60 3000 python3 "$top/tests/system/soak.py" > "$log" 2>&1
	code=$?
	grep -E '^(ok|not ok|#) ' "$log"
	count "$log" $code soak
fi
step "rows of faults"
log=$build/logs/faults.log
[ $quick = no ] && only= || only=--quick
python3 "$top/tests/check-faults.py" $only "$build" > "$log" 2>&1
code=$?
cat "$log"
count "$log" $code check-faults
step "end"
finish
