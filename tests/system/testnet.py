#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# needs tor
"""The private network itself: that it answers, and that a block is what a takedown looks like."""

import os
import subprocess
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import om
from om import until


def testnet(*words):
    return subprocess.run([om.TESTNET, *words], capture_output=True, text=True)


def add_onion(net, backend):
    controller = om.Controller(net)
    try:
        reply = controller.ask("ADD_ONION NEW:ED25519-V3 Flags=DiscardPK,Detach Port=80,127.0.0.1:%d" % backend.port)
    finally:
        controller.close()
    return reply[0].split("=")[1]


def failure(socks, address):
    """(SOCKS reply, seconds) of a fetch with fresh credentials, which has to fail."""
    began = time.monotonic()
    try:
        om.fetch(socks, address, timeout=60)
    except OSError as error:
        return str(error), time.monotonic() - began
    raise AssertionError("a fetch through %s worked" % socks)


class Onions:
    """Two onions of the same backend; the first one gets blocked."""

    def __init__(self, net):
        self.net = net
        self.backend = om.Backend("web")
        self.target = add_onion(net, self.backend)
        self.other = add_onion(net, self.backend)


def every_tor_of_the_network_is_at_100_percent(net):
    status = testnet("status", net.folder)
    assert status.returncode == 0 and status.stdout.count("100 %") == 10, status.stdout


def a_second_start_in_the_same_directory_is_refused(net):
    again = testnet("start", net.folder)
    assert again.returncode == 1 and "stop" in again.stderr, again.stderr


def a_directory_too_long_for_unix_sockets_is_refused(_net):
    again = testnet("start", "/tmp/" + "x" * 100)
    assert again.returncode == 1 and "107 characters" in again.stderr, again.stderr


def new_onions_answer_through_another_tor(onions):
    for address in (onions.target, onions.other):
        until("an answer of " + address, 60, lambda a=address: om.answers(onions.net, a, timeout=20))


def a_blocked_onion_fails_for_fresh_credentials(onions):
    net = onions.net
    net.block(onions.target)
    for socks, want in ((net.reader, "f2"), (net.socks, "f2"), (net.socks + "-plain", "04")):
        reply, seconds = failure(socks, onions.target)
        print("# %s after %.2f s: %s" % (reply, seconds, socks))
        assert reply.endswith(" " + want) and seconds < 30, reply


def a_block_lasts(onions):
    for _ in range(5):
        failure(onions.net.reader, onions.target)


def a_block_leaves_the_rest_alone(onions):
    assert om.answers(onions.net, onions.other)
    with urllib.request.urlopen("http://127.0.0.1:%d/health" % onions.backend.port) as answer:
        assert b"ok" in answer.read()
    assert {onions.target, onions.other} <= om.detached(onions.net)


def a_tor_is_back_after_a_crash_without_its_onions(onions):
    onions.net.kill_host()
    onions.net.start_host()
    assert not om.detached(onions.net)


def unblock_ends_the_block(onions):
    folder = onions.net.folder
    assert onions.target in testnet("status", folder).stdout
    onions.net.unblock(onions.target)
    assert "blocked" not in testnet("status", folder).stdout


def test(net, cases):
    cases.run(every_tor_of_the_network_is_at_100_percent, net)
    cases.run(a_second_start_in_the_same_directory_is_refused, net)
    cases.run(a_directory_too_long_for_unix_sockets_is_refused, net)
    onions = Onions(net)
    try:
        cases.run(new_onions_answer_through_another_tor, onions)
        cases.run(a_blocked_onion_fails_for_fresh_credentials, onions)
        cases.run(a_block_lasts, onions)
        cases.run(a_block_leaves_the_rest_alone, onions)
        cases.run(a_tor_is_back_after_a_crash_without_its_onions, onions)
        cases.run(unblock_ends_the_block, onions)
    finally:
        onions.backend.stop()


if __name__ == "__main__":
    om.main(test)
