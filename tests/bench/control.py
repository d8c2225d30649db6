#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The control socket under load: clients that ask `status` so many times a second for a while, with
many mirrors and a scripted tor. Prints how long answers took, and how late the daemon
began what was due (probes), in a quiet time before and under load. Asserts nothing: run it on an optimised build and a quiet machine.
usage: top_builddir=BUILD control.py [--clients 64] [--rate 20] [--seconds 10] [--mirrors 100]"""

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../system"))
import faketor
import metrics
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


class Lateness:
    """The daemon's own histogram of how late it began what was due, above all probes, since the last look."""

    def __init__(self, path):
        self.path, self.last = path, {}
        self.take()

    def take(self):
        now = {k: int(v) for k, v in metrics.values(metrics.scrape(self.path)).items() if k.startswith("onionmirror_delay_seconds_")}
        since = {k: v - self.last.get(k, 0) for k, v in now.items() if not k.endswith("_sum")}
        self.last = now
        return since

    def show(self, what):
        since, below, told = self.take(), 0, []
        total = since["onionmirror_delay_seconds_count"]
        for name, n in since.items():
            bound = re.search(r'le="([0-9.]+)"', name)
            if bound and n > below:
                told.append("%d within %g ms" % (n - below, 1000 * float(bound.group(1))))
                below = n
        print("%-32s n %6d  %s; over 50 ms: %d" % (what, total, ", ".join(told),
              total - since['onionmirror_delay_seconds_bucket{le="0.05"}']), flush=True)


def main():
    p = argparse.ArgumentParser()
    for name, value in (("clients", 64), ("rate", 20), ("seconds", 10), ("mirrors", 100)):
        p.add_argument("--" + name, type=int, default=value)
    a = p.parse_args()
    folder = tempfile.mkdtemp(prefix="omb-", dir="/tmp")
    tor = faketor.FakeTor(folder)
    site = None
    try:
        site = metrics.Site(tor, names=["m%03d" % i for i in range(a.mirrors)], level="warning")
        site.started()
        until("all are listed", 300, lambda: len(site.listed()) == a.mirrors, 1)
        print("# %d mirrors are listed, each probed every 3 s; a status has %d bytes" % (a.mirrors, len(json.dumps(site.status()))), flush=True)
        late = Lateness(site.dir + "/metrics")
        time.sleep(a.seconds)
        late.show("begun late, quiet")
        out = multiprocessing.Queue()
        worker = multiprocessing.Process(target=load, args=(site.dir + "/run/control.sock", a.clients, a.rate, a.seconds, out))
        start = time.monotonic()
        worker.start()
        took = out.get()
        wall = time.monotonic() - start
        worker.join()
        late.show("begun late, load")
        show("answers to status", took)
        print("# %d answers in %.1f s" % (len(took), wall))
    finally:
        if site is not None:
            site.close()
        tor.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
