#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The control socket under load: clients that ask `status` so many times a second for a while, with
many mirrors and a scripted tor. Prints how long answers took, and how late probes began compared
with a quiet time before. Asserts nothing: run it on an optimised build and a quiet machine.
usage: top_builddir=BUILD control.py [--clients 64] [--rate 20] [--seconds 10] [--mirrors 100]"""

import argparse
import asyncio
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../system"))
import faketor
import process
from om import until

REQUEST = b'{"jsonrpc":"2.0","id":1,"method":"status"}\n'


async def client(path, rate, seconds, index, took):
    reader, writer = await asyncio.open_unix_connection(path, limit=1 << 20)
    await reader.readline()
    begin = time.monotonic() + index / rate / 64
    for i in range(rate * seconds):
        await asyncio.sleep(max(0, begin + i / rate - time.monotonic()))
        start = time.monotonic()
        writer.write(REQUEST)
        await reader.readline()
        took.append(time.monotonic() - start)
    writer.close()


def load(path, clients, rate, seconds, out):
    """In a process of its own, so that the scripted tor is not held up."""
    async def all_of_them():
        took = []
        await asyncio.gather(*(client(path, rate, seconds, i, took) for i in range(clients)))
        return took

    out.put(asyncio.run(all_of_them()))


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * q))] if values else float("nan")


def show(what, values):
    print("%-32s n %6d  p50 %7.2f ms  p99 %7.2f ms  max %7.2f ms" %
          (what, len(values), *(1000 * quantile(values, q) for q in (0.5, 0.99, 1))), flush=True)


class Arrivals:
    """When each probe came to the tor, and how long the daemon then took to ask for the page: its part of a probe."""

    def __init__(self, tor):
        self.gaps = []
        inner = tor.serve_socks

        def serve(c):
            inner(Timed(c, self.gaps))

        # The listening thread looks the function up through guard.
        guard = tor.guard
        tor.guard = lambda f, c: guard(serve if f == inner else f, c)

    def take(self):
        got, self.gaps = self.gaps, []
        return got


class Timed:
    """A socket that notes how long the other side takes for its next step after ours."""

    def __init__(self, c, gaps):
        self.c, self.gaps, self.sent, self.steps = c, gaps, None, 0

    def sendall(self, data):
        self.c.sendall(data)
        self.sent = time.monotonic()
        self.steps += 1

    def recv(self, n):
        data = self.c.recv(n)
        if self.sent is not None and data and self.steps <= 3:
            self.gaps.append(time.monotonic() - self.sent)
            self.sent = None
        return data

    def __getattr__(self, name):
        return getattr(self.c, name)


def main():
    p = argparse.ArgumentParser()
    for name, value in (("clients", 64), ("rate", 20), ("seconds", 10), ("mirrors", 100)):
        p.add_argument("--" + name, type=int, default=value)
    a = p.parse_args()
    folder = tempfile.mkdtemp(prefix="omb-", dir="/tmp")
    tor = faketor.FakeTor(folder)
    arrivals = Arrivals(tor)
    site = None
    try:
        site = process.Site(tor, names=["m%03d" % i for i in range(a.mirrors)], level="warning")
        site.started()
        until("all are listed", 300, lambda: len(site.listed()) == a.mirrors, 1)
        print("# %d mirrors are listed, each probed every 3 s; a status has %d bytes" % (a.mirrors, len(json.dumps(site.status()))), flush=True)
        arrivals.take()
        time.sleep(a.seconds)
        show("daemon's steps in probes, quiet", arrivals.take())
        out = multiprocessing.Queue()
        worker = multiprocessing.Process(target=load, args=(site.dir + "/run/control.sock", a.clients, a.rate, a.seconds, out))
        start = time.monotonic()
        worker.start()
        took = out.get()
        wall = time.monotonic() - start
        worker.join()
        show("daemon's steps in probes, load", arrivals.take())
        show("answers to status", took)
        print("# %d answers in %.1f s" % (len(took), wall))
    finally:
        if site is not None:
            site.close()
        tor.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
