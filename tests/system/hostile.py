#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The real daemon among enemies, in a network namespace that holds nothing: a control port and a SOCKS port that break
every rule, clients and signals. tests/faults.tsv says which row each case plays; backends are in backends.py."""

import array
import base64
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import process
from om import until
from process import DAEMON, Disk, Rpc, Site, check_refusal, says

FLOOD = 64 << 20  # bytes after which a flood counts as never cut
GROWTH = 48 << 20  # a reply may have 16 MiB
# What AddressSanitizer keeps of freed memory would count as growth.
os.environ["ASAN_OPTIONS"] = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=4")))


class HostileTor(faketor.FakeTor):
    """A tor with a quirk on its control port and one on its SOCKS port."""

    def __init__(self, folder):
        self.quirk = self.socks_quirk = None
        self.floods = []  # how many bytes went out until each was cut
        self.speaking = threading.Event()  # cleared: commands are heard and done, and nothing is said
        self.speaking.set()
        super().__init__(folder)
        self.link_class = HostileLink

    def behave(self, quirk):
        """All links end, and the next ones meet this."""
        self.quirk = quirk
        with self.lock:
            links = list(self.links)
        for link in links:
            link.cut()

    def serve_socks(self, c):
        quirk = self.socks_quirk
        if quirk is None:
            super().serve_socks(c)
            return
        faketor.exactly(c, 3)
        c.sendall({"version": b"\4\2", "http": b"HTTP/1.1 400 Bad Request\r\n\r\n", "no-method": b"\5\xff", "part": b"\5", "close": b"",
                   "endless": b"\5\2" + b"\1" * 100000}[quirk])
        if quirk != "close":
            c.recv(1)


class HostileLink(faketor.Link):
    def send(self, *lines):
        self.tor.speaking.wait(120)
        super().send(*lines)

    def flood(self, first, piece):
        sent = len(first)
        try:
            self.c.sendall(first)
            while sent < FLOOD:
                self.c.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        self.tor.floods.append(sent)
        return False

    def on_protocolinfo(self, rest):
        methods = {"null": "NULL", "cookie": "COOKIE"}.get(self.tor.quirk)
        if methods is None:
            super().on_protocolinfo(rest)
        else:
            self.send("250-PROTOCOLINFO 1", "250-AUTH METHODS=%s COOKIEFILE=\"%s\"" % (methods, self.tor.cookie_path),
                      "250-VERSION Tor=\"0.4.9.11\"", "250 OK")

    def on_authchallenge(self, rest):
        if self.tor.quirk == "wrong-hash":
            self.send("250 AUTHCHALLENGE SERVERHASH=%s SERVERNONCE=%s" % ("A" * 64, "B" * 64))
        else:
            super().on_authchallenge(rest)

    def on_getinfo(self, key):
        quirk = self.tor.quirk
        if quirk == "line":
            return self.flood(b"250-version=", b"x" * 65536)
        if quirk == "lines":
            return self.flood(b"", b"250-version=0\r\n" * 4096)
        if quirk == "data":
            return self.flood(b"250+version=\r\n", b"0\r\n" * 16384)
        if quirk == "events" and key == "version":
            event = "650 HS_DESC UPLOADED %s UNKNOWN %s\r\n" % ("a" * 56, faketor.HSDIR)
            for _ in range(20):
                self.c.sendall(event.encode() * 1000)
        if quirk == "filter" and key not in ("version", "onions/detached"):
            self.send("510 Command filtered")
            return None
        return super().on_getinfo(key)

    def on_setevents(self, rest):
        if self.tor.quirk == "filter" and rest != "HS_DESC":
            self.send("510 Command filtered")
        else:
            super().on_setevents(rest)

    def on_add_onion(self, rest):
        if self.tor.quirk != "cut-add":
            super().on_add_onion(rest)
            return None
        self.tor.quirk = None
        self.send = lambda *lines: self.c.sendall(("\r\n".join(lines))[:20].encode())
        super().on_add_onion(rest)
        return False


def descriptors(site):
    return len(os.listdir("/proc/%d/fd" % site.process.pid))


def memory(site):
    with open("/proc/%d/status" % site.process.pid) as f:
        return next(int(line.split()[1]) << 10 for line in f if line.startswith("VmRSS:"))


def back(site, before, seconds=60):
    until("the same mirrors are up and listed", seconds, lambda: site.listed() == before, 0.1)
    assert site.published() == set(before.values())


def probes(site):
    """Every probe in the record, oldest first."""
    rows, after = [], 0
    with Rpc(site) as r:
        while True:
            got = r.result("history", {"table": "probes", "after": after})["records"]
            if not got:
                return [p for p in rows if not p["direct"]]
            rows += got
            after = got[-1]["id"]


# --- the control port ---------------------------------------------------------------------------------


def replies_without_an_end_are_cut(site):
    before, size = site.wait_listed(20), memory(site)
    for quirk in ("line", "lines", "data"):
        n = len(site.tor.floods)
        site.tor.behave(quirk)
        until("a flood of %s ends" % quirk, 40, lambda: len(site.tor.floods) > n, 0.05)
        assert site.status()["site_id"] == site.id
        assert site.tor.floods[n] < FLOOD, "%s: never cut" % quirk
        site.tor.behave(None)
        back(site, before)
    assert memory(site) - size < GROWTH, "%d MiB more" % ((memory(site) - size) >> 20)


def an_impostor_is_told_no_key(site):
    before = site.wait_listed(20)
    for quirk, allowed in (("null", ()), ("cookie", ()), ("wrong-hash", ("AUTHCHALLENGE ",))):
        site.tor.quirk = quirk
        site.tor.stop()
        heard, keys = len(site.tor.commands), len(site.tor.keys)
        site.tor.start()
        until("it comes and goes", 20, lambda: len(site.tor.commands) > heard and not site.tor.links, 0.05)
        for c in site.tor.commands[heard:]:
            assert c.startswith(("PROTOCOLINFO", *allowed)), "%s: it says %s" % (quirk, c[:30])
        assert len(site.tor.keys) == keys
        site.tor.behave(None)
        back(site, before)
        assert site.tor.cookie.hex() not in "".join(site.tor.commands).lower()


def a_link_that_ends_in_a_reply_makes_no_second_onion(site):
    before, keys, adds = site.wait_listed(20), len(site.tor.keys), len(site.tor.heard("ADD_ONION"))
    site.tor.quirk = "cut-add"
    site.cli("rotate", "north")
    until("north has a new address", 40, lambda: site.listed().get("north") not in (None, before["north"]), 0.1)
    assert site.tor.quirk is None
    assert len(site.tor.keys) == keys + 1 and len(site.tor.heard("ADD_ONION")) == adds + 1, "added twice"
    assert site.published() == set(site.listed().values())


def a_burst_of_events_does_not_hide_the_reply(site):
    before, size, known = site.wait_listed(20), memory(site), len(site.tor.heard("GETINFO version"))
    site.tor.behave("events")
    until("it asks again", 20, lambda: len(site.tor.heard("GETINFO version")) > known, 0.02)
    start = time.monotonic()
    assert site.status()["site_id"] == site.id
    assert time.monotonic() - start < 2, "the control socket waits for the burst"
    back(site, before)
    assert len(site.tor.heard("GETINFO version")) == known + 1, "the link was lost"
    assert memory(site) - size < GROWTH
    site.tor.quirk = None


def a_tor_killed_in_a_loop_leaves_nothing_behind(site):
    before, fds, size = site.wait_listed(20), descriptors(site), memory(site)
    told = len(site.log().splitlines())
    for _ in range(5):
        n = len(site.tor.heard("AUTHENTICATE"))
        site.tor.restart()
        until("it is back", 20, lambda: len(site.tor.heard("AUTHENTICATE")) > n, 0.02)
    back(site, before)
    until("descriptors are given back", 10, lambda: descriptors(site) <= fds + 1, 0.05)
    assert memory(site) - size < GROWTH
    assert len(site.log().splitlines()) - told < 5 * 12, "%d lines" % (len(site.log().splitlines()) - told)


def a_filter_that_refuses_most_leaves_the_mirrors_proved(site):
    before = site.wait_listed(20)
    site.tor.behave("filter")
    until("it is refused", 20, lambda: any(c.startswith("SETEVENTS") for c in site.tor.commands[-20:]), 0.05)
    back(site, before)
    site.tor.restart()
    back(site, before)
    site.tor.behave(None)
    back(site, before)


def a_tor_that_says_nothing_is_given_up(site):
    """It has heard and done what it was told, and says so when the link is long over."""
    before, keys = site.wait_listed(20), len(site.tor.keys)
    text = site.current()
    site.tor.speaking.clear()
    try:
        site.cli("rotate", "north")
        until("the command comes", 10, lambda: len(site.tor.keys) == keys + 1, 0.05)
        until("it is given up", 30, lambda: site.status()["tors"][0]["state"] != "up", 0.2)
        assert site.current() == text, "the list must stay"
    finally:
        site.tor.speaking.set()
    until("north has its new address", 60, lambda: site.listed().get("north") not in (None, before["north"]), 0.1)
    assert len(site.tor.keys) == keys + 1 and site.published() == set(site.listed().values())
    assert set(site.tor.detached()) <= {o["onion"][:56] for o in site.onions()}, "an onion of nobody"


# --- the SOCKS port ------------------------------------------------------------------------------------


def a_socks_port_that_breaks_the_rules_blames_no_mirror(site):
    before = site.wait_listed(20)
    seen = len(site.watcher.seen)
    for quirk in ("version", "http", "no-method", "part", "close", "endless"):
        site.tor.socks_quirk = quirk
        last = max(p["id"] for p in probes(site))

        def tried():
            return {p["mirror"] for p in probes(site) if p["id"] > last and p["verdict"] == "inconclusive"} == set(before)

        until("%s is met by all" % quirk, 30, tried, 0.1)
        bad = [p for p in probes(site) if p["id"] > last and p["verdict"] not in ("ok", "inconclusive")]
        assert not bad, "%s: %s" % (quirk, bad[0])
    site.tor.socks_quirk = None
    back(site, before)
    assert all(onions == set(before.values()) for _, _, onions, _ in site.watcher.seen[seen:]), "one left the list"


# --- clients -----------------------------------------------------------------------------------------------


def passed_descriptors_are_not_kept(site):
    fds = descriptors(site)
    with Rpc(site) as r, open("/dev/null") as null:
        passed = array.array("i", [null.fileno()] * 250)
        for _ in range(4):
            r.s.sendmsg([b'{"jsonrpc":"2.0","id":1,"method":"status"}\n'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
            assert r.read()["result"]["site_id"] == site.id
        assert descriptors(site) < fds + 50, "%d are kept" % (descriptors(site) - fds)


def a_client_that_dies_leaves_its_operation_whole(site):
    before = site.wait_listed(20)
    for i in range(20):
        r = Rpc(site)
        r.send(b'{"jsonrpc":"2.0","id":1,"method":"rotate","params":{"mirror":"north","id":"one"}}\n' if i % 2 else
               b'{"jsonrpc":"2.0","id":1,"method":"onions"}\n' * 50)
        r.close()
    until("north is rotated", 40, lambda: site.listed().get("north") not in (None, before["north"]), 0.1)
    after = site.listed()
    with Rpc(site) as r:
        r.result("rotate", {"mirror": "north", "id": "one"})
    assert site.wait_listed(20) == after, "rotated twice"
    assert site.published() == set(after.values())


def another_user_cannot_give_orders(site):
    if os.getuid() != 0 or os.environ.get("OM_MAPPED"):
        print("# skipped: needs root: another user")
        return
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(process.NOBODY)
            os.setuid(process.NOBODY)
            Rpc(site)
        except PermissionError:
            code = 0
        except OSError as e:
            code = 0 if "Permission denied" in str(e) else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0, "another user gets an answer"


def what_lies_in_the_place_of_the_socket_is_left_alone(site):
    other = Site(site.tor_dir, names=("north",), init=False)
    path = other.dir + "/run/control.sock"
    precious = other.dir + "/precious"
    try:
        other.cli("init", "--keys", other.dir + "/keys", "--no-passphrase")

        def write(p):
            with open(p, "w") as f:
                f.write("precious\n")

        write(precious)
        for name, make in (("a file", lambda: write(path)), ("a link", lambda: os.symlink(precious, path)), ("a fifo", lambda: os.mkfifo(path)),
                           ("a folder", lambda: os.mkdir(path))):
            make()
            done = subprocess.run([DAEMON, "-f", other.conf], capture_output=True, text=True, timeout=20)
            check_refusal(done, ("control.sock",), 1, None)
            assert os.path.lexists(path), name + " was removed"
            with open(precious) as f:
                assert f.read() == "precious\n"
            (os.rmdir if os.path.isdir(path) else os.unlink)(path)
        for long, words in (("x" * 108, ("control-socket",)), ("x" * 5000, ("control-socket",))):
            other.write_conf(other.conf_text().replace(path, "/tmp/" + long))
            check_refusal(subprocess.run([DAEMON, "-f", other.conf], capture_output=True, text=True, timeout=20), words)
        other.write_conf()
        # A socket of a dead one is no obstacle.
        s = socket.socket(socket.AF_UNIX)
        s.bind(path)
        s.close()
        other.started()
    finally:
        other.close()


def a_log_that_cannot_be_written_stops_nothing(site):
    before = site.wait_listed(20)
    site.stop()
    out, pipe = os.pipe()
    os.close(out)
    with open("/dev/full", "wb") as full, os.fdopen(pipe, "wb") as broken:
        for log in (full, broken):
            site.process = subprocess.Popen([DAEMON, "-f", site.conf], stdout=log, stderr=log)
            site.wait_control()
            assert site.wait_listed(20) == before
            says(site.cli("publish", "--wait"), 0)
            site.stop()
    site.started()
    back(site, before)


# --- the process ---------------------------------------------------------------------------------------------


def limit(site, what, soft):
    """Sets a limit of the running daemon; returns the old one."""
    old = resource.prlimit(site.process.pid, what)
    resource.prlimit(site.process.pid, what, (old[1] if soft is None else soft, old[1]))


def without_descriptors_it_goes_on(site):
    before = site.wait_listed(20)
    limit(site, resource.RLIMIT_NOFILE, descriptors(site) + 3)
    clients = []
    try:
        for _ in range(30):
            s = socket.socket(socket.AF_UNIX)
            s.setblocking(False)
            s.connect(site.dir + "/run/control.sock")
            clients.append(s)
        site.tor.restart()
        until("none is left", 10, lambda: descriptors(site) >= resource.prlimit(site.process.pid, resource.RLIMIT_NOFILE)[0], 0.02)
        assert site.process.poll() is None
    finally:
        for s in clients:
            s.close()
    until("it answers again", 20, lambda: site.mirrors(), 0.1)
    limit(site, resource.RLIMIT_NOFILE, None)
    back(site, before)
    says(site.cli("publish", "--wait"), 0)


def a_file_size_limit_is_a_full_disk(site):
    before, text = site.wait_listed(20), site.current()
    limit(site, resource.RLIMIT_FSIZE, 512)
    site.cli("publish", check=False)
    until("it says so", 10, lambda: any("state cannot be written" in a for a in site.status()["alarms"]), 0.05)
    assert site.process.poll() is None and site.current() == text
    limit(site, resource.RLIMIT_FSIZE, None)
    until("it is published later", 60, lambda: site.current() != text, 0.1)
    back(site, before)


def a_storm_of_signals_loses_nothing(site):
    before = site.wait_listed(20)
    good = site.conf_text()
    with Rpc(site) as r:
        for i in range(300):
            if i % 50 == 0:
                site.write_conf(good if i % 100 else good + "colour = \"blue\"\n")
                r.call("publish")
            for s in (signal.SIGHUP, signal.SIGPIPE, signal.SIGCONT, signal.SIGWINCH):
                os.kill(site.process.pid, s)
        site.write_conf(good)
        assert r.result("status")["site_id"] == site.id
    until("published", 20, lambda: site.cli("publish", "--wait", check=False).returncode == 0, 0.1)
    back(site, before)
    with Rpc(site) as r:
        r.call("publish")
        start = time.monotonic()
        for _ in range(3):
            os.kill(site.process.pid, signal.SIGTERM)
        assert site.process.wait(10) == 0 and time.monotonic() - start < 5
    site.started()
    back(site, before)


def a_process_that_stood_still_blames_no_mirror(site):
    """Longer than the deadline of a probe, with probes under way and due."""
    before, seen = site.wait_listed(20), len(site.watcher.seen)
    site.tor.answering.clear()
    n = len(site.tor.fetched)
    until("probes are under way", 20, lambda: len(site.tor.fetched) >= n + 2, 0.02)
    os.kill(site.process.pid, signal.SIGSTOP)
    site.tor.answering.set()
    time.sleep(6)
    os.kill(site.process.pid, signal.SIGCONT)
    last = max(p["id"] for p in probes(site))
    until("each was probed twice since", 30, lambda: all(
        sum(p["mirror"] == m and p["id"] > last for p in probes(site)) >= 2 for m in before), 0.1)
    back(site, before)
    assert all(onions == set(before.values()) for _, _, onions, _ in site.watcher.seen[seen:]), "one left the list"


def kill_9_at_random_moments_loses_nothing(site):
    site.wait_listed(20)
    rng = random.Random(7)
    for _ in range(14):
        with Rpc(site) as r:
            r.call("rotate", {"mirror": rng.choice(site.names)})
            r.call("publish")
        time.sleep(rng.random() * 0.6)  # the moment of the blow
        site.kill()
        site.start()
        time.sleep(rng.random() * 0.15)
        site.kill()  # and in the middle of the recovery
        site.started()
    listed = until("all up and listed", 60, site.listed, 0.1)
    until("the list tells of them", 20, lambda: site.published() == set(listed.values()), 0.1)
    known = {o["onion"][:56] for o in site.onions()}
    assert set(site.tor.detached()) <= known, "an onion of nobody is left in tor"
    assert set(listed.values()) <= set(site.tor.detached())


# --- disk and state ----------------------------------------------------------------------------------------


def an_old_state_signs_nothing(site):
    before = site.wait_listed(20)
    site.stop()
    shutil.copytree(site.state, site.dir + "/backup")
    site.started()
    until("published", 20, lambda: site.cli("publish", "--wait", check=False).returncode == 0, 0.1)
    text = site.current()
    site.stop()
    os.rename(site.state, site.dir + "/newest")
    os.rename(site.dir + "/backup", site.state)
    done = subprocess.run([DAEMON, "-f", site.conf], capture_output=True, text=True, timeout=20)
    check_refusal(done, ("older than what was published", "bring the newest state back"), 1, None)
    assert site.current() == text
    shutil.rmtree(site.state)
    os.rename(site.dir + "/newest", site.state)
    site.started()
    back(site, before)


def a_state_folder_that_goes_is_not_begun_anew(site):
    before, text, keys = site.wait_listed(20), site.current(), len(site.tor.keys)
    os.rename(site.state, site.dir + "/away")
    site.cli("rotate", "north", check=False)
    assert site.process.wait(20) == 1
    assert "taken away" in site.log_tail(3), site.log_tail(3)
    assert site.current() == text and len(site.tor.keys) == keys, "something was done that is recorded nowhere"
    done = subprocess.run([DAEMON, "-f", site.conf], capture_output=True, text=True, timeout=20)
    check_refusal(done, ("state-dir", "init"))
    assert not os.path.exists(site.state), "a fresh state"
    os.rename(site.dir + "/away", site.state)
    site.started()
    back(site, before)


def a_disk_without_inodes_or_read_only_holds_the_list(tor):
    publish = Disk(4 << 20)
    site = None
    try:
        site = Site(tor, names=("alpha",), publish=publish.path + "/publish")
        site.started()
        before = site.wait_listed(20)

        def remount(options):
            subprocess.run(["mount", "-o", "remount," + options, publish.path], check=True)

        for what, spoil, mend in (
                ("no inodes", lambda: remount("nr_inodes=%d" % inodes(publish.path)), lambda: remount("nr_inodes=10000")),
                ("read-only", lambda: remount("ro"), lambda: remount("rw"))):
            text = site.current()
            spoil()
            says(site.cli("publish", "--wait", check=False), 1, "could not be published")
            assert site.current() == text and site.published() == set(before.values()), what
            assert any("not published" in a for a in site.status()["alarms"]), what
            mend()
            until("published again after " + what, 40, lambda: site.current() != text, 0.1)
        back(site, before)
        site.watcher.check()
    finally:
        if site is not None:
            site.close()
        publish.end()


def inodes(path):
    s = os.statvfs(path)
    return s.f_files - s.f_ffree


# --- all of it ----------------------------------------------------------------------------------------------


def group(cases, tor, names, functions, conf=lambda text: text):
    functions = [f for f in functions if f.__name__ in sys.argv[1:] or not sys.argv[1:]]
    if not functions:
        return
    site = Site(tor, names=names)
    plain = site.conf_text
    site.conf_text = lambda *a: conf(plain(*a))
    site.write_conf()
    try:
        site.started()
        for function in functions:
            cases.run(function, site)
        site.watcher.check()
    finally:
        site.close(keep="KEEP" in os.environ)


# Each has a site and a tor of its own, and they run side by side: they mostly wait.
GROUPS = (
    (replies_without_an_end_are_cut, a_link_that_ends_in_a_reply_makes_no_second_onion),
    (an_impostor_is_told_no_key,),
    (a_burst_of_events_does_not_hide_the_reply, a_filter_that_refuses_most_leaves_the_mirrors_proved),
    (a_tor_killed_in_a_loop_leaves_nothing_behind,),
    (a_tor_that_says_nothing_is_given_up, a_process_that_stood_still_blames_no_mirror),
    (a_socks_port_that_breaks_the_rules_blames_no_mirror,),
    (passed_descriptors_are_not_kept, a_client_that_dies_leaves_its_operation_whole, another_user_cannot_give_orders,
     what_lies_in_the_place_of_the_socket_is_left_alone, a_log_that_cannot_be_written_stops_nothing, an_old_state_signs_nothing,
     without_descriptors_it_goes_on, a_storm_of_signals_loses_nothing),
    (a_file_size_limit_is_a_full_disk, a_state_folder_that_goes_is_not_begun_anew),
    (kill_9_at_random_moments_loses_nothing,))


def short(text):
    """Probes with a short deadline."""
    return text.replace("timeout = 20s", "timeout = 3s")


def run(cases, tor):
    jobs = [lambda i=i, g=g: group(cases, tor("t%d" % i), ("north", "south"), g, short) for i, g in enumerate(GROUPS)]
    if len(sys.argv) == 1:
        jobs.append(lambda: cases.run(a_disk_without_inodes_or_read_only_holds_the_list, tor("disk")))
    return jobs


if __name__ == "__main__":
    process.main_of(__file__, HostileTor, run)
