#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Who may include whom, and what may be called where: the table of contrib/HACKING.md, enforced.
set -u
cd "${top_srcdir:-$(dirname "$0")/..}" || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0

# report NAME: the violations are on standard input.
report() {
	cat > "$tmp/found"
	if [ -s "$tmp/found" ]; then
		sed 's/^/  /' "$tmp/found"
		echo "not ok layers: $1: $(wc -l < "$tmp/found") places"
		failed=1
	else
		echo "ok layers: $1"
	fi
}

files=$(find src include -name '*.[ch]' | sort)
[ "$(echo "$files" | wc -l)" -gt 20 ] || { echo "not ok layers: no sources found"; exit 1; }
awk -v strings=yes -f tests/c-text.awk $files > "$tmp/text"
awk -v strings=no -f tests/c-text.awk $files > "$tmp/code"

awk '
BEGIN {
	may["base"] = "base"
	may["proto"] = "proto base"
	may["conf"] = "conf base proto"
	may["mirror"] = "mirror base proto"
	may["io"] = "io base"
	may["tor"] = "tor base proto io"
	may["store"] = "store base proto"
	may["publish"] = "publish base proto"
	may["daemon"] = "daemon base proto conf mirror io tor store publish"
	may["lib"] = "lib base proto"
	may["cli"] = "cli conf base io proto"
	public["lib"] = public["cli"] = 1
}
{
	split($0, at, ":")
	line = $0
	sub(/^[^:]*:[^:]*:/, "", line)
	if (line !~ /^[ \t]*#[ \t]*include/) next
	sub(/^[ \t]*#[ \t]*include[ \t]*/, "", line)
	parts = split(at[1], path, "/")
	folder = path[1] == "include" ? "include" : path[2]
	if (folder != "include" && !(folder in may)) { print at[1] ": folder not in the table"; next }
	if (line ~ /^<onionmirror\//) {
		if (folder != "include" && !(folder in public)) print at[1] ":" at[2] ": " line
	} else if (line ~ /^"/) {
		if (folder == "include") { print at[1] ":" at[2] ": " line; next }
		if (line == "\"config.h\"") next
		target = substr(line, 2)
		if (!sub(/\/[a-z0-9_-]+\.h"$/, "", target) || index(" " may[folder] " ", " " target " ") == 0)
			print at[1] ":" at[2] ": " line
	}
}' "$tmp/text" | report "every include is in the table"

# outside FOLDERS: lines of files that are not below one of the given paths (an extended regex).
outside() { grep -Ev "^($1)"; }
# A call of one of these functions: not a member, not part of a longer name.
calls() { grep -E "(^|[^A-Za-z0-9_.>])($1)[[:space:]]*\("; }

grep -E ':[[:space:]]*#[[:space:]]*include[[:space:]]*<(event2/|event\.h|evhttp\.h|evdns\.h)' "$tmp/text" |
	outside 'src/io/' | report "libevent only in src/io"
grep -E ':[[:space:]]*#[[:space:]]*include[[:space:]]*<(sys/socket\.h|sys/un\.h|netinet/|arpa/|netdb\.h|poll\.h|sys/epoll\.h|sys/select\.h)' "$tmp/text" |
	outside 'src/io/' | report "socket headers only in src/io"
calls 'socket|socketpair|connect|bind|listen|accept|accept4|recv|recvmsg|recvfrom|send|sendmsg|sendto|getsockopt|setsockopt|shutdown|poll|select|epoll_create1?' < "$tmp/code" |
	outside 'src/io/' | report "socket calls only in src/io"
calls 'time|gettimeofday|clock_gettime|clock|ftime|timespec_get|difftime' < "$tmp/code" |
	outside 'src/base/clock\.c:' | report "clocks only in src/base/clock.c"
calls 'random|rand|srand|srandom|rand_r|[dlmnj]rand48|erand48' < "$tmp/code" |
	report "no weak random numbers"
calls 'arc4random[a-z_]*|getrandom|getentropy|randombytes_[a-z_]*|RAND_(priv_)?bytes|evutil_secure_rng_[a-z_]*' < "$tmp/code" |
	outside 'src/base/rng\.c:' | report "random numbers only in src/base/rng.c"
{
	calls 'printf|vprintf|puts|putchar|perror|syslog|vsyslog|openlog' < "$tmp/code"
	grep -E '(^|[^A-Za-z0-9_])(stdout|stderr)([^A-Za-z0-9_]|$)' "$tmp/code"
} | grep -E '^src/(proto|lib|mirror)/' | sort -u | report "proto, lib and mirror print and log nothing"
calls 'getaddrinfo|getnameinfo|gethostby[a-z0-9_]*|gethostent|res_n?(init|query|search|send)|evutil_getaddrinfo[a-z_]*|evdns_[a-z_]*|[a-z_]*_connect_hostname[a-z_]*|evhttp_make_request|evhttp_connection_base_[a-z_]*new' < "$tmp/code" |
	report "no resolver is called"
calls 'system|popen|fork|vfork|execl[pe]*|execv[pe]*|posix_spawnp?' < "$tmp/code" |
	report "no other program is run"
# Commands that would change a tor that belongs to the operator.
grep -E '"([^"]*[^A-Za-z0-9_"])?(SETCONF|RESETCONF|LOADCONF|SAVECONF|SIGNAL|TAKEOWNERSHIP|MAPADDRESS|EXTENDCIRCUIT|ATTACHSTREAM|HSPOST)([^A-Za-z0-9_"][^"]*)?"' "$tmp/text" |
	report "no forbidden tor command is named"
exit $failed
