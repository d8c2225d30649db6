#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every header compiles alone, and twice; the public ones as plain C11 without our config.h, and as C++
# where they promise that and a compiler is at hand.
set -u
src=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
build=$(cd "${top_builddir:-$src}" && pwd) || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
[ -e "$build/src/config.h" ] || { echo "skip headers: not configured"; exit 77; }
warnings="-Wall -Wextra -Werror -Wstrict-prototypes -Wundef"
packages=$(pkg-config --cflags libevent_core libcrypto libsodium jansson sqlite3 libconfuse 2>/dev/null)
failed=0
count=0

# try NAME COMMAND...: $tmp/program has to compile.
try() {
	name=$1
	shift
	count=$((count + 1))
	"$@" -fsyntax-only -I"$src/include" -I"$src/src" -I"$build/src" $packages - < "$tmp/program" 2> "$tmp/err" && return
	sed 's/^/  /' "$tmp/err"
	echo "not ok headers: $name"
	failed=1
}

cd "$src" || exit 1
for header in src/*/*.h; do
	name=${header#src/}
	printf '#include "config.h"\n#include "%s"\n#include "%s"\n' "$name" "$name" > "$tmp/program"
	try "$name" ${CC:-cc} -std=gnu11 $warnings -x c
done
for header in include/*/*.h; do
	name=${header#include/}
	printf '#include <%s>\n#include <%s>\n' "$name" "$name" > "$tmp/program"
	try "<$name>" ${CC:-cc} -std=c11 -pedantic $warnings -x c
	if grep -q __cplusplus "$header" && command -v g++ > /dev/null; then
		try "<$name> as C++" g++ -std=c++11 -Wall -Wextra -Werror -x c++
	fi
done
[ $count -gt 10 ] || { echo "not ok headers: only $count found"; exit 1; }
[ $failed = 1 ] || echo "ok headers: $count compile alone"
exit $failed
