# SPDX-License-Identifier: BSD-3-Clause
"""Makes mirror lists, good ones and bad ones, the same bytes each time: a Kit begins as a good list, a case
changes what it is about. Keys and onions are names; the same name is always the same key."""
import base64
import copy
import datetime
import hashlib
import json
import sys

sys.dont_write_bytecode = True
import ed25519  # noqa: E402

NOW = 1795435200  # 2026-11-23T12:00:00Z
HOUR, DAY = 3600, 86400
EPOCH_START = NOW - 100 * DAY


class GONE:
    """As a value: the field is not there."""


def seed(name):
    return hashlib.sha256(b"conformance " + name.encode()).digest()


def public(name):
    return ed25519.public(seed(name)).hex()


def utc(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def sha256(text):
    return hashlib.sha256(text.encode("latin-1")).hexdigest()


def onion_of(key):
    check = hashlib.sha3_256(b".onion checksum" + key + b"\3").digest()[:2]
    return base64.b32encode(key + check + b"\3").decode().lower() + ".onion"


def onion(name):
    return onion_of(ed25519.public(seed("onion " + name)))


def tombstone(name, state="retired"):
    return {"h": sha256("onionmirror/tombstone/1\n" + onion(name)), "state": state, "since": utc(NOW - DAY)}


def dump(value):
    value = {k: v for k, v in value.items() if v is not GONE}
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"


def put(value, path, what):
    """Sets, or with GONE deletes, what is at a path such as "limits.head_hours" or "keys.0"."""
    *way, last = path.split(".")
    for step in way:
        value = value[int(step) if isinstance(value, list) else step]
    if isinstance(value, list):
        last = int(last)
    if what is GONE and way:
        del value[last]
    else:
        value[last] = what


def site_text(site):
    return "om1" + base64.b32encode(bytes.fromhex(site)).decode().rstrip("=").lower()


def minisign(name, text, comment, untrusted="signature", algorithm=b"ED", key_id=None):
    digest = hashlib.blake2b(text.encode("latin-1")).digest()
    sig = ed25519.sign(seed(name), digest)
    last = ed25519.sign(seed(name), sig + comment.encode())
    key_id = key_id or hashlib.sha256(name.encode()).digest()[:8]
    return "untrusted comment: %s\n%s\ntrusted comment: %s\n%s\n" % (
        untrusted, base64.b64encode(algorithm + key_id + sig).decode(), comment, base64.b64encode(last).decode())


class Doc:
    """A document on its way: `fields` as they are signed, `by` whom; hooks: `text` of it before signing,
    `late` after signing, `sigs` over the list of signature files, `comment` over the trusted comment."""

    def __init__(self, fields, by, **rest):
        self.fields, self.by = fields, by
        self.text = self.late = self.sigs = self.comment = lambda x: x
        self.__dict__.update(rest)

    def set(self, **fields):
        for path, what in fields.items():
            put(self.fields, path.replace("__", "."), what)
        return self

    def make(self, comment):
        """The final text and its signatures; `made` is what was signed."""
        self.made = self.text(dump(self.fields))
        comment = self.comment(comment % sha256(self.made))
        files = self.sigs([minisign(name, self.made, comment) for name in self.by])
        return {"doc": self.late(self.made), "sigs": files}


class Leaf:
    def __init__(self, name, **rest):
        self.name = self.signer = name
        self.proof, self.inside, self.text = {}, True, lambda x: x
        self.fields = {"type": "onionmirror/leaf/1", "onion": onion(name), "role": "mirror",
            "salt": seed("salt " + name)[:16].hex(),
                       "from": utc(NOW - DAY), "until": utc(NOW + 30 * DAY),
                       "possession": {"not_before": utc(NOW - DAY), "not_after": utc(NOW + 60 * DAY)}}
        self.fields["url"] = "http://%s/" % self.fields["onion"]
        self.__dict__.update(rest)

    set = Doc.set

    def make(self, site):
        f = copy.deepcopy(self.fields)
        f.setdefault("site", site)
        say = dict(site=site, onion=f["onion"], **f["possession"])
        say.update(self.proof)
        message = "onionmirror/possession/1\nsite %(site)s\nonion %(onion)s\nnot-before %(not_before)s\nnot-after %(not_after)s\n" % say
        sign = self.signer if callable(self.signer) else lambda m: ed25519.sign(seed("onion " + self.signer), m)
        f["possession"].setdefault("sig", sign(message.encode()).hex())
        self.made = self.text(dump(f))
        return self.made


class Kit:
    """One root 2 of 3 (keys r1, r2, r3), member alpha (key alpha), onions a and b."""

    def __init__(self):
        self.now, self.site, self.late, self.pre = NOW, None, lambda x: x, lambda x: None
        self.roots = [Doc({
            "type": "onionmirror/root/1", "version": 1, "epoch": 1, "epoch_start": utc(EPOCH_START),
            "expires": utc(NOW + 300 * DAY), "name": "The Site", "keys": [public(k) for k in ("r1", "r2", "r3")],
            "threshold": 2, "limits": {"member_days": 40, "head_hours": 168, "possession_days": 90}}, ["r1", "r2"])]
        self.members = Doc({"type": "onionmirror/members/1", "epoch": 1, "seq": 1, "issued": utc(NOW - 2 * DAY),
                            "expires": utc(NOW + 30 * DAY), "members": []}, ["r1", "r2"])
        self.heads, self.leaves = [], [Leaf("a"), Leaf("b")]
        self.member("alpha", [0, 1])

    def member(self, name, lists, key=None):
        """Certifies a member and makes its head."""
        self.members.fields["members"].append({
            "name": name, "key": public(key or name), "not_before": utc(NOW - 2 * DAY),
                "not_after": utc(NOW + 30 * DAY)})
        self.heads.append(Doc({
            "type": "onionmirror/head/1", "epoch": 1, "member": name, "serial": 1000, "issued": utc(NOW - HOUR),
            "fresh_until": utc(NOW + 23 * HOUR), "valid_until": utc(NOW + 6 * DAY), "tombstones": [], "peers": []},
            [key or name], lists=lists))
        return self.heads[-1]

    def two(self):
        """A second member, beta, with onion c."""
        self.leaves.append(Leaf("c"))
        return self.member("beta", [len(self.leaves) - 1])

    def root(self, keys=None, threshold=None, by=None, **fields):
        """One more root, which keeps what isn't said."""
        old = self.roots[-1]
        r = Doc(copy.deepcopy(old.fields), list(old.by if by is None else by))
        r.fields.update(version=old.fields["version"] + 1, **fields)
        if keys:
            r.fields["keys"] = [public(k) for k in keys]
            self.members.by = list(keys)
        r.fields["threshold"] = threshold or r.fields["threshold"]
        self.roots.append(r)
        return r

    def first(self, keys, threshold):
        """Changes root 1's keys."""
        self.roots[0].fields.update(keys=[public(k) for k in keys], threshold=threshold)
        self.roots[0].by = self.members.by = list(keys)

    def follow(self, i=0, serial=None):
        """The next head of a member: `prev` is the one that was built last."""
        h = self.heads[i]
        h.fields["prev"] = {"serial": h.fields["serial"], "sha256": sha256(h.made)}
        h.fields["serial"] = serial or h.fields["serial"] + 1
        return h

    def make_roots(self):
        out, site = [], None
        for i, r in enumerate(self.roots):
            if i > 0:
                r.fields.setdefault("site", site)
                r.fields["prev"] = r.__dict__.get("prev", sha256(self.roots[i - 1].made))
            s = site or sha256(r.text(dump(r.fields)))
            out.append(r.make("onionmirror root site=%s version=%d sha256=%%s" % (s, i + 1)))
            site = site or sha256(r.made)
        return out, site

    def make_head(self, h, site, hashes):
        f = h.fields
        own = {"site": site, "root_version": self.roots[-1].fields["version"],
            "members_seq": self.members.fields["seq"],
               "members_sha256": sha256(self.members.made)}
        listed = [hashes[i] for i in h.lists]
        size = 16
        while size < len(listed):
            size *= 2
        decoys = [seed("decoy %s %d" % (f["member"], i)).hex() for i in range(size - len(listed))]
        own["leaves"] = sorted(listed + decoys)
        for name in own:
            f.setdefault(name, own[name])
        out = h.make("onionmirror head site=%s epoch=%s member=%s serial=%s valid-until=%s sha256=%%s" % (
            site, f["epoch"], f["member"], f["serial"], f["valid_until"]))
        h.fields = {k: v for k, v in f.items() if k not in own or v != own[k]}
        return out

    def build(self):
        roots, site = self.make_roots()
        self.made_site = site
        m = self.members
        m.fields.setdefault("site", site)
        members = m.make("onionmirror members site=%s epoch=%s seq=%s sha256=%%s" % (site, m.fields["epoch"],
            m.fields["seq"]))
        leaves = [leaf.make(site) for leaf in self.leaves]
        hashes = [sha256(text) for text in leaves]
        bundle = {"type": "onionmirror/bundle/1", "roots": roots, "members": members,
                  "heads": [self.make_head(h, site, hashes) for h in self.heads],
                  "leaves": [text for leaf, text in zip(self.leaves, leaves) if leaf.inside]}
        self.pre(bundle)
        return self.late(dump(bundle)).encode("latin-1")
