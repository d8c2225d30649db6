#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs every command of onionmirror-keys(7), in its order, in one shell: with our
program and with stock minisign, against a daemon with a scripted tor. Then the
prompts for passphrases, on a terminal, and what the ceremony refuses."""

import glob
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import process
from om import SRC, Cases, Shell, converse, until
from process import CLIENT, DAEMON

PAGE = SRC + "/src/cli/onionmirror-keys.7"
# Keys without a passphrase, the test's configuration, and a daemon without systemd.
SHELL = r"""
set -e
onionmirror() {
	case "$1 $2" in
	"key new" | "member new") "${client[@]}" -f "$conf" "$@" --no-passphrase ;;
	*) "${client[@]}" -f "$conf" "$@" ;;
	esac
}
minisign() {
	case $1 in
	-G) command minisign "$@" -W > /dev/null ;;
	*) command minisign "$@" ;;
	esac
}
systemctl() {
	"$daemon" -f "$conf" >> "$log" 2>&1 &
	echo $! > "$pid"
	for _ in $(seq 400); do
		if [ -e "$publish/public/current/bundle.json" ]; then return 0; fi
		sleep 0.05
	done
	tail "$log"
	return 1
}
"""


def blocks():
    """(section, commands) of each literal block of the page."""
    found, section, lines = [], "", None
    with open(PAGE) as f:
        for line in f.read().split("\n"):
            if line.startswith(".Sh "):
                section = line[4:].lower()
            elif line.startswith(".Bd -literal"):
                lines = []
            elif line == ".Ed":
                found.append((section, "\n".join(lines)))
                lines = None
            elif lines is not None:
                for roff, text in (("\\&", ""), ("\\(aq", "'"), ("\\(ha", "^"), ("\\(ti", "~"), ("\\(ga", "`"), ("\\e", "\\")):
                    line = line.replace(roff, text)
                lines.append(line)
    return found


def alive(pid):
    """Not a zombie: its parent, the shell, may not have looked yet."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Ceremony:
    def __init__(self, tor):
        self.site = process.Site(tor, names=("north",), init=False)
        self.folder = tempfile.mkdtemp(prefix="omk-")
        site = self.site
        self.shell = Shell(self.folder, "client=(%s)\n%s" % (" ".join("'%s'" % w for w in CLIENT), SHELL), conf=site.conf, daemon=DAEMON,
                           log=site.dir + "/daemon.log", pid=site.dir + "/pid", publish=site.publish)

    def stop_daemon(self):
        path = self.site.dir + "/pid"
        if not os.path.exists(path):
            return
        with open(path) as f:
            pid = int(f.read())
        os.remove(path)
        os.kill(pid, signal.SIGTERM)
        until("the end of the daemon", 10, lambda: not alive(pid))

    def close(self):
        try:
            self.stop_daemon()
            self.shell.close()
        finally:
            self.site.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def local(self, text):
        return text.replace("/var/lib/onionmirror/publish", self.site.publish).replace("/var/lib/onionmirror", self.site.state)

    def bundle(self):
        with open(self.site.publish + "/public/current/bundle.json") as f:
            b = json.load(f)
        return json.loads(b["roots"][-1]["doc"]), json.loads(b["members"]["doc"]), [json.loads(h["doc"]) for h in b["heads"]]

    def lose_the_host(self):
        self.stop_daemon()
        shutil.copy(self.site.publish + "/public/current/mirrors.txt", self.folder)
        shutil.rmtree(self.site.state)
        shutil.rmtree(self.site.publish)
        os.remove(self.site.dir + "/master.key")

    def step(self, text):
        if "--new-epoch" in text:
            self.lose_the_host()
        said = self.shell.run(self.local(text))
        if "onionmirror reload" in text or "systemctl" in text:
            self.is_published()
        return said

    def is_published(self):
        """What is in the folder is what readers get, and they take it."""
        with open(self.folder + "/site/members.json") as f:
            members = json.load(f)
        root, published, heads = self.bundle()
        assert published == members, "members %d are published, not %d" % (published["seq"], members["seq"])
        assert root["version"] == len(glob.glob(self.folder + "/site/*.root.json")), root["version"]
        assert [h["members_seq"] for h in heads] == [members["seq"]], heads
        said = json.loads(self.site.cli("key", "show", "--json", self.folder + "/site/1.root.json").stdout)
        done = self.site.cli("verify", "--json", "--site", said["site"], self.site.publish + "/public/current")
        assert json.loads(done.stdout)["ok"], done.stdout


def page(cases, c):
    failed = []

    def block(text):
        said = c.step(text)
        if "base32" in text:
            shown = json.loads(c.site.cli("key", "show", "--json", c.folder + "/hand/1.root.json").stdout)
            assert said.strip() == shown["site"], (said, shown)
        if "certify site beta" in text:
            alarms = json.loads(c.site.cli("status", "--json").stdout)["alarms"]
            assert any("member beta has no head" in a for a in alarms), alarms

    for n, (section, text) in enumerate(blocks(), 1):
        if failed:
            break
        block.__name__ = "keys_7_block_%d_%s" % (n, section.replace(" ", "_"))
        before = cases.failed
        cases.run(block, text)
        failed = cases.failed != before


def every_verb_of_the_keys_group_is_on_the_page(c):
    with open(SRC + "/src/cli/verbs.c") as f:
        verbs = re.findall(r'\{ "([a-z ]+)", "keys"', f.read())
    text = "\n".join(t for _, t in blocks())
    assert len(verbs) > 8
    missing = [v for v in verbs if "onionmirror " + v not in text]
    assert not missing, missing


def the_end_is_a_new_epoch_that_revokes_the_old_addresses(c):
    root, _, heads = c.bundle()
    with open(c.folder + "/mirrors.txt") as f:
        old = re.findall(r"[a-z2-7]{56}\.onion", f.read())
    assert root["epoch"] == 2 and old, root
    assert [t["state"] for t in heads[0]["tombstones"]].count("revoked") == len(old), heads[0]["tombstones"]
    assert "prev" not in heads[0] or heads[0]["prev"]["serial"] < heads[0]["serial"]


def refused(c, words, *says):
    done = c.site.cli(*words, check=False)
    lines = done.stderr.strip().split("\n")
    assert done.returncode == 1 and len(lines) == 1, (words, done)
    for s in says:
        assert s in lines[0], lines[0]


def what_must_not_be_done_is_refused_with_one_line(c):
    at = c.folder + "/"
    before = process.tree(at)
    refused(c, ("key", "new", at + "alice", "--no-passphrase"), "alice.key exists", "never overwritten")
    refused(c, ("root", "sign", at + "site/members.json", at + "bob.key"), "not one of the keys")
    refused(c, ("root", "sign", at + "site/4.root.json", at + "alice.key"), "5.root.json")
    refused(c, ("root", "sign", at + "site/members.json", at + "alice.pub"), "readable or writable by others")
    refused(c, ("root", "new", at + "site", "--name", "x", at + "alice.pub"), "File exists")
    refused(c, ("root", "new", at + "x", "--name", "x", "--threshold", "2", at + "alice.pub"), "--threshold 2")
    refused(c, ("root", "new", at + "x", "--name", "x", at + "alice.pub", at + "alice.pub"), "same key")
    refused(c, ("root", "rotate", at + "site", "--days", "0"), "--days 0")
    refused(c, ("member", "certify", at + "site", "Main", at + "bob.pub"), "Main")
    refused(c, ("member", "certify", at + "site", "other", at + "member-main-3.pub"), "main has this key")
    refused(c, ("member", "remove", at + "site", "other"), "no member other")
    refused(c, ("member", "renew", at), "no 1.root.json")
    refused(c, ("site", "install", at + "solo"), "another site")
    refused(c, ("site", "install", at + "site", "--member-key", at + "alice.key"), "not the key of a member")
    assert process.tree(at) == before, "something was changed"


def an_older_folder_is_not_installed(c):
    at = c.folder + "/"
    shutil.copytree(at + "site", at + "older")
    c.shell.run("onionmirror member renew site; onionmirror root sign site/members.json alice.key\n"
                "onionmirror root sign site/members.json dave.key; onionmirror site install site")
    refused(c, ("site", "install", at + "older"), "in force is")
    c.shell.run("onionmirror member renew older; onionmirror root sign older/members.json erin.key")
    refused(c, ("site", "install", at + "older"), "not ready", "lacks signatures")
    c.shell.run("onionmirror root sign older/members.json dave.key; onionmirror member renew older\n"
                "onionmirror root sign older/members.json dave.key; onionmirror root sign older/members.json alice.key\n"
                "onionmirror site install older")
    # Whatever the numbers of its signature files were: enough of them are good.
    done = c.site.cli("site", "check", c.site.state + "/site")
    assert "ready" in done.stdout, done.stdout


def two_hosts_carry_each_others_lists(c, tor):
    c.shell.run("cp %s/site/*.json %s/site/*.minisig site/\nonionmirror key new member-gamma\n"
                "onionmirror member certify site gamma member-gamma.pub\nonionmirror root sign site/members.json alice.key\n"
                "onionmirror root sign site/members.json dave.key\nonionmirror site install site\nonionmirror reload" % ((c.site.state,) * 2))
    other = process.Site(tor, names=("south",), init=False)
    try:
        other.cli("site", "install", c.folder + "/site", "--member-key", c.folder + "/member-gamma.key")
        assert os.path.exists(other.state + "/import/member.key")
        other.started()
        assert not os.path.exists(other.state + "/import/member.key")
        other.wait_listed(30)
        for a, b in ((other, c.site), (c.site, other)):
            os.makedirs(b.state + "/site/bundles", exist_ok=True)
            shutil.copy(a.publish + "/public/current/bundle.json", b.state + "/site/bundles/other.json")
            b.cli("publish", "--wait")
        site = json.loads(c.site.cli("key", "show", "--json", c.folder + "/site/1.root.json").stdout)["site"]
        for s in (c.site, other):
            said = json.loads(s.cli("verify", "--json", "--site", site, s.publish + "/public/current").stdout)
            assert {m["name"]: m["status"] for m in said["members"]} == {"main": "ok", "gamma": "ok"}, said
            assert {m["member"] for m in said["mirrors"]} == {"main", "gamma"}, said
            assert not s.status()["alarms"], s.status()["alarms"]
    finally:
        other.close()


def the_folder_that_init_leaves_is_such_a_folder():
    site = process.Site("/nonexistent/tor", names=("north",))
    try:
        keys = site.dir + "/keys"
        site.cli("member", "renew", keys)
        site.cli("root", "sign", keys + "/members.json", keys + "/root-1.key")
        site.cli("site", "install", keys)
        with open(site.state + "/site/members.json") as f:
            assert json.load(f)["seq"] == 2
        assert len(glob.glob(site.state + "/site/members.json.*.minisig")) == 1, "the old signature is gone"
    finally:
        site.close()


def what_cant_be_put_in_place_leaves_no_key_and_what_begins_later_is_not_ready():
    site = process.Site("/nonexistent/tor", names=("north",))
    try:
        keys, waiting = site.dir + "/keys", site.state + "/import/member.key"
        os.unlink(waiting)
        site.cli("key", "new", keys + "/two", "--no-passphrase")
        site.cli("member", "certify", keys, "two", keys + "/two.pub")
        site.cli("root", "sign", keys + "/members.json", keys + "/root-1.key")
        before = process.tree(site.state)

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (350, 350))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        words = CLIENT + ["-f", site.conf, "site", "install", keys, "--member-key", keys + "/two.key"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, preexec_fn=limit)
        assert done.returncode == 1 and "File too large" in done.stderr and ".minisig" in done.stderr, done
        assert process.tree(site.state) == before, "something was left"
        subprocess.run(words, capture_output=True, timeout=60, check=True)
        assert os.path.exists(waiting)

        with open(keys + "/members.json") as f:
            members = json.load(f)
        two = [m for m in members["members"] if m["name"] == "two"][0]
        two["not_before"] = time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(time.time() + 3 * 3600))
        with open(keys + "/members.json", "w") as f:
            f.write(json.dumps(members, sort_keys=True, separators=(",", ":")) + "\n")
        for signature in glob.glob(keys + "/members.json.*.minisig"):
            os.unlink(signature)
        site.cli("root", "sign", keys + "/members.json", keys + "/root-1.key")
        done = site.cli("site", "check", keys, check=False)
        assert done.returncode == 1 and "the certificate of two begins " + two["not_before"] in done.stdout, done
    finally:
        site.close()


def passphrases_are_asked_for_and_are_minisigns(c):
    secret = "correct horse battery"
    folder = tempfile.mkdtemp(prefix="omp-")
    try:
        code, shown = converse(CLIENT + ["key", "new", "k"], folder, [("Passphrase", secret), ("Again", secret)])
        assert code == 0 and secret not in shown, shown
        code, shown = converse(CLIENT + ["root", "new", "s", "--name", "x", "k.pub"], folder, [])
        assert code == 0, shown
        code, shown = converse(CLIENT + ["root", "sign", "s/1.root.json", "k.key"], folder, [("Passphrase", "not the right one")])
        assert code == 1 and not os.path.exists(folder + "/s/1.root.json.1.minisig"), shown
        code, shown = converse(CLIENT + ["root", "sign", "s/1.root.json", "k.key"], folder, [("Passphrase", secret)])
        assert code == 0 and "1 of the 1" in shown and secret not in shown, shown
        # The stock tool opens our sealed key with the same passphrase, and signs as we do.
        comment = open(folder + "/s/1.root.json.1.minisig").read().split("\n")[2][len("trusted comment: "):]
        code, shown = converse(["minisign", "-S", "-H", "-s", "k.key", "-m", "s/1.root.json", "-x", "two", "-t", comment], folder,
                               [("Password", secret)])
        assert code == 0, shown
        ours, theirs = (open(folder + n).read().split("\n")[1:] for n in ("/s/1.root.json.1.minisig", "/two"))
        assert ours == theirs, "the same key, document and comment give the same signature"
        # By descriptor, of a key that the stock tool sealed.
        code, shown = converse(["minisign", "-G", "-p", "m.pub", "-s", "m.key"], folder, [("Password:", secret), ("Password (one", secret)])
        assert code == 0, shown
        read, write = os.pipe()
        os.write(write, secret.encode() + b"\n")
        os.close(write)
        done = subprocess.run(CLIENT + ["key", "show", "m.key", "--passphrase-fd", str(read)], cwd=folder, pass_fds=(read,), capture_output=True, text=True,
                              timeout=60)
        os.close(read)
        with open(folder + "/m.pub") as f:
            assert f.read().split("\n")[1] in done.stdout, done
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    cases = Cases()
    folder = tempfile.mkdtemp(prefix="omt-", dir="/tmp")
    tor = faketor.FakeTor(folder)
    c = Ceremony(tor)
    try:
        page(cases, c)
        for function in (every_verb_of_the_keys_group_is_on_the_page, the_end_is_a_new_epoch_that_revokes_the_old_addresses,
                         what_must_not_be_done_is_refused_with_one_line, an_older_folder_is_not_installed,
                         passphrases_are_asked_for_and_are_minisigns):
            cases.run(function, c)
        os.makedirs(folder + "/second")
        second = faketor.FakeTor(folder + "/second")
        cases.run(two_hosts_carry_each_others_lists, c, second)
        second.stop()
        cases.run(the_folder_that_init_leaves_is_such_a_folder)
        cases.run(what_cant_be_put_in_place_leaves_no_key_and_what_begins_later_is_not_ready)
    finally:
        c.close()
        tor.stop()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if cases.failed else 0)


if __name__ == "__main__":
    main()
