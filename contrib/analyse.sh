#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Static analysis of src: cppcheck, clang-tidy (what is off stands in .clang-tidy) and gcc -fanalyzer.
set -u

usage() {
	cat <<'TEXT'
usage: analyse.sh [--build DIR]
  --build DIR  a configured tree, for its config.h (default: build-check in the source tree)
Prints what they find, then a line for each; exit code 0 if none found anything.
TEXT
}

top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build-check
while [ $# -gt 0 ]; do
	case $1 in
	--build)
		[ $# -ge 2 ] || { usage >&2; exit 2; }
		build=$2
		shift
		;;
	--help | -h) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
[ -e "$build/src/config.h" ] || { echo "not ok analyse: $build is not configured"; exit 2; }
build=$(cd "$build" && pwd)
jobs=$(nproc 2>/dev/null || echo 2)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=gnu11 -I$top/include -I$top/src -I$build/src -DCLI_DEFAULT_CONF=\"\" -DDAEMON_DEFAULT_CONF=\"\" -DCOVERAGE_DIR=\"\""
cd "$top" || exit 1
failed=0

# report NAME LOG CODE
report() {
	if [ "$3" = 0 ] && [ ! -s "$2" ]; then
		echo "ok $1 finds nothing in $(ls src/*/*.c | wc -l) files"
	else
		cat "$2"
		echo "not ok $1"
		failed=1
	fi
}

# cppcheck reads no system headers: these macros are blocks or types, and it must know which.
cat > "$work/macros.h" <<'TEXT'
#define json_array_foreach(a, i, v) for (i = 0; i < json_array_size(a) && (v = json_array_get(a, i)) != 0; i++)
#define json_object_foreach(o, k, v) for (void *it_ = json_object_iter(o); it_ != 0 && (k = json_object_iter_key(it_)) != 0 && (v = json_object_iter_value(it_)) != 0; it_ = json_object_iter_next(o, it_))
#define json_object_foreach_safe(o, n, k, v) json_object_foreach(o, k, v)
#define TAILQ_HEAD(name, type) struct name { struct type *tqh_first; struct type **tqh_last; }
#define TAILQ_ENTRY(type) struct { struct type *tqe_next; struct type **tqe_prev; }
#define LIST_HEAD(name, type) struct name { struct type *lh_first; }
#define LIST_ENTRY(type) struct { struct type *le_next; struct type **le_prev; }
#define TAILQ_FOREACH(v, head, field) for (v = (head)->tqh_first; v != 0; v = v->field.tqe_next)
#define LIST_FOREACH(v, head, field) for (v = (head)->lh_first; v != 0; v = v->field.le_next)
TEXT
cppcheck -q -j "$jobs" --enable=warning,performance,portability --std=c11 --include="$work/macros.h" \
	-I"$top/include" -I"$top/src" -I"$build/src" -DHAVE_SECCOMP=1 -D__x86_64__ -USANITIZED src > "$work/cppcheck" 2>&1
report cppcheck "$work/cppcheck" $?

# A failed run ends with 1 and tells why on the same output.
ls src/*/*.c | xargs -P "$jobs" -n 6 sh -c 'flags=$1 && shift && clang-tidy-14 --quiet "$@" -- $flags 2>/dev/null' sh "$flags" > "$work/clang-tidy"
report clang-tidy "$work/clang-tidy" $?

# gcc 12 loses sight of who owns what, and what was set, across calls: leaks are counted by every test, uninitialised
# values looked for by the usual warnings.
ls src/*/*.c | xargs -P "$jobs" -n 6 sh -c 'flags=$1 && shift && for f; do
	gcc -fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-use-of-uninitialized-value -O1 -c -o /dev/null $flags "$f" || exit 255
done' sh "$flags" > "$work/gcc" 2>&1
report "gcc -fanalyzer" "$work/gcc" $?
exit $failed
