#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Metrics as another program gets them: from a unix socket, from loopback, from a socket that a service
manager passed, and as a file; with a scripted tor. promtool has nothing to say of them."""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import om
import process
from om import until


class Site(process.Site):
    """`inside` is what its metrics section holds."""

    inside = None

    def conf_text(self, names=None):
        return super().conf_text(names) + ("metrics { %s }\n" % (self.inside or ('listen = "unix:%s/metrics"' % self.dir)))

    def set(self, inside):
        self.inside = inside
        self.write_conf()
        process.says(self.cli("reload"), 0)

    def set_anew(self, inside):
        """Where it was not meant to listen or write when it started, it must be started again."""
        before = self.status()["sandbox"]["layers"]
        self.inside = inside
        self.write_conf()
        if "files" in before:
            process.check_refusal(self.cli("reload", check=False), ("a change of metrics, ", "needs a restart"))
        self.stop()
        self.started()


def connect(where):
    """`where`: a path, or a port on 127.0.0.1."""
    s = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
    s.settimeout(20)
    s.connect(where if isinstance(where, str) else ("127.0.0.1", where))
    return s


def ask(where, request=b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"):
    """(status, headers, body)"""
    with connect(where) as s:
        s.sendall(request)
        data = b""
        while True:
            piece = s.recv(1 << 20)
            if not piece:
                break
            data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    return int(lines[0].split()[1]), {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}, body.decode()


def values(text):
    """{"name{labels}": value}"""
    return {k: float(v) for k, v in (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))}


def scrape(where):
    status, headers, body = ask(where)
    assert status == 200 and headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8", (status, headers)
    assert int(headers["content-length"]) == len(body)
    return body


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def the_rules_pass_their_own_tests():
    folder = om.SRC + "/contrib/prometheus/"
    for words in (["check", "config", folder + "prometheus.yml"], ["test", "rules", folder + "onionmirror.rules.test.yml"]):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    with open(folder + "onionmirror.rules.yml") as f:
        alerts = re.findall(r"- alert: (\w+)", f.read())
    with open(folder + "onionmirror.rules.test.yml") as f:
        looks = re.findall(r"alertname: (\w+)\n( *exp_alerts)?", f.read())
    assert len(alerts) >= 8
    assert {(a, fires) for a in alerts for fires in (True, False)} == {(a, fires != "") for a, fires in looks}, "each fires and does not"
    with open(om.SRC + "/src/daemon/onionmirror-metrics.7") as f:
        assert re.findall(r"\.It Sy (Onionmirror\w+)", f.read()) == alerts, "the page lists them"


# --- one after the other, on one site ----------------------------------------------------------------


def the_unix_socket_tells_of_every_mirror(site):
    site.started()
    site.wait_listed(20)
    where = site.dir + "/metrics"
    assert stat.S_IMODE(os.stat(where).st_mode) == 0o660
    until("all are up in the metrics", 10, lambda: values(scrape(where)).get('onionmirror_mirrors{state="up"}') == 3)
    got = values(scrape(where))
    for name in ("north", "south", "east"):
        assert got['onionmirror_mirror_state{mirror="%s",state="up"}' % name] == 1
        assert got['onionmirror_mirror_listed{mirror="%s"}' % name] == 1
        assert got['onionmirror_probes_total{mirror="%s",verdict="ok"}' % name] >= 2
        assert got['onionmirror_descriptor_uploads_total{mirror="%s",result="ok"}' % name] == 16
        assert got['onionmirror_rotations_total{mirror="%s",cause="start",result="ok"}' % name] == 1
        assert got['onionmirror_probe_duration_seconds_count{mirror="%s",phase="total"}' % name] >= 2
        labels = '{name="%s",protocol="http",port="80",path="/health"}' % name
        assert got["onion_service_reachable" + labels] == 1 and got["onion_service_status_code" + labels] == 200
        assert 0 < got["onion_service_latency_seconds" + labels] < 20
    assert got["onionmirror_list_serial"] == site.serial()
    issued, valid = got["onionmirror_list_issued_timestamp_seconds"], got["onionmirror_list_valid_until_timestamp_seconds"]
    assert abs(issued - time.time()) < 60 and 604800 - 3600 < valid - issued <= 604800, valid - issued
    assert got['onionmirror_certificate_expiry_timestamp_seconds{certificate="root"}'] > time.time()
    assert got["onionmirror_store_write_seconds_count"] > 5 and got["onionmirror_up"] == 1
    with process.Rpc(site) as r:
        until("a client is counted", 5, lambda: values(scrape(where))["onionmirror_control_clients"] == 1)
        assert set(values(r.result("metrics")["text"])) == set(values(scrape(where))), "the control socket gives the same"


def promtool_has_nothing_to_say(site):
    text = scrape(site.dir + "/metrics")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout + done.stderr == "", done.stdout + done.stderr


def no_address_is_told_unless_asked(site):
    where = site.dir + "/metrics"
    assert not re.search(r"[a-z2-7]{56}", scrape(where))
    site.set('listen = "unix:%s" addresses = on' % where)
    told = until("addresses", 5, lambda: re.findall(r'onion_service_reachable{name="(\w+)",address="([a-z2-7]{56})\.onion"', scrape(where)))
    assert dict(told) == site.listed()
    site.set('listen = "unix:%s"' % where)
    until("no addresses", 5, lambda: not re.search(r"[a-z2-7]{56}", scrape(where)))


def a_lost_mirror_and_a_rotation_are_told(site):
    where, lost = site.dir + "/metrics", site.listed()["north"]
    site.tor.refuse.add(lost)
    until("refused probes", 20, lambda: values(scrape(where))['onionmirror_probes_total{mirror="north",verdict="intro"}'] >= 1)
    until("replaced", 40, lambda: values(scrape(where))['onionmirror_rotations_total{mirror="north",cause="takedown",result="ok"}'] == 1)
    got = values(scrape(where))
    assert got["onionmirror_rotation_duration_seconds_count"] == 4
    # The first probes of all follow on what tor says; by now others have come in their turn.
    assert got["onionmirror_delay_seconds_count"] > 5
    assert got["onionmirror_rotation_budget_left"] == got["onionmirror_rotation_budget"] - 1
    until("well again", 20, site.listed)


def other_requests_get_the_right_refusal(site):
    where = site.dir + "/metrics"
    for request, status in ((b"GET / HTTP/1.0\r\n\r\n", 404), (b"GET /metrics?x HTTP/1.0\r\n\r\n", 404), (b"GET /metrics/.. HTTP/1.0\r\n\r\n", 404),
                            (b"POST /metrics HTTP/1.0\r\n\r\n", 405), (b"DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 405),
                            (b"GET /metrics HTTP/1.1\r\n\r\n", 400), (b"\x16\x03\x01\x02", 400), (b"GET /" + b"a" * 8187, 414)):
        got = ask(where, request)
        assert got[0] == status and "onionmirror_" not in got[2], "%r: %d" % (request[:40], got[0])
    assert ask(where, b"POST /metrics HTTP/1.0\r\n\r\n")[1]["allow"] == "GET, HEAD"
    head = ask(where, b"HEAD /metrics HTTP/1.0\r\n\r\n")
    assert head[0] == 200 and head[2] == "" and int(head[1]["content-length"]) > 1000


def a_hundred_idle_clients_lock_nobody_out(site):
    where = site.dir + "/metrics"
    held = [connect(where) for _ in range(100)]
    try:
        for s in held:
            try:
                s.sendall(b"GET /metr")
            except (BrokenPipeError, ConnectionResetError):
                pass  # one of the oldest, which had to go for the newer ones
        assert "onionmirror_up 1" in scrape(where)
    finally:
        for s in held:
            s.close()


def loopback_and_its_change_by_a_reload(site):
    port = free_port()
    site.set_anew('listen = "127.0.0.1:%d"' % port)
    for inside in ('addresses = off', 'listen = "127.0.0.1:%d"' % port):
        site.set(inside)
    assert "onionmirror_up 1" in scrape(port)
    assert not os.path.exists(site.dir + "/metrics"), "the unix socket is gone"
    site.set("addresses = off")
    try:
        connect(port)
    except ConnectionRefusedError:
        pass
    else:
        raise AssertionError("it still listens")


def the_file_is_replaced_as_a_whole_and_goes_with_the_daemon(site):
    path = site.dir + "/onionmirror.prom"
    site.set_anew('textfile = "%s"' % path)
    until("the file", 10, lambda: os.path.exists(path))
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644
    first = os.stat(path).st_ino
    with open(path) as f:
        done = subprocess.run(["promtool", "check", "metrics"], stdin=f, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout + done.stderr == "", done.stdout + done.stderr
    began = time.monotonic()
    site.cli("publish", "--wait")
    until("another file", 20, lambda: os.stat(path).st_ino != first)
    assert [n for n in os.listdir(site.dir) if ".prom" in n] == ["onionmirror.prom"], "nothing is left beside it"
    assert time.monotonic() - began < 17
    site.stop()
    assert not os.path.exists(path), "old numbers would look like new ones"


def a_file_that_cannot_be_written_is_told_once(site):
    site.inside = 'textfile = "%s/later/m.prom"' % site.dir
    site.write_conf()
    os.makedirs(site.dir + "/later/m.prom")
    site.started()
    site.wait_log("metrics, textfile: ")
    os.rmdir(site.dir + "/later/m.prom")
    until("written once it can be", 20, lambda: os.path.exists(site.dir + "/later/m.prom"))
    assert site.log().count("error: metrics, textfile: ") == 1, site.log_tail()
    site.wait_log("is written again")
    site.stop()


def passed(site, sockets, names):
    """Starts it as a service manager does: sockets from 3 on."""
    fds = [s.fileno() for s in sockets]
    code = ("import os, sys\n"
            "fds = [int(f) for f in sys.argv[1].split(',')]\n"
            "high = [os.dup2(f, 100 + i) for i, f in enumerate(fds)]\n"
            "for i, f in enumerate(high): os.dup2(f, 3 + i, inheritable=True)\n"
            "os.closerange(100, 200)\n"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=sys.argv[2])\n"
            "os.execv(sys.argv[3], sys.argv[3:])\n")
    log = open(site.dir + "/daemon.log", "ab")
    site.process = subprocess.Popen([sys.executable, "-c", code, ",".join(map(str, fds)), names, process.DAEMON, "-f", site.conf],
                                    stdout=log, stderr=log, pass_fds=fds)
    site.wait_control()


def a_passed_socket_is_used_instead_of_the_configured_one(site):
    path = site.dir + "/passed.sock"
    site.inside = 'listen = "unix:%s/metrics"' % site.dir
    site.write_conf()
    other, unix, tcp = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX), socket.socket()
    other.bind(site.dir + "/other.sock")
    other.listen()
    unix.bind(path)
    unix.listen()
    tcp.bind(("127.0.0.1", 0))
    tcp.listen()
    passed(site, [other, unix, tcp], "control:metrics:metrics")
    for where in (path, tcp.getsockname()[1]):
        assert "onionmirror_up 1" in scrape(where)
    assert not os.path.exists(site.dir + "/metrics")
    site.stop()
    assert os.path.exists(path), "it is the manager's"
    for s in (other, unix, tcp):
        s.close()


def a_passed_socket_that_is_open_to_the_world_is_refused(site):
    world = socket.socket()
    world.bind(("0.0.0.0", 0))
    world.listen()
    passed(site, [world], "metrics")
    site.wait_log("neither a unix socket nor on loopback")
    assert "onionmirror_up 1" in scrape(site.dir + "/metrics"), "the configured one does"
    site.stop()
    world.close()


def a_taken_port_is_told_at_start(site):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        site.inside = 'listen = "127.0.0.1:%d"' % s.getsockname()[1]
        site.write_conf()
        site.refused("metrics, listen", "127.0.0.1")


def cpu_ms(site):
    with open("/proc/%d/schedstat" % site.process.pid) as f:
        return int(f.read().split()[0]) / 1e6


class Large(Site):
    def conf_text(self, names=None):
        return super().conf_text(names).replace("max-mirrors = 100", "max-mirrors = 1000").replace("interval = 3s", "interval = 1h")


def a_hundred_mirrors_cost_little(tor):
    """Also a measurement: what a scrape takes, and what it holds up."""
    names = ["m%d" % i for i in range(int(os.environ.get("MIRRORS", "100")))]
    site = Large(tor, names=names)
    try:
        site.started()
        site.wait_listed(120)
        where, took, worst, began_cpu = site.dir + "/metrics", [], 0, cpu_ms(site)
        with process.Rpc(site) as r:
            for _ in range(5):
                time.sleep(1.05)  # behind the second that a text is kept
                s = connect(where)
                s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                began = time.monotonic()
                r.result("status")  # waits behind the scrape
                worst = max(worst, time.monotonic() - began)
                while s.recv(1 << 20):
                    pass
                took.append(time.monotonic() - began)
                s.close()
            used = (cpu_ms(site) - began_cpu) / 5
            text = scrape(where)
            said = r.call("metrics")
        assert said["error"]["data"]["reason"] == "too-large" or len(names) < 80, "its answers have bounds"
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        of_mirrors = [line for line in lines if re.search(r'[{,](mirror|name)="', line)]
        assert len(of_mirrors) == 125 * len(names), len(of_mirrors) / len(names)
        print("# %d mirrors: %d samples, %d KiB; a scrape takes %.0f ms, of them %.0f of the processor's; a call that comes with it waits %.0f ms" % (
            len(names), len(lines), len(text) // 1024, 1000 * max(took), used, 1000 * worst), flush=True)
        assert worst < 2, "a scrape holds up everything for %.1f s" % worst
    finally:
        site.close()


def main():
    assert shutil.which("promtool"), "promtool is missing: contrib/install-deps.sh test"
    cases = om.Cases()
    folder = tempfile.mkdtemp(prefix="omt-", dir="/tmp")
    os.mkdir(folder + "/a")
    os.mkdir(folder + "/b")
    tor, big = faketor.FakeTor(folder + "/a"), faketor.FakeTor(folder + "/b")
    site = Site(tor)
    try:
        for function in (the_unix_socket_tells_of_every_mirror, promtool_has_nothing_to_say, no_address_is_told_unless_asked,
                         a_lost_mirror_and_a_rotation_are_told, other_requests_get_the_right_refusal, a_hundred_idle_clients_lock_nobody_out,
                         loopback_and_its_change_by_a_reload, the_file_is_replaced_as_a_whole_and_goes_with_the_daemon,
                         a_file_that_cannot_be_written_is_told_once, a_passed_socket_is_used_instead_of_the_configured_one,
                         a_passed_socket_that_is_open_to_the_world_is_refused, a_taken_port_is_told_at_start):
            cases.run(function, site)
        cases.run(the_rules_pass_their_own_tests)
        cases.run(a_hundred_mirrors_cost_little, big)
    finally:
        site.close()
        tor.stop()
        big.stop()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if cases.failed else 0)


if __name__ == "__main__":
    main()
