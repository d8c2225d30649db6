#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Neither our programs and library nor any object of ours asks for a function that resolves names.
set -u
build=${top_builddir:-.}
failed=0
looked=0
bad='^(getaddrinfo(_a)?|getnameinfo|gethostby[a-z0-9_]*|gethostent|getipnodeby[a-z]*|(__)?res_n?(init|query|search|querydomain|mkquery|send)|evutil_getaddrinfo[a-z_]*|evdns_[a-z_0-9]*|[a-z_]*_connect_hostname[a-z_]*|evhttp_make_request|evhttp_connection_base_[a-z_]*new|ares_[a-z_]*|curl_[a-z_]*)$'

# look NAME FILE NM-OPTION...
look() {
	name=$1
	file=$2
	shift 2
	looked=$((looked + 1))
	found=$(nm "$@" --undefined-only "$file" 2>/dev/null | awk '{ sub(/@.*/, "", $NF); print $NF }' | grep -E "$bad" | sort -u)
	[ -n "$found" ] || return 0
	echo "not ok resolver: $name uses" $found
	failed=1
}

for program in onionmirrord onionmirror libonionmirror.so; do
	file=$build/.libs/$program
	[ -e "$file" ] || file=$build/$program
	[ -e "$file" ] || continue
	# A sanitizer that is linked into the program (clang) wraps these functions; gcc's is a library.
	nm "$file" 2>/dev/null | grep -q ' T __asan_init$' && continue
	look $program "$file" -D
done
for object in $(find "$build/src" -name '*.o' 2>/dev/null | sort); do
	look "${object#"$build"/}" "$object"
done
[ $looked -gt 0 ] || { echo "skip resolver: nothing has been built"; exit 77; }
[ $failed = 1 ] || echo "ok resolver: nothing resolves names ($looked files)"
exit $failed
