/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOR_TLS_H
#define TOR_TLS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The client side of one TLS connection (1.2 or 1.3) as bytes in, bytes out: it
 * has no socket and no clock. Nothing is looked up anywhere (no OCSP, CRL or
 * missing certificate), no session is kept, tickets are not taken: so nothing
 * links one mirror with another.
 *
 * The way to an onion is authenticated by the address already. What is asked of
 * the certificate is what a reader's browser would stumble over: that it is of
 * today, that it names the host, and that its key is not a weak one; and, with a
 * pin, that the key is the expected one (then the name does not matter). Who
 * issued it is not looked at: a probe needs no certificate authority.
 */
struct tls;

#define TLS_PIN_LEN 32            /* SHA-256 of the certificate's SubjectPublicKeyInfo (RFC 7469, section 2.4) */
#define TLS_CHAIN_MAX (32 * 1024) /* bytes of the server's certificates */
#define TLS_OUTPUT_MAX (64 * 1024) /* bytes that wait to be sent; a peer that makes us answer for ever is cut */

/*
 * Starts OpenSSL, without a configuration of its own: once, when the process begins. If it begins by itself in the
 * middle of work and there is no memory, it crashes. -1: it does not start.
 */
int tls_begin(void);
/* `host` is the name asked for (SNI) and looked for; `pin` NULL: none; `now` is wall seconds. NULL when out of memory. */
struct tls *tls_new(const char *host, const uint8_t *pin, int64_t now);
/* NULL is fine. */
void tls_free(struct tls *t);

/*
 * Takes what came from the server; nothing at the start, to get the first
 * message out. -1: the connection is over (and stays so), and `e` says why:
 * ERR_CRYPTO the certificate, ERR_PROTO anything else of TLS, ERR_LIMIT a bound.
 */
int tls_feed(struct tls *t, const void *p, size_t n, struct err *e);
/* The handshake is done and the certificate was accepted. */
bool tls_is_ready(const struct tls *t);
/* Queues plaintext, once ready. */
int tls_write(struct tls *t, const void *p, size_t n, struct err *e);
/* Plaintext that came, 1..cap bytes; 0: none now; -1 as tls_feed(). */
int tls_read(struct tls *t, char *out, size_t cap, struct err *e);
/* The server said that it sends no more: what was read is not cut off. */
bool tls_is_ended(const struct tls *t);
/* Ciphertext to be sent, NULL when there is none; valid until the next call. It counts as taken. */
const char *tls_output(struct tls *t, size_t *n);

#endif
