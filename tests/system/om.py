# SPDX-License-Identifier: BSD-3-Clause
"""Support for the tests on a real Tor network: the network, backends, the
daemon, a control-port client, a SOCKS client and a watcher of published lists.
Standard library only."""

import ctypes
import hashlib
import hmac
import http.server
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time

SRC = os.path.realpath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "../..")))
BUILD = os.path.realpath(os.environ.get("top_builddir", os.path.join(SRC, "build")))


def sandbox():
    """Every test runs with violations fatal, where this build and kernel can."""
    with open(BUILD + "/src/config.h") as f:
        built = "#define HAVE_SECCOMP 1" in f.read()
    landlock = ctypes.CDLL(None).syscall(444, None, 0, 1)  # landlock_create_ruleset: which version?
    return "fatal" if built and landlock >= 2 else "auto"


SANDBOX = sandbox()
TESTNET = os.path.join(SRC, "contrib", "testnet")


def until(what, seconds, probe, pause=0.1):
    """Waits for probe() to give something true and returns it."""
    end = time.monotonic() + seconds
    while True:
        got = probe()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError("%s: not within %d s" % (what, seconds))
        time.sleep(pause)


def converse(words, cwd, answers, timeout=120):
    """Runs on a terminal of its own and answers prompts in order; returns (exit code, all that was shown)."""
    pid, fd = pty.fork()
    if pid == 0:
        try:
            os.chdir(cwd)
            os.execvp(words[0], words)
        finally:
            os._exit(127)
    shown, end = "", time.monotonic() + timeout
    while time.monotonic() < end:
        if not select.select([fd], [], [], 1)[0]:
            continue
        try:
            piece = os.read(fd, 4096)
        except OSError:
            piece = b""
        if not piece:
            break
        shown += piece.decode(errors="replace")
        if answers and answers[0][0] in shown[shown.rfind("\n") + 1:]:
            os.write(fd, answers.pop(0)[1].encode() + b"\n")
            shown += "\n"
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


class Shell:
    """One bash that is fed block by block; `prelude` says what the blocks may count on."""

    def __init__(self, folder, prelude, **env):
        self.bash = subprocess.Popen(["bash"], cwd=folder, env=dict(os.environ, **env), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True)
        self.run(prelude)

    def run(self, text):
        self.bash.stdin.write(text + "\necho '@end'\n")
        self.bash.stdin.flush()
        said = []
        while True:
            line = self.bash.stdout.readline()
            if line == "":
                raise AssertionError("the shell ended with %s: %s" % (self.bash.wait(), "".join(said[-6:])))
            if line == "@end\n":
                return "".join(said)
            said.append(line)

    def close(self):
        try:
            self.bash.stdin.close()
        except BrokenPipeError:
            pass  # it ended before
        self.bash.wait(10)


class Skip(Exception):
    """This machine cannot run the case; the text says what it lacks."""


class Cases:
    """Runs test functions one by one, all or those named as arguments of the program; each prints one line."""

    def __init__(self):
        self.failed = 0
        self.only = sys.argv[1:]

    def run(self, function, *args):
        if self.only and function.__name__ not in self.only:
            return
        name = function.__name__.replace("_", " ")
        start = time.monotonic()
        try:
            function(*args)
        except Skip as e:
            print("skip %s: %s" % (name, e), flush=True)
        except Exception as e:  # every failure is a line, and the next case still runs
            self.failed += 1
            print("not ok %s: %s: %s" % (name, type(e).__name__, str(e).replace("\n", " | ")), flush=True)
        else:
            print("ok %s (%.1f s)" % (name, time.monotonic() - start), flush=True)


def run_cases(world, cases):
    """A main: runs them, closes the world; the exit code."""
    run = Cases()
    try:
        for case in cases:
            run.run(case, world)
    finally:
        world.close()
    return 1 if run.failed else 0


class Network:
    """The private Tor network of contrib/testnet."""

    def __init__(self, folder):
        self.folder = folder
        subprocess.run([TESTNET, "start", folder], check=True, stdout=subprocess.DEVNULL)
        self.socks = os.path.join(folder, "host/socks")
        self.reader = os.path.join(folder, "reader/socks")

    def stop(self):
        subprocess.run([TESTNET, "stop", self.folder], check=False, stdout=subprocess.DEVNULL)

    def block(self, address):
        subprocess.run([TESTNET, "block", self.folder, address], check=True, stdout=subprocess.DEVNULL)

    def unblock(self, address):
        subprocess.run([TESTNET, "unblock", self.folder, address], check=True, stdout=subprocess.DEVNULL)

    def pid(self, name="host"):
        with open(os.path.join(self.folder, "tor", name, "pid")) as f:
            return int(f.read())

    def relay_pids(self):
        tors = os.path.join(self.folder, "tor")
        return [self.pid(n) for n in sorted(os.listdir(tors)) if n.startswith(("auth", "relay")) and os.path.isdir(tors + "/" + n)]

    def signal_relays(self, number):
        for pid in self.relay_pids():
            os.kill(pid, number)

    def kill_host(self):
        subprocess.run([TESTNET, "kill", self.folder, "host"], check=True)

    def start_host(self):
        subprocess.run([TESTNET, "up", self.folder, "host"], check=True)


class Controller:
    """Another controller of the same tor."""

    def __init__(self, net, name="host"):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(10)
        self.s.connect(os.path.join(net.folder, name, "control"))
        self.f = self.s.makefile("rb")
        with open(os.path.join(net.folder, name, "control.authcookie"), "rb") as f:
            cookie = f.read()
        nonce = os.urandom(32)
        reply = self.ask("AUTHCHALLENGE SAFECOOKIE " + nonce.hex())[0]
        server = bytes.fromhex(re.search(r"SERVERNONCE=([0-9A-F]+)", reply).group(1))
        key = b"Tor safe cookie authentication controller-to-server hash"
        self.ask("AUTHENTICATE " + hmac.new(key, cookie + nonce + server, hashlib.sha256).hexdigest())

    def ask(self, command):
        self.s.sendall(command.encode() + b"\r\n")
        lines = []
        while True:
            line = self.f.readline().decode().rstrip("\r\n")
            if line == "":
                raise AssertionError("tor closed the control link")
            if line.startswith("650"):
                continue
            lines.append(line[4:])
            if line[3] == "+":
                while True:
                    data = self.f.readline().decode().rstrip("\r\n")
                    if data == ".":
                        break
                    lines.append(data)
            if line[3] == " ":
                if line[0] != "2":
                    raise AssertionError("tor answers " + line)
                return lines

    def detached(self):
        return set(re.findall(r"\b[a-z2-7]{56}\b", " ".join(self.ask("GETINFO onions/detached"))))

    def close(self):
        self.f.close()
        self.s.close()


def hang_up(net, address, name="reader"):
    """Closes the circuits of a client to an onion; tor would keep each for ten minutes."""
    c = Controller(net, name)
    for line in c.ask("GETINFO circuit-status"):
        if "PURPOSE=HS_CLIENT_REND" in line and "REND_QUERY=" + address in line:
            c.ask("CLOSECIRCUIT " + re.search(r"(\d+) [A-Z]", line).group(1))
    c.close()


def detached(net):
    c = Controller(net)
    try:
        return c.detached()
    finally:
        c.close()


def fetch(socks, address, path="/", timeout=60, port=80):
    """GET through a tor, on a circuit of its own. Returns (status, body); raises OSError."""
    user = os.urandom(8).hex().encode()
    host = (address + ".onion").encode()
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    try:
        s.connect(socks)
        s.sendall(b"\5\1\2")
        if s.recv(2) != b"\5\2":
            raise OSError("SOCKS: no user and password")
        s.sendall(b"\1" + bytes([len(user)]) + user + bytes([len(user)]) + user)
        if s.recv(2) != b"\1\0":
            raise OSError("SOCKS: refused")
        s.sendall(b"\5\1\0\3" + bytes([len(host)]) + host + port.to_bytes(2, "big"))
        reply = s.recv(10)
        if len(reply) < 2 or reply[1] != 0:
            raise OSError("SOCKS reply %02x" % (reply[1] if len(reply) > 1 else 255))
        s.sendall(b"GET " + path.encode() + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
        data = b""
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            data += piece
    finally:
        s.close()
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def answers(net, address, wanted=b"ok", timeout=60):
    try:
        status, body = fetch(net.reader, address, "/health", timeout)
    except OSError:
        return False
    return status == 200 and wanted in body


class Backend:
    """A web server on loopback whose answer can be changed, and which can be stopped and started."""

    def __init__(self, name, tls=None):
        """`tls`: a file with key and certificate; it is read at each start."""
        self.name = name
        self.body = b"ok"
        self.version = None  # what /version answers
        self.tls = tls
        self.server = None
        self.port = 0
        self.start()

    def start(self):
        backend = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = backend.body + b" " + backend.name.encode() + b"\n"
                if self.path == "/version":
                    body = b"%d\n" % backend.version
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *args):
                pass  # a client that went away

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


CONF = """site = "test"
state-dir = "{data}/state"
publish-dir = "{data}/publish"
control-socket = "unix:{dir}/run/control.sock"
key-file = "{dir}/master.key"
min-listed = {min_listed}
log-onions = full
log-level = info
sandbox = {sandbox}
rotation-spacing = 1s
max-rotations-per-day = 1000
tor "main" {{
  control = "unix:{net}/host/control"
  cookie = "{net}/host/control.authcookie"
  socks = "unix:{net}/host/{socks}"
  max-mirrors = 100
}}
check "page" {{
  path = "/health"
  status = 200
  contains = "ok"
  interval = {interval}
  timeout = 20s
  rise = 2
  fall = 2
}}
"""
MIRROR = """mirror "{name}" {{
  backend = "127.0.0.1:{port}"
  port = 80
  tor = "main"
  check = "page"
  drain = {drain}
}}
"""


class Site:
    """One daemon with its configuration, backends and client."""

    def __init__(self, net, names, drain="25s", min_listed=1, socks="socks", interval="3s", backend=None, more="", data=None):
        """`backend`: one for all mirrors, else each has its own. `more`: lines of the configuration, %(dir)s is our folder.
        `data`: where state and lists are, if elsewhere."""
        self.net = net
        self.dir = tempfile.mkdtemp(prefix="om-")
        os.makedirs(self.dir + "/run")
        self.publish = (data or self.dir) + "/publish"
        self.backends = {n: backend or Backend(n) for n in names}
        self.conf = self.dir + "/onionmirror.conf"
        with open(self.conf, "w") as f:
            f.write(CONF.format(dir=self.dir, data=data or self.dir, net=net.folder, min_listed=min_listed, socks=socks,
                                interval=interval, sandbox=SANDBOX))
            for n in names:
                f.write(MIRROR.format(name=n, port=self.backends[n].port, drain=drain))
            f.write(more % {"dir": self.dir})
        out = self.cli("init", "--keys", self.dir + "/keys", "--no-passphrase").stdout
        self.id = re.search(r"om1[a-z2-7]{52}", out).group(0)
        self.process = None
        self.watcher = Watcher(self.publish + "/public")

    def cli(self, *words, check=True, timeout=180):
        done = subprocess.run([BUILD + "/onionmirror", "-f", self.conf, *words], capture_output=True, text=True,
                              timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError("onionmirror %s: exit %d: %s" % (words[0], done.returncode, done.stderr.strip()))
        return done

    def start(self):
        log = open(self.dir + "/daemon.log", "ab")
        self.process = subprocess.Popen([BUILD + "/onionmirrord", "-f", self.conf], stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            code = self.process.wait(10)
            if code != 0:
                raise AssertionError("onionmirrord ends with %d:\n%s" % (code, self.log_tail()))

    def close(self, keep=False):
        try:
            self.stop()
        finally:
            self.watcher.end()
            for b in self.backends.values():
                b.stop()
            if keep:
                print("# kept: " + self.dir)
            else:
                shutil.rmtree(self.dir, ignore_errors=True)

    def log(self):
        with open(self.dir + "/daemon.log", errors="replace") as f:
            return f.read()

    def log_tail(self, lines=30):
        return "\n".join(self.log().splitlines()[-lines:])

    def mirrors(self):
        done = self.cli("mirrors", "--json", check=False)
        if done.returncode != 0:
            return {}
        return {m["name"]: m for m in json.loads(done.stdout)["mirrors"]}

    def onions(self):
        return json.loads(self.cli("onions", "--json").stdout)["onions"]

    def listed(self):
        """{mirror: address} when every mirror has a listed onion and is up, else {}."""
        m = self.mirrors()
        if not m or any(v["state"] != "up" or not v["listed"] for v in m.values()):
            return {}
        return {n: v["listed"].replace(".onion", "") for n, v in m.items()}

    def wait_listed(self, seconds=90):
        try:
            return until("all mirrors up and listed", seconds, self.listed, 0.3)
        except AssertionError as e:
            raise AssertionError("%s; %s; log: %s" % (e, self.mirrors(), self.log_tail()))

    def published(self):
        """What a reader sees now: the addresses in the list, verified."""
        done = self.cli("verify", "--json", "--site", self.id, self.publish + "/public/current", check=False)
        said = json.loads(done.stdout)
        if done.returncode != 0 or not said["ok"]:
            raise AssertionError("the list does not verify: %s" % said)
        return {m["onion"].replace(".onion", "") for m in said["mirrors"]}

    def history(self):
        """Every probe record of the store, oldest first."""
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        s.connect(self.dir + "/run/control.sock")
        f = s.makefile("rb")
        f.readline()
        rows, after = [], 0
        while True:
            s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "history",
                                  "params": {"table": "probes", "after": after}}).encode() + b"\n")
            got = json.loads(f.readline())["result"]["records"]
            if not got:
                break
            rows += got
            after = got[-1]["id"]
        f.close()
        s.close()
        return rows


class Watcher(threading.Thread):
    """Keeps every list that was ever visible, with the time it was first seen."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.path = folder + "/current/bundle.json"
        self.seen = []  # (wall time, serial, addresses, text)
        self.faults = []
        self.ending = threading.Event()
        self.start()

    def run(self):
        last = None
        while not self.ending.wait(0.02):
            try:
                with open(self.path) as f:
                    text = f.read()
            except FileNotFoundError:
                if last is not None:
                    self.faults.append("the list was away at %f" % time.time())
                continue
            if text == last:
                continue
            last = text
            try:
                bundle = json.loads(text)
                head = json.loads(bundle["heads"][0]["doc"])
                onions = {json.loads(leaf)["onion"].replace(".onion", "") for leaf in bundle["leaves"]}
            except (ValueError, KeyError, IndexError) as e:
                self.faults.append("a list that is not whole: %r" % e)
                continue
            if self.seen and head["serial"] <= self.seen[-1][1]:
                self.faults.append("serial %d after %d" % (head["serial"], self.seen[-1][1]))
            if not onions:
                self.faults.append("an empty list")
            self.seen.append((time.time(), head["serial"], onions, text))

    def end(self):
        self.ending.set()
        self.join()

    def check(self):
        if self.faults:
            raise AssertionError("; ".join(self.faults))


def proved_when_listed(site):
    """Compares every list that was ever visible with the probe record."""
    oks = {}
    for p in site.history():
        if p["verdict"] == "ok" and not p.get("direct"):
            oks.setdefault(p["address"], []).append((p["wall"], p["added"]))
    assert site.watcher.seen, "no list was ever seen"
    for when, serial, onions, _ in site.watcher.seen:
        for o in onions:
            # proved before it was seen, and not before the ADD_ONION that was the last one then
            good = [a for w, a in oks.get(o, []) if w <= when + 1 and w >= a]
            assert good, "serial %d lists %s, which no probe had proved by then" % (serial, o)
    site.watcher.check()


def main(test, folder_prefix="omt-"):
    """test(net, cases) on a fresh network; the exit code is 1 if a case failed."""
    folder = tempfile.mkdtemp(prefix=folder_prefix)
    cases = Cases()
    net = None
    try:
        net = Network(folder)
        test(net, cases)
    finally:
        if net is not None:
            net.stop()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if cases.failed else 0)
