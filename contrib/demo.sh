#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Shows what onionmirror does, on a private Tor network of real tor processes and three real web servers (nginx),
# all on loopback. Installs what is missing with apt and builds the programs; everything else stays in one folder.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
dir=/tmp/onionmirror-demo
keep=no
stop=no

usage() {
    cat <<'TEXT'
usage: sh contrib/demo.sh [--dir DIR] [--build DIR] [--keep | --stop]
  --dir DIR    where the demo lives (default /tmp/onionmirror-demo; removed at the end)
  --build DIR  use the programs of this build instead of building them
  --keep       leave it running, with the commands to play with
  --stop       end a demo that was left running, and remove it
TEXT
}

build=
while [ $# -gt 0 ]; do
    case $1 in
    --dir) dir=$2; shift ;;
    --build) build=$(cd "$2" && pwd); shift ;;
    --keep) keep=yes ;;
    --stop) stop=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done

say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }
now() { date +%s%N; }
# Seconds since $1, with one digit.
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }'; }
bold= plain=
if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi

# Ends the process whose id is in file $1, if it is still the program $2.
end_process() {
    [ -s "$1" ] || return 0
    pid=$(cat "$1")
    case $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null || :) in
    *"$2"*)
        kill "$pid" 2>/dev/null || :
        tries=0
        while kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do
            sleep 0.1
            tries=$((tries + 1))
        done
        ;;
    esac
    rm -f "$1"
}

end_all() {
    end_process "$dir/onionmirrord.pid" onionmirrord
    for name in north south east; do
        end_process "$dir/web/$name/nginx.pid" nginx
    done
    [ ! -d "$dir/net" ] || "$top/contrib/testnet" stop "$dir/net" >/dev/null 2>&1 || :
    rm -rf "$dir"
}

if [ $stop = yes ]; then
    [ -d "$dir" ] || fail "there is no demo in $dir"
    end_all
    echo "demo: ended, $dir is removed"
    exit 0
fi
[ ! -e "$dir" ] || fail "$dir exists: end the demo there with --stop, or name another folder with --dir"

sh "$top/contrib/install-deps.sh" build net demo

# ---------------------------------------------------------------- build
mkdir -p "$dir"
chmod 700 "$dir"
trap 'end_all' EXIT
trap 'exit 130' INT TERM HUP
if [ -z "$build" ]; then
    say "Building onionmirror"
    build=$dir/build
    mkdir -p "$build"
    # A copy: the tree that the demo was started from stays as it was.
    mkdir "$dir/src"
    (cd "$top" && tar cf - --exclude=./.git --exclude='./build*' .) | tar xf - -C "$dir/src"
    {
        cd "$dir/src" && { [ -x configure ] || ./autogen.sh; } && cd "$build" && "$dir/src/configure" --disable-dependency-tracking \
            --enable-tests=no && make -j"$(nproc)"
    } >"$dir/build.log" 2>&1 || { tail -20 "$dir/build.log" >&2; fail "the build failed"; }
    cd "$top"
fi
PATH=$build:$PATH
om() { onionmirror -f "$dir/onionmirror.conf" "$@"; }
start=$(now)

# ---------------------------------------------------------------- network
say "1. A private Tor network on loopback: 3 authorities, 5 relays, 2 clients"
"$top/contrib/testnet" start "$dir/net"

# ---------------------------------------------------------------- web servers
say "2. Three web servers with slightly different content"
for name in north south east; do
    web=$dir/web/$name
    mkdir -p "$web/html" "$web/tmp"
    printf '<!DOCTYPE html><title>The Example</title><h1>The Example</h1><p>You are on mirror %s.</p>\n' "$name" >"$web/html/index.html"
    echo ok >"$web/html/health"
    cat >"$web/nginx.conf" <<TEXT
pid $web/nginx.pid;
error_log $web/error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $web/tmp; proxy_temp_path $web/tmp; fastcgi_temp_path $web/tmp;
    uwsgi_temp_path $web/tmp; scgi_temp_path $web/tmp;
    server_tokens off;
    server { listen unix:$web/web.sock; root $web/html; default_type text/html; }
}
TEXT
    [ "$(id -u)" != 0 ] || sed -i "1i user root;" "$web/nginx.conf"
    nginx -p "$web" -e "$web/error.log" -c "$web/nginx.conf"
    echo "   nginx for $name on $web/web.sock"
done

# ---------------------------------------------------------------- configuration
{
    cat <<TEXT
site = "The Example"
state-dir = "$dir/state"
publish-dir = "$dir/publish"
control-socket = "unix:$dir/control.sock"
key-file = "$dir/master.key"
min-listed = 2
log-onions = full
log-level = info
rotation-spacing = 5s
tor "main" {
  control = "unix:$dir/net/host/control"
  cookie = "$dir/net/host/control.authcookie"
  socks = "unix:$dir/net/host/socks"
}
check "page" { path = "/health"  status = 200  contains = "ok"  interval = 5s  timeout = 20s  rise = 2  fall = 2 }
TEXT
    for name in north south east; do
        echo "mirror \"$name\" { backend = \"unix:$dir/web/$name/web.sock\"  port = 80  tor = \"main\"  check = \"page\"  drain = 60s }"
    done
} >"$dir/onionmirror.conf"

say "3. Keys, first list documents, state folder: onionmirror init"
om init --keys "$dir/keys" --no-passphrase | tee "$dir/init.txt" | sed 's/^/   /'
site=$(sed -n 's/^site id *//p' "$dir/init.txt")

# ---------------------------------------------------------------- daemon
say "4. The daemon: three onion services created, proved through Tor, listed"
began=$(now)
onionmirrord -f "$dir/onionmirror.conf" >"$dir/onionmirrord.log" 2>&1 &
echo $! >"$dir/onionmirrord.pid"

# The listed address of a mirror that is up, else nothing.
listed() {
    om mirrors 2>/dev/null | awk -v name="$1" '$1 == name && $2 == "up" && $NF ~ /\.onion$/ { sub(/\.onion$/, "", $NF); print $NF }'
}
# Waits until command $2... succeeds, at most $1 seconds.
wait_for() {
    limit=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$limit" ] || return 1
        sleep 0.2
    done
}
all_listed() { [ -n "$(listed north)" ] && [ -n "$(listed south)" ] && [ -n "$(listed east)" ]; }
wait_for 90 all_listed || { tail -20 "$dir/onionmirrord.log" >&2; fail "not all mirrors were listed within 90 s"; }
om mirrors | sed 's/^/   /'
echo "   all listed $(since "$began") s after the start of the daemon"

# ---------------------------------------------------------------- reader
list=$dir/publish/public/current
say "5. The list, as a reader checks it: our verifier, then stock minisign"
onionmirror verify --site "$site" "$list" | sed 's/^/   /'
minisign -V -H -p "$list/member.pub" -m "$list/head.json" | sed 's/^/   /'
minisign -V -H -p "$list/member.pub" -m "$list/mirrors.txt" | sed 's/^/   /'
minisign -V -H -p "$dir/keys/root-1.pub" -m "$list/1.root.json" -x "$list/1.root.json.1.minisig" | sed 's/^/   /'

say "6. A page of mirror east, fetched through a second tor"
east=$(listed east)
get() { curl -sS --max-time 60 --proxy "socks5h://127.0.0.1:$(cat "$dir/net/reader/socks-port")" "http://$1.onion/"; }
page=$(get "$east") || fail "the page could not be fetched"
echo "   $page"

# ---------------------------------------------------------------- takedown
say "7. A takedown: the address of east is blocked, its web server goes on"
began=$(now)
"$top/contrib/testnet" block "$dir/net" "$east" >/dev/null
replaced() { new=$(listed east) && [ -n "$new" ] && [ "$new" != "$east" ]; }
wait_for 120 replaced || { tail -20 "$dir/onionmirrord.log" >&2; fail "no replacement within 120 s"; }
echo "   was  $east.onion"
echo "   now  $new.onion, proved and listed by itself after $(since "$began") s"
grep -E 'east: (suspect|backend|down|takedown|listed)' "$dir/onionmirrord.log" | sed 's/^[^ ]* [^ ]* //; s/ [a-z2-7]\{56\}$//; s/^/   /' | tail -8
onionmirror verify --site "$site" "$list" >"$dir/verify.txt"
! grep -q "$east" "$dir/verify.txt" || fail "the blocked address is still in the list"
echo "   the list verifies, and the blocked address is out of it"
page=$(get "$new") || fail "the page could not be fetched from the new address"
echo "   $page"

say "Done: $(since "$start") s from the start of the network"
cat <<TEXT

To attach it to your own tor: see README, "Attach it to your own tor". In short:
  ./autogen.sh && ./configure --sysconfdir=/etc && make && make install
  onionmirror init --keys DIR     (writes a sample /etc/onionmirror/onionmirror.conf; edit it)
  onionmirrord
TEXT
if [ $keep = yes ]; then
    trap - EXIT
    cat <<TEXT

It is still running. To play with it:
  PATH=$build:\$PATH
  onionmirror -f $dir/onionmirror.conf status
  onionmirror -f $dir/onionmirror.conf rotate north --wait
  onionmirror verify --site $site $list
  tail -f $dir/onionmirrord.log
End it with: sh contrib/demo.sh --dir $dir --stop
TEXT
fi
