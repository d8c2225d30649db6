# SPDX-License-Identifier: BSD-3-Clause
"""A case: steps that change a Kit, each of which is then built and fed; the last is what is judged."""
import collections

Case = collections.namedtuple("Case", "name expect mirrors missing steps")


class Cases(list):
    def __init__(self, group):
        super().__init__()
        self.group = group

    def accept(self, name, *steps, mirrors=2, missing="-"):
        self.append(Case("%s-%s" % (self.group, name), "accept", str(mirrors), missing, steps))

    def refuse(self, reason, name, *steps):
        self.append(Case("%s-%s" % (self.group, name), reason, "-", "-", steps))


def head(**fields):
    return lambda k: k.heads[0].set(**fields)


def root(**fields):
    return lambda k: k.roots[0].set(**fields)


def members(**fields):
    return lambda k: k.members.set(**fields)


def leaf(**fields):
    return lambda k: k.leaves[0].set(**fields)


def all_of(*changes):
    def step(k):
        for change in changes:
            change(k)
    return step


def at(now):
    return lambda k: setattr(k, "now", now)


def good(_k):
    pass
