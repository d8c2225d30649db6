#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The whole story in three minutes: a private Tor network of real tor processes on this machine, three
# web servers, the daemon, and a takedown. Touches nothing outside its own directory (and installs
# packages that are missing). Talks to no other machine once packages are there.
set -eu

usage() {
	cat <<'TEXT'
usage: demo.sh [--keep] [--dir DIR] [--build DIR]
       demo.sh --stop [--dir DIR]
  --dir DIR    where everything goes (default: /tmp/onionmirror-demo-UID); short, and not there yet
  --build DIR  take the programs from a finished build instead of building them in DIR
  --keep       leave it running at the end and say how to play with it
  --stop       end what --keep has left, and remove it
Without --keep the end, Ctrl-C or a fault ends every process and removes the directory.
TEXT
}

top=$(cd "$(dirname "$0")/.." && pwd)
dir=/tmp/onionmirror-demo-$(id -u)
keep=no
stop=no
programs=
while [ $# -gt 0 ]; do
	case $1 in
	--keep) keep=yes ;;
	--stop) stop=yes ;;
	--dir | --build)
		[ $# -ge 2 ] || { usage >&2; exit 2; }
		case $2 in
		/*) path=${2%/} ;;
		*) path=$PWD/${2%/} ;;
		esac
		if [ "$1" = --dir ]; then dir=$path; else programs=$path; fi
		shift
		;;
	--help | -h) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
case $dir in
*[!A-Za-z0-9_./+,@-]*) echo "demo: --dir may hold only letters, digits and _ . / + , @ -" >&2; exit 2 ;;
esac
PATH=$PATH:/usr/sbin:/sbin
conf=$dir/onionmirror.conf
list=$dir/publish/public/current

die() {
	echo "demo: $*" >&2
	exit 1
}

ms() { echo $(($(date +%s%N) / 1000000)); }
began=$(ms)

# say TEXT...: with the seconds since the last "clock 0".
say() {
	t=$(($(ms) - began))
	printf '%4d.%d s  %s\n' $((t / 1000)) $((t % 1000 / 100)) "$*"
}

title() { printf '\n== %s\n' "$*"; }

# run COMMAND...: shows the command and what it prints.
run() {
	echo "  \$ $*"
	"$@" > "$dir/output" 2>&1 || { cat "$dir/output" >&2; die "failed: $*"; }
	sed 's/^/    /' "$dir/output"
}

# end_process PIDFILE: ends that process if it is one of ours, and waits for it.
end_process() {
	pid=$(cat "$1" 2>/dev/null) || return 0
	{ tr '\0' ' ' < "/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "$dir/" || return 0
	kill "$pid" 2>/dev/null || :
	tries=0
	while kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.*Z' "/proc/$pid/status" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || kill -KILL "$pid" 2>/dev/null || :
		sleep 0.1
	done
}

tear_down() {
	end_process "$dir/onionmirrord.pid"
	for name in north south east; do
		end_process "$dir/web/$name/pid"
	done
	if [ -e "$dir/net/tor/empty" ]; then
		"$top/contrib/testnet" stop "$dir/net" || :
	fi
	rm -rf "$dir"
}

if [ $stop = yes ]; then
	[ -e "$dir/.onionmirror-demo" ] || die "no demo in $dir"
	tear_down
	echo "demo: ended, $dir is gone"
	exit 0
fi

# listed: "NAME ADDRESS" of every mirror that is in the list, ADDRESS without .onion.
listed() {
	"$dir/bin/onionmirror" -f "$conf" mirrors --json 2>/dev/null | python3 -c '
import json, sys
try:
    mirrors = json.load(sys.stdin)["mirrors"]
except ValueError:
    mirrors = []
for m in mirrors:
    if m.get("listed"):
        print(m["name"], m["listed"].split(".")[0])'
}

address_of() { listed | sed -n "s/^$1 //p"; }

# show_progress: prints every onion that has reached another state since the last call.
show_progress() {
	"$dir/bin/onionmirror" -f "$conf" onions --json 2>/dev/null | python3 -c '
import json, sys
try:
    for o in json.load(sys.stdin)["onions"]:
        print(o["mirror"], (o.get("onion") or "-")[:8], o["state"])
except (ValueError, KeyError):
    pass' > "$dir/now"
	touch "$dir/before"
	while read -r mirror address state; do
		grep -qx "$mirror $address $state" "$dir/before" || [ "$address" = - ] ||
			say "$mirror: $address... $state"
	done < "$dir/now"
	mv "$dir/now" "$dir/before"
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds; shows progress meanwhile.
wait_for() {
	until_ms=$(($(ms) + $1 * 1000))
	what=$2
	shift 2
	until "$@"; do
		if ! kill -0 "$(cat "$dir/onionmirrord.pid")" 2>/dev/null; then
			tail -n 20 "$dir/onionmirrord.log" >&2
			die "onionmirrord has ended"
		fi
		[ "$(ms)" -lt $until_ms ] || {
			tail -n 20 "$dir/onionmirrord.log" >&2
			die "not within the time: $what"
		}
		show_progress
		sleep 0.2
	done
	show_progress
}

three_listed() { [ "$(listed | wc -l)" = 3 ]; }
north_replaced() {
	new=$(address_of north)
	[ -n "$new" ] && [ "$new" != "$old" ] && ! grep -q "$old" "$list/mirrors.txt" && grep -q "$new" "$list/mirrors.txt"
}

# through_tor ADDRESS [SECONDS [:PORT/PATH]]: the page, fetched by the second tor, on a circuit of its own.
through_tor() {
	curl -sS --fail --max-time "${2:-60}" --proxy-user "demo$(ms):x" \
		--socks5-hostname "127.0.0.1:$(cat "$dir/net/reader/socks-port")" "http://$1.onion${3:-/}"
}

web_server() {
	web=$dir/web/$1
	mkdir -p "$web/html" "$web/tmp"
	echo "ok" > "$web/html/health"
	printf '<!doctype html><title>example</title><h1>Example, from the %s mirror</h1>\n' "$1" > "$web/html/index.html"
	{
		[ "$(id -u)" != 0 ] || echo "user root;"
		cat <<CONF
worker_processes 1;
pid $web/pid;
error_log $web/error.log;
events { worker_connections 64; }
http {
	access_log $web/access.log;
	client_body_temp_path $web/tmp/body;
	proxy_temp_path $web/tmp/proxy;
	fastcgi_temp_path $web/tmp/fastcgi;
	uwsgi_temp_path $web/tmp/uwsgi;
	scgi_temp_path $web/tmp/scgi;
	default_type text/html;
	server {
		listen unix:$web/socket;
		root $web/html;
	}
}
CONF
	} > "$web/nginx.conf"
	nginx -e "$web/error.log" -p "$web" -c "$web/nginx.conf" || die "nginx for $1 did not start"
}

write_conf() {
	cat > "$conf" <<CONF
site           = "example"
state-dir      = "$dir/state"
publish-dir    = "$dir/publish"
control-socket = "unix:$dir/run/control.sock"
key-file       = "$dir/master.key"
min-listed     = 1
log-onions     = full
log-level      = info
rotation-spacing = 1s

tor "main" {
  control = "unix:$dir/net/host/control"
  cookie  = "$dir/net/host/control.authcookie"
  socks   = "unix:$dir/net/host/socks"
}

check "page" {
  path = "/health"  status = 200  contains = "ok"
  interval = 5s  timeout = 20s  rise = 2  fall = 2
}
CONF
	for name in north south east; do
		cat >> "$conf" <<CONF

mirror "$name" {
  backend = "unix:$dir/web/$name/socket"
  port    = 80
  tor     = "main"
  check   = "page"
  drain   = 10m
}
CONF
	done
	printf '\nlist-service { port = 8008  sockets = "%s/run/list" }\n' "$dir" >> "$conf"
}

build() {
	if [ -n "$programs" ]; then
		[ -x "$programs/onionmirrord" ] && [ -x "$programs/onionmirror" ] || die "no programs in $programs"
		ln -s "$programs" "$dir/bin"
		return
	fi
	# In a copy, so that the source tree stays as it is.
	mkdir "$dir/source" "$dir/bin"
	(cd "$top" && tar cf - --exclude=./.git --exclude='./build*' --exclude=config.status --exclude=Makefile \
		--exclude='*.o' --exclude='*.lo' --exclude='*.la' --exclude=.libs --exclude=autom4te.cache .) |
		(cd "$dir/source" && tar xf -)
	log=$dir/build.log
	{
		(cd "$dir/source" && { [ -x configure ] || ./autogen.sh; }) &&
			(cd "$dir/bin" && ../source/configure --disable-tests && make -j"$(nproc)")
	} > "$log" 2>&1 || { tail -n 30 "$log" >&2; die "the build failed"; }
}

[ ! -e "$dir" ] || die "$dir is there already; 'demo.sh --stop --dir $dir' removes what a demo left"
longest=$dir/net/client3/socks-plain
[ ${#longest} -lt 108 ] || die "--dir is too long for unix sockets: $dir"
if [ -n "$programs" ]; then sets="net demo"; else sets="build net demo"; fi
title "Packages"
sh "$top/contrib/install-deps.sh" $sets
say "there"

umask 077
mkdir "$dir"
: > "$dir/.onionmirror-demo"
finished=no
on_exit() {
	code=$?
	trap '' INT TERM HUP
	if [ $keep = yes ] && [ $finished = yes ]; then exit 0; fi
	tear_down
	[ $finished = yes ] && echo && echo "demo: ended, $dir is gone"
	exit $code
}
trap on_exit EXIT
trap 'exit 130' INT TERM HUP

title "Build"
build
say "built"

began=$(ms)
title "A private Tor network: 3 authorities, 5 relays, 2 clients"
"$top/contrib/testnet" start "$dir/net" > "$dir/testnet.log" 2>&1 || { cat "$dir/testnet.log" >&2; die "no network"; }
say "every tor is at 100 %"

title "Three web servers (nginx), one configuration, the keys"
for name in north south east; do web_server $name; done
say "north, south and east are up"
mkdir "$dir/run"
write_conf
run "$dir/bin/onionmirror" -f "$conf" init --keys "$dir/keys" --no-passphrase | tee "$dir/init.log"
site=$(grep -o 'om1[a-z2-7]\{52\}' "$dir/init.log" | head -n 1)
[ -n "$site" ] || die "init names no site id"
say "the site id is what readers hold: $site"

title "The daemon makes an address for each mirror, proves it through Tor, lists it"
setsid "$dir/bin/onionmirrord" -f "$conf" < /dev/null > "$dir/onionmirrord.log" 2>&1 &
echo $! > "$dir/onionmirrord.pid"
wait_for 120 "three mirrors listed" three_listed
say "three mirrors are created, proved and listed"
run "$dir/bin/onionmirror" -f "$conf" mirrors

title "A reader verifies the list, with nothing but the site id"
run "$dir/bin/onionmirror" verify --site "$site" "$list"
say "our own verifier accepts it"
run minisign -V -H -p "$dir/keys/member-main.pub" -m "$list/head.json"
run minisign -V -H -p "$dir/keys/member-main.pub" -m "$list/mirrors.txt"
run minisign -V -H -p "$dir/keys/root-1.pub" -m "$list/1.root.json" -x "$list/1.root.json.1.minisig"
say "stock minisign accepts the same files"

title "A page, fetched through the second tor"
old=$(address_of north)
echo "  \$ curl --socks5-hostname 127.0.0.1:$(cat "$dir/net/reader/socks-port") http://$old.onion/"
through_tor "$old" > "$dir/page" || die "the page cannot be fetched through Tor"
sed 's/^/    /' "$dir/page"
grep -q north "$dir/page" || die "that is not the page of north"
say "read through Tor"
through_tor "$old" 60 :8008/bundle.json > "$dir/bundle" || die "the list cannot be fetched from the onion itself"
cmp "$dir/bundle" "$list/bundle.json" || die "the onion serves another list"
say "and so is the list, from the same onion: http://$old.onion:8008/"

title "A takedown: the address of north is blocked, its web server stays well"
run "$top/contrib/testnet" block "$dir/net" "$old"
say "blocked $old.onion"
if through_tor "$old" 30 > "$dir/page" 2>&1; then die "the blocked address still answers"; fi
say "readers get: $(cat "$dir/page")"
wait_for 150 "a new address for north" north_replaced
new=$(address_of north)
say "replaced by itself: $new.onion"
run "$dir/bin/onionmirror" -f "$conf" mirrors
run "$dir/bin/onionmirror" verify --site "$site" "$list"
through_tor "$new" > "$dir/page" || die "the new address does not answer"
sed 's/^/    /' "$dir/page"
grep -q north "$dir/page" || die "that is not the page of north"
say "the new address answers, the old one is out of the list"

cat <<TEXT

== To attach it to your own tor
  ./autogen.sh && ./configure && make && sudo make install
  1. Debian's tor works as it is; torrc.d/onionmirror.conf makes its errors more precise.
  2. Let the user of onionmirrord read the cookie: adduser USER debian-tor
  3. Write /etc/onionmirror/onionmirror.conf like $conf, with
       tor "main" {
         control = "unix:/run/tor/control"
         cookie  = "/run/tor/control.authcookie"
         socks   = "unix:/run/tor/socks"
       }
  4. onionmirror init --keys DIR      makes the keys; take DIR offline afterwards
  5. onionmirrord                     and: onionmirror mirrors, onionmirror status
TEXT
finished=yes
if [ $keep = yes ]; then
	cat <<TEXT

It goes on running in $dir. To play with:
  $dir/bin/onionmirror -f $conf status
  $dir/bin/onionmirror -f $conf onions
  $dir/bin/onionmirror -f $conf rotate south --wait
  $dir/bin/onionmirror -f $conf onion-location --server nginx
  $top/contrib/testnet block $dir/net ADDRESS
  curl --socks5-hostname 127.0.0.1:$(cat "$dir/net/reader/socks-port") http://$new.onion/
  curl --socks5-hostname 127.0.0.1:$(cat "$dir/net/reader/socks-port") http://$new.onion:8008/mirrors.txt
  tail -f $dir/onionmirrord.log
To end it and remove everything: sh $top/contrib/demo.sh --stop --dir $dir
TEXT
fi
