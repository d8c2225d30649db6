# SPDX-License-Identifier: BSD-3-Clause
"""The chain of roots, and members under it. Those named rotation-* are python-tuf's root rotations."""
from case import Cases, all_of, good, head, members, root
from kit import DAY, EPOCH_START, GONE, HOUR, NOW, minisign, public, utc

CASES = c = Cases("root")
FIVE, SIX = ["k1", "k2", "k3", "k4", "k5"], ["k1", "k2", "k3", "k4", "k6"]
NEW = ["n1", "n2", "n3", "n4", "n5"]


def rotate(first, *later):
    """Root 1 with (keys, threshold), signed by all; then roots with (keys, threshold, who signs)."""
    def step(k):
        k.first(*first)
        for keys, threshold, by in later:
            k.root(keys, threshold, by)
    return step


c.accept("rotation-1-of-1", rotate((["k1"], 1), (["k2"], 1, ["k1", "k2"]), (["k3"], 1, ["k2", "k3"])))
c.accept("rotation-1-of-1-unused-signatures",
         rotate((["k1"], 1), (["k2"], 1, ["k9", "k1", "k2", "k3"]), (["k3"], 1, ["k1", "k2", "k3", "k4"])))
c.accept("rotation-3-of-5-other-combinations",
         rotate((FIVE, 3), (FIVE, 3, ["k1", "k3", "k4"]), (FIVE, 3, ["k5", "k2", "k1"]), (FIVE, 3, ["k2", "k3", "k4"])))
c.accept("rotation-3-of-5-one-key", rotate((FIVE, 3), (SIX, 3, ["k1", "k3", "k4"])))
c.accept("rotation-3-of-5-one-key-intermediate", rotate((FIVE, 3), (FIVE, 3, ["k1", "k3", "k5"]),
    (SIX, 3, ["k1", "k3", "k4"])))
c.accept("rotation-3-of-5-all-keys-intermediate",
         rotate((FIVE, 3), (["k1", "k2", "k3", "n1", "n2"], 3, ["k1", "k2", "k3"]),
                (NEW, 3, ["k1", "k2", "n1", "n2", "n3"])))
c.accept("rotation-1-of-3-to-2-of-3", rotate((FIVE[:3], 1), (FIVE[:3], 2, ["k1", "k2"])))
c.accept("rotation-2-of-3-to-1-of-3", rotate((FIVE[:3], 2), (FIVE[:3], 1, ["k1", "k2"]), (FIVE[:3], 1, ["k3"])))
c.accept("rotation-1-of-2-to-2-of-2", rotate((FIVE[:2], 1), (FIVE[:2], 2, ["k1", "k2"])))
c.refuse("threshold", "rotation-not-signed-with-old-key", rotate((["k1"], 1), (["k2"], 1, ["k2", "k3", "k4"])))
c.refuse("threshold", "rotation-not-signed-with-new-key", rotate((["k1"], 1), (["k2"], 1, ["k1", "k3", "k4"])))
c.refuse("threshold", "rotation-3-of-5-not-3-new-keys", rotate((FIVE, 3), (["k1", "k3", "n1", "n2", "n3"], 3, ["k1",
    "k2", "k3"])))
c.refuse("threshold", "rotation-3-of-5-not-3-old-keys", rotate((FIVE, 3), (["k1", "k3", "n1", "n2", "n3"], 3, ["k1",
    "k3", "n1"])))
c.refuse("threshold", "rotation-new-threshold-not-reached", rotate((FIVE[:3], 1), (FIVE[:3], 2, ["k2"])))
c.refuse("threshold", "rotation-old-threshold-not-reached", rotate((FIVE[:3], 2), (FIVE[:3], 1, ["k2"])))

# Signatures that count, and that don't.
c.refuse("threshold", "unsigned", lambda k: setattr(k.roots[0], "by", []))
c.refuse("threshold", "one-signature-of-two", lambda k: setattr(k.roots[0], "by", ["r2"]))
c.refuse("threshold", "one-key-twice", lambda k: setattr(k.roots[0], "by", ["r1", "r1", "r1"]))
c.refuse("threshold", "one-key-twice-by-key-id",
         lambda k: setattr(k.roots[0], "sigs", lambda _s: [
             minisign("r1", k.roots[0].made, "onionmirror root site=%(h)s version=1 sha256=%(h)s" % {"h": sha(k)},
                 key_id=bytes([i] * 8))
             for i in range(3)]))
c.refuse("threshold", "signed-by-strangers", lambda k: setattr(k.roots[0], "by", ["x1", "x2", "x3"]))
c.accept("bad-signature-beside-good-ones", lambda k: setattr(k.roots[0], "sigs",
    lambda s: ["junk", s[0][:-9] + "\n"] + s))
c.accept("all-three-signed", lambda k: setattr(k.roots[0], "by", ["r3", "r2", "r1"]))
c.refuse("threshold", "comment-of-another-version", lambda k: setattr(k.roots[0], "comment",
    lambda t: t.replace("version=1", "version=2")))
c.refuse("threshold", "comment-of-members", lambda k: setattr(k.roots[0], "comment",
    lambda t: t.replace("root", "members")))
c.refuse("threshold", "later-unsigned", lambda k: k.root(by=[]))
c.refuse("wrong-site", "tampered-after-signing", lambda k: setattr(k.roots[0], "late",
    lambda t: t.replace("The Site", "The Sito")))
c.refuse("threshold", "later-tampered-after-signing",
         lambda k: setattr(k.root(name="Same"), "late", lambda t: t.replace("Same", "Came")))


def sha(k):
    from kit import sha256
    return sha256(k.roots[0].made)


# Form of the chain.
c.refuse("wrong-site", "of-another-site", lambda k: setattr(k, "site", "00" * 32))
c.refuse("wrong-site", "later-of-another-site", lambda k: k.root(site="00" * 32))
c.refuse("malformed", "1-has-site", root(site="00" * 32))
c.refuse("malformed", "1-has-prev", root(prev="00" * 32))
c.refuse("malformed", "2-without-site", lambda k: k.root(site=GONE))
c.refuse("malformed", "2-without-prev", lambda k: setattr(k.root(), "prev", GONE))
c.refuse("malformed", "begins-with-2", lambda k: (k.root(), setattr(k, "pre", lambda b: b["roots"].pop(0))))
c.refuse("malformed", "passes-over-2", lambda k: (k.root(), k.root(), setattr(k, "pre", lambda b: b["roots"].pop(1))))
c.refuse("malformed", "twice", lambda k: setattr(k, "pre", lambda b: b["roots"].append(b["roots"][0])))
c.refuse("malformed", "out-of-order", lambda k: (k.root(), k.root(),
    setattr(k, "pre", lambda b: b["roots"].insert(1, b["roots"].pop()))))
c.refuse("malformed", "version-0", root(version=0))
c.refuse("fork", "prev-is-another", lambda k: setattr(k.root(), "prev", "00" * 32))
c.refuse("rollback", "epoch-falls", all_of(root(epoch=2), lambda k: k.root(epoch=1)))
c.refuse("malformed", "epoch-start-moves", lambda k: k.root(epoch_start=utc(EPOCH_START + HOUR)))
c.refuse("malformed", "threshold-0", root(threshold=0))
c.refuse("malformed", "threshold-above-keys", root(threshold=4))
c.refuse("malformed", "key-twice", root(keys__1=public("r1")))
c.refuse("malformed", "no-keys", root(keys=[]))
c.refuse("malformed", "17-keys", root(keys=[public("k%d" % i) for i in range(17)]))
c.accept("16-keys", lambda k: k.first(["k%d" % i for i in range(16)], 16))
c.refuse("malformed", "name-empty", root(name=""))
c.refuse("malformed", "name-of-65", root(name="n" * 65))
c.accept("name-of-64", root(name="n" * 64))
c.refuse("malformed", "expires-with-epoch-start", root(expires=utc(EPOCH_START)))

# Expiry is the last one's alone.
c.refuse("expired", "expired", root(expires=utc(NOW)))
c.accept("expires-in-an-hour", root(expires=utc(NOW + HOUR)))
c.accept("intermediate-expired", all_of(root(expires=utc(NOW - HOUR)), lambda k: k.root(expires=utc(NOW + DAY))))
c.refuse("expired", "last-expired", lambda k: k.root(expires=utc(NOW - HOUR)))
c.refuse("threshold", "threshold-before-expiry", all_of(root(expires=utc(NOW - HOUR)),
    lambda k: setattr(k.roots[0], "by", [])))

# Members under the last root.
m = Cases("members")
m.refuse("threshold", "unsigned", lambda k: setattr(k.members, "by", []))
m.refuse("threshold", "one-signature-of-two", lambda k: setattr(k.members, "by", ["r1"]))
m.refuse("threshold", "one-key-twice", lambda k: setattr(k.members, "by", ["r1", "r1"]))
m.refuse("threshold", "signed-by-strangers", lambda k: setattr(k.members, "by", ["x1", "x2"]))
m.accept("other-two-keys", lambda k: setattr(k.members, "by", ["r3", "r2"]))
m.accept("bad-signature-beside-good-ones", lambda k: setattr(k.members, "by", ["x1", "r2", "x2", "r1"]))
m.refuse("threshold", "signed-by-old-keys-alone", lambda k: (
    k.root(["n1", "n2", "n3"], 2, ["r1", "r2", "n1", "n2"]), setattr(k.members, "by", ["r1", "r2"])))
m.accept("signed-by-new-keys-alone", lambda k: k.root(["n1", "n2", "n3"], 2, ["r1", "r2", "n1", "n2"]))
m.refuse("threshold", "threshold-rose", lambda k: (k.root(threshold=3, by=["r1", "r2", "r3"]),
    setattr(k.members, "by", ["r1", "r2"])))
m.refuse("threshold", "tampered-after-signing", lambda k: setattr(k.members, "late",
    lambda t: t.replace('"seq":1', '"seq":2')))
m.refuse("threshold", "comment-of-another-seq", lambda k: setattr(k.members, "comment",
    lambda t: t.replace("seq=1", "seq=2")))
m.refuse("threshold", "comment-of-another-epoch", lambda k: setattr(k.members, "comment",
    lambda t: t.replace("epoch=1", "epoch=2")))
m.refuse("mismatch", "epoch-above-roots", members(epoch=2))
m.refuse("rollback", "epoch-below-roots", lambda k: (k.root(epoch=2), k.heads[0].set(epoch=2)))
m.refuse("malformed", "seq-0", members(seq=0))
m.refuse("malformed", "epoch-0", members(epoch=0))
m.accept("issued-an-hour-ahead", members(issued=utc(NOW + HOUR)))
m.refuse("not-yet-valid", "issued-two-hours-ahead", members(issued=utc(NOW + 2 * HOUR)))
m.refuse("expired", "expired", members(expires=utc(NOW)))
m.accept("expires-in-an-hour", members(expires=utc(NOW + HOUR)))
m.refuse("malformed", "expires-with-issued", members(expires=utc(NOW - 2 * DAY)))
m.accept("as-long-as-allowed", members(issued=utc(NOW - 10 * DAY), expires=utc(NOW + 30 * DAY)))
m.refuse("malformed", "longer-than-allowed", members(issued=utc(NOW - 10 * DAY - HOUR), expires=utc(NOW + 30 * DAY)))
m.accept("window-as-long-as-allowed", members(members__0__not_before=utc(NOW - 10 * DAY),
    members__0__not_after=utc(NOW + 30 * DAY)))
m.refuse("malformed", "window-longer-than-allowed",
         members(members__0__not_before=utc(NOW - 10 * DAY - HOUR), members__0__not_after=utc(NOW + 30 * DAY)))
m.refuse("malformed", "window-ends-with-its-begin", members(members__0__not_after=utc(NOW - 2 * DAY)))
m.refuse("malformed", "name-twice", lambda k: (k.two(), k.members.set(members__1__name="alpha")))
m.refuse("malformed", "key-twice", lambda k: (k.two(), k.members.set(members__1__key=public("alpha"))))
m.refuse("uncertified", "nobody-certified", members(members=[]))


def many(n):
    def step(k):
        for i in range(1, n):
            k.member("m%02d" % i, [])
            k.heads.pop()
    return step


m.accept("64", many(64), missing=" ".join("m%02d=missing" % i for i in range(1, 64)))
m.refuse("malformed", "65", many(65))
m.accept("signatures-in-any-order", lambda k: setattr(k.members, "sigs", lambda s: s[::-1]))
c += m
