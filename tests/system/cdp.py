# SPDX-License-Identifier: BSD-3-Clause
"""A headless Chromium, driven over a pipe (the DevTools protocol: NUL-ended JSON on
descriptors 3 and 4). With a proxy it reaches onions through that, and nothing else. Standard library only."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions", "--mute-audio",
         "--no-default-browser-check", "--disable-dev-shm-usage", "--remote-debugging-pipe"]


class Browser:
    """One page of a browser with an empty profile. Every event that came is in `events`."""

    def __init__(self, proxy=None):
        self.folder = tempfile.mkdtemp(prefix="omb-")
        self.netlog = self.folder + "/net.json"
        flags = FLAGS + ["--user-data-dir=" + self.folder + "/profile", "--log-net-log=" + self.netlog]
        if proxy is not None:
            # Whatever is no onion ends at a closed port: the browser asks its maker for news, whatever the flags say.
            script = "function FindProxyForURL(u, h) { return /\\.onion$/.test(h) ? 'SOCKS5 %s' : 'SOCKS5 127.0.0.1:1' }" % proxy
            flags += ["--proxy-pac-url=data:application/x-ns-proxy-autoconfig;base64," + base64.b64encode(script.encode()).decode(),
                      "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
        theirs_in, self.out = os.pipe()
        self.inp, theirs_out = os.pipe()

        def wire():  # in the child: 3 reads, 4 writes
            a, b = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(["chromium", *flags, "about:blank"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, preexec_fn=wire, close_fds=False,
                                        env=dict(os.environ, HOME=self.folder))
        os.close(theirs_in)
        os.close(theirs_out)
        self.data, self.n, self.events, self.session = b"", 0, [], None
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime", "Security"):
            self.call(domain + ".enable")

    def read(self, seconds):
        """The next message, None when there is none in time."""
        end = time.monotonic() + seconds
        while b"\0" not in self.data:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.inp], [], [], left)[0]:
                return None
            piece = os.read(self.inp, 1 << 20)
            if not piece:
                raise AssertionError("the browser has ended")
            self.data += piece
        line, self.data = self.data.split(b"\0", 1)
        return json.loads(line)

    def call(self, method, **params):
        self.n += 1
        message = {"id": self.n, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            got = self.read(60)
            if got is None:
                raise AssertionError("%s: no answer" % method)
            if got.get("id") == self.n:
                if "error" in got:
                    raise AssertionError("%s: %s" % (method, got["error"]))
                return got["result"]
            self.events.append(got)

    def wait(self, method, seconds=60):
        """The params of the next event of this kind."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            got = self.read(max(0.01, end - time.monotonic()))
            if got is not None:
                self.events.append(got)
                if got.get("method") == method:
                    return got["params"]
        raise AssertionError("no %s in %d s" % (method, seconds))

    def load(self, url, seconds=60):
        got = self.call("Page.navigate", url=url)
        if got.get("errorText"):
            raise AssertionError("%s: %s" % (url, got["errorText"]))
        if not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.wait("Page.loadEventFired", seconds)

    def of(self, method):
        return [e["params"] for e in self.events if e.get("method") == method]

    def value(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def screen(self, path, width, dark=False):
        """A picture of the whole page, as wide as this, in a file."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        height = self.value("document.documentElement.scrollHeight")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        shot = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(shot))

    def close(self):
        """Ends it and returns its log of the network, whole only after the end; {} if it has ended before."""
        if self.process.returncode is not None:
            return {}
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(20)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.out)
        os.close(self.inp)
        log = {}
        if os.path.exists(self.netlog):
            with open(self.netlog) as f:
                log = json.load(f)
        shutil.rmtree(self.folder, ignore_errors=True)
        return log
