#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# needs tor
"""A reader on a private network of real tor processes: fetch, pick, and the one line with curl."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import om
from om import BUILD, until


class Web:
    """A web server as an operator has one: pages, and the published list under .well-known."""

    def __init__(self, name, port, list_folder):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                kind, body = "text/html", b"<h1>ok, from %s</h1>\n" % name.encode()
                if self.path == "/.well-known/onionmirror/bundle.json":
                    with open(list_folder + "/bundle.json", "rb") as f:
                        kind, body = "application/json", f.read()
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
        self.server = Server(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Reader:
    """Knows the site id and a tor, nothing else."""

    def __init__(self, site):
        self.site = site
        self.home = tempfile.mkdtemp(prefix="omr-")
        self.env = dict(os.environ, HOME=self.home, PATH=BUILD + ":" + os.environ["PATH"])
        self.env.pop("XDG_DATA_HOME", None)

    def run(self, *words, code=0):
        done = subprocess.run([BUILD + "/onionmirror", *words], capture_output=True, text=True, env=self.env, timeout=180)
        assert done.returncode == code, "exit %d: %s %s" % (done.returncode, done.stdout, done.stderr)
        return done.stdout

    def fetch(self, *places, code=0):
        return json.loads(self.run("fetch", "--json", "--site", self.site.id, "--socks", "unix:" + self.site.net.reader, *places, code=code))

    def close(self):
        shutil.rmtree(self.home, ignore_errors=True)


def the_list_is_fetched_from_two_mirrors_through_tor(reader):
    places = ["http://%s.onion/" % a for a in reader.site.listed().values()]
    for p in places:
        until("an answer of " + p, 60, lambda a=p[7:63]: om.answers(reader.site.net, a, timeout=20))
    said = reader.fetch(*places)
    assert [s["reason"] for s in said["sources"]] == ["ok", "ok"], said["sources"]
    assert {m["url"] for m in said["mirrors"]} == set(places), said["mirrors"]
    print("# " + reader.run("fetch", "--site", reader.site.id, "--socks", "unix:" + reader.site.net.reader, *places).replace("\n", "\n# "))


def curl_gets_a_page_from_the_mirror_that_pick_prints(reader):
    line = 'curl -sS --max-time 60 --proxy socks5h://localhost%s "$(onionmirror pick)"' % reader.site.net.reader
    for _ in range(3):
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=reader.env, timeout=90)
        assert done.returncode == 0 and "ok, from" in done.stdout, "%d: %s %s" % (done.returncode, done.stdout, done.stderr)


def a_blocked_mirror_is_unreachable_and_the_other_is_enough(reader):
    net = reader.site.net
    first, second = reader.site.listed().values()
    net.block(first)
    said = reader.fetch(first + ".onion:80", second + ".onion:80")
    assert [s["reason"] for s in said["sources"]][0] == "unreachable" and said["ok"], said["sources"]
    # The daemon replaces it; the reader learns the new address from the one that is left.
    def others():
        listed = reader.site.listed().values()
        return [] if first in listed else listed
    listed = until("a new address", 120, others, 0.5)
    said = reader.fetch(second + ".onion:80")
    assert {m["onion"] for m in said["mirrors"]} == {a + ".onion" for a in listed}, said["mirrors"]
    assert reader.run("is-mirror", second).startswith("yes:")
    assert not reader.run("is-mirror", first, code=4).startswith("yes:")


def test(net, cases):
    site = om.Site(net, ["north", "south"])
    reader = Reader(site)
    webs = []
    try:
        for name, backend in site.backends.items():
            backend.stop()
            webs.append(Web(name, backend.port, site.dir + "/publish/public/current"))
        site.start()
        site.wait_listed()
        cases.run(the_list_is_fetched_from_two_mirrors_through_tor, reader)
        cases.run(curl_gets_a_page_from_the_mirror_that_pick_prints, reader)
        cases.run(a_blocked_mirror_is_unreachable_and_the_other_is_enough, reader)
    finally:
        for w in webs:
            w.stop()
        reader.close()
        site.close()


if __name__ == "__main__":
    om.main(test)
