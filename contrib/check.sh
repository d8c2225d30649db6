#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Builds with sanitizers and runs every test. Installs with apt what is missing. The last line counts the cases.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
quick=no
build=

usage() {
    cat <<'TEXT'
usage: sh contrib/check.sh [--quick] [--build DIR]
  --quick      leave out what needs a network of real tors, and the tarball
  --build DIR  build there and keep it (default: a temporary folder, removed at the end)
TEXT
}
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=yes ;;
    --build) build=$2; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done

sh "$top/contrib/install-deps.sh" build test net demo

work=$(mktemp -d /tmp/onionmirror-check.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
[ -n "$build" ] || build=$work/build
mkdir -p "$build"
build=$(cd "$build" && pwd)
passed=0
failed=0
began=$(date +%s)

say() { printf '== %s (%d s)\n' "$*" $(($(date +%s) - began)); }
# One case: $1 its name, $2 whether it passed (0) or not.
count() {
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n' "$1"
    fi
}
step() {
    name=$1
    shift
    if "$@" >"$work/step.log" 2>&1; then
        count "$name" 0
    else
        tail -40 "$work/step.log"
        count "$name" 1
    fi
}

say "build with AddressSanitizer and UBSan"
[ -x "$top/configure" ] || step "autogen" "$top/autogen.sh"
cd "$build"
step "configure" "$top/configure" --enable-werror --enable-sanitizers --enable-tests CFLAGS='-O1 -g'
step "build" make -j"$(nproc)"
if [ $failed != 0 ]; then
    echo "$passed passed, $failed failed"
    exit 1
fi

say "unit tests, fuzz replay, structure checks"
make -k -j"$(nproc)" check >"$work/check.log" 2>&1 || :
[ -s test-suite.log ] || { tail -40 "$work/check.log"; count "make check" 1; }
for trs in $(find . -name '*.trs' | sort); do
    log=${trs%.trs}.log
    result=$(sed -n 's/^:global-test-result: //p' "$trs")
    line=$(grep -a 'Synthesis: Tested:' "$log" | tail -1 | sed 's/\x1b\[[0-9;]*m//g') || line=
    if [ -n "$line" ]; then
        good=$(echo "$line" | sed 's/.*Passing: \([0-9]*\).*/\1/')
        all=$(echo "$line" | sed 's/.*Tested: \([0-9]*\).*/\1/')
        passed=$((passed + good))
        failed=$((failed + all - good))
        # A leak or a crash of the runner shows only in the result of the whole program.
        [ "$result" = PASS ] || [ "$good" != "$all" ] || failed=$((failed + 1))
    else
        count "${trs%.trs}" "$([ "$result" = PASS ] && echo 0 || echo 1)"
    fi
    [ "$result" = PASS ] || { echo "FAILED: ${trs%.trs} ($result)"; tail -60 "$log"; }
done

# A system test prints "ok NAME" or "not ok NAME: why" for each case.
system_test() {
    say "$1"
    shift
    code=0
    top_srcdir=$top top_builddir=$build KEEP_LOG=$work/daemon.log "$@" >"$work/system.log" 2>&1 || code=$?
    cat "$work/system.log"
    good=$(grep -c '^ok ' "$work/system.log" || :)
    bad=$(grep -c '^not ok ' "$work/system.log" || :)
    passed=$((passed + good))
    failed=$((failed + bad))
    if [ "$bad" != 0 ] || [ "$code" != 0 ]; then
        [ "$bad" != 0 ] || failed=$((failed + 1))
        [ ! -s "$work/daemon.log" ] || tail -60 "$work/daemon.log"
    fi
}
export ASAN_OPTIONS="detect_leaks=1:exitcode=99" UBSAN_OPTIONS="print_stacktrace=1"
[ ! -f "$top/tests/system/torrc.sh" ] || system_test "torrc snippets" sh "$top/tests/system/torrc.sh"
[ ! -f "$top/tests/system/process.py" ] || system_test "the daemon against a fake tor, without a network" \
    python3 "$top/tests/system/process.py"
if [ $quick = no ]; then
    [ ! -f "$top/tests/system/testnet.py" ] || system_test "the private Tor network" python3 "$top/tests/system/testnet.py"
    system_test "the daemon on a private network of real tors" python3 "$top/tests/system/realtor.py"
    say "tarball: make distcheck, hardened, without the tests that ran already"
    mkdir -p "$work/dist"
    cd "$work/dist"
    step "configure, hardened" "$top/configure" --enable-werror --enable-tests=no
    step "make distcheck" make -j"$(nproc)" distcheck DISTCHECK_CONFIGURE_FLAGS=--enable-tests=no
    step "the demo" sh "$top/contrib/demo.sh" --dir "$work/demo" --build "$work/dist"
fi
say "end"
[ $((passed + failed)) != 0 ] || failed=1
echo "$passed passed, $failed failed"
[ $failed = 0 ]
