#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""make.py FOLDER: writes the conformance suite: the bundles, `index` and SHA256SUMS (see README)."""
import hashlib
import os
import sys

sys.dont_write_bytecode = True
import kit  # noqa: E402
import cases_edge  # noqa: E402
import cases_form  # noqa: E402
import cases_heads  # noqa: E402
import cases_leaves  # noqa: E402
import cases_memory  # noqa: E402
import cases_roots  # noqa: E402

HEAD = """# name\tsite id\tnow\tbefore (file@time)\tfile\texpected\tmirrors\tmissing members
# Made by make.py. What the columns mean: README.
"""


def build(case, k, steps):
    """What the steps build: [(time, bytes)]; and the site id."""
    out = []
    for step in steps:
        k.now = kit.NOW
        step(k)
        out.append((k.now, k.build()))
    return out, kit.site_text(k.site or k.made_site)


def write(folder, name, data, sums):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)
    sums.append("%s  %s\n" % (hashlib.sha256(data).hexdigest(), name))


def main(folder):
    os.makedirs(folder, exist_ok=True)
    index, sums, names = HEAD, [], set()
    for group in (cases_form, cases_roots, cases_heads, cases_leaves, cases_memory, cases_edge):
        for case in group.CASES:
            assert case.name not in names, case.name
            names.add(case.name)
            built, site = build(case, kit.Kit(), case.steps)
            before = []
            for i, (now, data) in enumerate(built[:-1]):
                write(folder, "%s.%d.json" % (case.name, i), data, sums)
                before.append("%s.%d.json@%d" % (case.name, i, now))
            now, data = built[-1]
            write(folder, case.name + ".json", data, sums)
            index += "\t".join([case.name, site, str(now), " ".join(before) or "-", case.name + ".json", case.expect,
                                case.mirrors, case.missing]) + "\n"
    write(folder, "index", index.encode(), sums)
    with open(os.path.join(folder, "SHA256SUMS"), "w", encoding="ascii") as f:
        f.write("".join(sorted(sums, key=lambda line: line[66:])))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
