#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# needs tor
"""The page as people see it: a real Chromium loads it from an onion, through the second tor of
the private network. Pictures of it are left in the build folder."""

import json
import os
import re
import shutil
import struct
import sys
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import cdp
import om
from om import BUILD, until

PORT = 8008


class Visit:
    """A page once loaded, in a browser of its own; every request is in the network log afterwards."""

    def __init__(self, net, url):
        with open(net.folder + "/reader/socks-port") as f:
            self.proxy = "127.0.0.1:%d" % int(f.read())
        self.browser = cdp.Browser(self.proxy)
        self.browser.load(url, 120)


def the_page_is_served_by_an_onion(site, address):
    def served():
        try:
            return om.fetch(site.net.reader, address, "/", port=PORT)[0] == 200
        except OSError:
            return False

    until("the list port of an onion", 60, served)
    status, text = om.fetch(site.net.reader, address, "/self.json", port=PORT)
    assert status == 200 and json.loads(text)["onion"] == address + ".onion"


def it_shows_the_addresses_and_the_site_id(site, visit):
    b = visit.browser
    text = b.value("document.body.innerText")
    for onion in site.published():
        assert "http://%s.onion/" % onion in text
    assert site.id in text and b.value("document.title") == "Mirrors of test"
    shown = b.value("[...document.querySelectorAll('li a')].map(a => a.firstChild.childNodes.length + ' ' + a.firstChild.innerText)")
    assert len(shown) == 3 and all(re.fullmatch(r"1 http://[a-z2-7]{56}\.onion/", s) for s in shown), "an address is one text node: %s" % shown


def the_picture_is_whole(site, visit):
    size = visit.browser.value("[...document.images].map(i => i.complete + ' ' + i.naturalWidth + ' ' + i.naturalHeight)")
    if not os.path.exists(site.dir + "/publish/public/current/site.png"):
        assert size == [], "built without libqrencode"
        return
    assert size == ["true 328 328"], size
    with open(site.dir + "/publish/public/current/site.png", "rb") as f:
        data = f.read()
    at, kinds = 8, []
    while at < len(data):
        n, kind = struct.unpack(">I4s", data[at:at + 8])
        assert zlib.crc32(data[at + 4:at + 8 + n]) == struct.unpack(">I", data[at + 8 + n:at + 12 + n])[0]
        if kind == b"IDAT":
            assert len(zlib.decompress(data[at + 8:at + 8 + n])) == 328 * (328 // 8 + 1)
        kinds.append(kind)
        at += 12 + n
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]


def it_fits_a_phone_and_a_desk_by_day_and_by_night(site, visit):
    b, seen = visit.browser, set()
    for width in (360, 1000):
        for dark in (False, True):
            b.screen("%s/list-page-%d-%s.png" % (BUILD, width, "dark" if dark else "light"), width, dark)
            assert b.value("document.documentElement.scrollWidth") == width, "it must not scroll sideways"
            seen.add(b.value("getComputedStyle(document.body).backgroundColor"))
            ink, ground = (b.value("getComputedStyle(document.body).%s" % n) for n in ("color", "backgroundColor"))
            assert contrast(ink, ground) > 7, (ink, ground)
    assert len(seen) == 2, "the style was refused, or is the same by night: %s" % seen


def contrast(a, b):
    """WCAG 2.2: 7 and more is level AAA."""
    def light(colour):
        parts = [int(x) / 255 for x in re.findall(r"\d+", colour)[:3]]
        parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(a), light(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def a_script_would_not_run(site, visit):
    """That the policy holds, and that a breach of it would be seen in the next test."""
    b = visit.browser
    before = len(b.of("Log.entryAdded"))
    b.value("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    b.value("document.body.append(Object.assign(new Image(), {src: 'data:image/gif;base64,R0lGODlhAQABAAAAACw='}))")
    assert b.value("window.ran") is None
    until("two complaints", 10, lambda: b.value("1") and len(b.of("Log.entryAdded")) - before >= 2)


def there_is_no_error_and_no_request_to_anywhere_else(site, visit, address):
    b = visit.browser
    origin = "http://%s.onion:%d" % (address, PORT)
    errors = [e["entry"] for e in b.of("Log.entryAdded")] + b.of("Runtime.exceptionThrown") + b.of("Runtime.consoleAPICalled")
    assert errors == [], errors
    urls = {p["request"]["url"] for p in b.of("Network.requestWillBeSent")}
    assert urls and urls <= {origin + "/", origin + "/site.png"}, urls
    statuses = {p["response"]["url"]: p["response"]["status"] for p in b.of("Network.responseReceived")}
    assert set(statuses.values()) == {200}, statuses
    headers = next(p["response"]["headers"] for p in b.of("Network.responseReceived") if p["response"]["url"] == origin + "/")
    assert "Date" not in headers and "Server" not in headers, headers
    log = b.close()
    names = {v: k for k, v in log["constants"]["logEventTypes"].items()}
    asked, reached = set(), set()
    for e in log["events"]:
        kind, params = names.get(e["type"], ""), e.get("params", {})
        # Not what the browser asks its maker by itself; what a page causes bears the page's origin or isolation key.
        by_page = origin in params.get("initiator", "") or address in params.get("network_isolation_key", "")
        if kind == "URL_REQUEST_START_JOB" and by_page:
            asked.add(params["url"])
        if kind == "TCP_CONNECT_ATTEMPT" and params.get("address"):
            reached.add(params["address"])
        assert kind != "UDP_BYTES_SENT", "a datagram was sent"
    assert origin + "/" in asked and all(u.startswith(origin + "/") for u in asked), asked
    assert visit.proxy in reached and reached <= {visit.proxy, "127.0.0.1:1"}, "it connected to %s" % reached


def test(net, cases):
    if shutil.which("chromium") is None:
        print("skip browser: chromium is not installed")
        return
    site = om.Site(net, ("north", "south", "east"), more='list-service {\n  port = %d\n  sockets = "%%(dir)s/list"\n}\n' % PORT)
    visits = []
    try:
        site.start()
        address = site.wait_listed()["north"]
        cases.run(the_page_is_served_by_an_onion, site, address)
        for _ in range(2):
            visits.append(Visit(net, "http://%s.onion:%d/" % (address, PORT)))
        cases.run(it_shows_the_addresses_and_the_site_id, site, visits[0])
        cases.run(the_picture_is_whole, site, visits[0])
        cases.run(it_fits_a_phone_and_a_desk_by_day_and_by_night, site, visits[0])
        cases.run(a_script_would_not_run, site, visits[1])
        cases.run(there_is_no_error_and_no_request_to_anywhere_else, site, visits[0], address)
    finally:
        for v in visits:
            v.browser.close()
        site.close()


if __name__ == "__main__":
    om.main(test)
