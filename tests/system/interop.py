#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The list and stock tools: one made with nothing but minisign and openssl is accepted by ours and by the second
verifier; every signature of one that ours made is good for minisign -V -H and for openssl."""

import base64
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import om
import listcheck  # adds tests/conformance to the path
import ed25519
import kit

CLIENT, LISTMAKE = om.BUILD + "/onionmirror", om.BUILD + "/tests/support/listmake"
SPKI = bytes.fromhex("302a300506032b6570032100")  # SubjectPublicKeyInfo of an Ed25519 key, before its 32 bytes


def run(*argv, code=0):
    p = subprocess.run(argv, capture_output=True, timeout=60)
    assert p.returncode == code, (argv, p.returncode, p.stdout, p.stderr)
    return p.stdout


class World:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="interop")
        self.keys = {}
        run(LISTMAKE, self.dir + "/ours")
        self.files = self.dir + "/ours/good.files"

    def path(self, name, data=None):
        path = "%s/%s" % (self.dir, name)
        if data is not None:
            with open(path, "wb") as f:
                f.write(data)
        return path

    def read(self, name):
        with open("%s/%s" % (self.files, name), "rb") as f:
            return f.read()

    def close(self):
        shutil.rmtree(self.dir)

    # --- stock tools that sign ---

    def key(self, name):
        """A minisign key's 32 bytes of public key."""
        if name not in self.keys:
            run("minisign", "-G", "-W", "-p", self.path(name + ".pub"), "-s", self.path(name + ".key"))
            with open(self.path(name + ".pub"), encoding="ascii") as f:
                self.keys[name] = base64.b64decode(f.read().split("\n")[1])[10:]
        return self.keys[name]

    def minisign(self, name, text, comment):
        self.key(name)
        run("minisign", "-S", "-H", "-s", self.path(name + ".key"), "-m", self.path("doc", text.encode()), "-t",
            comment,
            "-x", self.path("doc.minisig"))
        with open(self.path("doc.minisig"), encoding="ascii") as f:
            return f.read()

    def onion(self, name):
        """An onion whose key openssl made."""
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", self.path(name + ".pem"))
        der = run("openssl", "pkey", "-in", self.path(name + ".pem"), "-pubout", "-outform", "DER")
        assert der.startswith(SPKI)
        address = kit.onion_of(der[len(SPKI):])

        def sign(message):
            return run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.path(name + ".pem"), "-in",
                self.path("message", message))
        return kit.Leaf(name, signer=sign).set(onion=address, url="http://%s/" % address)

    # --- stock tools that verify ---

    def openssl_says(self, key, message, signature):
        p = subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey",
                self.path("key.der", SPKI + key),
             "-in", self.path("message", message), "-sigfile", self.path("signature", signature)],
                 capture_output=True, timeout=60)
        return p.returncode == 0 and b"Verified Successfully" in p.stdout

    def check_file(self, name, signature_name, key):
        """A document of ours and one of its signature files."""
        with open("%s/%s" % (self.files, signature_name), encoding="ascii") as f:
            lines = f.read().split("\n")
        raw, last = base64.b64decode(lines[1]), base64.b64decode(lines[3])
        doc = "%s/%s" % (self.files, name)
        run("minisign", "-V", "-H", "-q", "-P", base64.b64encode(b"Ed" + raw[2:10] + key).decode(), "-m", doc,
            "-x", "%s/%s" % (self.files, signature_name))
        digest = run("openssl", "dgst", "-blake2b512", "-binary", doc)
        comment = lines[2][len("trusted comment: "):].encode()
        assert self.openssl_says(key, digest, raw[10:]), name
        assert self.openssl_says(key, raw[10:] + comment, last), name
        # The same calls say no where they should.
        assert not self.openssl_says(key, digest[::-1], raw[10:])
        run("minisign", "-V", "-H", "-q", "-P", base64.b64encode(b"Ed" + raw[2:10] + key[::-1]).decode(), "-m", doc,
            "-x", "%s/%s" % (self.files, signature_name), code=1)


def a_list_made_with_stock_tools_alone_is_accepted(w):
    kit.NOW = int(time.time()) // 3600 * 3600
    kit.EPOCH_START = kit.NOW - 100 * kit.DAY
    kit.minisign, kit.public = w.minisign, lambda name: w.key(name).hex()
    k = kit.Kit()
    k.leaves = [w.onion("one"), w.onion("two")]
    k.root(["n1", "n2", "n3"], 2, ["r1", "r2", "n1", "n2"])
    bundle = k.build()
    path, site = w.path("bundle.json", bundle), kit.site_text(k.made_site)
    out = run(CLIENT, "verify", "--site", site, path).decode()
    for leaf in k.leaves:
        assert leaf.fields["url"] in out, out
    urls, missing = listcheck.Reader(k.made_site).feed(bundle, int(time.time()))
    assert urls == [leaf.fields["url"] for leaf in k.leaves] and not missing
    # And not when minisign signed something else.
    k.heads[0].comment = lambda t: t.replace("serial=1000", "serial=1001")
    w.path("bundle.json", k.build())
    p = subprocess.run([CLIENT, "verify", "--site", site, path], capture_output=True, timeout=60)
    assert p.returncode == 4 and b"bad-signature" in p.stderr, p


def minisign_and_openssl_verify_what_we_sign(w):
    root, members = (json.loads(w.read(name)) for name in ("1.root.json", "members.json"))
    keys = [bytes.fromhex(k) for k in root["keys"]]
    checked = 0
    for name in ("1.root.json", "members.json"):
        for i, path in enumerate(sorted(glob.glob("%s/%s.*.minisig" % (w.files, name)))):
            w.check_file(name, os.path.basename(path), keys[i])  # listmake signs with the first keys, in order
            checked += 1
    for m in members["members"]:
        name = "head.json" if m["name"] == "alpha" else "head-%s.json" % m["name"]
        w.check_file(name, name + ".minisig", bytes.fromhex(m["key"]))
        checked += 1
    assert checked == 6, checked


def openssl_verifies_possession_by_the_key_in_the_address(w):
    leaves = glob.glob(w.files + "/leaf-*.json")
    assert len(leaves) == 3
    for path in leaves:
        with open(path, encoding="ascii") as f:
            leaf = json.load(f)
        raw = base64.b32decode(leaf["onion"][:56].upper())[:32]
        p = leaf["possession"]
        said = "onionmirror/possession/1\nsite %s\nonion %s\nnot-before %s\nnot-after %s\n" % (
            leaf["site"], leaf["onion"], p["not_before"], p["not_after"])
        sig = bytes.fromhex(p["sig"])
        assert w.openssl_says(raw, said.encode(), sig), path
        assert not w.openssl_says(raw, said.replace("site ", "site  ").encode(), sig)
        assert ed25519.verify(raw, said.encode(), sig)


def main():
    for tool in ("minisign", "openssl"):
        if not shutil.which(tool):
            print("skip interoperation: no %s" % tool)
            return 77
    return om.run_cases(World(), (minisign_and_openssl_verify_what_we_sign,
                                  openssl_verifies_possession_by_the_key_in_the_address,
                                  a_list_made_with_stock_tools_alone_is_accepted))


if __name__ == "__main__":
    sys.exit(main())
