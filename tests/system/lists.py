#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The list service on its unix sockets, with a scripted tor: what it serves, to whom, and what
hostile clients get. Also the page's own commands, and onion-location."""

import hashlib
import html
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import om
import process
from om import until

WELL_KNOWN = "/.well-known/onionmirror/"
HOST = b"Host: x.onion\r\n"
HEADERS = ["content-type", "content-length", "etag", "accept-ranges", "cache-control", "content-security-policy",
           "cross-origin-resource-policy", "referrer-policy", "x-content-type-options", "connection"]
TYPES = {".json": "application/json", ".html": "text/html; charset=utf-8", ".png": "image/png"}


class Site(process.Site):
    """Two channels, each with an onion or more."""

    CHANNELS = 'channel "public" { share = 10 }\nchannel "press" { share = 10 }\n'

    def conf_text(self, names=None):
        return super().conf_text(names) + self.CHANNELS + 'list-service { port = 8008 sockets = "%s/list" }\n' % self.dir

    def socket(self, onion):
        return "%s/list/%d" % (self.dir, onion["id"])

    def served(self):
        """The onions in the list, by channel."""
        found = {}
        for o in self.onions():
            if o["in_list"]:
                found.setdefault(o["channel"], []).append(o)
        return found

    def folder(self, channel):
        return os.path.realpath("%s/%s/current" % (self.publish, channel))


def ask_raw(path, data, timeout=20):
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect(path)  # blocking: it waits while the queue is full
        s.settimeout(timeout)
        try:
            s.sendall(data)
        except OSError:
            pass  # answered and closed already
        got = b""
        while True:
            try:
                piece = s.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                return got
            got += piece
    finally:
        s.close()


def ask(path, target="/", method="GET", more=b""):
    """(status, headers as lower-case pairs in order, body)"""
    got = ask_raw(path, ("%s %s HTTP/1.1\r\n" % (method, target)).encode() + HOST + more + b"\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = [(n.lower(), v) for n, v in (line.split(": ", 1) for line in lines[1:])]
    return int(lines[0].split()[1]), headers, body


def both_channels_have_an_onion(site):
    site.started()
    site.wait_listed(20)
    # Which channel an address falls to is a matter of chance: new ones until there are both.
    for _ in range(20):
        if len(site.served()) == 2:
            return
        site.cli("rotate", "north", "--wait")
    raise AssertionError("only one channel was ever used")


def tor_is_told_of_the_list_port(site):
    by_address = {o["onion"].split(".")[0]: o for o in site.onions()}
    added = site.tor.heard("ADD_ONION")
    assert len(added) >= 3
    for command in added:
        assert re.search(r" Port=80,unix:\S+ Port=8008,unix:%s/list/\d+$" % re.escape(site.dir), command), command
    paths = {re.search(r"Port=8008,unix:(\S+)", c).group(1) for c in added}
    assert paths == {site.socket(o) for o in by_address.values()}, "each onion has a socket of its own"


def every_file_of_the_channel_is_served_as_it_is(site):
    for channel, onions in site.served().items():
        folder = site.folder(channel)
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as f:
                want = f.read()
            for prefix in ("/", WELL_KNOWN):
                status, headers, body = ask(site.socket(onions[0]), prefix + name)
                assert (status, body) == (200, want), name
                assert [n for n, _ in headers] == HEADERS, headers
                h = dict(headers)
                assert h["content-type"] == TYPES.get(os.path.splitext(name)[1], "text/plain; charset=utf-8"), h
                assert h["etag"] == '"%s"' % hashlib.sha256(want).hexdigest()[:32]
        for path in ("/", WELL_KNOWN, "/index.html"):
            body = ask(site.socket(onions[0]), path)[2]
            with open(folder + "/index.html", "rb") as f:
                assert body == f.read()
            style = re.search(rb"<style>(.*?)</style>", body, re.S).group(1)
            policy = dict(ask(site.socket(onions[0]), path)[1])["content-security-policy"]
            assert policy.startswith("default-src 'none'; style-src 'sha256-%s'; " % __import__("base64").b64encode(
                hashlib.sha256(style).digest()).decode()), policy


def self_json_is_the_leaf_of_the_onion_that_was_asked(site):
    for onions in site.served().values():
        for o in onions:
            for path in ("/self.json", WELL_KNOWN + "self.json"):
                for host in (b"", b"X-Forwarded-Host: other.onion\r\n"):
                    status, _, body = ask(site.socket(o), path, more=host)
                    assert status == 200 and json.loads(body)["onion"] == o["onion"]


def no_onion_serves_another_channel(site):
    served = site.served()
    for mine, theirs in (("public", "press"), ("press", "public")):
        o, other = served[mine][0], served[theirs]
        hidden = {name for name in os.listdir(site.folder(theirs)) if name.startswith("leaf-")}
        for name in hidden:
            for path in ("/" + name, WELL_KNOWN + name, "/../%s/current/%s" % (theirs, name), "/%s/%s" % (theirs, name),
                         "/%s/current/%s" % (theirs, name), "http://%s/%s" % (other[0]["onion"], name)):
                status, _, body = ask(site.socket(o), path)
                assert status in (400, 404) and len(body) < 40, (path, status)
        for target in ("/self.json", "/bundle.json", "/mirrors.txt", "/index.html", "/"):
            request = "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (target, other[0]["onion"])
            got = ask_raw(site.socket(o), request.encode())
            for x in other:
                assert x["onion"].encode() not in got, "the Host header opens the other channel"


def onions_of_one_channel_answer_byte_for_byte_alike(site):
    for onions in site.served().values():
        for target in ("/", "/bundle.json", "/nothing", "/site.png", "/mirrors.txt.minisig"):
            answers = {ask_raw(site.socket(o), b"GET " + target.encode() + b" HTTP/1.1\r\n" + HOST + b"\r\n") for o in onions}
            assert len(answers) == 1, target


def etag_head_and_range(site):
    path = site.socket(site.served()["public"][0])
    _, headers, body = ask(path, "/bundle.json")
    etag = dict(headers)["etag"]
    for value, want in ((etag, 304), ('"x", W/%s' % etag, 304), ("*", 304), ('"x"', 200), (etag[:-1], 200), ('"x%s' % etag[1:], 200)):
        status, h, got = ask(path, "/bundle.json", more=b"If-None-Match: " + value.encode() + b"\r\n")
        assert status == want and got == (body if want == 200 else b""), value
        assert dict(h)["etag"] == etag and ("content-length" in dict(h)) == (want == 200)
    status, h, got = ask(path, "/bundle.json", method="HEAD")
    assert (status, h, got) == (200, headers, b"")
    assert ask(path, "/bundle.json", more=b"Range: bytes=0-9\r\n") == (200, headers, body)
    assert ask(path, "/nothing", method="HEAD")[0] == 404


def hostile_requests_get_the_right_refusal(site):
    path = site.socket(site.served()["public"][0])
    table = [
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello", 405),
        (b"DELETE /bundle.json HTTP/1.1\r\n" + HOST + b"\r\n", 405),
        (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 405),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\n" + HOST + b"\r\n\r\n", 400),
        (b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /..%2f..%2fetc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /bundle.json%00.html HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET //bundle.json HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /./bundle.json HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /bundle.json?x=1 HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /.well-known/onionmirror HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /current HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /" + b"a" * 255 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET /" + b"a" * 9000, 414),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 9000, 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 70 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello", 413),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
        (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
        (b"GET / HTTP/1.1 x\r\n" + HOST + b"\r\n", 400),
        (b"GET http://x.onion/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET / HTTP/1.0\r\n\r\n", 200),
    ]
    for request, want in table:
        got = ask_raw(path, request)
        assert got.startswith(b"HTTP/1.1 %d " % want), (request[:60], got[:60])
        assert b"\r\nDate:" not in got and b"\r\nServer:" not in got
        assert (b"\r\nAllow: GET, HEAD\r\n" in got) == (want == 405)
        assert got.count(b"HTTP/1.1 ") == 1, "one request a connection"


def open_files(site):
    return len(os.listdir("/proc/%d/fd" % site.process.pid))


def slow_clients_lock_nobody_out(site):
    onion = site.served()["public"][0]
    before, held = open_files(site), []
    try:
        for i in range(300):
            s = socket.socket(socket.AF_UNIX)
            s.connect(site.socket(onion))  # blocking: it waits while the queue is full
            s.settimeout(5)
            s.sendall(b"GET / HT"[:i % 8])
            held.append(s)
        began = time.monotonic()
        assert ask(site.socket(onion), "/bundle.json")[0] == 200
        assert time.monotonic() - began < 2
        most = open_files(site)
        assert most - before <= 65, "%d files are open, %d were" % (most, before)
        assert select.select([held[0]], [], [], 5)[0] and held[0].recv(1) == b"", "the oldest is cut"
    finally:
        for s in held:
            s.close()
    until("its files are closed", 5, lambda: open_files(site) <= before)


def a_killed_daemon_serves_the_same_list_at_once(site):
    onion = site.served()["press"][0]
    before = ask(site.socket(onion), "/bundle.json")
    site.kill()
    site.started()
    assert ask(site.socket(onion), "/bundle.json") == before
    assert ask(site.socket(onion), "/self.json")[0] == 200


def a_rotated_onion_gives_the_new_list_and_no_leaf(site):
    old = next(o for o in site.onions() if o["mirror"] == "south" and o["in_list"])
    site.cli("rotate", "south", "--wait")
    new = next(o for o in site.onions() if o["mirror"] == "south" and o["in_list"])
    assert new["id"] != old["id"]
    assert ask(site.socket(new), "/self.json")[0] == 200
    assert ask(site.socket(old), "/self.json")[0] == 404, "it is no longer in the list"
    status, _, body = ask(site.socket(old), "/bundle.json")
    with open(site.folder(old["channel"]) + "/bundle.json", "rb") as f:
        assert status == 200 and body == f.read()


def mirrors_txt_follows_the_onion_mirror_guidelines(site):
    for channel, onions in site.served().items():
        text = ask(site.socket(onions[0]), "/mirrors.txt")[2].decode()
        found = set()
        for line in text.split("\n"):
            if line.startswith(("http://", "https://")):
                assert re.fullmatch(r"https?://[a-z2-7]{56}\.onion", line), "scheme and host only: " + line
                found.add(line.split("//")[1])
            else:
                assert line == "" or line.startswith("#"), "neither a mirror nor a comment: " + line
        assert found == {o["onion"] for o in onions}


def the_commands_of_the_page_work(site):
    folder = site.folder("public")
    with open(folder + "/index.html") as f:
        page = f.read()
    blocks = [html.unescape(b) for b in re.findall(r"<pre>(.*?)</pre>", page, re.S)]
    assert len(blocks) == 4 and blocks[0].startswith("onionmirror verify --site " + site.id)
    assert "onionmirror verify" in blocks[0] and site.cli(*blocks[0].split()[1:-1], folder + "/bundle.json")

    def run(text):
        return subprocess.run(["sh", "-ec", text], cwd=folder, capture_output=True, text=True)

    assert run(blocks[1]).stdout.strip() == site.id
    for block in blocks[2:]:
        done = run(block)
        assert done.returncode == 0 and "verified" in done.stdout, done.stderr
        assert re.search(r"^[0-9a-f]{64}$", done.stdout, re.M), "the document names the key"
    assert "valid-until=" in run(blocks[3]).stdout and site.id in run(blocks[3]).stdout
    # And they notice a forgery.
    copy = tempfile.mkdtemp(prefix="omf-")
    try:
        for name in os.listdir(folder):
            shutil.copy(os.path.join(folder, name), copy)
        with open(copy + "/mirrors.txt", "a") as f:
            f.write("http://%s.onion\n" % ("a" * 56))
        folder = copy
        assert run(blocks[3]).returncode != 0
    finally:
        shutil.rmtree(copy)


NGINX = """daemon off;
%(user)s
pid %(dir)s/pid;
error_log %(dir)s/error.log;
events { }
http {
	access_log off;
	client_body_temp_path %(dir)s/body;
	proxy_temp_path %(dir)s/proxy;
	fastcgi_temp_path %(dir)s/fastcgi;
	uwsgi_temp_path %(dir)s/uwsgi;
	scgi_temp_path %(dir)s/scgi;
	server {
		listen unix:%(dir)s/web;
		%(snippet)s
		location / { return 200 "ok"; }
	}
}
"""
APACHE = """ServerName localhost
ServerRoot %(dir)s
PidFile %(dir)s/pid
ErrorLog %(dir)s/error.log
%(user)s
LoadModule mpm_event_module %(modules)s/mod_mpm_event.so
LoadModule authz_core_module %(modules)s/mod_authz_core.so
LoadModule setenvif_module %(modules)s/mod_setenvif.so
LoadModule headers_module %(modules)s/mod_headers.so
LoadModule alias_module %(modules)s/mod_alias.so
Listen 127.0.0.1:%(port)d
DocumentRoot %(dir)s
AliasMatch . %(dir)s/conf
<Directory %(dir)s>
Require all granted
</Directory>
%(snippet)s
"""
CADDY = """{
	admin off
	auto_https off
}
http://:%(port)d {
	%(snippet)s
	respond "ok"
}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def header_of(connect, target):
    """The Onion-Location that a web server sends with this target."""
    def try_once():
        s = connect()
        try:
            s.sendall(b"GET " + target.encode() + b" HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
            return s.makefile("rb").read().decode()
        finally:
            s.close()

    def answer():
        try:
            return try_once()
        except OSError:
            return None

    got = until("an answer of the web server", 10, answer)
    return re.findall(r"^onion-location: (.*?)\r?$", got, re.M | re.I)


def run_server(site, words, connect, onion):
    done = subprocess.run(words[0], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    server = subprocess.Popen(words[1], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, HOME=site.dir))
    try:
        for target in ("/", "/a%20b/%0d%0aX:y?q=1&r=%2F", "/x?"):
            assert header_of(connect, target) == ["http://%s%s" % (onion, target)], (words[1][0], target, header_of(connect, target))
    finally:
        server.terminate()
        server.wait(10)


def onion_location_works_in_real_web_servers(site):
    """Apache and Caddy only where they are installed; nginx always is."""
    north = site.mirrors()["north"]["listed"]
    folder = tempfile.mkdtemp(prefix="omw-", dir="/tmp")
    user = "root" if os.getuid() == 0 else ""
    modules = os.environ.get("OM_APACHE_MODULES", "/usr/lib/apache2/modules")
    paths = os.environ["PATH"] + ":/usr/sbin:/sbin"
    tried = 0
    try:
        for name, text in (("nginx", NGINX), ("apache", APACHE), ("caddy", CADDY)):
            program = shutil.which({"apache": "apache2"}.get(name, name), path=paths)
            snippet = site.cli("onion-location", "--server", name, "north").stdout
            assert north in snippet and snippet.startswith("# Onion-Location for %s: mirror north" % name)
            if program is None:
                continue
            port, conf = free_port(), folder + "/conf"
            with open(conf, "w") as f:
                f.write(text % {"dir": folder, "port": port, "snippet": snippet, "modules": modules,
                                "user": {"nginx": "user root;", "apache": "User #65534\nGroup #65534"}.get(name, "") if user else ""})
            os.chmod(folder, 0o755)
            words = {"nginx": ([program, "-t", "-c", conf], [program, "-c", conf]),
                     "apache": ([program, "-t", "-f", conf], [program, "-X", "-f", conf]),
                     "caddy": ([program, "validate", "--config", conf, "--adapter", "caddyfile"],
                               [program, "run", "--config", conf, "--adapter", "caddyfile"])}[name]

            def connect(name=name, port=port):
                s = socket.socket(socket.AF_UNIX if name == "nginx" else socket.AF_INET)
                s.settimeout(5)
                s.connect(folder + "/web" if name == "nginx" else ("127.0.0.1", port))
                return s

            run_server(site, words, connect, north)
            print("# %s sends it" % name)
            tried += 1
        assert tried > 0, "nginx is not there"
    finally:
        shutil.rmtree(folder)


def onion_location_says_what_it_lacks(site):
    first = site.cli("onion-location", "--server", "caddy").stdout
    assert 'header Onion-Location "http://%s{uri}"' % site.mirrors()["north"]["listed"] in first, "the first listed one"
    told = json.loads(site.cli("--json", "onion-location", "--server", "nginx", "south").stdout)
    assert told["url"] == "http://" + site.mirrors()["south"]["listed"] and told["mirror"] == "south" and told["server"] == "nginx"
    process.says(site.cli("onion-location", "--server", "nginx", "nope", check=False), 1, 'there is no mirror "nope"')
    process.says(site.cli("onion-location", "--server", "iis", check=False), 2, "--server is needed: nginx, apache or caddy")
    process.says(site.cli("onion-location", check=False), 2, "--server is needed")


def a_reload_takes_the_service_away_and_brings_it_back(site):
    onion = site.served()["public"][0]
    text = site.conf_text()
    site.write_conf(re.sub(r"list-service .*\n", "", text))
    site.cli("reload")
    assert not os.path.exists(site.socket(onion))
    site.write_conf(text)
    site.cli("reload")
    assert ask(site.socket(onion))[0] == 200
    site.write_conf(text.replace("/list\"", "/other\""))
    done = site.cli("reload", check=False)
    assert done.returncode == 1 and "restart" in done.stderr, done.stderr
    site.write_conf(text)


def an_impossible_folder_is_told_before_anything_begins(site):
    site.stop()
    assert os.listdir(site.dir + "/list") == [], "the sockets are gone with the daemon"
    text = site.conf_text()
    site.write_conf(text.replace("/list\"", "/master.key/list\""))
    site.refused("list-service, sockets", "master.key")
    site.write_conf(text)


def test(cases, tor):
    site = Site(tor, names=("north", "south", "east"))
    try:
        for function in (both_channels_have_an_onion, tor_is_told_of_the_list_port, every_file_of_the_channel_is_served_as_it_is,
                         self_json_is_the_leaf_of_the_onion_that_was_asked, no_onion_serves_another_channel,
                         onions_of_one_channel_answer_byte_for_byte_alike, etag_head_and_range, hostile_requests_get_the_right_refusal,
                         slow_clients_lock_nobody_out, mirrors_txt_follows_the_onion_mirror_guidelines, the_commands_of_the_page_work,
                         onion_location_works_in_real_web_servers, onion_location_says_what_it_lacks,
                         a_killed_daemon_serves_the_same_list_at_once, a_rotated_onion_gives_the_new_list_and_no_leaf,
                         a_reload_takes_the_service_away_and_brings_it_back, an_impossible_folder_is_told_before_anything_begins):
            cases.run(function, site)
    finally:
        site.close()


def main():
    cases = om.Cases()
    folder = tempfile.mkdtemp(prefix="omt-", dir="/tmp")
    tor = faketor.FakeTor(folder)
    try:
        test(cases, tor)
    finally:
        tor.stop()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if cases.failed else 0)


if __name__ == "__main__":
    main()
