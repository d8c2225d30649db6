# SPDX-License-Identifier: BSD-3-Clause
"""Ed25519 (RFC 8032) in plain Python: slow, not constant in time, for test data alone."""
import functools
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
ZERO = (0, 1, 1, 0)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def mul(s, p):
    q = ZERO
    while s > 0:
        if s & 1:
            q = add(q, p)
        p = add(p, p)
        s >>= 1
    return q


def same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def decode(raw):
    """The point that RAW is the canonical encoding of, or None."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def encode(p):
    z = pow(p[2], P - 2, P)
    x, y = p[0] * z % P, p[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


@functools.lru_cache(None)
def prime_order(raw):
    p = decode(raw)
    return p is not None and not same(p, ZERO) and same(mul(L, p), ZERO)


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


@functools.lru_cache(None)
def verify(key, message, signature):
    a, r, s = decode(key), signature[:32], int.from_bytes(signature[32:], "little")
    if a is None or s >= L:
        return False
    minus = (P - a[0], a[1], 1, P - a[3])
    k = number(r, key, message) % L
    return encode(add(mul(s, BASE), mul(k, minus))) == r


@functools.lru_cache(None)
def expand(seed):
    """The scalar, the prefix and the public key of a seed."""
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
    return a, h[32:], encode(mul(a, BASE))


def public(seed):
    return expand(seed)[2]


@functools.lru_cache(None)
def sign(seed, message):
    a, prefix, key = expand(seed)
    return sign_scalar(a, prefix, key, message)


def sign_scalar(a, prefix, key, message):
    """Also for a key that is a point plus torsion: the caller says what KEY is."""
    r = number(prefix, message) % L
    point = encode(mul(r, BASE))
    s = (r + number(point, key, message) % L * a) % L
    return point + s.to_bytes(32, "little")
