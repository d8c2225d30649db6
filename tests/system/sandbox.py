#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the daemon cannot do once it runs, what it says where the kernel cannot confine it, and
that a reload which needs more is refused. All other system tests run with sandbox = fatal."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import om
import process
from om import BUILD, until

WITHOUT = BUILD + "/tests/system/without"


class World:
    def __init__(self):
        self.tor_dir = tempfile.mkdtemp(prefix="omt-", dir="/tmp")
        os.chmod(self.tor_dir, 0o755)
        os.mkdir(self.tor_dir + "/run")
        self.tor = faketor.FakeTor(self.tor_dir + "/run")
        self.sites = []

    def site(self, **options):
        site = process.Site(self.tor, names=("north",), **options)
        self.sites.append(site)
        return site

    def close(self):
        for site in self.sites:
            site.close()
        self.tor.stop()
        shutil.rmtree(self.tor_dir, ignore_errors=True)


def need_landlock():
    if om.SANDBOX != "fatal":
        raise om.Skip("this build or kernel cannot confine")


def with_mode(site, mode, more=""):
    site.write_conf(site.conf_text().replace("sandbox = " + om.SANDBOX, "sandbox = " + mode) + more)
    return site


def status_of(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def the_level_is_in_status_and_metrics(world):
    need_landlock()
    site = world.site().started()
    told = site.status()["sandbox"]
    assert told["mode"] == "fatal" and told["missing"] == "" and told["refused"] == 0 and told["last"] == "", told
    assert told["layers"][0] == "files" and told["layers"][-1] == "calls", told
    text = site.cli("status").stdout
    assert "sandbox  " + " ".join(told["layers"]) + "\n" in text, text
    with process.Rpc(site) as r:
        numbers = r.result("metrics")["text"]
    assert 'onionmirror_sandbox{layer="calls"} 1\n' in numbers and "onionmirror_sandbox_refused_total 0\n" in numbers, numbers[:600]
    proc = status_of(site.process.pid)
    assert proc["NoNewPrivs"] == "1" and proc["Seccomp"] == "2", proc
    limits = open("/proc/%d/limits" % site.process.pid).read()
    assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core")] == [["0", "0"]], limits
    site.stop()


def off_and_a_kernel_without_it_are_told(world):
    need_landlock()
    site = with_mode(world.site(), "off").started()
    assert site.status()["sandbox"]["missing"] == "sandbox = off", site.status()["sandbox"]
    site.wait_log("not confined: sandbox = off")
    assert "is not there" not in site.log(), site.log_tail()
    assert status_of(site.process.pid)["Seccomp"] == "0"
    site.stop()
    # As on a kernel that has neither; then one that has only Landlock.
    for lacks, layers, words in (("landlock_create_ruleset", ["calls"], "files: this kernel has no Landlock"),
                                 ("seccomp,landlock_create_ruleset", [], "; calls: this kernel takes no filter of system calls")):
        with_mode(site, "auto")
        log = open(site.dir + "/daemon.log", "wb")
        site.process = subprocess.Popen([WITHOUT, lacks, process.DAEMON, "-f", site.conf], stdout=log, stderr=log)
        site.wait_control()
        told = site.status()["sandbox"]
        assert told["layers"] == layers and words in told["missing"], told
        site.wait_log("not confined: files: this kernel has no Landlock")
        assert "not confined" in site.cli("status").stdout or layers, site.cli("status").stdout
        site.stop()
        with_mode(site, "on")
        done = subprocess.run([WITHOUT, lacks, process.DAEMON, "-f", site.conf], capture_output=True, text=True, timeout=10)
        process.check_refusal(done, ("sandbox = on, and that cannot be done here (files: this kernel has no Landlock", words), 1, 1)


def a_reload_that_needs_more_is_refused_and_says_why(world):
    need_landlock()
    site = world.site().started()
    until("a list", 20, lambda: os.path.exists(site.publish + "/public/current"))
    os.mkdir(site.dir + "/prom")
    for more, words in (("metrics { textfile = \"%s/prom/om.prom\" }\n" % site.dir, "a change of metrics, textfile needs a restart"),
                        ("list-service { sockets = \"%s/list\" }\n" % site.dir, "a change of list-service, sockets needs a restart"),
                        ("mirror \"tcp\" { backend = \"127.0.0.1:9\" tor = \"main\" check = \"page\" }\n",
                         "a change of the first backend on a TCP port needs a restart")):
        site.write_conf(site.conf_text() + more)
        done = site.cli("reload", check=False)
        assert done.returncode == 1 and words in done.stderr and "nothing was changed" in done.stderr, done.stderr
    # What it has room for it takes: another mirror, and a socket beside the control socket.
    site.backends["south"] = process.UnixBackend(site.dir + "/south.sock")
    site.write_conf(site.conf_text(["north", "south"]) + "metrics { listen = \"unix:%s/run/metrics.sock\" }\n" % site.dir)
    site.cli("reload")
    until("the mirror and the socket", 20, lambda: os.path.exists(site.dir + "/run/metrics.sock") and "south" in site.listed())
    site.stop()
    # A folder that is not there yet is told at once.
    site.write_conf(site.conf_text() + "metrics { textfile = \"%s/later/om.prom\" }\n" % site.dir)
    site.started()
    site.wait_log("metrics, textfile: %s/later is not there, and the sandbox cannot leave room for it" % site.dir)
    site.stop()
    # With a restart all of it works, also after another reload.
    site.write_conf(site.conf_text() + "metrics { textfile = \"%s/prom/om.prom\" }\nlist-service { sockets = \"%s/list\" }\n" % (site.dir, site.dir))
    site.start()
    site.wait_control()
    until("the file and the socket", 20, lambda: os.path.exists(site.dir + "/prom/om.prom") and os.listdir(site.dir + "/list"))
    site.write_conf(site.conf_text())
    site.cli("reload")
    assert not os.path.exists(site.dir + "/prom/om.prom")
    site.stop()
    assert "refused the system call" not in site.log(), site.log_tail()


def a_tor_that_makes_its_folder_anew_is_found_again(world):
    site = world.site().started()
    until("all listed", 20, site.listed)
    world.tor.stop()
    shutil.rmtree(world.tor.folder)
    site.wait_log("nothing listens on")
    os.mkdir(world.tor.folder)
    world.tor.start()
    until("the same onions in the new tor", 20, lambda: world.tor.detached() and site.listed())
    site.stop()


def root_becomes_the_user(world):
    if os.getuid() != 0:
        raise om.Skip("only root can")
    site = world.site()
    nobody = pwd.getpwnam("nobody")
    for top, folders, files in os.walk(site.dir):
        for name in [top] + [os.path.join(top, f) for f in folders + files]:
            os.lchown(name, nobody.pw_uid, nobody.pw_gid)
    os.chown(world.tor.cookie_path, nobody.pw_uid, -1)
    os.chmod(world.tor.control_path, 0o666)
    os.chmod(world.tor.socks_path, 0o666)
    for b in site.names:
        os.chmod("%s/%s.sock" % (site.dir, b), 0o666)
    site.write_conf(site.conf_text().replace("min-listed", "user = nobody\nmin-listed", 1))
    # A sanitizer's leak check needs to look at a process that nobody may look at, unless it is root's.
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    site.started()
    until("all listed", 20, site.listed)
    proc = status_of(site.process.pid)
    assert set(proc["Uid"].split()) == {str(nobody.pw_uid)} and set(proc["Gid"].split()) == {str(nobody.pw_gid)}, proc
    assert proc["CapEff"] == "0" * 16 and proc["CapPrm"] == "0" * 16, proc
    assert str(os.stat("/proc/%d/environ" % site.process.pid).st_uid) == "0", "others of its user can look into it"
    site.stop()
    site.write_conf(site.conf_text().replace("min-listed", "user = no-such-user\nmin-listed", 1))
    done = subprocess.run([process.DAEMON, "-f", site.conf], capture_output=True, text=True, timeout=10)
    process.check_refusal(done, ("user: there is no user \"no-such-user\"",), 1, 1)


CASES = [the_level_is_in_status_and_metrics, off_and_a_kernel_without_it_are_told, a_reload_that_needs_more_is_refused_and_says_why,
         a_tor_that_makes_its_folder_anew_is_found_again, root_becomes_the_user]

if __name__ == "__main__":
    sys.exit(om.run_cases(World(), CASES))
