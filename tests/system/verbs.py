#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every operator verb with a scripted tor: what it says when all is well, when the daemon refuses,
when there is no daemon and when it is used wrongly; as text, as JSON, and its exit code. And the
answers of the control socket against their man page."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import process
from om import BUILD, SRC, Cases, until
from process import CLIENT, Rpc, says

LONG = "a-mirror-with-a-rather-long-name"  # 32 characters, the most there may be

with open(SRC + "/src/daemon/onionmirror-control.7") as page:
    REASONS = set(re.findall(r"^\.It Li ([a-z-]+)$", page.read().split("list of reasons")[1], re.M))

# verb: what succeeds, with words of its text and members of its JSON; what is refused, with words; what is bad usage
VERBS = {
    "status": (("status",), ("site     test", "fit to judge", "serial"), ("site_id", "tors", "list", "expiry"), None, (("status", "x"), ("status", "--wait"))),
    "mirrors": (("mirrors",), ("MIRROR", "up", ".onion"), ("mirrors",), None, (("mirrors", "north"),)),
    "onions": (("onions", "north"), ("BECAUSE", "listed", ".onion"), ("onions",), (("onions", "nowhere"), "no mirror \"nowhere\""), (("onions", "a", "b"),)),
    "history": (("history", "north"), ("north", "listed"), ("records",), (("history", "x" * 40), "mirror must be"), (("history", "--since", "soon"), ("history", "a", "b"))),
    "events": (("events", "--limit", "500"), ("north",), ("events",), (("events", "--op", "1"), "no operation 1"), (("events", "--op", "x"), ("events", "x"), ("events", "--limit", "0"))),
    "probe": (("probe", "north", "--wait"), ("probed", "ok"), ("op",), (("probe", "nowhere"), "no mirror \"nowhere\""), (("probe",), ("probe", "a", "b"))),
    "rotate": (("rotate", "north", "--wait"), ("created", "proved", "listed"), ("op",), (("rotate", "nowhere"), "no mirror \"nowhere\""), (("rotate",), ("rotate", "north", "--wait=1"))),
    "maint": (("maint", "south", "off", "--wait"), (), ("op",), (("maint", "south", "off"), "maint"), (("maint", "south"), ("maint", "south", "maybe"))),
    "drain": (("drain", "south", "--wait"), ("delisted",), ("op",), (("drain", "nowhere"), "no mirror \"nowhere\""), (("drain",),)),
    "revoke": (("revoke", "south", "--wait"), ("revoked",), ("op",), (("revoke", "a" * 56), "no onion"), (("revoke",), ("revoke", "a", "b"))),
    "publish": (("publish", "--wait"), ("published",), ("op",), None, (("publish", "x"),)),
    "reload": (("reload",), ("reload: begun",), ("op",), None, (("reload", "x"), ("reload", "--wait"))),
    "doctor": (("doctor",), ("ok       configuration", "ok       tor", "ok       backend", "ok       clock", "ok       daemon", "nothing is wrong"), ("ok", "findings"), None,
               (("doctor", "x"), ("doctor", "--frob"))),
    "onion-location": (("onion-location", "--server", "nginx", "north"), ("add_header Onion-Location", ".onion$request_uri"), ("snippet",),
                       (("onion-location", "--server", "nginx", "nowhere"), "no mirror \"nowhere\""), (("onion-location",), ("onion-location", "--server", "iis"))),
}


def before(site, verb):
    """Makes the state in which it succeeds."""
    if verb == "maint":
        says(site.cli("maint", "south", "on", "--wait"), 0)
    elif verb in ("drain", "revoke"):
        if site.mirrors()["south"]["hold"] == "drained":
            says(site.cli("rotate", "south", "--wait"), 0)
        site.wait_listed(30)


def lines(text):
    return [json.loads(li) for li in text.splitlines()]


def why(done, as_json):
    """What it says on stderr, and no more: one line of text, or {"error": ...} with the exit code."""
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1, (done.stdout, done.stderr)
    if not as_json:
        return done.stderr
    error = json.loads(done.stderr)["error"]
    assert error["code"] == done.returncode, error
    return error["message"]


def check_success(site, verb, row):
    words, said, members = row[0], row[1], row[2]
    for as_json in (False, True):
        before(site, verb)
        done = says(site.cli(*words, *(["--json"] if as_json else []), check=False), 0, *(() if as_json else said))
        assert done.stderr == "", done.stderr
        if as_json:
            got = lines(done.stdout)
            assert got and all(m in got[0] for m in members), done.stdout
            assert "--wait" in words or len(got) == 1, "more than one value"
            assert "--wait" not in words or got[-1]["step"] == "done", done.stdout
        else:
            too_long = [li for li in done.stdout.splitlines() if len(li) > 80 and verb != "onion-location"]
            assert not too_long, too_long
            assert done.stdout.isascii()


def check_refusal(site, words, text):
    for more in ((), ("--json",)):
        done = says(site.cli(*words, *more, check=False), 1)
        assert text in why(done, more), done.stderr
    # onion-location looks for the mirror in what the daemon says of all.
    assert words[0] == "onion-location" or json.loads(done.stderr)["error"]["reason"] in REASONS, done.stderr


def check_absent(site, words):
    for more in ((), ("--json",)):
        done = subprocess.run([*CLIENT, "-s", site.dir + "/no.sock", *words, *more], capture_output=True, text=True)
        if words[0] == "doctor":  # that is what it is there to tell
            says(done, 3, "cannot reach the daemon", "start onionmirrord")
            assert not more or json.loads(done.stdout)["ok"] is False
            continue
        told = why(says(done, 3), more)
        assert all(w in told for w in ("cannot reach the daemon", "no.sock", "is onionmirrord running?")), told


def check_usage(site, words):
    done = says(site.cli(*words, check=False), 2, "usage: onionmirror ")
    assert done.stdout == "", done.stdout
    done = says(site.cli(*words, "--json", check=False), 2)
    assert why(done, True) and json.loads(done.stderr)["error"]["usage"].startswith("onionmirror [-f CONF]"), done.stderr


def check_verb(site, verb):
    row = VERBS[verb]
    check_success(site, verb, row)
    if row[3] is not None:
        check_refusal(site, *row[3])
    check_absent(site, row[0])
    for words in row[4]:
        check_usage(site, words)
    done = says(site.cli(verb, "--help"), 0, "usage: onionmirror ")
    assert done.stderr == ""


def the_table_has_every_operator_verb(_site):
    out = subprocess.run([*CLIENT, "--help"], capture_output=True, text=True).stdout
    part = out.split("\noperator\n")[1].split("\n\n")[0]
    # init is process.py's, watch has watch.py, completion is check-verbs.sh's and needs no daemon; unlock needs a locked one.
    verbs = {li.split()[0] for li in part.splitlines() if li[2] != " "} - {"init", "watch", "completion", "unlock"}
    assert verbs == set(VERBS), verbs ^ set(VERBS)


def refusals_that_only_a_state_brings(site):
    with open(site.conf) as f:
        good = f.read()
    site.write_conf(good + "colour = 1\n")
    for more in ((), ("--json",)):
        assert "colour" in why(says(site.cli("reload", *more, check=False), 1), more)
    for words in (("--json",), ("--json", "frob"), ("status", "--json", "--frob")):
        assert why(says(site.cli(*words, check=False), 2), True)
    done = says(site.cli("doctor", check=False), 1, "wrong    configuration", "colour", "onionmirrord --check-config")
    site.write_conf(good)
    site.tor.answering.clear()
    try:
        site.tor.restart()

        def waits():
            return site.cli("publish", check=False).returncode == 1

        until("publishing is refused", 20, waits, 0.1)
        says(site.cli("publish", "--json", check=False), 1, "proved first")
    finally:
        site.tor.answering.set()
    site.wait_listed(40)


def doctor_names_what_is_wrong_and_what_to_do(site):
    os.chmod(site.dir + "/master.key", 0o644)
    os.rename(site.dir + "/north.sock", site.dir + "/away.sock")
    try:
        out = says(site.cli("doctor", check=False), 1, "others may read it", "chmod 0600", "mirror north", "start the web server").stdout
        got = json.loads(site.cli("doctor", "--json", check=False).stdout)
        assert got["ok"] is False and {f["what"] for f in got["findings"] if f["level"] == "wrong"} >= {"permissions", "backend"}, out
        assert all(f["do"] for f in got["findings"] if f["level"] == "wrong"), got
    finally:
        os.rename(site.dir + "/away.sock", site.dir + "/north.sock")
        os.chmod(site.dir + "/master.key", 0o600)
    site.tor.stop()
    try:
        says(site.cli("doctor", check=False), 1, "start tor", "control", "SocksPort", "not fit to judge")
    finally:
        site.tor.start()
    until("fit again", 40, lambda: site.status()["tors"][0]["fit"], 0.1)
    site.wait_listed(40)
    says(site.cli("doctor"), 0, "nothing is wrong", "tor 0.4.9.11")


def doctor_tells_of_a_backend_that_only_the_daemon_cannot_reach(site):
    server = socket.create_server(("127.0.0.1", 0))
    other = site.dir + "/other.conf"
    with open(site.conf) as f:
        conf = f.read()
    with open(other, "w") as f:
        f.write(conf.replace("unix:" + site.dir + "/north.sock", "127.0.0.1:%d" % server.getsockname()[1]))
    os.rename(site.dir + "/north.sock", site.dir + "/away.sock")
    try:
        site.cli("probe", "north", check=False)
        until("the daemon sees it", 30, lambda: site.mirrors()["north"]["backend"] == "refused", 0.1)
        done = subprocess.run([*CLIENT, "-f", other, "doctor"], capture_output=True, text=True)
        says(done, 0, "north is suspect", "PrivateNetwork=yes")
    finally:
        os.rename(site.dir + "/away.sock", site.dir + "/north.sock")
        server.close()
    assert "PrivateNetwork" not in site.cli("doctor", check=False).stdout
    site.cli("probe", "north")
    until("it is well again", 60, lambda: site.mirrors()["north"]["state"] == "up", 0.1)


def an_operation_is_followed_by_its_number(site):
    said = site.cli("rotate", "north").stdout
    op = re.search(r"operation (\d+)", said).group(1)
    says(site.cli("events", "--op", op), 0, "done")
    steps = lines(site.cli("events", "--op", op, "--json").stdout)  # it has ended: its last step
    assert [s["step"] for s in steps] == ["done"] and steps[0]["op"] == int(op)


def events_follow_until_the_daemon_ends(site):
    run = [subprocess.Popen([*CLIENT, "-f", site.conf, "events", "--follow", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
           for more in ((), ("--json",))]
    try:
        with Rpc(site) as r:
            seen = {}

            def read(p):
                seen[p] = [p.stdout.readline()]

            readers = [threading.Thread(target=read, args=(p,), daemon=True) for p in run]
            for t in readers:
                t.start()

            def told():
                r.call("probe", {"mirror": "north"})
                return len(seen) == 2

            until("both tell", 20, told, 0.2)
        text, value = seen[run[0]][0], json.loads(seen[run[1]][0])
        assert re.match(r"\d\d-\d\d \d\d:\d\d:\d\dZ north", text) and value["kind"] in ("step", "state"), (text, value)
        site.stop()
        for p in run:
            assert p.wait(20) == 3, p.returncode
            assert "closed the connection" in p.stderr.read()
    finally:
        for p in run:
            if p.poll() is None:
                p.kill()
            p.wait()
            p.stdout.close()
            p.stderr.close()
    site.started()
    site.wait_listed(40)


def a_wait_ends_with_the_daemon(site):
    site.tor.answering.clear()
    p = subprocess.Popen([*CLIENT, "-f", site.conf, "rotate", "north", "--wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert p.stdout.readline()
        site.kill()
        out, err = p.communicate(timeout=20)
        assert p.returncode == 3 and "goes on without us" in err, (p.returncode, out, err)
    finally:
        site.tor.answering.set()
    site.started()
    site.wait_listed(40)


def a_retry_is_harmless(site):
    before = site.listed()
    with Rpc(site) as r:
        op = r.result("rotate", {"mirror": "north", "id": "night-1"})["op"]
    with Rpc(site) as r:
        assert r.result("rotate", {"mirror": "north", "id": "night-1"})["op"] == op
        got = r.call("drain", {"mirror": "north", "id": "night-1"})
        assert got["error"]["data"]["reason"] == "id-taken", got
    until("rotated once", 30, lambda: site.listed().get("north") not in (None, before["north"]), 0.1)
    says(site.cli("events", "--op", str(op)), 0)
    planned = [o for o in site.onions() if o["mirror"] == "north" and o["state"] in ("planned", "adding", "uploading", "proving", "ready")]
    assert not planned, planned


def shells_know_the_mirrors(site):
    folder = SRC + "/contrib/completion"
    program = BUILD + "/onionmirror"
    line = [program, "-f", site.conf, "rotate", "no"]
    bash = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _onionmirror \"$1\"; echo \"${COMPREPLY[*]}\""
    zsh = "compdef() :; compadd() { shift; print -r -- \"$@\" }; source \"$1\"; shift; words=(\"$@\"); CURRENT=$#; _onionmirror"
    for words, said in ((["bash", "-c", bash, "-", folder + "/onionmirror", *line], "north"),
                        (["zsh", "-fc", zsh, "-", folder + "/_onionmirror", *line], " ".join(site.names)),
                        (["fish", "-c", "source %s/onionmirror.fish; complete -C '%s'" % (folder, " ".join(line))], "north")):
        assert shutil.which(words[0]), words[0] + " is missing: contrib/install-deps.sh test"
        got = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert got.stdout.strip() == said, (words[0], got.stdout, got.stderr)


def members(value, found=None):
    found = set() if found is None else found
    if isinstance(value, dict):
        for k, v in value.items():
            found.add(k)
            members(v, found)
    elif isinstance(value, list):
        for v in value:
            members(v, found)
    return found


def every_member_of_an_answer_is_in_the_man_page(site):
    with open(SRC + "/src/daemon/onionmirror-control.7") as f:
        page = f.read().split(".Sh ANSWERS")[1]
    told = set(re.findall(r"[a-z_0-9]+", page))
    with Rpc(site) as r:
        r.result("subscribe")
        answers = [r.result(m) for m in ("status", "mirrors", "onions")]
        answers += [r.result("history", {"table": t}) for t in ("probes", "decisions")]
    seen = set().union(*(members(a) for a in answers))
    assert seen <= told, "not in onionmirror-control(7): %s" % sorted(seen - told)


def pages_hold_together(site):
    """Onions of many rotations, in pages: each once, newest first."""
    with Rpc(site) as r:
        got = r.result("onions")
        ids = [o["id"] for o in got["onions"]]
        assert ids == sorted(ids, reverse=True) and got["more"] is False
        rest = r.result("onions", {"after": ids[0]})["onions"]
        assert [o["id"] for o in rest] == ids[1:]
        names = [m["name"] for m in r.result("mirrors")["mirrors"]]
        assert [m["name"] for m in r.result("mirrors", {"after": names[0]})["mirrors"]] == names[1:]
        assert [m["name"] for m in r.result("mirrors", {"mirror": names[1]})["mirrors"]] == [names[1]]


def many_mirrors_come_in_pages(_site):
    names = [("m%03d-" % i).ljust(32, "x") for i in range(320)]
    many = process.Site("/nonexistent/tor", names=names, init=False)
    try:
        many.write_conf(many.conf_text().replace("max-mirrors = 100", "max-mirrors = 1000"))
        many.cli("init", "--keys", many.dir + "/keys", "--no-passphrase")
        many.started()
        with Rpc(many) as r:
            page = r.result("mirrors")
            assert page["more"] is True and page["next"] == page["mirrors"][-1]["name"]
            # What a listed one has more: two addresses in place of null, and what a second tor says.
            size = len(json.dumps(page)) + len(page["mirrors"]) * (2 * 64 + 160)
            assert size < 256 * 1024, "%d bytes" % size
        assert [m["name"] for m in json.loads(many.cli("mirrors", "--json").stdout)["mirrors"]] == names
    finally:
        many.close()


def who_may(site):
    if os.getuid() != 0:
        print("# skipped: needs root: another user")
        return
    with open(site.conf) as f:
        good = f.read()
    site.stop()
    site.write_conf(good.replace("min-listed", "control-group = \"nogroup\"\nmin-listed"))
    site.started()
    site.wait_listed(40)

    hello, status, probe, reload = ask_as_nobody(site, ("status", None), ("probe", {"mirror": "north"}), ("reload", None))
    assert hello["onionmirror"] == "1" and status["result"]["site_id"] == site.id and probe["result"]["op"]
    assert reload["error"]["data"]["reason"] == "not-allowed"
    site.stop()
    site.write_conf(good)
    site.started()
    os.chmod(site.dir + "/run/control.sock", 0o666)
    hello = ask_as_nobody(site)[0]
    assert hello["error"]["data"]["reason"] == "not-allowed", hello
    site.wait_listed(40)


def ask_as_nobody(site, *calls):
    """The greeting and the answers that another user gets, in that group. The kernel tells whose a connection is."""
    out, back = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(out)
            os.setgroups([])
            os.setgid(process.NOBODY)
            os.setuid(process.NOBODY)
            with Rpc(site) as r, os.fdopen(back, "w") as f:
                json.dump([r.hello] + [r.call(*c) for c in calls], f)
        finally:
            os._exit(0)
    os.close(back)
    with os.fdopen(out) as f:
        got = json.load(f)
    os.waitpid(child, 0)
    return got


def memory_of(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1))


def a_client_that_never_reads_costs_less_than_512_KiB(site):
    """Sixty of them, each with all the unread answers that it is allowed."""
    clients = []
    rss = memory_of(site.process.pid)
    try:
        for _ in range(60):
            clients.append(Rpc(site))
        limit = process.fill(clients[0], 20000)
        assert limit < 20000
        for c in clients[1:]:
            process.fill(c, limit - 2)
        cost = (memory_of(site.process.pid) - rss) / 60
        start = time.monotonic()
        assert site.status()["site_id"] == site.id
        assert time.monotonic() - start < 1
    finally:
        for c in clients:
            c.close()
    if b"__asan_init" in subprocess.run(["nm", "-D", BUILD + "/onionmirrord"], capture_output=True).stdout:
        print("# not measured: a sanitizer's memory is not the daemon's (%d KiB a client)" % cost)
    else:
        assert cost < 512, "%d KiB a client" % cost


def main():
    folder = tempfile.mkdtemp(prefix="omv-", dir="/tmp")
    os.chmod(folder, 0o755)
    cases = Cases()
    tor = faketor.FakeTor(folder)
    site = None
    try:
        site = process.Site(tor, names=("north", "south", LONG))
        site.started()
        site.wait_listed(30)
        cases.run(the_table_has_every_operator_verb, site)
        for verb in VERBS:
            def case(s, v=verb):
                check_verb(s, v)

            case.__name__ = verb + " succeeds, is refused, finds no daemon, is used wrongly"
            cases.run(case, site)
        site.wait_listed(40)
        for function in (refusals_that_only_a_state_brings, doctor_names_what_is_wrong_and_what_to_do,
                         doctor_tells_of_a_backend_that_only_the_daemon_cannot_reach, an_operation_is_followed_by_its_number,
                         a_retry_is_harmless, events_follow_until_the_daemon_ends, a_wait_ends_with_the_daemon, shells_know_the_mirrors, every_member_of_an_answer_is_in_the_man_page, pages_hold_together, many_mirrors_come_in_pages,
                         a_client_that_never_reads_costs_less_than_512_KiB, who_may):
            cases.run(function, site)
    finally:
        if site is not None:
            site.close()
        tor.stop()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if cases.failed else 0)


if __name__ == "__main__":
    main()
