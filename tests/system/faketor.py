# SPDX-License-Identifier: BSD-3-Clause
"""A tor without a network: a control port and a SOCKS port on unix sockets. It keeps
books of the onions as tor does (detached ones outlive their controller), tells of
uploads, and joins a SOCKS connection to an onion with the backend that ADD_ONION named.
Addresses are computed here from the key, apart from the C code. Standard library only."""

import base64
import hashlib
import hmac
import os
import socket
import threading

HSDIR = "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA~hsdir"
DESC = "A" * 43

# --- Ed25519 (RFC 8032), only what the tests need ------------------------------------

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P


def recover_x(y):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return x if x % 2 == 0 else P - x


BASE = (recover_x(BASE_Y), BASE_Y, 1, recover_x(BASE_Y) * BASE_Y % P)


def point_add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def base_times(scalar):
    """scalar * B, encoded."""
    total, power = (0, 1, 1, 0), BASE
    while scalar:
        if scalar & 1:
            total = point_add(total, power)
        power = point_add(power, power)
        scalar >>= 1
    inverse = pow(total[2], P - 2, P)
    x, y = total[0] * inverse % P, total[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def address_of(public):
    """rend-spec-v3 section 6: the name of an onion service without ".onion"."""
    check = hashlib.sha3_256(b".onion checksum" + public + b"\3").digest()[:2]
    return base64.b32encode(public + check + b"\3").decode().lower()


# --- the tor --------------------------------------------------------------------------


class FakeTor:
    """Sockets in `folder`: control, control.authcookie, socks. What it heard and what it should answer is in attributes."""

    def __init__(self, folder):
        self.folder = folder
        self.control_path = folder + "/control"
        self.socks_path = folder + "/socks"
        self.cookie_path = folder + "/control.authcookie"
        self.lock = threading.RLock()
        self.onions = {}  # address: {"ports": {80: path}, "link": None (detached) or its Link}
        self.commands = []  # every line that a controller sent
        self.keys = set()  # every base64 key that came
        self.credentials = set()  # every SOCKS user
        self.fetched = []  # every address that a SOCKS client asked for
        self.uploads = 16
        self.wrong_ids = []  # ServiceIDs to answer with in place of the right one, one an ADD_ONION
        self.answering = threading.Event()  # cleared: SOCKS connects hang
        self.answering.set()
        self.refuse = set()  # addresses that get F2
        self.links = set()
        self.link_class = Link
        self.servers = []
        self.start()

    def start(self, fresh_cookie=True):
        if fresh_cookie:
            self.cookie = os.urandom(32)
            self.write_cookie(self.cookie)
        self.servers = [self.listen(self.control_path, self.serve_control), self.listen(self.socks_path, self.serve_socks)]

    def write_cookie(self, content):
        with open(self.cookie_path + ".new", "wb") as f:
            f.write(content)
        os.replace(self.cookie_path + ".new", self.cookie_path)

    def listen(self, path, serve):
        s = socket.socket(socket.AF_UNIX)
        s.bind(path)
        s.listen(64)

        def accept():
            while True:
                try:
                    c = s.accept()[0]
                except OSError:
                    return
                threading.Thread(target=self.guard, args=(serve, c), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return s

    def guard(self, serve, connection):
        try:
            serve(connection)
        except (OSError, EOFError):
            pass
        finally:
            connection.close()

    def stop(self):
        """As kill -9: sockets and onions are gone."""
        for s in self.servers:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
        for path in (self.control_path, self.socks_path):
            if os.path.lexists(path):
                os.unlink(path)
        with self.lock:
            links, self.links, self.onions = self.links, set(), {}
        for link in links:
            link.cut()

    def restart(self):
        self.stop()
        self.start()

    def heard(self, start):
        with self.lock:
            return [c for c in self.commands if c.startswith(start)]

    def detached(self):
        with self.lock:
            return [a for a, o in self.onions.items() if o["link"] is None]

    # control port

    def serve_control(self, connection):
        link = self.link_class(self, connection)
        with self.lock:
            self.links.add(link)
        try:
            link.run()
        finally:
            with self.lock:
                self.links.discard(link)
                for address in [a for a, o in self.onions.items() if o["link"] is link]:
                    del self.onions[address]

    def tell(self, event):
        with self.lock:
            links = [li for li in self.links if event.split()[0] in li.events]
        for link in links:
            try:
                link.send("650 " + event)
            except OSError:
                pass

    def tell_uploads(self, address):
        for i in range(self.uploads):  # two descriptors, eight HSDirs each, some of them with both
            hsdir, descid = "$%040X~relay%d" % (i % 12, i % 12), "%s%d" % (DESC[:-1], i // 8)
            self.tell("HS_DESC UPLOAD %s UNKNOWN %s %s HSDIR_INDEX=%s" % (address, hsdir, descid, "0" * 64))
            self.tell("HS_DESC UPLOADED %s UNKNOWN %s" % (address, hsdir))

    # SOCKS port, one step at a time: a client that sends more than was asked for is cut, as tor does with the rest

    def serve_socks(self, c):
        need(exactly(c, 3) == b"\5\1\2")
        c.sendall(b"\5\2")
        need(exactly(c, 1) == b"\1")
        user = exactly(c, exactly(c, 1)[0])
        exactly(c, exactly(c, 1)[0])
        with self.lock:
            self.credentials.add(user)
        c.sendall(b"\1\0")
        need(exactly(c, 4) == b"\5\1\0\3")
        host = exactly(c, exactly(c, 1)[0]).decode()
        port = int.from_bytes(exactly(c, 2), "big")
        need(host.endswith(".onion"))
        address = host[:-6]
        with self.lock:
            self.fetched.append(address)
        self.answering.wait(60)
        with self.lock:
            onion = self.onions.get(address)
            code = 0xF0 if onion is None else 0xF2 if address in self.refuse or port not in onion["ports"] else 0
        b = socket.socket(socket.AF_UNIX)
        try:
            if code == 0:
                try:
                    b.connect(onion["ports"][port])
                except OSError:
                    code = 5
            c.sendall(bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0]))
            if code == 0:
                join(c, b)
        finally:
            b.close()


def need(condition):
    if not condition:
        raise EOFError


def exactly(c, n):
    data = b""
    while len(data) < n:
        piece = c.recv(n - len(data))
        need(piece)
        data += piece
    return data


def join(a, b):
    """Carries bytes both ways until the backend is done."""

    def up():
        try:
            while True:
                piece = a.recv(65536)
                if not piece:
                    return
                b.sendall(piece)
        except OSError:
            pass

    threading.Thread(target=up, daemon=True).start()
    while True:
        piece = b.recv(65536)
        if not piece:
            a.shutdown(socket.SHUT_RDWR)
            return
        a.sendall(piece)


class Link:
    """One controller."""

    def __init__(self, tor, connection):
        self.tor = tor
        self.c = connection
        self.lock = threading.Lock()
        self.events = set()
        self.client_hash = None
        self.known = False

    def cut(self):
        try:
            self.c.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def send(self, *lines):
        with self.lock:
            self.c.sendall("".join(line + "\r\n" for line in lines).encode())

    def run(self):
        with self.c.makefile("rb") as f:
            for raw in f:
                line = raw.decode().rstrip("\r\n")
                with self.tor.lock:
                    self.tor.commands.append(line)
                verb, _, rest = line.partition(" ")
                handler = getattr(self, "on_" + verb.lower(), None)
                if not self.known and verb not in ("PROTOCOLINFO", "AUTHCHALLENGE", "AUTHENTICATE"):
                    self.send("514 Authentication required.")
                    return
                if handler is None:
                    self.send("510 Unrecognized command \"%s\"" % verb)
                elif handler(rest) is False:
                    return

    def on_protocolinfo(self, rest):
        self.send("250-PROTOCOLINFO 1", "250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"%s\"" % self.tor.cookie_path,
                  "250-VERSION Tor=\"0.4.9.11\"", "250 OK")

    def on_authchallenge(self, rest):
        kind, nonce = rest.split()
        need(kind == "SAFECOOKIE")
        server = os.urandom(32)
        both = self.tor.cookie + bytes.fromhex(nonce) + server
        proof = hmac.new(b"Tor safe cookie authentication server-to-controller hash", both, hashlib.sha256)
        self.client_hash = hmac.new(b"Tor safe cookie authentication controller-to-server hash", both, hashlib.sha256).hexdigest()
        self.send("250 AUTHCHALLENGE SERVERHASH=%s SERVERNONCE=%s" % (proof.hexdigest().upper(), server.hex().upper()))

    def on_authenticate(self, rest):
        self.known = self.client_hash is not None and rest.lower() == self.client_hash
        if not self.known:
            self.send("515 Authentication failed: Safe cookie response did not match expected value.")
            return False
        self.send("250 OK")
        return None

    def on_setevents(self, rest):
        self.events = set(rest.split())
        self.send("250 OK")

    def on_getconf(self, rest):
        self.send("250 %s=0" % rest)

    def on_getinfo(self, key):
        values = {"version": "0.4.9.11", "status/circuit-established": "1", "network-liveness": "up",
                  "consensus/valid-until": "2999-01-01 00:00:00",
                  "consensus/valid-after": "2020-01-01 00:00:00"}
        if key == "onions/detached":
            value = "\n".join(self.tor.detached())
        elif key == "onions/current":
            with self.tor.lock:
                value = "\n".join(a for a, o in self.tor.onions.items() if o["link"] is self)
        elif key in values:
            value = values[key]
        else:
            self.send("552 Unrecognized key \"%s\"" % key)
            return
        if "\n" in value:  # tor's two shapes
            self.send("250+%s=" % key, *value.split("\n"), ".", "250 OK")
        else:
            self.send("250-%s=%s" % (key, value), "250 OK")

    def on_add_onion(self, rest):
        words = rest.split()
        kind, _, blob = words[0].partition(":")
        options = [w.partition("=")[::2] for w in words[1:]]
        flags = dict(options).get("Flags", "").split(",")
        ports = {}
        for name, value in options:
            if name == "Port":
                virt, _, target = value.partition(",")
                need(target.startswith("unix:"))
                ports[int(virt)] = target[5:]
        need(kind == "ED25519-V3" and ports)
        address = address_of(base_times(int.from_bytes(base64.b64decode(blob)[:32], "little")))
        with self.tor.lock:
            self.tor.keys.add(blob)
            collision = address in self.tor.onions
            if not collision:
                self.tor.onions[address] = {"ports": ports, "link": None if "Detach" in flags else self}
            said = self.tor.wrong_ids.pop(0) if self.tor.wrong_ids else address
        if collision:
            self.send("550 Onion address collision")
            return
        self.send("250-ServiceID=" + said, "250 OK")
        self.tor.tell_uploads(address)

    def on_del_onion(self, address):
        with self.tor.lock:
            onion = self.tor.onions.get(address)
            mine = onion is not None and onion["link"] in (None, self)
            if mine:
                del self.tor.onions[address]
        self.send("250 OK" if mine else "552 Unknown Onion Service id")

    def on_hsfetch(self, address):
        self.send("250 OK")
        tail = "%s %s" % (HSDIR, DESC)
        self.tor.tell("HS_DESC REQUESTED %s NO_AUTH %s HSDIR_INDEX=%s" % (address, tail, "0" * 64))
        there = address in self.tor.onions
        self.tor.tell("HS_DESC %s %s NO_AUTH %s%s" % ("RECEIVED" if there else "FAILED", address, tail, "" if there else " REASON=NOT_FOUND"))
