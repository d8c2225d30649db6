#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# AppArmor's own parser takes the profile, and it names each folder that the units and the options name.
set -u
src=${top_srcdir:-$(dirname "$0")/..}
profile=$src/contrib/apparmor/onionmirrord
PATH=$PATH:/usr/sbin:/sbin
command -v apparmor_parser > /dev/null || { echo "skip apparmor: no apparmor_parser"; exit 77; }
failed=0
if ! said=$(apparmor_parser --skip-kernel-load --skip-cache --skip-read-cache "$profile" 2>&1); then
	echo "$said"
	echo "not ok apparmor: the profile does not parse"
	failed=1
fi
# Defaults of options that are paths, but for the name of the file.
for path in $(sed -n 's/.*CONF_\(PATH\|SOCKET\),.* 0, 0, "\(unix:\)*\(\/[^"]*\)".*/\3/p' "$src/src/conf/table.c" | sort -u); do
	case $path in
	/run/tor/*) want=$path ;;
	*) want=$(echo "$path" | cut -d / -f 1-3) ;;
	esac
	grep -q "^  $want[ /{]" "$profile" || { echo "not ok apparmor: nothing for $path, a default"; failed=1; }
done
# A broken one must not pass.
broken=$(mktemp) || exit 1
trap 'rm -f "$broken"' EXIT
sed 's/network unix stream,/network unix stream/' "$profile" > "$broken"
if apparmor_parser --skip-kernel-load --skip-cache --skip-read-cache "$broken" > /dev/null 2>&1; then
	echo "not ok apparmor: the parser takes anything"
	failed=1
fi
[ $failed = 1 ] || echo "ok apparmor: $(grep -c ',$' "$profile") rules"
exit $failed
