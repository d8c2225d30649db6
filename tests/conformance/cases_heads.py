# SPDX-License-Identifier: BSD-3-Clause
"""Heads: certificates, bindings, signature files, times, serials; one member among several."""
import base64

from case import Cases, all_of, at, good, head, members
from kit import DAY, EPOCH_START, GONE, HOUR, NOW, minisign, public, tombstone, utc

CASES = c = Cases("head")

# Certificates.
c.refuse("uncertified", "of-a-stranger", head(member="mallory"))
c.refuse("bad-signature", "by-a-stranger-in-a-members-name", lambda k: setattr(k.heads[0], "by", ["mallory"]))
c.refuse("bad-signature", "by-another-member", lambda k: (k.two(), setattr(k.heads[0], "by", ["beta"])))
c.refuse("bad-signature", "by-a-root-key", lambda k: setattr(k.heads[0], "by", ["r1"]))
c.refuse("expired", "members-window-over", members(members__0__not_after=utc(NOW)))
c.refuse("not-yet-valid", "members-window-ahead", members(members__0__not_before=utc(NOW + 2 * HOUR)))
c.accept("members-window-an-hour-ahead", members(members__0__not_before=utc(NOW + HOUR)))
c.accept("members-window-over-of-one", all_of(lambda k: k.two(), members(members__0__not_after=utc(NOW))),
         mirrors=1, missing="alpha=expired")
c.accept("members-window-ahead-of-one", all_of(lambda k: k.two(), members(members__0__not_before=utc(NOW + 2 * HOUR))),
         mirrors=1, missing="alpha=not-yet-valid")
c.refuse("uncertified", "of-a-stranger-beside-a-good-one", lambda k: (k.two(), k.members.fields["members"].pop(0)))

# What binds it to the documents above it.
c.refuse("mismatch", "epoch-above-roots", head(epoch=2))
c.refuse("rollback", "epoch-below-roots", lambda k: (k.root(epoch=2), k.members.set(epoch=2)))
c.refuse("rollback", "epoch-below-roots-beside-a-good-one", lambda k: (k.two().set(epoch=2), k.root(epoch=2),
    k.members.set(epoch=2)))
c.refuse("mismatch", "root-version-above", head(root_version=2))
c.accept("root-version-below", lambda k: (k.heads[0].set(root_version=1), k.root()))
c.refuse("mismatch", "members-seq-above", head(members_seq=2))
c.refuse("mismatch", "members-of-other-bytes", head(members_sha256="00" * 32))
c.accept("members-renewed", all_of(members(seq=2), head(members_seq=1, members_sha256="00" * 32)))
c.refuse("mismatch", "mixed-with-other-members", lambda k: (
    k.members.set(x_future=1), setattr(k.heads[0], "text", lambda t: t.replace(k.heads[0].fields["members_sha256"],
        "12" * 32))))

# Signature files. {name: change of the file}; those that nobody signs are accepted.
def line(i, change):
    def of(text):
        lines = text.split("\n")
        lines[i] = change(lines[i])
        return "\n".join(lines)
    return of


def raw(change):
    return lambda t: base64.b64encode(change(base64.b64decode(t))).decode()


BAD = {
    "legacy-algorithm": line(1, raw(lambda b: b"Ed" + b[2:])),
    "another-algorithm": line(1, raw(lambda b: b"XX" + b[2:])),
    "signature-bit": line(1, raw(lambda b: b[:-1] + bytes([b[-1] ^ 0x20]))),
    "signature-short": line(1, raw(lambda b: b[:-1])),
    "signature-long": line(1, raw(lambda b: b + b"\0")),
    "global-bit": line(3, raw(lambda b: bytes([b[0] ^ 1]) + b[1:])),
    "global-short": line(3, raw(lambda b: b[:-1])),
    "s-plus-l": line(1, raw(lambda b: b[:42] + ((int.from_bytes(b[42:],
        "little") + 2**252 + 27742317777372353535851937790883648493)
                                             ).to_bytes(32, "little"))),
    "trusted-comment": line(2, lambda t: t.replace("serial=1000", "serial=1001")),
    "trusted-comment-space": line(2, lambda t: t + " "),
    "trusted-comment-prefix": line(2, lambda t: t.replace("trusted comment: ", "trusted comment:")),
    "untrusted-comment-prefix": line(0, lambda t: t.replace("untrusted", "Untrusted")),
    "base64-spare-bits": line(1, lambda t: t[:-2] + "B="),
    "base64-spare-bits-of-global": line(3, lambda t: t[:-3] + chr(ord(t[-3]) + 1) + "=="),
    "base64-no-padding": line(3, lambda t: t.rstrip("=")),
    "base64-space": line(1, lambda t: t + " "),
    "fifth-line": lambda t: t + "more\n",
    "no-last-lf": lambda t: t[:-1],
    "empty-line": lambda t: "\n" + t,
    "three-lines": lambda t: "\n".join(t.split("\n")[:3]) + "\n",
    "empty": lambda t: "",
    "two-in-one": lambda t: t + t,
}
UNSIGNED = {
    "untrusted-comment": line(0, lambda t: "untrusted comment: anything"),
    "untrusted-comment-empty": line(0, lambda t: "untrusted comment: "),
    "key-id": line(1, raw(lambda b: b[:2] + b"\xff" * 8 + b[10:])),
}
for name, change in BAD.items():
    c.refuse("bad-signature", "sig-" + name, lambda k, f=change: setattr(k.heads[0], "sigs", lambda s: [f(s[0])]))
for name, change in UNSIGNED.items():
    c.accept("sig-" + name, lambda k, f=change: setattr(k.heads[0], "sigs", lambda s: [f(s[0])]))
c.refuse("bad-signature", "unsigned", lambda k: setattr(k.heads[0], "sigs", lambda s: []))
c.accept("sig-bad-beside-a-good-one", lambda k: setattr(k.heads[0], "by", ["mallory", "alpha"]))
c.refuse("bad-signature", "sig-of-another-document", lambda k: setattr(
    k.heads[0], "sigs", lambda s: [minisign("alpha", "another\n",
        "onionmirror head site=%s epoch=1 member=alpha serial=1000 "
                                            "valid-until=%s sha256=%s" % ("0" * 64, utc(NOW), "0" * 64))]))
c.refuse("bad-signature", "default-comment", lambda k: setattr(k.heads[0], "comment",
    lambda t: "timestamp:1 file:head.json hashed"))
for part, other in (("epoch=1", "epoch=2"), ("member=alpha", "member=alphb"), ("site=", "site=0"), ("head", "root")):
    c.refuse("bad-signature", "comment-" + part.split("=")[0],
             lambda k, a=part, b=other: setattr(k.heads[0], "comment", lambda t: t.replace(a, b)))
c.refuse("bad-signature", "comment-valid-until", lambda k: setattr(
    k.heads[0], "comment", lambda t: t.replace(utc(NOW + 6 * DAY), utc(NOW + 7 * DAY))))
c.refuse("bad-signature", "tampered-after-signing", lambda k: setattr(k.heads[0], "late",
    lambda t: t.replace('"serial":1000', '"serial":1001')))

# Times.
c.accept("issued-an-hour-ahead", head(issued=utc(NOW + HOUR)))
c.refuse("not-yet-valid", "issued-two-hours-ahead", head(issued=utc(NOW + 2 * HOUR)))
c.refuse("not-yet-valid", "reader-an-hour-and-a-second-behind", at(NOW - 2 * HOUR - 1))
c.accept("reader-an-hour-behind-issued", at(NOW - 2 * HOUR))
c.refuse("expired", "over", at(NOW + 6 * DAY))
c.accept("over-in-a-second", at(NOW + 6 * DAY - 1))
c.accept("past-fresh-until", at(NOW + 5 * DAY))
c.refuse("malformed", "fresh-until-with-issued", head(fresh_until=utc(NOW - HOUR)))
c.refuse("malformed", "fresh-until-after-valid-until", head(fresh_until=utc(NOW + 7 * DAY)))
c.accept("fresh-until-with-valid-until", head(fresh_until=utc(NOW + 6 * DAY)))
c.accept("as-long-as-allowed", head(valid_until=utc(NOW - HOUR + 168 * HOUR)))
c.refuse("malformed", "longer-than-allowed", head(valid_until=utc(NOW + 168 * HOUR)))

# Serial. 1000 more than the minutes from epoch_start to issued.
MINUTES = (NOW - HOUR - EPOCH_START) // 60
c.accept("serial-at-its-bound", head(serial=MINUTES + 1000))
c.refuse("clock", "serial-above-its-bound", head(serial=MINUTES + 1001))
c.refuse("clock", "serial-run-to-the-end", head(serial=2**53 - 1))
c.refuse("malformed", "serial-0", head(serial=0))
c.refuse("malformed", "serial-text", head(serial="1000"))
c.refuse("malformed", "prev-serial-same", head(prev={"serial": 1000, "sha256": "00" * 32}))
c.refuse("malformed", "prev-serial-above", head(prev={"serial": 1001, "sha256": "00" * 32}))
c.refuse("malformed", "prev-serial-0", head(prev={"serial": 0, "sha256": "00" * 32}))
c.refuse("malformed", "prev-without-sha256", head(prev={"serial": 1}))
c.refuse("malformed", "prev-empty", head(prev={}))
c.accept("prev-never-seen", head(prev={"serial": 999, "sha256": "00" * 32}))

# Leaves, tombstones, peers.
c.refuse("malformed", "no-leaves", head(leaves=[]))
c.refuse("malformed", "15-leaves", head(leaves=["%064x" % i for i in range(15)]))
c.refuse("malformed", "17-leaves", head(leaves=["%064x" % i for i in range(17)]))
c.refuse("malformed", "48-leaves", head(leaves=["%064x" % i for i in range(48)]))
c.refuse("not-listed", "decoys-alone", head(leaves=["%064x" % i for i in range(32)]))
c.refuse("malformed", "leaves-descending", head(leaves=["%064x" % (16 - i) for i in range(16)]))
c.refuse("malformed", "leaf-twice", head(leaves=["%064x" % (i // 2) for i in range(16)]))
c.refuse("malformed", "leaf-short", head(leaves=["%062x" % i for i in range(16)]))
c.refuse("malformed", "tombstone-twice", head(tombstones=[tombstone("z"), tombstone("z", "revoked")]))
c.refuse("malformed", "tombstone-of-unknown-state", head(tombstones=[tombstone("z", "gone")]))
c.refuse("malformed", "tombstone-without-since", head(tombstones=[dict(h="00" * 32, state="retired")]))
c.accept("tombstones-of-others", head(tombstones=[tombstone("y"), tombstone("z", "revoked")]))
PEER = {"site": "aa" * 32, "root_sha256": "bb" * 32, "epoch": 1, "head_sha256": "cc" * 32, "serial": 5, "member": "m"}
c.accept("peers", head(peers=[PEER, dict(PEER, member="n")]))
for name in PEER:
    c.refuse("malformed", "peer-without-" + name.replace("_", "-"),
        head(peers=[{k: v for k, v in PEER.items() if k != name}]))

# Several members.
c.accept("two-members", lambda k: k.two(), mirrors=3)
c.refuse("malformed", "two-of-a-member", lambda k: setattr(k, "pre", lambda b: b["heads"].append(b["heads"][0])))
c.accept("dropped", lambda k: (k.two(), setattr(k, "pre", lambda b: (b["heads"].pop(), b["leaves"].pop()))),
    missing="beta=missing")
c.refuse("not-listed", "dropped-but-its-leaf-stays", lambda k: (k.two(), setattr(k, "pre", lambda b: b["heads"].pop())))
c.refuse("not-listed", "none", lambda k: setattr(k, "pre", lambda b: b.update(heads=[])))
c.refuse("not-listed", "none-and-no-leaf", lambda k: setattr(k, "pre", lambda b: b.update(heads=[], leaves=[])))
c.refuse("bad-signature", "one-of-two-unsigned", lambda k: setattr(k.two(), "by", []))
OLD = dict(issued=utc(NOW - 7 * DAY), fresh_until=utc(NOW - 6 * DAY), valid_until=utc(NOW - HOUR))
c.accept("one-of-two-expired", lambda k: k.two().set(**OLD), missing="beta=expired")
c.accept("first-of-two-expired", all_of(lambda k: k.two(), head(**OLD)), mirrors=1, missing="alpha=expired")
c.accept("one-of-two-not-yet-valid", lambda k: k.two().set(issued=utc(NOW + 2 * HOUR)), missing="beta=not-yet-valid")
c.refuse("expired", "both-late-first-expired", all_of(lambda k: k.two().set(issued=utc(NOW + 2 * HOUR)), head(**OLD)))
c.refuse("not-yet-valid", "both-late-first-ahead", all_of(lambda k: k.two().set(**OLD),
    head(issued=utc(NOW + 2 * HOUR))))
c.refuse("bad-signature", "unsigned-and-expired", all_of(lambda k: setattr(k.two(), "by", []),
    lambda k: k.heads[1].set(**OLD)))
c.accept("leaf-of-both", lambda k: setattr(k.two(), "lists", [0, 1, 2]), mirrors=3)
c.accept("leaf-of-a-late-one-and-a-good-one", lambda k: setattr(k.two().set(**OLD), "lists", [0, 1, 2]),
    missing="beta=expired")
