# SPDX-License-Identifier: BSD-3-Clause
"""A filter between a controller and a FakeTor that behaves as onion-grater does: rules are whole matches of a
command's arguments, SETEVENTS is refused as a whole, authentication is its own affair, one command goes at a
time, and when tor goes away it waits for it and connects anew, of which its client sees nothing."""

import json
import os
import re
import socket
import subprocess
import threading
import time

import faketor

LINE_MAX = 10 * 1024


def read_profile(path):
    """The rules as onion-grater's own YAML reader gives them; Debian's python3 has it, others may not."""
    done = subprocess.run(["/usr/bin/python3", "-c", "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"],
                          stdin=open(path, "rb"), capture_output=True, text=True, check=True)
    (profile,) = json.loads(done.stdout)
    return profile


class Rules:
    def __init__(self, profile):
        self.commands = {}
        for command, rules in (profile.get("commands") or {}).items():
            self.commands[command.upper()] = [{"pattern": r} if isinstance(r, str) else r for r in rules or []]
        self.events = {e.upper() for e in profile.get("events") or {}}

    def rewrite(self, command, rest, client="127.0.0.1"):
        """What is passed on in place of `rest`; None: the command is filtered."""
        for rule in self.commands.get(command, []):
            match = re.match(rule["pattern"] + "$", rest)
            if match and "replacement" in rule:
                return rule["replacement"].format(*match.groups(), **{"client-address": client})
            if match:
                return rest
        return None


class Grater:
    """Listens on `path`. `heard` and `filtered` are lines of controllers."""

    def __init__(self, tor, path, rules):
        self.tor, self.path, self.rules = tor, path, rules
        self.heard, self.filtered = [], []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(path)
        self.server.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c = self.server.accept()[0]
            except OSError:
                return
            threading.Thread(target=Session(self, c).run, daemon=True).start()

    def close(self):
        try:
            self.server.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.server.close()
        os.unlink(self.path)


class Session:
    def __init__(self, grater, client):
        self.grater, self.client = grater, client
        self.lock = threading.Lock()
        self.events = []
        self.upstream = None

    def say(self, data):
        with self.lock:
            self.client.sendall(data)

    def connect(self):
        """As often as it takes; then what was subscribed to is so again."""
        while True:
            try:
                self.upstream = Upstream(self.grater.tor, self.say)
                if self.events:
                    self.upstream.ask("SETEVENTS " + " ".join(self.events))
                return
            except (OSError, EOFError):
                time.sleep(0.1)

    def pass_on(self, line):
        try:
            return self.upstream.ask(line)
        except (OSError, EOFError):
            self.connect()
            return self.upstream.ask(line)

    def run(self):
        self.connect()
        try:
            with self.client.makefile("rb") as f:
                while True:
                    raw = f.readline(LINE_MAX + 1)
                    if not raw.endswith(b"\n") or self.take(raw.decode().rstrip("\r\n")) is False:
                        return
        except (OSError, EOFError):
            pass
        finally:
            self.client.close()
            self.upstream.close()

    def take(self, line):
        self.grater.heard.append(line)
        command, _, rest = line.partition(" ")
        if command == "PROTOCOLINFO":
            self.say(b'250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-VERSION Tor="0.4.9.11"\r\n250 OK\r\n')
        elif command in ("AUTHENTICATE", "TAKEOWNERSHIP", "RESETCONF"):
            self.say(b"250 OK\r\n")
        elif command == "QUIT":
            self.say(b"250 closing connection\r\n")
            return False
        elif command == "SETEVENTS" and set(rest.split()) <= self.grater.rules.events:
            self.events = rest.split()
            self.say(self.pass_on(line))
        else:
            passed = self.grater.rules.rewrite(command, rest)
            if passed is None or command == "SETEVENTS":
                self.grater.filtered.append(line)
                self.say(b"510 Command filtered\r\n")
            else:
                self.say(self.pass_on(command + " " + passed))
        return None


class Upstream:
    """An authenticated link with tor; events go to `tell` whole."""

    def __init__(self, tor, tell):
        self.tell = tell
        self.replies = []
        self.there = threading.Condition()
        self.ended = False
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(tor.control_path)
        threading.Thread(target=self.read, daemon=True).start()
        nonce = os.urandom(32)
        challenge = self.ask("AUTHCHALLENGE SAFECOOKIE " + nonce.hex()).decode()
        both = tor.cookie + nonce + bytes.fromhex(re.search("SERVERNONCE=([0-9A-F]+)", challenge).group(1))
        proof = faketor.hmac.new(b"Tor safe cookie authentication controller-to-server hash", both, faketor.hashlib.sha256)
        self.ask("AUTHENTICATE " + proof.hexdigest())

    def read(self):
        whole, data = b"", False
        try:
            with self.s.makefile("rb") as f:
                for line in f:
                    whole += line
                    if data:
                        data = line != b".\r\n"
                    elif line[3:4] == b"+":
                        data = True
                    elif line[3:4] == b" ":
                        self.take(whole)
                        whole = b""
        except OSError:
            pass
        with self.there:
            self.ended = True
            self.there.notify_all()

    def take(self, whole):
        if whole.startswith(b"650"):
            try:
                self.tell(whole)
            except OSError:
                pass
            return
        with self.there:
            self.replies.append(whole)
            self.there.notify_all()

    def ask(self, line):
        self.s.sendall(line.encode() + b"\r\n")
        with self.there:
            self.there.wait_for(lambda: self.replies or self.ended, 10)
            faketor.need(self.replies)
            return self.replies.pop(0)

    def close(self):
        try:
            self.s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.s.close()
