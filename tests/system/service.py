#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The daemon as a service: a locked start and what opens it, credentials, what the service
manager is told (with a manager of our own), and the log. With a scripted tor."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import process
from om import converse, run_cases, until
from process import CLIENT, DAEMON, Rpc

PHRASE = "a passphrase of the tests"
LOCKED = "locked-start = on"


class Manager:
    """What systemd is to a service: the socket in $NOTIFY_SOCKET."""

    def __init__(self, folder):
        self.path = folder + "/notify"
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.s.bind(self.path)
        self.s.settimeout(0.05)
        self.got = []

    def read(self):
        while True:
            try:
                self.got.append(self.s.recv(4096).decode())
            except TimeoutError:
                return self.got

    def wait(self, text, seconds=10):
        """The first message that has `text`, and forgets it and those before."""
        def found():
            return next((g for g in self.read() if text in g), None)

        message = until("the service manager hears " + text, seconds, found, 0)
        del self.got[:self.got.index(message) + 1]
        return message


class Tor(faketor.FakeTor):
    """A world of one scripted tor; each case makes a site of its own."""

    def __init__(self):
        folder = tempfile.mkdtemp(prefix="omt-", dir="/tmp")
        os.chmod(folder, 0o755)
        super().__init__(folder)

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Site(process.Site):
    """With an environment of its own."""

    env = {}

    def start(self):
        log = open(self.dir + "/daemon.log", "ab")
        self.process = subprocess.Popen([DAEMON, "-f", self.conf], stdout=log, stderr=log, env={**os.environ, **self.env})
        log.close()

    def unlock(self, phrase, check=True):
        read, write = os.pipe()
        os.write(write, phrase.encode() + b"\n")
        os.close(write)
        done = subprocess.run([*CLIENT, "-f", self.conf, "unlock", "--passphrase-fd", str(read)], pass_fds=(read,), capture_output=True,
                              text=True, timeout=60)
        os.close(read)
        assert not check or done.returncode == 0, done
        return done

    def refused_to_start(self, words):
        done = subprocess.run([DAEMON, "-f", self.conf], capture_output=True, text=True, timeout=20, env={**os.environ, **self.env})
        assert done.returncode == 1 and words in done.stderr.strip().split("\n")[-1], done

    def memory_holds(self, secret):
        """Is it in any page that the daemon can write?"""
        with open("/proc/%d/maps" % self.process.pid) as maps, open("/proc/%d/mem" % self.process.pid, "rb", 0) as mem:
            for line in maps:
                m = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
                if not m:
                    continue
                start, end = int(m.group(1), 16), int(m.group(2), 16)
                if end - start > 1 << 29:
                    continue  # a sanitizer's shadow
                try:
                    mem.seek(start)
                    if secret in mem.read(end - start):
                        return True
                except OSError:
                    pass
        return False


def waits_for(site, words):
    """Nothing can be seen not to happen; this gives the daemon as long as a whole unlocked start takes."""
    until(words, 10, lambda: site.status()["locked"], 0.02)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        site.status()


def a_locked_start_does_nothing(tor):
    site = Site(tor, names=("north",), key=LOCKED)
    try:
        assert not os.path.exists(site.dir + "/master.key"), "init made a key that nobody needs"
        before, heard = process.tree(site.state), len(tor.commands)
        site.started()
        waits_for(site, "locked")
        assert len(tor.commands) == heard and not os.listdir(site.publish), "it touched tor or published"
        assert process.tree(site.state) == before
        assert "locked" in site.log() and "onionmirror unlock" in site.log()
        said = site.cli("status").stdout
        assert "LOCKED" in said and "onionmirror unlock" in said, said
        status = site.status()
        assert status["new"] is True and status["tors"] == [] and "locked" in status["alarms"][0], status
        with Rpc(site) as r:
            for method in ("mirrors", "onions", "history", "rotate", "drain", "maint", "revoke", "probe", "publish", "reload"):
                error = r.call(method)["error"]
                assert error["data"]["reason"] == "locked", (method, error)
        done = site.cli("mirrors", check=False)
        assert done.returncode == 1 and "onionmirror unlock" in done.stderr and done.stderr.count("\n") == 1, done
        site.process.send_signal(signal.SIGHUP)
        site.wait_log("reload: it is locked")
        site.stop()
        assert "onionmirror unlock" in site.log()
    finally:
        site.close()


def unlock_opens_it_and_a_wrong_passphrase_does_not(tor):
    site = Site(tor, names=("north",), key=LOCKED)
    try:
        site.started()
        # The first passphrase is asked for twice: nothing could tell a wrong one.
        words = CLIENT + ["-f", site.conf, "unlock"]
        code, shown = converse(words, site.dir, [("New passphrase", PHRASE), ("Again", PHRASE + "x")])
        assert code == 1 and "differ" in shown, shown
        code, shown = converse(words, site.dir, [("New passphrase", PHRASE), ("Again", PHRASE)])
        assert code == 0 and "unlocked" in shown and PHRASE not in shown, shown
        site.wait_listed(20)
        assert site.unlock(PHRASE, check=False).stderr == "onionmirror: the daemon is not locked\n"
        with Rpc(site) as r:
            assert r.call("unlock", {"passphrase": PHRASE})["error"]["data"]["reason"] == "not-locked"
        if os.getuid() == 0:
            assert not site.memory_holds(PHRASE.encode()), "the passphrase is still in memory"
        address = site.mirrors()["north"]["listed"]
        site.kill()

        heard = len(tor.commands)
        site.started()
        waits_for(site, "locked again")
        assert len(tor.commands) == heard and site.status()["new"] is False
        code, shown = converse(words, site.dir, [("Passphrase", "quite another one")])
        assert code == 1 and "wrong" in shown and "Again" not in shown, shown
        done = site.unlock(PHRASE, check=False)
        assert done.returncode == 1 and "try again in 1 s" in done.stderr, done
        with Rpc(site) as r:
            assert r.call("unlock", {"passphrase": PHRASE})["error"]["data"]["reason"] == "too-soon"
            assert r.call("unlock", {})["error"]["data"]["reason"] in ("bad-params", "too-soon")
            assert r.call("unlock", {"passphrase": 1})["error"]["data"]["reason"] in ("bad-params", "too-soon")
        until("the next try", 5, lambda: site.unlock(PHRASE, check=False).returncode == 0, 0.1)
        site.wait_listed(20)
        assert site.mirrors()["north"]["listed"] == address, "another address"
        for text in (PHRASE, "quite another one"):
            assert text not in site.log()
            if os.getuid() == 0:
                assert not site.memory_holds(text.encode()), "a passphrase is still in memory"
        assert site.log().count("a wrong passphrase was given") == 1
        # What can't be opened leaves it locked, and well.
        site.stop()
        os.rename(site.state + "/site/1.root.json", site.dir + "/kept")
        site.started()
        done = site.unlock(PHRASE, check=False)
        assert done.returncode == 1 and "1.root.json" in done.stderr and site.status()["locked"], done
        os.rename(site.dir + "/kept", site.state + "/site/1.root.json")
        site.unlock(PHRASE)
        site.wait_listed(20)
        site.stop()
    finally:
        site.close()


def the_wait_after_wrong_passphrases_doubles(tor):
    site = Site(tor, names=("north",), key=LOCKED)
    try:
        site.started()
        site.unlock(PHRASE)
        site.stop()
        site.started()
        asked, waits = 0, []
        while asked < 3:
            said = site.unlock("wrong passphrase %d" % asked, check=False).stderr
            if "wrong" in said and "try again" not in said:
                asked += 1
                told = site.unlock(PHRASE, check=False).stderr
                waits.append(int(re.search(r"try again in (\d+) s", told).group(1)))
            else:
                time.sleep(0.1)
        assert waits == [1, 2, 4], waits
        site.stop()
    finally:
        site.close()


def a_credential_opens_it(tor):
    """What systemd's LoadCredential= leaves in $CREDENTIALS_DIRECTORY wins over the configuration."""
    site = Site(tor, names=("north",), key=LOCKED)
    folder = site.dir + "/credentials"

    def give(name, text):
        with open(folder + "/" + name, "w") as f:
            f.write(text)
        os.chmod(folder + "/" + name, 0o400)

    try:
        os.mkdir(folder, 0o700)
        site.env = {"CREDENTIALS_DIRECTORY": folder}
        give("onionmirror.passphrase", PHRASE + "\n")
        site.started()
        assert site.status()["locked"] is False
        site.wait_log("the state is opened by the credential")
        site.stop()
        give("onionmirror.master-key", "0" * 64 + "\n")
        site.refused_to_start("two credentials")
        os.unlink(folder + "/onionmirror.passphrase")
        site.refused_to_start("another master key or passphrase")
        os.chmod(folder + "/onionmirror.master-key", 0o644)
        site.refused_to_start("onionmirror.master-key")
        os.unlink(folder + "/onionmirror.master-key")
        site.started()
        assert site.status()["locked"], "without a credential it is locked"
        site.unlock(PHRASE)
        site.stop()
    finally:
        site.close()


def the_service_manager_is_told(tor):
    site = Site(tor, names=("north",), key=LOCKED)
    manager = Manager(site.dir)
    try:
        site.env = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"}
        site.start()
        assert "onionmirror unlock" in manager.wait("STATUS=locked")
        assert manager.wait("READY=1") == "READY=1", "a locked start is a start"
        manager.wait("WATCHDOG=1")
        manager.wait("WATCHDOG=1")
        site.wait_control()
        site.unlock(PHRASE)
        manager.wait("STATUS=0 of 1 mirrors listed")
        manager.wait("STATUS=1 of 1 mirrors listed", 20)
        manager.wait("WATCHDOG=1")
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        site.process.send_signal(signal.SIGHUP)
        said = manager.wait("RELOADING=1")
        at = int(re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", said).group(1))
        assert before <= at <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000, said
        manager.wait("READY=1")
        # A reload that fails is over too.
        with open(site.conf, "a") as f:
            f.write("colour = red\n")
        site.process.send_signal(signal.SIGHUP)
        manager.wait("RELOADING=1")
        manager.wait("READY=1")
        site.process.terminate()
        manager.wait("STOPPING=1")
        assert site.process.wait(10) == 0
    finally:
        site.close()


def the_watchdog_of_another_process_is_left_alone(tor):
    site = Site(tor, names=("north",))
    manager = Manager(site.dir)
    try:
        site.env = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}
        site.start()
        manager.wait("1 of 1 mirrors listed", 20)
        assert not [g for g in manager.read() if "WATCHDOG" in g]
        site.stop()
    finally:
        site.close()


def tor_and_web_servers_reach_what_is_for_them(tor):
    """They are other users; the daemon's own umask keeps out everybody."""
    site = Site(tor, names=("north",))
    try:
        with open(site.conf, "a") as f:
            f.write('list-service { sockets = "%s/run/list" }\n' % site.dir)
        site.started()
        site.wait_listed(20)
        for path in (site.dir + "/run/list", site.publish, site.publish + "/public", site.publish + "/public/current/"):
            assert os.stat(path).st_mode & 0o777 == 0o755, path
        assert os.stat(site.publish + "/public/current/bundle.json").st_mode & 0o777 == 0o644
        assert os.stat(site.state + "/store.db").st_mode & 0o777 == 0o600
        site.stop()
    finally:
        site.close()


def the_log_has_one_line_a_change_and_no_address(tor):
    site = Site(tor, names=("north", "south"), level="notice")
    try:
        site.started()
        site.wait_listed(20)
        site.cli("rotate", "north", "--wait")
        for a, b in (("planned", "adding"), ("adding", "uploading"), ("uploading", "proving"), ("proving", "ready"), ("ready", "listed"),
                     ("listed", "leaving")):
            lines = [line for line in site.log().splitlines() if re.search(r": notice: north: %s -> %s( \([^)]*\))? onion:[0-9a-f]{8}$" % (a, b), line)]
            assert len(lines) == (1 if a == "listed" else 2), (a, b, site.log())
        for o in json.loads(site.cli("onions", "--json").stdout)["onions"]:
            assert o["onion"][:56] not in site.log()
        site.stop()
        longest = max(site.log().splitlines().count(line) for line in site.log().splitlines())
        assert longest == 1, "a line is there %d times" % longest
    finally:
        site.close()


if __name__ == "__main__":
    sys.exit(run_cases(Tor(), (a_locked_start_does_nothing, unlock_opens_it_and_a_wrong_passphrase_does_not, the_wait_after_wrong_passphrases_doubles,
                          a_credential_opens_it, the_service_manager_is_told, the_watchdog_of_another_process_is_left_alone,
                          tor_and_web_servers_reach_what_is_for_them, the_log_has_one_line_a_change_and_no_address)))
