# SPDX-License-Identifier: BSD-3-Clause
"""Leaves: addresses, listing, times, tombstones, proofs of possession."""
import ed25519
from case import Cases, all_of, good, head, leaf
from kit import DAY, GONE, HOUR, NOW, Leaf, onion, onion_of, seed, tombstone, utc

CASES = c = Cases("leaf")
A, B, STRANGER = onion("a"), onion("b"), onion("stranger")

# Channels hand out parts.
c.accept("one-of-two-handed-out", lambda k: setattr(k.leaves[1], "inside", False), mirrors=1)
c.accept("none-handed-out", lambda k: setattr(k, "pre", lambda b: b.update(leaves=[])), mirrors=0)
c.accept("twice", lambda k: setattr(k, "pre", lambda b: b["leaves"].append(b["leaves"][0])))
c.refuse("not-listed", "of-a-stranger", lambda k: k.leaves.append(Leaf("stranger")))
c.refuse("not-listed", "tampered", lambda k: setattr(k, "pre",
    lambda b: b["leaves"].append(b["leaves"][0].replace("mirror\"", "replica\""))))
c.refuse("not-listed", "another-salt", lambda k: k.leaves.append(Leaf("a").set(salt="00" * 16)))
c.refuse("malformed", "behind-a-good-one", lambda k: setattr(k, "pre", lambda b: b["leaves"].append("{}\n")))

# Address and URL.
BASE_POINT, TORSION = ed25519.decode(bytes.fromhex("5866666666666666666666666666666666666666666666666666666666666666")), None
for y in range(2, 100):  # a point of order 8: L times one that isn't of prime order
    p = ed25519.decode(y.to_bytes(32, "little"))
    t = ed25519.mul(ed25519.L, p) if p else ed25519.ZERO
    if not ed25519.same(ed25519.mul(4, t), ed25519.ZERO):
        TORSION = t
        break
SCALAR, PREFIX, PUBLIC = ed25519.expand(seed("onion a"))
ALIAS = ed25519.encode(ed25519.add(ed25519.decode(PUBLIC), TORSION))
SMALL = ed25519.encode(TORSION)


def of_key(key, signer=None):
    """Leaf a under another public key."""
    def step(k):
        k.leaves[0].set(onion=onion_of(key), url="http://%s/" % onion_of(key))
        if signer:
            k.leaves[0].signer = signer
    return step


def alias_signer(message):
    return ed25519.sign_scalar(SCALAR, PREFIX, ALIAS, message)


def small_signer(message):
    """S = 0 and R of small order: good under a key of small order for some R."""
    for i in range(8):
        sig = ed25519.encode(ed25519.mul(i, TORSION)) + bytes(32)
        if ed25519.verify(SMALL, message, sig):
            return sig
    return bytes(64)


c.refuse("malformed", "key-with-torsion", of_key(ALIAS, alias_signer))
c.refuse("malformed", "key-of-small-order", of_key(SMALL, small_signer))
c.refuse("malformed", "key-neutral", of_key(ed25519.encode(ed25519.ZERO)))
c.refuse("malformed", "key-not-canonical", of_key((ed25519.P + 1).to_bytes(32, "little")))
c.refuse("malformed", "key-no-point", of_key((2).to_bytes(32, "little")))
for name, address in (
        ("upper-case", A[:56].upper() + ".onion"), ("upper-case-ending", A[:56] + ".ONION"),
            ("one-letter-upper", A[0].upper() + A[1:]),
        ("checksum", A[:52] + ("a" if A[52] != "a" else "b") + A[53:]), ("version-4", A[:55] + "e.onion"),
            ("bare", A[:56]),
        ("short", A[1:]), ("long", "a" + A), ("digit-1", "1" + A[1:]), ("subdomain", "www." + A), ("dot", A + "."),
            ("v2", "expyuzz4wqqyqhjn.onion")):
    c.refuse("malformed", "address-" + name, leaf(onion=address, url="http://%s/" % address))
for name, url in (
        ("https", "https://%s/"), ("bare", "http://%s"), ("port", "http://%s:8080/"), ("port-bare", "https://%s:1"),
            ("port-65535", "http://%s:65535/")):
    c.accept("url-" + name, leaf(url=url % A))
for name, url in (
        ("of-another-onion", "http://%s/" % B), ("of-another-host", "http://example.com/"), ("path", "http://%s/x" % A),
        ("query", "http://%s/?x" % A), ("fragment", "http://%s/#" % A), ("user", "http://%s@example.com/" % A),
        ("user-before", "http://u@%s/" % A), ("behind-dot", "http://%s.example.com/" % A),
            ("subdomain", "http://www.%s/" % A),
        ("scheme-upper-case", "HTTP://%s/" % A), ("scheme-other", "ftp://%s/" % A), ("no-scheme", "//%s/" % A),
        ("port-0", "http://%s:0/" % A), ("port-65536", "http://%s:65536/" % A),
            ("port-leading-zero", "http://%s:080/" % A),
        ("port-empty", "http://%s:/" % A), ("port-letters", "http://%s:80a/" % A), ("space", "http://%s/ " % A),
            ("two-slashes", "http://%s//" % A)):
    c.refuse("malformed", "url-" + name, leaf(url=url))
for role in ("replica", "archive"):
    c.accept("role-" + role, leaf(role=role))
c.refuse("malformed", "role-unknown", leaf(role="backup"))
c.refuse("malformed", "salt-short", leaf(salt="00" * 15))

# Times.
c.refuse("expired", "over", leaf(until=utc(NOW)))
c.accept("over-in-an-hour", leaf(until=utc(NOW + HOUR)))
c.accept("begins-in-an-hour", leaf(**{"from": utc(NOW + HOUR)}))
c.refuse("not-yet-valid", "begins-in-two-hours", leaf(**{"from": utc(NOW + 2 * HOUR)}))
c.refuse("malformed", "ends-with-its-begin", leaf(until=utc(NOW - DAY)))

# Withdrawn.
c.refuse("retired", "retired", head(tombstones=[tombstone("a")]))
c.refuse("revoked", "revoked", head(tombstones=[tombstone("a", "revoked")]))
c.refuse("revoked", "revoked-by-another-member", lambda k: k.two().set(tombstones=[tombstone("a", "revoked")]))
c.refuse("revoked", "revoked-and-retired-by-another", all_of(
    head(tombstones=[tombstone("a", "revoked")]), lambda k: k.two().set(tombstones=[tombstone("a")])))
c.refuse("revoked", "retired-and-revoked-by-another", all_of(
    head(tombstones=[tombstone("a")]), lambda k: k.two().set(tombstones=[tombstone("a", "revoked")])))
c.accept("retired-and-not-handed-out", all_of(head(tombstones=[tombstone("a")]),
    lambda k: setattr(k.leaves[0], "inside", False)), mirrors=1)
c.accept("tombstone-of-a-late-head-does-not-count", lambda k: k.two().set(
    issued=utc(NOW + 2 * HOUR), tombstones=[tombstone("a", "revoked")]), missing="beta=not-yet-valid")
c.refuse("retired", "tombstone-before-proof", all_of(head(tombstones=[tombstone("a")]),
    lambda k: setattr(k.leaves[0], "signer", "stranger")))
c.refuse("expired", "time-before-tombstone", all_of(head(tombstones=[tombstone("a")]), leaf(until=utc(NOW - HOUR))))

# Possession.
c.refuse("bad-possession", "proof-by-another-onion", lambda k: setattr(k.leaves[0], "signer", "b"))
c.refuse("bad-possession", "proof-of-another-onion", lambda k: k.leaves[0].proof.update(onion=B))
c.refuse("bad-possession", "proof-for-another-site", lambda k: k.leaves[0].proof.update(site="00" * 32))
c.refuse("bad-possession", "proof-stretched", lambda k: k.leaves[0].proof.update(not_after=utc(NOW + DAY)))
c.refuse("bad-possession", "proof-of-another-begin", lambda k: k.leaves[0].proof.update(not_before=utc(NOW - 2 * DAY)))
c.refuse("bad-possession", "proof-zero", lambda k: k.leaves[0].set(possession__sig="00" * 64))
c.refuse("bad-possession", "listed-without-its-key", lambda k: (k.leaves.append(Leaf("stranger", signer="a")),
    k.heads[0].lists.append(2)))
c.refuse("bad-possession", "proof-over", leaf(possession__not_after=utc(NOW)))
c.accept("proof-over-in-an-hour", leaf(possession__not_after=utc(NOW + HOUR)))
c.accept("proof-begins-in-an-hour", leaf(possession__not_before=utc(NOW + HOUR)))
c.refuse("bad-possession", "proof-begins-in-two-hours", leaf(possession__not_before=utc(NOW + 2 * HOUR)))
c.refuse("bad-possession", "proof-ends-with-its-begin", leaf(possession__not_after=utc(NOW - DAY)))
c.refuse("bad-possession", "proof-ends-before-its-begin", leaf(possession__not_after=utc(NOW - 2 * DAY)))
c.accept("proof-as-long-as-allowed", leaf(possession__not_before=utc(NOW - 30 * DAY)))
c.refuse("bad-possession", "proof-longer-than-allowed", leaf(possession__not_before=utc(NOW - 30 * DAY - HOUR)))
for name, path in (("begin", "possession__not_before"), ("end", "possession__not_after")):
    c.refuse("malformed", "proof-%s-no-time" % name, leaf(**{path: "now"}))
c.refuse("malformed", "proof-sig-short", leaf(possession__sig="00" * 63))
c.refuse("malformed", "proof-empty", lambda k: setattr(k.leaves[0], "text", lambda t: t.replace(
    t[t.index('"possession":') + 13:t.index('},"role"') + 1], "{}")))
