#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The reader verbs as processes: what hostile and broken sources do to fetch, and what a crash
does to its memory. A scripted SOCKS server stands in for tor; lists come from tests/support/listmake."""

import hashlib
import json
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import om
from om import BUILD

CLIENT, ENV = BUILD + "/onionmirror", dict(os.environ)
# Not libtool's wrapper: its shell would be measured and traced too.
if os.path.exists(BUILD + "/.libs/onionmirror"):
    CLIENT = BUILD + "/.libs/onionmirror"
    ENV["LD_LIBRARY_PATH"] = BUILD + "/.libs"
LISTMAKE, MEASURE = BUILD + "/tests/support/listmake", BUILD + "/tests/support/measure"
PATH = "/.well-known/onionmirror/bundle.json"
RSS_MAX = 16 * 1024 * 1024
DEADLINE = 3  # s, of a source


def is_sanitized():
    return b"__asan_init" in open(CLIENT, "rb").read()


# --- a Tor network that isn't one -------------------------------------------------------------------


class Source:
    """What stands behind an onion: `serve(connection, request)` answers one request."""

    def __init__(self, serve=None, reply=0):
        self.serve, self.reply = serve, reply
        self.requests, self.credentials = [], []


def respond(body, status="200 OK", kind="application/json", extra="", length=None):
    def serve(c, _request):
        head = "HTTP/1.1 %s\r\n%s%sContent-Length: %d\r\nConnection: close\r\n\r\n" % (
            status, "Content-Type: %s\r\n" % kind if kind else "", extra, len(body) if length is None else length)
        c.sendall(head.encode() + body)
    return serve


def endless(c, _request):
    """2 GB, or as much as is taken."""
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    piece = b"[" * (1 << 20)
    for _ in range(2048):
        c.sendall(piece)


def endless_chunks(c, _request):
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    for _ in range(32768):
        c.sendall(piece)


def endless_head(c, _request):
    c.sendall(b"HTTP/1.1 200 OK\r\n")
    for i in range(1 << 20):
        c.sendall(b"X-%d: y\r\n" % i)


def drip(c, _request):
    """One byte a second, as long as anybody listens."""
    for byte in b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000:
        c.sendall(bytes([byte]))
        if c.stopped.wait(1):
            return


def silent(c, _request):
    c.stopped.wait(60)


def closed(_c, _request):
    pass


class Connection:
    def __init__(self, s, stopped):
        self.s, self.stopped = s, stopped

    def exactly(self, n):
        got = b""
        while len(got) < n:
            piece = self.s.recv(n - len(got))
            if not piece:
                raise OSError("closed")
            got += piece
        return got

    def sendall(self, data):
        self.s.sendall(data)


class Socks:
    """A SOCKS5 server as tor's: user and password, CONNECT to onions that are in `onions`."""

    def __init__(self, folder):
        self.onions = {}
        self.stopped = threading.Event()
        self.path = folder + "/socks"
        self.listeners = [socket.socket(socket.AF_UNIX), socket.socket(socket.AF_INET)]
        self.listeners[0].bind(self.path)
        self.listeners[1].bind(("127.0.0.1", 0))
        self.port = self.listeners[1].getsockname()[1]
        for s in self.listeners:
            s.listen(64)
            threading.Thread(target=self.run, args=(s,), daemon=True).start()

    def run(self, listener):
        while True:
            try:
                s = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.one, args=(s,), daemon=True).start()

    def one(self, s):
        c = Connection(s, self.stopped)
        s.settimeout(60)
        try:
            assert c.exactly(3) == b"\x05\x01\x02"
            c.sendall(b"\x05\x02")
            assert c.exactly(1) == b"\x01"
            user = c.exactly(c.exactly(1)[0])
            word = c.exactly(c.exactly(1)[0])
            c.sendall(b"\x01\x00")
            assert c.exactly(4) == b"\x05\x01\x00\x03"
            host = c.exactly(c.exactly(1)[0]).decode()
            port = struct.unpack(">H", c.exactly(2))[0]
            source = self.onions.get((host, port))
            reply = source.reply if source else 0xF2
            if reply is None:
                c.stopped.wait(60)
                return
            c.sendall(bytes([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]))
            if reply != 0:
                return
            source.credentials.append((user, word))
            request = b""
            while b"\r\n\r\n" not in request:
                request += c.exactly(1)
            source.requests.append(request.decode())
            source.serve(c, request)
        except (OSError, AssertionError):
            pass
        finally:
            s.close()

    def stop(self):
        self.stopped.set()
        for s in self.listeners:
            s.close()


class Reader:
    """A reader with a memory, in a folder of his own."""

    def __init__(self, lists, socks):
        self.dir = tempfile.mkdtemp(prefix="omr-", dir="/tmp")
        self.lists, self.socks = lists, socks
        with open(lists + "/site") as f:
            self.site = f.read()
        with open(lists + "/onions") as f:
            self.onions = f.read().split()
        self.store = self.dir + "/onionmirror/" + self.site + ".json"
        self.env = dict(ENV, XDG_DATA_HOME=self.dir)
        self.rss = 0

    def run(self, *words, code=0, timeout=60, wrapper=(), env=None):
        done = subprocess.run([MEASURE, self.dir + "/rss", *wrapper, CLIENT, *words], capture_output=True, text=True,
                              env=env or self.env, timeout=timeout)
        with open(self.dir + "/rss") as f:
            self.rss = int(f.read()) * 1024
        self.err, self.out = done.stderr, done.stdout
        if code is None:
            return done.returncode
        assert done.returncode == code, "%s: exit %d: %s %s" % (" ".join(words), done.returncode, self.out[-300:], self.err[-300:])
        return self.out

    def fetch(self, *places, code=0, **more):
        return self.run("fetch", "--site", self.site, "--socks", "unix:" + self.socks.path, "--timeout", str(DEADLINE),
                        *places, code=code, **more)

    def has(self, name):
        """Fetches a list from disk, as preparation."""
        self.fetch(self.lists + "/" + name)
        return self.memory()

    def memory(self):
        if not os.path.exists(self.store):
            return None
        assert os.stat(self.store).st_mode & 0o777 == 0o600
        with open(self.store, "rb") as f:
            return f.read()

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class World:
    """Lists, a SOCKS server, and a fresh reader for each case."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="omw-", dir="/tmp")
        subprocess.run([LISTMAKE, self.dir + "/lists"], check=True)
        self.lists = self.dir + "/lists"
        self.socks = Socks(self.dir)
        self.names = iter("%03d" % i for i in range(1000))

    def bundle(self, name):
        with open("%s/%s/bundle.json" % (self.lists, name), "rb") as f:
            return f.read()

    def place(self, reader, index, source, port=8008):
        """Puts a source behind onion `index`; what to call it."""
        self.socks.onions[(reader.onions[index] + ".onion", port)] = source
        return reader.onions[index] + ".onion"

    def close(self):
        self.socks.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


def with_reader(function):
    def case(world):
        reader = Reader(world.lists, world.socks)
        world.socks.onions.clear()
        try:
            function(world, reader)
        finally:
            reader.close()
    case.__name__ = function.__name__
    return case


# --- the cases --------------------------------------------------------------------------------------


@with_reader
def a_list_is_fetched_through_socks_and_remembered(w, r):
    source = Source(respond(w.bundle("good")))
    place = w.place(r, 0, source)
    out = r.fetch(place)
    assert out.startswith("ok") and r.onions[2] in out and "verified 3 addresses" in out, out
    assert source.requests[0].startswith("GET %s HTTP/1.1\r\nHost: %s:8008\r\n" % (PATH, place)), source.requests
    assert r.memory() and os.stat(r.dir + "/onionmirror").st_mode & 0o777 == 0o700
    before = r.memory()
    r.fetch(place)
    assert r.memory() == before, "nothing new, nothing written"
    users = {c for c in source.credentials}
    assert len(users) == 2, "each request has circuits of its own"
    # From now on the site need not be named.
    url = r.run("pick").strip()
    assert url in ["http://%s.onion/" % o for o in r.onions[:3]], url
    assert len(set(r.run("pick", "-n", "9").split())) == 3
    said = json.loads(r.run("pick", "--json"))
    assert said["site"] == r.site and not said["stale"] and len(said["mirrors"]) == 1, said
    assert r.run("is-mirror", r.onions[0]).startswith("yes:")
    assert r.run("is-mirror", "http://%s.onion:80/path" % r.onions[0]).startswith("yes:")
    assert r.run("is-mirror", r.onions[3], code=4).startswith("unknown:")
    assert r.run("is-mirror", r.onions[0].upper(), code=4).startswith("unknown: not a v3")
    said = json.loads(r.run("is-mirror", "--json", r.onions[1] + ".onion"))
    assert said["answer"] == "yes" and said["address"] == r.onions[1] + ".onion", said


@with_reader
def urls_ports_and_loopback_work_and_https_is_refused(w, r):
    source = Source(respond(w.bundle("good"), kind="application/json; charset=utf-8"))
    w.place(r, 1, source, port=80)
    w.place(r, 1, source, port=99)
    host = r.onions[1] + ".onion"
    for words, line in ((["http://%s/" % host], "Host: %s\r\n" % host), (["http://%s" % host], PATH),
                        (["http://%s:99/a/list.json" % host], "GET /a/list.json HTTP/1.1\r\nHost: %s:99\r\n" % host),
                        ([host + ":99"], PATH)):
        r.run("fetch", "--site", r.site, "--socks", "127.0.0.1:%d" % w.socks.port, *words)
        assert line in source.requests[-1], source.requests[-1]
    for bad in ("https://%s/" % host, "ftp://%s/" % host, "http://example.com/", "http://%s.example.com/" % host, host.upper(),
                host + ":0", host + ":65536", host + ":080", "http://user@%s/" % host, host[1:]):
        r.run("fetch", "--site", r.site, bad, code=2)
    assert "https is not spoken yet" in r.run("fetch", "--site", r.site, "https://" + host, code=2) + r.err
    for bad in (["--socks", "127.0.0.1"], ["--socks", "192.0.2.1:9050"], ["--timeout", "0"], ["--timeout", "9999"]):
        r.run("fetch", "--site", r.site, *bad, host, code=2)
    r.run("fetch", "--site", r.site, *[host] * 17, code=2)
    r.run("fetch", "--site", "om1x", host, code=1)


def refusal(world, r, index, serve_or_source, reason, code, grows=False):
    """Fetches from one bad source: the reason, the exit code, the time, the memory."""
    source = serve_or_source if isinstance(serve_or_source, Source) else Source(serve_or_source)
    place = world.place(r, index, source)
    before = r.memory()
    began = time.monotonic()
    said = json.loads(r.fetch("--json", place, code=code))
    took = time.monotonic() - began
    assert said["sources"][0]["reason"] == reason, said["sources"]
    assert not said["ok"] and (said["reason"] == reason or code == 1), said["reason"]
    assert took < DEADLINE + 4, "%.1f s" % took
    assert is_sanitized() or r.rss < RSS_MAX, "%s: %d KiB" % (reason, r.rss // 1024)
    if not grows:
        assert r.memory() == before, "the memory changed"
    assert "SUMMARY" not in r.err, r.err
    return r.rss


@with_reader
def a_bad_source_is_named_and_costs_little(w, r):
    r.has("good")
    good = w.bundle("good")
    worst = 0
    for what, source, reason, code in (
            ("old copy", respond(w.bundle("old")), "rollback", 4),
            ("expired", respond(w.bundle("expired")), "expired", 4),
            ("another site", respond(w.bundle("other")), "wrong-site", 4),
            ("2 GB", endless, "too-large", 1),
            ("2 GB in chunks", endless_chunks, "too-large", 1),
            ("2 GB announced", respond(b"", length=2 << 30), "too-large", 1),
            ("an endless head", endless_head, "too-large", 1),
            ("a drip", drip, "timeout", 1),
            ("silence", silent, "timeout", 1),
            ("a redirect", respond(b"", "302 Found", extra="Location: http://%s/\r\n" % r.onions[1]), "redirect", 1),
            ("not found", respond(b"no", "404 Not Found"), "http-status", 1),
            ("a web page", respond(b"<p>hello", kind="text/html"), "content-type", 1),
            ("no type", respond(good, kind=None), "content-type", 1),
            ("a type like it", respond(good, kind="application/jsonx"), "content-type", 1),
            ("cut short", respond(good[:1000], length=len(good)), "truncated", 1),
            ("cut in the document", respond(good[:1000]), "malformed", 4),
            ("garbage", respond(os.urandom(100000)), "malformed", 4),
            ("4 MiB of garbage", respond(b"x" * (4 << 20)), "malformed", 4),
            ("4 MiB of strings", respond(b"[" + b",".join([b'"%s"' % (b"x" * 253)] * 16380) + b"]\n"), "malformed", 4),
            ("4 MiB of short strings", respond(b"[" + b",".join([b'"%s"' % (b"x" * 13)] * 262000) + b"]\n"), "malformed", 4),
            ("4 MiB of brackets", respond(b"[" * (4 << 20)), "malformed", 4),
            ("nothing", respond(b""), "malformed", 4),
            ("no HTTP", lambda c, _q: c.sendall(b"SSH-2.0-x\r\n"), "not-http", 1),
            ("a compressed answer", respond(good, extra="Content-Encoding: gzip\r\n"), "not-http", 1),
            ("closed at once", closed, "unreachable", 1),
            ("no descriptor", Source(reply=0xF0), "unreachable", 1),
            ("no introduction", Source(reply=0xF2), "unreachable", 1),
            ("refused", Source(reply=5), "unreachable", 1),
            ("never connected", Source(reply=None), "timeout", 1)):
        try:
            worst = max(worst, refusal(w, r, 0, source, reason, code))
        except AssertionError as e:
            raise AssertionError("%s: %s" % (what, e)) from e
    print("# peak RSS of fetch against bad sources: %d KiB%s" % (worst // 1024, " (with sanitizers)" if is_sanitized() else ""))


@with_reader
def sixteen_endless_sources_take_no_more_memory(w, r):
    r.has("good")
    before = r.memory()
    places = [w.place(r, 0, Source(endless), port=9000 + i) + ":%d" % (9000 + i) for i in range(16)]
    said = json.loads(r.fetch("--json", *places, code=1, timeout=90))
    assert [s["reason"] for s in said["sources"]] == ["too-large"] * 16, said["sources"]
    assert r.memory() == before
    assert is_sanitized() or r.rss < RSS_MAX, "%d KiB" % (r.rss // 1024)
    print("# peak RSS against sixteen: %d KiB" % (r.rss // 1024))


@with_reader
def a_socks_port_that_is_none_is_named(w, r):
    for socks in ("unix:/nonexistent/socks", "127.0.0.1:1"):
        said = json.loads(r.run("fetch", "--json", "--site", r.site, "--socks", socks, r.onions[0] + ".onion", code=1))
        assert said["sources"][0]["reason"] == "no-proxy", said
    with socket.socket(socket.AF_INET) as s:
        s.bind(("127.0.0.1", 0))
        s.listen(1)
        # Answers as a web server would, then not at all.
        def serve():
            c = s.accept()[0]
            c.recv(100)
            c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            c.close()
        t = threading.Thread(target=serve, daemon=True)
        t.start()
        words = ("fetch", "--json", "--site", r.site, "--timeout", "2", "--socks", "127.0.0.1:%d" % s.getsockname()[1])
        said = json.loads(r.run(*words, r.onions[0] + ".onion", code=1))
        assert said["sources"][0]["reason"] == "no-proxy", said
        t.join()
        said = json.loads(r.run(*words, r.onions[0] + ".onion", code=1))
        assert said["sources"][0]["reason"] == "no-proxy", said
    assert r.memory() is None


@with_reader
def the_newest_of_several_is_taken(w, r):
    names = ("old", "next", "good", "expired")
    places = [w.place(r, i, Source(respond(w.bundle(n)))) for i, n in enumerate(names)]
    w.socks.onions[(r.onions[0] + ".onion", 81)] = Source(drip)
    said = json.loads(r.fetch("--json", *places, r.onions[0] + ".onion:81"))
    assert [s["reason"] for s in said["sources"]] == ["older", "ok", "older", "expired", "timeout"], said["sources"]
    assert {m["name"]: m["serial"] for m in said["members"]} == {"alpha": 101, "beta": 100}, said["members"]
    assert said["ok"] and len(said["mirrors"]) == 3
    said = json.loads(r.fetch("--json", places[0], code=4))
    assert said["sources"][0]["reason"] == "rollback", said


@with_reader
def a_dropped_member_is_missed_aloud(w, r):
    r.has("good")
    out = r.fetch(w.place(r, 0, Source(respond(w.bundle("dropped")))))
    assert "member   beta: missing" in out and "beta has no list here (missing)" in r.err, out + r.err


@with_reader
def an_older_head_of_one_member_is_told_and_the_others_count(w, r):
    r.has("next")
    said = json.loads(r.fetch("--json", w.place(r, 0, Source(respond(w.bundle("good"))))))
    assert [(m["status"], m["serial"]) for m in said["members"]] == [("rollback", 101), ("ok", 100)], said
    assert said["ok"] and len(said["mirrors"]) == 3 and "alpha here is older" in r.err, r.err


@with_reader
def a_fork_is_told_and_both_heads_are_kept(w, r):
    before = r.has("good")
    place = w.place(r, 0, Source(respond(w.bundle("fork"))))
    said = json.loads(r.fetch("--json", place, code=4))
    assert said["reason"] == "fork" and "FORK" in r.err, r.err
    assert len(said["evidence"]) == 1
    heads = [json.loads(text) for text in said["evidence"][0]]
    docs = [json.loads(h["doc"]) for h in heads]
    assert docs[0]["serial"] == docs[1]["serial"] == 100 and docs[0] != docs[1]
    after = json.loads(r.memory())
    assert after.pop("evidence") == said["evidence"]
    was = json.loads(before)
    assert was.pop("evidence") == []
    for memory in was, after:
        memory["leaves"].sort(key=str)
    assert was == after, "only the evidence was added"
    assert [m["status"] for m in said["members"]] == ["fork", "ok"] and len(said["mirrors"]) == 3, said
    # Stock minisign sees the same key under both.
    if shutil.which("minisign"):
        for i, h in enumerate(heads):
            name = "%s/head-%d.json" % (r.dir, i)
            with open(name, "w") as f:
                f.write(h["doc"])
            with open(name + ".minisig", "w") as f:
                f.write(h["sigs"][0])
        key = json.loads(json.loads(r.memory())["members"]["doc"])["members"][0]["key"]
        for i in range(2):
            subprocess.run(["minisign", "-V", "-H", "-q", "-P", public_key(key, heads[i]["sigs"][0]), "-m", "%s/head-%d.json" % (r.dir, i)],
                           check=True)
    r.fetch(w.lists + "/next")
    assert len(json.loads(r.memory())["evidence"]) == 1, "it stays"


@with_reader
def evidence_that_finds_no_room_is_told(w, r):
    memory = json.loads(r.has("good"))

    def entry(n):
        doc = json.dumps({"member": "alpha", "serial": n, "type": "onionmirror/head/1"}, separators=(",", ":")) + "\n"
        return json.dumps({"doc": doc, "sigs": []}, separators=(",", ":")) + "\n"
    memory["evidence"] = [[entry(n), entry(n + 100)] for n in range(1, 9)]
    with open(r.store, "w") as f:
        f.write(json.dumps(memory, separators=(",", ":"), sort_keys=True) + "\n")
    r.fetch(w.lists + "/fork", code=4)
    assert "FORK" in r.err and "NOT KEPT" in r.err and "both are kept" not in r.err, r.err
    assert json.loads(r.memory())["evidence"] == memory["evidence"]
    r.run("verify", "--store", r.store, w.lists + "/fork", code=4)
    assert "NOT KEPT" in r.err, r.err


@with_reader
def what_nobody_signed_is_no_fork(w, r):
    # Signatures are looked at after the chain: anybody can name another root before his own.
    r.has("good")
    bundle = json.loads(w.bundle("good"))
    first = bundle["roots"][0]["doc"]
    root = dict(json.loads(first), version=2, prev="0" * 64, site=hashlib.sha256(first.encode()).hexdigest())
    bundle["roots"].append({"doc": json.dumps(root, separators=(",", ":"), sort_keys=True) + "\n", "sigs": []})
    lie = w.place(r, 0, Source(respond((json.dumps(bundle, separators=(",", ":"), sort_keys=True) + "\n").encode())))
    said = json.loads(r.fetch("--json", lie, code=4))
    assert said["reason"] == "fork" and said["evidence"] == [] and "FORK:" not in r.err, r.err
    said = json.loads(r.fetch("--json", lie, w.place(r, 1, Source(respond(w.bundle("next"))))))
    assert said["ok"] and [s["reason"] for s in said["sources"]] == ["fork", "ok"], said


def public_key(key, signature):
    """minisign's text of a key, with the key id that the signature names."""
    import base64
    key_id = base64.b64decode(signature.split("\n")[1])[2:10]
    return base64.b64encode(b"Ed" + key_id + bytes.fromhex(key)).decode()


@with_reader
def verify_tells_of_a_fork_too(w, r):
    words = ["verify", "--site", r.site, "--store", r.dir + "/store"]
    r.run(*words, w.lists + "/good")
    r.run(*words, w.lists + "/fork", code=4)
    assert "FORK" in r.err and "beta: ok" in r.out, r.err + r.out
    said = json.loads(r.run(*words, "--json", w.lists + "/fork", code=4))
    assert (said["ok"], said["reason"]) == (False, "fork") and len(said["mirrors"]) == 3, said
    assert json.loads(r.run(*words, "--json", w.lists + "/next"))["ok"]


@with_reader
def two_places_that_contradict_are_a_fork_at_once(w, r):
    places = [w.place(r, i, Source(respond(w.bundle(n)))) for i, n in enumerate(("good", "fork"))]
    said = json.loads(r.fetch("--json", *places, code=4))
    assert sorted(s["reason"] for s in said["sources"]) == ["fork", "ok"], said["sources"]
    assert len(json.loads(r.memory())["evidence"]) == 1 and len(said["mirrors"]) == 3


@with_reader
def a_freeze_is_told(w, r):
    places = [w.place(r, i, Source(respond(w.bundle("stale")))) for i in range(2)]
    r.fetch(*places)
    assert "FROZEN?" in r.err, r.err
    url = r.run("pick")
    assert url.startswith("http://") and url.count("\n") == 1 and "the list is old" in r.err, url + r.err
    assert json.loads(r.run("pick", "--json"))["stale"]


@with_reader
def withdrawn_addresses_are_known_and_never_picked(w, r):
    r.has("next")
    r.fetch(w.place(r, 0, Source(respond(w.bundle("withdrawn")))))
    assert r.run("is-mirror", r.onions[0], code=4).startswith("retired:")
    assert r.run("is-mirror", r.onions[1], code=4).startswith("revoked:")
    assert set(r.run("pick", "-n", "50").split()) == {"http://%s.onion/" % r.onions[2]}


@with_reader
def what_was_good_before_a_fault_counts(w, r):
    r.has("good")
    refusal(w, r, 0, respond(w.bundle("unproved")), "bad-possession", 4, grows=True)
    said = json.loads(r.memory())
    assert [json.loads(h["doc"])["serial"] for h in said["heads"]] == [101, 100]
    assert len(set(r.run("pick", "-n", "9").split())) == 2, "the leaf that the new head does not list is gone"


@with_reader
def without_a_memory_it_says_what_to_do(w, r):
    for words in (("pick",), ("is-mirror", r.onions[0]), ("fetch", "somewhere")):
        r.run(*words, code=1)
        assert "onionmirror fetch --site ID" in r.err, r.err
    r.run("pick", "--site", r.site, code=1)
    assert "no list of this site has been fetched yet" in r.err, r.err
    r.run("fetch", "--store", r.dir + "/new", w.lists + "/good", code=1)
    assert "the first time give --site ID" in r.err, r.err
    r.run("pick", "--site", r.site, env={k: v for k, v in r.env.items() if k not in ("HOME", "XDG_DATA_HOME")}, code=1)
    assert "--store" in r.err, r.err
    r.run("pick", "-n", "0", code=2)


@with_reader
def several_sites_have_to_be_named(w, r):
    r.has("good")
    other = json.loads(r.run("verify", "--json", w.lists + "/other"))["site"]
    r.run("fetch", "--site", other, w.lists + "/other")
    r.run("pick", code=1)
    assert "2 sites are known" in r.err, r.err
    assert r.run("pick", "--site", r.site).startswith("http://")
    shutil.copy(r.store, r.dir + "/mixed")
    r.run("pick", "--site", other, "--store", r.dir + "/mixed", code=4)
    assert "wrong-site" in r.err, r.err


@with_reader
def a_damaged_memory_is_refused_and_left_alone(w, r):
    good = r.has("good")
    for bad in (b"", good[:-100], b"{}\n", good.replace(b'"serial', b'"Serial')):
        with open(r.store, "wb") as f:
            f.write(bad)
        for words in (("pick",), ("fetch", w.lists + "/good"), ("is-mirror", r.onions[0])):
            r.run(*words, code=1)
            assert "damaged" in r.err, r.err
        assert r.memory() == bad
    with open(r.store, "wb") as f:
        f.write(good)
    os.chmod(r.store, 0o644)
    r.run("pick", code=1)
    assert "chmod 0600" in r.err, r.err


@with_reader
def a_folder_of_documents_is_as_good_as_a_bundle(w, r):
    out = r.fetch(w.lists + "/good.files")
    assert out.startswith("ok") and "verified 3 addresses" in out, out
    assert "verified 3 addresses" in r.run("verify", "--site", r.site, w.lists + "/good.files")
    said = json.loads(r.run("verify", "--json", "--site", r.site, w.lists + "/unproved.files", code=4))
    assert said["reason"] == "bad-possession" and said["mirrors"] == [], said
    with open(r.dir + "/large", "wb") as f:
        f.truncate((4 << 20) + 1)
    assert json.loads(r.run("verify", "--json", r.dir + "/large", code=4))["reason"] == "too-large"
    os.makedirs(r.dir + "/many")
    for i in range(5):
        with open(r.dir + "/many/leaf-%d.json" % i, "wb") as f:
            f.truncate(1 << 20)
    said = json.loads(r.run("verify", "--json", r.dir + "/many", code=4))
    assert said["reason"] == "too-large" and "folder" in said["detail"], said
    os.makedirs(r.dir + "/empty")
    r.run("verify", r.dir + "/empty", code=1)
    assert "neither bundle.json nor" in r.err, r.err


@with_reader
def two_at_once_do_not_lose_what_one_learned(w, r):
    # One waits in the network, the other learns more meanwhile; the first must not write what it knew at its start.
    gate = threading.Event()

    def late(c, q):
        gate.wait(30)
        respond(w.bundle("old"))(c, q)
    place = w.place(r, 0, Source(late))
    slow = Reader(w.lists, w.socks)
    slow.env = r.env
    thread = threading.Thread(target=lambda: slow.run("fetch", "--site", r.site, "--socks", "unix:" + w.socks.path, place, code=None))
    thread.start()
    om.until("the slow one has asked", 30, lambda: w.socks.onions[(place, 8008)].requests)
    r.has("next")
    before = r.memory()
    gate.set()
    thread.join()
    assert "rollback" in slow.out, slow.out + slow.err
    assert r.memory() == before
    slow.close()


@with_reader
def kill_9_at_any_moment_of_a_save_loses_nothing(w, r):
    if not shutil.which("strace"):
        print("skip kill 9 at any moment of a save: no strace")
        return
    old = r.has("good")
    copy = Reader(w.lists, w.socks)
    copy.has("good")
    new = copy.has("next")
    copy.close()
    env = dict(r.env, ASAN_OPTIONS=r.env.get("ASAN_OPTIONS", "") + ":detect_leaks=0")
    seen = set()
    for call in ("openat", "write", "fsync", "rename", "close"):
        for when in range(1, 200):
            code = r.run("fetch", w.lists + "/next", wrapper=("strace", "-f", "-o", r.dir + "/trace", "-e", "trace=" + call, "-e",
                         "inject=%s:signal=KILL:when=%d" % (call, when)), env=env, code=None)
            now = r.memory()
            assert now in (old, new), "%s %d: neither old nor new" % (call, when)
            seen.add(now == new)
            r.run("pick")
            if now == new:
                with open(r.store, "wb") as f:
                    f.write(old)
            if code == 0:
                break
        else:
            raise AssertionError("%s: never came to an end" % call)
    assert seen == {True, False}
    r.fetch(w.lists + "/next")
    assert r.memory() == new
    left = os.listdir(r.dir + "/onionmirror")
    assert sorted(left) == [r.site + ".json", r.site + ".json.lock"], left


@with_reader
def a_full_disk_leaves_the_old_memory(w, r):
    old = r.has("good")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    done = subprocess.run([CLIENT, "fetch", w.lists + "/next"], env=r.env, capture_output=True, text=True, preexec_fn=limit)
    assert done.returncode == 1 and "File too large" in done.stderr, done.stderr
    assert r.memory() == old
    assert [n for n in os.listdir(r.dir + "/onionmirror") if "tmp" in n] == []
    for words in (["fetch"], ["verify", "--store", r.store]):
        done = subprocess.run([CLIENT] + words + [w.lists + "/fork"], env=r.env, capture_output=True, text=True, preexec_fn=limit)
        assert done.returncode == 4 and "FORK" in done.stderr and "NOT KEPT" in done.stderr, done
    assert r.memory() == old
    place = w.place(r, 0, Source(respond(w.bundle("next"))))
    done = subprocess.run([CLIENT, "fetch", "--json", "--socks", "unix:" + w.socks.path, place], env=r.env, capture_output=True, text=True,
                          preexec_fn=limit)
    assert done.returncode == 1 and json.loads(done.stdout)["sources"][0]["reason"] == "disk", done.stdout + done.stderr


def main():
    return om.run_cases(World(), (
        a_list_is_fetched_through_socks_and_remembered, urls_ports_and_loopback_work_and_https_is_refused,
        a_bad_source_is_named_and_costs_little, sixteen_endless_sources_take_no_more_memory,
        a_socks_port_that_is_none_is_named, the_newest_of_several_is_taken, a_dropped_member_is_missed_aloud,
        an_older_head_of_one_member_is_told_and_the_others_count, a_fork_is_told_and_both_heads_are_kept,
        evidence_that_finds_no_room_is_told, what_nobody_signed_is_no_fork, verify_tells_of_a_fork_too,
        two_places_that_contradict_are_a_fork_at_once, a_freeze_is_told,
        withdrawn_addresses_are_known_and_never_picked, what_was_good_before_a_fault_counts,
        without_a_memory_it_says_what_to_do, several_sites_have_to_be_named,
        a_damaged_memory_is_refused_and_left_alone, a_folder_of_documents_is_as_good_as_a_bundle,
        two_at_once_do_not_lose_what_one_learned, kill_9_at_any_moment_of_a_save_loses_nothing,
        a_full_disk_leaves_the_old_memory))


if __name__ == "__main__":
    sys.exit(main())
