#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The manual says what the code has: options = onionmirror.conf(5) = the sample, verbs = onionmirror(1), methods =
# onionmirror-control(7) where there is that page; pages that are named exist, mandoc finds no fault, the guides are
# reached from README. Each of these is then made wrong on purpose, in a copy, and must be seen.
set -u
src=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
build=$(cd "${top_builddir:-$src}" && pwd) || exit 1
program=$build/tests/docs/print-tables
[ -x "$program" ] || { echo "not ok docs: $program is not built"; exit 1; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
# The pages by their file name: what the checks look at, so that a copy can be looked at too.
mkdir "$tmp/pages" && cp "$src"/src/*/*.[1-9] "$src/README" "$src"/contrib/doc/*.md "$src/contrib/HACKING.md" "$tmp/pages/" || exit 1
"$program" 2> /dev/null | LC_ALL=C sort -u > "$tmp/tables" || exit 1
[ "$(wc -l < "$tmp/tables")" -gt 100 ] || { echo "not ok docs: the tables are empty"; exit 1; }

# same WHAT CODE TEXT: the two sets are one; tells which names only one has.
same() {
	[ -s "$2" ] || { echo "$1: none found in the code"; return 1; }
	only=$(comm -23 "$2" "$3" | tr '\n' ';')
	more=$(comm -13 "$2" "$3" | tr '\n' ';')
	[ -z "$only" ] || echo "$1: not told: $only"
	[ -z "$more" ] || echo "$1: told, but not there: $more"
	[ -z "$only$more" ]
}

options() {
	sed -n 's/^option //p' "$tmp/tables" > "$1.code"
	sed -n 's/^sample //p' "$tmp/tables" > "$1.sample"
	same "sample configuration" "$1.code" "$1.sample" || return 1
	awk '
	/^\.Sh GLOBAL OPTIONS/ { section = "root"; next }
	/^\.Sh [A-Z ]* SECTIONS?$/ { section = tolower($0); sub(/^\.sh /, "", section); sub(/ sections?$/, "", section); gsub(/ /, "-", section); next }
	/^\.Sh/ { section = "" }
	section != "" && /^\.It Ic [a-z0-9-]+ No / { print section, $3 }' "$2/onionmirror.conf.5" | LC_ALL=C sort -u > "$1.page"
	same "onionmirror.conf(5)" "$1.code" "$1.page"
}

# ".It Ic verb ..." or ".It Xo" with ".Ic verb ..." below; a verb is one word, or two that are one in the code.
verbs() {
	sed -n 's/^verb //p' "$tmp/tables" > "$1.code"
	awk '
	FNR == NR { known[$0] = 1; first[$1] = $2 != ""; next }
	xo || /^\.It Ic [a-z]/ { line = $0; sub(/^\.(It )?Ic /, "", line); split(line, w, " "); print first[w[1]] ? w[1] " " w[2] : w[1] }
	{ xo = /^\.It Xo$/ }' "$1.code" "$2/onionmirror.1" | LC_ALL=C sort -u > "$1.page"
	same "onionmirror(1)" "$1.code" "$1.page"
}

# What a verb parses, by its own word, is what its usage says (and by tests/check-verbs.sh what page and completion say).
usages() {
	sed -n 's/^takes //p' "$tmp/tables" > "$1.code"
	sed -n 's/^usage //p' "$tmp/tables" > "$1.page"
	same "usage of verbs" "$1.code" "$1.page"
}

# The table of methods, which is C, as text; the page names each as ".It Ic method".
methods() {
	[ -e "$2/onionmirror-control.7" ] || return 0
	awk '/^(static )?const struct method [a-z_]*\[\]/ { on = 1; next } on && /^}/ { on = 0 }
		on && match($0, /^\t\{ "[a-z-]+"/) { print substr($0, 5, RLENGTH - 5) }' "$src"/src/daemon/*.c | LC_ALL=C sort -u > "$1.code"
	sed -n 's/^\.It Ic \([a-z-]*\).*/\1/p' "$2/onionmirror-control.7" | LC_ALL=C sort -u > "$1.all"
	comm -12 "$1.code" "$1.all" > "$1.page"
	same "onionmirror-control(7)" "$1.code" "$1.page"
}

# ".Xr page 5" of ours, and "page(5)" in the guides: there is that file.
references() {
	bad=$( {
		sed -n 's/^\.Xr \([a-z.-]*onionmirror[a-z.-]*\) \([0-9]\).*/\1.\2/p' "$2"/*.[1-9]
		grep -oh '[a-z-]*onionmirror[a-z.-]*([1-9])' "$2"/*.md "$2/README" | sed 's/(\(.\))/.\1/'
	} | LC_ALL=C sort -u | while read -r page; do [ -e "$2/$page" ] || echo "$page"; done)
	[ -z "$bad" ] || { echo "pages that are named and are not there:" $bad; return 1; }
	for page in "$2"/*.[1-9]; do
		name=$(basename "$page")
		grep -q "${name%.*}(${name##*.})" "$2/README" || { echo "README does not name ${name%.*}(${name##*.})"; return 1; }
	done
	for guide in operator.md reader.md; do
		grep -q "$guide" "$2/README" || { echo "README does not name contrib/doc/$guide"; return 1; }
	done
}

lint() {
	command -v mandoc > /dev/null || return 0
	mandoc -Tlint -Wwarning "$2"/*.[1-9]
}

CHECKS="options verbs usages methods references lint"
look() { for check in $CHECKS; do $check "$tmp/$check" "$1" || return 1; done; }

if ! look "$tmp/pages" > "$tmp/out" 2>&1; then
	sed 's/^/  /' "$tmp/out"
	echo "not ok docs: the manual and the code differ"
	exit 1
fi
echo "ok docs: $(grep -c '^option ' "$tmp/tables") options and $(grep -c '^verb ' "$tmp/tables") verbs are in the manual, and nothing else"

failed=0
# seen FILE SED: with this change the manual is wrong.
seen() {
	rm -rf "$tmp/copy" && cp -r "$tmp/pages" "$tmp/copy"
	sed "$2" "$tmp/pages/$1" > "$tmp/copy/$1"
	if cmp -s "$tmp/pages/$1" "$tmp/copy/$1"; then
		echo "not ok docs: \"$2\" changes nothing in $1"
		failed=1
	elif look "$tmp/copy" > "$tmp/out" 2>&1; then
		echo "not ok docs: not seen: \"$2\" in $1"
		failed=1
	fi
}
seen onionmirror.conf.5 's/^\.It Ic log-onions No/.It Ic log-unions No/'
seen onionmirror.conf.5 's/^\.It Ic rise No.*/&\n.It Ic colour No = Ar text/'
seen onionmirror.conf.5 '/^\.It Ic share No/d'
seen onionmirror.conf.5 's/^\.Sh TOR SECTIONS/.Sh CHECK SECTIONS/'
seen onionmirror.1 's/^\.It Ic unlock.*/.It Ic unblock/'
seen onionmirror.1 's/^\.It Ic root sign.*/.It Ic root undo/'
seen onionmirror.1 's/^\.It Ic status$/&\n.It Ic stats/'
seen onionmirror.1 's/^\.Xr onionmirror-keys 7/.Xr onionmirror-kees 7/'
seen operator.md 's/onionmirror-keys(7)/onionmirror-keys(8)/'
seen README 's/libonionmirror(3)//'
seen README 's/operator\.md//'
if command -v mandoc > /dev/null; then seen onionmirrord.8 's/^\.Bl -enum.*/.Bl -enum -colour/'; fi
[ ! -e "$tmp/pages/onionmirror-control.7" ] || seen onionmirror-control.7 's/^\.It Ic status.*/.It Ic stats/'
cp "$tmp/tables" "$tmp/good"
for change in 's/^usage rotate --wait/& VALUE/' '/^usage history --probes/d' '/^takes fetch --timeout/d'; do
	sed "$change" "$tmp/good" > "$tmp/tables"
	if cmp -s "$tmp/good" "$tmp/tables" || look "$tmp/pages" > "$tmp/out" 2>&1; then
		echo "not ok docs: not seen: \"$change\" in the tables"
		failed=1
	fi
done
[ $failed = 1 ] || echo "ok docs: each fault made on purpose is seen"
exit $failed
