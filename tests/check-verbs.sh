#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The table of verbs is what onionmirror(1) describes, with the same options, and what contrib/completion
# completes; bash, zsh and fish understand those files. With --write they are made anew.
set -u
src=${top_srcdir:-$(dirname "$0")/..}
build=${top_builddir:-.}
program=$build/onionmirror
page=$src/src/cli/onionmirror.1
dir=$src/contrib/completion
[ -x "$program" ] || { echo "not ok verbs: $program is not built"; exit 1; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0
bad() { echo "not ok verbs: $*"; failed=1; }

for shell in bash:onionmirror zsh:_onionmirror fish:onionmirror.fish; do
	name=${shell#*:} shell=${shell%%:*}
	"$program" completion "$shell" > "$tmp/$name" || exit 1
	if [ "${1-}" = --write ]; then
		cp "$tmp/$name" "$dir/$name"
	else
		cmp -s "$tmp/$name" "$dir/$name" || bad "$dir/$name is not what the table says; run tests/check-verbs.sh --write"
	fi
	if command -v "$shell" > /dev/null; then
		"$shell" -n "$tmp/$name" || bad "$shell does not understand $name"
	fi
done

# "rotate|--wait", "key new|--no-passphrase": the verbs as the completion for bash has them.
sed -n 's/^\t"\([a-z -]*[a-z]\) *"\**) options="\([^"]*\) --json --help".*/\1|\2/p; s/^\t"\([a-z -]*[a-z]\) *"\**) options="--json --help".*/\1|/p' "$tmp/onionmirror" > "$tmp/verbs"
[ "$(wc -l < "$tmp/verbs")" -gt 25 ] || bad "only $(wc -l < "$tmp/verbs") verbs in the table"
while IFS='|' read -r verb options; do
	# What the page says of it: from its item to the next one.
	awk -v verb="$verb" '
		{ line = $0 " " }
		/^\.It Xo$/ { held = 1; on = 0; next }
		held && index(line, ".Ic " verb " ") == 1 { on = 1 }
		/^\.It Ic / { on = index(line, ".It Ic " verb " ") == 1 }
		/^\.(El|Sh)/ && !inner { on = 0 }
		{ held = 0 }
		on { print }' "$page" > "$tmp/item"
	[ -s "$tmp/item" ] || { bad "$verb is not in $page"; continue; }
	for option in $options; do
		option=$(echo "$option" | sed 's/^-//')
		grep -q -- "Fl $option\b" "$tmp/item" || bad "$page does not have -$option of $verb"
	done
done < "$tmp/verbs"
sed -n 's/^\.It Ic //p' "$page" | sed 's/ \(Ar\|Fl\|Op\|Oo\|Cm\) .*//' > "$tmp/told"
while read -r verb; do
	grep -q "^$verb|" "$tmp/verbs" || bad "$page has $verb, which there is not"
done < "$tmp/told"

# Does it complete? Asked as bash asks.
if command -v bash > /dev/null; then
	complete() {
		bash -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _onionmirror onionmirror; echo "${COMPREPLY[*]}"' - "$tmp/onionmirror" "$@"
	}
	[ "$(complete onionmirror rot)" = rotate ] || bad "bash: rot is not completed"
	[ "$(complete onionmirror root ro)" = rotate ] || bad "bash: root ro is not completed"
	[ "$(complete onionmirror maint north o)" = "on off" ] || bad "bash: maint north o is not completed"
	[ "$(complete onionmirror rotate --w)" = --wait ] || bad "bash: rotate --w is not completed"
	[ -z "$(complete onionmirror status s)" ] || bad "bash: something behind status"
fi
if command -v fish > /dev/null; then
	complete() { fish -c "source $tmp/onionmirror.fish; complete -C '$1'" 2> /dev/null | cut -f 1 | tr '\n' ' '; }
	[ "$(complete 'onionmirror rot')" = "rotate " ] || bad "fish: rot is not completed"
	[ "$(complete 'onionmirror root ro')" = "rotate " ] || bad "fish: root ro is not completed"
	[ "$(complete 'onionmirror history --p')" = "--probes " ] || bad "fish: history --p is not completed"
	[ -z "$(complete 'onionmirror root rotate --w')" ] || bad "fish: root rotate has an option of rotate"
fi
# zsh chooses among what it is given; here that is printed.
if command -v zsh > /dev/null; then
	complete() {
		zsh -fc 'compdef() :; compadd() { shift; print -r -- "$@" }; _files() print files; source "$1"; shift
			words=("$@"); CURRENT=$#; _onionmirror' - "$tmp/_onionmirror" "$@"
	}
	complete onionmirror rot | grep -qw rotate || bad "zsh: rot is not completed"
	[ "$(complete onionmirror root ro)" = "new rotate sign" ] || bad "zsh: root ro is not completed"
	[ "$(complete onionmirror maint north o)" = "on off" ] || bad "zsh: maint north o is not completed"
	[ "$(complete onionmirror rotate --w)" = "--wait --json --help" ] || bad "zsh: rotate --w is not completed"
	complete onionmirror verify '' | grep -qx files || bad "zsh: no files for verify"
fi
[ $failed != 0 ] || echo "ok verbs: $(wc -l < "$tmp/verbs") verbs, the same in table, man page and completion"
exit $failed
