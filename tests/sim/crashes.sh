#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Death at every side effect of what is in crashes/: crashes.sh SIM [EVERY [JOBS]]. EVERY: a second death at each so many-th
# side effect of a recovery. Meant for an optimised build: about a minute of one processor with 997, an hour with 5.
set -u
sim=$1
dir=$(cd "$(dirname "$0")" && pwd)/crashes
set -- "${2:-997}" "${3:-1}"
[ "$(ls "$dir"/*.scn | wc -l)" -ge 7 ] || { echo "not ok crashes: too few of them in $dir"; exit 1; }
exec "$sim" --jobs "$2" --crash "$1" --scenarios "$dir"/*.scn
