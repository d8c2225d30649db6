#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# libonionmirror as another program meets it: installed into an empty folder, found with pkg-config, linked
# by the example of contrib/examples, which then reads a list, remembers it and refuses an older one.
set -u
src=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
build=$(cd "${top_builddir:-$src}" && pwd) || exit 1
[ -e "$build/.libs/libonionmirror.so" ] || { echo "skip install: no library"; exit 77; }
[ -x "$build/tests/support/listmake" ] || { echo "skip install: no listmake"; exit 77; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0

# expect NAME CODE TEXT COMMAND...: it ends with CODE and says TEXT.
expect() {
	name=$1 code=$2 text=$3
	shift 3
	"$@" > "$tmp/out" 2>&1
	got=$?
	if [ $got = "$code" ] && { [ -z "$text" ] || grep -q -e "$text" "$tmp/out"; }; then
		echo "ok install: $name"
		return
	fi
	sed 's/^/  /' "$tmp/out"
	echo "not ok install: $name: ended with $got, not $code, or did not say \"$text\""
	failed=1
}

make -C "$build" -s DESTDIR="$tmp/root" install-libLTLIBRARIES install-onionmirrorincludeHEADERS install-pkgconfigDATA \
	> "$tmp/out" 2>&1 || { cat "$tmp/out"; echo "not ok install: make install"; exit 1; }
pc=$(find "$tmp/root" -name onionmirror.pc)
[ -n "$pc" ] || { echo "not ok install: no onionmirror.pc"; exit 1; }
PKG_CONFIG_PATH=${pc%/*}
PKG_CONFIG_SYSROOT_DIR=$tmp/root
PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_ALLOW_SYSTEM_CFLAGS PKG_CONFIG_ALLOW_SYSTEM_LIBS
lib=$(dirname "$(find "$tmp/root" -name 'libonionmirror.so')")

# Only what pkg-config says, and what a sanitized library needs of its program.
expect "the example compiles without a warning, with what pkg-config says" 0 "" \
	${CC:-cc} -std=c11 -D_DEFAULT_SOURCE -pedantic -Wall -Wextra -Werror -Wstrict-prototypes ${SANITIZE-} \
	"$src/contrib/examples/pick.c" $(pkg-config --cflags --libs onionmirror) -o "$tmp/pick"
expect "the version is the package's" 0 "^$(sed -n 's/^#define OM_VERSION "\(.*\)"/\1/p' "$src/include/onionmirror/onionmirror.h")\$" \
	pkg-config --modversion onionmirror
"$build/tests/support/listmake" "$tmp/lists" || { echo "not ok install: listmake"; exit 1; }
site=$(cat "$tmp/lists/site")
LD_LIBRARY_PATH=$lib
export LD_LIBRARY_PATH
run() { "$tmp/pick" "$site" "$tmp/lists/$1/bundle.json" "$tmp/store"; }
expect "it reads a list and picks" 0 "^picked http://[a-z2-7]*\.onion/" run next
expect "what it saved is a reader's memory" 0 '"type":"onionmirror/store/1"' cat "$tmp/store"
expect "an older list is refused then" 1 "refused: rollback" run old
expect "where one member's is older, that is told and the others' count" 0 "member alpha: rollback, serial 101" run good
expect "and so is another site's" 1 "refused: wrong-site" run other
expect "the newest is fine again" 0 "^picked" run next
echo broken > "$tmp/store"
expect "a damaged memory is not begun anew" 1 "malformed" run next
expect "and is left alone" 0 "^broken" cat "$tmp/store"
exit $failed
