# SPDX-License-Identifier: BSD-3-Clause
"""What the system tests share: the private Tor network, a control connection, SOCKS, a web backend.

Each test prints `ok NAME` or `not ok NAME: why` a case and exits 1 if one failed:

    with harness.network() as net, harness.Cases() as cases:
        with cases.case("the thing works"):
            assert ...

TESTNET in the environment names a running network (contrib/testnet) to use; otherwise the test
starts one of its own and ends it. Nothing here sleeps for a fixed time: until() polls.
"""
import contextlib
import hashlib
import hmac
import http.server
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
TESTNET = os.path.join(TOP, "contrib", "testnet")

# SOCKS replies: RFC 1928, and the extended ones of tor's proposal 304.
REPLIES = {
    0x00: "ok", 0x01: "general failure", 0x02: "not allowed", 0x04: "host unreachable",
    0x05: "connection refused", 0x06: "TTL expired", 0xF0: "no descriptor",
    0xF1: "bad descriptor", 0xF2: "introduction failed", 0xF3: "rendezvous failed",
    0xF4: "client authorisation missing", 0xF5: "client authorisation wrong",
    0xF6: "bad address", 0xF7: "introduction timed out",
}


class Skip(Exception):
    """A case that cannot run here; says why."""


class Cases:
    """Counts cases; as a context manager it exits the program with the result."""

    def __init__(self):
        self.passed = self.failed = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.failed += 1
            print("not ok %s: %s" % (os.path.basename(sys.argv[0]), one_line(error)), flush=True)
            return False
        return None

    @contextlib.contextmanager
    def case(self, name):
        began = time.monotonic()
        try:
            yield
        except Skip as why:
            print("skip %s: %s" % (name, why), flush=True)
        except Exception as error:  # a case fails for whatever reason; the others still run
            self.failed += 1
            print("not ok %s: %s" % (name, one_line(error)), flush=True)
        else:
            self.passed += 1
            print("ok %s (%.1f s)" % (name, time.monotonic() - began), flush=True)

    def exit_code(self):
        return 0 if self.failed == 0 and self.passed > 0 else 1


def one_line(error):
    text = " ".join(str(error).split())
    if not text:
        trace = error.__traceback__
        while trace and trace.tb_next:
            trace = trace.tb_next
        text = "line %d" % trace.tb_lineno if trace else ""
    return "%s %s" % (type(error).__name__, text)


def until(condition, seconds, what):
    """Polls condition() until it is true and returns its value; AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("not within %g s: %s" % (seconds, what))
        time.sleep(0.05)


def note(text):
    """A remark beside the cases (not counted)."""
    print("# " + text, flush=True)


class Network:
    """A running contrib/testnet."""

    def __init__(self, path):
        self.path = path

    def run(self, verb, *args):
        subprocess.run([TESTNET, verb, self.path, *args], check=True)

    def join(self, *names):
        return os.path.join(self.path, *names)

    def socks(self, client="reader", plain=False):
        return self.join(client, "socks-plain" if plain else "socks")

    def controller(self, client="host"):
        return Controller(self.join(client))


@contextlib.contextmanager
def network():
    """The network named by TESTNET, or one of our own for as long as the block lasts."""
    given = os.environ.get("TESTNET")
    if given:
        yield Network(given)
        return
    with scratch() as directory:
        net = Network(os.path.join(directory, "net"))
        net.run("start")
        try:
            yield net
        finally:
            net.run("stop")


@contextlib.contextmanager
def scratch():
    """A directory of our own with a short path (unix sockets), removed afterwards."""
    directory = tempfile.mkdtemp(prefix="om-", dir="/tmp")
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class Controller:
    """A control connection to tor with SAFECOOKIE. Events are kept in .events in order."""

    def __init__(self, directory):
        self.events = []
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(os.path.join(directory, "control"))
        self.buffer = b""
        nonce = os.urandom(32)
        answer = self.command("AUTHCHALLENGE SAFECOOKIE " + nonce.hex())[0]
        with open(os.path.join(directory, "control.authcookie"), "rb") as file:
            message = file.read() + nonce
        message += bytes.fromhex(re.search("SERVERNONCE=([0-9A-F]+)", answer).group(1))
        key = b"Tor safe cookie authentication controller-to-server hash"
        self.command("AUTHENTICATE " + hmac.new(key, message, hashlib.sha256).hexdigest())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def read_line(self):
        while b"\n" not in self.buffer:
            part = self.sock.recv(65536)
            if not part:
                raise ConnectionError("tor closed the control connection")
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r").decode("latin-1")

    def read_reply(self):
        """One whole reply or event: (code, [texts of its lines, data lines included])."""
        lines = []
        while True:
            line = self.read_line()
            lines.append(line[4:])
            if line[3:4] == "+":
                for data in iter(self.read_line, "."):
                    lines.append(data[1:] if data.startswith(".") else data)
            elif line[3:4] == " ":
                return int(line[:3]), lines

    def command(self, text):
        """Sends one command; returns the lines of a 250 reply, raises RuntimeError on another."""
        self.sock.sendall(text.encode("ascii") + b"\r\n")
        while True:
            code, lines = self.read_reply()
            if code // 100 == 6:
                self.events.append("\n".join(lines))
            elif code == 250:
                return lines
            else:
                raise RuntimeError("%s: %d %s" % (text.split()[0], code, lines[-1]))

    def getinfo(self, key):
        """The value of one GETINFO key, lines joined by LF."""
        lines = self.command("GETINFO " + key)
        return "\n".join([lines[0].split("=", 1)[1]] + lines[1:-1]).strip("\n")

    def wait_event(self, matches, seconds, what):
        """Drops events until matches(event) is true for one and returns that."""
        end = time.monotonic() + seconds
        while True:
            while self.events:
                event = self.events.pop(0)
                if matches(event):
                    return event
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError("not within %g s: %s" % (seconds, what))
            self.sock.settimeout(left)
            try:
                self.events.append("\n".join(self.read_reply()[1]))
            except socket.timeout:
                raise AssertionError("not within %g s: %s" % (seconds, what)) from None
            finally:
                self.sock.settimeout(30)

    def onions(self):
        """Addresses (56 characters) of all detached onions of this tor."""
        return set(self.getinfo("onions/detached").split())

    def add_onion(self, target, port=80):
        """A new detached onion; returns its 56 characters once 12 uploads have arrived."""
        self.command("SETEVENTS HS_DESC")
        address = self.command(
            "ADD_ONION NEW:ED25519-V3 Flags=Detach,DiscardPK Port=%d,%s" % (port, target)
        )[0].split("=", 1)[1]
        for _ in range(12):
            self.wait_event(lambda e: e.startswith("HS_DESC UPLOADED " + address), 60,
                            "uploads of " + address)
        self.command("SETEVENTS")
        return address


class SocksError(Exception):
    """A SOCKS reply other than 00; .code is the reply."""

    def __init__(self, code):
        super().__init__("SOCKS %02X %s" % (code, REPLIES.get(code, "?")))
        self.code = code


def receive(sock, count):
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            raise ConnectionError("closed after %d of %d bytes" % (len(data), count))
        data += part
    return data


def fetch(socks, address, path="/", port=80, timeout=60, isolation=None):
    """GET through the SOCKS unix socket with fresh credentials: (status, body). SocksError."""
    user = (isolation or os.urandom(8).hex()).encode()
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(timeout)
    with sock:
        sock.connect(socks)
        sock.sendall(b"\x05\x01\x02")
        if receive(sock, 2) != b"\x05\x02":
            raise ConnectionError("no user/password")
        sock.sendall(b"\x01" + bytes([len(user)]) + user + b"\x01x")
        receive(sock, 2)
        host = (address + ".onion").encode()
        sock.sendall(b"\x05\x01\x00\x03" + bytes([len(host)]) + host + port.to_bytes(2, "big"))
        code = receive(sock, 10)[1]
        # F0 may come although the stream works, when one of several directories had nothing.
        if code not in (0x00, 0xF0):
            raise SocksError(code)
        try:
            sock.sendall(("GET %s HTTP/1.1\r\nHost: %s.onion\r\nConnection: close\r\n\r\n"
                          % (path, address)).encode())
            data = b"".join(iter(lambda: sock.recv(65536), b""))
        except ConnectionError:
            data = b""
        if not data and code:
            raise SocksError(code)
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def fetch_until(socks, address, seconds=60, **options):
    """fetch() again until an answer comes; AssertionError with the last error after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        try:
            return fetch(socks, address, **options)
        except (OSError, SocksError) as error:
            if time.monotonic() > end:
                raise AssertionError("no answer in %g s, last: %s" % (seconds, error)) from None
            time.sleep(0.1)


class Backend:
    """A web server on 127.0.0.1; .pages maps a path to a body and may be changed at any time.

    A path that is not there answers 404; .down = True answers 503. .hits counts requests."""

    def __init__(self, pages):
        backend = self
        self.pages = pages
        self.down = False
        self.hits = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                backend.hits += 1
                body = backend.pages.get(self.path)
                status = 503 if backend.down else 200 if body is not None else 404
                body = (body or "no\n").encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.target = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
