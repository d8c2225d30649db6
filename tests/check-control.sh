#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The lists of onionmirror-control(7) are what the daemon's tables say, and no error has a reason that is in none.
# With --write the page is made anew.
set -u
src=${top_srcdir:-$(dirname "$0")/..}
program=${top_builddir:-.}/tests/states/print-methods
page=$src/src/daemon/onionmirror-control.7
[ -x "$program" ] || { echo "not ok control: $program is not built"; exit 1; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
"$program" methods > "$tmp/methods" && "$program" reasons > "$tmp/reasons" || exit 1
awk -v dir="$tmp" '
/^\.\\" end of list$/ { skip = 0 }
!skip { print }
/^\.\\" list of / { skip = 1; file = dir "/" $NF; while ((getline line < file) > 0) print line }
' "$page" > "$tmp/page"
if [ "${1-}" = --write ]; then
	cp "$tmp/page" "$page"
	exit
fi
failed=0
for list in methods reasons; do
	[ "$(wc -l < "$tmp/$list")" -gt 10 ] && grep -q "^\.\\\\\" list of $list\$" "$page" || { echo "not ok control: no list of $list"; failed=1; }
done
diff -u "$page" "$tmp/page" || { echo "not ok control: $page is not what the tables say; run tests/check-control.sh --write"; failed=1; }
for reason in $(sed -n 's/.*reason = "\([a-z-]*\)".*/\1/p; s/.*send_error(.*, "\([a-z-]*\)");.*/\1/p; s/.*refuse(s, .*, "\([a-z-]*\)");.*/\1/p' "$src"/src/daemon/*.c | sort -u); do
	grep -qx ".It Li $reason" "$tmp/reasons" || { echo "not ok control: reason \"$reason\" is not in the list"; failed=1; }
done
[ $failed != 0 ] || echo "ok control: $(grep -c '^\.It Ic' "$tmp/methods") methods and $(grep -c '^\.It' "$tmp/reasons") reasons, the same in man page and code"
exit $failed
