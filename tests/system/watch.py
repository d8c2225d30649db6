#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`watch` and `rotate --wait` on a terminal (tmux), with a scripted tor: keys, sizes, a rotation
seen live, and a terminal that is as it was whatever ended the program."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import process
from om import Cases, until

PROMPT = "ready>"


class Terminal:
    """A shell in a window of tmux, 80 x 24."""

    def __init__(self, folder, lang="C.UTF-8"):
        self.socket = folder + "/tmux"
        self.env = dict(os.environ, LC_ALL=lang, TERM="xterm-256color", HISTFILE="/dev/null")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "exec sh -i")
        until("a prompt", 10, lambda: self.screen().strip())
        self.run("PS1='%s'; clear" % PROMPT)
        until("our prompt", 10, lambda: self.screen().strip() == PROMPT)
        self.clean = self.modes()

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-u", "-S", self.socket, *words], capture_output=True, text=True, env=self.env, timeout=20)
        if done.returncode != 0:
            raise AssertionError("tmux %s: %s" % (words[0], done.stderr.strip()))
        return done.stdout

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def run(self, *words):
        self.keys("-l", " ".join(words))
        self.keys("Enter")

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def see(self, *patterns, seconds=20):
        """Waits for a screen that has all of these, and returns it."""
        last = [""]

        def there():
            last[0] = self.screen()
            return all(re.search(p, last[0], re.M) for p in patterns)

        try:
            until("%s on the screen" % (patterns,), seconds, there, 0.05)
        except AssertionError as e:
            raise AssertionError("%s:\n%s" % (e, last[0]))
        return last[0]

    def size(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def tty(self):
        return self.tmux("display-message", "-p", "#{pane_tty}").strip()

    def modes(self):
        """How the terminal is set, and whether it shows the main screen and its cursor."""
        stty = subprocess.run(["stty", "-F", self.tty(), "-a"], capture_output=True, text=True, check=True).stdout
        # While it edits a line a shell may have modes of its own; rows and columns are the window's.
        return re.sub(r"rows \d+; columns \d+;", "", stty), self.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} #{wrap_flag}").strip()

    def is_clean(self):
        until("a prompt again", 10, lambda: self.screen().rstrip().split("\n")[-1].endswith(PROMPT), 0.05)
        until("the terminal as it was", 5, lambda: self.modes() == self.clean, 0.05)

    def child(self):
        """The program that runs in front."""
        shell = self.tmux("display-message", "-p", "#{pane_pid}").strip()

        def find():
            out = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", shell], capture_output=True, text=True).stdout
            found = [li.split()[0] for li in out.splitlines() if "onionmirror" in li]
            return int(found[0]) if found else None

        return until("the program", 5, find, 0.05)

    def end(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True)


def command(site, *words):
    return [*process.CLIENT, "-f", site.conf, *words]


def begin_watch(site, t, *before):
    t.run(*before, *command(site, "watch"))
    return t.see(r"MIRROR +STATE", r"^>north +up ", r"^ south +up ", r"^ east +up ", r"q quit")


def fits(text, columns, rows):
    lines = text.rstrip("\n").split("\n")
    assert len(lines) <= rows, "%d lines" % len(lines)
    assert all(len(li) <= columns for li in lines), text


def the_screen_tells_what_is(site, t):
    text = begin_watch(site, t)
    fits(text, 80, 24)
    for word in ("test  member main", "list     serial", "tor      main: up, fit", "ok ", "16/16", " UTC"):
        assert word in text, "no \"%s\" on:\n%s" % (word, text)
    assert re.search("[\u2581-\u2588]", text), "no sparkline:\n" + text
    t.see(re.escape(site.listed()["north"]) + r"\.onion")
    before = t.screen()
    t.keys("j")
    t.see(r"^>south", re.escape(site.listed()["south"]))
    t.keys("Down")
    t.see(r"^>east")
    t.keys("j")
    t.keys("Up")
    t.keys("k")
    t.see(r"^>north")
    assert before.split("\n")[0].split()[:3] == t.screen().split("\n")[0].split()[:3]
    assert t.screen().count("LATENCY") == 1, "an earlier frame shows through"


def it_follows_the_size_of_the_window(site, t):
    t.size(60, 12)
    fits(t.see(r"^>north", r"q quit"), 60, 12)
    t.size(132, 40)
    text = t.see(r"^>north", r"p probe")
    assert text.rstrip("\n").count("\n") == 39, "the keys are not on the last line:\n" + text
    t.size(20, 4)
    t.size(80, 24)
    fits(t.see(r"^>north", r"^ east", r"q quit"), 80, 24)


def a_rotation_is_asked_for_and_seen_live(site, t):
    before = site.listed()
    t.keys("r")
    t.see(r"rotate: a new address for north\? y: yes")
    t.keys("n")
    t.see(r"q quit")
    t.keys("r")
    t.keys("y")
    t.see(r"north +created: ", r"north +proved: ", r"north +listed: ", seconds=30)
    new = until("a new address", 20, lambda: site.listed().get("north") not in (None, before["north"]) and site.listed()["north"], 0.1)
    text = t.see(re.escape(new))
    assert site.listed()["south"] == before["south"], "what was not confirmed was done"
    fits(text, 80, 24)


def keys_steer_one_mirror(site, t):
    t.keys("j")
    t.keys("p")
    t.see(r"probe south: begun|south +probed: ")
    t.see(r"south +probed: ok")
    t.keys("m")
    t.see(r"^>south +maint ")
    t.keys("m")
    t.see(r"^>south +up ", seconds=30)
    t.keys("d")
    t.see(r"drain: .*south\? y: yes")
    t.keys("Escape")
    t.see(r"q quit")
    assert site.mirrors()["south"]["hold"] == "none"
    t.keys("k")
    t.see(r"^>north")


def it_is_back_when_the_daemon_is(site, t):
    site.stop()
    t.see(r"NOT CONNECTED", r"trying again", r"^>north")
    site.started()
    t.see(r"^>north +up ", r"q quit", seconds=30)
    assert "NOT CONNECTED" not in t.screen()


def q_gives_the_terminal_back(_site, t):
    t.keys("q")
    t.is_clean()
    t.run("echo", "code", "$?")
    t.see(r"^code 0")


def stopped_and_continued(site, t):
    begin_watch(site, t)
    t.keys("C-z")
    t.is_clean()
    t.run("fg")
    t.see(r"^>north +up ", r"q quit")
    child = t.child()
    os.kill(child, signal.SIGSTOP)  # which nobody can catch
    until("it stands still", 5, lambda: open("/proc/%d/stat" % child).read().split(") ")[1][0] == "T", 0.05)
    t.run("fg")
    t.see(r"^>north +up ", r"q quit")
    t.keys("q")
    t.is_clean()


def the_terminal_is_clean_whatever_ends_it(site, t):
    for how in (signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV, signal.SIGABRT, "C-c"):
        begin_watch(site, t, "env", "ASAN_OPTIONS=handle_segv=0:handle_abort=0")
        if isinstance(how, str):
            t.keys(how)
        else:
            os.kill(t.child(), how)
        t.is_clean()
        t.run("echo", "code", "$?")
        t.see(r"^code (1[2-9]\d|1)\b")
        t.run("clear")
        t.see(r"\A" + PROMPT)


def a_frame_that_changes_little_is_small(site, t):
    """What goes to the terminal in some seconds of a quiet site: not a whole screen each time."""
    path = site.dir + "/typescript"
    t.tmux("pipe-pane", "-o", "cat > " + path)
    begin_watch(site, t)
    first = os.path.getsize(path)
    until("some frames", 15, lambda: os.path.getsize(path) > first + 200, 0.1)
    # The clock changes each second: a line of 80 columns and its sequences.
    start, size = time.monotonic(), os.path.getsize(path)
    until("five seconds", 10, lambda: time.monotonic() - start > 5, 0.2)
    rate = (os.path.getsize(path) - size) / (time.monotonic() - start)
    assert rate < 900, "%d bytes a second" % rate
    t.keys("q")
    t.is_clean()
    t.tmux("pipe-pane")


def without_utf8_it_is_ascii(site, folder):
    os.makedirs(folder + "/c")
    t = Terminal(folder + "/c", lang="C")
    try:
        text = begin_watch(site, t)
        assert text.isascii(), text
        assert re.search(r"^>north .* \d+/\d+ +[x_.\-=+*%#]+$", text, re.M), text
        t.keys("q")
        t.is_clean()
    finally:
        t.end()


def it_ends_with_its_terminal(site, folder):
    os.makedirs(folder + "/gone")
    t = Terminal(folder + "/gone")
    try:
        begin_watch(site, t)
        child = t.child()
    finally:
        t.end()
    until("it has ended", 10, lambda: not os.path.exists("/proc/%d" % child), 0.05)


def rotate_wait_shows_steps_and_progress(site, t):
    t.run("clear")
    site.tor.answering.clear()
    t.run(*command(site, "rotate", "south", "--wait"))
    try:
        t.see(r" s +created ", r" s +uploaded ", r"^ +[0-9.]+ s +\.\.\. +south is rotating, 16 of 16 uploads$")
    finally:
        site.tor.answering.set()
    text = t.see(r" s +proved ", r" s +listed ", r"\n" + PROMPT)
    assert "..." not in text, "the line of progress is left behind:\n" + text
    t.is_clean()


def without_a_terminal_lines_are_plain(site, _t):
    out = site.cli("rotate", "east", "--wait").stdout
    assert "\033" not in out and "\r" not in out and "..." not in out, repr(out)
    for words, code in ((("watch",), 1), (("watch", "--json"), 2), (("watch", "north"), 2)):
        process.says(site.cli(*words, check=False), code)


def main():
    folder = tempfile.mkdtemp(prefix="omw-", dir="/tmp")
    cases = Cases()
    tor = faketor.FakeTor(folder)
    site = t = None
    try:
        site = process.Site(tor)
        site.started()
        site.wait_listed(20)
        t = Terminal(folder)
        for function in (the_screen_tells_what_is, it_follows_the_size_of_the_window, a_rotation_is_asked_for_and_seen_live,
                         keys_steer_one_mirror, it_is_back_when_the_daemon_is, q_gives_the_terminal_back, stopped_and_continued,
                         the_terminal_is_clean_whatever_ends_it, a_frame_that_changes_little_is_small,
                         rotate_wait_shows_steps_and_progress, without_a_terminal_lines_are_plain):
            cases.run(function, site, t)
        for function in (without_utf8_it_is_ascii, it_ends_with_its_terminal):
            cases.run(function, site, folder)
    finally:
        if t is not None:
            t.end()
        if site is not None:
            site.close()
        tor.stop()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if cases.failed else 0)


if __name__ == "__main__":
    main()
