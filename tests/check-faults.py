#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every row of tests/faults.tsv names tests that exist, one in each of its layers, or says why not. With a build folder
as argument also: in that run of contrib/check.sh each of them ran and passed (--quick: but those that need tor); a
table of rows played in each layer closes it. Without: it also spoils the table in each way that it should notice."""

import glob
import os
import re
import sys

SRC = os.path.realpath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "..")))
GROUPS = {"A": 30, "B": 14, "C": 16, "D": 17, "E": 7, "H": 15, "L": 16, "O": 14}
LAYERS = {"F": "fuzzing", "U": "unit", "S": "simulation", "P": "process", "T0": "tor alone", "T1": "network of tors", "C": "structure"}
BY_NAME = {"torture.py"}
ON_TOR_ALONE = {"alone.py", "transcript.py"}


def read(path):
    with open(os.path.join(SRC, path), encoding="utf-8") as f:
        return f.read()


def rows(text):
    """(id, layers, fault, [(layer, test)], {layer: why not}) of each line; what is malformed is told."""
    found, faults = [], []
    for n, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            continue
        f = line.split("\t")
        if len(f) != 5 or not all(f):
            faults.append("line %d: not five fields" % n)
            continue
        tests = [] if f[3] == "-" else [tuple(w.split(":", 1)) if ":" in w else (w, "") for w in f[3].split(" ")]
        why = {} if f[4] == "-" else dict(re.findall(r"(?:^|; )([A-Z][01]?): ([^;]+)", f[4]))
        found.append((f[0], f[1].split(" "), f[2], tests, why))
    return found, faults


class Tree:
    """The tests that exist: what the sources say."""

    def __init__(self):
        self.units = set()
        for path in glob.glob(SRC + "/tests/unit/*/test_*.c"):
            self.units.update("%s::%s" % m for m in re.findall(r"^Test\((\w+), (\w+)[,)]", read(path), re.M))
        self.targets = set(re.findall(r"tests/fuzz/fuzz_(\w+)", read("tests/fuzz/local.mk")))
        # Those that are not executable are run by contrib/check.sh by name.
        self.system = {os.path.basename(p): read(p) for p in glob.glob(SRC + "/tests/system/*.py")
                       if os.access(p, os.X_OK) or os.path.basename(p) in BY_NAME}

    def fault_of(self, layer, test):
        """Why that is no test of the layer, or None."""
        if layer == "U":
            return None if test in self.units else "no such unit test"
        if layer == "F":
            there = test in self.targets and (test == "walk" or os.path.exists(SRC + "/tests/fuzz/fuzz_%s.c" % test))
            return None if there else "no such fuzz target"
        if layer == "S":
            return None if os.path.exists(SRC + "/tests/sim/scenarios/%s.scn" % test) else "no such scenario"
        if layer == "C":
            return None if os.path.exists(SRC + "/tests/" + test) else "no such check"
        if layer not in LAYERS:
            return "no such layer"
        name, _, function = test.partition(":")
        text = self.system.get(name)
        if text is None or not re.search(r"^def %s\(" % (function or "-"), text, re.M):
            return "no such system test"
        if len(re.findall(r"\b%s\b" % function, text)) < 2:
            return "nobody runs it"
        is_at = ("P" if "\n# needs tor\n" not in text else "T0" if name in ON_TOR_ALONE else "T1")
        return None if layer == is_at else "that is a test of layer %s" % is_at


def check(text, tree):
    """Everything that is wrong with the table."""
    found, faults = rows(text)
    ids = [r[0] for r in found]
    wanted = [g + str(i) for g, n in GROUPS.items() for i in range(1, n + 1)]
    faults += ["%s: not in the table" % i for i in wanted if i not in ids]
    faults += ["%s: in the table twice" % i for i in sorted(set(ids)) if ids.count(i) > 1]
    faults += ["%s: not a row of the catalogue" % i for i in ids if i not in wanted]
    for row, layers, _, tests, why in found:
        for layer, test in tests:
            fault = tree.fault_of(layer, test)
            if fault is not None:
                faults.append("%s: %s:%s: %s" % (row, layer, test, fault))
        played = {layer for layer, _ in tests}
        for layer in layers:
            if layer not in LAYERS:
                faults.append("%s: no layer \"%s\"" % (row, layer))
            elif layer not in played and layer not in why:
                faults.append("%s: nothing plays it in layer %s, and no reason is given" % (row, layer))
            elif layer in played and layer in why:
                faults.append("%s: layer %s has a test and a reason why not" % (row, layer))
    return faults


class Ran:
    """What ran and passed, by the logs of a run of contrib/check.sh."""

    def __init__(self, build):
        self.build = build
        self.passed = set()  # lines, in the form that fits the kind of test
        for path in glob.glob(build + "/tests/unit/*/unit-*.log"):
            text = re.sub(r"\x1b\[[0-9;]*m", "", self.log(path))
            self.passed.update("U " + m for m in re.findall(r"^\[PASS\] (\w+::\w+): ", text, re.M))
        text = self.log(build + "/tests/sim/scenarios.log")
        self.passed.update("S " + m for m in re.findall(r"^ok \S*?([\w-]+)\.scn\b", text, re.M))
        for path in glob.glob(build + "/tests/**/*.trs", recursive=True):
            if ":test-result: PASS" in self.log(path):
                self.passed.add("trs " + os.path.basename(path)[:-4])
        for path in glob.glob(build + "/logs/*.py.log") + [build + "/logs/" + n[:-3] + ".log" for n in BY_NAME]:
            name = os.path.basename(path)[:-4]
            name += "" if name.endswith(".py") else ".py"
            self.passed.update("%s %s" % (name, m) for m in re.findall(r"^ok (.*?)(?: \([0-9.]+ s\))?$", self.log(path), re.M))

    @staticmethod
    def log(path):
        if not os.path.exists(path):
            return ""
        with open(path, errors="replace") as f:
            return f.read()

    @staticmethod
    def line(layer, test):
        """What `passed` holds when that test passed."""
        if layer in ("U", "S"):
            return "%s %s" % (layer, test)
        if layer == "F":
            return "trs fuzz_" + test
        if layer == "C":
            return "trs " + os.path.splitext(test)[0]
        name, _, function = test.partition(":")
        return "%s %s" % (name, function.replace("_", " "))

    def has(self, layer, test):
        return self.line(layer, test) in self.passed


def silent_cases(ran, text):
    """Whether a run in which one test of each layer was silent is told from a good one, for each layer."""
    for layer in LAYERS:
        test = next(t for r in rows(text)[0] for at, t in r[3] if at == layer)
        missing = Ran.__new__(Ran)
        missing.passed = {p for p in ran.passed if p != Ran.line(layer, test)}
        if missing.has(layer, test):
            return False
    return True


def after_a_run(build, text, quick):
    ran, faults = Ran(build), []
    if not silent_cases(ran, text):
        faults.append("that tests did not run was not noticed")
    count = dict.fromkeys(LAYERS, 0)
    silent = []
    found = rows(text)[0]
    for row, _, _, tests, _ in found:
        good = set()
        for layer, test in tests:
            if ran.has(layer, test):
                good.add(layer)
            elif not (quick and layer in ("T0", "T1")):
                faults.append("%s: %s:%s did not run, or failed" % (row, layer, test))
        for layer in good:
            count[layer] += 1
        if not good:
            silent.append(row)
    print("# rows of tests/faults.tsv played, of %d: %s" % (len(found), ", ".join(
        "%s %d" % (LAYERS[k], count[k]) for k in LAYERS)))
    if silent:
        print("# played by nothing here, each with its reason there: " + " ".join(silent))
    return faults


def notices(text, tree):
    """The table, spoiled on purpose in each way."""
    line = next(li for li in text.splitlines() if li.startswith("A1\t"))
    test = line.split("\t")[3].split(" ")[0]
    for what, spoiled in (("a row that is missing", text.replace(line + "\n", "")), ("a row that is there twice", text + line + "\n"),
                          ("a row of no catalogue", text + line.replace("A1\t", "A31\t") + "\n"),
                          ("a test that is not there", text.replace(test, test + "x")),
                          ("a layer without test or reason", text.replace(line, line.replace("\tS P T1\t", "\tS P T0 T1\t"))),
                          ("a test of another layer", text.replace(" P:process.py:a_tor", " T1:process.py:a_tor", 1)),
                          ("a line that is none", text + "A1\n")):
        if spoiled == text or not check(spoiled, tree):
            yield "%s was not noticed" % what


def main():
    text, tree = read("tests/faults.tsv"), Tree()
    faults = check(text, tree)
    words = [w for w in sys.argv[1:] if w != "--quick"]
    if words:
        faults += after_a_run(words[0], text, "--quick" in sys.argv)
    elif not faults:
        faults += notices(text, tree)
    for fault in faults:
        print("not ok tests/faults.tsv: " + fault)
    if not faults:
        print("ok every row of tests/faults.tsv has its tests" + (", and they ran and passed" if words else ""))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
