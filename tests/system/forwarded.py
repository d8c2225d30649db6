#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A tor on another host, its control and SOCKS ports forwarded to unix sockets here by socat, beside one of our own."""

import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import om
import process
from om import until

FAR = """tor "far" {{
  control = "unix:{0}/control"
  cookie = "{0}/control.authcookie"
  socks = "unix:{0}/socks"
  max-mirrors = 100
}}
"""


class World:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="omt-", dir="/tmp")
        self.near, self.far, self.here = (self.folder + "/" + n for n in ("near", "far", "here"))
        for path in (self.near, self.far, self.here):
            os.mkdir(path)
        self.tor, self.other = faketor.FakeTor(self.near), faketor.FakeTor(self.far)
        self.site, self.lines = None, []

    def forward(self):
        # As the operator does for a tor that he has no file of: its cookie is copied.
        shutil.copy(self.far + "/control.authcookie", self.here)
        for name in ("control", "socks"):
            self.lines.append(subprocess.Popen(["socat", "UNIX-LISTEN:%s/%s,fork,unlink-early,mode=600" % (self.here, name),
                                                "UNIX-CONNECT:%s/%s" % (self.far, name)], start_new_session=True))
        until("socat listens", 5, lambda: all(os.path.exists(self.here + "/" + n) for n in ("control", "socks")))

    def cut(self):
        for line in self.lines:
            os.killpg(line.pid, 9)  # with those that it forked for each connection
            line.wait()
        self.lines = []

    def state(self, name):
        return {t["name"]: t["state"] for t in self.site.status()["tors"]}[name]

    def close(self):
        if self.site is not None:
            self.site.close()
        self.cut()
        self.tor.stop()
        self.other.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def mirrors_are_placed_on_both_and_listed(world):
    world.forward()
    world.site = process.Site(world.tor, names=("north", "south", "east", "west"))
    text = world.site.conf_text().replace('tor = "main"', 'tor = "auto"')
    assert text.count('tor = "auto"') == 4, text
    world.site.write_conf(text + FAR.format(world.here))
    world.site.started()
    until("all listed", 30, world.site.listed)
    spread = (len(world.tor.detached()), len(world.other.detached()))
    assert spread == (2, 2), spread
    where = sorted(m["tor"] for m in world.site.mirrors().values())
    assert where == ["far", "far", "main", "main"], where


def a_forward_that_breaks_is_one_tor_down(world):
    world.cut()
    until("it is noticed", 20, lambda: world.state("far") != "up")
    assert world.state("main") == "up"
    near = [n for n, m in world.site.mirrors().items() if m["tor"] == "main"]
    world.site.cli("rotate", near[0], "--wait")
    assert len(world.other.detached()) == 2, "its onions were touched"


def it_comes_back_with_its_forward(world):
    world.forward()
    until("it is linked again", 90, lambda: world.state("far") == "up")
    until("all listed", 30, world.site.listed)


CASES = [mirrors_are_placed_on_both_and_listed, a_forward_that_breaks_is_one_tor_down, it_comes_back_with_its_forward]

if __name__ == "__main__":
    sys.exit(om.run_cases(World(), CASES))
