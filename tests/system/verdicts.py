#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# needs tor
"""What probes say of real onions in every kind of trouble: the same through a SOCKS port with
ExtendedErrors and through a plain one, as Debian's."""

import base64
import json
import os
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import om
from om import until

PORTS = ("socks", "socks-plain")


def command(net, name, *words):
    folder = os.path.join(net.folder, name)
    done = subprocess.run([om.BUILD + "/tests/system/probe", folder + "/control", folder + "/control.authcookie", *words],
                          capture_output=True, text=True, timeout=240)
    assert done.returncode in (0, 1) and "ERROR" not in done.stderr, done.stderr
    return done.stdout.splitlines()


def probe(net, *what, timeout=20, port=80, fresh=False):
    """One result for each (SOCKS port, address), all at once, through the reader's tor."""
    lines = command(net, "reader", str(timeout * 1000),
                    *("%s%s/reader/%s,%s,%d" % ("fresh:" if fresh else "", net.folder, socks, address, port)
                      for socks, address in what))
    assert len(lines) == len(what), lines
    return [json.loads(line) for line in lines]


class Onions:
    """Services of the host's tor, each in another condition."""

    def __init__(self, net):
        self.net = net
        self.host = om.Controller(net)
        self.backend = om.Backend("web")
        self.silent_backend = socket.socket()
        self.silent_backend.bind(("127.0.0.1", 0))
        self.silent_backend.listen(50)
        self.well = self.add(self.backend.port)
        self.other = self.add(self.backend.port)
        self.stopped = self.add(1)
        self.silent = self.add(self.silent_backend.getsockname()[1])
        self.gone = self.add(self.backend.port)
        self.held = self.add(self.silent_backend.getsockname()[1])
        # Any 32 bytes are a public key; nobody has the private one.
        public = base64.b32encode(bytes([9]) + os.urandom(30) + bytes([1])).decode().rstrip("=")
        self.locked = self.add(self.backend.port, "DiscardPK,Detach,V3Auth", "ClientAuthV3=" + public)
        self.unpublished = self.add(9, "DiscardPK")
        self.host.ask("DEL_ONION " + self.unpublished)
        self.bad = ("b" if self.well[0] == "a" else "a") + self.well[1:]

    def add(self, port, flags="DiscardPK,Detach", more=""):
        command_line = "ADD_ONION NEW:ED25519-V3 Flags=%s Port=80,127.0.0.1:%d %s" % (flags, port, more)
        return self.host.ask(command_line.strip())[0].split("=")[1]

    def end(self):
        self.host.close()
        self.silent_backend.close()
        self.backend.stop()


def both(onions, address, want, **more):
    """The same verdict through both ports, one after the other."""
    for socks in PORTS:
        got = probe(onions.net, (socks, address), **more)[0]
        print("# %-11s %02x %s (%s) in %d ms" % (socks, got["socks"] & 255, got["verdict"], got["detail"], got["total"]))
        assert got["verdict"] == want, got


def a_well_onion_is_ok_and_shows_each_phase(onions):
    until("an answer", 60, lambda: om.answers(onions.net, onions.other, timeout=20))
    for socks in PORTS:
        until("ok through " + socks, 60, lambda s=socks: probe(onions.net, (s, onions.well))[0]["verdict"] == "ok")
        got = probe(onions.net, (socks, onions.well))[0]
        print("# %s: introduction %d, rendezvous %d, circuit %d, first byte %d, total %d ms" % (
            socks, got["introduction"], got["rendezvous"], got["circuit"], got["first_byte"], got["total"]))
        assert got["verdict"] == "ok" and got["descriptor"] == 0, got
        assert 0 < got["introduction"] and 0 < got["rendezvous"] <= got["circuit"] <= got["first_byte"] <= got["total"], got


def a_descriptor_fetched_anew_takes_its_time(onions):
    time.sleep(5)  # tor asks no HSDir again before, in a testing network
    for socks in PORTS:
        got = probe(onions.net, (socks, onions.well), fresh=True)[0]
        assert got["verdict"] == "ok" and got["descriptor"] > 0, got


def a_stopped_backend_is_refused(onions):
    both(onions, onions.stopped, "refused")


def a_virtual_port_that_is_not_mapped_is_refused(onions):
    both(onions, onions.well, "refused", port=81)


def a_silent_backend_is_a_timeout(onions):
    both(onions, onions.silent, "timeout", timeout=4)


def an_address_never_published_has_no_descriptor(onions):
    both(onions, onions.unpublished, "no-descriptor")
    # All HSDirs have been asked now: on the real network tor answers without asking for 15 min.
    both(onions, onions.unpublished, "no-descriptor")
    got = probe(onions.net, ("socks", onions.unpublished), fresh=True)[0]
    assert got["verdict"] == "no-descriptor", got


def a_mistyped_address_is_bad(onions):
    both(onions, onions.bad, "bad-address")


def an_onion_for_others_asks_for_client_authorization(onions):
    both(onions, onions.locked, "client-auth")
    both(onions, onions.locked, "client-auth")


def a_service_that_is_gone_fails_at_its_introduction_points(onions):
    until("its descriptor in the reader's cache", 60, lambda: probe(onions.net, ("socks", onions.gone))[0]["verdict"] == "ok", 1)
    # Blocked too: tor keeps young circuits open after DEL_ONION to test its guard, and an introduction
    # point that does not know yet passes readers on to nobody.
    onions.net.block(onions.gone)
    both(onions, onions.gone, "intro")
    onions.host.ask("DEL_ONION " + onions.gone)
    both(onions, onions.gone, "intro")


def probes_at_the_same_time_are_not_mixed_up(onions):
    what = {onions.well: "ok", onions.other: "ok", onions.stopped: "refused", onions.silent: "timeout", onions.locked: "client-auth",
            onions.bad: "bad-address", onions.unpublished: "no-descriptor", onions.gone: "intro"}
    pairs = [(socks, address) for address in what for socks in PORTS] + [("socks-plain", onions.well)] * 3
    for (socks, address), got in zip(pairs, probe(onions.net, *pairs, timeout=15)):
        assert got["verdict"] == what[address], (socks, address, what[address], got)


def no_circuit_of_a_probe_is_left(onions):
    reader = om.Controller(onions.net, "reader")
    # Others were read from by this test too, with circuits of its own.
    probed = (onions.well, onions.stopped, onions.silent, onions.locked, onions.unpublished)

    def left():
        return [line for line in reader.ask("GETINFO circuit-status") if any("REND_QUERY=" + a in line for a in probed)
                and "PURPOSE=CIRCUIT_PADDING" not in line]
    try:
        until("no client circuit of a service", 30, lambda: not left(), 1)
    except AssertionError as e:
        raise AssertionError("%s; %s" % (e, left()))
    finally:
        reader.close()


def hold(net, address, name):
    """A connection through the reader's tor on a circuit of its own, open until it is closed."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(net.reader)
    s.sendall(b"\5\1\2")
    s.recv(2)
    s.sendall(b"\1" + bytes([len(name)]) + name.encode() + b"\1x")
    s.recv(2)
    host = (address + ".onion").encode()
    s.sendall(b"\5\1\0\3" + bytes([len(host)]) + host + b"\0\x50")
    assert s.recv(64)[1] == 0
    return s


def the_clients_of_a_service_are_counted(onions):
    count = lambda: int(command(onions.net, "host", "clients", onions.held)[0])
    assert count() == 0
    held = [hold(onions.net, onions.held, name) for name in ("held1", "held2", "held3")]
    until("three clients", 10, lambda: count() == 3)
    reader = om.Controller(onions.net, "reader")
    for line in reader.ask("GETINFO circuit-status"):
        if "PURPOSE=HS_CLIENT_REND" in line and ("held1" in line or "held2" in line):
            reader.ask("CLOSECIRCUIT " + line.split()[0])
    reader.close()
    # The number is an upper bound: the far end of a circuit may outlive its client for a while.
    until("fewer clients", 30, lambda: 1 <= count() < 3)
    for s in held:
        s.close()


def test(net, cases):
    onions = Onions(net)
    try:
        cases.run(a_well_onion_is_ok_and_shows_each_phase, onions)
        cases.run(a_stopped_backend_is_refused, onions)
        cases.run(a_virtual_port_that_is_not_mapped_is_refused, onions)
        cases.run(a_silent_backend_is_a_timeout, onions)
        cases.run(an_address_never_published_has_no_descriptor, onions)
        cases.run(a_mistyped_address_is_bad, onions)
        cases.run(an_onion_for_others_asks_for_client_authorization, onions)
        cases.run(a_service_that_is_gone_fails_at_its_introduction_points, onions)
        cases.run(a_descriptor_fetched_anew_takes_its_time, onions)
        cases.run(probes_at_the_same_time_are_not_mixed_up, onions)
        cases.run(no_circuit_of_a_probe_is_left, onions)
        cases.run(the_clients_of_a_service_are_counted, onions)
    finally:
        onions.end()


if __name__ == "__main__":
    om.main(test)
