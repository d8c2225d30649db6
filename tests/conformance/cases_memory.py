# SPDX-License-Identifier: BSD-3-Clause
"""What a reader who has seen lists before says of the next."""
from case import Cases, all_of, at, good, head, members, root
from kit import DAY, GONE, HOUR, NOW, Leaf, public, tombstone, utc

CASES = c = Cases("memory")


def follow(serial=None, i=0, **fields):
    return lambda k: k.follow(i, serial).set(**fields)


def two(k):
    k.two()


def epoch_2(k):
    """A new root of epoch 2, and everything under it anew."""
    k.root(epoch=2, epoch_start=utc(NOW - DAY))
    k.members.set(epoch=2, seq=1)
    for h in k.heads:
        h.set(epoch=2, serial=1)
        h.fields.pop("prev", None)


# Serials of a member's heads.
c.accept("same-again", good, good)
c.accept("next", good, follow())
c.accept("some-missed", good, head(serial=1010, prev={"serial": 1009, "sha256": "00" * 32}))
c.refuse("rollback", "older", good, follow(), head(serial=1000, prev=GONE))
c.refuse("rollback", "far-older", good, head(serial=1))
c.refuse("fork", "same-serial-other-bytes", good, head(fresh_until=utc(NOW + 22 * HOUR)))
c.refuse("fork", "follows-another", good, head(serial=1001, prev={"serial": 1000, "sha256": "00" * 32}))
c.refuse("fork", "passes-over", good, head(serial=1005, prev={"serial": 999, "sha256": "00" * 32}))
c.refuse("fork", "no-prev-passes-over", good, head(serial=1001))
c.refuse("rollback", "older-before-fork", good, head(serial=999, prev={"serial": 998, "sha256": "00" * 32}))
c.refuse("expired", "freeze-runs-out", good, at(NOW + 6 * DAY))
c.accept("freeze-goes-on-till-then", good, at(NOW + 6 * DAY - 1))

# One member among two: its head counts as missing, what is known stays.
c.accept("older-of-one", two, follow(), head(serial=1000, prev=GONE), mirrors=3, missing="alpha=rollback")
c.accept("fork-of-one", two, head(fresh_until=utc(NOW + 22 * HOUR)), mirrors=3, missing="alpha=fork")
c.accept("passes-over-of-one", two, head(serial=1005), mirrors=3, missing="alpha=fork")
c.accept("follows-another-of-one", two, head(serial=1001, prev={"serial": 1000, "sha256": "00" * 32}), mirrors=3,
    missing="alpha=fork")
c.accept("older-of-the-second", two, follow(i=1), lambda k: k.heads[1].set(serial=1000, prev=GONE), mirrors=3,
    missing="beta=rollback")
c.refuse("rollback", "older-of-both", two, all_of(follow(), follow(i=1)),
         all_of(head(serial=1000, prev=GONE), lambda k: k.heads[1].set(serial=1000, prev=GONE)))
c.refuse("fork", "fork-of-one-older-of-the-other", two, follow(i=1),
         all_of(head(fresh_until=utc(NOW + 22 * HOUR)), lambda k: k.heads[1].set(serial=1000, prev=GONE)))
c.refuse("rollback", "older-of-one-expired-of-the-other", two, follow(), all_of(
    head(serial=1000, prev=GONE), lambda k: k.heads[1].set(
        serial=1001, issued=utc(NOW - 7 * DAY), fresh_until=utc(NOW - 6 * DAY), valid_until=utc(NOW - HOUR))))
c.refuse("bad-signature", "older-of-one-and-unsigned", two, follow(), all_of(
    head(serial=1000, prev=GONE), lambda k: setattr(k.heads[0], "by", [])))


def lists_only_new(k):
    """Another head of alpha's, which lists another onion."""
    k.leaves.append(Leaf("d"))
    k.heads[0].lists = [3]
    k.leaves[0].inside = k.leaves[1].inside = False


c.accept("leaf-of-a-forked-head-is-left-out", two, lists_only_new, mirrors=3, missing="alpha=fork")
c.accept("known-mirrors-stay-without-their-leaves", two, all_of(
    head(serial=999), lambda k: setattr(k, "pre", lambda b: b["leaves"].clear())), mirrors=2, missing="alpha=rollback")
c.accept("known-mirrors-do-not-stay-when-the-head-is-not-there", two, lambda k: setattr(
    k, "pre", lambda b: (b["heads"].pop(0), b.update(leaves=b["leaves"][2:]))), mirrors=1, missing="alpha=missing")
c.accept("known-mirrors-go-when-withdrawn", two, all_of(
    head(serial=999), lambda k: k.follow(1).set(tombstones=[tombstone("a", "revoked")]),
    lambda k: setattr(k, "pre", lambda b: b["leaves"].clear())), mirrors=1, missing="alpha=rollback")
REVOKES = all_of(follow(tombstones=[tombstone("a", "revoked")]), lambda k: setattr(k.leaves[0], "inside", False))
FORGETS = all_of(head(serial=1000, prev=GONE, tombstones=[]), lambda k: setattr(k.leaves[0], "inside", True))
c.accept("tombstones-of-the-newer-head-stay", two, REVOKES, FORGETS, mirrors=2, missing="alpha=rollback")
c.refuse("revoked", "tombstones-of-the-newer-head-count-for-others-leaves", two, REVOKES, all_of(
    FORGETS, follow(i=1), lambda k: setattr(k.heads[1], "lists", [0, 2])))
c.accept("nothing-of-a-forked-head-is-stored", two, head(serial=1005, tombstones=[tombstone("a", "revoked")]),
         all_of(follow(1001), head(tombstones=[]), lambda k: k.heads[0].fields.update(prev=GONE)), mirrors=3,
             missing="alpha=fork")

# A serial belongs to a name and a key.
NEW_KEY = members(seq=2, members__0__key=public("alpha2"))
c.accept("new-key-begins-anew", good, all_of(NEW_KEY, head(serial=1), lambda k: setattr(k.heads[0], "by", ["alpha2"])))
c.refuse("bad-signature", "old-key-after-a-new-one", good, all_of(NEW_KEY, follow()))
c.refuse("rollback", "old-key-returns-with-an-older-head", good,
    all_of(NEW_KEY, head(serial=1), lambda k: setattr(k.heads[0], "by", ["alpha2"])),
         all_of(members(seq=3, members__0__key=public("alpha")), head(serial=999),
             lambda k: setattr(k.heads[0], "by", ["alpha"])))
c.accept("another-member-takes-the-key", good, all_of(
    members(seq=2, members__0__name="gamma"), head(member="gamma", serial=1)))
c.refuse("uncertified", "removed-member", two, all_of(follow(),
    lambda k: (k.members.set(seq=2), k.members.fields["members"].pop(1))))

# Members documents.
c.accept("members-renewed", good, all_of(members(seq=2), follow()))


def same_head(k):
    """Its bytes stay, whatever becomes of the documents above it."""
    k.heads[0].text = lambda _t, t=k.heads[0].made: t


c.accept("members-renewed-and-the-head-stays", good, all_of(same_head, members(seq=2)))
c.refuse("rollback", "members-older", members(seq=2), all_of(members(seq=1), follow()))
c.refuse("fork", "members-same-seq-other-bytes", good, all_of(members(expires=utc(NOW + 29 * DAY)), follow()))
c.refuse("rollback", "members-older-though-expired", members(seq=2), members(seq=1, expires=utc(NOW - HOUR)))
c.refuse("rollback", "members-stored-though-heads-fail", all_of(members(seq=5), lambda k: setattr(k.heads[0], "by",
    [])),
         all_of(members(seq=4), lambda k: setattr(k.heads[0], "by", ["alpha"])))
c.accept("members-refused-is-not-stored", all_of(members(seq=5), lambda k: setattr(k.members, "by", ["r1"])),
         all_of(members(seq=4), lambda k: setattr(k.members, "by", ["r1", "r2"])))
c.accept("members-expired-is-not-stored", members(seq=5, expires=utc(NOW)), members(seq=4, expires=utc(NOW + DAY)))

# Roots.
c.accept("root-added", good, all_of(lambda k: k.root(), follow()))
c.accept("root-added-and-the-head-stays", good, all_of(same_head, lambda k: k.root()))
c.refuse("rollback", "chain-shorter", lambda k: k.root(), lambda k: (k.roots.pop(), k.heads[0].set(serial=1001)))
c.refuse("fork", "another-root-2", lambda k: k.root(), lambda k: (k.roots.pop(), k.root(name="Another")))
c.refuse("fork", "another-root-2-and-a-3", lambda k: k.root(),
    lambda k: (k.roots.pop(), k.root(name="Another"), k.root()))
c.refuse("rollback", "roots-before-a-failing-one-are-stored", lambda k: (k.root(), k.root(by=["r1"])),
    lambda k: (k.roots.pop(), k.roots.pop()))
c.accept("root-that-failed-is-not-stored", lambda k: k.root(by=["r1"]), lambda k: k.roots.pop())
c.accept("expired-last-root-is-not-stored", lambda k: k.root(expires=utc(NOW)), lambda k: k.roots.pop())
c.refuse("rollback", "roots-are-stored-though-members-fail", lambda k: (k.root(), setattr(k.members, "by", [])),
         lambda k: (k.roots.pop(), setattr(k.members, "by", ["r1", "r2"])))
c.refuse("threshold", "threshold-before-fork", lambda k: k.root(),
    lambda k: (k.roots.pop(), k.root(name="Another", by=["r1"])))
c.accept("stored-root-expired-and-a-new-one", all_of(at(NOW - DAY), root(expires=utc(NOW - 2 * HOUR)),
    head(issued=utc(NOW - DAY))),
         all_of(lambda k: k.root(expires=utc(NOW + DAY)), follow()))

# Epochs: fast-forward and other disasters are undone by a new one.
c.accept("epoch-clears-serials", head(serial=140000), epoch_2)
c.accept("epoch-clears-seq", members(seq=9), epoch_2)
c.refuse("rollback", "epoch-back", epoch_2, lambda k: (
    k.roots.pop(), k.members.set(epoch=1, seq=2), k.heads[0].set(epoch=1, serial=2000)))
c.refuse("retired", "tombstone-stays-in-its-epoch", all_of(head(tombstones=[tombstone("a")]),
    lambda k: setattr(k.leaves[0], "inside", False)),
         all_of(follow(tombstones=[]), lambda k: setattr(k.leaves[0], "inside", True)))
c.refuse("revoked", "revoked-is-not-softened", all_of(head(tombstones=[tombstone("a", "revoked")]),
    lambda k: setattr(k.leaves[0], "inside", False)),
         all_of(follow(tombstones=[tombstone("a")]), lambda k: setattr(k.leaves[0], "inside", True)))
c.refuse("revoked", "retired-is-hardened", all_of(head(tombstones=[tombstone("a")]),
    lambda k: setattr(k.leaves[0], "inside", False)),
         all_of(follow(tombstones=[tombstone("a", "revoked")]), lambda k: setattr(k.leaves[0], "inside", True)))
c.accept("epoch-clears-tombstones", all_of(head(tombstones=[tombstone("a")]),
    lambda k: setattr(k.leaves[0], "inside", False)),
         all_of(epoch_2, head(tombstones=[]), lambda k: setattr(k.leaves[0], "inside", True)))
c.refuse("revoked", "carried-into-a-new-epoch", head(tombstones=[tombstone("a", "revoked")]), epoch_2)
c.refuse("clock", "serial-of-an-old-epoch-in-a-new-one", good, all_of(epoch_2, head(serial=1000 + 23 * 60 + 1)))
c.refuse("rollback", "epoch-stored-though-members-fail", epoch_2,
    lambda k: (k.roots.pop(), k.members.set(epoch=1), k.heads[0].set(epoch=1)))
c.accept("epoch-passed-over", good, lambda k: (epoch_2(k), k.root(epoch=7, epoch_start=utc(NOW - HOUR)),
                                               k.members.set(epoch=7), k.heads[0].set(epoch=7)))

# Nothing before its checks passed; all that passed.
c.refuse("rollback", "head-stored-though-a-leaf-fails", all_of(head(serial=1500), lambda k: setattr(k.leaves[1],
    "signer", "a")),
         all_of(head(serial=1000), lambda k: setattr(k.leaves[1], "signer", "b")))
c.accept("unsigned-head-is-not-stored", all_of(head(serial=1500), lambda k: setattr(k.heads[0], "by", [])),
         all_of(head(serial=1000), lambda k: setattr(k.heads[0], "by", ["alpha"])))
c.accept("head-ahead-of-its-bound-is-not-stored", head(serial=2**53 - 1), head(serial=1000))
c.accept("late-head-is-not-stored", two, lambda k: k.heads[0].set(serial=2000, issued=utc(NOW + 2 * HOUR)),
         lambda k: k.heads[0].set(serial=1000, issued=utc(NOW - HOUR)), mirrors=3)
c.refuse("revoked", "tombstones-of-a-refused-bundle-count", all_of(head(tombstones=[tombstone("a", "revoked")])),
    follow(tombstones=[]))
