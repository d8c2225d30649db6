#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# needs tor
"""The simulated tor against a real one: the same control lines (tests/sim/transcript.txt) to both, the same answers.
The real one has DisableNetwork 1, so nothing leaves the machine."""

import hashlib
import hmac
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import om
from om import until

TRANSCRIPT = os.path.join(om.SRC, "tests/sim/transcript.txt")
QUIET = 0.03  # a second reply to one command would come within this time


class Tor:
    """A tor without network, in a folder of its own."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="om-transcript-")
        torrc = os.path.join(self.dir, "torrc")
        with open(torrc, "w") as f:
            f.write("DataDirectory %s/data\nDisableNetwork 1\nSocksPort 0\nControlSocket %s/control\n"
                    "CookieAuthentication 1\nCookieAuthFile %s/cookie\nLog err stderr\n" % ((self.dir,) * 3))
        open(os.path.join(self.dir, "defaults"), "w").close()
        os.chmod(self.dir, 0o700)
        tor = shutil.which("tor", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen([tor, "-f", torrc, "--defaults-torrc", self.dir + "/defaults"], stdout=subprocess.DEVNULL)
        until("the cookie of tor", 20, lambda: os.path.exists(self.dir + "/cookie"))
        until("the control port of tor", 20, self.connects)

    def connects(self):
        try:
            self.link().close()
        except OSError:
            return False
        return True

    def link(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(10)
        s.connect(self.dir + "/control")
        return s

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.dir)


def complete(data):
    """Whether these bytes end with the last line of a reply."""
    lines = data.split(b"\r\n")
    inside = False
    end = False
    for line in lines[:-1]:
        if inside:
            inside = line != b"."
            continue
        inside = line[3:4] == b"+"
        end = line[3:4] == b" "
    return end and not inside and lines[-1] == b""


def ask(s, data):
    """(reply lines, closed): all that comes until tor is quiet."""
    got = b""
    closed = False
    try:
        s.sendall(data)
        s.settimeout(10)
        while not closed:
            chunk = s.recv(65536)
            closed = chunk == b""
            got += chunk
            if complete(got):
                s.settimeout(QUIET)
    except socket.timeout:
        pass
    except OSError:
        closed = True
    return got.decode("latin-1").split("\r\n")[:-1], closed


def authenticate(tor, s):
    nonce = b"\1" + bytes(31)
    reply = ask(s, b"AUTHCHALLENGE SAFECOOKIE " + nonce.hex().encode() + b"\r\n")[0][0]
    server = bytes.fromhex(re.search("SERVERNONCE=([0-9A-F]+)", reply).group(1))
    with open(tor.dir + "/cookie", "rb") as f:
        cookie = f.read()
    key = b"Tor safe cookie authentication controller-to-server hash"
    return ask(s, b"AUTHENTICATE " + hmac.new(key, cookie + nonce + server, hashlib.sha256).hexdigest().encode() + b"\r\n")[0]


def replay(tor):
    out = []
    s = None
    with open(TRANSCRIPT) as f:
        for line in f.read().split("\n"):
            if line == "" or line.startswith("#"):
                continue
            if line == "link":
                if s is not None:
                    s.close()
                s = tor.link()
            elif line == "auth":
                out.append((line, authenticate(tor, s)))
            else:
                data = line.encode().decode("unicode_escape").encode("latin-1")
                lines, closed = ask(s, data if data.endswith(b"\n") else data + b"\r\n")
                out.append((line, lines + ["(closed)"] * closed))
    s.close()
    return out


def simulated():
    text = subprocess.run([os.path.join(om.BUILD, "tests/sim/sim-transcript"), TRANSCRIPT], check=True, capture_output=True,
                          text=True).stdout
    out = []
    for line in text.rstrip("\n").split("\n"):
        if line.startswith("  "):
            out[-1][1].append(line[2:])
        else:
            out.append((line, []))
    return out


def plain(command, lines):
    """What may differ from tor to tor is left out."""
    text = "\n".join(lines)
    text = re.sub('COOKIEFILE="[^"]*"', "COOKIEFILE", text)
    text = re.sub("[0-9A-F]{64}", "HEX", text)
    text = re.sub(r"uptime=\d+", "uptime", text)
    text = re.sub(r'(version=|Tor=")0\.4\.\d+\.\d+', r"\1", text)
    if command.startswith("ADD_ONION NEW:"):
        text = re.sub("[a-z2-7]{56}", "ADDRESS", text)
    return text


def both_answer_every_line_alike(tor):
    real, sim = replay(tor), simulated()
    assert [c for c, _ in real] == [c for c, _ in sim], "the two replays are out of step"
    assert len(real) > 150
    wrong = ["%.100s: tor %r, simulated %r" % (c, plain(c, r), plain(c, s))
             for (c, r), (_, s) in zip(real, sim) if plain(c, r) != plain(c, s)]
    assert not wrong, "%d of %d differ: %s" % (len(wrong), len(real), "; ".join(wrong))
    print("# %d lines" % len(real))


def main():
    cases = om.Cases()
    tor = Tor()
    try:
        cases.run(both_answer_every_line_alike, tor)
    finally:
        tor.stop()
    sys.exit(1 if cases.failed else 0)


if __name__ == "__main__":
    main()
