#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs every block of commands of contrib/doc/operator.md and reader.md, in order, in one shell a page, against a daemon
with a scripted tor. The folders of the pages become folders of the test; what needs systemd or another user is played by
functions of the shell. A block of a kind that is not known here is a failure, so none can be added unseen."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import process
from om import SRC, Shell, run_cases
from process import CLIENT, DAEMON

DOC = SRC + "/contrib/doc/"
# What a block's second word says; those not run here are run where it says, or need a machine that boots.
KINDS = {"": "run", "install": "the walk, contrib/doc/walk.md", "systemd": "needs a booted systemd", "locked": "run", "move": "run"}
SHELL = "client=(%s)\n" % " ".join("'%s'" % w for w in CLIENT) + r"""
set -eu
onionmirror() { "${client[@]}" -f "$conf" "$@"; }
onionmirrord() { "$daemon" -f "$conf" "$@"; }
runuser() { shift 3; case $* in "onionmirror init"*) "$@" --no-passphrase ;; *) "$@" ;; esac; }
journalctl() { grep -c . "$log" > /dev/null; }
start() {
	"$daemon" -f "$conf" >> "$log" 2>&1 &
	echo $! > "$pid"
	for _ in $(seq 400); do
		if [ -e "$publish/public/current/bundle.json" ] && onionmirror status > /dev/null 2>&1; then return 0; fi
		sleep 0.05
	done
	tail "$log"
	return 1
}
stop() { if [ -e "$pid" ]; then kill "$(cat "$pid")"; wait "$(cat "$pid")"; rm "$pid"; fi; }
systemctl() {
	case "$1 $2" in
	"enable --now") [ "$3" = onionmirrord ] && start ;;
	"restart onionmirrord") stop; start ;;
	"stop onionmirrord") stop ;;
	*) echo "systemctl $*: not known here"; return 1 ;;
	esac
}
"""


def blocks(page):
    """(line number, kind, commands) of each block marked sh; any other mark is an error."""
    found, kind, lines = [], None, []
    with open(DOC + page) as f:
        for n, line in enumerate(f.read().split("\n"), 1):
            if line.startswith("```") and kind is None:
                words = line[3:].split()
                if not words or words[0] != "sh" or " ".join(words[1:]) not in KINDS:
                    raise AssertionError("%s:%d: a block must be marked sh and its kind be known to this test" % (page, n))
                kind, lines, at = " ".join(words[1:]), [], n
            elif line.startswith("```"):
                found.append((at, kind, "\n".join(lines)))
                kind = None
            elif kind is not None:
                lines.append(line)
    assert kind is None and found, page
    return found


class Pages:
    """A site whose folders are those of the pages."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="omt-", dir="/tmp")
        self.tor = faketor.FakeTor(self.folder)
        self.site = process.Site(self.tor, names=("north", "south"), init=False)
        self.paths = [("/var/lib/onionmirror/offline", self.site.dir + "/keys"), ("/var/lib/onionmirror/publish", self.site.publish),
                      ("/var/lib/onionmirror", self.site.state), ("/etc/onionmirror/onionmirror.conf", self.site.conf),
                      ("/etc/onionmirror", self.site.dir), ("/root/", self.site.dir + "/"), ("-C / ", "-C %s " % self.site.dir),
                      ("var/lib/onionmirror", "state"), ("etc/onionmirror", "onionmirror.conf")]
        self.shell = Shell(self.site.dir, SHELL, conf=self.site.conf, daemon=DAEMON, log=self.site.dir + "/daemon.log", pid=self.site.dir + "/pid",
                           publish=self.site.publish, SITE="", HOME=self.site.dir)

    def map(self, text):
        # Each path once, the longest first; what a replacement brings in is not looked at again.
        table = dict(self.paths)
        pattern = "|".join(re.escape(p) for p in sorted(table, key=len, reverse=True))
        return re.sub(pattern, lambda m: table[m.group(0)], text)

    def run(self, page, at, text):
        try:
            return self.shell.run(self.map(text))
        except AssertionError as e:
            raise AssertionError("%s:%d: %s" % (page, at, e)) from e

    def close(self):
        try:
            # Also when a command ended the shell: its daemon goes on.
            if os.path.exists(self.site.dir + "/pid"):
                with open(self.site.dir + "/pid") as f:
                    os.kill(int(f.read()), signal.SIGTERM)
            self.shell.close()
        finally:
            self.site.close()
            self.tor.stop()
            shutil.rmtree(self.folder, ignore_errors=True)


def unlock_as_the_page_says(pages, text):
    """In a site of its own, which is locked."""
    site = process.Site(pages.tor, names=("north",), key="locked-start = on")
    try:
        site.started()
        read, write = os.pipe()
        os.write(write, b"a passphrase of the tests\n")
        os.close(write)
        words = text.strip().split(" ")
        assert words[0] == "onionmirror", text
        subprocess.run([*CLIENT, "-f", site.conf, *words[1:], "--passphrase-fd", str(read)], pass_fds=(read,), check=True, capture_output=True,
                       timeout=60)
        os.close(read)
        assert site.status()["locked"] is False
        site.stop()
    finally:
        site.close()


def every_command_of_the_operator_page_works(pages):
    ran = 0
    for at, kind, text in blocks("operator.md"):
        if KINDS[kind] != "run":
            continue
        if kind == "locked":
            unlock_as_the_page_says(pages, text)
        else:
            said = pages.run("operator.md", at, text)
            m = re.search(r"site id +(om1\w{52})", said)
            if m:
                pages.site.id = m.group(1)
                pages.shell.run("SITE=%s" % m.group(1))
            # A person reads on before he types.
            if "enable --now" in text or (ran > 3 and kind != "move"):
                pages.site.wait_listed(20)
        ran += 1
    assert ran >= 10, ran
    assert os.path.exists(pages.site.dir + "/onionmirror-state.tgz")


def every_command_of_the_reader_page_works(pages):
    """As a reader: with the list from a mirror's file, since a scripted tor has no list service of ours behind it."""
    reader = tempfile.mkdtemp(prefix="omr-")
    try:
        pages.shell.run("start")
        pages.site.wait_listed(20)
        address = pages.site.mirrors()["north"]["listed"]
        current = pages.site.publish + "/public/current"
        for name in os.listdir(current):
            shutil.copy(current + "/" + name, reader)
        shutil.copy(pages.site.dir + "/keys/member-main.pub", reader)
        client = " ".join("'%s'" % w for w in CLIENT)
        pages.shell.run("cd %s; unset -f onionmirror; onionmirror() { %s \"$@\"; }; SITE=%s ADDRESS=%s" % (reader, client, pages.site.id, address))
        ran = 0
        for at, _, text in blocks("reader.md"):
            text = text.replace('"http://$ADDRESS:8008/"', "bundle.json")
            said = pages.run("reader.md", at, text)
            if "is-mirror" in text:
                assert "yes" in said and ".onion" in said, said
            ran += 1
        assert ran == 3, ran
    finally:
        shutil.rmtree(reader, ignore_errors=True)


def a_block_without_a_mark_is_refused(pages):
    del pages
    global DOC
    was, DOC = DOC, tempfile.mkdtemp() + "/"
    try:
        for mark in ("", "shell", "sh unknown"):
            with open(DOC + "x.md", "w") as f:
                f.write("```%s\nfalse\n```\n" % mark)
            try:
                blocks("x.md")
            except AssertionError:
                continue
            raise AssertionError("taken: " + mark)
    finally:
        shutil.rmtree(DOC)
        DOC = was


def a_command_that_fails_is_seen(pages):
    shell = Shell(pages.site.dir, SHELL, conf=pages.site.conf, daemon=DAEMON, log="/dev/null", pid="/nonexistent", publish=pages.site.publish)
    try:
        shell.run("onionmirror no-such-verb 2> /dev/null")
    except AssertionError:
        return
    raise AssertionError("a wrong command passed")


if __name__ == "__main__":
    sys.exit(run_cases(Pages(), (every_command_of_the_operator_page_works, every_command_of_the_reader_page_works,
                                 a_block_without_a_mark_is_refused, a_command_that_fails_is_seen)))
