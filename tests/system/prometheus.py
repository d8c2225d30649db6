#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
# needs tor
"""A real Prometheus on the daemon of a private Tor network: by itself and through a real node_exporter. It loads
the rules, which say nothing while all is well; one alert is made to fire by stopping a backend, and ends with it; another by
killing the daemon. Every question of the dashboard has an answer."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import om
from om import until

RULES = om.SRC + "/contrib/prometheus/onionmirror.rules.yml"
DASHBOARD = om.SRC + "/contrib/grafana/onionmirror.json"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Prometheus:
    """Prometheus and node_exporter. The rules are those that we ship, with shorter waits."""

    def __init__(self, port):
        self.dir = tempfile.mkdtemp(prefix="om-prom-")
        self.textfiles = self.dir + "/textfiles"
        os.mkdir(self.textfiles)
        self.target, self.port, node = port, free_port(), free_port()
        with open(RULES) as f:
            rules = re.sub(r"\bfor: \d+m\b", "for: 2s", f.read())
        with open(self.dir + "/rules.yml", "w") as f:
            f.write(rules)
        with open(self.dir + "/prometheus.yml", "w") as f:
            f.write("global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\nscrape_configs:\n")
            for job, at in (("onionmirror", port), ("node", node)):
                f.write("- {job_name: %s, static_configs: [{targets: ['127.0.0.1:%d']}]}\n" % (job, at))
        log = open(self.dir + "/log", "ab")
        self.processes = [subprocess.Popen(words, stdout=log, stderr=log) for words in (
            ["prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile", "--collector.textfile.directory=" + self.textfiles,
             "--web.listen-address=127.0.0.1:%d" % node],
            ["prometheus", "--config.file=" + self.dir + "/prometheus.yml", "--storage.tsdb.path=" + self.dir + "/data",
             "--web.listen-address=127.0.0.1:%d" % self.port])]

    def get(self, path, **params):
        url = "http://127.0.0.1:%d/api/v1/%s?%s" % (self.port, path, urllib.parse.urlencode(params))
        with urllib.request.urlopen(url, timeout=10) as r:
            said = json.load(r)
        assert said["status"] == "success", said
        return said["data"]

    def ask(self, expression):
        """[(labels, value)]"""
        return [(r["metric"], float(r["value"][1])) for r in self.get("query", query=expression)["result"]]

    def firing(self):
        """{alert: [labels]}"""
        found = {}
        for a in self.get("alerts")["alerts"]:
            if a["state"] == "firing":
                found.setdefault(a["labels"]["alertname"], []).append(a["labels"])
        return found

    def is_ready(self):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/-/ready" % self.port, timeout=2) as r:
                return r.status == 200
        except OSError:
            return False

    def stop(self):
        for p in self.processes:
            p.terminate()
        for p in self.processes:
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def it_scrapes_the_daemon_and_the_file(site, prom):
    site.start()
    site.wait_listed()
    until("Prometheus is ready", 30, prom.is_ready)
    until("both targets up", 20, lambda: [t["health"] for t in prom.get("targets")["activeTargets"]] == ["up", "up"])
    until("all mirrors up", 20, lambda: [v for m, v in prom.ask('onionmirror_mirrors{state="up",job="onionmirror"}')] == [3])
    until("the same from the file", 30, lambda: [v for m, v in prom.ask('onionmirror_mirrors{state="up",job="node"}')] == [3])
    assert prom.ask('node_textfile_mtime_seconds{file=~".*onionmirror[^/]*[.]prom"}'), "the rule for the file does not find it"
    assert [t["lastError"] for t in prom.get("targets")["activeTargets"]] == ["", ""]


def promtool_has_nothing_to_say(site, prom):
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % prom.target, timeout=10) as r:
        text = r.read()
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    assert done.returncode == 0 and done.stdout + done.stderr == b"", (done.stdout + done.stderr).decode()


def the_rules_are_loaded_and_quiet_while_all_is_well(site, prom):
    with open(RULES) as f:
        names = re.findall(r"- alert: (\w+)", f.read())
    said = until("rules", 10, lambda: [r for g in prom.get("rules")["groups"] for r in g["rules"] if r["health"] == "ok"])
    assert sorted(r["name"] for r in said) == sorted(names) and len(names) >= 8, said
    until("quiet, once it is told that all is well", 10, lambda: prom.firing() == {})
    end = time.monotonic() + 8  # longer than the shortened wait of any
    while time.monotonic() < end:
        assert prom.firing() == {}, prom.firing()
        time.sleep(0.5)


def a_stopped_backend_fires_and_its_return_resolves(site, prom):
    site.backends["east"].stop()
    fired = until("an alert", 60, lambda: prom.firing().get("OnionmirrorMirrorDown"), 0.3)
    assert {a["mirror"] for a in fired} == {"east"} and fired[0]["severity"] == "warning", fired
    down = [a for a in prom.get("alerts")["alerts"] if a["labels"]["alertname"] == "OnionmirrorMirrorDown"]
    assert down[0]["annotations"]["summary"] == "mirror east is down"
    assert not set(prom.firing()) - {"OnionmirrorMirrorDown"}, prom.firing()
    site.backends["east"].start()
    until("its end", 90, lambda: "OnionmirrorMirrorDown" not in prom.firing(), 0.3)
    site.wait_listed()


def every_question_of_the_dashboard_has_an_answer(site, prom):
    site.cli("rotate", "north", "--wait")
    with open(DASHBOARD) as f:
        dashboard = json.load(f)
    questions = [(p["title"], t["expr"]) for p in dashboard["panels"] for t in p["targets"]]
    assert len(questions) >= 20
    for title, expression in questions:
        for name, value in (("$instance", ".*"), ("$mirror", ".*"), ("$window", "3m")):
            expression = expression.replace(name, value)
        assert "$" not in expression, expression
        until("an answer to %s: %s" % (title, expression), 10, lambda e=expression: prom.ask(e))
    assert len({p["id"] for p in dashboard["panels"]}) == len(dashboard["panels"])
    for v in dashboard["templating"]["list"]:
        if v["type"] == "query":
            series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", v["definition"]).groups()
            assert all(label in m for m, _ in prom.ask(series.replace("$instance", ".*"))), v["name"]


def it_was_up_all_the_while(site, prom):
    until("two minutes of scrapes", 120, lambda: prom.ask('count_over_time(up{job="onionmirror"}[5m])')[0][1] >= 120, 0.5)
    (_, least), = prom.ask('min_over_time(up{job="onionmirror"}[5m])')
    (_, scrapes), = prom.ask('count_over_time(up{job="onionmirror"}[5m])')
    (_, slowest), = prom.ask('max_over_time(scrape_duration_seconds{job="onionmirror"}[5m])')
    print("# %d scrapes, the slowest took %.0f ms" % (scrapes, 1000 * slowest), flush=True)
    assert least == 1


def a_killed_daemon_is_told(site, prom):
    site.kill()
    until("an alert", 30, lambda: any(a.get("job") == "onionmirror" for a in prom.firing().get("OnionmirrorGone", [])), 0.3)


def test(net, cases):
    for program in ("prometheus", "promtool", "prometheus-node-exporter"):
        assert shutil.which(program), program + " is missing: contrib/install-deps.sh test"
    prom = Prometheus(free_port())
    try:
        site = om.Site(net, ["north", "south", "east"], more='metrics { listen = "127.0.0.1:%d" textfile = "%s/onionmirror.prom" }\n' % (
            prom.target, prom.textfiles))
        try:
            for function in (it_scrapes_the_daemon_and_the_file, promtool_has_nothing_to_say, the_rules_are_loaded_and_quiet_while_all_is_well,
                             a_stopped_backend_fires_and_its_return_resolves, every_question_of_the_dashboard_has_an_answer, it_was_up_all_the_while,
                             a_killed_daemon_is_told):
                cases.run(function, site, prom)
        finally:
            site.close()
    finally:
        prom.stop()


if __name__ == "__main__":
    om.main(test)
