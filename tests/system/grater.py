#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Behind a control-port filter that behaves as onion-grater: with our profiles, which hold what the code sends
and no more; with the least that the daemon needs; and with less, where it says what it lacks."""

import base64
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faketor
import om
import process
from om import SRC, until
from onion_grater import Grater, Rules, read_profile

PROFILES = SRC + "/contrib/onion-grater/"
KEY = base64.b64encode(bytes(64)).decode()
ADDRESS = "a" * 56
# What the profiles leave out on purpose, for they say so.
LEFT_OUT = {"GETINFO circuit-status", "CLOSECIRCUIT", "SETEVENTS STREAM", "SETEVENTS CIRC", "SETEVENTS CIRC_MINOR"}
LEAST = {"commands": {"GETINFO": ["version", "onions/detached"], "DEL_ONION": ["[a-z2-7]{56}"],
                      "ADD_ONION": [r"ED25519-V3:(\S+) Flags=DiscardPK,Detach Port=80,unix:\S+"]}, "events": {"HS_DESC": None}}


def source(path):
    with open(SRC + "/src/" + path) as f:
        return f.read()


def sent_by_the_code():
    """Every command that the encoder knows, with each fixed argument that the session gives it."""
    verbs = set(re.findall(r'"([A-Z_]{4,})[ "]', re.sub(r"#define.*", "", source("proto/command.c"))))
    verbs -= {"PROTOCOLINFO", "AUTHCHALLENGE", "AUTHENTICATE", "QUIT"}  # the filter's own affair
    tor = "".join(source("tor/" + name) for name in sorted(os.listdir(SRC + "/src/tor")) if name.endswith(".c"))
    infos = re.findall(r'command_getinfo\(&out, "([^"]+)"', tor)
    confs = []
    for key, is_conf in re.findall(r'\[FITNESS_\w+\] = \{"([^"]+)", (true|false)\}', tor):
        (confs if is_conf == "true" else infos).append(key)
    infos += [k.replace("%.56s", ADDRESS).replace("%s", ADDRESS) for k in re.findall(r'"(hs/client/desc/id/%[^"]*)"', tor)]
    events = re.findall(r'"([A-Z_]+)"', re.search(r"all_events\[\] = \{([^}]*)\}", tor).group(1))
    assert len(infos) >= 7 and confs and len(events) == 7, (infos, confs, events)
    lines = {"GETINFO " + i for i in infos} | {"GETCONF " + c for c in confs} | {"SETEVENTS " + e for e in events}
    lines |= {v + " " + ADDRESS for v in verbs & {"DEL_ONION", "HSFETCH"}} | (verbs & {"CLOSECIRCUIT"})
    known = {"GETINFO", "GETCONF", "SETEVENTS", "DEL_ONION", "HSFETCH", "CLOSECIRCUIT", "ADD_ONION"}
    assert verbs == known, "commands that this test does not know: %s" % (verbs ^ known)
    return lines


def profiles_and_code_agree(world):
    sent = sent_by_the_code()
    for name in ("onionmirrord.yml", "onionmirrord-workstation.yml"):
        profile = read_profile(PROFILES + name)
        rules = Rules(profile)
        allowed = {line for line in sent if (lambda c, r: r in rules.events if c == "SETEVENTS" else rules.rewrite(c, r) is not None)(
            *line.partition(" ")[::2])}
        assert sent - allowed == LEFT_OUT, "%s: not as it says: %s" % (name, (sent - allowed) ^ LEFT_OUT)
        # And nothing beyond: each rule is of use.
        used = [r for c, rs in rules.commands.items() for r in rs if c == "ADD_ONION" or
                any(line.startswith(c + " ") and re.match(r["pattern"] + "$", line.partition(" ")[2]) for line in sent)]
        assert len(used) == sum(len(rs) for rs in rules.commands.values()) and rules.events <= {
            line.partition(" ")[2] for line in sent if line.startswith("SETEVENTS ")}, name
        for bad in ("NEW:BEST Flags=Detach Port=80,127.0.0.1:80", "ED25519-V3:%s Flags=DiscardPK,Detach Port=80,192.0.2.1:80" % KEY,
                    "ED25519-V3:%s Flags=DiscardPK,Detach Port=80,localhost:80" % KEY, "ED25519-V3:%s Flags=NonAnonymous Port=80,127.0.0.1:80" % KEY):
            assert rules.rewrite("ADD_ONION", bad) is None, "%s: %s" % (name, bad)
        assert all(rules.rewrite(c, "x") is None for c in ("SETCONF", "SIGNAL", "GETINFO", "MAPADDRESS", "LOADCONF"))


def the_workstation_s_port_is_what_tor_is_told(world):
    rules = Rules(read_profile(PROFILES + "onionmirrord-workstation.yml"))
    for middle, end in (("", ""), (" MaxStreams=100", " PoWDefensesEnabled=1")):
        begin = "ED25519-V3:%s Flags=DiscardPK,Detach%s Port=80," % (KEY, middle)
        assert rules.rewrite("ADD_ONION", begin + "127.0.0.1:8080" + end, "10.152.152.11") == begin + "10.152.152.11:8080" + end
    rules = Rules(read_profile(PROFILES + "onionmirrord.yml"))
    for ports in (" Port=80,127.0.0.1:8080", " Port=80,unix:/run/web.sock Port=8008,unix:/run/onionmirror/list/7", " Port=80,[::1]:8080"):
        rest = "ED25519-V3:%s Flags=DiscardPK,Detach%s" % (KEY, ports)
        assert rules.rewrite("ADD_ONION", rest) == rest, rest


class World:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="omt-", dir="/tmp")
        self.tor = faketor.FakeTor(self.folder)
        self.grater = self.site = None

    def start(self, rules, change=str):
        """A daemon behind a filter with these rules, on an empty tor."""
        self.end()
        self.tor.restart()
        self.grater = Grater(self.tor, self.folder + "/filtered", rules)
        self.site = process.Site(self.tor, names=("north", "south"))
        text = change(self.site.conf_text()).replace("cookie = \"%s\"" % self.tor.cookie_path, "allow-no-auth = on")
        self.site.write_conf(text.replace(self.folder + "/control", self.folder + "/filtered"))
        self.site.started()
        return self.site

    def status(self):
        return self.site.status()["tors"][0]

    def end(self):
        for it in (self.site, self.grater):
            if it is not None:
                it.close()
        self.site = self.grater = None

    def close(self):
        self.end()
        self.tor.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def with_our_profile_all_of_it_works(world):
    site = world.start(Rules(read_profile(PROFILES + "onionmirrord.yml")))
    until("all listed", 20, site.listed)
    site.cli("rotate", "north", "--wait")
    told = world.status()
    assert told["state"] == "up" and told["fit"] and "a filter keeps STREAM, CIRC and CIRC_MINOR events from us" in told["warning"], told
    assert "uploads can't be seen" not in told["warning"], told
    for line in world.grater.filtered:
        assert line.startswith(("SETEVENTS HS_DESC STATUS_CLIENT STATUS_GENERAL NETWORK_LIVENESS STREAM", "GETINFO circuit-status", "CLOSECIRCUIT ")), line
    assert not [k for k in world.tor.keys if any(k in line for line in world.grater.filtered)]


def the_least_is_enough(world):
    site = world.start(Rules(LEAST))
    until("all listed", 20, site.listed)
    site.cli("rotate", "south", "--wait")
    told = world.status()
    assert told["fit"] and "a filter keeps status events from us" in told["warning"], told
    gone = site.onions()[-1]["onion"].replace(".onion", "")
    site.cli("revoke", gone)
    until("DEL_ONION went through", 20, lambda: world.tor.heard("DEL_ONION"))


def a_tor_that_restarts_behind_it_is_noticed(world):
    site = world.start(Rules(LEAST))
    before = until("all listed", 20, site.listed)
    world.tor.restart()
    # No end of the link tells of it; the comparison of intent and tor every 30 s does.
    until("the same onions again", 60, lambda: set(world.tor.detached()) >= set(before.values()))
    until("all listed again", 20, site.listed)
    assert site.listed() == before


def pow_is_left_out_where_the_filter_keeps_it_away(world):
    site = world.start(Rules(LEAST), lambda text: text.replace("drain = 1h", "drain = 1h pow = on"))
    until("all listed", 20, site.listed)
    site.wait_log("refuses pow = on: Command filtered; added without it", 5)


def without_events_it_says_that_nothing_is_proved(world):
    site = world.start(Rules(dict(LEAST, events={})))
    words = "so nothing is proved or listed; allow HS_DESC in it"
    until("the warning", 10, lambda: words in world.status()["warning"])
    site.wait_log(words, 5)


def without_add_onion_it_says_what_to_allow(world):
    site = world.start(Rules(dict(LEAST, commands=dict(LEAST["commands"], ADD_ONION=[]))))
    site.wait_log("tor refuses ADD_ONION: a filter before it says Command filtered; allow it in the filter, as contrib/onion-grater does", 20)
    assert not world.tor.detached()


CASES = [profiles_and_code_agree, the_workstation_s_port_is_what_tor_is_told, with_our_profile_all_of_it_works, the_least_is_enough,
         a_tor_that_restarts_behind_it_is_noticed, pow_is_left_out_where_the_filter_keeps_it_away, without_events_it_says_that_nothing_is_proved, without_add_onion_it_says_what_to_allow]

if __name__ == "__main__":
    sys.exit(om.run_cases(World(), CASES))
