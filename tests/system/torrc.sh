#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# needs tor
# tor accepts the snippets of torrc.d/: as they are, on top of Debian's defaults, and running.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
tmp=$(mktemp -d /tmp/om-XXXXXX) || exit 1
pid=
cleanup() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
failed=0

# result NAME CODE: one line for the case; $tmp/out says why it failed.
result() {
	if [ "$2" = 0 ]; then
		echo "ok torrc: $1"
	else
		echo "not ok torrc: $1: $(grep -E '\[(warn|err)\]' "$tmp/out" | tail -n 2 | tr '\n' ' ')"
		failed=1
	fi
}

# verify TORRC DEFAULTS
verify() { tor --verify-config -f "$1" --defaults-torrc "$2" > "$tmp/out" 2>&1; }

mkdir "$tmp/d" "$tmp/run" "$tmp/data"
chmod 700 "$tmp/run" "$tmp/data"
: > "$tmp/empty"
cp "$top/torrc.d/onionmirror.conf" "$tmp/d/"
{ echo "DataDirectory $tmp/data"; echo "%include $tmp/d/*.conf"; } > "$tmp/torrc"

# The directories that the snippets name belong to an installed tor: elsewhere the same with our own.
sed "s,/run/tor/,$tmp/run/,g; s,^#Metrics,Metrics,; s,^SocksPort 9050,SocksPort auto," \
	"$top/torrc.d/onionmirror.conf" > "$tmp/here.conf"
{ echo "DataDirectory $tmp/data"; echo "DisableNetwork 1"; echo "%include $tmp/here.conf"; } > "$tmp/torrc-here"
sed "s,/run/tor-instances/onionmirror2/,$tmp/run/,; s,/var/lib/tor-instances/onionmirror2,$tmp/data,; \
	s,^#Metrics,Metrics,; s,syslog,stdout," "$top/torrc.d/second-tor.conf" > "$tmp/second"

verify "$tmp/torrc" "$tmp/empty"; result "the snippet is accepted when included" $?
# Debian's defaults name a user; only root could change to it.
grep -v '^User ' /usr/share/tor/tor-service-defaults-torrc > "$tmp/defaults" 2>/dev/null
verify "$tmp/torrc" "$tmp/defaults"; result "the snippet is accepted on top of Debian's defaults" $?
verify "$tmp/torrc-here" "$tmp/empty"; result "the snippet is accepted with metrics" $?
verify "$tmp/second" "$tmp/empty"; result "the second tor's torrc is accepted" $?
grep -v '^DataDirectory' "$top/torrc.d/second-tor.conf" > "$tmp/second-as-is"
echo "DataDirectory $tmp/data" >> "$tmp/second-as-is"
verify "$tmp/second-as-is" "$tmp/empty"; result "the second tor's torrc is accepted with its own paths" $?

echo "ExtendedErrors 1" >> "$tmp/d/onionmirror.conf"
if verify "$tmp/torrc" "$tmp/empty"; then code=1; else code=0; fi
result "a fault in the included file would be seen" $code

tor -f "$tmp/torrc-here" --defaults-torrc "$tmp/empty" > "$tmp/out" 2>&1 &
pid=$!
tries=0
until [ -S "$tmp/run/control" ] && [ -s "$tmp/run/control.authcookie" ]; do
	tries=$((tries + 1))
	[ $tries -lt 200 ] && kill -0 $pid 2>/dev/null || break
	sleep 0.05
done
[ -S "$tmp/run/control" ] && [ "$(wc -c < "$tmp/run/control.authcookie" 2>/dev/null)" = 32 ]
result "a tor with it opens its control socket and writes its cookie" $?
kill $pid 2>/dev/null
wait $pid 2>/dev/null
pid=
exit $failed
