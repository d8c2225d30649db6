#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The daemon as a process that is not allowed to go on: killed before any of its side effects, without memory at any
allocation, with other things than files in its folders; and its memory searched for secrets. torture.c is loaded into it,
so it wants a build without sanitizers. `--full`: at each place, not at some of them. Names of cases run only these."""

import base64
import mmap
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import process
from om import until

ALLOCS, EFFECTS, FAIL_AT, FAIL_TO, KILL_AT, FAILED = range(6)
FULL = "--full" in sys.argv
HERE = os.path.dirname(os.path.realpath(__file__))
SHIM = None
# How the daemon ends when it has no memory at its start; 127 is the loader's.
NO_MEMORY = (1, 127)
# libConfuse's lexer ends the process by itself, and in these words.
LEXER = {2: ("out of dynamic memory in yy",), -signal.SIGABRT: ("cfg_qstring' failed", "Unexpected error.")}


# libseccomp goes on without memory: it crashes, or makes a filter that lacks calls, and then the kernel ends the process or lets
# none of its calls through (which a service manager's time limit ends).
WITHOUT_FILTER = (-signal.SIGSEGV, -signal.SIGSYS, -signal.SIGABRT)


class Board:
    """The words between us and the daemon, see struct board."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as f:
            f.write(bytes(48))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 48)

    def __getitem__(self, i):
        return struct.unpack_from("=Q", self.map, i * 8)[0]

    def __setitem__(self, i, v):
        struct.pack_into("=Q", self.map, i * 8, v)

    def clear(self):
        for i in range(6):
            self[i] = 0

    def env(self):
        return dict(os.environ, LD_PRELOAD=SHIM, TORTURE=self.path)


class Site(process.Site):
    """With the shim in its daemon."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.board = Board(self.dir + "/board")

    def start(self):
        log = open(self.dir + "/daemon.log", "ab")
        self.process = subprocess.Popen([process.DAEMON, "-f", self.conf], stdout=log, stderr=log, env=self.board.env())
        log.close()

    def unconfined(self):
        with open(self.conf) as f:
            text = f.read()
        with open(self.conf, "w") as f:
            f.write(text.replace("sandbox = %s\n" % process.om.SANDBOX, "sandbox = off\n"))

    def lives(self):
        return self.process is not None and self.process.poll() is None

    def settled(self):
        """Started if need be, listed, and the list is whole; nothing in tor that is not recorded."""
        self.board.clear()
        if self.lives():
            try:
                process.Rpc(self).close()
            except OSError:  # it was dying when the word was taken back
                until("it ends", 10, lambda: not self.lives(), 0.01)
        if not self.lives():
            self.started()
        listed = self.wait_listed(30)
        assert self.published() == set(listed.values()), "listed is not what readers see"
        recorded = {o["onion"][:56] for o in self.onions() if o["state"] not in ("gone", "failed")}
        assert set(self.tor.detached()) <= recorded, "tor has an onion that nothing is recorded of"
        self.watcher.check()
        return listed


def sample(last, how_many, every=FULL):
    """Numbers from 1 to `last`: dense at first, where the start is; with --full all of them."""
    if every or last <= how_many:
        return list(range(1, last + 1))
    return sorted({1 + (last - 1) * i // (how_many - 1) for i in range(how_many)})


def in_parallel(work, things, threads=6):
    """work(thing) for each; the first few failures are raised together."""
    things, faults, lock = list(things), [], threading.Lock()

    def loop():
        while True:
            with lock:
                if not things or len(faults) > 4:
                    return
                thing = things.pop(0)
            try:
                work(thing)
            except Exception as e:  # told with its place
                with lock:
                    faults.append("%s: %s: %s" % (thing, type(e).__name__, e))

    all_of_them = [threading.Thread(target=loop) for _ in range(threads)]
    for t in all_of_them:
        t.start()
    for t in all_of_them:
        t.join()
    assert not faults, "\n".join(faults)


# --- killed ---------------------------------------------------------------------------------------------


def killed(site):
    """Waits until it was, or False: it never came to that place."""
    def over():
        return not site.lives() or site.listed()

    until("it dies or is ready", 30, over, 0.1)
    if site.lives():
        return False
    assert site.process.returncode == -signal.SIGKILL, "it ended with %d: %s" % (site.process.returncode, site.log_tail(3))
    return True


def with_site(tors, work):
    tor = tors.new()
    site = Site(tor, names=("north",))
    try:
        return work(site)
    finally:
        site.close()
        tor.stop()


def a_first_start_that_dies_anywhere_converges(tors):
    def count(site):
        site.settled()
        return site.board[EFFECTS]

    last, deaths = with_site(tors, count), []

    def die(k):
        def work(site):
            site.board[KILL_AT] = k
            site.start()
            deaths.append(killed(site))
            if k % 3 == 0 and deaths[-1]:  # and again while it recovers
                site.board.clear()
                site.board[KILL_AT] = 1 + k % 61
                site.start()
                deaths.append(killed(site))
            site.settled()

        with_site(tors, work)

    in_parallel(die, sample(last, 36))
    assert sum(deaths) >= len(deaths) // 2, "it hardly ever died"
    print("# %d side effects of a first start, %d deaths" % (last, sum(deaths)))


def a_publication_that_dies_anywhere_leaves_the_old_list_or_the_new_one(tors):
    def work(site):
        site.settled()
        before = site.board[EFFECTS]
        with process.Rpc(site) as r:
            r.result("publish")
        until("published", 10, lambda: len(site.watcher.seen) > 1, 0.02)
        last, deaths = site.board[EFFECTS] - before, 0
        for k in sample(last, 24):
            was = site.current()
            site.board[KILL_AT] = site.board[EFFECTS] + k
            try:
                with process.Rpc(site) as r:
                    r.call("publish")
                until("it dies", 2, lambda: not site.lives(), 0.01)
            except (OSError, AssertionError, ValueError):
                pass
            deaths += not site.lives()
            site.published()
            site.board.clear()
            if not site.lives():
                assert site.process.returncode == -signal.SIGKILL, site.log_tail(3)
                site.started()
            site.published()
            until("the next one comes through", 10, lambda: "result" in process.Rpc(site).call("publish"), 0.05)
            until("it is another list", 10, lambda: site.current() != was, 0.02)
        site.settled()
        assert deaths > 5
        print("# about %d side effects of a publication, %d deaths" % (last, deaths))

    with_site(tors, work)


# --- without memory ---------------------------------------------------------------------------------------


class Hangs(AssertionError):
    pass


def end_of_start(site):
    """Waits for the end of the process, or until it serves: then it is asked to stop. (exit code, what it said, it served)."""
    if os.path.lexists(site.dir + "/run/control.sock"):
        os.unlink(site.dir + "/run/control.sock")
    p = subprocess.Popen([process.DAEMON, "-f", site.conf], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=site.board.env())
    served, end = False, time.monotonic() + 20
    while p.poll() is None and time.monotonic() < end:
        if os.path.exists(site.dir + "/run/control.sock"):
            served = True
            p.terminate()
            break
        time.sleep(0.005)
    try:
        said = p.communicate(timeout=20)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        p.kill()
        raise Hangs("it neither serves nor ends: %s" % p.communicate()[0]) from None
    return p.returncode, said, served


def a_start_without_memory_ends_with_one_line_and_loses_nothing(_):
    starts_without_memory(False, 100)


def a_start_without_memory_under_the_sandbox_loses_nothing(_):
    starts_without_memory(True, 30)


def starts_without_memory(confined, how_many):
    template = Site("/nonexistent/tor", names=("north",))
    copies, lock, ends = [], threading.Lock(), {}
    try:
        if not confined:
            template.unconfined()
        code, said, served = end_of_start(template)
        assert code == 0 and served, said
        last = template.board[ALLOCS]
        shutil.rmtree(template.state)
        shutil.rmtree(template.publish, ignore_errors=True)
        template.cli("init", "--keys", template.dir + "/other-keys", "--no-passphrase")
        for _ in range(4):
            copies.append(Site("/nonexistent/tor", names=("north",), init=False))
            if not confined:
                copies[-1].unconfined()

        def fail(n):
            with lock:
                site = copies.pop()
            try:
                shutil.rmtree(site.state, ignore_errors=True)
                shutil.copytree(template.state, site.state)
                shutil.copy(template.dir + "/master.key", site.dir + "/master.key")
                site.board.clear()
                site.board[FAIL_AT], site.board[FAIL_TO] = n, n if n % 2 else 1 << 40
                try:
                    code, said, served = end_of_start(site)
                except Hangs:
                    if not confined:
                        raise
                    code, said, served = WITHOUT_FILTER[0], "", False
                if any(words in said for words in LEXER.get(code, ())):
                    code = 1
                if confined and code in WITHOUT_FILTER:
                    code, said = 1, "without memory"
                # What came of it may be told too, but the last line is the reason.
                lines = [li for li in said.splitlines() if ": warning: " not in li and ": notice: " not in li and ": info: " not in li]
                assert code in NO_MEMORY + ((0,) if served else ()), "exit %d: %s" % (code, said)
                assert code == 0 or len(lines) == 1 or (lines and "memory" in lines[-1]), "%d lines: %s" % (len(lines), said)
                site.board.clear()
                again, said, served = end_of_start(site)
                assert again == 0 and served, "the next start ends with %d: %s" % (again, said)
                with lock:
                    ends[code] = ends.get(code, 0) + 1
            finally:
                with lock:
                    copies.append(site)

        in_parallel(fail, sample(last, how_many), len(copies))
        print("# %d allocations of a start; ends: %s" % (last, ends))
        assert ends.get(1, 0) > len(sample(last, how_many)) // 4
    finally:
        for site in copies + [template]:
            site.close()


REQUESTS = (("status", None), ("mirrors", None), ("onions", None), ("publish", None), ("rotate", {"mirror": "north"}),
            ("check", {"mirror": "north"}), ("history", {"table": "probes", "after": 0}), ("metrics", None))


def a_request_without_memory_is_dropped_and_nothing_breaks(tors):
    counts = {"answered": 0, "refused": 0, "cut": 0, "ended": 0}

    def ask(site, method, params):
        try:
            with process.Rpc(site) as r:
                got = r.call(method, params)
        except (OSError, ValueError):
            return "cut"
        return "cut" if got is None else "answered" if "result" in got else "refused"

    def work(site):
        site.settled()
        for method, params in REQUESTS:
            before = site.board[ALLOCS]
            ask(site, method, params)
            last = max(site.board[ALLOCS] - before, 10)
            for n in sample(min(last, 3000), 5, FULL and last < 400):
                for span in (0, 1000):
                    site.board[FAILED] = 0
                    site.board[FAIL_TO] = site.board[ALLOCS] + n + span
                    site.board[FAIL_AT] = site.board[ALLOCS] + n
                    counts[ask(site, method, params)] += 1
                    site.board[FAIL_AT] = 0
                    # It has ended if our own part of it was without memory: that is for the supervisor.
                    try:
                        process.Rpc(site).close()
                    except OSError:
                        until("it ends", 10, lambda: not site.lives(), 0.01)
                    if not site.lives():
                        counts["ended"] += 1
                        code = site.process.returncode
                        assert code == 1, "%s %d: ended with %d: %s" % (method, n, code, site.log_tail(3))
                        assert "memory" in site.log_tail(6), "%s %d: %s" % (method, n, site.log_tail(6))
                        site.board.clear()
                        site.started()
            if os.path.exists(site.publish + "/public/current"):
                site.published()
        site.settled()

    with_site(tors, work)
    print("# requests without memory: %s" % counts)
    # Many an allocation can be done without, and of the others most can be told about.
    assert counts["answered"] > 5 and counts["refused"] > 5


# --- secrets ----------------------------------------------------------------------------------------------------


def forms(raw):
    """How bytes may lie there: raw, hex, and base64 in each of its three alignments."""
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for skip in range(3):
        piece = raw[skip:]
        yield base64.b64encode(piece[: len(piece) // 3 * 3])


def regions(pid):
    """(start, end, it is secret memory: locked and never in a core, name) of what is mapped."""
    found = None
    with open("/proc/%d/smaps" % pid) as f:
        for line in f:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
            if head:
                found = (int(head[1], 16), int(head[2], 16), head[4]) if head[3][0] == "r" else None
            elif line.startswith("VmFlags:") and found:
                flags = line.split()[1:]
                yield found[0], found[1], "dd" in flags and "lo" in flags, found[2]


def memory_hits(pid, secrets):
    """{(name, where)}: where a secret lies in the memory of a process."""
    hits = set()
    with open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for start, end, secret, name in regions(pid):
            if name in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                continue
            mem.seek(start)
            try:
                data = mem.read(end - start)
            except OSError:
                continue
            for what, texts in secrets.items():
                if any(t in data for t in texts):
                    hits.add((what, "secret memory" if secret else name or "anonymous memory"))
    return hits


def key_texts(site):
    with open(site.dir + "/master.key") as f:
        master = bytes.fromhex(f.read().strip())
    with open(site.dir + "/keys/member-main.key") as f:
        member = base64.b64decode(f.read().split("\n")[1])[62:126][:32]
    found = {"master key": list(forms(master)), "member key": list(forms(member)), "cookie": list(forms(site.tor.cookie))}
    for i, k in enumerate(sorted(site.tor.keys)):
        raw = base64.b64decode(k)
        found["onion key %d" % i] = [k.encode()[:40]] + list(forms(raw[:32])) + list(forms(raw[32:]))
    return found


def secrets_are_nowhere_in_memory_but_in_locked_pages(tors):
    assert os.getuid() == 0, "only root may look into it"

    def work(site):
        site.settled()
        with process.Rpc(site) as r:
            r.result("rotate", {"mirror": "north"})
        until("another key was sent", 20, lambda: len(site.tor.keys) >= 2, 0.05)
        site.settled()
        texts = key_texts(site)
        hits = memory_hits(site.process.pid, texts)
        assert ("master key", "secret memory") in hits, "the search finds nothing: %s" % hits
        assert {h for h in hits if h[1] != "secret memory"} == set(), hits
        assert not [h for h in hits if h[0].startswith("onion key")], "an onion's key stays after it was sent: %s" % hits
        with open("/proc/%d/limits" % site.process.pid) as f:
            assert re.search(r"Max core file size\s+0\s+0", f.read())
        # As a crash would be.
        os.kill(site.process.pid, signal.SIGSEGV)
        status = os.waitpid(site.process.pid, 0)[1]
        site.process = None
        assert os.WTERMSIG(status) == signal.SIGSEGV and not os.WCOREDUMP(status), status
        print("# %d secrets looked for" % len(texts))

    with_site(tors, work)


def a_passphrase_is_gone_once_it_has_opened_the_state(tors):
    phrase = "correct horse battery staple of these tests"

    def work(site):
        tor = site.tor
        other = Site(tor, names=("north",), init=False, key="locked-start = on")
        try:
            other.cli("init", "--keys", other.dir + "/keys", "--no-passphrase")
            other.started()
            with process.Rpc(other) as r:
                r.result("unlock", {"passphrase": phrase})
            hits = memory_hits(other.process.pid, {"passphrase": [phrase.encode()], "path": [other.state.encode()]})
            assert {h[0] for h in hits} == {"path"}, hits
            assert phrase not in other.log()
        finally:
            other.close()

    with_site(tors, work)


# --- not what it should be -----------------------------------------------------------------------------------------


def other_things_in_place_of_files_are_refused(template):
    def replace(path, make):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)
        make(path)

    def link(target):
        return lambda path: os.symlink(target, path)

    def moved(path):
        os.rename(path, path + ".real")
        os.symlink(path + ".real", path)

    for name, spoil, words in (
            ("symlink for the database", lambda s: moved(s.state + "/store.db"), ("store.db", "not a regular file")),
            ("FIFO for the database", lambda s: replace(s.state + "/store.db", os.mkfifo), ("store.db", "not a regular file")),
            ("folder for the database", lambda s: replace(s.state + "/store.db", os.mkdir), ("store.db", "not a regular file")),
            ("symlink for the lock", lambda s: replace(s.state + "/lock", link("/dev/null")), ("lock",)),
            ("folder for the lock", lambda s: replace(s.state + "/lock", os.mkdir), ("lock",)),
            ("symlink for the master key", lambda s: moved(s.dir + "/master.key"), ("master.key",)),
            ("FIFO for the master key", lambda s: replace(s.dir + "/master.key", os.mkfifo), ("master.key",)),
            ("FIFO for a document", lambda s: replace(s.state + "/site/members.json", os.mkfifo), ("members.json",)),
            ("symlink for a document", lambda s: moved(s.state + "/site/members.json"), ("members.json",)),
            ("file for the control socket", lambda s: replace(s.dir + "/run/control.sock", lambda p: open(p, "w").close()), ("control.sock",)),
            ("file for the publish folder", lambda s: replace(s.publish, lambda p: open(p, "w").close()), ("publish",)),
            ("open state folder", lambda s: os.chmod(s.state, 0o777), ("mode",)),
            ("state folder of another", lambda s: os.chown(s.state, 12345, 12345), ("state",)),
            ("journal without its database", lambda s: os.rename(s.state + "/store.db", s.state + "/store.db-wal"), ("missing", "backup")),
            ("empty database", lambda s: open(s.state + "/store.db", "w").close(), ("empty", "backup"))):
        site = process.copy_of(template, name)
        site.watcher.end()
        try:
            spoil(site)
            site.refused(*words)
        except Exception as e:
            raise AssertionError("%s: %s" % (name, e)) from e
        finally:
            for b in site.backends.values():
                b.stop()
            shutil.rmtree(site.dir, ignore_errors=True)


def without_locked_memory_it_does_not_start_unless_told_to(tors):
    """Here, for a sanitizer takes mlock() for a success. Root may lock without limit, unless it is taken from it."""
    def work(site):
        daemon = ["prlimit", "--memlock=4096", "setpriv", "--inh-caps=-ipc_lock", "--bounding-set=-ipc_lock", process.DAEMON, "-f", site.conf]
        done = subprocess.run(daemon, capture_output=True, text=True, timeout=20)
        process.check_refusal(done, ("can't be locked", "LimitMEMLOCK", "allow-unlocked-memory"), 1, 1)
        with open(site.conf, "r+") as f:
            text = f.read()
            f.seek(0)
            f.write("allow-unlocked-memory = on\n" + text)
        with open(site.dir + "/daemon.log", "ab") as log:
            site.process = subprocess.Popen(daemon, stdout=log, stderr=log)
        site.wait_listed(30)

    with_site(tors, work)


def a_restored_backup_is_refused_by_what_was_published(tors):
    def work(site):
        site.settled()
        site.stop()
        shutil.copytree(site.state, site.dir + "/backup")
        site.started()
        until("another list", 20, lambda: "result" in process.Rpc(site).call("publish"), 0.05)
        until("it is seen", 10, lambda: len(site.watcher.seen) > 1, 0.05)
        site.stop()
        newest = site.dir + "/newest"
        os.rename(site.state, newest)
        shutil.copytree(site.dir + "/backup", site.state)
        was = site.current()
        site.refused("older than what was published", "backup")
        assert site.current() == was
        shutil.rmtree(site.state)
        os.rename(newest, site.state)
        site.settled()

    with_site(tors, work)


def an_unchangeable_list_folder_holds_back_the_list_alone(tors):
    """No inodes are left, then the file system is read-only: said, survived, made up for."""
    disk = process.Disk(4 << 20)
    try:
        def work(site):
            site.publish = disk.path + "/publish"
            site.write_conf()
            site.watcher.end()
            site.watcher = process.om.Watcher(site.publish + "/public")
            site.settled()
            for how, well, words in (("remount,nr_inodes=%d" % (count_names(disk.path) + 1), "remount,nr_inodes=10000", "full"),
                                     ("remount,ro", "remount,rw", "ead-only")):
                text = site.current()
                subprocess.run(["mount", "-o", how, disk.path], check=True)
                try:
                    site.cli("publish", "--wait", check=False)
                    site.wait_log("list not published: ")
                    assert words in site.log(), site.log_tail(3)
                    assert site.current() == text and site.lives()
                finally:
                    subprocess.run(["mount", "-o", well, disk.path], check=True)
                until("published again", 20, lambda: site.current() != text, 0.05)
                site.settled()

        with_site(tors, work)
    finally:
        disk.end()


def count_names(folder):
    return len({os.lstat(os.path.join(where, n)).st_ino for where, folders, names in os.walk(folder) for n in folders + names}) + 1


# --- all of it ---------------------------------------------------------------------------------------------------------


class Tors:
    def __init__(self, folder):
        self.folder, self.n, self.lock = folder, 0, threading.Lock()

    def new(self):
        with self.lock:
            self.n += 1
            path = "%s/%d" % (self.folder, self.n)
        os.makedirs(path)
        return faketor.FakeTor(path)


def template_case(tors):
    template = process.Site("/nonexistent/tor", names=("north",))
    try:
        template.started()
        template.stop()
        other_things_in_place_of_files_are_refused(template)
    finally:
        template.close()


template_case.__name__ = other_things_in_place_of_files_are_refused.__name__


def main():
    global SHIM
    if os.environ.get("OM_INSIDE") is None:
        os.execvpe("unshare", ["unshare", "-nm", sys.executable, os.path.realpath(__file__), *sys.argv[1:]], dict(os.environ, OM_INSIDE="1"))
    folder = tempfile.mkdtemp(prefix="omt-", dir="/tmp")
    os.chmod(folder, 0o755)
    SHIM = folder + "/torture.so"
    subprocess.run([os.environ.get("CC", "gcc"), "-shared", "-fPIC", "-O2", "-o", SHIM, HERE + "/torture.c"], check=True)
    cases = process.Cases()
    only = [a for a in sys.argv[1:] if a != "--full"]
    try:
        for case in (template_case, without_locked_memory_it_does_not_start_unless_told_to, a_restored_backup_is_refused_by_what_was_published, an_unchangeable_list_folder_holds_back_the_list_alone,
                     a_first_start_that_dies_anywhere_converges, a_publication_that_dies_anywhere_leaves_the_old_list_or_the_new_one,
                     a_start_without_memory_ends_with_one_line_and_loses_nothing, a_start_without_memory_under_the_sandbox_loses_nothing,
                     a_request_without_memory_is_dropped_and_nothing_breaks,
                     secrets_are_nowhere_in_memory_but_in_locked_pages, a_passphrase_is_gone_once_it_has_opened_the_state):
            if not only or case.__name__ in only:
                cases.run(case, Tors(tempfile.mkdtemp(dir=folder)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if cases.failed else 0)


if __name__ == "__main__":
    main()
