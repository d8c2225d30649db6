#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# needs tor
"""The daemon beside one real tor that has no network (DisableNetwork 1): what only the control port of a real one can
show. tests/faults.tsv says which row each case plays."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import om
import process
from om import until


class Tor:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="omt-", dir="/tmp")
        self.cookie_path = self.folder + "/control.authcookie"
        with open(self.folder + "/torrc", "w") as f:
            f.write("DataDirectory {0}/data\nDisableNetwork 1\nSocksPort unix:{0}/socks\nControlSocket {0}/control\nCookieAuthentication 1\n"
                    "CookieAuthFile {0}/control.authcookie\nLog notice file {0}/log\n".format(self.folder))
        open(self.folder + "/defaults", "w").close()
        os.chmod(self.folder, 0o700)
        self.start()

    def start(self):
        tor = shutil.which("tor", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen([tor, "-f", self.folder + "/torrc", "--defaults-torrc", self.folder + "/defaults"],
                                        stdout=subprocess.DEVNULL)
        until("the control port of tor", 20, self.detached_or_none)

    def control(self):
        return om.Controller(self, "")

    def detached_or_none(self):
        try:
            self.detached()
        except (OSError, AssertionError, AttributeError):  # it is not there yet, or does not know us
            return False
        return True

    def detached(self):
        c = self.control()
        try:
            return c.detached()
        finally:
            c.close()

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def log(self):
        with open(self.folder + "/log", errors="replace") as f:
            return f.read()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class World:
    def __init__(self):
        self.tor = Tor()
        self.site = process.Site(self.tor.folder)
        try:
            self.site.started()
        except AssertionError:
            self.close()
            raise
        until("three onions in tor", 20, lambda: len(self.tor.detached()) == 3)

    def ours(self):
        return {o["onion"][:56] for o in self.site.onions() if o["state"] not in ("failed", "gone")}

    def close(self):
        self.site.close()
        self.tor.close()


def the_same(w, before, seconds=40):
    until("the same three onions", seconds, lambda: w.tor.detached() == before and w.site.status()["tors"][0]["state"] == "up", 0.2)


def nothing_is_added_twice_and_tor_finds_no_bug(w):
    before = w.tor.detached()
    assert before == w.ours()
    for _ in range(3):
        w.site.kill()
        w.site.started()
        the_same(w, before)
    log = w.tor.log()
    assert "Bug" not in log and "collision" not in log, log[-2000:]
    assert "collision" not in w.site.log()


def a_hangup_of_tor_adds_nothing_twice(w):
    before, told = w.tor.detached(), w.site.log().count("connected, version")
    w.tor.signal(signal.SIGHUP)
    until("tor reads its configuration", 10, lambda: "Received reload signal" in w.tor.log())
    the_same(w, before)
    assert "Bug" not in w.tor.log() and w.site.log().count("connected, version") == told


def what_another_controller_deletes_is_put_back(w):
    before = w.tor.detached()
    victim = sorted(before)[0]
    c = w.tor.control()
    c.ask("DEL_ONION " + victim)
    c.close()
    assert victim not in w.tor.detached()
    the_same(w, before, 120)


def a_foreign_onion_stays(w):
    c = w.tor.control()
    foreign = c.ask("ADD_ONION NEW:ED25519-V3 Flags=DiscardPK,Detach Port=80,unix:/nowhere")[0].partition("ServiceID=")[2]
    c.close()
    before = w.tor.detached()
    assert foreign in before and len(foreign) == 56
    w.site.kill()
    w.site.started()
    the_same(w, before)
    assert foreign not in w.ours()


def a_new_cookie_is_read_after_a_restart(w):
    before = w.ours()
    w.tor.kill()
    with open(w.tor.cookie_path, "wb") as f:
        f.write(b"x" * 32)
    w.tor.start()
    assert not w.tor.detached()
    the_same(w, before, 60)


def a_stopped_tor_is_given_up_and_found_again(w):
    before = w.tor.detached()
    w.tor.signal(signal.SIGSTOP)
    try:
        until("it is given up", 90, lambda: w.site.status()["tors"][0]["state"] != "up", 0.2)
    finally:
        w.tor.signal(signal.SIGCONT)
    the_same(w, before, 90)
    assert "Bug" not in w.tor.log()


def two_daemons_on_one_tor_leave_each_other_alone(w):
    before = w.tor.detached()
    other = process.Site(w.tor.folder, names=("west",))
    try:
        other.started()
        until("one more", 20, lambda: len(w.tor.detached() - before) == 1)
        both = w.tor.detached()
        for site in (w.site, other):
            site.kill()
            site.started()
            the_same(w, both)
        assert len(w.ours()) == 3 and w.ours() | {o["onion"][:56] for o in other.onions()} <= both
    finally:
        other.close()
    assert before <= w.tor.detached()


# Side by side, each with a tor of its own: two wait for the next keep-alive or poll.
GROUPS = ((nothing_is_added_twice_and_tor_finds_no_bug, a_hangup_of_tor_adds_nothing_twice, a_new_cookie_is_read_after_a_restart,
           a_foreign_onion_stays, two_daemons_on_one_tor_leave_each_other_alone),
          (what_another_controller_deletes_is_put_back,), (a_stopped_tor_is_given_up_and_found_again,))


def main():
    cases = process.Cases()

    def run(functions):
        try:
            world = World()
            try:
                for function in functions:
                    cases.run(function, world)
            finally:
                world.close()
        except Exception as e:
            cases.failed += 1
            print("not ok a tor and a site: %s: %s" % (type(e).__name__, str(e).replace("\n", " | ")), flush=True)

    threads = [threading.Thread(target=run, args=(g,)) for g in GROUPS]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return 1 if cases.failed else 0


if __name__ == "__main__":
    sys.exit(main())
