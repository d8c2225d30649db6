#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The daemon and the client as processes, with a scripted tor in place of a real one, in a
network namespace that holds nothing: what works without a network, and what bad input does."""

import base64
import fcntl
import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import om
from om import BUILD, until

DAEMON = BUILD + "/onionmirrord"
# Not libtool's wrapper: it is a shell, with system calls of its own.
CLIENT = [BUILD + "/onionmirror"]
if os.path.exists(BUILD + "/.libs/onionmirror"):
    CLIENT = ["env", "LD_LIBRARY_PATH=" + BUILD + "/.libs", BUILD + "/.libs/onionmirror"]
LINE_MAX = 64 * 1024
CLIENTS_MAX = 64

CONF = """site = "test"
state-dir = "{state}"
publish-dir = "{publish}"
control-socket = "unix:{dir}/run/control.sock"
{key}
sandbox = {sandbox}
min-listed = 1
log-level = {level}
rotation-spacing = 1s
max-rotations-per-day = 1000
tor "main" {{
  control = "unix:{tor}/control"
  cookie = "{tor}/control.authcookie"
  socks = "unix:{tor}/socks"
  max-mirrors = 100
}}
check "page" {{
  path = "/health"
  status = 200
  contains = "ok"
  interval = 3s
  timeout = 20s
  rise = 2
  fall = 2
}}
"""
MIRROR = """mirror "{name}" {{
  backend = "unix:{dir}/{name}.sock"
  port = 80
  tor = "main"
  check = "page"
  drain = 1h
}}
"""


class UnixBackend:
    """A web server on a unix socket."""

    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.bind(path)
        self.s.listen(64)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                c = self.s.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.answer, args=(c,), daemon=True).start()

    def answer(self, c):
        head = b""
        try:
            while b"\r\n\r\n" not in head:
                piece = c.recv(4096)
                if not piece:
                    return
                head += piece
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
        except OSError:
            pass
        finally:
            c.close()

    def stop(self):
        self.s.close()


class Site(om.Site):
    """One daemon with its folder; `tor` is a FakeTor, or the path of a folder where none is."""

    def __init__(self, tor, names=("north", "south", "east"), level="info", state=None, publish=None, key=None, init=True):
        self.dir = tempfile.mkdtemp(prefix="om-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        os.makedirs(self.dir + "/run")
        self.tor = tor
        self.tor_dir = tor if isinstance(tor, str) else tor.folder
        self.state = state or self.dir + "/state"
        self.publish = publish or self.dir + "/publish"
        self.key = key or "key-file = \"%s/master.key\"" % self.dir
        self.names, self.level = list(names), level
        self.conf = self.dir + "/onionmirror.conf"
        self.write_conf()
        self.process = self.watcher = None
        self.backends = {n: UnixBackend("%s/%s.sock" % (self.dir, n)) for n in names}
        if init:
            out = self.cli("init", "--keys", self.dir + "/keys", "--no-passphrase").stdout
            self.id = re.search(r"om1[a-z2-7]{52}", out).group(0)
        self.watcher = om.Watcher(self.publish + "/public")

    def conf_text(self, names=None):
        text = CONF.format(dir=self.dir, tor=self.tor_dir, state=self.state, publish=self.publish, key=self.key, level=self.level,
                           sandbox=om.SANDBOX)
        return text + "".join(MIRROR.format(name=n, dir=self.dir) for n in names or self.names)

    def cli(self, *words, check=True, timeout=60):
        done = subprocess.run([*CLIENT, "-f", self.conf, *words], capture_output=True, text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError("onionmirror %s: exit %d: %s" % (words[0], done.returncode, done.stderr.strip()))
        return done

    def write_conf(self, text=None):
        with open(self.conf, "w") as f:
            f.write(text or self.conf_text())

    def started(self):
        self.start()
        self.wait_control()
        return self

    def wait_control(self):
        def up():
            if self.process.poll() is not None:
                raise AssertionError("onionmirrord ended with %d: %s" % (self.process.returncode, self.log_tail(5)))
            try:
                Rpc(self).close()
            except OSError:
                return False
            return True

        until("the control socket", 10, up, 0.02)

    def mirrors(self):
        try:
            with Rpc(self) as r:
                return {m["name"]: m for m in r.result("mirrors")["mirrors"]}
        except OSError:
            return {}

    def status(self):
        with Rpc(self) as r:
            return r.result("status")

    def serial(self):
        return self.status()["list"]["serial"]

    def current(self):
        with open(self.publish + "/public/current/bundle.json", "rb") as f:
            return f.read()

    def published(self):
        """The addresses in the list as a reader sees them, verified."""
        said = json.loads(self.cli("verify", "--json", "--site", self.id, self.publish + "/public/current").stdout)
        return {m["onion"].replace(".onion", "") for m in said["mirrors"]}

    def wait_log(self, text, seconds=10):
        until("\"%s\" in the log" % text, seconds, lambda: text in self.log(), 0.05)

    def refused(self, *words, code=1, log_lines=1):
        """The daemon does not start: one line on stderr that holds the words; the state is as it was."""
        before = tree(self.state)
        try:
            done = subprocess.run([DAEMON, "-f", self.conf], capture_output=True, text=True, timeout=10)
        except subprocess.TimeoutExpired as e:
            raise AssertionError("it started: %s" % e.stderr) from e
        check_refusal(done, words, code, log_lines)
        assert tree(self.state) == before, "the state folder was changed"
        return done.stderr


class Rpc:
    """A client of the control socket."""

    def __init__(self, site, hello=True):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(20)
        try:
            self.s.connect(site.dir + "/run/control.sock")
            self.f = self.s.makefile("rb")
            self.hello = json.loads(self.f.readline()) if hello else None
        except (OSError, ValueError) as e:
            self.s.close()
            raise OSError(str(e)) from e
        self.n = 0

    def send(self, data):
        self.s.sendall(data)

    def read(self):
        line = self.f.readline()
        return json.loads(line) if line else None

    def call(self, method, params=None):
        self.n += 1
        request = {"jsonrpc": "2.0", "id": self.n, "method": method}
        if params is not None:
            request["params"] = params
        self.send(json.dumps(request).encode() + b"\n")
        while True:
            got = self.read()
            if got is None or "method" not in got:
                return got

    def result(self, method, params=None):
        got = self.call(method, params)
        if got is None or "result" not in got:
            raise AssertionError("%s: %s" % (method, got))
        return got["result"]

    def close(self):
        self.f.close()
        self.s.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()


def tree(folder):
    """Everything below a folder but the lock: path -> mode and content."""
    found = {}
    for where, _, names in os.walk(folder):
        found[where] = oct(os.stat(where).st_mode)
        for n in names:
            p = os.path.join(where, n)
            if n == "lock" or not os.path.isfile(p):
                continue
            with open(p, "rb") as f:
                found[p] = (oct(os.lstat(p).st_mode), hashlib.sha256(f.read()).hexdigest())
    return found


def check_refusal(done, words, code=1, lines=1):
    assert done.returncode == code, "exit %d: %s" % (done.returncode, done.stderr)
    got = done.stderr.strip().split("\n")
    assert lines is None or len(got) == lines, "%d lines on stderr: %s" % (len(got), done.stderr)
    for w in words:
        assert w in done.stderr, "no \"%s\" in: %s" % (w, done.stderr)


def says(done, code, *words):
    """The client's exit code and what it says, on stdout or stderr."""
    assert done.returncode == code, "exit %d, not %d: %s%s" % (done.returncode, code, done.stdout, done.stderr)
    for w in words:
        assert w in done.stdout + done.stderr, "no \"%s\" in: %s%s" % (w, done.stdout, done.stderr)
    return done


# --- without a network -------------------------------------------------------------------


def there_is_no_network():
    assert [name for _, name in socket.if_nameindex()] == ["lo"], "run me through unshare -n"
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.connect(("192.0.2.1", 9))
    except OSError:
        return
    finally:
        s.close()
    raise AssertionError("a packet would leave this namespace")


def three_mirrors_are_proved_and_listed(site):
    site.started()
    listed = site.wait_listed(20)
    assert site.published() == set(listed.values()) == set(site.tor.detached())
    assert len(site.tor.credentials) >= 6, "each probe has SOCKS credentials of its own"
    assert len(site.tor.credentials) == len(site.tor.fetched)
    assert all("Flags=DiscardPK,Detach " in c for c in site.tor.heard("ADD_ONION"))


def rotate_wait_shows_the_steps(site):
    before = site.wait_listed(20)
    out = site.cli("rotate", "north", "--wait").stdout
    at = [out.find(w) for w in ("created", "16 of 16", "2 of 2 probes ok", "listed")]
    assert -1 not in at and at == sorted(at), "steps missing or out of order: " + out
    after = site.wait_listed(20)
    assert after["north"] != before["north"] and after["south"] == before["south"]
    assert before["north"] in site.tor.detached(), "a retired address goes on answering"
    assert before["north"] not in site.published()
    says(site.cli("probe", "south", "--wait"), 0, "probed", "ok")
    says(site.cli("publish", "--wait"), 0, "published")


def exit_codes_and_json(site):
    site.wait_listed(20)
    for verb, key in (("status", "site_id"), ("mirrors", "mirrors"), ("onions", "onions")):
        value = json.loads(site.cli(verb, "--json").stdout)
        assert key in value, "%s --json has no %s" % (verb, key)
        assert site.cli(verb).stdout.strip()
    assert json.loads(site.cli("status", "--json").stdout)["site_id"] == site.id
    assert all(o["mirror"] == "north" for o in json.loads(site.cli("onions", "north", "--json").stdout)["onions"])
    steps = [json.loads(line) for line in site.cli("publish", "--json", "--wait").stdout.splitlines()]
    assert steps[0]["op"] == steps[-1]["op"] and steps[-1]["step"] == "done"
    for words in (("rotate", "nowhere"), ("probe", "nowhere")):
        says(site.cli(*words, check=False), 1, "no mirror \"nowhere\"")
    for words in (("rotate",), ("rotate", "a", "b"), ("status", "--frob"), ("frob",), (), ("status", "extra"), ("verify",),
                  ("rotate", "north", "--wait=yes"), ("init",)):
        says(site.cli(*words, check=False), 2)
    absent = subprocess.run([*CLIENT, "-s", site.dir + "/no.sock", "status"], capture_output=True, text=True)
    check_refusal(absent, ("onionmirrord running?", "no.sock"), 3)
    absent = subprocess.run([*CLIENT, "-f", site.dir + "/no.conf", "status"], capture_output=True, text=True)
    check_refusal(absent, ("no.conf",), 1)
    says(subprocess.run([DAEMON, "--frob"], capture_output=True, text=True), 2, "frob", "usage")
    says(subprocess.run([DAEMON, "-f", site.conf, "--check-config"], capture_output=True, text=True), 0)


def maintenance_drain_and_revocation(site):
    before = site.wait_listed(20)
    says(site.cli("maint", "north", "on", "--wait"), 0, "delisted")
    assert site.published() == set(before.values()) - {before["north"]}
    says(site.cli("mirrors"), 0, "maint")
    says(site.cli("maint", "north", "on", check=False), 1, "already")
    says(site.cli("rotate", "north", check=False), 1, "maint north off")
    says(site.cli("maint", "north", "off", "--wait"), 0, "")
    assert site.wait_listed(20) == before, "the same address again"
    says(site.cli("drain", "north", "--wait"), 0, "delisted")
    assert before["north"] not in site.published() and before["north"] in site.tor.detached(), "it leaves, and answers until then"
    says(site.cli("onions", "north"), 0, "leaving")
    says(site.cli("drain", "north", check=False), 1, "drained already")
    says(site.cli("rotate", "north", "--wait"), 0, "listed")
    after = site.wait_listed(20)
    assert after["north"] != before["north"]
    steps = [json.loads(line) for line in site.cli("revoke", after["north"], "--json", "--wait").stdout.splitlines()]
    assert [s.get("step") for s in steps[1:]] == ["revoked", "done"], steps
    assert after["north"] not in site.tor.detached() and after["north"] not in site.published()
    says(site.cli("revoke", after["north"], check=False), 1, "already")
    says(site.cli("revoke", "a" * 56 + ".onion", check=False), 1, "there is no onion")
    last = site.wait_listed(20)
    says(site.cli("verify", "--site", site.id, site.publish + "/public/current"), 0, "verified")
    assert last["north"] not in (before["north"], after["north"])
    for words in (("drain",), ("drain", "a", "b"), ("maint", "north"), ("maint", "north", "maybe"), ("revoke",)):
        says(site.cli(*words, check=False), 2, "usage")
    for words in (("drain", "nowhere"), ("maint", "nowhere", "on"), ("revoke", "nowhere")):
        says(site.cli(*words, check=False), 1, "no mirror \"nowhere\"")


def history_tells_what_was_decided_and_why(site):
    site.wait_listed(20)
    out = site.cli("history", "north").stdout
    assert "drain: drained by the operator" in out and "revoke: " in out, out[-1500:]
    assert "\n    probes, newest first: ok " in out and "budget: 0 of 1000" in out, out[-1500:]
    assert all(len(line) <= 80 for line in out.splitlines() if " " in line.strip()), out
    assert ".onion" not in out
    got = json.loads(site.cli("history", "north", "--json").stdout)["records"]
    assert all(r["mirror"] == "north" for r in got) and [r["id"] for r in got] == sorted(r["id"] for r in got)
    assert all(r.get("evidence") for r in got if r["kind"] in ("decision", "alarm"))
    assert json.loads(site.cli("history", "north", "--json", "--limit", "2").stdout)["records"] == got[-2:], "the newest"
    assert json.loads(site.cli("history", "--since", "30d", "--json").stdout)["records"]
    says(site.cli("history", "--probes"), 0, "probe ok")
    says(site.cli("history", "nobody"), 0, "nothing is recorded")
    for words in (("history", "--since", "soon"), ("history", "--since", "0s"), ("history", "--limit", "0"), ("history", "--limit", "9x"),
                  ("history", "a", "b")):
        says(site.cli(*words, check=False), 2)


def dump(bundle):
    return json.dumps(bundle, separators=(",", ":"), sort_keys=True) + "\n"


def verify_names_the_reason(site):
    site.wait_listed(20)
    folder = site.publish + "/public/current"
    says(site.cli("verify", "--site", site.id, folder), 0, site.id, "verified 3 addresses")
    says(site.cli("verify", folder), 0, "NOTHING WAS PINNED")
    text = site.current().decode()
    path = site.dir + "/tampered.json"
    other = "om1" + "a" * 52

    def judge(content, pin=site.id):
        with open(path, "w") as f:
            f.write(content)
        done = site.cli("verify", "--json", "--site", pin, path, check=False)
        said = json.loads(done.stdout)
        assert done.returncode == 4 and said["ok"] is False and said["mirrors"] == [], done.stdout
        plain = site.cli("verify", "--site", pin, path, check=False)
        check_refusal(plain, (said["reason"], "REFUSED"), 4)
        return said["reason"]

    bundle = json.loads(text)
    head = bundle["heads"][0]["doc"]
    bundle["heads"][0]["doc"] = re.sub(r"(\"valid_until\":\"20)(\d)", lambda m: m.group(1) + str((int(m.group(2)) + 1) % 10), head)
    assert bundle["heads"][0]["doc"] != head
    assert judge(dump(bundle)) in ("bad-signature", "malformed")
    # The last digit of a hash, so that the sorted list stays sorted.
    bundle["heads"][0]["doc"] = re.sub(r"(\"leaves\":\[\"[0-9a-f]{63})(.)", lambda m: m.group(1) + ("1" if m.group(2) == "0" else "0"), head)
    assert bundle["heads"][0]["doc"] != head
    assert judge(dump(bundle)) == "bad-signature"
    bundle = json.loads(text)
    leaf = bundle["leaves"][0]
    bundle["leaves"][0] = leaf.replace("\"role\":\"mirror\"", "\"role\":\"archive\"")
    assert bundle["leaves"][0] != leaf
    assert judge(dump(bundle)) not in ("ok", "malformed")
    assert judge(text[:-10]) == "malformed"
    assert judge(text, pin=other) == "wrong-site"
    says(site.cli("verify", "--site", "nonsense", folder, check=False), 1)
    says(site.cli("verify", "--site", site.id, site.dir + "/nothing", check=False), 1, "nothing")


# --- control socket ------------------------------------------------------------------------


def only_64_clients_are_let_in(site):
    clients = []
    try:
        while len(clients) < CLIENTS_MAX:
            clients.append(Rpc(site))
        with Rpc(site) as r:
            assert "too many" in r.hello["error"]["message"], r.hello
            assert r.read() is None
        says(site.cli("status", check=False), 3, "too many")
        assert clients[0].result("status")["site_id"] == site.id
        clients.pop().close()
        until("room for another", 5, lambda: Rpc(site).hello.get("onionmirror") == "1", 0.02)
    finally:
        for c in clients:
            c.close()


def requests_are_bounded_and_checked(site):
    with Rpc(site) as r:
        assert r.hello["onionmirror"] == "1" and r.hello["site"] == "test"
        request = b'{"jsonrpc":"2.0","id":7,"method":"status"'
        r.send(request + b" " * (LINE_MAX - len(request) - 1) + b"}\n")
        assert r.read()["result"]["site_id"] == site.id, "64 KiB are allowed"
        for garbage, code in ((b"\0\xff{[\n", -32700), (b"\n", -32700), (b"[]\n", -32700), (b"[" * 5000 + b"\n", -32700),
                              (b'{"jsonrpc":"1.0","id":1,"method":"status"}\n', -32600),
                              (b'{"jsonrpc":"2.0","id":1,"method":"status","more":1}\n', -32600)):
            r.send(garbage)
            got = r.read()
            assert got["error"]["code"] == code and got["id"] is None, "%r: %r" % (garbage[:40], got)
        for method, params, code, reason in (
                ("frob", None, -32601, "unknown-method"), ("rotate", None, -32602, "bad-params"),
                ("rotate", {"mirror": 5}, -32602, "bad-params"), ("rotate", {"mirror": "north", "x": 1}, -32602, "bad-params"),
                ("rotate", {"mirror": "nowhere"}, -32000, "no-such-mirror"), ("status", {"x": 1}, -32602, "bad-params"),
                ("publish", {"mirror": "north"}, -32602, "bad-params"), ("mirrors", {"x": 1}, -32602, "bad-params"),
                ("reload", {"x": 1}, -32602, "bad-params"), ("subscribe", {"x": 1}, -32602, "bad-params"),
                ("onions", {"mirror": []}, -32602, "bad-params"), ("history", {}, -32602, "bad-params"),
                ("history", {"table": "keys"}, -32602, "bad-params"), ("history", {"table": "probes", "after": -1}, -32602, "bad-params"),
                ("history", {"table": "probes", "after": "x"}, -32602, "bad-params"),
                ("history", {"table": "probes", "x": 1}, -32602, "bad-params")):
            got = r.call(method, params)
            assert "error" in got and (got["error"]["code"], got["error"]["data"]["reason"]) == (code, reason), "%s %s: %s" % (method, params, got)
        r.send(b'{"jsonrpc":"2.0","method":"status"}\n')  # a notification has no answer
        assert r.result("history", {"table": "decisions"})["records"]
    with Rpc(site) as r:
        try:
            r.send(b"x" * (4 * LINE_MAX))
        except OSError:
            pass
        assert "64 KiB" in r.read()["error"]["message"]
        try:
            assert r.read() is None, "a line without an end must end the link"
        except ConnectionResetError:
            pass
    half = Rpc(site)
    half.send(b'{"jsonrpc":"2.0","id":1,"meth')
    half.close()
    assert site.status()["site_id"] == site.id


def is_cut(client):
    poll = select.poll()
    poll.register(client.s, select.POLLHUP)
    return any(ev & select.POLLHUP for _, ev in poll.poll(0))


def taken(client):
    """SIOCOUTQ of a unix socket: nothing is left that the other side has not read."""
    return struct.unpack("i", fcntl.ioctl(client.s, 0x5411, b"\0\0\0\0"))[0] == 0


def fill(client, most):
    """Requests without reading an answer, until the daemon cuts us or `most` are taken; returns how many were."""
    for n in range(most):
        try:
            client.send(b'{"jsonrpc":"2.0","id":1,"method":"onions"}\n')
        except OSError:
            return n
        end = time.monotonic() + 5
        while not taken(client) and not is_cut(client):
            assert time.monotonic() < end, "a request is not taken"
        if is_cut(client):
            return n
    return most


def a_client_that_does_not_read_is_cut(site):
    site.wait_listed(20)
    with Rpc(site) as a:
        limit = fill(a, 20000)
        assert 10 < limit < 20000, "%d answers were kept for it" % limit
        assert site.status()["site_id"] == site.id
        until("it is cut", 10, lambda: is_cut(a), 0.02)
    # One that is just below the limit and subscribed: events that it does not read end it as well.
    with Rpc(site) as b, Rpc(site) as r:
        assert b.result("subscribe")
        assert fill(b, limit - 2) == limit - 2
        assert not is_cut(b)

        def cut():
            r.call("probe", {"mirror": "south"})
            return is_cut(b)

        until("it is cut by events", 15, cut, 0.05)
    assert site.status()["site_id"] == site.id


# --- reload and signals -----------------------------------------------------------------------


def a_bad_configuration_changes_nothing(site):
    before = site.wait_listed(20)
    bad = site.conf_text() + "colour = \"blue\"\n" + MIRROR.format(name="west", dir=site.dir).replace("unix:" + site.dir + "/west.sock", "www.example.org:80")
    site.write_conf(bad)
    done = site.cli("reload", check=False)
    says(done, 1, "colour", "www.example.org")
    assert len([li for li in done.stderr.splitlines() if site.conf + ":" in li]) == 2, done.stderr
    with Rpc(site) as r:
        said = r.call("reload")["error"]
    assert said["data"]["reason"] == "bad-configuration" and said["message"].count(site.conf + ":") == 2, said
    site.write_conf(bad + "".join("frob%d = 1\n" % i for i in range(30)))
    says(site.cli("reload", check=False), 1, "colour", "and more")
    site.write_conf(bad)
    os.kill(site.process.pid, signal.SIGHUP)
    site.wait_log("reload: ")
    until("both faults in the log", 5, lambda: "colour" in site.log() and "www.example.org" in site.log(), 0.05)
    site.write_conf(site.conf_text().replace(site.publish, site.dir + "/elsewhere"))
    says(site.cli("reload", check=False), 1, "publish-dir", "restart")
    assert site.wait_listed(20) == before
    site.write_conf()


def a_good_configuration_adds_a_mirror(site):
    before = site.wait_listed(20)
    site.backends["west"] = UnixBackend(site.dir + "/west.sock")
    site.names.append("west")
    site.level = "debug"
    site.write_conf()
    os.kill(site.process.pid, signal.SIGHUP)
    until("west is known", 10, lambda: "west" in site.mirrors(), 0.05)
    after = site.wait_listed(20)
    assert {n: a for n, a in after.items() if n != "west"} == before
    until("log-level is taken over", 10, lambda: ": debug: " in site.log(), 0.05)
    site.level = "info"
    site.write_conf()
    says(site.cli("reload"), 0)


def sigterm_ends_within_5_s(site):
    listed = site.wait_listed(20)
    assert all("key" in o for o in site.onions())
    client = Rpc(site)
    start = time.monotonic()
    site.stop()
    assert time.monotonic() - start < 5
    assert not os.path.exists(site.dir + "/run/control.sock")
    assert client.read() is None
    client.close()
    assert set(listed.values()) <= set(site.tor.detached()), "the onions stay in tor"
    says(site.cli("status", check=False), 3, "onionmirrord running?")
    site.started()
    assert site.wait_listed(20) == listed


# --- the life of tor and of the daemon ----------------------------------------------------------


def kill_9_and_the_same_onions_are_found_again(site):
    before, serial = site.wait_listed(20), site.serial()
    adds = len(site.tor.heard("ADD_ONION"))
    site.kill()
    site.started()
    assert site.wait_listed(20) == before
    assert len(site.tor.heard("ADD_ONION")) == adds, "what tor kept is not added again"
    assert site.serial() == serial


def a_tor_that_lost_all_gets_the_same_addresses_and_the_list_waits(site):
    before, serial = site.wait_listed(20), site.serial()
    text = site.current()
    site.tor.answering.clear()
    try:
        site.tor.restart()
        until("all are added again", 30, lambda: set(before.values()) <= set(site.tor.detached()), 0.05)
        with Rpc(site) as r:
            def holds():
                got = r.call("publish")
                return "error" in got and "proved first" in got["error"]["message"]

            until("publishing is refused", 10, holds, 0.05)
        says(site.cli("publish", check=False), 1, "proved first")
        assert site.current() == text and site.serial() == serial
        seen = len(site.tor.fetched)
        until("probes go out", 10, lambda: len(site.tor.fetched) > seen or site.tor.fetched, 0.05)
        assert site.current() == text
    finally:
        site.tor.answering.set()
    until("the same addresses are up", 40, lambda: site.listed() == before, 0.1)
    says(site.cli("publish", "--wait"), 0)
    assert site.published() == set(before.values())


def an_absent_tor_is_told_of_once(site):
    before = site.wait_listed(20)
    site.tor.stop()
    site.wait_log("nothing listens on")
    told = site.log().count("nothing listens on")
    errors = site.status()["tors"][0]
    assert errors["state"] != "up" and not errors["fit"]
    site.tor.start()
    until("up again", 40, lambda: site.listed() == before, 0.1)
    assert site.log().count("nothing listens on") == told == 1, "told %d times" % told


def another_service_id_is_taken_back_and_not_listed(site):
    before = site.wait_listed(20)
    wrong = faketor.address_of(faketor.base_times(12345))
    site.tor.wrong_ids = [wrong]
    with Rpc(site) as r:
        r.result("rotate", {"mirror": "east"})
        until("DEL_ONION of what tor named", 10, lambda: "DEL_ONION " + wrong in site.tor.heard("DEL_ONION"), 0.02)
        assert wrong not in site.published() and all(wrong not in o["onion"] for o in r.result("onions")["onions"])
        site.wait_log("another address")
    assert site.published() == set(before.values())
    until("east has its new address", 40, lambda: site.listed().get("east") not in (None, before["east"]), 0.1)
    assert wrong not in site.published()


def no_secret_leaks(site):
    site.wait_listed(20)
    with open(site.dir + "/master.key") as f:
        master = f.read().strip()
    with open(site.dir + "/keys/member-main.key") as f:
        member = base64.b64decode(f.read().split("\n")[1])
    secrets = {"master key": bytes.fromhex(master), "member key": member[62:126][:32]}
    secrets.update(("onion key %d" % i, base64.b64decode(k)) for i, k in enumerate(site.tor.keys))
    assert len(site.tor.keys) >= 4
    haystacks = {}
    for folder in (site.state, site.publish, site.dir + "/run"):
        for where, _, names in os.walk(folder):
            for n in names:
                p = os.path.join(where, n)
                if not os.path.islink(p) and os.path.isfile(p):
                    with open(p, "rb") as f:
                        haystacks[p] = f.read()
    haystacks["log"] = site.log().encode()
    with open("/proc/%d/cmdline" % site.process.pid, "rb") as f:
        haystacks["argv"] = f.read()
    try:
        with open("/proc/%d/environ" % site.process.pid, "rb") as f:
            haystacks["environ"] = f.read()
    except PermissionError:
        pass  # a process that gives no core hides it even from its own user; that is as good
    haystacks["answers"] = "".join(site.cli(v, "--json").stdout for v in ("status", "mirrors", "onions")).encode()
    for where, hay in haystacks.items():
        for what, raw in secrets.items():
            for form in (raw, raw[:32], base64.b64encode(raw)[:40], raw[:32].hex().encode(), raw[:32].hex().upper().encode()):
                assert form not in hay, "%s is in %s" % (what, where)
    for a in {o["onion"][:56] for o in site.onions()}:
        assert a.encode() not in haystacks["log"], "log-onions = hash, but an address is in the log"
    assert not os.path.exists(site.state + "/import/member.key")


# --- the cookie and the control port --------------------------------------------------------------


def bad_cookies(site):
    """The daemon keeps on trying and says what is wrong, once; with the right one it goes on by itself."""
    tor = site.tor
    cookie = tor.cookie

    def link():
        with open(tor.cookie_path + ".real", "wb") as f:
            f.write(cookie)
        os.symlink(tor.cookie_path + ".real", tor.cookie_path)

    faults = (("31 bytes", lambda: tor.write_cookie(cookie[:31]), ("cookie", "exactly 32 bytes")),
              ("33 bytes", lambda: tor.write_cookie(cookie + b"x"), ("cookie", "exactly 32 bytes")),
              ("wrong bytes", lambda: tor.write_cookie(b"x" * 32), ("wrong cookie",)),
              ("missing", lambda: None, ("cookie", "No such file")),
              ("a fifo", lambda: os.mkfifo(tor.cookie_path), ("cookie", "not a regular file")),
              ("a link", link, ("cookie", "symbolic link")))
    for name, make, words in faults:
        make()
        run = Run(site)
        try:
            before = len(tor.heard("PROTOCOLINFO"))
            run.wait_error(words)
            if name == "wrong bytes":
                until("more tries", 10, lambda: len(tor.heard("PROTOCOLINFO")) >= before + 3, 0.05)
            assert len(run.lines()) == 1, "%s: more than one line: %s" % (name, run.lines())
        finally:
            run.end()
        if os.path.lexists(tor.cookie_path):
            os.unlink(tor.cookie_path)
    tor.write_cookie(b"x" * 32)
    run = Run(site)
    try:
        run.wait_error(("wrong cookie",))
        tor.write_cookie(cookie)
        until("it goes on with the right cookie", 20, lambda: "connected, version" in run.text(), 0.05)
    finally:
        run.end()
    assert not tor.heard("AUTHENTICATE " + cookie.hex()), "the cookie itself was sent"


class Run:
    """A daemon whose warnings are looked at; ends by SIGTERM with exit code 0."""

    def __init__(self, site, user=None, daemon=DAEMON):
        self.path = site.dir + "/run.log"
        with open(self.path, "wb") as log:
            self.process = subprocess.Popen([daemon, "-f", site.conf], stdout=log, stderr=log,
                                            user=user, group=user, extra_groups=None if user is None else [])

    def text(self):
        with open(self.path, errors="replace") as f:
            return f.read()

    def lines(self):
        return [li for li in self.text().splitlines() if ": warning: " in li and "not connected" in li]

    def wait_error(self, words):
        def there():
            if self.process.poll() is not None:
                raise AssertionError("it ended with %d: %s" % (self.process.returncode, self.text()))
            return any(all(w in li for w in words) for li in self.lines())

        try:
            until("a line with %s" % (words,), 10, there, 0.02)
        except AssertionError as e:
            raise AssertionError("%s: %s" % (e, self.text()))

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(10)
        assert code == 0, "ends with %d: %s" % (code, self.text())


NOBODY = 65534
AS_NOBODY = {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def another_user_is_told_what_to_do(site):
    if os.getuid() != 0 or os.environ.get("OM_MAPPED"):
        print("# skipped: needs root: another user and unreadable sockets")
        return
    daemon = shutil.copy(DAEMON, site.dir)  # the build folder may be where others can't look
    for where, folders, files in os.walk(site.dir):
        for n in [""] + files:
            os.lchown(os.path.join(where, n), NOBODY, NOBODY)
    os.chmod(site.tor.folder, 0o755)
    os.chmod(site.tor.control_path, 0o777)
    os.chmod(site.tor.cookie_path, 0o600)
    for prepare, words in ((lambda: None, ("no permission to read the cookie", "group")),
                           (lambda: os.chmod(site.tor.control_path, 0o600), ("no permission for the control socket", "adduser"))):
        prepare()
        run = Run(site, user=NOBODY, daemon=daemon)
        try:
            run.wait_error(words)
        finally:
            run.end()
    # Another user's state must not be used.
    os.chown(site.state, 0, 0)
    done = subprocess.run([daemon, "-f", site.conf], capture_output=True, text=True, **AS_NOBODY)
    check_refusal(done, (site.state, "Permission denied"))


# --- configurations ----------------------------------------------------------------------------------


def bad_configurations(site):
    good = site.conf_text()
    backend = "unix:%s/north.sock" % site.dir
    for name, text, words in (
            ("a host name", good.replace(backend, "www.example.org:80"), ("backend", "www.example.org", "127.0.0.1")),
            ("localhost", good.replace(backend, "localhost:80"), ("backend", "localhost")),
            ("not loopback", good.replace(backend, "192.0.2.1:80"), ("backend", "192.0.2.1")),
            ("unknown option", good + "colour = \"blue\"\n", ("colour",)),
            ("unknown section", good + "paint \"x\" {\n}\n", ("paint",)),
            ("twice", good + MIRROR.format(name="north", dir=site.dir), ("north",)),
            ("dangling", good.replace("tor = \"main\"", "tor = \"other\"", 1), ("other",)),
            ("a control port", good.replace("unix:" + site.dir + "/run/control.sock", "127.0.0.1:9"), ("control-socket", "unix socket")),
            ("an open block", good + "check \"x\" {\n", ("conf:",)),
            ("number", good.replace("status = 200", "status = many"), ("status",))):
        site.write_conf(text)
        for mode in (["--check-config"], []):
            done = subprocess.run([DAEMON, "-f", site.conf, *mode], capture_output=True, text=True, timeout=20)
            try:
                check_refusal(done, words, 1)
                assert re.match(re.escape(site.conf) + r":\d+: ", done.stderr), "no file:line: " + done.stderr
            except AssertionError as e:
                raise AssertionError("%s: %s" % (name, e))
    site.write_conf(good.replace(backend, "www.example.org:80").replace("min-listed = 1", "min-listed = 0").replace("rise = 2", "rise = 0") +
                    "colour = \"blue\"\n")
    done = subprocess.run([DAEMON, "-f", site.conf, "--check-config"], capture_output=True, text=True)
    check_refusal(done, ("www.example.org", "min-listed", "rise", "colour"), 1, None)
    assert len(done.stderr.strip().split("\n")) == 4, done.stderr
    site.write_conf()
    done = subprocess.run([DAEMON, "-f", site.dir + "/none.conf"], capture_output=True, text=True)
    check_refusal(done, ("none.conf", "No such file"))


# --- state that can't be used --------------------------------------------------------------------------


def copy_of(template, name):
    """A site whose state is a copy of a stopped one's."""
    site = Site(template.dir + "/no-tor", names=("north",), init=False)
    shutil.copytree(template.state, site.state)
    shutil.copy(template.dir + "/master.key", site.dir + "/master.key")
    return site


def sql(site, text):
    db = sqlite3.connect(site.state + "/store.db")
    db.execute(text)
    db.commit()
    db.close()


def unusable_state(template):
    def version(s):
        sql(s, "PRAGMA user_version = 99")

    def foreign(s):
        os.unlink(s.state + "/store.db")
        sql(s, "CREATE TABLE x(y)")

    def damage(s, at, text):
        with open(s.state + "/store.db", "r+b") as f:
            f.seek(at)
            f.write(text)

    def row(s):
        sql(s, "UPDATE value SET v = zeroblob(length(v)) WHERE t = 1 AND id = 3")

    def write(path, text, mode=0o600):
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)

    for name, spoil, words in (
            ("another version", version, ("version 99", "use the onionmirrord that wrote it")),
            ("foreign database", foreign, ("not a store of onionmirror",)),
            ("damaged head", lambda s: damage(s, 0, b"x" * 100), ("damaged", "backup")),
            ("damaged middle", lambda s: damage(s, 4096, b"x" * 2048), ("damaged", "backup")),
            ("damaged row", row, ("damaged", "backup")),
            ("wrong master key", lambda s: write(s.dir + "/master.key", "00" * 32 + "\n"), ("another master key", "key-file")),
            ("short master key", lambda s: write(s.dir + "/master.key", "00" * 31 + "\n"), ("master key", "64")),
            ("no master key", lambda s: os.unlink(s.dir + "/master.key"), ("master.key", "No such file")),
            ("open master key", lambda s: os.chmod(s.dir + "/master.key", 0o644), ("master.key", "chmod 0600")),
            ("open state folder", lambda s: os.chmod(s.state, 0o777), ("state-dir", "mode")),
            ("no state folder", lambda s: shutil.rmtree(s.state), ("state-dir", "init")),
            ("no site documents", lambda s: shutil.rmtree(s.state + "/site"), ("1.root.json", "init")),
            ("no members", lambda s: os.unlink(s.state + "/site/members.json"), ("members.json",)),
            ("no signature", lambda s: os.unlink(s.state + "/site/members.json.1.minisig"), ("members.json",))):
        site = copy_of(template, name)
        try:
            spoil(site)
            site.refused(*words)
        except AssertionError as e:
            raise AssertionError("%s: %s" % (name, e))
        finally:
            site.close()


def a_second_daemon_is_refused(site):
    site.wait_listed(20)
    other = Site(site.tor_dir, names=("north",), init=False)
    try:
        text = site.conf_text().replace(site.dir + "/run/control.sock", other.dir + "/run/control.sock")
        other.write_conf(text)
        done = subprocess.run([DAEMON, "-f", other.conf], capture_output=True, text=True, timeout=20)
        check_refusal(done, (site.state, "in use by another onionmirrord"))
        other.write_conf(other.conf_text().replace(other.dir + "/run/control.sock", site.dir + "/run/control.sock"))
        other.cli("init", "--keys", other.dir + "/keys", "--no-passphrase")
        done = subprocess.run([DAEMON, "-f", other.conf], capture_output=True, text=True, timeout=20)
        check_refusal(done, ("control.sock", "another process"), 1, None)
        assert len([li for li in done.stderr.splitlines() if ": error: " in li]) == 1, done.stderr
        assert site.status()["site_id"] == site.id, "the first one goes on"
    finally:
        other.close()


def init_never_overwrites(template):
    before = tree(template.dir)
    done = template.cli("init", "--keys", template.dir + "/keys", "--no-passphrase", check=False)
    check_refusal(done, ("exists", "nothing was changed"))
    done = template.cli("init", "--keys", template.dir + "/keys2", "--no-passphrase", check=False)
    check_refusal(done, ("exists", "nothing was changed"))
    assert tree(template.dir) == before
    for name in ("root-1.key", "root-1.pub", "member-main.key", "member-main.pub", "1.root.json", "members.json"):
        site = Site(template.dir + "/no-tor", names=("north",), init=False)
        try:
            os.makedirs(site.dir + "/keys", 0o700)
            with open(site.dir + "/keys/" + name, "w") as f:
                f.write("precious\n")
            before = tree(site.dir)
            done = site.cli("init", "--keys", site.dir + "/keys", "--no-passphrase", check=False)
            check_refusal(done, (name, "exists", "nothing was changed"))
            assert tree(site.dir) == before, name + ": something was changed"
        finally:
            site.close()


def a_passphrase_opens_the_state(site_unused):
    site = Site("/nonexistent", names=("north",), init=False)
    phrase = "a passphrase of the tests"
    try:
        path = site.dir + "/passphrase"
        with open(path, "w") as f:
            f.write(phrase + "\n")
        os.chmod(path, 0o600)
        site.key = "passphrase-file = \"%s\"" % path
        site.write_conf()
        site.cli("init", "--keys", site.dir + "/keys", "--no-passphrase")
        site.started()
        with open("/proc/%d/cmdline" % site.process.pid, "rb") as f:
            assert phrase.encode() not in f.read()
        site.stop()
        assert phrase not in site.log()
        for where, _, names in os.walk(site.state):
            for n in names:
                with open(os.path.join(where, n), "rb") as f:
                    assert phrase.encode() not in f.read(), n
        with open(path, "w") as f:
            f.write("another one, quite wrong\n")
        site.refused("another master key or passphrase")
    finally:
        site.close()


# --- full disks ------------------------------------------------------------------------------------------


class Disk:
    """A small file system of its own."""

    def __init__(self, size):
        self.path = tempfile.mkdtemp(prefix="om-disk-", dir="/tmp")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755,size=%d" % size, "none", self.path], check=True)

    def fill(self):
        with open(self.path + "/ballast", "ab", buffering=0) as f:
            block = 1 << 16
            while block:
                try:
                    f.write(b"x" * block)
                except OSError:
                    block //= 2

    def free(self):
        os.unlink(self.path + "/ballast")

    def end(self):
        subprocess.run(["umount", "-l", self.path], check=False)
        os.rmdir(self.path)


def full_disks(tor):
    """Each of the two folders on a disk of its own that becomes full."""
    state, publish = Disk(8 << 20), Disk(4 << 20)
    site = None
    try:
        site = Site(tor, names=("alpha", "beta"), state=state.path + "/state", publish=publish.path + "/publish")
        site.started()
        listed = site.wait_listed(20)
        text = site.current()
        publish.fill()
        says(site.cli("publish", "--wait", check=False), 1, "could not be published")
        site.wait_log("list not published: ")
        assert "the disk is full" in site.log() and publish.path in site.log(), site.log_tail(3)
        assert not any(a in site.log() for a in listed.values()), "an address is in the log: " + site.log_tail(3)
        assert any("not published" in a for a in site.status()["alarms"])
        assert site.current() == text and site.published() == set(listed.values())
        publish.free()
        until("published again", 20, lambda: site.current() != text, 0.05)
        assert not any("not published" in a for a in site.status()["alarms"])
        assert site.published() == set(listed.values())

        state.fill()
        with Rpc(site) as r:
            for _ in range(3):  # what is still free in the database file may take a few
                r.call("rotate", {"mirror": "alpha"})
                r.call("rotate", {"mirror": "beta"})
        until("it says so", 20, lambda: "the disk is full" in site.log(), 0.05)
        assert site.process.poll() is None, "it must go on: " + site.log_tail(3)
        assert site.published(), "the list is as it was"
        state.free()
        until("it goes on", 40, site.listed, 0.1)
        now = site.cli("rotate", "alpha", check=False)
        until("a new address comes through", 40, lambda: site.listed().get("alpha") not in (None, listed["alpha"]), 0.1)
        assert now.returncode in (0, 1)
        site.watcher.check()
    finally:
        if site is not None:
            try:
                site.close()
            finally:
                state.end()
                publish.end()


# --- system calls -------------------------------------------------------------------------------------------


def only_unix_sockets_and_no_resolver(tor):
    assert shutil.which("strace"), "strace is missing: contrib/install-deps.sh test"
    site = Site(tor, names=("one", "two"))
    trace = site.dir + "/trace"
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")  # LeakSanitizer cannot run while it is traced
    try:
        log = open(site.dir + "/daemon.log", "ab")
        site.process = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=%network,openat,open", "-o", trace, DAEMON, "-f", site.conf],
                                        stdout=log, stderr=log, env=env)
        site.wait_control()
        site.wait_listed(40)
        for words in (["status"], ["verify", "--site", site.id, site.publish + "/public/current"]):
            subprocess.run(["strace", "-f", "-qq", "-e", "trace=%network,openat,open", "-o", trace + "-" + words[0], *CLIENT,
                            "-f", site.conf, *words], env=env, check=True, stdout=subprocess.DEVNULL)
        with open(trace) as f:
            first = int(f.readline().split()[0])
        os.kill(first, signal.SIGTERM)
        assert site.process.wait(10) == 0, site.log_tail(3)
        seen = ""
        for name in (trace, trace + "-status", trace + "-verify"):
            with open(name) as f:
                seen += f.read()
    finally:
        if site.process is not None and site.process.poll() is None:
            site.process.kill()
            site.process.wait()
        site.close()
    families = set(re.findall(r"socket\((\w+)", seen)) | set(re.findall(r"sa_family=(\w+)", seen))
    assert families == {"AF_UNIX"}, families
    for word in ("htons(53)", "resolv.conf", "nscd", "/etc/hosts", "nsswitch.conf", "systemd/resolve"):
        assert word not in seen, word
    assert seen.count("connect(") >= 5


# --- all of it --------------------------------------------------------------------------------------------------


class Cases(om.Cases):
    """As om.Cases, from several threads, and with the line of a failed assertion."""

    def run(self, function, *args):
        start = time.monotonic()
        name = function.__name__.replace("_", " ")
        try:
            function(*args)
        except Exception as e:  # every failure is a line, and the next case still runs
            self.failed += 1
            trace = e.__traceback__
            lines = []
            while trace is not None:
                lines.append(str(trace.tb_lineno))
                trace = trace.tb_next
            said = "not ok %s: %s (lines %s): %s" % (name, type(e).__name__, " ".join(lines[1:]), str(e).replace("\n", " | "))
        else:
            said = "ok %s (%.1f s)" % (name, time.monotonic() - start)
        sys.stdout.write(said + "\n")
        sys.stdout.flush()


def main_site(cases, tor):
    site = Site(tor("main"))
    try:
        cases.run(there_is_no_network)
        for function in (three_mirrors_are_proved_and_listed, rotate_wait_shows_the_steps, exit_codes_and_json, verify_names_the_reason,
                         maintenance_drain_and_revocation, history_tells_what_was_decided_and_why,
                         requests_are_bounded_and_checked, only_64_clients_are_let_in, a_client_that_does_not_read_is_cut,
                         a_second_daemon_is_refused, kill_9_and_the_same_onions_are_found_again, a_bad_configuration_changes_nothing,
                         a_good_configuration_adds_a_mirror, a_tor_that_lost_all_gets_the_same_addresses_and_the_list_waits,
                         an_absent_tor_is_told_of_once, another_service_id_is_taken_back_and_not_listed, no_secret_leaks,
                         sigterm_ends_within_5_s):
            cases.run(function, site)
        cases.run(no_list_was_ever_broken, site)
    finally:
        site.close()


def no_list_was_ever_broken(site):
    assert len(site.watcher.seen) > 3
    site.watcher.check()


def start_faults(cases, tor):
    template = Site("/nonexistent/tor", names=("north",))
    try:
        template.started()
        template.stop()
        for function in (unusable_state, init_never_overwrites, bad_configurations, a_passphrase_opens_the_state):
            cases.run(function, template)
    finally:
        template.close()


def cookie_faults(cases, tor):
    site = Site(tor("cookie"), names=("north",))
    try:
        cases.run(bad_cookies, site)
        cases.run(another_user_is_told_what_to_do, site)
    finally:
        site.close()
    cases.run(full_disks, tor("disk"))
    cases.run(only_unix_sockets_and_no_resolver, tor("trace"))


def inside(make_tor, jobs_of):
    """jobs_of(cases, tor) gives functions, which run side by side; tor(name) makes a scripted tor."""
    cases = Cases()
    folder = tempfile.mkdtemp(prefix="omt-", dir="/tmp")
    os.chmod(folder, 0o755)
    tors = []

    def tor(name):
        os.makedirs(folder + "/" + name)
        tors.append(make_tor(folder + "/" + name))
        return tors[-1]

    def guarded(job):
        try:
            job()
        except Exception as e:  # a site that could not be made, or did not end well
            cases.failed += 1
            print("not ok a site: %s: %s" % (type(e).__name__, str(e).replace("\n", " | ")), flush=True)

    groups = [threading.Thread(target=guarded, args=(job,)) for job in jobs_of(cases, tor)]
    try:
        for g in groups:
            g.start()
        for g in groups:
            g.join()
    finally:
        for t in tors:
            t.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if cases.failed else 0


def main_of(path, make_tor, jobs_of):
    """The main of a test, in namespaces of its own."""
    if os.environ.get("OM_INSIDE") is None:
        env = dict(os.environ, OM_INSIDE="1")
        words = ["unshare", "-nm"]
        if os.getuid() != 0:
            words, env["OM_MAPPED"] = ["unshare", "-rnm"], "1"
        # In a chroot / is no mount point, so its propagation can't be changed; what is mounted here is unmounted here.
        if subprocess.run(words + ["true"], stderr=subprocess.DEVNULL).returncode != 0:
            words += ["--propagation", "unchanged"]
        os.execvpe(words[0], words + [sys.executable, os.path.realpath(path), *sys.argv[1:]], env)
    sys.exit(inside(make_tor, jobs_of))


if __name__ == "__main__":
    main_of(__file__, faketor.FakeTor, lambda cases, tor: [lambda f=f: f(cases, tor) for f in (main_site, start_faults, cookie_faults)])
