#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# needs tor
"""The promises of the daemon, on a private network of real tor processes."""

import json
import os
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import om
from om import proved_when_listed, until


def three_mirrors_are_created_proved_and_listed(site):
    site.start()
    listed = site.wait_listed()
    assert site.published() == set(listed.values())
    for name, address in listed.items():
        until("%s answers through another tor" % name, 60, lambda a=address: om.answers(site.net, a))


def stock_minisign_accepts_every_signature(site):
    folder = site.dir + "/publish/public/current"
    pub = [f for f in os.listdir(folder) if f.endswith(".pub")]
    assert pub, "no public key file beside the list"
    for doc in ("head.json", "mirrors.txt"):
        subprocess.run(["minisign", "-V", "-H", "-p", folder + "/" + pub[0], "-m", folder + "/" + doc], check=True,
                       stdout=subprocess.DEVNULL)
    root = subprocess.run(["minisign", "-V", "-H", "-p", site.dir + "/keys/root-1.pub", "-m", folder + "/1.root.json",
                           "-x", folder + "/1.root.json.1.minisig"], stdout=subprocess.DEVNULL)
    assert root.returncode == 0, "minisign refuses 1.root.json"


def rotate_wait_shows_every_step(site):
    before = site.listed()["north"]
    out = site.cli("rotate", "north", "--wait").stdout
    for word in ("created", "of 16", "proved", "listed"):
        assert word in out, "no \"%s\" in: %s" % (word, out)
    after = site.wait_listed()["north"]
    assert after != before
    return before


def a_rotated_onion_answers_until_its_drain_is_over_then_is_gone(site):
    start = time.time()
    old = rotate_wait_shows_every_step(site)
    assert om.answers(site.net, old), "the retired address must go on answering"
    assert old not in site.published()
    record = lambda: [o for o in site.onions() if o["onion"].startswith(old)]
    assert record()[0]["state"] == "leaving"
    om.hang_up(site.net, old)  # else its own client keeps it
    until("DEL_ONION of the retired onion", 60, lambda: old not in om.detached(site.net), 0.5)
    assert time.time() - start >= 24, "gone before the drain of 25 s was over"
    until("its end in the store", 20, lambda: record()[0]["state"] == "gone", 0.3)
    assert record()[0]["key"] is False, "its key must be gone from the store"


def kill_9_tor_and_the_same_addresses_answer_again(site):
    before = site.listed()
    site.net.kill_host()
    until("the loss of tor is noticed", 30, lambda: not site.listed(), 0.2)
    site.net.start_host()
    until("same addresses up again", 120, lambda: site.listed() == before, 0.5)
    for a in before.values():
        until("answers again", 90, lambda a=a: om.answers(site.net, a))
    proved_when_listed(site)


def an_onion_deleted_by_another_controller_is_put_back(site):
    address = site.wait_listed()["south"]
    c = om.Controller(site.net)
    c.ask("DEL_ONION " + address)
    c.close()
    until("put back within 60 s", 60, lambda: address in om.detached(site.net), 0.3)
    until("up again", 90, lambda: site.listed().get("south") == address, 0.5)


def a_foreign_detached_onion_is_untouched(site, foreign):
    assert foreign in om.detached(site.net)
    assert foreign not in site.published()
    assert all(not o["onion"].startswith(foreign) for o in site.onions())


def kill_9_the_daemon_at_twenty_moments_of_a_rotation(site, foreign, rng):
    for i in range(20):
        before = site.wait_listed(120)
        names = rng.sample(sorted(before), rng.choice((1, 2)))
        for n in names:
            site.cli("rotate", n, check=False)
        time.sleep(rng.uniform(0, 3))  # the moment is the test's free choice, not a wait
        site.kill()
        site.start()
    listed = site.wait_listed(120)
    until("no rotation under way", 120, lambda: all(o["state"] in ("listed", "gone", "failed", "leaving")
                                                    for o in site.onions()), 0.5)
    listed = site.wait_listed()
    # Orphans: whatever tor serves is ours and known, or foreign.
    known = {o["onion"].replace(".onion", "") for o in site.onions() if o["state"] in ("listed", "leaving")}
    until("no orphan onion in tor", 60, lambda: om.detached(site.net) - {foreign} <= {
        o["onion"].replace(".onion", "") for o in site.onions() if o["state"] in ("listed", "leaving")}, 0.5)
    assert all(o["key"] for o in site.onions() if o["state"] == "listed"), "a listed onion without a key"
    assert site.published() == set(listed.values()), known
    proved_when_listed(site)


def a_blocked_address_is_replaced_by_itself(site):
    before = site.wait_listed()
    victim = before["east"]
    site.net.block(victim)
    try:
        until("a new address for east", 180, lambda: site.listed().get("east") not in (None, victim), 0.5)
        assert victim not in site.published()
        after = site.wait_listed()
        assert after["north"] == before["north"] and after["south"] == before["south"]
        until("the new one answers", 60, lambda: om.answers(site.net, after["east"]))
    finally:
        site.net.unblock(victim)


def sigterm_ends_in_order_and_the_onions_stay(site):
    listed = site.wait_listed()
    start = time.monotonic()
    site.stop()
    assert time.monotonic() - start < 5, "SIGTERM must end within 5 s"
    assert set(listed.values()) <= om.detached(site.net)
    assert not os.path.exists(site.dir + "/run/control.sock")
    site.start()
    assert site.wait_listed() == listed


def test(net, cases):
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print("# seed %d" % seed, flush=True)
    rng = random.Random(seed)
    c = om.Controller(net)
    foreign = c.ask("ADD_ONION NEW:ED25519-V3 Flags=DiscardPK,Detach Port=80,127.0.0.1:9")[0].split("=")[1]
    c.close()
    site = om.Site(net, ["north", "south", "east"])
    try:
        cases.run(three_mirrors_are_created_proved_and_listed, site)
        cases.run(stock_minisign_accepts_every_signature, site)
        cases.run(a_rotated_onion_answers_until_its_drain_is_over_then_is_gone, site)
        cases.run(an_onion_deleted_by_another_controller_is_put_back, site)
        cases.run(kill_9_tor_and_the_same_addresses_answer_again, site)
        # A new tor has lost the foreign onion as well.
        c = om.Controller(net)
        foreign = c.ask("ADD_ONION NEW:ED25519-V3 Flags=DiscardPK,Detach Port=80,127.0.0.1:9")[0].split("=")[1]
        c.close()
        cases.run(kill_9_the_daemon_at_twenty_moments_of_a_rotation, site, foreign, rng)
        cases.run(a_blocked_address_is_replaced_by_itself, site)
        cases.run(a_foreign_detached_onion_is_untouched, site, foreign)
        cases.run(sigterm_ends_in_order_and_the_onions_stay, site)
        cases.run(proved_when_listed, site)
    finally:
        if cases.failed:
            shutil.copy(site.dir + "/daemon.log", os.environ.get("KEEP_LOG", "realtor-daemon.log"))
        site.close()


if __name__ == "__main__":
    om.main(test)
