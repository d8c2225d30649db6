#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The real daemon and backends that answer anything but what was promised, in a network namespace that holds nothing:
one site with a mirror for each kind of answer. tests/faults.tsv says which row each case plays."""

import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import warnings

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import hostile
import process
from om import until

OK = b"HTTP/1.1 200 OK\r\n"
FLOOD = 64 << 20
MOVED = b"HTTP/1.1 301 Moved Permanently\r\nLocation: %s\r\nContent-Length: 3\r\n\r\nok\n"
ending = threading.Event()


def drip(c, data):
    for i in range(len(data)):
        c.sendall(data[i:i + 1])
        if ending.wait(0.2):
            return


def flood(c, first, piece):
    c.sendall(first)
    for _ in range(FLOOD // len(piece)):
        c.sendall(piece)


def silent(c):
    c.recv(1)


def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def says(data):
    return lambda c, _: c.sendall(data)


def only_for(name, page):
    return lambda c, head: c.sendall(page if b"\r\nHost: " + name in head else OK + b"Content-Length: 8\r\n\r\nWelcome\n")


# name: (what it does with the connection and the request, verdicts that are right)
PLAIN = {
    "drip-head": (lambda c, _: drip(c, OK + b"X: " + b"y" * 1000), {"timeout"}),
    "drip-body": (lambda c, _: drip(c, OK + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000), {"timeout"}),
    "silent": (lambda c, _: silent(c), {"timeout"}),
    "endless-headers": (lambda c, _: flood(c, OK, b"X-A: b\r\n" * 4096), {"http"}),
    "endless-header": (lambda c, _: flood(c, OK + b"X: ", b"y" * 65536), {"http"}),
    "endless-body": (lambda c, _: flood(c, OK + b"\r\n", b"x" * 65536), {"http", "content"}),
    "endless-interim": (lambda c, _: flood(c, b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), {"http"}),
    "endless-trailer": (lambda c, _: flood(c, OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n", b"X-A: b\r\n" * 4096), {"http"}),
    "length-2-63": (says(OK + b"Content-Length: 9223372036854775808\r\n\r\nok\n"), {"http", "content"}),
    "length-negative": (says(OK + b"Content-Length: -3\r\n\r\nok\n"), {"http"}),
    "length-plus": (says(OK + b"Content-Length: +3\r\n\r\nok\n"), {"http"}),
    "two-lengths": (says(OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nok\n"), {"http"}),
    "length-and-chunks": (says(OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n"), {"http"}),
    "chunk-overflow": (says(OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nok\n"), {"http", "content"}),
    "chunk-extension": (says(OK + b"Transfer-Encoding: chunked\r\n\r\n3;" + b"x" * 100000 + b"\r\nok\n\r\n0\r\n\r\n"), {"http"}),
    "http-0-9": (says(b"ok\n"), {"http"}),
    "http-2": (says(b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80\0\4\0\1\0\0\0\5\0\xff\xff\xff"), {"http"}),
    "upgrade": (says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\nok\n"), {"http"}),
    "gzip": (says(OK + b"Content-Encoding: gzip\r\nContent-Length: 29\r\n\r\n\x1f\x8b\x08\0ok, but packed with it.....!"), {"http", "content"}),
    "moved-local": (says(MOVED % b"http://127.0.0.1:9051/"), {"http"}),
    "moved-away": (says(MOVED % b"https://www.example.org/health"), {"http"}),
    "moved-file": (says(MOVED % b"file:///etc/passwd"), {"http"}),
    "moved-onion": (says(MOVED % b"http://%s.onion/" % (b"a" * 56)), {"http"}),
    "moved-here": (says(MOVED % b"/health"), {"http"}),
    "default-site": (only_for(b"www.example.org\r\n", OK + b"Content-Length: 3\r\n\r\nok\n"), {"content"}),
    "closes": (says(b""), {"http", "refused"}),
    "resets": (lambda c, _: reset(c), {"http", "refused"}),
    "half": (says(OK + b"Content-Length: 100\r\n\r\nok\n"), {"http"}),
    "half-head": (says(OK[:9]), {"http"}),
}
PAGE = OK + b"Content-Length: 3\r\n\r\nok\n"
RECORD = b"\x16\3\3\x40\0" + b"\2\0\x3f\xfc" + b"x" * 16380  # a handshake message that never ends


class Backend(process.UnixBackend):
    """Answers with `speak`; keeps what it was asked. With `tls`, behind a handshake."""

    def __init__(self, path, speak, tls=None):
        self.speak, self.tls = speak, tls
        self.asked, self.names, self.resumed = [], [], 0
        super().__init__(path)

    def answer(self, c):
        try:
            if self.tls is not None:
                c = self.tls.wrap_socket(c, server_side=True)
                self.resumed += c.session_reused
            head = b""
            while b"\r\n\r\n" not in head:
                piece = c.recv(4096)
                if not piece:
                    return
                head += piece
            self.asked.append(head)
            self.speak(c, head)
        except (OSError, ValueError):
            pass
        finally:
            c.close()


class RawBackend(Backend):
    """Speaks before it was asked anything."""

    def answer(self, c):
        try:
            c.recv(65536)
            self.speak(c, b"")
        except OSError:
            pass
        finally:
            c.close()


def certificate(path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3", "-subj", "/CN=test",
                    "-keyout", path, "-out", path + ".crt"], check=True, capture_output=True)
    return subprocess.run("openssl x509 -in %s.crt -noout -pubkey | openssl pkey -pubin -outform der | sha256sum" % path, shell=True,
                          check=True, capture_output=True, text=True).stdout.split()[0]


def context(path):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(path + ".crt", path)
    return made


def old(path):
    """TLS 1.1, and no warning of Python that nobody should."""
    warnings.simplefilter("ignore", DeprecationWarning)
    made = context(path)
    made.minimum_version = ssl.TLSVersion.TLSv1
    made.maximum_version = ssl.TLSVersion.TLSv1_1
    made.set_ciphers("ALL:@SECLEVEL=0")
    return made


TLS_MIRROR = """mirror "{name}" {{
  backend = "unix:{dir}/{name}.sock"  port = 443  tor = "main"  check = "secure"
}}
"""


class Site(process.Site):
    def __init__(self, tor):
        super().__init__(tor, names=("good",))
        self.backends["good"].stop()
        os.unlink(self.path("good"))
        pin = certificate(self.dir + "/web")
        certificate(self.dir + "/other")
        text = self.conf_text().partition("mirror ")[0].replace("timeout = 20s", "timeout = 3s").replace("interval = 3s", "interval = 5s")
        text += text[text.index("check \"page\""):].replace("\"page\"", "\"secure\"").replace("rise = 2", "tls = on\n  pin-sha256 = \"%s\"\n  rise = 2" % pin)
        self.wanted = {}
        for name, (speak, wanted) in dict(PLAIN, good=(says(PAGE), {"ok"}), better=(says(PAGE), {"ok"})).items():
            self.add(name, Backend(self.path(name), speak), wanted)
            text += process.MIRROR.format(name=name, dir=self.dir)
        for name, backend, wanted in (
                ("tls-good", Backend(self.path("tls-good"), says(PAGE), context(self.dir + "/web")), {"ok"}),
                ("tls-twin", Backend(self.path("tls-twin"), says(PAGE), context(self.dir + "/web")), {"ok"}),
                ("tls-other", Backend(self.path("tls-other"), says(PAGE), context(self.dir + "/other")), {"tls"}),
                ("tls-old", Backend(self.path("tls-old"), says(PAGE), old(self.dir + "/web")), {"tls"}),
                ("tls-plain", RawBackend(self.path("tls-plain"), says(PAGE)), {"tls"}),
                ("tls-alert", RawBackend(self.path("tls-alert"), says(b"\x15\3\3\0\2\2\x28")), {"tls"}),
                ("tls-heartbeat", RawBackend(self.path("tls-heartbeat"), says(b"\x18\3\3\0\3\1\xff\xff")), {"tls"}),
                ("tls-cut", RawBackend(self.path("tls-cut"), says(b"\x16\3\3")), {"tls"}),
                ("tls-silent", RawBackend(self.path("tls-silent"), lambda c, _: silent(c)), {"timeout"}),
                ("tls-drip", RawBackend(self.path("tls-drip"), lambda c, _: drip(c, RECORD)), {"timeout"}),
                ("tls-endless", RawBackend(self.path("tls-endless"), lambda c, _: flood(c, b"", RECORD)), {"tls"})):
            self.add(name, backend, wanted)
            text += TLS_MIRROR.format(name=name, dir=self.dir)
        for name in ("tls-good", "tls-twin"):
            b = self.backends[name]
            b.tls.sni_callback = lambda _socket, sent, _context, b=b: b.names.append(sent)
        self.write_conf(text)

    def path(self, name):
        return "%s/%s.sock" % (self.dir, name)

    def add(self, name, backend, wanted):
        self.backends[name], self.wanted[name] = backend, wanted

    def onion_of(self, name):
        return {o["mirror"]: o["onion"] for o in self.onions()}[name]

    def good(self):
        return {n for n, wanted in self.wanted.items() if wanted == {"ok"}}


def judged(site, *names):
    """Each of these was probed at least twice, each time with a verdict that is right."""
    seen = {n: [p for p in hostile.probes(site) if p["mirror"] == n] for n in names}
    for name, rows in seen.items():
        assert len(rows) >= 2, "%s: only %d probes" % (name, len(rows))
        bad = [p for p in rows if p["verdict"] not in site.wanted[name]]
        assert not bad, "%s: %s, not %s: %s" % (name, bad[0]["verdict"], site.wanted[name], bad[0].get("detail"))


def every_mirror_is_probed_and_only_good_ones_are_listed(site):
    site.started()
    size = hostile.memory(site)

    def all_probed():
        rows = [p["mirror"] for p in hostile.probes(site)]
        return all(rows.count(n) >= 2 for n in site.wanted)

    until("each is probed twice", 120, all_probed, 0.3)
    listed = {n for n, m in site.mirrors().items() if m["listed"]}
    assert listed == site.good(), "listed: %s" % listed
    wanted = {site.onion_of(n)[:56] for n in site.good()}
    assert site.published() == wanted
    for _, _, onions, _ in site.watcher.seen:
        assert onions <= wanted, "a bad mirror was listed"
    assert hostile.memory(site) - size < hostile.GROWTH, "%d MiB more" % ((hostile.memory(site) - size) >> 20)
    assert all(b.asked for n, b in site.backends.items() if not n.startswith("tls-") or n in site.good())


def slow_answers_end_at_the_deadline(site):
    judged(site, "drip-head", "drip-body", "silent")
    late = [p for p in hostile.probes(site) if p["verdict"] == "timeout" and p["ms"]["total"] > 6000]
    assert not late, late[0]


def answers_without_an_end_are_cut(site):
    judged(site, "endless-headers", "endless-header", "endless-body", "endless-interim", "endless-trailer", "length-2-63")


def answers_of_two_meanings_are_refused(site):
    judged(site, "length-negative", "length-plus", "two-lengths", "length-and-chunks", "chunk-overflow", "chunk-extension", "http-0-9", "http-2", "upgrade")


def encoded_answers_and_redirects_prove_nothing(site):
    judged(site, "gzip", "moved-local", "moved-away", "moved-file", "moved-onion", "moved-here")
    ours = {o["onion"][:56] for o in site.onions()}
    assert set(site.tor.fetched) <= ours, "somebody else was asked"
    for name, b in site.backends.items():
        for head in b.asked:
            assert head.startswith((b"GET /health HTTP/1.1\r\n")), "%s: %s" % (name, head[:40])
            assert b"\r\nAccept-Encoding: identity\r\n" in head


def the_default_site_of_a_web_server_is_wrong_content(site):
    judged(site, "default-site")


def connections_that_break_are_told_apart(site):
    judged(site, "closes", "resets", "half", "half-head")


def requests_are_the_same_to_the_byte(site):
    seen = set()
    for name, b in site.backends.items():
        for head in b.asked:
            host = site.onion_of(name).encode()
            assert b"Host: " + host + b"\r\n" in head, head
            seen.add(head.replace(host, b"HOST"))
    assert len(seen) == 1, seen
    assert b"onionmirror" not in seen.pop().lower().replace(b"host", b""), "our name"


def hostile_tls_proves_nothing(site):
    judged(site, *(n for n in site.wanted if n.startswith("tls-")))


def the_only_name_in_tls_is_the_onion_and_no_session_is_resumed(site):
    for name in ("tls-good", "tls-twin"):
        b = site.backends[name]
        assert len(b.names) >= 2 and set(b.names) == {site.onion_of(name)}, b.names
        assert b.resumed == 0


def run(cases, tor):
    def job():
        site = Site(tor("main"))
        try:
            for function in (every_mirror_is_probed_and_only_good_ones_are_listed, slow_answers_end_at_the_deadline,
                             answers_without_an_end_are_cut, answers_of_two_meanings_are_refused, encoded_answers_and_redirects_prove_nothing,
                             the_default_site_of_a_web_server_is_wrong_content, connections_that_break_are_told_apart,
                             requests_are_the_same_to_the_byte, hostile_tls_proves_nothing,
                             the_only_name_in_tls_is_the_onion_and_no_session_is_resumed):
                cases.run(function, site)
        finally:
            ending.set()
            site.close(keep="KEEP" in os.environ)

    return [job]


if __name__ == "__main__":
    process.main_of(__file__, faketor.FakeTor, run)
