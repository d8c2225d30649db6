# SPDX-License-Identifier: BSD-3-Clause
"""Form, size, type and fields of documents and bundles."""
from case import Cases, all_of, good, head, leaf, members, root
from kit import GONE, dump, public, sha256

CASES = c = Cases("form")

c.accept("good", good)


def smallest(k):
    k.first(["r1"], 1)
    k.leaves.pop()
    k.heads[0].lists = [0]


c.accept("smallest", smallest, mirrors=1)

# Fields that nobody knows are allowed, and signed.
c.accept("unknown-fields", all_of(root(x_future={"a": [1, "two"]}), members(x_future="y"), head(x_future=[]),
    leaf(x_future={})))
c.accept("unknown-field-in-bundle", lambda k: setattr(k, "pre", lambda b: b.update(x_future=7)))
c.accept("unknown-field-in-limits", root(limits__x_future=1))
c.accept("escapes", root(name='"quoted" \\ and/or'))
c.accept("every-character", head(x_future="".join(map(chr, range(0x20, 0x7f)))))
c.accept("greatest-number", head(x_future=2**53 - 1))
c.accept("nesting-8", head(x_future=[[[[[[[]]]]]]]))

# The text of a document that is signed as it stands, but isn't in the one form.
TEXTS = {
    "space": lambda t: t.replace(":", ": ", 1),
    "no-lf": lambda t: t[:-1],
    "two-lf": lambda t: t + "\n",
    "crlf": lambda t: t[:-1] + "\r\n",
    "lf-first": lambda t: "\n" + t,
    "unsorted": lambda t: '{"zzz":1,' + t[1:],
    "duplicate-name": lambda t: '{"aaa":1,"aaa":1,' + t[1:],
    "duplicate-type": lambda t: t[:-2] + ',"type":"onionmirror/leaf/1"}\n',
    "empty": lambda t: "",
    "array": lambda t: "[]\n",
    "behind": lambda t: t + "{}\n",
    "truncated": lambda t: t[:-20],
    "bom": lambda t: "\xef\xbb\xbf" + t,
    "nul": lambda t: t + "\0",
}
VALUES = {
    "real": "1.5", "real-whole": "1.0", "exponent": "1e3", "negative": "-1", "minus-zero": "-0", "leading-zero": "01",
    "two-to-53": "9007199254740992", "huge": "9" * 400, "null": "null", "true": "true", "false": "false",
    "utf8": '"\xc3\xa9"', "escaped-umlaut": '"\\u00e9"', "escaped-letter": '"\\u0061"', "surrogate": '"\\ud800"',
    "escaped-nul": '"\\u0000"', "escaped-slash": '"\\/"', "del": '"\x7f"', "raw-lf": '"a\nb"', "tab": '"a\\tb"',
    "nesting-9": "[[[[[[[[]]]]]]]]", "nesting-1000": "[" * 1000 + "]" * 1000,
}


def signed_text(change):
    return lambda k: setattr(k.heads[0], "text", change)


def with_value(text):
    """An unknown field that sorts first has this value."""
    return lambda t: '{"aaa":' + text + "," + t[1:]


for name, change in TEXTS.items():
    c.refuse("malformed", "head-" + name, signed_text(change))
for name, text in VALUES.items():
    c.refuse("malformed", "value-" + name, signed_text(with_value(text)))
c.refuse("malformed", "lf-in-signed-string", head(x_future="a\nb"))
for name in ("unsorted", "duplicate-name", "space"):
    c.refuse("malformed", "root-" + name, lambda k, name=name: setattr(k.roots[0], "text", TEXTS[name]))
    c.refuse("malformed", "members-" + name, lambda k, name=name: setattr(k.members, "text", TEXTS[name]))
    c.refuse("malformed", "leaf-" + name, lambda k, name=name: setattr(k.leaves[0], "text", TEXTS[name]))
    c.refuse("malformed", "bundle-" + name, lambda k, name=name: setattr(k, "late", TEXTS[name]))
for name in ("no-lf", "two-lf", "crlf", "empty", "array", "behind", "truncated", "bom"):
    c.refuse("malformed", "bundle-" + name, lambda k, name=name: setattr(k, "late", TEXTS[name]))
for name in ("null", "real", "utf8", "escaped-letter", "nesting-1000"):
    c.refuse("malformed", "bundle-value-" + name, lambda k, name=name: setattr(k, "late", with_value(VALUES[name])))

# Size comes before everything else.
c.refuse("too-large", "bundle-above-4-mib", lambda k: setattr(k, "late", lambda t: " " * 4194305))
c.refuse("malformed", "bundle-of-4-mib", lambda k: setattr(k, "late", lambda t: " " * 4194304))
c.accept("root-of-65536", lambda k: k.roots[0].set(x_future="a" * (65536 - len(dump(k.roots[0].fields)) - len(',"x_future":""'))))
c.refuse("too-large", "root-of-65537",
         lambda k: k.roots[0].set(x_future="a" * (65537 - len(dump(k.roots[0].fields)) - len(',"x_future":""'))))
c.refuse("too-large", "members-above-cap", members(x_future="a" * 65536))
c.refuse("too-large", "head-above-cap", head(x_future="a" * 1048576))
c.refuse("too-large", "leaf-above-cap", leaf(x_future="a" * 8192))
c.accept("head-of-many-leaves", lambda k: k.heads[0].set(leaves=sorted(
    ["%064x" % (i << 200) for i in range(1, 511)] + [leaf_hash(k, 0), leaf_hash(k, 1)])))


def leaf_hash(k, i):
    site = sha256(dump(k.roots[0].fields))
    return sha256(k.leaves[i].make(site))


c.refuse("malformed", "bundle-of-too-many-values", lambda k: setattr(k, "pre",
    lambda b: b.update(x_future=[1] * 16384)))
c.refuse("malformed", "head-of-too-many-values", head(x_future=[1] * 65536))

# A document that is validly signed, but is another than it should be there.
def swap(change):
    return lambda k: setattr(k, "pre", change)


c.refuse("malformed", "head-as-members", swap(lambda b: b.update(members=b["heads"][0])))
c.refuse("malformed", "members-as-head", swap(lambda b: b.update(heads=[b["members"]])))
c.refuse("malformed", "root-as-members", swap(lambda b: b.update(members=b["roots"][0])))
c.refuse("malformed", "members-as-root", swap(lambda b: b["roots"].append(b["members"])))
c.refuse("malformed", "head-as-leaf", swap(lambda b: b["leaves"].append(b["heads"][0]["doc"])))
c.refuse("malformed", "leaf-as-head", swap(lambda b: b["heads"].append({"doc": b["leaves"][0], "sigs": []})))
c.refuse("malformed", "root-as-bundle", lambda k: setattr(k, "late", lambda t: k.roots[0].made))
for what, change in (("root", root), ("members", members), ("head", head), ("leaf", leaf)):
    c.refuse("malformed", what + "-type-of-version-2", change(type="onionmirror/%s/2" % what))
    c.refuse("malformed", what + "-without-type", change(type=GONE))
c.refuse("malformed", "bundle-type-of-version-2", swap(lambda b: b.update(type="onionmirror/bundle/2")))

# Containers that are none.
for name in ("type", "roots", "members", "heads", "leaves"):
    c.refuse("malformed", "bundle-without-" + name, swap(lambda b, name=name: b.pop(name)))
c.refuse("malformed", "bundle-with-no-root", swap(lambda b: b.update(roots=[])))
c.refuse("malformed", "bundle-roots-object", swap(lambda b: b.update(roots={})))
c.refuse("malformed", "bundle-leaf-object", swap(lambda b: b.update(leaves=[{}])))
c.refuse("malformed", "bundle-doc-object", swap(lambda b: b["heads"][0].update(doc={})))
c.refuse("malformed", "bundle-without-sigs", swap(lambda b: b["heads"][0].pop("sigs")))
c.refuse("malformed", "bundle-sig-number", swap(lambda b: b["heads"][0].update(sigs=[1])))
c.refuse("malformed", "bundle-33-sigs", swap(lambda b: b["heads"][0].update(sigs=b["heads"][0]["sigs"] * 33)))
c.accept("bundle-32-sigs", swap(lambda b: b["heads"][0].update(sigs=["x"] * 31 + b["heads"][0]["sigs"])))
c.refuse("malformed", "bundle-65-heads", swap(lambda b: b.update(heads=b["heads"] * 65)))

# Fields: each one missing, and of the wrong kind.
FIELDS = {
    root: "version epoch epoch_start expires name keys threshold limits limits.member_days limits.head_hours limits.possession_days",
    members: "site epoch seq issued expires members members.0.name members.0.key members.0.not_before members.0.not_after",
    head: "site epoch member serial root_version members_seq members_sha256 issued fresh_until valid_until leaves tombstones peers",
    leaf: "site onion url role salt from until possession possession.not_before possession.not_after possession.sig",
}
FILLED = "site root_version members_seq members_sha256 leaves possession.sig".split()
for change, paths in FIELDS.items():
    for path in paths.split():
        name = "%s-%s" % (change.__name__, path.replace("_", "-").replace(".", "-"))
        key = path.replace(".", "__")
        # make() needs these of a leaf itself.
        if not (change is leaf and path in ("onion", "possession", "possession.not_before", "possession.not_after",
            "possession.sig")):
            c.refuse("malformed", name + "-missing", change(**{key: GONE}))
        if not (change is leaf and path in ("possession", "possession.sig")):
            c.refuse("malformed", name + "-object", change(**{key: {}} if path != "limits" else {key: []}))
for change in (members, head, leaf):
    c.refuse("wrong-site", change.__name__ + "-of-another-site", change(site="ab" * 32))
    c.refuse("malformed", change.__name__ + "-site-in-upper-case", change(site="AB" * 32))
    c.refuse("malformed", change.__name__ + "-site-short", change(site="ab" * 31))
c.refuse("malformed", "time-not-whole-hour", head(issued="2026-11-23T11:30:00Z"))
c.refuse("malformed", "time-without-zone", head(issued="2026-11-23T11:00:00"))
c.refuse("malformed", "time-of-another-zone", head(issued="2026-11-23T11:00:00+01:00"))
c.refuse("malformed", "time-february-30", head(issued="2026-02-30T11:00:00Z"))
c.accept("time-february-29", root(expires="2028-02-29T00:00:00Z"))
c.refuse("malformed", "time-february-29-of-no-leap-year", root(expires="2027-02-29T00:00:00Z"))
c.refuse("malformed", "time-hour-24", head(issued="2026-11-22T24:00:00Z"))
c.refuse("malformed", "time-lower-case", head(issued="2026-11-23t11:00:00z"))
for name in ("Alpha", "-alpha", "al_pha", "alpha.", "", "a" * 33, "al pha"):
    c.refuse("malformed", "member-name-%s" % (name.replace(" ", "+") or "empty")[:12],
             lambda k, name=name: (k.heads[0].set(member=name), k.members.set(members__0__name=name)))
c.accept("member-name-longest", lambda k: (k.heads[0].set(member="0" + "-" * 31),
    k.members.set(members__0__name="0" + "-" * 31)))
c.refuse("malformed", "key-in-upper-case", root(keys__0=public("r1").upper()))
c.refuse("malformed", "key-with-space", members(members__0__key=public("alpha")[:-1] + " "))
