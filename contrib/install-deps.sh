#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Installs with apt what is missing, and nothing else. The one list of packages of this project:
# check.sh, demo.sh and testnet call it. Services of the packages are not started meanwhile.
set -eu

usage() {
	cat <<'TEXT'
usage: install-deps.sh [--list] SET...
Sets: build (compiler, autotools, libraries), test (Criterion and what the checks run),
      net (tor and what contrib/testnet needs), demo (nginx, minisign, curl), browser (Chromium, 300 MB; what check.sh loads the list page with), all.
--list only prints the packages of the sets, one a line.
Exit 0 when everything is there; 1 when something is missing and could not be installed.
TEXT
}

BUILD="autoconf automake libtool pkg-config make gcc libc6-dev libevent-dev libssl-dev
	libsodium-dev libjansson-dev libsqlite3-dev libconfuse-dev libqrencode-dev
	libseccomp-dev"
TEST="libcriterion-dev binutils xz-utils strace procps minisign nginx-light curl
	python3-minimal libpython3-stdlib openssl socat tmux zsh fish prometheus prometheus-node-exporter
	mandoc systemd libjemalloc2 apparmor python3-yaml clang-14 clang-tidy-14 libclang-rt-14-dev cppcheck gcovr"
NET="tor python3-minimal libpython3-stdlib perl-base procps"
DEMO="nginx-light minisign curl"
BROWSER="chromium fonts-dejavu-core"

list_only=no
want=
for arg; do
	case $arg in
	--help | -h) usage; exit 0 ;;
	--list) list_only=yes ;;
	build) want="$want $BUILD" ;;
	test) want="$want $TEST" ;;
	net) want="$want $NET" ;;
	demo) want="$want $DEMO" ;;
	browser) want="$want $BROWSER" ;;
	all) want="$want $BUILD $TEST $NET $DEMO $BROWSER" ;;
	*) usage >&2; exit 2 ;;
	esac
done
[ -n "$want" ] || { usage >&2; exit 2; }

if [ $list_only = yes ]; then
	printf '%s\n' $want | sort -u
	exit 0
fi

missing=
for package in $(printf '%s\n' $want | sort -u); do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || :)
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "install-deps: missing, and only root can install:$missing" >&2
	echo "install-deps: as root: apt-get install --no-install-recommends$missing" >&2
	exit 1
fi

# A package's start script asks this program first; 101 means "do not start". Only if there is none.
policy=/usr/sbin/policy-rc.d
log=$(mktemp)
made_policy=no
cleanup() {
	if [ $made_policy = yes ]; then rm -f "$policy"; fi
	rm -f "$log"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
if [ ! -e "$policy" ]; then
	made_policy=yes
	printf '#!/bin/sh\nexit 101\n' > "$policy"
	chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
echo "installing:$missing" >&2
apt_install() {
	apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 $missing
}
lists=$(find /var/lib/apt/lists -name '*_Packages*' 2>/dev/null | head -n 1)
[ -n "$lists" ] || apt-get update -q > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
# Lists that are there may be old: then the second try, after an update, counts.
if ! apt_install > "$log" 2>&1 < /dev/null; then
	apt-get update -q > "$log" 2>&1 && apt_install > "$log" 2>&1 < /dev/null || {
		tail -n 20 "$log" >&2
		echo "install-deps: apt-get failed; missing:$missing" >&2
		exit 1
	}
fi
case $missing in
*tor* | *nginx* | *prometheus*) echo "installed but not started: see 'systemctl disable tor nginx prometheus prometheus-node-exporter' if you do not want them at boot" >&2 ;;
esac
