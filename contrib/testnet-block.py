#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes one onion of a testnet unreachable, the way a takedown looks from outside.

usage: testnet-block.py DIR TOR ADDRESS

A second controller of the tor that hosts the onion: it closes every introduction and rendezvous
circuit of that onion as soon as the circuit is known to belong to it. Backend, descriptors and all
other onions are left alone. Prints a line per circuit, and "ready" when readers are shut out.
Runs until it is killed; connects again when tor has been restarted. Meant for contrib/testnet only.
"""
import hashlib
import hmac
import os
import re
import select
import socket
import sys
import time

# What tor makes of a young circuit when it is told to close it: it is still open at the far end,
# where readers are let in, until it has been closed once more.
TESTING = "PATH_BIAS_TESTING"
PURPOSES = ("HS_SERVICE_INTRO", "HS_SERVICE_REND", TESTING)
CONTROLLER_KEY = b"Tor safe cookie authentication controller-to-server hash"
OPEN = ("HSSI_ESTABLISHED", "HSSR_JOINED")
# Seconds without a closing until "ready": by then tor has used up its attempts, and the last closing
# has reached its introduction point. A reader who comes before that may still be let in there, and
# then waits for the onion in vain until his own deadline.
SETTLE = 1.5


class Controller:
    """A control connection: commands are written, lines are read one by one."""

    def __init__(self, directory):
        self.buffer = b""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.path.join(directory, "control"))
        nonce = os.urandom(32)
        self.send("AUTHCHALLENGE SAFECOOKIE " + nonce.hex())
        answer = re.search("SERVERNONCE=([0-9A-F]{64})", self.line())
        if not answer:
            raise OSError("no AUTHCHALLENGE answer")
        with open(os.path.join(directory, "control.authcookie"), "rb") as file:
            message = file.read() + nonce + bytes.fromhex(answer.group(1))
        self.send("AUTHENTICATE " + hmac.new(CONTROLLER_KEY, message, hashlib.sha256).hexdigest())
        if self.line() != "250 OK":
            raise OSError("authentication refused")

    def send(self, command):
        self.sock.sendall(command.encode("ascii") + b"\r\n")

    def line(self, timeout=None):
        """The next line, or None after `timeout` seconds without one."""
        while b"\n" not in self.buffer:
            if not select.select([self.sock], [], [], timeout)[0]:
                return None
            part = self.sock.recv(65536)
            if not part:
                raise OSError("control connection closed")
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\n", 1)
        return text.decode("latin-1").rstrip("\r")


def block(directory, address, announce):
    """Closes circuits of the address until the connection breaks (OSError)."""
    control = Controller(directory)
    control.send("SETEVENTS CIRC CIRC_MINOR")
    control.send("GETINFO circuit-status")
    closed = set()
    last = time.monotonic()
    while True:
        line = control.line(0.2 if announce else None)
        if announce and time.monotonic() - last > SETTLE:
            print("ready", flush=True)
            announce = False
        # An event, or a line of circuit-status: "250-circuit-status=ID STATUS ..." if there is one
        # circuit, else bare lines "ID STATUS ...".
        found = re.match(r"(650 CIRC(?:_MINOR)? |250-circuit-status=|)(\d+ [A-Z].*)", line or "")
        if not found:
            continue
        words = found.group(2).split()
        number, status = words[0], words[1]
        keys = dict(word.split("=", 1) for word in words[2:] if "=" in word)
        # Only finished circuits: tor takes half a dozen that end before for an outage, and then
        # makes no circuits for anybody for up to a minute.
        purpose = keys.get("PURPOSE")
        if purpose not in PURPOSES or keys.get("REND_QUERY") != address:
            continue
        finished = status == "BUILT" or keys.get("HS_STATE") in OPEN or purpose == TESTING
        if finished and (number, purpose) not in closed:
            closed.add((number, purpose))
            control.send("CLOSECIRCUIT " + number)
            last = time.monotonic()
            print("%.3f closed %s %s" % (time.time(), number, purpose), flush=True)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    directory = os.path.join(sys.argv[1], sys.argv[2])
    announce = True
    while True:
        try:
            block(directory, sys.argv[3], announce)
        except OSError as error:
            print("%.3f %s" % (time.time(), error), flush=True)
            if announce:
                sys.exit(1)
            time.sleep(0.2)


if __name__ == "__main__":
    main()
