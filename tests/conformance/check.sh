#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The generated suite is the one that index and SHA256SUMS name, byte for byte, and the second verifier agrees with it.
set -eu
here=$top_srcdir/tests/conformance
made=$top_builddir/tests/conformance/cases
for name in index SHA256SUMS; do
	cmp "$here/$name" "$made/$name" || {
		echo "not ok $name: if that is wanted, copy $made/$name over it and look at the difference"
		exit 1
	}
done
(cd "$made" && sha256sum -c --quiet SHA256SUMS)
echo "ok the generated suite has the hashes in the tree"
python3 "$top_srcdir/tests/system/listcheck.py" "$made/index" "$made"
echo "ok the verifier that was written from onionmirror-list(5) alone agrees"
