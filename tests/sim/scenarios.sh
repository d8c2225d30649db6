#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every scenario of the simulator, in two processes. One line each.
set -u
dir=$(cd "$(dirname "$0")" && pwd)/scenarios
sim=${top_builddir:-.}/tests/sim/sim
set -- "$dir"/*.scn
[ $# -ge 40 ] || { echo "not ok scenarios: only $# of them in $dir"; exit 1; }
exec "$sim" --jobs 2 --scenarios "$@"
