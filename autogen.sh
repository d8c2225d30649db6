#!/bin/sh
# Makes ./configure from configure.ac. Needs autoconf 2.71, automake 1.16, libtool, pkg-config.
set -e
cd "$(dirname "$0")"
mkdir -p contrib/build-aux
exec autoreconf --install --force --warnings=all
