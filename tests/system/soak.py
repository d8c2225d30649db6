#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# needs tor
"""The daemon under everything at once, for as long as --minutes says, on a private network of real tor processes: tor is killed
every minute, a backend comes and goes, the disk fills and empties, addresses are rotated, and sixteen clients misbehave all the
while. No list may show what was not proved, nothing may grow, and each alarm must have a fault that explains it.
Run by contrib/check.sh --full with a build that has no sanitizers, for their bookkeeping of memory would be measured too."""

import argparse
import collections
import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import om
from om import Cases, until
from process import Disk

# An alarm may come this long after the end of its fault: what a fault left is proved again by then, on a busy machine too.
AFTER = 60
# Which faults explain an alarm, by its first words. What is not here has no explanation.
EXPLAINED = (
    (r"unfit: ", ("tor",)),
    (r"panic: ", ("tor",)),
    (r"waited: ", ("tor", "disk")),
    (r"overload: ", ("tor",)),
    (r"publish: ", ("disk",)),
    (r"list not published: .*the disk is full", ("disk",)),
    (r"the state cannot be written; nothing is changed until it can$", ("disk",)),
    (r"tor main is not fit to judge: ", ("tor",)),
)
# Growth of the median from the first third to the last. Memory: the cache of SQLite (2 MiB) fills as the history does, and pieces
# between allocations come to about as much; what leaked with each of thousands of connections would be far beyond. Descriptors:
# two at a time are a probe's, and the clients come and go, which a median does not show.
MORE_MEMORY = 4 << 20
MORE_DESCRIPTORS = 3


class Faults:
    """What was done to the daemon, and when."""

    def __init__(self):
        self.spans = []  # [name, start, end or None]

    def begin(self, name):
        self.spans.append([name, time.time(), None])
        return self.spans[-1]

    def explain(self, when, names):
        return any(n in names and start <= when and (end is None or when <= end + AFTER) for n, start, end in self.spans)

    def count(self, name):
        return sum(n == name for n, _, _ in self.spans)


class Soak:
    def __init__(self, net, site, disk, seed):
        self.net, self.site, self.disk = net, site, disk
        self.rng = random.Random(seed)
        self.faults = Faults()
        self.ending = threading.Event()
        self.broken = []  # what went wrong in a thread
        self.alarms = {}  # text -> each time it was heard first, or again after it was over
        self.samples = []  # (time, bytes, descriptors)
        self.rounds = collections.Counter()  # connections of each client that misbehaves
        self.threads = []

    def begin(self, function, *args):
        def guarded():
            try:
                function(*args)
            except Exception as e:
                self.broken.append("%s: %s: %s" % (function.__name__, type(e).__name__, e))
        self.threads.append(threading.Thread(target=guarded, daemon=True, name=function.__name__))
        self.threads[-1].start()

    def end(self):
        self.ending.set()
        for t in self.threads:
            t.join(150)
            assert not t.is_alive(), t.name

    # --- faults

    def kill_tor(self):
        at = time.monotonic()
        while not self.ending.wait(max(0, at + 60 - time.monotonic())):
            at += 60
            span = self.faults.begin("tor")
            self.net.kill_host()
            self.net.start_host()
            span[2] = time.time()

    def flap(self, backend):
        while not self.ending.wait(self.rng.uniform(20, 60)):
            span = self.faults.begin("backend")
            backend.stop()
            self.ending.wait(self.rng.uniform(5, 40))
            backend.start()
            span[2] = time.time()

    def fill(self):
        while not self.ending.wait(self.rng.uniform(30, 60)):
            span = self.faults.begin("disk")
            self.disk.fill()
            self.ending.wait(self.rng.uniform(5, 30))
            self.disk.free()
            span[2] = time.time()

    def rotate(self):
        while not self.ending.wait(self.rng.uniform(60, 120)):
            done = self.site.cli("rotate", self.rng.choice(sorted(self.site.backends)), check=False)
            self.faults.begin("rotation" if done.returncode == 0 else "refused rotation")[2] = time.time()

    # --- what is seen

    def hear(self):
        """Alarms as they are told: in the log, and in the status."""
        with open(self.site.dir + "/daemon.log", errors="replace") as f:
            part, standing = "", set()
            while not self.ending.wait(0.2):
                part += f.read()
                *lines, part = part.split("\n")
                for line in lines:
                    told = re.search(r"\bALARM (.*)", line)
                    if told:
                        self.alarms.setdefault(told.group(1), []).append(time.time())
                now = set(self.status().get("alarms", ()))
                for text in now - standing:
                    self.alarms.setdefault(text, []).append(time.time())
                standing = now

    def status(self):
        done = self.site.cli("status", "--json", check=False)
        return json.loads(done.stdout) if done.returncode in (0, 1) and done.stdout.startswith("{") else {}

    def measure(self):
        pid = self.site.process.pid
        while not self.ending.wait(3):
            with open("/proc/%d/smaps_rollup" % pid) as f:
                pss = next(int(line.split()[1]) << 10 for line in f if line.startswith("Pss:"))
            self.samples.append((time.time(), pss, len(os.listdir("/proc/%d/fd" % pid))))

    def thirds(self, column):
        n = len(self.samples) // 3
        assert n >= 10, "%d samples" % len(self.samples)
        return [statistics.median(s[column] for s in part) for part in (self.samples[:n], self.samples[n:2 * n], self.samples[-n:])]

    # --- clients

    def place(self, http):
        """A socket of the list service, whichever there is now, or the control socket."""
        if not http:
            return self.site.dir + "/run/control.sock"
        names = os.listdir(self.site.dir + "/list")
        return self.site.dir + "/list/" + self.rng.choice(names) if names else None

    def misbehave(self, how, http):
        while not self.ending.wait(0.5):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(5)
            try:
                s.connect(self.place(http) or "")
                how(self, s, http)
            except OSError:
                pass  # cut, refused, or nothing more fits
            finally:
                s.close()
            self.rounds[how.__name__, http] += 1


def good(http):
    return b"GET /bundle.json HTTP/1.1\r\nHost: x.onion\r\n\r\n" if http else b'{"jsonrpc":"2.0","id":1,"method":"history","params":{"table":"probes"}}\n'


def never_reads(soak, s, http):
    for _ in range(2000):
        s.sendall(good(http))


def half_a_line(soak, s, http):
    s.sendall(good(http)[:-20])
    soak.ending.wait(20)


def garbage(soak, s, http):
    for _ in range(20):
        s.sendall(os.urandom(4096))
        s.recv(4096)


def flood(soak, s, http):
    for _ in range(100):
        s.sendall(good(http))
        s.recv(65536)


def drip(soak, s, http):
    for byte in good(http) * 2:
        s.sendall(bytes([byte]))
        if soak.ending.wait(0.5):
            return


def line_without_end(soak, s, http):
    s.sendall(b"GET /" if http else b'{"jsonrpc":"')
    while True:
        s.sendall(b"a" * 65536)


def goes_at_once(soak, s, http):
    s.sendall(good(http))


def deep(soak, s, http):
    s.sendall(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000 if http else b"[" * 60000 + b"\n")
    while s.recv(65536):
        pass


CLIENTS = (never_reads, half_a_line, garbage, flood, drip, line_without_end, goes_at_once, deep)


# --- what must hold


def it_goes_on_all_the_while(soak, minutes):
    site = soak.site
    soak.begin(soak.hear)
    soak.begin(soak.measure)
    soak.begin(soak.kill_tor)
    soak.begin(soak.flap, site.backends["south"])
    soak.begin(soak.fill)
    soak.begin(soak.rotate)
    for how in CLIENTS:
        for http in (False, True):
            soak.begin(soak.misbehave, how, http)
    start = told = time.monotonic()
    while time.monotonic() < start + 60 * minutes and not soak.broken and site.process.poll() is None:
        soak.ending.wait(1)
        if time.monotonic() > told + 120:
            told += 120
            print("# minute %d: Pss %d KiB, %d descriptors, %d lists, %d kinds of alarm" % (
                (told - start) / 60, soak.samples[-1][1] / 1024, soak.samples[-1][2], len(site.watcher.seen), len(soak.alarms)), flush=True)
    soak.end()
    assert not soak.broken, soak.broken
    assert site.process.poll() is None, "it ended with %s: %s" % (site.process.poll(), site.log_tail(5))
    print("# %d kills of tor, a backend away %d times, a full disk %d times, %d rotations, %d refused" % tuple(
        soak.faults.count(n) for n in ("tor", "backend", "disk", "rotation", "refused rotation")))
    print("# connections of clients that misbehave: " + ", ".join("%s %s %d" % (n, "list" if h else "control", c)
                                                                   for (n, h), c in sorted(soak.rounds.items())))
    for how in CLIENTS:
        for http in (False, True):
            assert soak.rounds[how.__name__, http] > 0, "%s never came to its end" % how.__name__


def all_is_well_when_the_faults_are_over(soak):
    listed = soak.site.wait_listed(180)
    until("the list has them all", 60, lambda: soak.site.published() == set(listed.values()), 0.5)
    for name, address in listed.items():
        until("%s answers through another tor" % name, 120, lambda a=address: om.answers(soak.net, a))


def no_list_showed_what_was_not_proved(soak):
    print("# %d lists were visible" % len(soak.site.watcher.seen))
    assert len(soak.site.watcher.seen) > 2, "too few to say anything"
    om.proved_when_listed(soak.site)


def memory_does_not_grow(soak):
    got = soak.thirds(1)
    print("# Pss, median of each third: %s KiB, %d samples" % (" ".join("%d" % (g / 1024) for g in got), len(soak.samples)))
    assert got[2] - got[0] <= MORE_MEMORY, got


def descriptors_do_not_grow(soak):
    got = soak.thirds(2)
    print("# descriptors, median of each third: %s, at most %d" % (" ".join("%g" % g for g in got), max(s[2] for s in soak.samples)))
    assert got[2] - got[0] <= MORE_DESCRIPTORS, got


def every_alarm_has_its_fault(soak):
    alone = []
    for text, times in sorted(soak.alarms.items()):
        names = next((names for pattern, names in EXPLAINED if re.match(pattern, text)), ())
        without = [t for t in times if not soak.faults.explain(t, names)]
        print("# %d times (%s): %s" % (len(times), "of " + " or ".join(names) if names else "unexplained", re.sub("[a-z2-7]{56}", "ADDRESS", text)[:150]))
        alone += ["%s at %.0f" % (text, t) for t in without]
    assert soak.alarms, "a soak without an alarm heard nothing"
    assert not alone, alone


def run(net, minutes):
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print("# seed %d, %g minutes" % (seed, minutes), flush=True)
    cases = Cases()
    disk = Disk(32 << 20)
    site = None
    try:
        site = om.Site(net, ["north", "south", "east"], data=disk.path, more='list-service { port = 8008 sockets = "%(dir)s/list" }\n')
        site.start()
        site.wait_listed(180)
        soak = Soak(net, site, disk, seed)
        cases.run(it_goes_on_all_the_while, soak, minutes)
        for case in (all_is_well_when_the_faults_are_over, no_list_showed_what_was_not_proved, memory_does_not_grow,
                     descriptors_do_not_grow, every_alarm_has_its_fault):
            cases.run(case, soak)
    finally:
        if site is not None:
            if cases.failed:
                shutil.copy(site.dir + "/daemon.log", os.environ.get("KEEP_LOG", "soak-daemon.log"))
            site.close()
        disk.end()
    return cases.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    minutes = parser.parse_args().minutes
    if os.environ.get("OM_INSIDE") is None:  # the disk is mounted where nobody else sees it
        words = ["unshare", "-m"]
        if subprocess.run(words + ["true"], stderr=subprocess.DEVNULL).returncode != 0:
            words += ["--propagation", "unchanged"]
        os.execvpe(words[0], words + [sys.executable, os.path.realpath(__file__), *sys.argv[1:]], dict(os.environ, OM_INSIDE="1"))
    del sys.argv[1:]

    def test(net, cases):
        cases.failed = run(net, minutes)
    om.main(test)


if __name__ == "__main__":
    main()
