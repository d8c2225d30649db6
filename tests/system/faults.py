#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# needs tor
"""What the daemon does about each kind of failure, on a private network of real tor processes: backend,
content, our own side, and sixty mirrors at once."""

import os
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import om
from om import until

FALL = RISE = 2  # as in om.CONF


def since(site, address, start):
    """Probes of an address that began after `start`, oldest first."""
    return [p for p in site.history() if p["address"] == address and not p["direct"] and p["wall"] - p["ms"]["total"] / 1000 > start]


def addresses(site):
    return {o["onion"] for o in site.onions()}


def lists_since(site, start):
    return [(when, onions) for when, _, onions, _ in site.watcher.seen if when > start]


def first_list(site, start, wanted):
    """When the first list since `start` of which `wanted` is true was seen; the watcher may be a moment behind."""
    until("the watcher saw it", 20, lambda: any(wanted(onions) for _, onions in lists_since(site, start)))
    return [when for when, onions in lists_since(site, start) if wanted(onions)][0]


def a_stopped_backend_leaves_the_list_within_fall_and_comes_back_after_rise(site):
    before, known = site.wait_listed(), addresses(site)
    north = before["north"]
    start = time.time()
    site.backends["north"].stop()
    until("north is out of the list", 90, lambda: north not in site.published(), 0.2)
    out = first_list(site, start, lambda onions: north not in onions)
    failed = [p for p in since(site, north, start) if p["wall"] <= out and p["verdict"] not in ("ok", "inconclusive")]
    print("# out %.1f s after the backend stopped, %d probes failed: %s" % (out - start, len(failed), {p["verdict"] for p in failed}))
    assert len(failed) <= FALL, failed
    assert {p["verdict"] for p in failed} == {"refused"}, failed
    back = time.time()
    site.backends["north"].start()
    until("north is back with the same address", 120, lambda: site.listed() == before, 0.3)
    again = first_list(site, back, lambda onions: north in onions)
    good = [p for p in since(site, north, back) if p["wall"] <= again and p["verdict"] == "ok"]
    print("# back %.1f s after it came back, %d probes ok" % (again - back, len(good)))
    assert len(good) >= RISE, good
    assert addresses(site) == known, "no new address helps against a stopped backend"


def defaced_content_leaves_the_list_at_once_and_is_an_alarm(site):
    before, known = site.wait_listed(), addresses(site)
    start = time.time()
    site.backends["south"].body = b"pwned"
    until("south is out of the list", 60, lambda: before["south"] not in site.published(), 0.2)
    alarms = [line for line in site.log().splitlines() if "ALARM" in line and "content" in line and "south" in line]
    assert alarms, site.log_tail()
    print("# out after %.1f s: %s" % (time.time() - start, alarms[0][-120:]))
    assert before["north"] in site.published() and before["east"] in site.published()
    site.backends["south"].body = b"ok"
    until("south is back with the same address", 120, lambda: site.listed() == before, 0.3)
    assert addresses(site) == known


def an_outage_of_ours_changes_nothing_and_is_over_soon_after(site):
    before, known = site.wait_listed(), addresses(site)
    start = time.time()
    states, seen = set(), set()
    site.net.signal_relays(signal.SIGSTOP)
    try:
        while time.time() < start + 90:
            m = site.mirrors()
            states |= {v["state"] for v in m.values()}
            if m and all(v["state"] == "inconclusive" for v in m.values()) and not seen:
                seen.add(time.time() - start)
            time.sleep(0.5)
    finally:
        site.net.signal_relays(signal.SIGCONT)
    over = time.time()
    assert seen, "never inconclusive: %s" % states
    try:
        until("all are up again", 60, lambda: site.listed() == before, 0.3)
    finally:
        verdicts = [p["verdict"] for a in before.values() for p in since(site, a, start) if p["wall"] < over]
        print("# inconclusive after %.1f s, verdicts meanwhile %s, all up %.1f s after it was over" % (
            min(seen), {v: verdicts.count(v) for v in set(verdicts)}, time.time() - over))
    assert all(onions == set(before.values()) for _, onions in lists_since(site, start)), "delisted"
    assert addresses(site) == known, "rotated"
    assert "down" not in states and "rotating" not in states, states
    assert set(verdicts) <= {"ok", "inconclusive"}, "a mirror was blamed for an outage of ours"


def sixty_mirrors_added_at_once_are_all_proved(net, cases):
    backend = om.Backend("shared")
    site = om.Site(net, ["m%02d" % i for i in range(60)], interval="60s", backend=backend)
    start = time.time()
    most = [0, 0]

    def all_listed():
        got = len(site.listed()) if os.path.exists(site.dir + "/run/control.sock") else 0
        if got:
            return True
        onions = site.onions() if os.path.exists(site.dir + "/run/control.sock") else []
        most[0] = max(most[0], sum(o["state"] == "uploading" for o in onions))
        most[1] = max(most[1], sum(o["state"] == "listed" for o in onions))
        return False
    try:
        site.start()
        until("sixty mirrors listed", 240, all_listed, 1)
        listed = site.listed()
        took = time.time() - start
        proved = {p["address"] for p in site.history() if p["verdict"] == "ok" and not p["direct"]}
        failed = [o for o in site.onions() if o["state"] == "failed"]
        print("# 60 listed in %.1f s, at most %d uploading at a time, %d failed attempts" % (took, most[0], len(failed)))
        assert len(listed) == 60 and len(set(listed.values())) == 60
        assert set(listed.values()) <= proved, "listed without a proof"
        assert set(listed.values()) <= om.detached(net)
        until("all in the list", 30, lambda: site.published() == set(listed.values()), 0.5)
        assert most[0] <= 5, "batches of at most 5"
        site.watcher.check()
    except AssertionError:
        print("# %s" % most, [m["state"] for m in site.mirrors().values()])
        shutil.copy(site.dir + "/daemon.log", os.environ.get("KEEP_LOG", "faults-sixty.log"))
        raise
    finally:
        site.close()
        backend.stop()


def test(net, cases):
    # A port without ExtendedErrors: there is less to know from it.
    site = om.Site(net, ["north", "south", "east"], socks="socks-plain")
    try:
        site.start()
        cases.run(a_stopped_backend_leaves_the_list_within_fall_and_comes_back_after_rise, site)
        cases.run(defaced_content_leaves_the_list_at_once_and_is_an_alarm, site)
        cases.run(an_outage_of_ours_changes_nothing_and_is_over_soon_after, site)
        site.watcher.check()
    finally:
        if cases.failed:
            shutil.copy(site.dir + "/daemon.log", os.environ.get("KEEP_LOG", "faults-daemon.log"))
        site.close()
    cases.run(sixty_mirrors_added_at_once_are_all_proved, net, cases)


if __name__ == "__main__":
    om.main(test)
