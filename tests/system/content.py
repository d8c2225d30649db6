#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# needs tor
"""Https mirrors and versions of the content, on a private network of real tor processes."""

import json
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import om
from om import until

MORE = """
check "https" {
  path = "/health"  contains = "ok"  interval = 3s  timeout = 20s  rise = 2  fall = 2
  tls = on  pin-sha256 = "%(pin)s"
}
mirror "secure" { backend = "127.0.0.1:%(secure)d"  port = 443  tor = "main"  check = "https" }
check "versioned" {
  path = "/health"  contains = "ok"  interval = 3s  timeout = 20s  rise = 2  fall = 2
  version-path = "/version"  stale-after = 6s
}
mirror "one"   { backend = "127.0.0.1:%(one)d"    tor = "main"  check = "versioned" }
mirror "two"   { backend = "127.0.0.1:%(two)d"    tor = "main"  check = "versioned" }
mirror "three" { backend = "127.0.0.1:%(three)d"  tor = "main"  check = "versioned"  role = replica }
"""


def make_certificate(path):
    """A self-signed one into `path`, with its key; the pin of the key is returned."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3",
                    "-subj", "/CN=test", "-keyout", path + ".key", "-out", path + ".crt"], check=True, capture_output=True)
    with open(path, "w") as out:
        for part in (".key", ".crt"):
            with open(path + part) as f:
                out.write(f.read())
    # As onionmirror.conf(5) says it.
    return subprocess.run("openssl x509 -in %s.crt -noout -pubkey | openssl pkey -pubin -outform der | sha256sum" % path, shell=True,
                          check=True, capture_output=True, text=True).stdout.split()[0]


def urls(site):
    seen = json.loads(site.cli("verify", "--site", site.id, "--json", site.dir + "/publish/public/current").stdout)
    return {m["onion"]: m["url"] for m in seen["mirrors"]}


def an_https_mirror_is_proved_through_tls_and_listed_as_one(site):
    onion = site.wait_listed()["secure"]
    host = onion if onion.endswith(".onion") else onion + ".onion"
    assert urls(site)[host] == "https://%s/" % host, urls(site)


def another_certificate_than_the_pinned_one_takes_it_out_of_the_list(site, backend):
    onion = site.wait_listed()["secure"]
    backend.stop()
    pinned = backend.tls
    backend.tls = pinned + ".other"
    start = time.time()
    backend.start()
    until("it is out of the list", 60, lambda: onion not in site.published(), 0.2)
    failed = [p for p in site.history() if p["address"] == onion and not p["direct"] and p["wall"] >= start and p["verdict"] != "ok"]
    print("# out after %.1f s: %s: %s" % (time.time() - start, failed[0]["verdict"], failed[0]["detail"]))
    assert "tls" in {p["verdict"] for p in failed} and "pinned" in failed[-1]["detail"], failed
    backend.stop()
    backend.tls = pinned
    backend.start()
    until("it is back with the same address", 90, lambda: site.listed().get("secure") == onion and onion in site.published(), 0.3)


def a_mirror_with_old_content_leaves_the_list_after_a_while_and_a_replica_stays(site, backends):
    before = site.wait_listed()
    start = time.time()
    backends["two"].version = backends["three"].version = 8
    until("one is out of the list", 60, lambda: before["one"] not in site.published(), 0.2)
    took = time.time() - start
    stale = [p for p in site.history() if p["address"] == before["one"] and p["verdict"] == "stale"]
    print("# out after %.1f s: %s" % (took, stale[0]["detail"]))
    assert took >= 6 and stale[0]["detail"] == "version 7 of the content, the others have 8", stale
    backends["one"].version = 8
    until("it is back with the same address", 60, lambda: before["one"] in site.published() and site.listed() == before, 0.3)
    backends["one"].version = backends["two"].version = 9
    until("the replica is marked", 60, lambda: site.mirrors()["three"].get("stale"), 0.3)
    time_out = time.time() + 10  # longer than stale-after: it must stay
    while time.time() < time_out:
        assert before["three"] in site.published(), "a replica was delisted for old content"
        time.sleep(0.2)


def one_mirror_alone_makes_no_other_look_old(site, backends):
    before = site.wait_listed()
    backends["three"].version = 9
    start = time.time()
    until("nobody is behind", 30, lambda: not any(m.get("stale") for m in site.mirrors().values()), 0.3)
    backends["three"].version = 10 ** 15
    until("it was probed since", 60, lambda: [p for p in site.history() if p.get("version") == 10 ** 15 and p["wall"] > start], 0.5)
    until("so were the others", 60, lambda: all([p for p in site.history() if p["address"] == before[n] and not p["direct"] and
                                                 p["wall"] > time.time() - 8] for n in ("one", "two")), 0.5)
    assert not [p for p in site.history() if p["verdict"] == "stale" and p["wall"] > start + 10], site.history()[-6:]
    assert site.published() == set(before.values())


def test(net, cases):
    folder = net.folder
    pin = make_certificate(folder + "/web.pem")
    make_certificate(folder + "/web.pem.other")
    secure = om.Backend("secure", tls=folder + "/web.pem")
    backends = {name: om.Backend(name) for name in ("one", "two", "three")}
    for b in backends.values():
        b.version = 7
    more = MORE % dict({name: b.port for name, b in backends.items()}, pin=pin, secure=secure.port)
    site = om.Site(net, ["north"], more=more)
    try:
        site.start()
        cases.run(an_https_mirror_is_proved_through_tls_and_listed_as_one, site)
        cases.run(another_certificate_than_the_pinned_one_takes_it_out_of_the_list, site, secure)
        cases.run(a_mirror_with_old_content_leaves_the_list_after_a_while_and_a_replica_stays, site, backends)
        cases.run(one_mirror_alone_makes_no_other_look_old, site, backends)
        site.watcher.check()
    finally:
        if cases.failed:
            print(site.log_tail(60))
        site.close()
        for b in [secure, *backends.values()]:
            b.stop()


if __name__ == "__main__":
    om.main(test)
