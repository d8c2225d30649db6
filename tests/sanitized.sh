#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Runs a test program and fails when a sanitizer has reported anything, leaks included: Criterion runs
# each test in a process of its own and does not look at how that ends. usage: sanitized.sh PROGRAM ARG...
set -u
reports=$(mktemp -d) || exit 99
trap 'rm -rf "$reports"' EXIT
trap 'exit 130' INT TERM HUP
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=1:log_path=$reports/asan
LSAN_OPTIONS=${LSAN_OPTIONS:+$LSAN_OPTIONS:}log_path=$reports/lsan
UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}print_stacktrace=1:log_path=$reports/ubsan
# Criterion, running tests side by side, now and then forgets a piece of its own (48 bytes). make runs the programs side by side.
CRITERION_JOBS=${CRITERION_JOBS:-1}
export ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS CRITERION_JOBS
"$@"
code=$?
for report in "$reports"/*; do
	[ -s "$report" ] || continue
	cat "$report"
	echo "sanitized: a sanitizer reported the above"
	[ $code != 0 ] || code=1
done
exit $code
