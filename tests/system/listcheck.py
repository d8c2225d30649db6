#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A second verifier of the signed list, written from onionmirror-list(5) alone, with nothing but Python's library.

listcheck.py INDEX FOLDER   every case of a conformance index (tests/conformance/README); names those that differ
"""
import base64
import datetime
import hashlib
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))
sys.dont_write_bytecode = True
import ed25519  # noqa: E402

HOUR, DAY = 3600, 86400
MAX_SIZE = {"bundle": 4194304, "root": 65536, "members": 65536, "head": 1048576, "leaf": 8192}
NAME = r"[a-z0-9][a-z0-9-]{0,31}"


class Refused(Exception):
    """Its text is the reason."""


def need(condition, reason="malformed"):
    if not condition:
        raise Refused(reason)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# --- form ---

def once(pairs):
    need(len({name for name, _ in pairs}) == len(pairs))
    return dict(pairs)


def walk(value, text, depth=0):
    """Checks every value; returns how many there are."""
    if isinstance(value, str):
        need(re.fullmatch(text, value))
        return 1
    if isinstance(value, (dict, list)):
        need(depth < 8)
        if isinstance(value, dict):
            need(all(re.fullmatch(r"[ -~]*", name) for name in value))
            value = list(value.values())
        return 1 + sum(walk(v, text, depth + 1) for v in value)
    need(type(value) is int and 0 <= value < 2**53)
    return 1


def parse(data, kind):
    need(len(data) <= MAX_SIZE[kind], "too-large")
    try:
        value = json.loads(data.decode("ascii"), object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise Refused("malformed")
    bundle = kind == "bundle"
    need(walk(value, r"[\n -~]*" if bundle else r"[ -~]*") <= (16384 if bundle else 65536))
    need(json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n" == data)
    need(isinstance(value, dict) and value.get("type") == "onionmirror/%s/1" % kind)
    return value


# --- fields ---

def get(value, name, want):
    need(isinstance(value, dict) and isinstance(value.get(name), want))
    return value[name]


def number(value, name, least=1, most=2**53 - 1):
    n = get(value, name, int)
    need(least <= n <= most)
    return n


def string(value, name, pattern):
    s = get(value, name, str)
    need(re.fullmatch(pattern, s))
    return s


def digits(value, name, size=32):
    return string(value, name, "[0-9a-f]{%d}" % (2 * size))


def time(value, name):
    s = string(value, name, r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:00:00Z")
    try:
        at = datetime.datetime.strptime(s, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise Refused("malformed")
    need(at.year >= 1970)
    return int(at.timestamp())


def array(value, name, least=0, most=2**53):
    a = get(value, name, list)
    need(least <= len(a) <= most)
    return a


def distinct(values):
    need(len(set(values)) == len(values))


def root_fields(d):
    number(d, "epoch")
    need(time(d, "epoch_start") < time(d, "expires"))
    string(d, "name", ".{1,64}")
    keys = array(d, "keys", 1, 16)
    need(all(isinstance(k, str) and re.fullmatch("[0-9a-f]{64}", k) for k in keys))
    distinct(keys)
    number(d, "threshold", 1, len(keys))
    limits = get(d, "limits", dict)
    for name in ("member_days", "head_hours", "possession_days"):
        number(limits, name)
    if d["version"] > 1:
        digits(d, "prev")


def members_fields(d):
    number(d, "epoch")
    number(d, "seq")
    need(time(d, "issued") < time(d, "expires"))
    for m in array(d, "members", 0, 64):
        string(m, "name", NAME)
        digits(m, "key")
        need(time(m, "not_before") < time(m, "not_after"))
    distinct([m["name"] for m in d["members"]])
    distinct([m["key"] for m in d["members"]])


def head_fields(d):
    for name in ("epoch", "serial", "root_version", "members_seq"):
        number(d, name)
    string(d, "member", NAME)
    digits(d, "members_sha256")
    need(time(d, "issued") < time(d, "fresh_until") <= time(d, "valid_until"))
    if "prev" in d:
        need(number(get(d, "prev", dict), "serial") < d["serial"])
        digits(d["prev"], "sha256")
    leaves = array(d, "leaves", 16)
    need(all(isinstance(h, str) and re.fullmatch("[0-9a-f]{64}", h) for h in leaves))
    need(all(a < b for a, b in zip(leaves, leaves[1:])))
    need(len(leaves) & (len(leaves) - 1) == 0)
    for t in array(d, "tombstones"):
        digits(t, "h")
        string(t, "state", "retired|revoked")
        time(t, "since")
    distinct([t["h"] for t in d["tombstones"]])
    for p in array(d, "peers"):
        for name in ("site", "root_sha256", "head_sha256"):
            digits(p, name)
        number(p, "epoch")
        number(p, "serial")
        string(p, "member", NAME)


def onion_key(onion):
    need(re.fullmatch(r"[a-z2-7]{56}\.onion", onion))
    raw = base64.b32decode(onion[:56].upper())
    check = hashlib.sha3_256(b".onion checksum" + raw[:32] + raw[34:]).digest()[:2]
    need(raw[32:34] == check and raw[34] == 3 and ed25519.prime_order(raw[:32]))
    return raw[:32]


def leaf_fields(d):
    onion_key(get(d, "onion", str))
    m = re.fullmatch("https?://%s(?::([1-9][0-9]{0,4}))?/?" % re.escape(d["onion"]), get(d, "url", str))
    need(m and int(m[1] or 80) <= 65535)
    string(d, "role", "mirror|replica|archive")
    digits(d, "salt", 16)
    need(time(d, "from") < time(d, "until"))
    p = get(d, "possession", dict)
    time(p, "not_before")
    time(p, "not_after")
    digits(p, "sig", 64)


def bundle_fields(d):
    def signed(s):
        get(s, "doc", str)
        need(all(isinstance(f, str) for f in array(s, "sigs", 0, 32)))
    for s in array(d, "roots", 1) + array(d, "heads", 0, 64) + [get(d, "members", dict)]:
        signed(s)
    need(all(isinstance(leaf, str) for leaf in array(d, "leaves")))


FIELDS = {"root": root_fields, "members": members_fields, "head": head_fields, "leaf": leaf_fields,
          "bundle": bundle_fields}


# --- signatures ---

def plain_base64(text, size):
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if len(raw) == size and base64.b64encode(raw).decode() == text else None


def signed_by(keys, data, comment, files):
    """Those of KEYS that signed DATA with this trusted COMMENT."""
    digest, good = hashlib.blake2b(data).digest(), set()
    for text in files:
        m = re.fullmatch("untrusted comment: [ -~]{,1024}\n(.*)\ntrusted comment: (.*)\n(.*)\n", text)
        sig, last = (plain_base64(m[1], 74), plain_base64(m[3], 64)) if m else (None, None)
        if not sig or not last or sig[:2] != b"ED" or m[2] != comment:
            continue
        for k in keys:
            raw = bytes.fromhex(k)
            if ed25519.verify(raw, digest, sig[10:]) and ed25519.verify(raw, sig[10:] + comment.encode(), last):
                good.add(k)
    return good


# --- verifying ---

def begins(at, now):
    need(at <= now + HOUR, "not-yet-valid")


def ends(at, now):
    need(at > now, "expired")


class Reader:
    def __init__(self, site):
        self.site, self.roots, self.members, self.heads, self.tombstones = site, [], None, {}, {}
        self.mirrors = []  # (onion, url, hash of the leaf, where the head is stored that lists it)

    def outline(self, text, kind):
        data = text.encode()
        d = parse(data, kind)
        if kind == "root" and number(d, "version") == 1:
            need("site" not in d and "prev" not in d)
        else:
            need(digits(d, "site") == self.site, "wrong-site")
        return d, data, sha256(data)

    def document(self, text, kind):
        d, data, h = self.outline(text, kind)
        FIELDS[kind](d)
        return d, data, h

    def store_root(self, n, data, d):
        if n < len(self.roots):
            return
        if self.roots and d["epoch"] > json.loads(self.roots[-1])["epoch"]:
            self.members, self.heads, self.tombstones = None, {}, {}
        self.roots.append(data)

    def walk_roots(self, roots, now):
        before = None
        for n, s in enumerate(roots):
            if before:
                self.store_root(n - 1, before[1], before[0])
            d, data, h = self.document(s["doc"], "root")
            need(d["version"] == n + 1)
            if before is None:
                need(h == self.site, "wrong-site")
            else:
                old = before[0]
                need(d["prev"] == before[2], "fork")
                need(d["epoch"] >= old["epoch"], "rollback")
                need(d["epoch"] > old["epoch"] or d["epoch_start"] == old["epoch_start"])
            comment = "onionmirror root site=%s version=%d sha256=%s" % (self.site, n + 1, h)
            for judge in [before[0]] if before else []:
                need(len(signed_by(judge["keys"], data, comment, s["sigs"])) >= judge["threshold"], "threshold")
            need(len(signed_by(d["keys"], data, comment, s["sigs"])) >= d["threshold"], "threshold")
            need(n >= len(self.roots) or self.roots[n] == data, "fork")
            before = d, data, h
        need(len(roots) >= len(self.roots), "rollback")
        ends(time(before[0], "expires"), now)
        self.store_root(len(roots) - 1, before[1], before[0])
        return before[0]

    def check_epoch(self, d, root):
        need(d["epoch"] >= root["epoch"], "rollback")
        need(d["epoch"] <= root["epoch"], "mismatch")

    def check_members(self, s, root, now):
        d, data, h = self.document(s["doc"], "members")
        comment = "onionmirror members site=%s epoch=%d seq=%d sha256=%s" % (self.site, d["epoch"], d["seq"], h)
        need(len(signed_by(root["keys"], data, comment, s["sigs"])) >= root["threshold"], "threshold")
        self.check_epoch(d, root)
        if self.members:
            stored = json.loads(self.members)
            need(d["seq"] >= stored["seq"], "rollback")
            need(d["seq"] > stored["seq"] or data == self.members, "fork")
        begins(time(d, "issued"), now)
        ends(time(d, "expires"), now)
        for x, a, b in [(d, "issued", "expires")] + [(m, "not_before", "not_after") for m in d["members"]]:
            need(time(x, b) - time(x, a) <= root["limits"]["member_days"] * DAY)
        self.members = data
        return d, h

    def check_head(self, d, data, h, sigs, root, members, now):
        """Returns the key it is stored under. Raises Missing for a head that does not spoil the bundle."""
        m = [m for m in members[0]["members"] if m["name"] == d["member"]]
        need(m, "uncertified")
        begins(time(m[0], "not_before"), now)
        ends(time(m[0], "not_after"), now)
        self.check_epoch(d, root)
        need(d["root_version"] <= root["version"] and d["members_seq"] <= members[0]["seq"], "mismatch")
        need(d["members_seq"] < members[0]["seq"] or d["members_sha256"] == members[1], "mismatch")
        comment = "onionmirror head site=%s epoch=%d member=%s serial=%d valid-until=%s sha256=%s" % (
            self.site, d["epoch"], d["member"], d["serial"], d["valid_until"], h)
        need(signed_by([m[0]["key"]], data, comment, sigs), "bad-signature")
        begins(time(d, "issued"), now)
        ends(time(d, "valid_until"), now)
        need(time(d, "valid_until") - time(d, "issued") <= root["limits"]["head_hours"] * HOUR)
        need(d["serial"] <= (time(d, "issued") - time(root, "epoch_start")) // 60 + 1000, "clock")
        return d["member"], m[0]["key"], d["epoch"]

    def against_stored(self, d, data, where):
        if where not in self.heads:
            return
        stored = self.heads[where]
        serial, prev = json.loads(stored)["serial"], d.get("prev", {"serial": 0})
        need(d["serial"] >= serial, "rollback")
        need(d["serial"] > serial or data == stored, "fork")
        need(not prev["serial"] < serial < d["serial"], "fork")
        need(prev["serial"] != serial or prev["sha256"] == sha256(stored), "fork")

    def check_heads(self, heads, root, members, now):
        seen, listed, left_out, missing, why = set(), {}, set(), {}, []
        for s in heads:
            d, data, h = self.document(s["doc"], "head")
            need(d["member"] not in seen)
            seen.add(d["member"])
            stored = False
            try:
                where = self.check_head(d, data, h, s["sigs"], root, members, now)
                stored = True
                self.against_stored(d, data, where)
            except Refused as e:
                need(str(e) in ("expired", "not-yet-valid") or (stored and str(e) in ("rollback", "fork")), str(e))
                missing[d["member"]] = str(e)
                left_out.update(d["leaves"])
                why.append(str(e))
                continue
            self.heads[where] = data
            for leaf in d["leaves"]:
                listed.setdefault(leaf, where)
            for t in d["tombstones"]:
                if self.tombstones.get(t["h"]) != "revoked":
                    self.tombstones[t["h"]] = t["state"]
        if len(why) == len(heads):
            raise Refused(why[0] if why else "not-listed")
        for m in members[0]["members"]:
            if m["name"] not in seen:
                missing[m["name"]] = "missing"
        return listed, left_out, missing

    def check_leaf(self, text, root, listed, left_out, now):
        d, _, h = self.outline(text, "leaf")
        if h not in listed:
            need(h in left_out, "not-listed")
            return None
        leaf_fields(d)
        begins(time(d, "from"), now)
        ends(time(d, "until"), now)
        state = self.tombstone(d["onion"])
        need(state is None, state)
        p = d["possession"]
        a, b = time(p, "not_before"), time(p, "not_after")
        need(a < b and a <= now + HOUR and b > now, "bad-possession")
        need(b - a <= root["limits"]["possession_days"] * DAY, "bad-possession")
        text = "onionmirror/possession/1\nsite %s\nonion %s\nnot-before %s\nnot-after %s\n" % (
            self.site, d["onion"], p["not_before"], p["not_after"])
        need(ed25519.verify(onion_key(d["onion"]), text.encode(), bytes.fromhex(p["sig"])), "bad-possession")
        return d["onion"], d["url"], h, listed[h]

    def stays(self, mirror, members, missing):
        onion, _, h, where = mirror
        name, key, _ = where
        return (missing.get(name) in ("rollback", "fork") and where in self.heads and h in json.loads(self.heads[where])["leaves"]
                and any(m["name"] == name and m["key"] == key for m in members["members"])
                and self.tombstone(onion) is None)

    def tombstone(self, onion):
        return self.tombstones.get(sha256(b"onionmirror/tombstone/1\n" + onion.encode()))

    def feed(self, data, now):
        """The URLs of a good bundle and the members that are missing; raises Refused."""
        d = parse(data, "bundle")
        bundle_fields(d)
        root = self.walk_roots(d["roots"], now)
        members = self.check_members(d["members"], root, now)
        listed, left_out, missing = self.check_heads(d["heads"], root, members, now)
        leaves = [self.check_leaf(t, root, listed, left_out, now) for t in dict.fromkeys(d["leaves"])]
        new = [leaf for leaf in leaves if leaf]
        onions = {leaf[0] for leaf in new}
        self.mirrors = new + [m for m in self.mirrors if m[0] not in onions and self.stays(m, members[0], missing)]
        return [m[1] for m in self.mirrors], missing


# --- the index ---

def site_id(text):
    m = re.fullmatch("om1([a-z2-7]{52})", text)
    need(m, "wrong-site")
    raw = base64.b32decode(m[1].upper() + "====")
    need(base64.b32encode(raw).decode().rstrip("=").lower() == m[1], "wrong-site")
    return raw.hex()


def run(row, folder):
    site, now, before, name = row[1:5]

    def feed(reader, what, at):
        with open(os.path.join(folder, what), "rb") as f:
            return reader.feed(f.read(), int(at))
    try:
        reader = Reader(site_id(site))
        for what in before.split(" ") if before != "-" else []:
            try:
                feed(reader, *what.split("@"))
            except Refused:
                pass
        urls, missing = feed(reader, name, now)
    except Refused as e:
        return [str(e), "-", "-"]
    return ["accept", str(len(urls)), " ".join("%s=%s" % m for m in sorted(missing.items())) or "-"]


def main(index, folder):
    bad = 0
    with open(index, encoding="ascii") as f:
        rows = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
    for row in rows:
        got = run(row, folder)
        if got != row[5:8]:
            bad += 1
            print("%s: expected %s, got %s" % (row[0], " ".join(row[5:8]), " ".join(got)), file=sys.stderr)
    print("listcheck: %d of %d cases as the index says" % (len(rows) - bad, len(rows)))
    return 1 if bad or not rows else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
