#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The private network itself: that it answers, and that a block is what a takedown looks like."""
import os
import subprocess
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402


def fails(socks, address):
    """Seconds that a fresh fetch took to fail, and the SOCKS reply; None if it worked."""
    began = time.monotonic()
    try:
        harness.fetch(socks, address, timeout=125)
    except harness.SocksError as error:
        return time.monotonic() - began, error.code
    return None


def status(net):
    """What `testnet status` prints; fails unless every tor is at 100 %."""
    return subprocess.run([harness.TESTNET, "status", net.path], capture_output=True, text=True,
                          check=True).stdout


def run(net, cases, host, backend):
    with cases.case("testnet: every tor is at 100 %"):
        net.run("status")
    with cases.case("testnet: a second start in the same directory is refused"):
        again = subprocess.run([harness.TESTNET, "start", net.path], capture_output=True, text=True)
        assert again.returncode == 1 and "stop" in again.stderr, again.stderr
    with cases.case("testnet: a directory too long for unix sockets is refused"):
        long = subprocess.run([harness.TESTNET, "start", "/tmp/" + "x" * 100],
                              capture_output=True, text=True)
        assert long.returncode == 1 and "107 characters" in long.stderr, long.stderr

    target = host.add_onion(backend.target)
    other = host.add_onion(backend.target)
    with cases.case("testnet: a new onion answers through another tor"):
        for address in (target, other):
            assert harness.fetch_until(net.socks(), address) == (200, b"hello\n")
    with cases.case("testnet: a blocked onion fails for fresh credentials at once"):
        net.run("block", target)
        for socks, want in ((net.socks(), 0xF2), (net.socks("host"), 0xF2),
                            (net.socks(plain=True), 0x04)):
            result = fails(socks, target)
            assert result is not None, "a fetch through %s worked" % socks
            harness.note("%s: SOCKS %02X after %.2f s" % (socks, result[1], result[0]))
            assert result[1] == want and result[0] < 30, result
    with cases.case("testnet: a block lasts"):
        for _ in range(5):
            assert fails(net.socks(), target) is not None
    with cases.case("testnet: a block leaves the other onion and the backend alone"):
        assert harness.fetch(net.socks(), other) == (200, b"hello\n")
        with urllib.request.urlopen("http://%s/" % backend.target) as answer:
            assert answer.read() == b"hello\n"
        assert target in host.onions()
    with cases.case("testnet: a tor is back after a crash, without its onions"):
        net.run("kill", "host")
        net.run("up", "host")
        with net.controller() as again:
            assert not again.onions()
    with cases.case("testnet: unblock ends the block"):
        assert target in status(net)
        net.run("unblock", target)
        assert "blocked" not in status(net)


def main():
    with harness.network() as net, harness.Cases() as cases:
        with net.controller() as host, harness.Backend({"/": "hello\n"}) as backend:
            run(net, cases, host, backend)
    return cases.exit_code()


if __name__ == "__main__":
    sys.exit(main())
