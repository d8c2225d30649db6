#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes one onion of a testnet unreachable, the way a takedown looks from outside.

usage: testnet-block.py DIR TOR ADDRESS

A second controller of the tor that hosts the onion: it closes every introduction and rendezvous
circuit of that onion as soon as the circuit is known to belong to it. Backend, descriptors and all
other onions are left alone. Prints "ready" once no such circuit is left, then one line per circuit.
Runs until it is killed; connects again when tor has been restarted. Meant for contrib/testnet only.
"""
import hashlib
import hmac
import os
import re
import socket
import sys
import time

PURPOSES = ("HS_SERVICE_INTRO", "HS_SERVICE_REND")
CONTROLLER_KEY = b"Tor safe cookie authentication controller-to-server hash"


class Controller:
    """A control connection: commands are written, lines are read one by one."""

    def __init__(self, directory):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.path.join(directory, "control"))
        self.file = self.sock.makefile("r", encoding="latin-1", newline="\r\n")
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

    def line(self):
        text = self.file.readline()
        if not text:
            raise OSError("control connection closed")
        return text.rstrip("\r\n")


def block(directory, address, announce):
    """Closes circuits of the address until the connection breaks (OSError)."""
    control = Controller(directory)
    control.send("SETEVENTS CIRC CIRC_MINOR")
    control.send("GETINFO circuit-status")
    in_status = False
    left = 0
    while True:
        line = control.line()
        event = re.match(r"650 CIRC(?:_MINOR)? (.*)", line)
        entry = re.match(r"(?:250[-+]circuit-status=)?(\d+ .*)", line)
        if line.startswith(("250+circuit-status=", "250-circuit-status=")):
            in_status = line.startswith("250+")
            left = 0
        elif line == "." and in_status:
            in_status = False
        elif event is None and not in_status:
            continue
        found = event or entry
        if found:
            words = found.group(1).split()
            number, status = words[0], words[1]
            keys = dict(word.split("=", 1) for word in words[2:] if "=" in word)
            if keys.get("PURPOSE") in PURPOSES and status not in ("CLOSED", "FAILED"):
                if keys.get("REND_QUERY") == address:
                    control.send("CLOSECIRCUIT " + number)
                    left += 1
                    print("%.3f closed %s %s %s" % (time.time(), number, status, keys["PURPOSE"]),
                          flush=True)
                elif event and "REND_QUERY" not in keys:
                    # Too young to say whose it is: the table will know.
                    control.send("GETINFO circuit-status")
        if not in_status and not event and announce:
            if left:
                control.send("GETINFO circuit-status")
            else:
                print("ready", flush=True)
                announce = False


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
