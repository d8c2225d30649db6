#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Runs a test program and fails when a sanitizer has reported anything, leaks included: Criterion runs
# each test in a process of its own and does not look at how that ends. Nor does it count what fails in a
# suite's .fini, though it prints it: that fails here too. usage: sanitized.sh PROGRAM ARG...
set -u
reports=$(mktemp -d) && said=$(mktemp) || exit 99
trap 'rm -rf "$reports" "$said"' EXIT
trap 'cat "$said" >&2; exit 130' INT TERM HUP
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=1:log_path=$reports/asan
LSAN_OPTIONS=${LSAN_OPTIONS:+$LSAN_OPTIONS:}log_path=$reports/lsan
UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}print_stacktrace=1:log_path=$reports/ubsan
# Criterion, running tests side by side, now and then forgets a piece of its own (48 bytes). make runs the programs side by side.
CRITERION_JOBS=${CRITERION_JOBS:-1}
# Each test with its name: tests/check-faults.py wants to see that it ran.
CRITERION_VERBOSITY_LEVEL=${CRITERION_VERBOSITY_LEVEL:-1}
export CRITERION_VERBOSITY_LEVEL
export ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS CRITERION_JOBS
"$@" 2>"$said"
code=$?
cat "$said" >&2
if [ $code = 0 ] && grep -qE 'Assertion Failed$|during its setup or teardown' "$said"; then
	echo "sanitized: the above failed outside of the body of a test"
	code=1
fi
for report in "$reports"/*; do
	[ -s "$report" ] || continue
	cat "$report"
	echo "sanitized: a sanitizer reported the above"
	[ $code != 0 ] || code=1
done
exit $code
