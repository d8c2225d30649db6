# SPDX-License-Identifier: BSD-3-Clause
"""Where two verifiers might differ: bounds, order of checks, and what is not looked at."""
from case import Cases, all_of, at, good, head, leaf, members, root
from cases_heads import OLD, PEER, line
from cases_leaves import A
from kit import DAY, EPOCH_START, GONE, HOUR, NOW, Leaf, dump, public, sha256, tombstone, utc

CASES = c = Cases("edge")


def bundle(change):
    return lambda k: setattr(k, "pre", change)


# Leaves that no good head lists: form, type and site are looked at, nothing else.
def stranger(**fields):
    return lambda k: k.leaves.append(Leaf("stranger").set(**fields))


c.refuse("not-listed", "unlisted-leaf-with-bad-address", stranger(onion="x", url="http://x/"))
c.refuse("not-listed", "unlisted-leaf-without-role", stranger(role=GONE))
c.refuse("not-listed", "unlisted-leaf-over", stranger(until=utc(NOW - HOUR)))
c.refuse("wrong-site", "unlisted-leaf-of-another-site", stranger(site="00" * 32))
c.refuse("malformed", "unlisted-leaf-with-bad-site", stranger(site="x"))
c.refuse("malformed", "unlisted-leaf-without-site", stranger(site=GONE))
c.refuse("malformed", "unlisted-leaf-of-another-type", stranger(type="onionmirror/head/1"))


def late_beta(**fields):
    return lambda k: (k.two().set(**OLD), k.leaves[2].set(**fields))


c.accept("left-out-leaf-over", late_beta(until=utc(NOW - HOUR)), missing="beta=expired")
c.accept("left-out-leaf-without-role", late_beta(role=GONE), missing="beta=expired")
c.refuse("wrong-site", "left-out-leaf-of-another-site", late_beta(site="00" * 32))
c.accept("left-out-leaf-unproved", lambda k: (k.two().set(**OLD), setattr(k.leaves[2], "signer", "a")),
    missing="beta=expired")
c.refuse("malformed", "left-out-leaf-is-no-json", lambda k: (k.two().set(**OLD),
    setattr(k.leaves[2], "text", lambda t: t[:-1])))

# Numbers.
for name in ("member_days", "head_hours", "possession_days"):
    c.refuse("malformed", "limit-0-" + name.replace("_", "-"), root(**{"limits__" + name: 0}))
    c.accept("limit-greatest-" + name.replace("_", "-"), root(**{"limits__" + name: 2**53 - 1}))
c.refuse("malformed", "root-epoch-0", root(epoch=0))
c.refuse("malformed", "head-epoch-0", head(epoch=0))
c.refuse("malformed", "members-seq-0-in-head", head(members_seq=0))
c.refuse("malformed", "root-version-0-in-head", head(root_version=0))
c.accept("epoch-greatest", all_of(root(epoch=2**53 - 1), members(epoch=2**53 - 1), head(epoch=2**53 - 1)))
c.accept("seq-greatest", members(seq=2**53 - 1))
c.accept("unused-root-key-that-is-no-point", lambda k: (k.roots[0].set(keys__2="02" + "00" * 31),
    setattr(k.roots[0], "by", ["r1", "r2"])))
c.refuse("bad-signature", "member-key-that-is-no-point", lambda k: k.members.set(members__0__key="02" + "00" * 31))
c.refuse("bad-signature", "member-key-zero", lambda k: k.members.set(members__0__key="00" * 32))
c.refuse("malformed", "prev-serial-of-another-kind", head(prev={"serial": "1", "sha256": "00" * 32}))
c.refuse("malformed", "prev-array", head(prev=[]))
c.refuse("malformed", "peers-object", head(peers={}))
c.refuse("malformed", "peers-of-numbers", head(peers=[1]))
c.refuse("malformed", "peer-serial-0", head(peers=[dict(PEER, serial=0)]))
c.refuse("malformed", "peer-epoch-0", head(peers=[dict(PEER, epoch=0)]))
c.refuse("malformed", "peer-member-bad", head(peers=[dict(PEER, member="M")]))
c.refuse("malformed", "peer-site-short", head(peers=[dict(PEER, site="aa")]))
c.accept("peer-twice", head(peers=[PEER, PEER]))
c.accept("peer-with-more", head(peers=[dict(PEER, x_future=1)]))
c.accept("tombstone-with-more", head(tombstones=[dict(tombstone("z"), x_future=1)]))
c.accept("member-with-more", members(members__0__x_future=1))
c.accept("prev-with-more", head(prev={"serial": 1, "sha256": "00" * 32, "x_future": 1}))
c.refuse("malformed", "tombstone-since-no-hour", head(tombstones=[dict(tombstone("z"), since="2026-11-23T11:00:01Z")]))
c.accept("tombstone-since-ahead", head(tombstones=[dict(tombstone("z"), since=utc(NOW + 99 * DAY))]))

# Times far away.
c.refuse("malformed", "time-of-5-digit-year", root(expires="10000-01-01T00:00:00Z"))
c.accept("time-in-9999", root(expires="9999-12-31T23:00:00Z"))
c.accept("epoch-start-in-1970", root(epoch_start="1970-01-01T00:00:00Z"))
c.refuse("malformed", "time-in-1969", root(epoch_start="1969-12-31T23:00:00Z"))
c.refuse("malformed", "time-in-year-0", root(epoch_start="0000-01-01T00:00:00Z"))
c.refuse("malformed", "time-month-0", root(expires="2027-00-01T00:00:00Z"))
c.refuse("malformed", "time-month-13", root(expires="2027-13-01T00:00:00Z"))
c.refuse("malformed", "time-day-0", root(expires="2027-01-00T00:00:00Z"))
c.refuse("malformed", "time-short", root(expires="2027-1-01T00:00:00Z"))
c.refuse("malformed", "time-plus", root(expires="+027-01-01T00:00:00Z"))
c.refuse("malformed", "time-space", root(expires="2027-01-01 00:00:00Z"))
c.refuse("malformed", "time-second-60", root(expires="2027-01-01T00:00:60Z"))
c.refuse("clock", "head-issued-long-before-its-epoch", all_of(root(epoch_start=utc(NOW + 17 * HOUR)), head(serial=1)))
c.accept("head-issued-before-its-epoch", all_of(root(epoch_start=utc(NOW + HOUR)), head(serial=880)))
c.refuse("clock", "head-issued-before-its-epoch-above-bound",
    all_of(root(epoch_start=utc(NOW + HOUR)), head(serial=881)))
c.accept("epoch-start-goes-back-in-a-new-epoch", lambda k: (
    k.root(epoch=2, epoch_start=utc(EPOCH_START - DAY)), k.members.set(epoch=2), k.heads[0].set(epoch=2)))

# How many values a document and a bundle may have: objects, arrays, strings and numbers; not names.
HEAD_VALUES = 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + (1 + 16) + 1 + 1  # type to peers
c.accept("head-of-65536-values", head(x_future=[1] * (65536 - HEAD_VALUES - 1)))
c.refuse("malformed", "head-of-65537-values", head(x_future=[1] * (65536 - HEAD_VALUES)))
BUNDLE_VALUES = 1 + 1 + (1 + 1 + 1 + 1 + 2) + (1 + 1 + 1 + 2) + (1 + 1 + 1 + 1 + 1) + (1 + 2)
c.accept("bundle-of-16384-values", bundle(lambda b: b.update(x_future=[1] * (16384 - BUNDLE_VALUES - 1))))
c.refuse("malformed", "bundle-of-16385-values", bundle(lambda b: b.update(x_future=[1] * (16384 - BUNDLE_VALUES))))
c.accept("bundle-lf-in-unknown-string", bundle(lambda b: b.update(x_future="a\nb")))
c.refuse("malformed", "bundle-lf-in-unknown-name", bundle(lambda b: b.update({"x\ny": 1})))
c.accept("empty-name", lambda k: k.heads[0].fields.update({"": 1}))
c.accept("name-with-quote", lambda k: k.heads[0].fields.update({'"': 1}))
c.refuse("malformed", "name-with-lf", lambda k: k.heads[0].fields.update({"a\nb": 1}))
c.refuse("malformed", "name-escaped-letter", lambda k: setattr(k.heads[0], "text", lambda t: '{"\\u0041":1,' + t[1:]))
c.refuse("malformed", "name-twice-in-an-inner-object", lambda k: setattr(k.heads[0], "text",
    lambda t: '{"aaa":{"a":1,"a":1},' + t[1:]))
c.refuse("malformed", "unsorted-in-an-inner-object", lambda k: setattr(k.heads[0], "text",
    lambda t: '{"aaa":{"b":1,"a":1},' + t[1:]))
c.accept("names-sort-by-bytes", lambda k: k.heads[0].fields.update({"Z": 1, "_": 1, "a": 1, "a-": 1, "a.": 1, "aa": 1}))
c.refuse("malformed", "comma-behind", lambda k: setattr(k.heads[0], "text", lambda t: t[:-2] + ",}\n"))
c.refuse("malformed", "unfinished-escape", lambda k: setattr(k.heads[0], "text", lambda t: '{"aaa":"\\q",' + t[1:]))
c.refuse("malformed", "single-quotes", lambda k: setattr(k.heads[0], "text", lambda t: "{'aaa':1," + t[1:]))
c.refuse("malformed", "comment", lambda k: setattr(k.heads[0], "text", lambda t: "/**/" + t))

# Many roots.
c.accept("chain-of-30", lambda k: [k.root() for _ in range(29)])

# Signature files of unusual size.
c.accept("untrusted-comment-of-1024", lambda k: setattr(k.heads[0], "sigs",
    lambda s: [line(0, lambda t: "untrusted comment: " + "u" * 1024)(s[0])]))
c.refuse("bad-signature", "untrusted-comment-of-1025",
         lambda k: setattr(k.heads[0], "sigs", lambda s: [line(0, lambda t: "untrusted comment: " + "u" * 1025)(s[0])]))

# Order of checks.
c.refuse("wrong-site", "site-before-seq", members(site="00" * 32, seq=1))
c.refuse("wrong-site", "site-before-fields", members(site="00" * 32, seq=0))
c.refuse("wrong-site", "site-before-fields-of-a-leaf", leaf(site="00" * 32, role="x"))
c.refuse("malformed", "version-before-site-of-a-root", lambda k: k.root(site="00" * 32).set(version=0))
c.refuse("wrong-site", "site-before-version-of-its-place", lambda k: k.root(site="00" * 32).set(version=3))
c.refuse("malformed", "fields-before-signature", lambda k: (k.heads[0].set(serial=0), setattr(k.heads[0], "by", [])))
c.refuse("threshold", "threshold-before-epoch", lambda k: (k.members.set(epoch=2), setattr(k.members, "by", [])))
c.refuse("mismatch", "epoch-before-expiry", members(epoch=2, expires=utc(NOW - HOUR)))
c.refuse("expired", "expiry-before-span", members(issued=utc(NOW - 90 * DAY), expires=utc(NOW - HOUR)))
c.refuse("not-yet-valid", "begin-before-end", members(issued=utc(NOW + 2 * HOUR), expires=utc(NOW + 300 * DAY)))
c.refuse("uncertified", "certificate-before-epoch", head(member="mallory", epoch=2))
c.refuse("expired", "window-before-epoch", all_of(members(members__0__not_after=utc(NOW - HOUR)), head(epoch=2)))
c.refuse("mismatch", "binding-before-signature", lambda k: (k.heads[0].set(epoch=2), setattr(k.heads[0], "by", [])))
c.refuse("bad-signature", "signature-before-times", lambda k: (k.heads[0].set(**OLD), setattr(k.heads[0], "by", [])))
c.refuse("expired", "times-before-span", head(issued=utc(NOW - 30 * DAY), valid_until=utc(NOW - HOUR),
    fresh_until=utc(NOW - HOUR)))
c.refuse("malformed", "span-before-serial", head(valid_until=utc(NOW + 30 * DAY), serial=2**53 - 1))
c.refuse("clock", "serial-bound-before-store", good, head(serial=2**53 - 1))
c.refuse("malformed", "root-form-before-members", lambda k: (setattr(k.roots[0], "text", lambda t: t[:-1]),
    setattr(k.members, "by", [])))
c.refuse("threshold", "members-before-heads", lambda k: (setattr(k.heads[0], "by", []), setattr(k.members, "by", [])))
c.refuse("bad-signature", "heads-before-leaves", lambda k: (setattr(k.heads[0], "by", []),
    setattr(k.leaves[0], "signer", "b")))
c.refuse("bad-possession", "leaves-in-their-order", lambda k: (setattr(k.leaves[0], "signer", "b"),
    k.leaves[1].set(until=utc(NOW - HOUR))))
c.refuse("malformed", "second-of-a-late-one", lambda k: (
    k.two(), k.heads[0].set(**OLD), setattr(k, "pre", lambda b: b["heads"].append(b["heads"][0]))))
c.refuse("malformed", "bundle-form-before-root-1", lambda k: (setattr(k, "site", "00" * 32),
    setattr(k, "pre", lambda b: b.pop("leaves"))))
c.refuse("malformed", "prev-hash-before-signature", lambda k: setattr(k.root(by=[]), "prev", "x"))
c.refuse("fork", "prev-before-signature", lambda k: setattr(k.root(by=[]), "prev", "00" * 32))
c.refuse("malformed", "version-before-root-1s-hash", all_of(root(version=2, site="00" * 32, prev="00" * 32),
    lambda k: setattr(k, "site", "00" * 32)))

# An onion that several leaves tell of.
c.accept("onion-in-two-leaves", lambda k: (k.leaves.append(Leaf("a").set(salt="00" * 16)),
    k.heads[0].lists.append(2)), mirrors=3)
c.accept("onion-of-two-members", lambda k: (k.two(), k.leaves.append(Leaf("a").set(salt="00" * 16)),
    k.heads[1].lists.append(3)), mirrors=4)
c.accept("known-mirror-goes-for-a-newer-leaf", lambda k: k.two(), lambda k: (
    k.heads[0].set(serial=999), k.follow(1), k.leaves.append(Leaf("a").set(salt="00" * 16)),
        k.heads[1].lists.append(3)),
    mirrors=3, missing="alpha=rollback")
c.accept("known-mirrors-of-a-refused-bundle-stay", lambda k: k.two(), lambda k: setattr(k.leaves[0], "signer", "b"),
    lambda k: (
    setattr(k.leaves[0], "signer", "a"), k.heads[0].set(serial=999), setattr(k, "pre", lambda b: b["leaves"].clear())),
    mirrors=2, missing="alpha=rollback")
c.accept("known-mirrors-go-with-the-members-key", lambda k: k.two(), lambda k: (
    k.members.set(seq=2, members__0__key=public("alpha2")), setattr(k.heads[0], "by", ["alpha2"]),
        k.heads[0].set(**OLD), k.follow(1),
    setattr(k, "pre", lambda b: b.update(leaves=b["leaves"][2:]))), mirrors=1, missing="alpha=expired")
c.accept("known-mirrors-go-when-the-head-is-late", lambda k: k.two(), lambda k: (
    k.heads[0].set(**OLD), setattr(k, "pre", lambda b: b.update(leaves=b["leaves"][2:]))), mirrors=1,
        missing="alpha=expired")
c.accept("root-1-alone-of-a-chain-that-fails", lambda k: k.root(by=[]), lambda k: k.roots.pop())
c.refuse("fork", "stored-root-1-of-a-chain-that-fails", lambda k: k.root(by=[]),
    lambda k: (k.roots.pop(), k.root(), setattr(k.roots[1], "prev", "00" * 32)))
