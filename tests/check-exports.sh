#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# libonionmirror exports om_* and nothing else, and everything that its header declares; it asks for no
# function that does input or output, reads a clock, draws random numbers, logs or ends the process.
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
# Sanitizers keep everything, and call these themselves.
if nm -D "$lib" | grep -qE ' (__asan_|__ubsan_|__tsan_|__msan_|__gcov_)'; then
	echo "skip exports: what a sanitized library calls"
	exit $failed
fi
bad='^(open|openat|creat|f?open64|fopen|read|write|pread|pwrite|close|stat|fstat|lstat|rename|unlink|mkdir|socket|connect|send|recv|poll|select'
bad="$bad|time|clock_gettime|gettimeofday|getenv|secure_getenv|getpid|exit|_exit|abort|raise|kill|signal|sigaction|fork|stdout|stderr"
bad="$bad|__?f?w?printf(_chk)?|f?puts|fwrite|putchar|perror|v?syslog|openlog|__assert_fail|getrandom|arc4random.*|randombytes_.*|RAND_.*)\$"
found=$(nm -D --undefined-only "$lib" | awk '{ sub(/@.*/, "", $NF); print $NF }' | grep -E "$bad")
if [ -n "$found" ]; then
	echo "not ok exports: the library calls" $found
	failed=1
else
	echo "ok exports: no input or output, clock, random numbers, log or end of the process"
fi
exit $failed
